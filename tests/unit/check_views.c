/*
 * The views as a reader uses them: keys in, a canvas out, while traffic
 * arrives.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/viewing.h"

START_TEST(a_small_terminal_is_told_so)
{
    static const int sizes[][2] = {{14, 80}, {24, 59}, {1, 1}};

    whole_connection(40000);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        canvas_fini(&canvas);
        canvas_init(&canvas, sizes[i][0], sizes[i][1]);
        draw();
        ck_assert_int_eq(screen[0], 't');
        ck_hides("Two Terminals");
    }
    canvas_fini(&canvas);
    canvas_init(&canvas, 15, 60);
    draw();
    ck_shows("Two Terminals");
}
END_TEST

START_TEST(a_connection_is_one_row_with_both_ends_and_who_closed)
{
    whole_connection(40000);
    press("");
    ck_shows("127.0.0.1:40000 127.0.0.1:7001");
    ck_shows("TIME_WAIT");
    ck_shows("The client closed first. 11 packets in 1 ms");
    ck_shows("4 B sent, 4 B back");
}
END_TEST

/* No packet tells when TIME_WAIT is over: after a minute it is a guess. */
START_TEST(a_time_wait_of_a_minute_is_assumed)
{
    whole_connection(40000);
    press("1");
    ck_hides("TIME_WAIT?");
    traffic.now_ns += INT64_C(61000000000);
    traffic_udp(&traffic, 50000, 7003, "x", 1);
    press("1");
    ck_shows("TIME_WAIT?");
}
END_TEST

START_TEST(enter_opens_the_ladder_of_the_connection_under_the_cursor)
{
    whole_connection(40000);
    whole_connection(40001);
    press("<Home><Enter>");
    ck_shows("client 127.0.0.1:40000");
    ck_hides("40001");
    press("<Right>");
    ck_shows("client 127.0.0.1:40001");
    press("<Esc>");
    ck_assert_ptr_eq(viewer.view, &view_connections);
    ck_assert_uint_eq(viewer.connection, 1);
}
END_TEST

START_TEST(the_selected_packet_stays_selected_while_traffic_arrives)
{
    whole_connection(40000);
    press("2<Home>jjj");
    ck_assert_uint_eq(viewer.selected, 4);
    for (int i = 0; i < 20; i++) {
        whole_connection((uint16_t)(40001 + i));
        draw();
        ck_assert_uint_eq(viewer.selected, 4);
        ck_shows("\xE2\x96\xBA"
                 "0.0003");
    }
}
END_TEST

/* Which of 40 datagrams, told apart by their length, stand on the screen. */
static uint64_t datagrams_shown(void)
{
    uint64_t shown = 0;
    char label[16];

    for (int i = 0; i < 40; i++) {
        snprintf(label, sizeof label, "len=%d ", 10 + i);
        if (strstr(screen, label))
            shown |= UINT64_C(1) << i;
    }
    return shown;
}

START_TEST(a_screen_further_passes_no_packet_over)
{
    const uint64_t all = (UINT64_C(1) << 40) - 1;
    const char *keys[] = {"<PgDn>", "<PgUp>"}, *ends[] = {"2<Home>", "<End>"};
    char payload[50] = "";

    viewer.live = viewer.follow = false;
    for (int i = 0; i < 40; i++) {
        traffic.now_ns += 2000000000; /* a pause has a line of its own */
        traffic_udp(&traffic, 40000, 7003, payload, 10 + (size_t)i);
    }
    for (int way = 0; way < 2; way++) {
        uint64_t seen = 0, before;
        int pages = 0;

        press(ends[way]);
        do {
            before = seen;
            seen |= datagrams_shown();
            press(keys[way]);
        } while (seen != before && ++pages < 40);
        ck_assert_uint_eq(seen, all);
        ck_assert_int_lt(pages, 8);
    }
}
END_TEST

START_TEST(follow_keeps_the_newest_in_sight_until_the_reader_moves_up)
{
    whole_connection(40000);
    press("2");
    ck_assert_uint_eq(viewer.selected, 11);
    whole_connection(40001);
    draw();
    ck_assert_uint_eq(viewer.selected, 22);
    press("k");
    whole_connection(40002);
    draw();
    ck_assert_uint_eq(viewer.selected, 21);
    press("<End>");
    whole_connection(40003);
    draw();
    ck_assert_uint_eq(viewer.selected, 44);
}
END_TEST

