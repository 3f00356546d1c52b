/* viz/events/store: rows, flows and the kernel's sockets are kept as they
 * came, bounded, and nothing of them is borrowed from who sent them. */
#include "viz/events/store.h"

#include <check.h>
#include <stdlib.h>

#include "tests/unit/wire.h"

static struct store *store;
static struct wire wire;

static void begin(size_t most_rows)
{
    store = store_new(most_rows);
    ck_assert_ptr_nonnull(store);
    wire_init(&wire, store_event, store);
}

static void end(void)
{
    store_free(store);
    wire_fini(&wire);
}

START_TEST(an_empty_store_has_nothing)
{
    begin(0);
    ck_assert_uint_eq(store_rows(store), 0);
    ck_assert_ptr_null(store_row(store, 0));
    ck_assert_ptr_null(store_flow(store, 0));
    ck_assert_ptr_null(store_socket(store, 0));
    ck_assert(!store_kernel(store));
    ck_assert_int_eq(store_now(store), 0);
    end();
}
END_TEST

START_TEST(rows_are_copies_with_the_first_bytes_of_payload)
{
    char payload[201];
    const struct store_row *row;
    struct link link;

    begin(0);
    memset(payload, 'p', 200);
    payload[200] = '\0';
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_data(&link, FLOW_CLIENT, payload);
    memset(payload, 'X', 200);
    ck_assert_uint_eq(store_rows(store), 5);
    row = store_row(store, 3);
    ck_assert_uint_eq(row->packet.number, 4);
    ck_assert_uint_eq(row->packet.payload_length, 200);
    ck_assert_uint_eq(row->packet.payload_captured, STORE_PAYLOAD);
    for (int i = 0; i < STORE_PAYLOAD; i++)
        ck_assert_int_eq(row->packet.payload[i], 'p');
    ck_assert_int_eq(row->note.after[FLOW_CLIENT], TCP_ESTABLISHED);
    ck_assert_int_eq(store_start(store), store_row(store, 0)->packet.time_ns);
    ck_assert_int_eq(store_now(store), store_row(store, 4)->packet.time_ns);
    end();
}
END_TEST

START_TEST(each_event_of_each_store_has_a_version_of_its_own)
{
    struct event event = {.kind = EVENT_LOOKED, .time_ns = 1};
    struct store *a = store_new(4), *b = store_new(4);
    uint64_t first = store_version(a), second;

    ck_assert_uint_ne(first, store_version(b));
    store_event(a, &event);
    second = store_version(a);
    ck_assert_uint_ne(second, first);
    ck_assert_uint_ne(second, store_version(b));
    ck_assert_uint_eq(second, store_version(a));
    store_event(b, &event);
    ck_assert_uint_ne(second, store_version(b));
    store_free(a);
    store_free(b);
}
END_TEST

START_TEST(the_oldest_rows_go_first_and_are_counted)
{
    struct link link;

    begin(4);
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    for (int i = 0; i < 5; i++)
        link_data(&link, FLOW_CLIENT, "x");
    ck_assert_uint_eq(store_rows(store), 4);
    ck_assert_uint_eq(store_forgotten(store), 9);
    for (size_t n = 0; n < 4; n++)
        ck_assert_uint_eq(store_row(store, n)->packet.number, 10 + n);
    ck_assert_ptr_null(store_row(store, 4));
    end();
}
END_TEST

START_TEST(a_rows_flow_outlives_the_trackers)
{
    struct link link;

    begin(0);
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_close(&link, FLOW_CLIENT);
    wire_fini(&wire); /* the tracker's flows are freed */
    wire.track = NULL;
    ck_assert_uint_eq(store_flows(store), 1);
    ck_assert_ptr_eq(store_row(store, 0)->note.flow, store_flow(store, 0));
    ck_assert_int_eq(store_flow(store, 0)->closed_by, CLOSED_BY_CLIENT);
    ck_assert_uint_eq(store_flow(store, 0)->packets, 7);
    end();
}
END_TEST

