/*
 * The ladder's rows at every width, from handmade traffic: what must be
 * readable, what must never reach a screen, and the kernel beside the wire.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/traffic.h"
#include "viz/views/label.h"
#include "viz/views/ladder.h"

static struct traffic traffic;
static struct canvas canvas;
static char *screen; /* the canvas as text, since the last look() */

static void setup(void)
{
    traffic_init(&traffic);
}

static void teardown(void)
{
    traffic_fini(&traffic);
    canvas_fini(&canvas);
    free(screen);
    screen = NULL;
}

static struct area fresh(int rows, int columns)
{
    canvas_fini(&canvas);
    ck_assert_int_eq(canvas_init(&canvas, rows, columns), 0);
    return canvas_area(&canvas);
}

static const char *look(void)
{
    size_t size;
    FILE *out;

    free(screen);
    out = open_memstream(&screen, &size);
    canvas_print(&canvas, out);
    fclose(out);
    return screen;
}

#define ck_shows(text) \
    ck_assert_msg(strstr(look(), text), "no %s in\n%s", text, screen)
#define ck_hides(text) \
    ck_assert_msg(!strstr(look(), text), "%s in\n%s", text, screen)

/* Every row of the store, with header, as the ladder view draws them. */
static void draw_all(int columns)
{
    struct area area = fresh(40, columns);
    const struct store_row *previous = NULL;

    ladder_header(area, 0, store_flow(traffic.store, 0), traffic.store);
    for (size_t n = 0; n < store_rows(traffic.store); n++) {
        const struct store_row *row = store_row(traffic.store, n);

        ladder_row(area, LADDER_HEADER_ROWS + (int)n, row, previous,
                   store_start(traffic.store));
        previous = row;
    }
}

START_TEST(a_handshake_shows_both_ends_states_after_each_packet)
{
    traffic_connect(&traffic, 40000, 7001);
    draw_all(80);
    ck_shows("client 127.0.0.1:40000");
    ck_shows("127.0.0.1:7001 server");
    ck_shows("SYN_SENT \xE2\x94\x82\xE2\x94\x80\xE2\x94\x80 SYN seq=0 ");
    ck_shows(
        " SYN,ACK seq=0 ack=1 \xE2\x94\x80\xE2\x94\x80\xE2\x94\x82 SYN_RECV");
    ck_shows(" ACK ack=1 ");
    ck_shows("\xE2\x96\xBA\xE2\x94\x82 ESTABLISHED");
    ck_shows("0.000100");
}
END_TEST

START_TEST(what_no_packet_proves_is_marked)
{
    traffic_tcp(&traffic, 40000, 7001, TCP_SYN, 1000, 0, NULL, 0);
    draw_all(80);
    ck_shows("LISTEN?");
}
END_TEST

START_TEST(a_refused_connection_is_marked_with_a_letter)
{
    traffic_tcp(&traffic, 40000, 7001, TCP_SYN, 1000, 0, NULL, 0);
    traffic_tcp(&traffic, 7001, 40000, TCP_RST | TCP_ACK, 0, 1001, NULL, 0);
    draw_all(80);
    ck_shows("RST,ACK");
    ck_shows("X\n");
}
END_TEST

START_TEST(arp_asks_and_answers_in_words)
{
    struct event event = {.kind = EVENT_PACKET};
    struct note note = {0};
    struct packet packet = {
        .number = 1,
        .time_ns = TRAFFIC_START,
        .type = TYPE_ARP,
        .status = DECODE_UNKNOWN,
        .arp = {ARP_REQUEST, {10, 0, 0, 1}, {10, 0, 0, 9}, {2, 3, 4, 5, 6, 7}}};

    event.packet = &packet;
    event.note = &note;
    store_event(traffic.store, &event);
    packet.number++;
    packet.arp.operation = ARP_REPLY;
    store_event(traffic.store, &event);
    packet.number++;
    memcpy(packet.arp.target, packet.arp.sender, 4);
    store_event(traffic.store, &event);
    draw_all(80);
    ck_shows(" ARP who has 10.0.0.9? tell 10.0.0.1 ");
    ck_shows(" ARP 10.0.0.1 is at 02:03:04:05:06:07 ");
    ck_shows(" ARP 10.0.0.1 is here ");
}
END_TEST

START_TEST(a_packet_too_big_is_told_with_the_mtu)
{
    struct packet packet = {.protocol = PROTO_ICMP,
                            .source = traffic_end(&traffic, 0),
                            .destination = traffic_end(&traffic, 0),
                            .icmp = {.type = 3, .code = 4, .mtu = 1300}};

    packet.icmp.quotes = true;
    packet.icmp.quoted_protocol = PROTO_TCP;
    packet.icmp.quoted_source = traffic_end(&traffic, 40000);
    packet.icmp.quoted_destination = traffic_end(&traffic, 7001);
    traffic_connect(&traffic, 40000, 7001);
    traffic_take(&traffic, &packet, NULL, 0);
    draw_all(80);
    ck_shows(" fragmentation needed, MTU 1300 ");
}
END_TEST

