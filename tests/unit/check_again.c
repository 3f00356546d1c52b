/* viz/track: why a segment was sent again and what its original was, where the
 * capture was made, what a RST means, which errno an ICMP error brings. */
#include "viz/track/icmp_errno.h"
#include "viz/track/sent.h"
#include "viz/track/track.h"

#include "tests/unit/frames.h"

enum { S = TCP_SYN, A = TCP_ACK, F = TCP_FIN, R = TCP_RST };

struct wire {
    struct track *track;
    struct note note; /* of the last packet */
    uint64_t number;
    int64_t ns;
    uint16_t ids[2];
    uint8_t ttl[2];
    uint16_t mss;
    uint32_t clock; /* not 0: packets have no IP ID but this timestamp */
};

static void wire_open(struct wire *wire)
{
    *wire = (struct wire){.track = track_new(0),
                          .ns = 1000000000,
                          .ids = {100, 500},
                          .ttl = {64, 64},
                          .mss = 1000};
    ck_assert_ptr_nonnull(wire->track);
}

/* After so many milliseconds `from` ('c' or 's') sends; numbers count from the
 * SYN. sack: one block above the acknowledgement, when not 0. */
static const struct note *sends(struct wire *wire, double ms, char from,
                                uint8_t flags, uint32_t seq, uint32_t ack,
                                uint32_t length, uint32_t sack)
{
    int side = from == 's';
    struct packet packet = {
        .number = ++wire->number,
        .time_ns = wire->ns += (int64_t)(ms * 1e6),
        .has_transport = true,
        .protocol = PROTO_TCP,
        .ttl = wire->ttl[side],
        .source = {4, {10, 0, 0, side ? 2 : 1}, side ? 7001 : 40000},
        .destination = {4, {10, 0, 0, side ? 1 : 2}, side ? 40000 : 7001},
        .has_ip_id = true,
        .ip_id = wire->ids[side]++,
        .payload_length = length,
    };

    packet.tcp.flags = flags;
    packet.tcp.seq = (side ? 5000 : 1000) + seq;
    packet.tcp.ack = flags & A ? (side ? 1000 : 5000) + ack : 0;
    packet.tcp.window = 60000;
    if (flags & S) {
        packet.tcp.options.has = OPT_MSS | OPT_SACK_OK;
        packet.tcp.options.mss = wire->mss;
    } else if (sack > 0) {
        packet.tcp.options.has = OPT_SACK;
        packet.tcp.options.sack_count = 1;
        packet.tcp.options.sack[0].left = packet.tcp.ack + sack;
        packet.tcp.options.sack[0].right = packet.tcp.ack + sack + 100;
    }
    if (wire->clock > 0) {
        packet.has_ip_id = false;
        packet.tcp.options.has |= OPT_TIMESTAMP;
        packet.tcp.options.ts_value = wire->clock;
    }
    ck_assert_int_eq(track_feed(wire->track, &packet, &wire->note), 0);
    return &wire->note;
}

/* The handshake as it is seen at the client, 20 ms away from the server. */
static void connects(struct wire *wire)
{
    sends(wire, 0, 'c', S, 0, 0, 0, 0);
    sends(wire, 20, 's', S | A, 0, 1, 0, 0);
    sends(wire, 0.01, 'c', A, 1, 1, 0, 0);
}

static void expect_again(const struct note *note, const char *kind,
                         uint32_t count, uint64_t original, int64_t gap_ms)
{
    ck_assert_int_eq(note->verdict_count, 1);
    ck_assert_int_eq(note->verdicts[0].name, VERDICT_RETRANSMISSION);
    ck_assert_str_eq(note->verdicts[0].kind, kind);
    ck_assert_uint_eq(note->verdicts[0].count, count);
    ck_assert_uint_eq(note->verdicts[0].packet, original);
    ck_assert_int_eq(note->verdicts[0].gap_ns / 1000000, gap_ms);
}