START_TEST(flows_stand_in_the_order_of_their_ids)
{
    struct link first, second;

    begin(0);
    first = link_make(&wire, 40000, 7001);
    second = link_make(&wire, 40002, 7001);
    link_open(&first);
    link_open(&second);
    link_close(&first, FLOW_CLIENT);
    ck_assert_uint_eq(store_flows(store), 2);
    ck_assert_uint_eq(store_flow(store, 0)->id, 0);
    ck_assert_uint_eq(store_flow(store, 1)->id, 1);
    ck_assert_uint_eq(store_flow(store, 1)->end[0].at.port, 40002);
    end();
}
END_TEST

START_TEST(a_scan_of_many_ports_stays_bounded)
{
    size_t last;

    begin(0);
    for (int server = 0; server < 3; server++)
        for (int port = 1; port < 40000; port++) {
            struct link link = link_make(&wire, (uint16_t)port,
                                         (uint16_t)(50000 + server));

            link_send(&link, FLOW_CLIENT, TCP_SYN, "");
        }
    ck_assert_uint_le(store_flows(store), 65536);
    last = store_rows(store) - 1;
    ck_assert_uint_eq(store_forgotten(store) + store_rows(store), 119997);
    /* Every row that is left has its flow. */
    for (size_t n = 0; n <= last; n++) {
        const struct store_row *row = store_row(store, n);

        if (row->note.flow->end[FLOW_CLIENT].at.port != row->packet.source.port)
            ck_abort_msg("row %zu has another flow", n);
    }
    end();
}
END_TEST

START_TEST(a_socket_is_found_by_both_its_ends)
{
    struct link link;
    struct socket_sample client, server, found;

    begin(0);
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    client = link_socket(&link, FLOW_CLIENT, TCP_ESTABLISHED);
    server = link_socket(&link, FLOW_SERVER, TCP_CLOSE_WAIT);
    wire_socket(&wire, EVENT_SOCKET, &client);
    wire_socket(&wire, EVENT_SOCKET, &server);
    ck_assert(store_kernel(store));
    ck_assert_uint_eq(store_sockets(store), 2);
    found = *store_socket_of(store, store_flow(store, 0), FLOW_CLIENT);
    ck_assert_int_eq(found.state, TCP_ESTABLISHED);
    found = *store_socket_of(store, store_flow(store, 0), FLOW_SERVER);
    ck_assert_int_eq(found.state, TCP_CLOSE_WAIT);
    wire_socket(&wire, EVENT_GONE, &server);
    ck_assert_ptr_null(
        store_socket_of(store, store_flow(store, 0), FLOW_SERVER));
    ck_assert_uint_eq(store_sockets(store), 1);
    end();
}
END_TEST

START_TEST(the_newest_of_two_with_the_same_ends_counts)
{
    struct link link;
    struct socket_sample before, after;

    begin(0);
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    before = link_socket(&link, FLOW_CLIENT, TCP_FIN_WAIT2);
    after = link_socket(&link, FLOW_CLIENT, TCP_TIME_WAIT); /* other cookie */
    wire_socket(&wire, EVENT_SOCKET, &before);
    wire_socket(&wire, EVENT_SOCKET, &after);
    ck_assert_int_eq(
        store_socket_of(store, store_flow(store, 0), FLOW_CLIENT)->state,
        TCP_TIME_WAIT);
    wire_socket(&wire, EVENT_GONE, &before);
    ck_assert_int_eq(
        store_socket_of(store, store_flow(store, 0), FLOW_CLIENT)->state,
        TCP_TIME_WAIT);
    end();
}
END_TEST

START_TEST(a_server_without_its_connection_is_its_listener)
{
    struct link link;
    struct socket_sample listener;

    begin(0);
    link = link_make(&wire, 40000, 7001);
    listener = link_socket(&link, FLOW_SERVER, TCP_LISTEN);
    memset(listener.local.address, 0, sizeof listener.local.address);
    wire_socket(&wire, EVENT_SOCKET, &listener);
    link_send(&link, FLOW_CLIENT, TCP_SYN, "");
    ck_assert_int_eq(
        store_socket_of(store, store_flow(store, 0), FLOW_SERVER)->state,
        TCP_LISTEN);
    ck_assert_ptr_null(
        store_socket_of(store, store_flow(store, 0), FLOW_CLIENT));
    link_send(&link, FLOW_SERVER, TCP_SYN | TCP_ACK, "");
    link_send(&link, FLOW_CLIENT, TCP_ACK, "");
    ck_assert_ptr_null(
        store_socket_of(store, store_flow(store, 0), FLOW_SERVER));
    end();
}
END_TEST

