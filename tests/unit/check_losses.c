/*
 * viz/track/losses: a packet that was captured and then lost moves nobody. The
 * word of it comes after the packet, or before.
 */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/traffic.h"
#include "viz/events/moment.h"

enum { FIN = TCP_FIN | TCP_ACK };

static struct traffic traffic;

static void setup(void)
{
    traffic_init(&traffic);
}

static void teardown(void)
{
    traffic_fini(&traffic);
}

static struct lost_packet named(uint16_t from, uint16_t to, uint32_t seq)
{
    return (struct lost_packet){.protocol = PROTO_TCP,
                                .source = traffic_end(&traffic, from),
                                .destination = traffic_end(&traffic, to),
                                .seq = seq};
}

/* As the session does it. Whether an end was taken back. */
static bool lose(uint16_t from, uint16_t to, uint32_t seq)
{
    struct event event = {.kind = EVENT_LOST,
                          .time_ns = traffic.now_ns + 20000};

    event.lost = named(from, to, seq);
    event.flow = track_lost(traffic.track, &event.lost, event.time_ns);
    store_event(traffic.store, &event);
    return event.flow != NULL;
}

static const struct flow *flow(void)
{
    return store_flow(traffic.store, 0);
}

static const struct note *newest(void)
{
    return &store_row(traffic.store, store_rows(traffic.store) - 1)->note;
}

#define ck_states(client, server)                                        \
    do {                                                                 \
        ck_assert_str_eq(tcp_state_name(flow()->end[0].state), #client); \
        ck_assert_str_eq(tcp_state_name(flow()->end[1].state), #server); \
    } while (0)

START_TEST(a_lost_fin_does_not_move_the_receiver)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, FIN, 1001, 5001, NULL, 0);
    ck_states(FIN_WAIT1, CLOSE_WAIT);
    ck_assert(lose(40000, 7001, 1001));
    ck_states(FIN_WAIT1, ESTABLISHED);
    ck_assert_int_eq(newest()->after[FLOW_SERVER], TCP_ESTABLISHED);
    ck_assert_int_eq(flow()->end[FLOW_SERVER].state_count, 3);
    traffic.now_ns += 200000000;
    traffic_tcp(&traffic, 40000, 7001, FIN, 1001, 5001, NULL, 0);
    ck_states(FIN_WAIT1, CLOSE_WAIT);
    traffic_tcp(&traffic, 7001, 40000, TCP_ACK, 5001, 1002, NULL, 0);
    ck_states(FIN_WAIT2, CLOSE_WAIT);
}
END_TEST

START_TEST(the_word_of_it_may_come_first)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic.now_ns += 60090000; /* it is captured 10 us before it is lost */
    ck_assert(!lose(40000, 7001, 1001));
    traffic.now_ns -= 90000;
    traffic_tcp(&traffic, 40000, 7001, FIN, 1001, 5001, NULL, 0);
    ck_states(FIN_WAIT1, ESTABLISHED);
    ck_assert_int_eq(newest()->after[FLOW_SERVER], TCP_ESTABLISHED);
    traffic.now_ns += 200000000; /* sent again: another packet */
    traffic_tcp(&traffic, 40000, 7001, FIN, 1001, 5001, NULL, 0);
    ck_states(FIN_WAIT1, CLOSE_WAIT);
}
END_TEST

START_TEST(a_lost_syn_ack_leaves_the_client_connecting)
{
    traffic_tcp(&traffic, 40000, 7001, TCP_SYN, 1000, 0, NULL, 0);
    traffic_tcp(&traffic, 7001, 40000, TCP_SYN | TCP_ACK, 5000, 1001, NULL, 0);
    ck_states(ESTABLISHED, SYN_RECV);
    ck_assert(lose(7001, 40000, 5000));
    ck_states(SYN_SENT, SYN_RECV);
}
END_TEST

START_TEST(a_lost_last_ack_leaves_the_server_in_the_handshake)
{
    traffic_connect(&traffic, 40000, 7001);
    ck_assert(lose(40000, 7001, 1001));
    ck_states(ESTABLISHED, SYN_RECV);
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, "x", 1);
    ck_states(ESTABLISHED, ESTABLISHED);
}
END_TEST

START_TEST(a_lost_reset_ends_one_side_only)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_RST | TCP_ACK, 1001, 5001, NULL, 0);
    ck_assert(lose(40000, 7001, 1001));
    ck_states(CLOSED, ESTABLISHED);
    ck_assert_int_eq(flow()->closed_by, CLOSED_BY_RESET);
}
END_TEST