START_TEST(a_pause_hides_what_comes_and_loses_nothing)
{
    whole_connection(40000);
    press("2<Space>");
    whole_connection(40001);
    press("<End>");
    ck_assert_uint_eq(viewer.selected, 11);
    ck_shows("PAUSED +11");
    ck_shows("22 packets");
    press("<Space><End>");
    ck_assert_uint_eq(viewer.selected, 22);
    ck_hides("PAUSED");
}
END_TEST

START_TEST(sorting_keeps_the_cursor_on_its_connection)
{
    whole_connection(40000);
    whole_connection(40001);
    traffic_connect(&traffic, 40002, 7001);
    press("<Home>");
    ck_assert_uint_eq(viewer.connection, 0);
    press("s");
    ck_shows("the last one active first");
    ck_assert_uint_eq(viewer.connection, 0);
    ck_assert_ptr_eq(viewer.list[0], store_flow(traffic.store, 2));
}
END_TEST

START_TEST(a_listener_of_the_kernel_is_listed_with_its_queue)
{
    traffic_kernel(&traffic, TCP_LISTEN, 7001, 0, 2);
    press("");
    ck_shows("listening");
    ck_shows("127.0.0.1:7001");
    ck_shows("2 of 0 wait for accept()");
}
END_TEST

START_TEST(a_listener_with_a_long_address_leaves_room_for_its_queue)
{
    traffic.family = 6;
    traffic_kernel(&traffic, TCP_LISTEN, 7001, 0, 2);
    press("");
    ck_shows(":7001 LISTEN, 2 of 0 wait for accept()");
}
END_TEST

START_TEST(the_kernels_states_stand_below_the_ladder)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_kernel(&traffic, TCP_ESTABLISHED, 7001, 40000, 0);
    press("<Enter>");
    ck_shows("by the wire");
    ck_shows("by the kernel");
}
END_TEST

/* The picture of both ends after each packet of a connection. */
START_TEST(the_diagram_shows_both_ends_move_with_each_packet)
{
    static const char *const after[] = {"client\xE2\x96\xBA SYN_SENT",
                                        "SYN_RECV  \xE2\x97\x84server",
                                        "ESTABLISHED  \xE2\x97\x84server",
                                        "ESTABLISHED  \xE2\x97\x84server",
                                        "stays ESTABLISHED",
                                        "stays ESTABLISHED",
                                        "stays ESTABLISHED",
                                        "CLOSE_WAIT  \xE2\x97\x84server",
                                        "client\xE2\x96\xBA  FIN_WAIT2",
                                        "LAST_ACK  \xE2\x97\x84server",
                                        "CLOSED  \xE2\x97\x84server?"};

    viewer.live = false;
    viewer.follow = false;
    whole_connection(40000);
    press("3<Home>");
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        ck_shows(after[i]);
        for (int state = 1; state < TCP_STATES; state++)
            ck_shows(tcp_state_name((enum tcp_state)state));
        press("j");
    }
    ck_shows("its FIN was acknowledged: all is over");
}
END_TEST

START_TEST(the_diagram_follows_the_wire_live)
{
    traffic_connect(&traffic, 40000, 7001);
    press("3");
    ck_shows("client\xE2\x96\xBA  ESTABLISHED  \xE2\x97\x84server");
    traffic_tcp(&traffic, 40000, 7001, TCP_FIN | TCP_ACK, 1001, 5001, NULL, 0);
    draw();
    ck_shows("client\xE2\x96\xBA  FIN_WAIT1");
    ck_shows("CLOSE_WAIT  \xE2\x97\x84server");
    ck_shows("server ESTABLISHED \xE2\x86\x92 CLOSE_WAIT: the peer's FIN came");
}
END_TEST

/* From a small screen to a large one all states and both ends are there. */
START_TEST(the_diagram_fits_every_size)
{
    whole_connection(40000);
    for (int rows = 24; rows < 60; rows++) {
        canvas_fini(&canvas);
        canvas_init(&canvas, rows, 56 + rows);
        press("3");
        ck_shows("client\xE2\x96\xBA");
        ck_shows("\xE2\x97\x84server?");
        for (int state = 1; state < TCP_STATES; state++)
            ck_shows(tcp_state_name((enum tcp_state)state));
    }
    canvas_fini(&canvas);
    canvas_init(&canvas, 15, 60);
    press("3");
    ck_shows("In words");
}
END_TEST

