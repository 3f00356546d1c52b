/*
 * viz/track's view of UDP: requests and their answers, empty datagrams,
 * fragments that make up one; on stored captures and on packets made by hand.
 */
#include "viz/track/track.h"

#include "tests/unit/frames.h"

static struct track *track;
static uint64_t number;

static void begin(void)
{
    track = track_new(0);
    ck_assert_ptr_nonnull(track);
    number = 0;
}

static struct packet datagram(uint16_t from, uint16_t to, uint32_t length)
{
    number++;
    return (struct packet){.number = number,
                           .time_ns = (int64_t)number * 1000,
                           .protocol = PROTO_UDP,
                           .has_transport = true,
                           .source = {4, {127, 0, 0, 1}, from},
                           .destination = {4, {127, 0, 0, 1}, to},
                           .payload_length = length};
}

static struct note feed(struct packet packet)
{
    struct note note;

    ck_assert_int_eq(track_feed(track, &packet, &note), 0);
    return note;
}

START_TEST(an_answer_names_its_request_while_only_one_waits)
{
    struct note note;

    begin();
    feed(datagram(40000, 53, 5));
    note = feed(datagram(53, 40000, 9));
    ck_assert_uint_eq(note.answers, 1);
    feed(datagram(40000, 53, 5));
    feed(datagram(40000, 53, 5));
    note = feed(datagram(53, 40000, 9)); /* to which of the two? */
    ck_assert_uint_eq(note.answers, 0);
    ck_assert_uint_eq(note.flow->udp.answered, 2);
    ck_assert_uint_eq(note.flow->udp.unanswered, 1);
    track_free(track);
}
END_TEST

START_TEST(what_nobody_asked_for_answers_nothing)
{
    struct note note;

    begin();
    feed(datagram(40000, 53, 5));
    feed(datagram(53, 40000, 9));
    note = feed(datagram(53, 40000, 9));
    ck_assert_uint_eq(note.answers, 0);
    ck_assert_uint_eq(note.flow->udp.unasked, 1);
    ck_assert_uint_eq(note.flow->udp.unanswered, 0);
    track_free(track);
}
END_TEST

START_TEST(empty_datagrams_are_counted_by_side)
{
    struct note note;

    begin();
    feed(datagram(40000, 7, 0));
    feed(datagram(40000, 7, 0));
    note = feed(datagram(7, 40000, 0));
    ck_assert_uint_eq(note.flow->udp.empty[FLOW_CLIENT], 2);
    ck_assert_uint_eq(note.flow->udp.empty[FLOW_SERVER], 1);
    track_free(track);
}
END_TEST

/* --- fragments ------------------------------------------------------------- */

static struct packet first_fragment(uint32_t id)
{
    struct packet packet = datagram(40000, 53, 3000);

    packet.ip_id = id;
    packet.has_ip_id = packet.more_fragments = true;
    return packet;
}

static struct packet later_fragment(uint32_t id)
{
    struct packet packet = datagram(0, 0, 1480);

    packet.ip_id = id;
    packet.has_ip_id = true;
    packet.has_transport = false;
    packet.fragment_offset = 1480;
    return packet;
}

START_TEST(later_fragments_belong_to_their_first)
{
    struct flow *flow;
    struct note note;

    begin();
    flow = feed(first_fragment(7)).flow;
    feed(first_fragment(8));
    note = feed(later_fragment(7));
    ck_assert_uint_eq(note.fragment_of, 1);
    ck_assert_ptr_null(note.flow);
    ck_assert_uint_eq(feed(later_fragment(8)).fragment_of, 2);
    ck_assert_uint_eq(feed(later_fragment(9)).fragment_of, 0);
    ck_assert_uint_eq(flow->udp.fragments, 2);
    ck_assert_uint_eq(flow->packets, 2);
    ck_assert_uint_eq(flow->end[FLOW_CLIENT].bytes, 6000);
    track_free(track);
}
END_TEST

START_TEST(an_identification_used_again_means_the_newest)
{
    struct packet late;

    begin();
    feed(first_fragment(7));
    feed(first_fragment(7));
    ck_assert_uint_eq(feed(later_fragment(7)).fragment_of, 2);
    late = later_fragment(7);
    late.time_ns += INT64_C(61000000000);
    ck_assert_uint_eq(feed(late).fragment_of, 0);
    track_free(track);
}
END_TEST

/* A piece of a TCP segment: the numbers count on from the first. */
static struct note feed_part(uint32_t id, uint16_t offset, bool more,
                             uint8_t flags, uint32_t seq, uint32_t length)
{
    struct packet packet = {.number = ++number,
                            .time_ns = 1000000000,
                            .protocol = PROTO_TCP,
                            .source = {4, {10, 0, 0, 1}, 40000},
                            .destination = {4, {10, 0, 0, 2}, 7001},
                            .has_ip_id = true,
                            .ip_id = id,
                            .more_fragments = more,
                            .fragment_offset = offset,
                            .payload_length = length};

    if (offset > 0)
        packet.source.port = packet.destination.port = 0;
    packet.has_transport = offset == 0;
    packet.tcp.seq = seq;
    packet.tcp.flags = flags;
    packet.tcp.window = 500;
    return feed(packet);
}

