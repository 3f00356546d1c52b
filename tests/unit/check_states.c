/* viz/track, one connection at a time: rows of segments with the states that
 * both ends are in after each. Sequence numbers are relative, but begin just
 * before the wrap of 32 bits, so that every row crosses it. */
#include "viz/track/track.h"

#include "tests/unit/frames.h"

enum { S = TCP_SYN, A = TCP_ACK, F = TCP_FIN, R = TCP_RST };

/* Who sends, flags, relative numbers, bytes; then both states, and the one
 * verdict expected, by name ("" none). */
struct row {
    char from; /* 'c' or 's' */
    uint8_t flags;
    int32_t seq, ack;
    uint32_t length;
    uint8_t client, server; /* enum tcp_state */
    const char *verdict;
};

enum {
    CLOSED = TCP_CLOSED,
    LISTEN = TCP_LISTEN,
    SYN_SENT = TCP_SYN_SENT,
    SYN_RECV = TCP_SYN_RECV,
    ESTAB = TCP_ESTABLISHED,
    FIN_WAIT1 = TCP_FIN_WAIT1,
    FIN_WAIT2 = TCP_FIN_WAIT2,
    CLOSING = TCP_CLOSING,
    TIME_WAIT = TCP_TIME_WAIT,
    CLOSE_WAIT = TCP_CLOSE_WAIT,
    LAST_ACK = TCP_LAST_ACK
};

struct story {
    const char *name;
    struct row rows[16]; /* ends with from 0 */
    enum flow_closed_by closed_by;
    const char *client, *server; /* the states gone through; NULL: any */
};

#define OPEN                                        \
    {'c', S, 0, 0, 0, SYN_SENT, LISTEN, ""},        \
        {'s', S | A, 0, 1, 0, ESTAB, SYN_RECV, ""}, \
    {                                               \
        'c', A, 1, 1, 0, ESTAB, ESTAB, ""           \
    }