START_TEST(the_pane_explains_the_selected_packet_at_three_levels)
{
    viewer.live = viewer.follow = false;
    whole_connection(40000);
    press("2<Enter>");
    ck_shows("The first packet of a connection: may I talk to you?");
    ck_shows("client CLOSED \xE2\x86\x92 SYN_SENT: it sent a SYN.");
    ck_hides("connect() sent it");
    press("e");
    ck_shows("connect() sent it and waits for the answer.");
    ck_hides("SYN uses up one sequence number");
    press("e");
    ck_shows("SYN uses up one sequence number");
    press("JJJJJJJJJJ");
    ck_shows("seq 0 (on the wire 1000)");
    press("j");
    ck_shows("Yes: the answer to a SYN.");
    press("e");
    ck_hides("Yes: the answer to a SYN.");
    press("e<Esc>");
    ck_assert_ptr_eq(viewer.view, &view_ladder);
    ck_hides("Yes: the answer to a SYN.");
}
END_TEST

START_TEST(the_third_level_shows_the_bytes_themselves)
{
    static const char hostile[] =
        "\x1B[2J\x9B\xFF-and-so-on-and-so-on-and-so-on-"
        "and-so-on-and-so-on";

    viewer.live = viewer.follow = false;
    whole_connection(40000);
    traffic_udp(&traffic, 40000, 7003, hostile, sizeof hostile - 1);
    press("2jjj<Enter>eeJJJJJJJJJJJJJJJJJJ");
    ck_shows("bytes 70 69 6e 67  ");
    ck_shows("  ping\n");
    press("GJJJJJJJJJJJJJJJJJJ");
    ck_shows("bytes 1b 5b 32 4a 9b ff 2d 61  6e 64 2d 73 6f 2d 6f 6e  "
             ".[2J..-and-so-on\n");
    ck_shows("The first 48 of ");
    canvas_fini(&canvas);
    ck_assert_int_eq(canvas_init(&canvas, 15, 60), 0);
    press("JJJJJJJJJJJJJJ");
    ck_shows("2d 73 6f 2d 6f 6e 2d 61  -so-on-a\n");
}
END_TEST

START_TEST(the_key_bar_always_leads_to_help)
{
    traffic_connect(&traffic, 40000, 7001);
    for (size_t i = 0; views[i]; i++) {
        viewer.view = views[i];
        for (int columns = 60; columns < 130; columns++) {
            canvas_fini(&canvas);
            canvas_init(&canvas, 24, columns);
            draw();
            ck_shows("? help");
        }
    }
}
END_TEST

START_TEST(tcp_and_udp_stand_side_by_side_with_what_each_costs)
{
    whole_connection(40000);
    traffic_udp(&traffic, 50000, 7003, "ping", 4);
    traffic_udp(&traffic, 7003, 50000, "pong", 4);
    press("4");
    ck_shows("The same 8 B of yours: 11 packets by TCP, 2 by UDP.");
    ck_shows("nobody says so");
    traffic_udp(&traffic, 50000, 7003, "gone", 4);
    draw();
    ck_shows("Not the same bytes: 8 B by TCP, 12 B by UDP.");
    whole_connection(40001);
    press("t");
    ck_shows("TCP 2 ");
    press("t");
    ck_shows("TCP 0 ");
}
END_TEST

START_TEST(what_is_missing_beside_the_other_is_said)
{
    press("4");
    ck_shows("There is neither TCP nor UDP here yet.");
    whole_connection(40000);
    draw();
    ck_shows("There is a TCP connection, and no UDP yet.");
}
END_TEST

START_TEST(a_filter_hides_what_does_not_pass_in_list_and_ladder)
{
    whole_connection(40000);
    whole_connection(40001);
    press("/port 40001<Enter>");
    ck_hides("127.0.0.1:40000");
    ck_shows("127.0.0.1:40001");
    ck_shows("/port 40001");
    press("2/");
    viewer_key(&viewer, 'u' & 0x1F); /* the line begins with what is */
    press("flag:F<Enter>");
    ck_shows("FIN,ACK");
    ck_hides("SYN seq=0");
    press("/<Backspace>X<Enter>");
    ck_shows("X is no flag");
    ck_hides("SYN seq=0"); /* the old one is kept */
    press("<Esc>");
    ck_shows("/flag:F ");
    ck_hides("is no flag");
}
END_TEST