START_TEST(time_outs_are_counted_and_their_gaps_told)
{
    struct wire wire;

    wire_open(&wire);
    connects(&wire);
    sends(&wire, 1, 'c', A, 1, 1, 100, 0); /* packet 4 */
    expect_again(sends(&wire, 60, 'c', A, 1, 1, 100, 0), "tlp", 1, 4, 60);
    expect_again(sends(&wire, 220, 'c', A, 1, 1, 100, 0), "rto", 1, 4, 220);
    expect_again(sends(&wire, 440, 'c', A, 1, 1, 100, 0), "rto", 2, 4, 440);
    expect_again(sends(&wire, 880, 'c', A, 1, 1, 100, 0), "rto", 3, 4, 880);
    sends(&wire, 20, 's', A, 1, 101, 0, 0);
    sends(&wire, 1, 'c', A, 101, 1, 100, 0); /* packet 10: all anew */
    expect_again(sends(&wire, 60, 'c', A, 101, 1, 100, 0), "tlp", 1, 10, 60);
    ck_assert_uint_eq(wire.note.flow->retransmissions, 5);
    track_free(wire.track);
}
END_TEST

static uint64_t original(struct sent_pool *pool, struct sent_list *list,
                         uint32_t n)
{
    const struct sent *sent = sent_find(pool, list, 10 * n, 10 * n + 10);

    return sent != NULL ? sent->number : 0;
}

/* Of a capture without acknowledgements nothing leaves the list. */
START_TEST(a_search_in_a_long_list_is_short_and_the_next_goes_on)
{
    struct sent_pool pool = {0};
    struct sent_list list = {0};

    for (uint32_t n = 0; n < 3 * SENT_LOOKED_AT; n++) {
        struct sent sent = {.seq = 10 * n, .end = 10 * n + 10, .number = n + 1};

        ck_assert_int_eq(sent_reserve(&pool), 0);
        sent_add(&pool, &list, &sent);
    }
    ck_assert_uint_eq(original(&pool, &list, 5), 6);
    ck_assert_uint_eq(original(&pool, &list, SENT_LOOKED_AT), 1025);
    ck_assert_uint_eq(original(&pool, &list, 4), 5);
    ck_assert_uint_eq(original(&pool, &list, 2 * SENT_LOOKED_AT), 0);
    ck_assert_uint_eq(original(&pool, &list, 2 * SENT_LOOKED_AT), 2049);
    ck_assert_uint_eq(original(&pool, &list, 2 * SENT_LOOKED_AT + 1), 2050);
    ck_assert_ptr_nonnull(sent_acked(&pool, &list, 25000));
    ck_assert_uint_eq(original(&pool, &list, 5), 0); /* forgotten */
    ck_assert_uint_eq(original(&pool, &list, 2500), 2501);
    sent_clear(&pool, &list);
    ck_assert_uint_eq(original(&pool, &list, 2500), 0);
    sent_fini(&pool);
}
END_TEST

/* Captured on all interfaces of a router, without an IP ID. */
START_TEST(what_is_seen_again_behind_a_router_is_not_sent_again)
{
    struct wire wire;

    wire_open(&wire);
    for (int n = 0; n < 6; n++) {
        wire.clock = 1000 + (uint32_t)n * 30;
        for (uint8_t hop = 0; hop < 2; hop++) {
            wire.ttl[0] = wire.ttl[1] = 64 - hop;
            if (n == 0)
                sends(&wire, 0.01, 'c', S, 0, 0, 0, 0);
            else if (n == 1)
                sends(&wire, 0.01, 's', S | A, 0, 1, 0, 0);
            else if (n == 2)
                sends(&wire, 0.01, 'c', A, 1, 1, 0, 0);
            else if (n == 4)
                sends(&wire, 0.01, 's', A, 1, 101, 0, 0);
            else /* at 5 it is sent again: once */
                sends(&wire, 0.01, 'c', A, 1, 1, 100, 0);
            ck_assert_int_eq(wire.note.verdict_count, n == 5 && hop == 0);
        }
        wire.ns += 30000000;
    }
    ck_assert_uint_eq(wire.note.flow->retransmissions, 1);
    ck_assert_int_eq(wire.note.flow->vantage, VANTAGE_MIDDLE);
    track_free(wire.track);
}
END_TEST