static const struct story stories[] = {
    {"half-close: the server still sends after the client's FIN",
     {OPEN,
      {'c', F | A, 1, 1, 5, FIN_WAIT1, CLOSE_WAIT, ""},
      {'s', A, 1, 7, 0, FIN_WAIT2, CLOSE_WAIT, ""},
      {'s', A, 1, 7, 100, FIN_WAIT2, CLOSE_WAIT, ""},
      {'c', A, 7, 101, 0, FIN_WAIT2, CLOSE_WAIT, ""},
      {'s', F | A, 101, 7, 0, TIME_WAIT, LAST_ACK, ""},
      {'c', A, 7, 102, 0, TIME_WAIT, CLOSED, ""}},
     CLOSED_BY_CLIENT,
     "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT",
     "LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"},
    {"simultaneous close: the FINs cross",
     {OPEN,
      {'c', F | A, 1, 1, 0, FIN_WAIT1, CLOSE_WAIT, ""},
      {'s', F | A, 1, 1, 0, CLOSING, FIN_WAIT1, ""},
      {'c', A, 2, 2, 0, CLOSING, TIME_WAIT, ""},
      {'s', A, 2, 2, 0, TIME_WAIT, TIME_WAIT, ""}},
     CLOSED_BY_BOTH,
     "SYN_SENT ESTABLISHED FIN_WAIT1 CLOSING TIME_WAIT",
     "LISTEN SYN_RECV ESTABLISHED FIN_WAIT1 CLOSING TIME_WAIT"},
    {"simultaneous open",
     {{'c', S, 0, 0, 0, SYN_SENT, LISTEN, ""},
      {'s', S, 0, 0, 0, SYN_SENT, SYN_SENT, "simultaneous-open"},
      {'c', S | A, 0, 1, 0, SYN_RECV, SYN_SENT, ""},
      {'s', S | A, 0, 1, 0, ESTAB, SYN_RECV, ""},
      {'c', A, 1, 1, 0, ESTAB, ESTAB, ""}},
     CLOSED_OPEN,
     "SYN_SENT SYN_RECV ESTABLISHED",
     "SYN_SENT SYN_RECV ESTABLISHED"},
    {"the FIN with the last data and the answering FIN in three packets",
     {OPEN,
      {'s', F | A, 1, 1, 10, CLOSE_WAIT, FIN_WAIT1, ""},
      {'c', F | A, 1, 12, 0, LAST_ACK, TIME_WAIT, ""},
      {'s', A, 12, 2, 0, CLOSED, TIME_WAIT, ""}},
     CLOSED_BY_SERVER,
     "SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED",
     "LISTEN SYN_RECV ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT"},
    {"refused",
     {{'c', S, 0, 0, 0, SYN_SENT, LISTEN, ""},
      {'s', R | A, 0, 1, 0, CLOSED, CLOSED, "refused"}},
     CLOSED_BY_RESET,
     "SYN_SENT CLOSED",
     "CLOSED"},
    {"a RST that does not acknowledge the SYN is not for it",
     {{'c', S, 0, 0, 0, SYN_SENT, LISTEN, ""},
      {'s', R | A, 0, 77, 0, SYN_SENT, LISTEN, ""},
      {'s', S | A, 0, 1, 0, ESTAB, SYN_RECV, ""}},
     CLOSED_OPEN,
     "SYN_SENT ESTABLISHED",
     "LISTEN SYN_RECV"},
    {"reset in the middle",
     {OPEN,
      {'c', A, 1, 1, 9, ESTAB, ESTAB, ""},
      {'s', R, 1, 0, 0, CLOSED, CLOSED, ""}},
     CLOSED_BY_RESET,
     "SYN_SENT ESTABLISHED CLOSED",
     "LISTEN SYN_RECV ESTABLISHED CLOSED"},
    {"a RST outside the window moves nothing",
     {OPEN,
      {'s', R, 200000, 0, 0, ESTAB, ESTAB, ""},
      {'s', R, -5000, 0, 0, ESTAB, ESTAB, ""}},
     CLOSED_OPEN,
     NULL,
     NULL},
    {"reset of a half-closed connection",
     {OPEN,
      {'c', F | A, 1, 1, 0, FIN_WAIT1, CLOSE_WAIT, ""},
      {'s', A, 1, 2, 0, FIN_WAIT2, CLOSE_WAIT, ""},
      {'s', R | A, 1, 2, 0, CLOSED, CLOSED, ""}},
     CLOSED_BY_RESET,
     NULL,
     NULL},
    {"a SYN sent again moves nothing",
     {{'c', S, 0, 0, 0, SYN_SENT, LISTEN, ""},
      {'c', S, 0, 0, 0, SYN_SENT, LISTEN, "retransmission"},
      {'s', S | A, 0, 1, 0, ESTAB, SYN_RECV, ""},
      {'c', A, 1, 1, 0, ESTAB, ESTAB, ""}},
     CLOSED_OPEN,
     "SYN_SENT ESTABLISHED",
     "LISTEN SYN_RECV ESTABLISHED"},
    {"the SYN,ACK was lost on its last yard: the client has not moved",
     {{'c', S, 0, 0, 0, SYN_SENT, LISTEN, ""},
      {'s', S | A, 0, 1, 0, ESTAB, SYN_RECV, ""},
      {'c', S, 0, 0, 0, SYN_SENT, SYN_RECV, "retransmission"},
      {'s', S | A, 0, 1, 0, ESTAB, SYN_RECV, "retransmission"},
      {'c', A, 1, 1, 0, ESTAB, ESTAB, ""}},
     CLOSED_OPEN,
     "SYN_SENT ESTABLISHED",
     "LISTEN SYN_RECV ESTABLISHED"},
    {"the last ACK was lost: the server has not moved",
     {OPEN,
      {'s', S | A, 0, 1, 0, ESTAB, SYN_RECV, "retransmission"},
      {'c', A, 1, 1, 0, ESTAB, ESTAB, ""},
      {'s', A, 1, 1, 5, ESTAB, ESTAB, ""}},
     CLOSED_OPEN,
     "SYN_SENT ESTABLISHED",
     "LISTEN SYN_RECV ESTABLISHED"},
    {"an old copy of the SYN moves nothing once the client has spoken",
     {OPEN,
      {'c', S, 0, 0, 0, ESTAB, ESTAB, "retransmission"},
      {'s', S | A, 0, 1, 0, ESTAB, SYN_RECV, "retransmission"},
      {'c', A, 1, 1, 0, ESTAB, ESTAB, ""}},
     CLOSED_OPEN,
     "SYN_SENT ESTABLISHED",
     "LISTEN SYN_RECV ESTABLISHED"},
    {"the FIN is lost: who does not acknowledge it has not got it",
     {OPEN,
      {'c', F | A, 1, 1, 4, FIN_WAIT1, CLOSE_WAIT, ""},
      {'s', A, 1, 1, 3, FIN_WAIT1, ESTAB, ""},
      {'c', F | A, 1, 4, 4, FIN_WAIT1, CLOSE_WAIT, "retransmission"},
      {'s', A, 4, 6, 0, FIN_WAIT2, CLOSE_WAIT, ""}},
     CLOSED_BY_CLIENT,
     "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2",
     "LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT"},
    {"the last ACK of the close is lost: the server is still in LAST_ACK",
     {OPEN,
      {'c', F | A, 1, 1, 0, FIN_WAIT1, CLOSE_WAIT, ""},
      {'s', F | A, 1, 2, 0, TIME_WAIT, LAST_ACK, ""},
      {'c', A, 2, 2, 0, TIME_WAIT, CLOSED, ""},
      {'s', F | A, 1, 2, 0, TIME_WAIT, LAST_ACK, "retransmission"},
      {'c', A, 2, 2, 0, TIME_WAIT, CLOSED, ""}},
     CLOSED_BY_CLIENT,
     "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT",
     "LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"},
    {"a FIN behind a hole takes effect when the hole is filled",
     {OPEN,
      {'c', F | A, 11, 1, 5, FIN_WAIT1, ESTAB, "lost-segment"},
      {'s', A, 1, 1, 0, FIN_WAIT1, ESTAB, ""},
      {'c', A, 1, 1, 10, FIN_WAIT1, ESTAB, "retransmission"},
      {'s', A, 1, 17, 0, FIN_WAIT2, CLOSE_WAIT, ""}},
     CLOSED_BY_CLIENT,
     NULL,
     NULL},
    {"the handshake ends with data when its ACK was not captured",
     {{'c', S, 0, 0, 0, SYN_SENT, LISTEN, ""},
      {'s', S | A, 0, 1, 0, ESTAB, SYN_RECV, ""},
      {'c', A, 1, 1, 20, ESTAB, ESTAB, ""}},
     CLOSED_OPEN,
     NULL,
     NULL},
    {"only the SYN,ACK was captured: its receiver is the client",
     {{'s', S | A, 0, 1, 0, ESTAB, SYN_RECV, ""},
      {'c', A, 1, 1, 0, ESTAB, ESTAB, ""}},
     CLOSED_OPEN,
     "SYN_SENT ESTABLISHED",
     "SYN_RECV ESTABLISHED"},
    {"a keep-alive and its answer",
     {OPEN,
      {'c', A, 1, 1, 1, ESTAB, ESTAB, ""},
      {'s', A, 1, 2, 0, ESTAB, ESTAB, ""},
      {'c', A, 1, 1, 0, ESTAB, ESTAB, "keep-alive"},
      {'s', A, 1, 2, 0, ESTAB, ESTAB, "keep-alive-ack"}},
     CLOSED_OPEN,
     NULL,
     NULL},
    {"a byte sent again is no keep-alive, though its ACK was seen",
     {OPEN,
      {'c', A, 1, 1, 1, ESTAB, ESTAB, ""},
      {'s', A, 1, 2, 0, ESTAB, ESTAB, ""},
      {'c', A, 1, 1, 1, ESTAB, ESTAB, "retransmission"},
      {'s', A, 1, 2, 0, ESTAB, ESTAB, ""},
      {'c', A, 2, 1, 5, ESTAB, ESTAB, ""},
      {'s', A, 1, 7, 0, ESTAB, ESTAB, ""},
      {'c', A, 6, 1, 1, ESTAB, ESTAB, "keep-alive"}},
     CLOSED_OPEN,
     NULL,
     NULL},
    {"a wild sequence number moves nothing",
     {OPEN,
      {'c', F | A, 0x60000000, 1, 9, ESTAB, ESTAB, ""},
      {'c', A, 1, 1, 3, ESTAB, ESTAB, ""}},
     CLOSED_OPEN,
     NULL,
     NULL},
};