START_TEST(a_filter_hides_connections_in_the_other_views_too)
{
    whole_connection(40000);
    whole_connection(40001);
    traffic_udp(&traffic, 50000, 7003, "ping", 4);
    traffic_kernel(&traffic, TCP_LISTEN, 7001, 0, 0);
    traffic_kernel(&traffic, TCP_TIME_WAIT, 40000, 7001, 0);
    traffic_kernel(&traffic, TCP_TIME_WAIT, 40001, 7001, 0);
    press("/port 40001 or udp<Enter>4");
    ck_shows("TCP 1 ");
    press("t");
    ck_shows("TCP 1 ");
    press("5");
    ck_shows("127.0.0.1:40001");
    ck_hides("127.0.0.1:40000");
    ck_hides("LISTEN");
    press("3<Home>");
    ck_shows("connection 1, packet 12");
    press("5/");
    viewer_key(&viewer, 'u' & 0x1F);
    press("state:LISTEN<Enter>");
    ck_shows("LISTEN");
    ck_hides("TIME_WAIT");
    press("/<Backspace><Backspace>X<Enter>");
    ck_shows("LISTX is no state"); /* and the old one is kept */
    ck_hides("127.0.0.1:40001");
    press("<Esc>/");
    viewer_key(&viewer, 'u' & 0x1F);
    press("flag:R<Enter>");
    ck_shows("No socket passes the filter.");
    press("4");
    ck_shows("There is neither TCP nor UDP here yet.");
    ck_shows("The filter may hide it");
}
END_TEST

START_TEST(an_empty_filter_shows_all_again)
{
    const char clear = 'u' & 0x1F;

    whole_connection(40000);
    press("2/udp<Enter>");
    ck_shows("No packet here passes the filter.");
    press("1");
    ck_shows("No connection has a packet that passes the filter.");
    press("/");
    viewer_key(&viewer, clear);
    press("<Enter>2<Home>");
    ck_shows("SYN seq=0");
}
END_TEST

START_TEST(keys_typed_into_the_filter_do_nothing_else)
{
    whole_connection(40000);
    press("2/q?1<Space>f");
    ck_assert_ptr_eq(viewer.view, &view_ladder);
    ck_assert(!viewer.quit && !viewer.paused);
    ck_assert_str_eq(viewer.prompt.text, "q?1 f");
}
END_TEST

START_TEST(marks_are_set_shown_and_jumped_to)
{
    viewer.live = viewer.follow = false;
    whole_connection(40000);
    press("2'");
    ck_shows("No packet is marked");
    press("<Home>jmjjjm<Home>");
    ck_shows("\nm0.0001");
    press("'");
    ck_assert_uint_eq(viewer.selected, 2);
    press("'");
    ck_assert_uint_eq(viewer.selected, 5);
    press("'");
    ck_assert_uint_eq(viewer.selected, 2);
    press("m'");
    ck_assert_uint_eq(viewer.selected, 5);
    ck_assert_int_eq(viewer.mark_count, 1);
}
END_TEST

START_TEST(a_lost_packet_is_a_broken_arrow_and_linked_to_its_repetition)
{
    viewer.live = viewer.follow = false;
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, "ping", 4);
    press("2");
    ck_hides("\xE2\x95\xB3");
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, "ping", 4);
    press("<Home>jjj");
    ck_shows("\xE2\x95\xB3");
    ck_shows("not answered: sent again as packet 5");
    press("o");
    ck_assert_uint_eq(viewer.selected, 5);
    ck_shows("repeats packet 4");
    press("o");
    ck_assert_uint_eq(viewer.selected, 4);
    press("ko");
    ck_shows("This packet repeats none");
    press("/verdict:retransmission<Enter>");
    press("o"); /* hidden: the reader stays where they are */
    ck_shows("Packet 4 is not shown");
    ck_shows("client 127.0.0.1:40000");
}
END_TEST

/* What 80 columns have no room for is said shorter, not cut. */
START_TEST(the_story_of_a_connection_fits_its_line)
{
    static const char bytes[65000];

    for (uint32_t n = 0; n < 1589; n++)
        traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001 + 65000 * n, 5001,
                    bytes, sizeof bytes);
    traffic_tcp(&traffic, 7001, 40000, TCP_ACK, 5001, 1001, bytes, 65000);
    traffic_tcp(&traffic, 40000, 7001, TCP_FIN | TCP_ACK, 1001 + 65000 * 1589,
                5001, NULL, 0);
    press("1");
    ck_shows(" The client closed first. 1591 packets, 103 MB sent, 65 kB "
             "back, 0 resent\n");
}
END_TEST