/* Captured at the client, without an IP ID. */
START_TEST(what_is_doubled_on_the_way_is_not_sent_again)
{
    struct wire wire;

    wire_open(&wire);
    wire.clock = 1000;
    connects(&wire);
    for (uint32_t n = 0; n < 3; n++) { /* the first is lost before */
        wire.clock = 1030 + n;
        if (n > 0)
            sends(&wire, 1, 's', A, 1 + n * 100, 1, 100, 0);
    }
    sends(&wire, 0.01, 's', A, 201, 1, 100, 0); /* the newest, doubled */
    ck_assert_int_eq(wire.note.verdict_count, 0);
    sends(&wire, 0.01, 'c', A, 1, 1, 0, 100);
    wire.clock = 1060;
    sends(&wire, 20, 's', A, 1, 1, 100, 0); /* sent again, and that doubled */
    ck_assert_int_eq(wire.note.verdicts[0].name, VERDICT_RETRANSMISSION);
    sends(&wire, 0.01, 's', A, 1, 1, 100, 0);
    ck_assert_int_eq(wire.note.verdict_count, 0);
    wire.clock = 1090;
    sends(&wire, 30, 's', A, 1, 1, 100, 0); /* and once more */
    ck_assert_int_eq(wire.note.verdicts[0].name, VERDICT_RETRANSMISSION);
    ck_assert_uint_eq(wire.note.flow->retransmissions, 2);
    track_free(wire.track);
}
END_TEST

START_TEST(what_a_report_of_a_hole_brings_is_fast)
{
    struct wire wire;
    const struct note *note;

    wire_open(&wire);
    connects(&wire);
    for (uint32_t n = 0; n < 4; n++) /* packets 4 to 7 */
        sends(&wire, 0.1, 'c', A, 1 + n * 100, 1, 100, 0);
    note = sends(&wire, 20, 's', A, 1, 1, 0, 100);
    ck_assert_int_eq(note->verdicts[0].name, VERDICT_DUPLICATE_ACK);
    ck_assert_uint_eq(note->verdicts[0].count, 1);
    note = sends(&wire, 0.1, 's', A, 1, 1, 0, 200);
    ck_assert_uint_eq(note->verdicts[0].count, 2);
    expect_again(sends(&wire, 0.1, 'c', A, 1, 1, 100, 0), "fast", 1, 4, 20);
    expect_again(sends(&wire, 0.1, 'c', A, 101, 1, 100, 0), "fast", 1, 5, 20);
    track_free(wire.track);
}
END_TEST

START_TEST(what_was_acknowledged_already_is_sent_in_vain)
{
    struct wire wire;

    wire_open(&wire);
    connects(&wire);
    sends(&wire, 1, 'c', A, 1, 1, 100, 0);
    ck_assert_uint_eq(wire.note.flight, 100);
    sends(&wire, 20, 's', A, 1, 101, 0, 0);
    ck_assert_int_eq(wire.note.ack_rtt_ns, 20000000);
    expect_again(sends(&wire, 1, 'c', A, 1, 1, 100, 0), "spurious", 1, 4, 21);
    track_free(wire.track);
}
END_TEST

/* The server's D-SACK: [left, right) came twice. */
static const struct note *reports(struct wire *wire, uint32_t ack,
                                  uint32_t left, uint32_t right)
{
    struct packet packet = {
        .number = ++wire->number,
        .time_ns = wire->ns += 1000000,
        .has_transport = true,
        .protocol = PROTO_TCP,
        .ttl = 64,
        .source = {4, {10, 0, 0, 2}, 7001},
        .destination = {4, {10, 0, 0, 1}, 40000},
        .tcp = {.flags = A,
                .seq = 5001,
                .ack = 1000 + ack,
                .window = 60000,
                .options = {.has = OPT_SACK, .sack_count = 1}},
    };

    packet.tcp.options.sack[0].left = 1000 + left;
    packet.tcp.options.sack[0].right = 1000 + right;
    ck_assert_int_eq(track_feed(wire->track, &packet, &wire->note), 0);
    return &wire->note;
}