/* --- playing them -------------------------------------------------------- */

struct wire {
    struct track *track;
    uint64_t number;
    uint16_t ids[2];  /* count upwards, as a host's do */
    uint32_t isns[2]; /* of client and server */
    uint16_t window;
};

static void wire_open(struct wire *wire)
{
    *wire = (struct wire){.track = track_new(0),
                          .ids = {0xfffd, 0x100},
                          .isns = {0xfffffffe, 0xfffffff5},
                          .window = 1000};
    ck_assert_ptr_nonnull(wire->track);
}

static struct packet segment(struct wire *wire, const struct row *row)
{
    int side = row->from == 's', other = !side;
    struct packet packet = {
        .number = ++wire->number,
        .time_ns = (int64_t)wire->number * 1000,
        .has_transport = true,
        .protocol = PROTO_TCP,
        .source = {4, {10, 0, 0, side ? 2 : 1}, side ? 7001 : 40000},
        .destination = {4, {10, 0, 0, side ? 1 : 2}, side ? 40000 : 7001},
        .has_ip_id = true,
        .ip_id = wire->ids[side]++,
        .payload_length = row->length,
    };

    packet.tcp.flags = row->flags;
    packet.tcp.window = wire->window;
    packet.tcp.seq = wire->isns[side] + (uint32_t)row->seq;
    if (row->flags & TCP_ACK)
        packet.tcp.ack = wire->isns[other] + (uint32_t)row->ack;
    return packet;
}