START_TEST(what_has_no_answer_yet_is_not_open)
{
    traffic_tcp(&traffic, 40000, 7001, TCP_SYN, 1000, 0, NULL, 0);
    press("1");
    ck_shows("opening");
    ck_shows("No answer to its SYN yet.");
    traffic_tcp(&traffic, 7001, 40000, TCP_SYN | TCP_ACK, 5000, 1001, NULL, 0);
    press("1");
    ck_shows("The handshake is not done yet.");
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, NULL, 0);
    press("1");
    ck_hides("opening");
    ck_shows("Open.");
    traffic_udp(&traffic, 40000, 7003, "who?", 4);
    press("<End>");
    ck_shows("silent");
    ck_shows("Nobody has answered.");
    traffic_udp(&traffic, 7003, 40000, "me", 2);
    press("<End>");
    ck_hides("silent");
}
END_TEST

START_TEST(a_d_sack_mends_the_arrow_and_leads_to_the_original)
{
    struct packet report = {.protocol = PROTO_TCP};

    viewer.live = viewer.follow = false;
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, "ping", 4);
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, "ping", 4);
    press("2");
    ck_shows("\xE2\x95\xB3");
    report.source = traffic_end(&traffic, 7001);
    report.destination = traffic_end(&traffic, 40000);
    report.tcp = (struct tcp_header){
        .flags = TCP_ACK,
        .seq = 5001,
        .ack = 1005,
        .window = 65000,
        .options = {.has = OPT_SACK, .sack_count = 1, .sack = {{1001, 1005}}}};
    traffic_take(&traffic, &report, NULL, 0);
    press("<End>");
    ck_hides("\xE2\x95\xB3"); /* both copies arrived */
    ck_shows("V reports: that came twice, sent again in vain");
    ck_shows("of packet 4 (o)");
    press("<Enter>");
    ck_shows("It reports, by D-SACK, that something came twice");
    press("<Esc>o");
    ck_assert_uint_eq(viewer.selected, 4);
    press("o");
    ck_assert_uint_eq(viewer.selected, 5);
}
END_TEST

START_TEST(what_lies_beyond_a_hole_is_counted_as_the_ack_is)
{
    struct packet report = {.protocol = PROTO_TCP};

    viewer.live = viewer.follow = false;
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1011, 5001, "ping", 4);
    report.source = traffic_end(&traffic, 7001);
    report.destination = traffic_end(&traffic, 40000);
    report.tcp = (struct tcp_header){
        .flags = TCP_ACK,
        .seq = 5001,
        .ack = 1001,
        .window = 65000,
        .options = {.has = OPT_SACK,
                    .sack_count = 2,
                    .sack = {{1011, 1015}, {1005, 1007}}}};
    traffic_take(&traffic, &report, NULL, 0);
    press("2<End>");
    ck_shows("ACK ack=1 sack=11-15+1 ");
    press("<Enter>eeJJJJJJJJJJJJJJJJJJ");
    ck_shows(", has 11 to\n");
    ck_shows(" 15, has 5 to 7.");
}
END_TEST

START_TEST(a_listener_that_refuses_was_only_assumed)
{
    traffic_tcp(&traffic, 40000, 7001, TCP_SYN, 1000, 0, NULL, 0);
    traffic_tcp(&traffic, 7001, 40000, TCP_RST | TCP_ACK, 0, 1001, NULL, 0);
    press("2");
    ck_shows("server LISTEN? \xE2\x86\x92 CLOSED?");
}
END_TEST

START_TEST(what_was_acknowledged_before_it_came_again_was_not_lost)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, "ping", 4);
    traffic_tcp(&traffic, 7001, 40000, TCP_ACK, 5001, 1005, NULL, 0);
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, "ping", 4);
    press("2");
    ck_hides("\xE2\x95\xB3");
    ck_shows("repeats packet 4");
}
END_TEST

START_TEST(a_run_of_duplicate_acks_is_one_line_until_it_is_unfolded)
{
    static const enum verdict_name duplicate = VERDICT_DUPLICATE_ACK;

    viewer.live = viewer.follow = false;
    traffic_connect(&traffic, 40000, 7001);
    traffic.extra = &duplicate;
    for (int i = 0; i < 40; i++)
        traffic_tcp(&traffic, 7001, 40000, TCP_ACK, 5001, 1001, NULL, 0);
    traffic.extra = NULL;
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, "ping", 4);
    press("2<Home>");
    ck_shows("40 duplicate ACKs, all ack=1");
    ck_shows("\"ping\"");
    press("jjj");
    ck_assert_uint_eq(viewer.selected, 4);
    press("j");
    ck_assert_uint_eq(viewer.selected, 44);
    press("kk");
    ck_assert_uint_eq(viewer.selected, 3);
    press("<End>z");
    ck_hides("duplicate ACKs, all");
    press("k");
    ck_assert_uint_eq(viewer.selected, 43);
    press("z");
    ck_shows("40 duplicate ACKs, all ack=1");
}
END_TEST

