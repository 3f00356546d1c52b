/*
 * What a flow's packets cost, counted from handmade traffic.
 */
#include <check.h>

#include "tests/unit/frames.h"
#include "tests/unit/traffic.h"
#include "viz/views/tally.h"

static struct traffic traffic;

static void setup(void)
{
    traffic_init(&traffic);
}

static void teardown(void)
{
    traffic_fini(&traffic);
}

static struct tally tally_of(size_t flow)
{
    struct tally tally;

    tally_flow(&tally, traffic.store, store_rows(traffic.store),
               store_flow(traffic.store, flow), 0);
    return tally;
}

START_TEST(tcp_pays_for_opening_acknowledging_and_closing)
{
    enum { DATA = TCP_PSH | TCP_ACK, END = TCP_FIN | TCP_ACK };
    struct tally tally;

    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, DATA, 1001, 5001, "ping", 4);
    traffic_tcp(&traffic, 7001, 40000, TCP_ACK, 5001, 1005, NULL, 0);
    traffic_tcp(&traffic, 40000, 7001, DATA, 1001, 5001, "ping", 4);
    traffic_tcp(&traffic, 40000, 7001, END, 1005, 5001, NULL, 0);
    tally = tally_of(0);
    ck_assert_uint_eq(tally.packets, 7);
    ck_assert_uint_eq(tally.carrying, 2);
    ck_assert_uint_eq(tally.payload, 8);
    ck_assert_uint_eq(tally.wire, 7 * 54 + 8);
    ck_assert_uint_eq(tally.opening, 3);
    ck_assert_int_eq(tally.opening_ns, 300000);
    ck_assert_uint_eq(tally.only_acks, 2);
    ck_assert_uint_eq(tally.closing, 1);
    ck_assert_uint_eq(tally.again, 1);
    ck_assert_uint_eq(tally.turns, 4);
}
END_TEST

START_TEST(a_datagram_without_an_answer_is_counted)
{
    struct tally tally;

    traffic_udp(&traffic, 40000, 7003, "one", 3);
    traffic_udp(&traffic, 7003, 40000, "one", 3);
    traffic_udp(&traffic, 40000, 7003, "two", 3);
    tally = tally_of(0);
    ck_assert_uint_eq(tally.sent[FLOW_CLIENT], 2);
    ck_assert_uint_eq(tally.sent[FLOW_SERVER], 1);
    ck_assert_uint_eq(tally.opening, 0);
    ck_assert_uint_eq(tally.only_acks, 0);
}
END_TEST

START_TEST(a_datagram_with_an_older_id_came_late)
{
    static const uint16_t ids[] = {65534, 65535, 2, 1, 3};
    struct tally tally;

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct packet packet = {
            .protocol = PROTO_UDP, .has_ip_id = true, .ip_id = ids[i]};

        packet.source = traffic_end(&traffic, 40000);
        packet.destination = traffic_end(&traffic, 7003);
        traffic_take(&traffic, &packet, "x", 1);
    }
    tally = tally_of(0);
    ck_assert_uint_eq(tally.reordered, 1);
}
END_TEST

START_TEST(the_bins_hold_every_byte_once)
{
    struct tally tally;
    uint64_t sum = 0;

    for (int i = 0; i < 500; i++)
        traffic_udp(&traffic, 40000, 7003, "some bytes", 10);
    tally = tally_of(0);
    for (int i = 0; i < TALLY_BINS; i++)
        sum += tally.bins[i];
    ck_assert_uint_eq(sum, tally.wire);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tally");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, tcp_pays_for_opening_acknowledging_and_closing);
    tcase_add_test(tests, a_datagram_without_an_answer_is_counted);
    tcase_add_test(tests, a_datagram_with_an_older_id_came_late);
    tcase_add_test(tests, the_bins_hold_every_byte_once);
    return run_suite("tally", tests);
}