static struct note feed(struct wire *wire, const struct row *row)
{
    struct packet packet = segment(wire, row);
    struct note note;

    ck_assert_int_eq(track_feed(wire->track, &packet, &note), 0);
    return note;
}

static void expect_row(const struct story *story, int n,
                       const struct note *note)
{
    const struct row *row = &story->rows[n];
    const char *verdict = note->verdict_count > 0
                              ? verdict_text(note->verdicts[0].name)
                              : "";

    ck_assert_msg(note->after[FLOW_CLIENT] == row->client &&
                      note->after[FLOW_SERVER] == row->server &&
                      strcmp(verdict, row->verdict) == 0,
                  "%s, row %d: %s %s \"%s\", expected %s %s \"%s\"",
                  story->name, n, tcp_state_name(note->after[FLOW_CLIENT]),
                  tcp_state_name(note->after[FLOW_SERVER]), verdict,
                  tcp_state_name(row->client), tcp_state_name(row->server),
                  row->verdict);
    ck_assert_int_eq(note->from == FLOW_SERVER, row->from == 's');
}

static void expect_states(const struct story *story, const struct flow_end *end,
                          const char *states)
{
    char text[256] = "";
    size_t used = 0;

    if (states == NULL)
        return;
    for (int n = 0; n < end->state_count; n++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                 n > 0 ? " " : "",
                                 tcp_state_name(end->states[n]));
    ck_assert_msg(strcmp(text, states) == 0, "%s: %s, expected %s", story->name,
                  text, states);
}

START_TEST(the_states_are_those_of_rfc_9293)
{
    const struct story *story = &stories[_i];
    struct wire wire;
    struct note note;

    wire_open(&wire);
    for (int n = 0; story->rows[n].from != 0; n++) {
        note = feed(&wire, &story->rows[n]);
        expect_row(story, n, &note);
    }
    ck_assert_str_eq(closed_by_text(note.flow->closed_by),
                     closed_by_text(story->closed_by));
    expect_states(story, &note.flow->end[FLOW_CLIENT], story->client);
    expect_states(story, &note.flow->end[FLOW_SERVER], story->server);
    track_free(wire.track);
}
END_TEST

/* Every row twice, the copy with the same IP ID: a duplicate that the network
 * made, or a capture that saw the packet on two interfaces. */
START_TEST(a_copy_of_a_packet_is_no_retransmission_and_moves_nothing)
{
    const struct story *story = &stories[_i];
    struct wire wire;
    struct note note;

    wire_open(&wire);
    for (int n = 0; story->rows[n].from != 0; n++) {
        note = feed(&wire, &story->rows[n]);
        wire.ids[story->rows[n].from == 's']--;
        note = feed(&wire, &story->rows[n]);
        if (strcmp(story->rows[n].verdict, "retransmission") != 0)
            for (int v = 0; v < note.verdict_count; v++)
                ck_assert_int_ne(note.verdicts[v].name, VERDICT_RETRANSMISSION);
        ck_assert_int_eq(note.after[FLOW_CLIENT], story->rows[n].client);
    }
    track_free(wire.track);
}
END_TEST

/* --- ports used again ---------------------------------------------------- */

static const struct row handshake[] = {OPEN};
static const struct row closing[] = {
    {'c', F | A, 1, 1, 0, FIN_WAIT1, CLOSE_WAIT, ""},
    {'s', F | A, 1, 2, 0, TIME_WAIT, LAST_ACK, ""},
    {'c', A, 2, 2, 0, TIME_WAIT, CLOSED, ""},
};

static struct note play(struct wire *wire, const struct row *rows, int count)
{
    struct note note = {0};

    for (int n = 0; n < count; n++)
        note = feed(wire, &rows[n]);
    return note;
}

START_TEST(a_new_syn_after_the_close_is_a_new_connection)
{
    struct wire wire;
    struct note note;
    size_t at = 0;

    wire_open(&wire);
    for (uint32_t n = 0; n < 3; n++) {
        note = feed(&wire, &handshake[0]);
        ck_assert_uint_eq(note.flow->id, n);
        ck_assert_int_eq(note.verdict_count, n > 0);
        if (n > 0)
            ck_assert_int_eq(note.verdicts[0].name, VERDICT_PORT_REUSE);
        play(&wire, handshake + 1, 2);
        note = play(&wire, closing, 3);
        ck_assert_uint_eq(note.flow->packets, 6);
        wire.isns[0] += 100000;
        wire.isns[1] += 100000;
    }
    while (track_next(wire.track, &at) != NULL)
        ;
    ck_assert_uint_eq(at, 3);
    track_free(wire.track);
}
END_TEST