static char written[200];

static void propose(uint32_t connection, char *path, size_t size)
{
    snprintf(path, size, "c%u.txt", (unsigned)connection);
}

static bool write_it(void *self, uint32_t connection, const char *path,
                     char *said, size_t size)
{
    bool bad = strstr(path, "bad") != NULL;

    (void)self;
    snprintf(written, sizeof written, "%u %s", (unsigned)connection, path);
    snprintf(said, size, bad ? "that will not do" : "it is written");
    return !bad;
}

START_TEST(x_writes_the_connection_under_the_cursor)
{
    press("x");
    ck_shows("There is no connection here to export.");
    viewer.saving = (struct saving){.name = propose, .write = write_it};
    press("x");
    ck_shows("There is no connection here to export.");
    whole_connection(40000);
    whole_connection(40001);
    press("1<Home>jx");
    ck_shows("connection 1 into c1.txt");
    press("<Enter>");
    ck_shows("it is written");
    ck_assert_str_eq(written, "1 c1.txt");
    press("2<Home>x"); /* the packet of the other, in the ladder of all */
    ck_shows("connection 0 into c0.txt");
    press("bad<Enter>");
    ck_shows("c0.txtbad"); /* to be mended */
    ck_shows("that will not do");
    press("<Backspace><Backspace><Backspace><Enter>");
    ck_assert_str_eq(written, "0 c0.txt");
    press("x<Esc>");
    ck_hides("into");
}
END_TEST

START_TEST(the_stream_is_what_both_ends_said)
{
    char line[40];

    press("6");
    ck_shows("The wire is quiet.");
    whole_connection(40000);
    press("6");
    ck_shows("connection 0: 4 B sent, 4 B back");
    ck_shows("client ping (no \\n)");
    ck_shows("server pong (no \\n)");
    ck_shows("client (has said all: FIN)");
    traffic_connect(&traffic, 40001, 7001);
    for (int n = 0; n < 50; n++) {
        snprintf(line, sizeof line, "line %02d\n", n);
        traffic_tcp(&traffic, 40001, 7001, TCP_PSH | TCP_ACK,
                    1001 + 8 * (uint32_t)n, 5001, line, 8);
    }
    press("<Right>");
    ck_shows("line 49"); /* live: the newest */
    press("g");
    ck_shows("line 00");
    press("<PgDn>j");
    ck_hides("line 00");
    ck_hides("line 49");
    press("G");
    ck_shows("line 49");
    press("<Left>");
    ck_shows("ping");
    press("q1<Home>p....6"); /* the handshake and a packet */
    ck_shows("ping");
    ck_hides("pong");
}
END_TEST

/* A payload that is longer than what the store keeps of it. */
START_TEST(the_stream_says_what_it_does_not_have)
{
    char text[200];

    memset(text, 'x', sizeof text);
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_PSH | TCP_ACK, 1001, 5001, text,
                sizeof text);
    press("6");
    ck_shows("(152 bytes more, not kept)");
    ck_shows("viz --stream has more of it");
}
END_TEST

START_TEST(the_wheel_scrolls_and_a_click_selects)
{
    viewer.live = viewer.follow = false;
    whole_connection(40000);
    whole_connection(40001);
    press("<Click 3,20>"); /* the second row of the list */
    ck_assert_uint_eq(viewer.connection, 1);
    press("<Click 3,20>");
    ck_assert_ptr_eq(viewer.view, &view_ladder);
    ck_shows("client 127.0.0.1:40001");
    press("<Click 7,20>"); /* the fifth packet */
    ck_assert_uint_eq(viewer.selected, 11 + 5);
    press("<WheelUp>");
    ck_assert_uint_eq(viewer.selected, 11 + 2);
    press("<WheelDown><WheelDown>");
    ck_assert_uint_eq(viewer.selected, 11 + 8);
    press("<Click 0,0><Click 1,5><Click 20,5><Click 23,5>");
    ck_assert_uint_eq(viewer.selected, 11 + 8);
    press("<Click 10,5>");
    ck_shows("A FIN: I will send no more.");
}
END_TEST