START_TEST(a_d_sack_proves_that_it_was_sent_in_vain)
{
    struct wire wire;
    const struct note *note;

    wire_open(&wire);
    connects(&wire);
    sends(&wire, 1, 'c', A, 1, 1, 100, 0); /* packet 4 */
    note = sends(&wire, 60, 'c', A, 1, 1, 100, 0);
    expect_again(note, "tlp", 1, 4, 60);
    ck_assert_str_eq(note->verdicts[0].lost, "after");
    ck_assert_ptr_eq(note_again(note), &note->verdicts[0]);
    ck_assert_ptr_null(note_in_vain(note));
    ck_assert_uint_eq(note->flow->lost[1], 1);
    for (uint32_t n = 1; n < 30; n++) { /* long acknowledged by then */
        sends(&wire, 0.1, 'c', A, 1 + n * 100, 1, 100, 0);
        sends(&wire, 0.1, 's', A, 1, 101 + n * 100, 0, 0);
    }
    note = reports(&wire, 3001, 1, 101);
    ck_assert(note->dsack);
    ck_assert_ptr_null(note_again(note));
    ck_assert_ptr_nonnull(note_in_vain(note));
    ck_assert_str_eq(note_in_vain(note)->kind, "spurious");
    ck_assert_str_eq(note_in_vain(note)->evidence, "dsack");
    ck_assert_uint_eq(note_in_vain(note)->packet, 4);
    ck_assert_uint_eq(note->flow->lost[1], 0);
    ck_assert_uint_eq(note->flow->retransmissions, 1);
    note = reports(&wire, 3001, 201, 301); /* doubled on the way */
    ck_assert(note->dsack);
    ck_assert_ptr_null(note_in_vain(note));
    ck_assert_uint_eq(note->flow->spurious, 2);
    track_free(wire.track);
}
END_TEST

/* What the capture never saw was lost before it. */
START_TEST(a_loss_lies_before_or_after_the_capture)
{
    struct wire wire;
    const struct note *note;

    wire_open(&wire);
    wire.ttl[0] = 60;
    wire.ttl[1] = 57;
    connects(&wire);
    sends(&wire, 1, 'c', A, 1, 1, 100, 0);
    sends(&wire, 1, 'c', A, 201, 1, 100, 0); /* 101 to 200 is missing */
    sends(&wire, 20, 's', A, 1, 101, 0, 100);
    note = sends(&wire, 20, 'c', A, 101, 1, 100, 0);
    ck_assert_str_eq(note_again(note)->lost, "before");
    sends(&wire, 1, 'c', A, 301, 1, 100, 0);
    sends(&wire, 20, 's', A, 1, 301, 0, 0);
    note = sends(&wire, 300, 'c', A, 301, 1, 100, 0);
    ck_assert_str_eq(note_again(note)->lost, "after");
    ck_assert_uint_eq(note->flow->lost[0], 1);
    ck_assert_uint_eq(note->flow->lost[1], 1);
    ck_assert_int_eq(note->flow->vantage, VANTAGE_MIDDLE);
    track_free(wire.track);
}
END_TEST

/* Near the client: what it sends has not reached the server yet. */
START_TEST(what_is_still_on_its_way_moves_nobody_for_certain)
{
    struct wire wire;
    const struct note *note;

    wire_open(&wire);
    connects(&wire);
    ck_assert_int_eq(wire.note.flow->vantage, VANTAGE_CLIENT);
    ck_assert_int_eq(wire.note.after[1], TCP_ESTABLISHED);
    ck_assert(wire.note.assumed[1]);
    ck_assert(!wire.note.assumed[0]);
    sends(&wire, 1, 'c', A, 1, 1, 100, 0);
    note = sends(&wire, 20, 's', A, 1, 101, 0, 0);
    ck_assert(!note->assumed[1]);
    note = sends(&wire, 1, 'c', F | A, 101, 1, 0, 0);
    ck_assert_int_eq(note->after[1], TCP_CLOSE_WAIT);
    ck_assert(note->assumed[1]);
    note = sends(&wire, 20, 's', A, 1, 102, 0, 0);
    ck_assert_int_eq(note->after[1], TCP_CLOSE_WAIT);
    ck_assert(!note->assumed[1]);
    ck_assert_int_eq(note->after[0], TCP_FIN_WAIT2);
    ck_assert(!note->assumed[0]);
    track_free(wire.track);
}
END_TEST