START_TEST(an_attempt_that_was_given_up_is_not_the_next_one)
{
    struct wire wire;
    struct note note;

    wire_open(&wire);
    feed(&wire, &handshake[0]);
    wire.isns[0] += 5000;
    note = feed(&wire, &handshake[0]);
    ck_assert_uint_eq(note.flow->id, 1);
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_PORT_REUSE);
    track_free(wire.track);
}
END_TEST

START_TEST(a_stray_syn_in_an_open_connection_splits_it_only_when_answered)
{
    struct wire wire;
    struct note note;
    uint32_t isns[2];

    wire_open(&wire);
    play(&wire, handshake, 3);
    memcpy(isns, wire.isns, sizeof isns);
    wire.isns[0] += 70000;
    note = feed(&wire, &handshake[0]);
    ck_assert_uint_eq(note.flow->id, 0);
    ck_assert_int_eq(note.after[FLOW_CLIENT], TCP_ESTABLISHED);
    memcpy(wire.isns, isns, sizeof isns);
    note = feed(&wire, &(struct row){'s', A, 1, 1, 10, ESTAB, ESTAB, ""});
    ck_assert_uint_eq(note.flow->id, 0); /* the challenge ACK, or any data */
    ck_assert_uint_eq(note.relative_seq, 1);

    wire.isns[0] += 70000;
    wire.isns[1] += 70000;
    note = feed(&wire, &handshake[1]);
    ck_assert_uint_eq(note.flow->id, 1);
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_PORT_REUSE);
    ck_assert_int_eq(note.from, FLOW_SERVER);
    note = feed(&wire, &handshake[2]);
    ck_assert_int_eq(note.after[FLOW_SERVER], TCP_ESTABLISHED);
    track_free(wire.track);
}
END_TEST

/* --- the rest ------------------------------------------------------------ */

START_TEST(a_byte_counts_once_in_any_order)
{
    static const struct row pieces[] = {
        {'c', A, 1, 1, 10, ESTAB, ESTAB, ""},
        {'c', A, 31, 1, 10, ESTAB, ESTAB, ""},
        {'c', A, 15, 1, 4, ESTAB, ESTAB, ""}, /* the middle of the hole */
        {'c', A, 1, 1, 10, ESTAB, ESTAB, ""},
        {'c', A, 5, 1, 20, ESTAB, ESTAB, ""}, /* old, hole, old, hole */
        {'c', A, 60, 1, 10, ESTAB, ESTAB, ""},
        {'c', A, 25, 1, 60, ESTAB, ESTAB, ""}, /* over two holes and beyond */
        {'c', A, 105, 1, 10, ESTAB, ESTAB, ""},
        {'c', A, 85, 1, 5, ESTAB, ESTAB, ""}, /* the hole from its left, */
        {'c', A, 85, 1, 5, ESTAB, ESTAB, ""},
        {'c', A, 100, 1, 5, ESTAB, ESTAB, ""}, /* from its right, */
        {'c', A, 85, 1, 20, ESTAB, ESTAB, ""}, /* and all of it */
    };
    static const uint64_t bytes[] = {10, 20, 24, 24, 34,  44,
                                     84, 94, 99, 99, 104, 114};
    struct wire wire;
    struct note note;

    wire_open(&wire);
    play(&wire, handshake, 3);
    for (int n = 0; n < 12; n++) {
        note = feed(&wire, &pieces[n]);
        ck_assert_uint_eq(note.flow->end[FLOW_CLIENT].bytes, bytes[n]);
    }
    track_free(wire.track);
}
END_TEST

START_TEST(many_holes_are_remembered_and_endless_ones_forgotten)
{
    struct row row = {'c', A, 1, 1, 10, ESTAB, ESTAB, ""};
    struct wire wire;
    struct note note;

    wire_open(&wire);
    play(&wire, handshake, 3);
    for (int n = 0; n < 60; n++, row.seq += 20)
        note = feed(&wire, &row);
    for (row.seq = 11; row.seq < 1180; row.seq += 20)
        note = feed(&wire, &row);
    ck_assert_uint_eq(note.flow->end[FLOW_CLIENT].bytes, 60 * 10 + 59 * 10);
    for (int n = 0; n < 10000; n++, row.seq += 20)
        note = feed(&wire, &row);
    ck_assert_uint_eq(note.flow->end[FLOW_CLIENT].bytes, 1190 + 10000 * 10);
    track_free(wire.track);
}
END_TEST