START_TEST(a_tcp_segment_in_fragments_counts_whole)
{
    struct flow *flow;
    struct note note;

    begin();
    flow = feed_part(1, 0, false, TCP_SYN, 1000, 0).flow;
    feed_part(2, 0, true, TCP_ACK, 1001, 1460); /* and 20 of header */
    note = feed_part(2, 1480, true, 0, 0, 1480);
    ck_assert_uint_eq(note.fragment_of, 2);
    ck_assert_ptr_null(note.flow);
    feed_part(2, 2960, false, 0, 0, 40);
    ck_assert_uint_eq(flow->end[FLOW_CLIENT].bytes, 2980);
    note = feed_part(3, 0, true, TCP_ACK | TCP_FIN, 1001 + 2980, 1460);
    ck_assert_int_eq(note.verdict_count, 0); /* nothing is missing */
    ck_assert(!flow->end[FLOW_CLIENT].fin_sent);
    feed_part(3, 1480, false, 0, 0, 100);
    ck_assert(flow->end[FLOW_CLIENT].fin_sent);
    ck_assert_uint_eq(flow->end[FLOW_CLIENT].fin_seq, 1001 + 2980 + 1560);
    ck_assert_uint_eq(flow->udp.fragments, 0);
    track_free(track);

    begin(); /* a piece in the middle is missing: so are its bytes */
    flow = feed_part(1, 0, false, TCP_SYN, 1000, 0).flow;
    feed_part(2, 0, true, TCP_ACK, 1001, 1460);
    feed_part(2, 2960, false, 0, 0, 40);
    ck_assert_uint_eq(flow->end[FLOW_CLIENT].bytes, 1460);
    note = feed_part(3, 0, false, TCP_ACK, 1001 + 2980, 10);
    ck_assert_int_eq(note.verdicts[0].name, VERDICT_LOST_SEGMENT);
    ck_assert_uint_eq(note.verdicts[0].count, 1520);
    track_free(track);
}
END_TEST

/* A flood of first fragments is bounded, and a forgotten flow not touched. */
START_TEST(a_flood_of_first_fragments_is_bounded)
{
    struct packet packet;

    track = track_new(4);
    ck_assert_ptr_nonnull(track);
    number = 0;
    for (uint32_t id = 1; id <= 1000; id++) {
        packet = first_fragment(id);
        packet.source.port = (uint16_t)(1000 + id);
        feed(packet);
    }
    ck_assert_uint_eq(feed(later_fragment(1000)).fragment_of, 1000);
    ck_assert_uint_eq(feed(later_fragment(990)).fragment_of, 990);
    ck_assert_uint_eq(feed(later_fragment(1)).fragment_of, 0);
    track_free(track);
}
END_TEST

/* --- captures -------------------------------------------------------------- */

static struct flow *feed_capture(const char *name, size_t flow)
{
    struct frames frames;
    struct flow *found = NULL;
    size_t at = 0;

    begin();
    frames_load(&frames, name);
    for (size_t n = 0; n < frames.count; n++)
        feed(frame_packet(&frames, n));
    frames_free(&frames);
    for (size_t n = 0; n <= flow; n++)
        found = track_next(track, &at);
    ck_assert_ptr_nonnull(found);
    return found;
}

START_TEST(s19_is_seven_requests_seven_answers_and_two_in_fragments)
{
    const struct flow *flow = feed_capture("s19_udp_echo_frag", 0);

    ck_assert_uint_eq(flow->packets, 14);
    ck_assert_uint_eq(flow->udp.answered, 7);
    ck_assert_uint_eq(flow->udp.unanswered, 0);
    ck_assert_uint_eq(flow->udp.empty[FLOW_CLIENT], 1);
    ck_assert_uint_eq(flow->udp.empty[FLOW_SERVER], 1);
    ck_assert_uint_eq(flow->udp.fragments, 12);
    track_free(track);
}
END_TEST

START_TEST(s07_is_unanswered_and_unreachable)
{
    for (size_t n = 0; n < 2; n++) {
        const struct flow *flow = feed_capture("s07_udp_closed", n);

        ck_assert_uint_eq(flow->udp.answered, 0);
        ck_assert_uint_ge(flow->udp.unanswered, 1);
        ck_assert(flow->refused);
        track_free(track);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("udp");

    tcase_add_test(tests, an_answer_names_its_request_while_only_one_waits);
    tcase_add_test(tests, what_nobody_asked_for_answers_nothing);
    tcase_add_test(tests, empty_datagrams_are_counted_by_side);
    tcase_add_test(tests, later_fragments_belong_to_their_first);
    tcase_add_test(tests, an_identification_used_again_means_the_newest);
    tcase_add_test(tests, a_tcp_segment_in_fragments_counts_whole);
    tcase_add_test(tests, a_flood_of_first_fragments_is_bounded);
    tcase_add_test(tests,
                   s19_is_seven_requests_seven_answers_and_two_in_fragments);
    tcase_add_test(tests, s07_is_unanswered_and_unreachable);
    return run_suite("udp", tests);
}