START_TEST(a_datagram_is_drawn_otherwise_than_a_segment)
{
    traffic_udp(&traffic, 40000, 7003, "hello", 5);
    draw_all(80);
    ck_shows("\xC2\xB7\xC2\xB7 UDP len=5 \"hello\" \xC2\xB7");
    ck_hides("\xE2\x94\x82\xE2\x94\x80");
}
END_TEST

START_TEST(payload_is_shown_as_c_writes_it)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_PSH | TCP_ACK, 1001, 5001,
                "a\"b\\\n\t\r\0", 8);
    draw_all(120);
    ck_shows("len=8 \"a\\\"b\\\\\\n\\t\\r\\0\"");
}
END_TEST

START_TEST(what_is_not_ip_has_its_name)
{
    struct packet arp = {.type = TYPE_ARP}, other = {.type = 0xABCD};

    traffic_take(&traffic, &arp, NULL, 0);
    traffic_take(&traffic, &other, NULL, 0);
    draw_all(80);
    ck_shows("ARP, 54 bytes");
    ck_shows("not IP, 54 bytes");
}
END_TEST

START_TEST(letters_of_all_scripts_are_shown_in_texts_only)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_PSH | TCP_ACK, 1001, 5001,
                "gr\xC3\xBC\xC3\x9F dich", 11);
    traffic_tcp(&traffic, 40000, 7001, TCP_PSH | TCP_ACK, 1012, 5001,
                "z\x01\xDA\x87q\xD3\xA0", 7);
    draw_all(120);
    ck_shows("\"gr\xC3\xBC\xC3\x9F dich\"");
    ck_shows("\"z..q.\""); /* Arabic and Cyrillic by chance */
}
END_TEST

/* A browser's afternoon: the number does not fit beside the time. */
START_TEST(a_large_number_of_a_connection_is_whole)
{
    const struct store_row *first;

    for (uint16_t n = 0; n < 1235; n++)
        traffic_connect(&traffic, (uint16_t)(30000 + n), 7001);
    first = store_row(traffic.store, store_rows(traffic.store) - 3);
    ladder_row(fresh(1, 80), 0, first, NULL, store_start(traffic.store));
    ck_shows("0.3702 1234    SYN_SENT");
}
END_TEST

START_TEST(hostile_payload_never_reaches_the_screen)
{
    static const char hostile[] = "\x1B[2J\x9B"
                                  "1m\xC2\x9B\xE2\x80\xAE"
                                  "\xE2\x80\x8B\xFF\xFE\x07\x08\x7F";

    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_PSH | TCP_ACK, 1001, 5001, hostile,
                sizeof hostile - 1);
    for (int columns = 1; columns <= 200; columns++) {
        draw_all(columns);
        for (const char *at = look(); *at; at++) {
            unsigned char byte = (unsigned char)*at;

            ck_assert_msg((byte >= 0x20 && byte != 0x7F) || byte == '\n',
                          "byte %02x at %d columns", byte, columns);
        }
        ck_hides("\xE2\x80\xAE");
        ck_hides("\xE2\x80\x8B");
        ck_hides("\xC2\x9B");
    }
}
END_TEST

START_TEST(long_payload_ends_in_an_ellipsis_and_leaves_an_arrow)
{
    char long_payload[1448];

    memset(long_payload, 'z', sizeof long_payload);
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, long_payload,
                sizeof long_payload);
    draw_all(80);
    ck_shows("len=1448 \"zzzz");
    ck_shows("z\xE2\x80\xA6\" \xE2\x94\x80\xE2\x96\xBA\xE2\x94\x82");
}
END_TEST

START_TEST(ipv6_addresses_fit_by_their_end)
{
    traffic.family = 6;
    traffic_connect(&traffic, 40000, 7001);
    draw_all(80);
    ck_shows("client \xE2\x80\xA6");
    ck_shows("]:40000");
    ck_shows("]:7001 server");
}
END_TEST

START_TEST(no_width_draws_outside_its_area)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_PSH | TCP_ACK, 1001, 5001, "hello",
                5);
    traffic_udp(&traffic, 40001, 7003, "", 0);
    for (int columns = 0; columns <= 160; columns++) {
        struct area all = fresh(12, 200);

        for (int row = 0; row < 12; row++)
            area_fill(all, row, 0, 200, STYLE_PLAIN, '#');
        ladder_pane(area_part(all, 1, 20, 10, columns), traffic.store, -1,
                    false);
        for (int row = 0; row < 12; row++) {
            for (int column = 0; column < 200; column++) {
                if (row < 1 || row > 10 || column < 20 ||
                    column >= 20 + columns)
                    ck_assert_uint_eq(canvas.cells[row * 200 + column].code,
                                      '#');
            }
        }
    }
}
END_TEST