START_TEST(a_reset_brings_the_errno_of_its_receivers_state)
{
    const struct note *note;
    struct wire wire;

    wire_open(&wire);
    sends(&wire, 0, 'c', S, 0, 0, 0, 0);
    note = sends(&wire, 1, 's', R | A, 0, 1, 0, 0);
    ck_assert_str_eq(note->error, "ECONNREFUSED");
    ck_assert(note->error_now);
    track_free(wire.track);

    wire_open(&wire);
    connects(&wire);
    ck_assert_str_eq(sends(&wire, 1, 'c', R | A, 1, 1, 0, 0)->error,
                     "ECONNRESET");
    track_free(wire.track);

    wire_open(&wire);
    connects(&wire);
    sends(&wire, 1, 'c', F | A, 1, 1, 0, 0);
    sends(&wire, 1, 's', A, 1, 2, 0, 0);
    ck_assert_str_eq(sends(&wire, 1, 'c', R, 2, 0, 0, 0)->error, "EPIPE");
    track_free(wire.track);

    wire_open(&wire); /* nobody is left to be told */
    connects(&wire);
    sends(&wire, 1, 'c', F | A, 1, 1, 0, 0);
    sends(&wire, 1, 's', F | A, 1, 2, 0, 0);
    ck_assert_ptr_null(sends(&wire, 1, 's', R, 2, 0, 0, 0)->error);
    track_free(wire.track);
}
END_TEST

START_TEST(what_the_card_cuts_counts_as_many_as_it_makes)
{
    struct wire wire;

    wire_open(&wire);
    connects(&wire);
    sends(&wire, 1, 'c', A, 1, 1, 2500, 0);
    ck_assert(wire.note.super_segment);
    ck_assert_uint_eq(wire.note.pieces, 3);
    sends(&wire, 300, 'c', A, 1, 1, 2500, 0);
    ck_assert_uint_eq(wire.note.verdicts[0].segments, 3);
    ck_assert_uint_eq(wire.note.flow->retransmissions, 3);
    track_free(wire.track);
}
END_TEST

START_TEST(gaps_and_windows_are_told)
{
    struct wire wire;
    const struct note *note;

    wire_open(&wire);
    connects(&wire);
    note = sends(&wire, 1, 'c', A, 101, 1, 100, 0);
    ck_assert_int_eq(note->verdicts[0].name, VERDICT_LOST_SEGMENT);
    ck_assert_uint_eq(note->verdicts[0].count, 100);
    sends(&wire, 1, 's', A, 1, 201, 0, 0);
    sends(&wire, 1, 's', A, 1, 201, 50, 0);
    note = sends(&wire, 1, 'c', A, 201, 999, 0, 0);
    ck_assert_int_eq(note->verdicts[0].name, VERDICT_ACKED_UNSEEN);
    note = sends(&wire, 1, 'c', A, 201, 999, 60000, 0);
    ck_assert_int_eq(note->verdicts[0].name, VERDICT_WINDOW_FULL);
    track_free(wire.track);
}
END_TEST