/* The capture sits before the loss: it has seen all, the receiver has not. */
START_TEST(a_fin_behind_a_hole_that_the_receiver_reports_takes_no_effect)
{
    static const struct row rows[] = {
        {'c', A, 1, 1, 10, ESTAB, ESTAB, ""}, /* lost */
        {'c', A, 11, 1, 10, ESTAB, ESTAB, ""},
        {'s', A, 1, 1, 0, ESTAB, ESTAB, ""}, /* with SACK 11-21 */
        {'c', F | A, 21, 1, 0, FIN_WAIT1, ESTAB, ""},
        {'c', A, 1, 1, 10, FIN_WAIT1, ESTAB, ""},
        {'s', A, 1, 22, 0, FIN_WAIT2, CLOSE_WAIT, ""},
    };
    struct wire wire;
    struct note note;

    wire_open(&wire);
    play(&wire, handshake, 3);
    for (int n = 0; n < 6; n++) {
        struct packet packet = segment(&wire, &rows[n]);

        if (n == 2)
            packet.tcp.options = (struct tcp_options){
                .has = OPT_SACK,
                .sack_count = 1,
                .sack = {{wire.isns[0] + 11, wire.isns[0] + 21}}};
        track_feed(wire.track, &packet, &note);
        ck_assert_int_eq(note.after[FLOW_CLIENT], rows[n].client);
        ck_assert_int_eq(note.after[FLOW_SERVER], rows[n].server);
    }
    track_free(wire.track);
}
END_TEST

START_TEST(a_late_copy_of_the_syn_does_not_undo_the_handshake)
{
    struct wire wire;
    struct note note;

    wire_open(&wire);
    play(&wire, handshake, 2);
    wire.ids[0]--; /* the same packet, on its second way */
    note = feed(&wire, &handshake[0]);
    ck_assert_int_eq(note.verdict_count, 0);
    ck_assert_int_eq(note.after[FLOW_CLIENT], TCP_ESTABLISHED);
    track_free(wire.track);
}
END_TEST

START_TEST(ip_ids_that_do_not_count_are_no_evidence)
{
    struct row row = {'c', A, 1, 1, 10, ESTAB, ESTAB, ""};
    struct wire wire;
    struct note note;

    wire_open(&wire);
    play(&wire, handshake, 3);
    for (int n = 0; n < 4; n++, row.seq += 10) {
        wire.ids[0] = (uint16_t)(n % 2 ? 0x4000 - n : 0x7000 + n); /* random */
        feed(&wire, &row);
    }
    row.seq = 1;
    wire.ids[0] = 0x7100;
    note = feed(&wire, &row);
    ck_assert_int_eq(note.verdict_count, 1); /* the same bytes again, but */
    ck_assert_str_eq(note.verdicts[0].evidence, "timing");
    track_free(wire.track);
}
END_TEST

START_TEST(what_came_late_is_told_from_what_was_sent_again)
{
    static const struct row late[] = {
        {'c', A, 11, 1, 10, ESTAB, ESTAB, ""},
        {'c', A, 1, 1, 10, ESTAB, ESTAB, ""},
    };
    struct wire wire;
    struct note note;

    wire_open(&wire);
    play(&wire, handshake, 3);
    wire.ids[0] += 1;
    feed(&wire, &late[0]);
    wire.ids[0] -= 2; /* sent before, arrived after */
    note = feed(&wire, &late[1]);
    ck_assert_int_eq(note.verdict_count, 1);
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_REORDERED);
    ck_assert_str_eq(note.verdicts[0].evidence, "ipid");
    ck_assert_uint_eq(note.flow->retransmissions, 0);
    wire.ids[0] += 5;
    note = feed(&wire, &late[1]);
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_RETRANSMISSION);
    ck_assert_ptr_null(note.verdicts[0].kind);
    ck_assert_uint_eq(note.flow->retransmissions, 1);
    track_free(wire.track);
}
END_TEST

/* The same segment again, from hosts whose IP IDs say nothing: at once, or
 * `pause_ns` later. */
static struct note again_without_ids(uint32_t first_ts, uint32_t second_ts,
                                     bool loopback, int64_t pause_ns)
{
    static const struct row data = {'c', A, 1, 1, 10, ESTAB, ESTAB, ""};
    struct wire wire;
    struct note note;

    wire_open(&wire);
    for (int n = 0; n < 5; n++) {
        struct packet packet = segment(&wire, n < 3 ? &handshake[n] : &data);

        packet.has_ip_id = false;
        packet.time_ns += n < 4 ? 0 : pause_ns;
        if (loopback)
            packet.source.address[0] = packet.destination.address[0] = 127;
        if (first_ts != 0) {
            packet.tcp.options.has = OPT_TIMESTAMP;
            packet.tcp.options.ts_value = n < 4 ? first_ts : second_ts;
        }
        track_feed(wire.track, &packet, &note);
    }
    note.flow = NULL;
    track_free(wire.track);
    return note;
}