START_TEST(the_narrow_pane_still_names_states_and_data)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_PSH | TCP_ACK, 1001, 5001, "hello",
                5);
    traffic_tcp(&traffic, 40000, 7001, TCP_FIN | TCP_ACK, 1006, 5001, NULL, 0);
    ladder_pane(fresh(14, 38), traffic.store, -1, false);
    ck_shows("ESTAB\xE2\x94\x82");
    ck_shows("\"hello\"");
    ck_shows("FIN_W1");
    ck_shows("CLOSE_W");
}
END_TEST

START_TEST(a_pause_stands_between_two_packets)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic.now_ns += INT64_C(2000000000);
    traffic_tcp(&traffic, 40000, 7001, TCP_PSH | TCP_ACK, 1001, 5001, "x", 1);
    ladder_pane(fresh(14, 60), traffic.store, -1, false);
    ck_shows("2.0 s later");
}
END_TEST

START_TEST(the_kernel_stands_beside_the_wire)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_kernel(&traffic, TCP_ESTABLISHED, 7001, 40000, 5);
    ladder_pane(fresh(14, 60), traffic.store, 0, false);
    ck_shows("kernel");
    ck_shows("5 B unread");
    ck_hides("\xE2\x89\xA0");
}
END_TEST

START_TEST(a_fin_that_waits_to_be_read_is_an_end_of_file_not_a_byte)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_FIN | TCP_ACK, 1001, 5001, NULL, 0);
    traffic_kernel(&traffic, TCP_CLOSE_WAIT, 7001, 40000, 1);
    ladder_pane(fresh(14, 60), traffic.store, 0, false);
    ck_shows("EOF unread");
    traffic_kernel(&traffic, TCP_CLOSE_WAIT, 7001, 40000, 6);
    ladder_pane(fresh(14, 60), traffic.store, 0, false);
    ck_shows("5 B unread");
}
END_TEST

START_TEST(a_kernel_that_differs_for_long_is_marked_and_a_late_sample_is_not)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic.now_ns += 100 * 1000 * 1000;
    traffic_kernel(&traffic, TCP_CLOSE_WAIT, 7001, 40000, 0);
    ladder_pane(fresh(14, 60), traffic.store, 0, false);
    ck_hides("\xE2\x89\xA0");
    traffic.now_ns += 250 * 1000 * 1000;
    traffic_kernel(&traffic, TCP_CLOSE_WAIT, 7001, 40000, 0);
    ladder_pane(fresh(14, 60), traffic.store, 0, false);
    ck_shows("\xE2\x89\xA0"
             "CLOSE_W");
}
END_TEST

START_TEST(a_listener_is_there_before_any_packet)
{
    traffic_kernel(&traffic, TCP_LISTEN, 7001, 0, 0);
    ladder_pane(fresh(14, 50), traffic.store, -1, false);
    ck_shows("The wire is quiet.");
    ck_shows("127.0.0.1:7001");
    ck_shows("LISTEN");
    traffic_kernel(&traffic, TCP_LISTEN, 7001, 0, 1);
    for (int columns = 34; columns <= 120; columns++) {
        ladder_pane(fresh(14, columns), traffic.store, -1, false);
        ck_shows("7001  1 of 0");
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ladder");
    TCase *tcase = tcase_create("ladder");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_handshake_shows_both_ends_states_after_each_packet);
    tcase_add_test(tcase, what_no_packet_proves_is_marked);
    tcase_add_test(tcase, a_refused_connection_is_marked_with_a_letter);
    tcase_add_test(tcase, arp_asks_and_answers_in_words);
    tcase_add_test(tcase, a_packet_too_big_is_told_with_the_mtu);
    tcase_add_test(tcase, a_datagram_is_drawn_otherwise_than_a_segment);
    tcase_add_test(tcase, payload_is_shown_as_c_writes_it);
    tcase_add_test(tcase, what_is_not_ip_has_its_name);
    tcase_add_test(tcase, letters_of_all_scripts_are_shown_in_texts_only);
    tcase_add_test(tcase, a_large_number_of_a_connection_is_whole);
    tcase_add_test(tcase, hostile_payload_never_reaches_the_screen);
    tcase_add_test(tcase, long_payload_ends_in_an_ellipsis_and_leaves_an_arrow);
    tcase_add_test(tcase, ipv6_addresses_fit_by_their_end);
    tcase_add_test(tcase, no_width_draws_outside_its_area);
    tcase_add_test(tcase, the_narrow_pane_still_names_states_and_data);
    tcase_add_test(tcase, a_pause_stands_between_two_packets);
    tcase_add_test(tcase, the_kernel_stands_beside_the_wire);
    tcase_add_test(tcase,
                   a_fin_that_waits_to_be_read_is_an_end_of_file_not_a_byte);
    tcase_add_test(
        tcase,
        a_kernel_that_differs_for_long_is_marked_and_a_late_sample_is_not);
    tcase_add_test(tcase, a_listener_is_there_before_any_packet);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