START_TEST(help_names_every_key_of_every_table)
{
    canvas_fini(&canvas);
    canvas_init(&canvas, 100, 80);
    press("?");
    for (size_t i = 0; views[i]; i++) {
        for (const struct view_help *help = views[i]->help; help->keys;
             help++) {
            ck_shows(help->keys);
            ck_shows(help->does);
        }
    }
    for (const struct view_help *help = viewer_keys; help->keys; help++)
        ck_shows(help->does);
    press("?");
    ck_assert_ptr_eq(viewer.view, &view_connections);
}
END_TEST

START_TEST(help_scrolls_to_its_last_line)
{
    press("?<End>");
    ck_shows("also: a reset (RST)");
    ck_hides("more");
}
END_TEST

START_TEST(key_names_are_read_and_unknown_ones_refused)
{
    const char *keys = "j<Enter><PgDn>\xC3\xA9<Nonsense>";

    ck_assert_int_eq(viewer_key_from_text(&keys), 'j');
    ck_assert_int_eq(viewer_key_from_text(&keys), INPUT_ENTER);
    ck_assert_int_eq(viewer_key_from_text(&keys), INPUT_PAGE_DOWN);
    ck_assert_int_eq(viewer_key_from_text(&keys), 0xE9);
    ck_assert_int_eq(viewer_key_from_text(&keys), INPUT_NONE);
    ck_assert_str_eq(keys, "<Nonsense>");
}
END_TEST

START_TEST(a_hung_up_terminal_and_control_c_end_it_everywhere)
{
    press("2?");
    viewer_key(&viewer, INPUT_HUNG_UP);
    ck_assert(viewer.quit);
    viewer.quit = false;
    viewer_key(&viewer, 3);
    ck_assert(viewer.quit);
}
END_TEST

/* No cell may hold what a terminal must not be sent. (One assertion for all:
 * each tells Check's parent through a pipe.) */
static void ck_sound(void)
{
    int unsound = 0;

    for (int i = 0; i < canvas.rows * canvas.columns; i++) {
        uint32_t code = canvas.cells[i].code;

        unsound += code != 0 && code_width(code) < 1;
    }
    ck_assert_int_eq(unsound, 0);
}

static const int keys[] = {
    'j',
    'k',
    'g',
    'G',
    'h',
    'l',
    'a',
    's',
    'f',
    ' ',
    '?',
    '1',
    '2',
    '3',
    '4',
    't',
    'u',
    '5',
    '6',
    'd' & 0x1F,
    'u' & 0x1F,
    INPUT_ENTER,
    INPUT_ESCAPE,
    INPUT_UP,
    INPUT_DOWN,
    INPUT_LEFT,
    INPUT_RIGHT,
    INPUT_PAGE_UP,
    INPUT_PAGE_DOWN,
    INPUT_HOME,
    INPUT_END,
    INPUT_RESIZED,
    INPUT_TAB,
    0x1F600,
};

START_TEST(random_resizes_keys_and_traffic_do_no_harm)
{
    srandom(11);
    for (int run = 0; run < 500; run++) {
        int rows = 1 + (int)(random() % 200),
            columns = 1 + (int)(random() % 500);

        if (run % 5 == 0)
            rows = columns = 1;
        if (run % 3 == 0)
            rows = 15 + (int)(random() % 10),
            columns = 60 + (int)(random() % 30);
        canvas_fini(&canvas);
        ck_assert_int_eq(canvas_init(&canvas, rows, columns), 0);
        canvas.ascii = random() % 2;
        viewer.live = random() % 4 != 0;
        if (random() % 2)
            whole_connection((uint16_t)(40000 + random() % 30));
        if (random() % 5 == 0) {
            traffic.now_ns += INT64_C(1000000000);
            traffic_udp(&traffic, 50000, 53, "\x1B[31m\xFF", 6);
            traffic_kernel(&traffic, TCP_CLOSE_WAIT, 7001, 40001, 9);
        }
        for (int i = 0; i < 6; i++) {
            viewer_draw(&viewer, &canvas);
            ck_sound();
            viewer_key(&viewer,
                       keys[(size_t)random() % (sizeof keys / sizeof *keys)]);
        }
        viewer_draw(&viewer, &canvas);
        ck_sound();
    }
    ck_assert(!viewer.quit);
}
END_TEST