START_TEST(without_ip_ids_the_timestamp_the_vantage_or_the_time_speaks)
{
    struct note note = again_without_ids(1000, 1300, false, 0);

    ck_assert_int_eq(note.verdicts[0].name, VERDICT_RETRANSMISSION);
    ck_assert_str_eq(note.verdicts[0].evidence, "tsval");
    note = again_without_ids(0, 0, true, 0);
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_RETRANSMISSION);
    ck_assert_str_eq(note.verdicts[0].evidence, "vantage");
    note = again_without_ids(0, 0, false, 0);
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_RETRANSMISSION);
    ck_assert_str_eq(note.verdicts[0].evidence, "timing");
    note = again_without_ids(1000, 1000, false, 1000000000); /* a slow clock */
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_RETRANSMISSION);
    ck_assert_str_eq(note.verdicts[0].evidence, "timing");
    note = again_without_ids(1000, 1000, false, 0); /* seen twice, sent once */
    ck_assert_uint_eq(note.verdict_count, 0);
}
END_TEST

START_TEST(a_closed_window_makes_a_keep_alive_a_probe)
{
    static const struct row rows[] = {
        {'c', A, 1, 1, 10, ESTAB, ESTAB, ""},
        {'s', A, 1, 11, 0, ESTAB, ESTAB, ""},
        {'c', A, 10, 1, 0, ESTAB, ESTAB, ""},
        {'c', A, 11, 1, 1, ESTAB, ESTAB, ""},
    };
    struct wire wire;
    struct note note;

    wire_open(&wire);
    play(&wire, handshake, 3);
    feed(&wire, &rows[0]);
    wire.window = 0;
    note = feed(&wire, &rows[1]);
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_ZERO_WINDOW);
    wire.window = 1000;
    note = feed(&wire, &rows[2]);
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_ZERO_WINDOW_PROBE);
    note = feed(&wire, &rows[3]); /* as BSD does it, with a byte */
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_ZERO_WINDOW_PROBE);
    ck_assert_uint_eq(note.flow->end[FLOW_CLIENT].bytes, 10);
    track_free(wire.track);
}
END_TEST

START_TEST(windows_are_scaled_when_both_ends_have_said_so)
{
    static const struct {
        bool client, server;
        uint32_t window;
    } cases[] = {{true, true, 1000 << 7},
                 {true, false, 1000},
                 {false, true, 1000},
                 {false, false, 1000}};

    for (int n = 0; n < 4; n++) {
        struct wire wire;
        struct note note;

        wire_open(&wire);
        for (int row = 0; row < 3; row++) {
            struct packet packet = segment(&wire, &handshake[row]);

            if ((row == 0 && cases[n].client) || (row == 1 && cases[n].server))
                packet.tcp.options = (struct tcp_options){
                    .has = OPT_WSCALE, .window_scale = row == 0 ? 7 : 3};
            track_feed(wire.track, &packet, &note);
            if (row < 2)
                ck_assert_uint_eq(note.window, 1000);
        }
        ck_assert_uint_eq(note.window, cases[n].window);
        ck_assert_uint_eq(note.flow->end[FLOW_CLIENT].window, cases[n].window);
        track_free(wire.track);
    }
}
END_TEST

static struct packet unreachable(const struct packet *about)
{
    struct packet packet = {.number = 9,
                            .has_transport = true,
                            .protocol = PROTO_ICMP,
                            .source = about->destination,
                            .destination = about->source};

    packet.icmp = (struct icmp_header){
        .type = 3,
        .code = 1,
        .quotes = true,
        .quoted_protocol = about->protocol,
        .quoted_source = about->source,
        .quoted_destination = about->destination,
    };
    return packet;
}

START_TEST(an_unreachable_host_ends_an_attempt_but_no_open_connection)
{
    struct wire wire;
    struct note note;
    struct packet syn, error;

    wire_open(&wire);
    syn = segment(&wire, &handshake[0]);
    error = unreachable(&syn);
    track_feed(wire.track, &syn, &note);
    track_feed(wire.track, &error, &note);
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_UNREACHABLE);
    ck_assert_int_eq(note.from, FLOW_SERVER);
    ck_assert_int_eq(note.after[FLOW_CLIENT], TCP_CLOSED);
    ck_assert(note.flow->refused);
    ck_assert_uint_eq(note.flow->packets, 1);
    track_free(wire.track);

    wire_open(&wire);
    play(&wire, handshake, 3);
    track_feed(wire.track, &error, &note);
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_UNREACHABLE);
    ck_assert_int_eq(note.after[FLOW_CLIENT], TCP_ESTABLISHED);
    ck_assert(!note.flow->refused);
    error.icmp.code = 4; /* about the MTU: the host is there */
    track_feed(wire.track, &error, &note);
    ck_assert_int_eq(note.verdict_count, 0);
    track_free(wire.track);
}
END_TEST