START_TEST(a_lost_refusal_refuses_nobody_yet)
{
    traffic_tcp(&traffic, 40000, 7001, TCP_SYN, 1000, 0, NULL, 0);
    traffic_tcp(&traffic, 7001, 40000, TCP_RST | TCP_ACK, 0, 1001, NULL, 0);
    ck_assert(flow()->refused);
    ck_assert(lose(7001, 40000, 0));
    ck_assert(!flow()->refused);
    ck_assert_int_eq(flow()->end[FLOW_CLIENT].state, TCP_SYN_SENT);
}
END_TEST

/* It is told late, after others of the same connection. */
START_TEST(rows_that_came_before_we_knew_are_put_right)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 7001, 40000, FIN, 5001, 1001, NULL, 0);
    traffic_tcp(&traffic, 7001, 40000, TCP_ACK, 5002, 1001, NULL, 0);
    ck_assert_int_eq(newest()->after[FLOW_CLIENT], TCP_CLOSE_WAIT);
    ck_assert(lose(7001, 40000, 5001));
    for (size_t n = 3; n < 5; n++) {
        const struct note *note = &store_row(traffic.store, n)->note;

        ck_assert_int_eq(note->before[FLOW_CLIENT], TCP_ESTABLISHED);
        ck_assert_int_eq(note->after[FLOW_CLIENT], TCP_ESTABLISHED);
    }
    traffic_tcp(&traffic, 7001, 40000, TCP_ACK, 5002, 1001, NULL, 0);
    ck_states(ESTABLISHED, FIN_WAIT1); /* it cannot have come by now */
    traffic_tcp(&traffic, 7001, 40000, FIN, 5001, 1001, NULL, 0);
    ck_states(CLOSE_WAIT, FIN_WAIT1);
}
END_TEST

/* Two that say the same, the first of them lost: the second has arrived. */
START_TEST(what_another_packet_proved_too_stays)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic.now_ns += 60000000;
    traffic_tcp(&traffic, 40000, 7001, FIN, 1001, 5001, NULL, 0);
    traffic_tcp(&traffic, 40000, 7001, FIN, 1001, 5001, NULL, 0);
    traffic.now_ns -= 100000;
    ck_assert(!lose(40000, 7001, 1001));
    ck_states(FIN_WAIT1, CLOSE_WAIT);
}
END_TEST

START_TEST(what_was_proved_since_stays)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, FIN, 1001, 5001, NULL, 0);
    traffic_tcp(&traffic, 7001, 40000, FIN, 5001, 1002, NULL, 0);
    ck_states(TIME_WAIT, LAST_ACK);
    ck_assert(!lose(40000, 7001, 1001)); /* it acknowledges that FIN */
    ck_states(TIME_WAIT, LAST_ACK);
}
END_TEST

START_TEST(what_moved_nobody_takes_nothing_back)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic.now_ns += 60000000;
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, NULL, 0);
    ck_assert(!lose(40000, 7001, 1001));
    ck_states(ESTABLISHED, ESTABLISHED);
}
END_TEST

START_TEST(a_replay_knows_it_from_the_first)
{
    struct moment moment = {0};

    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, FIN, 1001, 5001, NULL, 0);
    lose(40000, 7001, 1001);
    ck_assert_int_eq(moment_seek(&moment, traffic.store, 4), 0);
    ck_assert_int_eq(store_row(moment.store, 3)->note.after[FLOW_SERVER],
                     TCP_ESTABLISHED);
    ck_assert(store_row(moment.store, 3)->lost);
    moment_fini(&moment);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("losses");
    TCase *tcase = tcase_create("track");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_lost_fin_does_not_move_the_receiver);
    tcase_add_test(tcase, the_word_of_it_may_come_first);
    tcase_add_test(tcase, a_lost_syn_ack_leaves_the_client_connecting);
    tcase_add_test(tcase, a_lost_last_ack_leaves_the_server_in_the_handshake);
    tcase_add_test(tcase, a_lost_reset_ends_one_side_only);
    tcase_add_test(tcase, a_lost_refusal_refuses_nobody_yet);
    tcase_add_test(tcase, rows_that_came_before_we_knew_are_put_right);
    tcase_add_test(tcase, what_another_packet_proved_too_stays);
    tcase_add_test(tcase, what_was_proved_since_stays);
    tcase_add_test(tcase, what_moved_nobody_takes_nothing_back);
    tcase_add_test(tcase, a_replay_knows_it_from_the_first);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