START_TEST(a_store_that_forgets_its_oldest_packets_moves_the_reader_on)
{
    traffic_fini(&traffic);
    viewer_fini(&viewer);
    traffic_init(&traffic);
    store_free(traffic.store);
    traffic.store = store_new(50);
    viewer_init(&viewer, traffic.store);
    viewer.live = true;
    whole_connection(40000);
    press("2<Home>");
    ck_assert_uint_eq(viewer.selected, 1);
    for (int i = 0; i < 30; i++) {
        whole_connection((uint16_t)(40001 + i));
        draw();
    }
    ck_assert_uint_gt(store_forgotten(traffic.store), 200);
    ck_assert_uint_gt(viewer.selected, store_forgotten(traffic.store));
    press("<Home>jkG");
    ck_shows("341 packets  291 forgotten");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_small_terminal_is_told_so);
    tcase_add_test(tcase,
                   a_connection_is_one_row_with_both_ends_and_who_closed);
    tcase_add_test(tcase, a_time_wait_of_a_minute_is_assumed);
    tcase_add_test(tcase,
                   enter_opens_the_ladder_of_the_connection_under_the_cursor);
    tcase_add_test(tcase,
                   the_selected_packet_stays_selected_while_traffic_arrives);
    tcase_add_test(tcase, a_screen_further_passes_no_packet_over);
    tcase_add_test(tcase,
                   follow_keeps_the_newest_in_sight_until_the_reader_moves_up);
    tcase_add_test(tcase, a_pause_hides_what_comes_and_loses_nothing);
    tcase_add_test(tcase, sorting_keeps_the_cursor_on_its_connection);
    tcase_add_test(tcase, a_listener_of_the_kernel_is_listed_with_its_queue);
    tcase_add_test(tcase,
                   a_listener_with_a_long_address_leaves_room_for_its_queue);
    tcase_add_test(tcase, the_kernels_states_stand_below_the_ladder);
    tcase_add_test(tcase, the_diagram_shows_both_ends_move_with_each_packet);
    tcase_add_test(tcase, the_diagram_follows_the_wire_live);
    tcase_add_test(tcase, the_diagram_fits_every_size);
    tcase_add_test(tcase,
                   the_pane_explains_the_selected_packet_at_three_levels);
    tcase_add_test(tcase, the_third_level_shows_the_bytes_themselves);
    tcase_add_test(tcase, the_key_bar_always_leads_to_help);
    tcase_add_test(tcase, tcp_and_udp_stand_side_by_side_with_what_each_costs);
    tcase_add_test(tcase, what_is_missing_beside_the_other_is_said);
    tcase_add_test(tcase, a_filter_hides_what_does_not_pass_in_list_and_ladder);
    tcase_add_test(tcase, a_filter_hides_connections_in_the_other_views_too);
    tcase_add_test(tcase, an_empty_filter_shows_all_again);
    tcase_add_test(tcase, keys_typed_into_the_filter_do_nothing_else);
    tcase_add_test(tcase, marks_are_set_shown_and_jumped_to);
    tcase_add_test(
        tcase, a_lost_packet_is_a_broken_arrow_and_linked_to_its_repetition);
    tcase_add_test(tcase, a_d_sack_mends_the_arrow_and_leads_to_the_original);
    tcase_add_test(tcase, the_story_of_a_connection_fits_its_line);
    tcase_add_test(tcase, what_has_no_answer_yet_is_not_open);
    tcase_add_test(tcase, what_lies_beyond_a_hole_is_counted_as_the_ack_is);
    tcase_add_test(tcase, a_listener_that_refuses_was_only_assumed);
    tcase_add_test(tcase,
                   what_was_acknowledged_before_it_came_again_was_not_lost);
    tcase_add_test(tcase,
                   a_run_of_duplicate_acks_is_one_line_until_it_is_unfolded);
    tcase_add_test(tcase, x_writes_the_connection_under_the_cursor);
    tcase_add_test(tcase, the_stream_is_what_both_ends_said);
    tcase_add_test(tcase, the_stream_says_what_it_does_not_have);
    tcase_add_test(tcase, the_wheel_scrolls_and_a_click_selects);
    tcase_add_test(tcase, help_names_every_key_of_every_table);
    tcase_add_test(tcase, help_scrolls_to_its_last_line);
    tcase_add_test(tcase, key_names_are_read_and_unknown_ones_refused);
    tcase_add_test(tcase, a_hung_up_terminal_and_control_c_end_it_everywhere);
    tcase_add_test(tcase, random_resizes_keys_and_traffic_do_no_harm);
    tcase_add_test(tcase,
                   a_store_that_forgets_its_oldest_packets_moves_the_reader_on);
}

int main(void)
{
    Suite *suite = suite_create("views");
    TCase *tcase = tcase_create("views");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, setup, teardown);
    add_tests(tcase);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