START_TEST(a_socket_connected_to_itself_goes_through_a_simultaneous_open)
{
    static const struct row rows[] = {
        {'c', S, 0, 0, 0, SYN_SENT, SYN_SENT, ""},
        {'c', S | A, 0, 1, 0, ESTAB, ESTAB, ""},
        {'c', A, 1, 1, 0, ESTAB, ESTAB, ""},
        {'c', A, 1, 1, 5, ESTAB, ESTAB, ""},
    };
    struct wire wire;
    struct note note;

    wire_open(&wire);
    wire.isns[1] = wire.isns[0];
    for (int n = 0; n < 4; n++) {
        struct packet packet = segment(&wire, &rows[n]);

        packet.destination = packet.source;
        track_feed(wire.track, &packet, &note);
        ck_assert_int_eq(note.from, FLOW_CLIENT);
        ck_assert_int_eq(note.after[FLOW_CLIENT], rows[n].client);
        ck_assert_int_eq(note.after[FLOW_SERVER], rows[n].server);
    }
    /* and tells so of both ends (found by fuzzing) */
    for (int side = 0; side < 2; side++) {
        ck_assert_int_eq(note.flow->end[side].state_count, 3);
        ck_assert_int_eq(note.flow->end[side].states[0], TCP_SYN_SENT);
        ck_assert_int_eq(note.flow->end[side].states[1], TCP_SYN_RECV);
        ck_assert_int_eq(note.flow->end[side].states[2], TCP_ESTABLISHED);
    }
    track_free(wire.track);
}
END_TEST

START_TEST(from_the_middle_the_higher_port_is_the_client)
{
    struct wire wire;
    struct note note;

    wire_open(&wire);
    note = feed(&wire, &(struct row){'s', A, 5, 9, 100, ESTAB, ESTAB, ""});
    ck_assert(note.flow->midstream);
    ck_assert_int_eq(note.from, FLOW_SERVER);
    ck_assert_uint_eq(note.relative_seq, 1);
    ck_assert_uint_eq(note.relative_ack, 1);
    ck_assert_int_eq(note.before[FLOW_CLIENT], TCP_UNKNOWN);
    wire.isns[0] += 50000; /* and what was assumed does not hide a new SYN */
    note = feed(&wire, &handshake[0]);
    ck_assert_uint_eq(note.flow->id, 1);
    track_free(wire.track);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("states");
    int count = (int)(sizeof stories / sizeof *stories);

    tcase_add_loop_test(tests, the_states_are_those_of_rfc_9293, 0, count);
    tcase_add_loop_test(
        tests, a_copy_of_a_packet_is_no_retransmission_and_moves_nothing, 0,
        count);
    tcase_add_test(tests, a_new_syn_after_the_close_is_a_new_connection);
    tcase_add_test(tests, an_attempt_that_was_given_up_is_not_the_next_one);
    tcase_add_test(
        tests, a_stray_syn_in_an_open_connection_splits_it_only_when_answered);
    tcase_add_test(tests, a_byte_counts_once_in_any_order);
    tcase_add_test(tests, many_holes_are_remembered_and_endless_ones_forgotten);
    tcase_add_test(
        tests, a_fin_behind_a_hole_that_the_receiver_reports_takes_no_effect);
    tcase_add_test(tests, a_late_copy_of_the_syn_does_not_undo_the_handshake);
    tcase_add_test(tests, ip_ids_that_do_not_count_are_no_evidence);
    tcase_add_test(tests, what_came_late_is_told_from_what_was_sent_again);
    tcase_add_test(tests,
                   without_ip_ids_the_timestamp_the_vantage_or_the_time_speaks);
    tcase_add_test(tests, a_closed_window_makes_a_keep_alive_a_probe);
    tcase_add_test(tests, windows_are_scaled_when_both_ends_have_said_so);
    tcase_add_test(tests,
                   an_unreachable_host_ends_an_attempt_but_no_open_connection);
    tcase_add_test(
        tests, a_socket_connected_to_itself_goes_through_a_simultaneous_open);
    tcase_add_test(tests, from_the_middle_the_higher_port_is_the_client);
    return run_suite("states", tests);
}