static enum flow_vantage vantage(uint8_t client_ttl, uint8_t server_ttl,
                                 double there, double back)
{
    enum flow_vantage found;
    struct wire wire;

    wire_open(&wire);
    wire.ttl[0] = client_ttl;
    wire.ttl[1] = server_ttl;
    sends(&wire, 0, 'c', S, 0, 0, 0, 0);
    sends(&wire, there, 's', S | A, 0, 1, 0, 0);
    sends(&wire, back, 'c', A, 1, 1, 0, 0);
    ck_assert_int_eq(wire.note.flow->initial_rtt_ns,
                     (int64_t)(there * 1e6) + (int64_t)(back * 1e6));
    found = wire.note.flow->vantage;
    track_free(wire.track);
    return found;
}

START_TEST(the_vantage_is_read_from_ttl_and_pauses)
{
    ck_assert_int_eq(vantage(64, 57, 1, 1), VANTAGE_CLIENT);
    ck_assert_int_eq(vantage(50, 128, 1, 1), VANTAGE_SERVER);
    ck_assert_int_eq(vantage(60, 57, 9, 0.1), VANTAGE_MIDDLE);
    ck_assert_int_eq(vantage(64, 64, 20, 0.1), VANTAGE_CLIENT);
    ck_assert_int_eq(vantage(64, 64, 0.1, 20), VANTAGE_SERVER);
    ck_assert_int_eq(vantage(64, 64, 10, 10), VANTAGE_MIDDLE);
    ck_assert_int_eq(vantage(64, 64, 0.01, 0.01), VANTAGE_UNKNOWN);
}
END_TEST

START_TEST(a_reset_says_what_it_is)
{
    struct wire wire;

    wire_open(&wire);
    sends(&wire, 0, 'c', S, 0, 0, 0, 0);
    ck_assert_int_eq(sends(&wire, 1, 's', R | A, 0, 1, 0, 0)->reset,
                     RESET_REFUSED);
    track_free(wire.track);

    wire_open(&wire);
    connects(&wire);
    ck_assert_int_eq(sends(&wire, 1, 'c', R | A, 1, 1, 0, 0)->reset,
                     RESET_ABORT);
    track_free(wire.track);

    wire_open(&wire);
    connects(&wire);
    sends(&wire, 1, 'c', A, 1, 1, 100, 0);
    ck_assert_int_eq(sends(&wire, 1, 's', R | A, 1, 101, 0, 0)->reset,
                     RESET_UNREAD);
    track_free(wire.track);

    wire_open(&wire);
    connects(&wire);
    sends(&wire, 1, 'c', A, 1, 1, 100, 0);
    ck_assert_int_eq(sends(&wire, 1, 's', R, 1, 0, 0, 0)->reset,
                     RESET_NO_SOCKET);
    track_free(wire.track);
}
END_TEST

/* RFC 5961 3: a number that is only within the window brings a challenge. */
START_TEST(who_answers_a_reset_was_not_reset)
{
    const struct note *note;
    struct wire wire;

    wire_open(&wire);
    connects(&wire);
    note = sends(&wire, 1, 's', R, 50, 0, 0, 0);
    ck_assert_int_eq(note->after[FLOW_CLIENT], TCP_CLOSED);
    note = sends(&wire, 1, 'c', A, 1, 1, 0, 0);
    ck_assert_int_eq(note->after[FLOW_CLIENT], TCP_ESTABLISHED);
    ck_assert_int_eq(note->after[FLOW_SERVER], TCP_ESTABLISHED);
    ck_assert_int_eq(note->flow->closed_by, CLOSED_OPEN);
    note = sends(&wire, 1, 's', R, 1, 0, 0, 0); /* what is asked for counts */
    ck_assert_int_eq(note->after[FLOW_CLIENT], TCP_CLOSED);
    note = sends(&wire, 1, 'c', A, 1, 1, 100, 0); /* that was on its way */
    ck_assert_int_eq(note->after[FLOW_CLIENT], TCP_CLOSED);
    ck_assert_int_eq(note->flow->closed_by, CLOSED_BY_RESET);
    track_free(wire.track);
}
END_TEST