START_TEST(a_listener_here_is_not_another_machines)
{
    struct link link;
    struct socket_sample listener, other;

    begin(0);
    link = link_make(&wire, 40000, 7001);
    for (int side = 0; side < 2; side++)
        memcpy(link.end[side].address, (uint8_t[]){10, 0, 0, (uint8_t)side}, 4);
    listener = link_socket(&link, FLOW_SERVER, TCP_LISTEN);
    memset(listener.local.address, 0, sizeof listener.local.address);
    wire_socket(&wire, EVENT_SOCKET, &listener);
    link_send(&link, FLOW_CLIENT, TCP_SYN, "");
    ck_assert_ptr_null(
        store_socket_of(store, store_flow(store, 0), FLOW_SERVER));
    other = link_socket(&link, FLOW_SERVER, TCP_ESTABLISHED);
    other.remote.port++; /* with somebody else, but at that address */
    wire_socket(&wire, EVENT_SOCKET, &other);
    ck_assert_int_eq(
        store_socket_of(store, store_flow(store, 0), FLOW_SERVER)->state,
        TCP_LISTEN);
    end();
}
END_TEST

START_TEST(an_ipv4_address_mapped_into_ipv6_is_the_same_end)
{
    struct link link;
    struct socket_sample server;
    struct endpoint *ends[2];

    begin(0);
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    server = link_socket(&link, FLOW_SERVER, TCP_ESTABLISHED);
    ends[0] = &server.local;
    ends[1] = &server.remote;
    for (int i = 0; i < 2; i++) {
        uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};

        ends[i]->family = 6;
        memcpy(ends[i]->address, mapped, 16);
    }
    wire_socket(&wire, EVENT_SOCKET, &server);
    ck_assert_ptr_nonnull(
        store_socket_of(store, store_flow(store, 0), FLOW_SERVER));
    end();
}
END_TEST

START_TEST(many_sockets_come_and_go)
{
    struct link link;
    struct socket_sample socket;

    begin(0);
    link = link_make(&wire, 40000, 7001);
    socket = link_socket(&link, FLOW_CLIENT, TCP_ESTABLISHED);
    for (uint64_t cookie = 1; cookie <= 5000; cookie++) {
        socket.cookie = cookie;
        wire_socket(&wire, EVENT_SOCKET, &socket);
        wire_socket(&wire, EVENT_SOCKET, &socket);
    }
    ck_assert_uint_eq(store_sockets(store), 5000);
    for (uint64_t cookie = 1; cookie <= 5000; cookie += 2) {
        socket.cookie = cookie;
        wire_socket(&wire, EVENT_GONE, &socket);
        wire_socket(&wire, EVENT_GONE, &socket);
    }
    ck_assert_uint_eq(store_sockets(store), 2500);
    for (size_t n = 0; n < 2500; n++)
        ck_assert_uint_eq(store_socket(store, n)->cookie % 2, 0);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tcase = tcase_create("store");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, an_empty_store_has_nothing);
    tcase_add_test(tcase, rows_are_copies_with_the_first_bytes_of_payload);
    tcase_add_test(tcase, each_event_of_each_store_has_a_version_of_its_own);
    tcase_add_test(tcase, the_oldest_rows_go_first_and_are_counted);
    tcase_add_test(tcase, a_rows_flow_outlives_the_trackers);
    tcase_add_test(tcase, flows_stand_in_the_order_of_their_ids);
    tcase_add_test(tcase, a_scan_of_many_ports_stays_bounded);
    tcase_add_test(tcase, a_socket_is_found_by_both_its_ends);
    tcase_add_test(tcase, the_newest_of_two_with_the_same_ends_counts);
    tcase_add_test(tcase, a_server_without_its_connection_is_its_listener);
    tcase_add_test(tcase, a_listener_here_is_not_another_machines);
    tcase_add_test(tcase, an_ipv4_address_mapped_into_ipv6_is_the_same_end);
    tcase_add_test(tcase, many_sockets_come_and_go);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