/* RFC 2883 4: the first block tells what came twice, the second has it too. */
START_TEST(what_a_d_sack_repeats_is_counted_once)
{
    struct packet packet;
    struct wire wire;

    wire_open(&wire);
    connects(&wire);
    for (uint32_t n = 0; n < 4; n++)
        sends(&wire, 0.1, 'c', A, 1 + n * 100, 1, 100, 0);
    packet = (struct packet){
        .number = ++wire.number,
        .time_ns = wire.ns += 1000000,
        .has_transport = true,
        .protocol = PROTO_TCP,
        .ttl = 64,
        .source = {4, {10, 0, 0, 2}, 7001},
        .destination = {4, {10, 0, 0, 1}, 40000},
        .tcp = {.flags = A,
                .seq = 5001,
                .ack = 1001,
                .window = 60000,
                .options = {.has = OPT_SACK,
                            .sack_count = 2,
                            .sack = {{1201, 1301}, {1101, 1401}}}},
    };
    ck_assert_int_eq(track_feed(wire.track, &packet, &wire.note), 0);
    ck_assert(wire.note.dsack);
    sends(&wire, 1, 'c', A, 401, 1, 50, 0);
    ck_assert_uint_eq(wire.note.flight, 450 - 300);
    track_free(wire.track);
}
END_TEST

/* A router says `type`, `code` of the client's packets. */
static const struct note *router_says(struct wire *wire, uint8_t type,
                                      uint8_t code)
{
    struct packet packet = {
        .number = ++wire->number,
        .time_ns = wire->ns += 1000000,
        .has_transport = true,
        .protocol = PROTO_ICMP,
        .source = {4, {10, 0, 0, 9}, 0},
        .destination = {4, {10, 0, 0, 1}, 0},
        .icmp = {.type = type,
                 .code = code,
                 .quotes = true,
                 .quoted_protocol = PROTO_TCP,
                 .quoted_source = {4, {10, 0, 0, 1}, 40000},
                 .quoted_destination = {4, {10, 0, 0, 2}, 7001}},
    };

    ck_assert_int_eq(track_feed(wire->track, &packet, &wire->note), 0);
    return &wire->note;
}

/* tcp_v4_err() in Linux: while it connects each of them ends it. */
START_TEST(an_icmp_error_ends_what_is_being_connected)
{
    static const struct {
        uint8_t type, code;
        bool unreachable;
        const char *error;
    } cases[] = {{3, 1, true, "EHOSTUNREACH"},
                 {11, 0, false, "EHOSTUNREACH"},
                 {12, 0, false, "EPROTO"}};
    const struct note *note;
    struct wire wire;

    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        wire_open(&wire);
        sends(&wire, 0, 'c', S, 0, 0, 0, 0);
        note = router_says(&wire, cases[n].type, cases[n].code);
        ck_assert_int_eq(note->after[FLOW_CLIENT], TCP_CLOSED);
        ck_assert_str_eq(note->error, cases[n].error);
        ck_assert(note->error_now);
        ck_assert_int_eq(note->verdict_count, cases[n].unreachable);
        ck_assert(note->flow->refused);
        ck_assert_str_eq(note->flow->unreached, cases[n].error);
        /* where the kernel was still busy with the SYN it goes on */
        note = sends(&wire, 1000, 'c', S, 0, 0, 0, 0);
        ck_assert_int_eq(note->after[FLOW_CLIENT], TCP_SYN_SENT);
        ck_assert(!note->flow->refused);
        track_free(wire.track);
    }

    wire_open(&wire);
    sends(&wire, 0, 'c', S, 0, 0, 0, 0);
    note = router_says(&wire, 3, 4); /* the MTU: TCP sends less at once */
    ck_assert_int_eq(note->after[FLOW_CLIENT], TCP_SYN_SENT);
    ck_assert_ptr_null(note->error);
    track_free(wire.track);

    wire_open(&wire);
    connects(&wire);
    note = router_says(&wire, 11, 0);
    ck_assert_int_eq(note->after[FLOW_CLIENT], TCP_ESTABLISHED);
    ck_assert(!note->error_now && !note->flow->refused);
    track_free(wire.track);
}
END_TEST

/* Other systems send one byte that was acknowledged long ago. The answer says
 * by D-SACK that it came twice, which it has not. */
START_TEST(the_answer_to_a_keep_alive_tells_of_no_retransmission)
{
    struct wire wire;
    const struct note *note;

    wire_open(&wire);
    connects(&wire);
    sends(&wire, 1, 'c', A, 1, 1, 100, 0);
    sends(&wire, 20, 's', A, 1, 101, 0, 0);
    note = sends(&wire, 60000, 'c', A, 100, 1, 1, 0);
    ck_assert_int_eq(note->verdict_count, 1);
    ck_assert_int_eq(note->verdicts[0].name, VERDICT_KEEP_ALIVE);
    note = reports(&wire, 101, 100, 101);
    ck_assert_int_eq(note->verdict_count, 1);
    ck_assert_int_eq(note->verdicts[0].name, VERDICT_KEEP_ALIVE_ACK);
    ck_assert_uint_eq(note->flow->spurious, 0);
    track_free(wire.track);
}
END_TEST

START_TEST(each_icmp_error_brings_its_errno)
{
    ck_assert_str_eq(icmp_errno(PROTO_ICMP, 3, 3).name, "ECONNREFUSED");
    ck_assert(icmp_errno(PROTO_ICMP, 3, 3).hard);
    ck_assert_str_eq(icmp_errno(PROTO_ICMP, 3, 1).name, "EHOSTUNREACH");
    ck_assert(!icmp_errno(PROTO_ICMP, 3, 1).hard);
    ck_assert_str_eq(icmp_errno(PROTO_ICMP, 3, 4).name, "EMSGSIZE");
    ck_assert_str_eq(icmp_errno(PROTO_ICMP, 11, 0).name, "EHOSTUNREACH");
    ck_assert_ptr_null(icmp_errno(PROTO_ICMP, 3, 16).name);
    ck_assert_ptr_null(icmp_errno(PROTO_ICMP, 8, 0).name);
    ck_assert_str_eq(icmp_errno(PROTO_ICMP6, 1, 4).name, "ECONNREFUSED");
    ck_assert_str_eq(icmp_errno(PROTO_ICMP6, 1, 0).name, "ENETUNREACH");
    ck_assert_str_eq(icmp_errno(PROTO_ICMP6, 2, 0).name, "EMSGSIZE");
    ck_assert_ptr_null(icmp_errno(PROTO_ICMP6, 128, 0).name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("again");
    TCase *tests = tcase_create("again");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, time_outs_are_counted_and_their_gaps_told);
    tcase_add_test(tests,
                   a_search_in_a_long_list_is_short_and_the_next_goes_on);
    tcase_add_test(tests, what_a_report_of_a_hole_brings_is_fast);
    tcase_add_test(tests, what_is_seen_again_behind_a_router_is_not_sent_again);
    tcase_add_test(tests, what_is_doubled_on_the_way_is_not_sent_again);
    tcase_add_test(tests, what_was_acknowledged_already_is_sent_in_vain);
    tcase_add_test(tests, a_d_sack_proves_that_it_was_sent_in_vain);
    tcase_add_test(tests, a_loss_lies_before_or_after_the_capture);
    tcase_add_test(tests, what_is_still_on_its_way_moves_nobody_for_certain);
    tcase_add_test(tests, a_reset_brings_the_errno_of_its_receivers_state);
    tcase_add_test(tests, what_the_card_cuts_counts_as_many_as_it_makes);
    tcase_add_test(tests, gaps_and_windows_are_told);
    tcase_add_test(tests, the_vantage_is_read_from_ttl_and_pauses);
    tcase_add_test(tests, a_reset_says_what_it_is);
    tcase_add_test(tests,
                   the_answer_to_a_keep_alive_tells_of_no_retransmission);
    tcase_add_test(tests, what_a_d_sack_repeats_is_counted_once);
    tcase_add_test(tests, who_answers_a_reset_was_not_reset);
    tcase_add_test(tests, an_icmp_error_ends_what_is_being_connected);
    tcase_add_test(tests, each_icmp_error_brings_its_errno);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
