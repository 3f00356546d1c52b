/*
 * The kernel's sockets in the views: their numbers, what they mean for who
 * wrote the program, and where they differ from the wire.
 */
#include "tests/unit/viewing.h"

START_TEST(the_sockets_stand_in_order_with_listeners_first)
{
    const char *listener, *connection;

    traffic_kernel(&traffic, TCP_ESTABLISHED, 40000, 7001, 0);
    traffic_kernel(&traffic, TCP_TIME_WAIT, 40001, 7001, 0);
    traffic_kernel(&traffic, TCP_LISTEN, 7001, 0, 2);
    press("5");
    listener = strstr(screen, "LISTEN");
    connection = strstr(screen, "ESTABLISHED");
    ck_assert_ptr_nonnull(listener);
    ck_assert_ptr_nonnull(connection);
    ck_assert(listener < connection);
    ck_shows("2 of 0");
    ck_shows("Accept queue full: 2 wait, backlog 0.");
    press("<End>");
    ck_shows("\xE2\x96\xBAtcp   TIME_WAIT");
    ck_shows("All is over");
}
END_TEST

START_TEST(a_network_without_a_socket_is_not_taken_for_an_unasked_kernel)
{
    struct event event = {.kind = EVENT_LOOKED, .time_ns = traffic.now_ns};

    press("5");
    ck_shows("The kernel of this machine does not tell");
    store_event(traffic.store, &event);
    press("5");
    ck_shows("There is no socket in this network now.");
}
END_TEST

START_TEST(a_socket_shows_its_timer_and_how_often_it_sent_again)
{
    struct socket_sample socket = {.protocol = PROTO_TCP,
                                   .state = TCP_SYN_SENT,
                                   .timer = 1,
                                   .timer_ms = 2500,
                                   .retransmits = 2,
                                   .send_queue = 1,
                                   .uid = 1000,
                                   .inode = 7,
                                   .cookie = 9};

    socket.local = traffic_end(&traffic, 40000);
    socket.remote = traffic_end(&traffic, 7001);
    traffic_look(&traffic, &socket);
    press("5");
    ck_shows("again 2.5 s");
    ck_shows("Timer: sends again in 2.5 s. Resent 2 times.");
    ck_shows("No answer to its SYN yet: connect() waits.");
    ck_shows("held by uid 1000");
    socket.timer_ms = 1400;
    traffic_look(&traffic, &socket);
    draw();
    ck_shows("again 1.4 s");
}
END_TEST

START_TEST(without_a_kernel_the_view_says_why_it_is_empty)
{
    press("5");
    viewer.live = false;
    press("5");
    ck_shows("A capture file has packets, but no sockets.");
}
END_TEST

START_TEST(what_a_program_leaves_undone_is_said_in_words)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_FIN | TCP_ACK, 1001, 5001, NULL, 0);
    traffic_tcp(&traffic, 7001, 40000, TCP_ACK, 5001, 1002, NULL, 0);
    traffic_kernel(&traffic, TCP_FIN_WAIT2, 40000, 7001, 0);
    traffic_kernel(&traffic, TCP_CLOSE_WAIT, 7001, 40000, 0);
    press("2");
    ck_hides("your program has not"); /* not yet: it may just be about to */
    a_second_passes();
    traffic_kernel(&traffic, TCP_CLOSE_WAIT, 7001, 40000, 0);
    press("2");
    ck_shows("server: The peer has closed, your program has not: CLOSE_WAIT.");
    press("1");
    ck_shows("server: The peer has closed, your program has not: CLOSE_WAIT.");
    traffic_kernel(&traffic, TCP_CLOSE_WAIT, 7001, 40000, 5);
    press("1");
    ck_shows("server: The peer has closed; 4 B still wait for recv()");
}
END_TEST

START_TEST(a_reader_that_does_not_read_is_told_and_not_its_shadow)
{
    struct socket_sample client = {.protocol = PROTO_TCP,
                                   .state = TCP_ESTABLISHED,
                                   .timer = 4,
                                   .send_queue = 9000,
                                   .inode = 7,
                                   .cookie = 9};

    traffic_connect(&traffic, 40000, 7001);
    a_second_passes();
    client.local = traffic_end(&traffic, 40000);
    client.remote = traffic_end(&traffic, 7001);
    traffic_look(&traffic, &client);
    press("2");
    ck_shows("client: The peer's window is 0: 9000 B wait");
    traffic_kernel(&traffic, TCP_ESTABLISHED, 7001, 40000, 4344);
    draw();
    ck_shows("server: The program is not reading: 4344 B wait for recv().");
}
END_TEST

START_TEST(a_lasting_difference_of_wire_and_kernel_is_said)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_kernel(&traffic, TCP_ESTABLISHED, 40000, 7001, 0);
    a_second_passes();
    traffic_kernel(&traffic, TCP_ESTABLISHED, 40000, 7001, 0);
    press("2");
    ck_hides("By the wire");
    traffic_kernel(&traffic, TCP_FIN_WAIT1, 40000, 7001, 0);
    draw();
    ck_hides("By the wire"); /* its packets may be on their way to us */
    a_second_passes();
    traffic_kernel(&traffic, TCP_FIN_WAIT1, 40000, 7001, 0);
    draw();
    ck_shows("client: By the wire it is ESTABLISHED, the kernel says "
             "FIN_WAIT1.");
}
END_TEST

START_TEST(a_connection_that_nobody_accepted_is_told)
{
    struct socket_sample server = {
        .protocol = PROTO_TCP, .state = TCP_ESTABLISHED, .cookie = 9};

    traffic_connect(&traffic, 40000, 7001);
    a_second_passes();
    server.local = traffic_end(&traffic, 7001);
    server.remote = traffic_end(&traffic, 40000);
    traffic_look(&traffic, &server);
    press("2");
    ck_shows("server: Nobody holds it yet: it waits in the queue for accept()");
    press("5");
    ck_shows("no process has accepted it yet");
}
END_TEST

START_TEST(a_fin_behind_unsent_bytes_explains_the_difference)
{
    struct socket_sample client = {.protocol = PROTO_TCP,
                                   .state = TCP_FIN_WAIT1,
                                   .timer = 4,
                                   .send_queue = 9001,
                                   .cookie = 9};

    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, "x", 1);
    client.local = traffic_end(&traffic, 40000);
    client.remote = traffic_end(&traffic, 7001);
    traffic_look(&traffic, &client);
    a_second_passes();
    traffic_look(&traffic, &client);
    press("2");
    ck_shows("\xE2\x89\xA0"
             "FIN_WAIT1");
    ck_shows("client: Its program has closed; the FIN waits behind 9000 B "
             "unsent.");
}
END_TEST

START_TEST(a_last_ack_that_a_full_queue_dropped_is_told)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_kernel(&traffic, TCP_SYN_RECV, 7001, 40000, 0);
    a_second_passes();
    traffic_kernel(&traffic, TCP_SYN_RECV, 7001, 40000, 0);
    press("2");
    ck_shows("server: Still SYN_RECV: it drops the last ACK, the accept queue "
             "is full.");
}
END_TEST

START_TEST(an_orphan_in_fin_wait2_tells_how_long_it_stays)
{
    struct socket_sample client = {.protocol = PROTO_TCP,
                                   .state = TCP_FIN_WAIT2,
                                   .timer = 3,
                                   .timer_ms = 57000,
                                   .cookie = 9};

    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, TCP_FIN | TCP_ACK, 1001, 5001, NULL, 0);
    traffic_tcp(&traffic, 7001, 40000, TCP_ACK, 5001, 1002, NULL, 0);
    client.local = traffic_end(&traffic, 40000);
    client.remote = traffic_end(&traffic, 7001);
    a_second_passes();
    traffic_look(&traffic, &client);
    press("2");
    ck_shows("client: Closed, no program holds it: FIN_WAIT2, given up in 57.0 "
             "s.");
}
END_TEST

START_TEST(a_fin_and_keep_alives_without_an_answer_are_told)
{
    struct socket_sample socket = {.protocol = PROTO_TCP,
                                   .state = TCP_LAST_ACK,
                                   .send_queue = 1,
                                   .cookie = 9};

    socket.local = traffic_end(&traffic, 40000);
    socket.remote = traffic_end(&traffic, 7001);
    traffic_look(&traffic, &socket);
    press("5");
    ck_shows("Its FIN is not acknowledged yet.");
    socket.state = TCP_ESTABLISHED;
    socket.send_queue = 0;
    socket.timer = 2;
    socket.retransmits = 3;
    socket.inode = 1;
    traffic_look(&traffic, &socket);
    draw();
    ck_shows("Keep-alives without an answer: 3 so far.");
}
END_TEST

/* Also while packets go on, and not when the port has been used anew. */
START_TEST(a_difference_lasts_by_its_own_age)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_kernel(&traffic, TCP_CLOSED, 40000, 7001, 0);
    a_second_passes();
    traffic_tcp(&traffic, 7001, 40000, TCP_ACK, 5001, 1001, "tick", 4);
    traffic_kernel(&traffic, TCP_CLOSED, 40000, 7001, 0);
    press("2");
    ck_shows("client: By the wire it is ESTABLISHED, the kernel says CLOSED.");
    traffic_tcp(&traffic, 40000, 7001, TCP_RST | TCP_ACK, 1001, 5001, NULL, 0);
    traffic_tcp(&traffic, 40000, 7001, TCP_SYN, 900000, 0, NULL, 0);
    traffic_kernel(&traffic, TCP_SYN_SENT, 40000, 7001, 0);
    a_second_passes();
    traffic_kernel(&traffic, TCP_SYN_SENT, 40000, 7001, 0);
    press("1");
    ck_hides("\xE2\x89\xA0");
}
END_TEST

/* What tcp_info says of a socket that has sent three segments in vain. */
static struct socket_sample sending(uint16_t local, uint16_t remote)
{
    struct socket_sample socket = {
        .protocol = PROTO_TCP,
        .state = TCP_ESTABLISHED,
        .timer = 1,
        .timer_ms = 640,
        .retransmits = 3,
        .inode = 7,
        .cookie = (uint64_t)local << 16 | remote,
        .tcp = {.known = true,
                .backoff = 2,
                .rto_us = 816000,
                .rtt_us = 45,
                .rttvar_us = 20,
                .cwnd = 1,
                .ssthresh = 7,
                .unacked = 4,
                .mss = 1448,
                .resent = 3},
    };

    socket.local = traffic_end(&traffic, local);
    socket.remote = traffic_end(&traffic, remote);
    return socket;
}

START_TEST(the_kernels_numbers_stand_in_every_view_of_a_connection)
{
    struct socket_sample client = sending(40000, 7001);
    struct socket_sample server = sending(7001, 40000);

    server.tcp.rtt_us = 0;
    server.tcp.backoff = 0;
    traffic_connect(&traffic, 40000, 7001);
    traffic_look(&traffic, &client);
    traffic_look(&traffic, &server);
    press("1");
    ck_shows(" rto 816 ms, rtt 45 us, cwnd 1  ");
    ck_shows(" rto 816 ms, cwnd 1, 4 on their way\n");
    press("2");
    ck_shows(" rto 816 ms, rtt 45 us, cwnd 1  ");
    press("5<End>");
    ck_shows(" rto 816 ms, rtt 45 us \xC2\xB1 20 us, cwnd 1, doubled 2x, 4 on "
             "their way, 3 resent");
    ck_shows("Timer: sends again in 640 ms. Resent 3 times.");
    client.timer_ms = 540;
    traffic_look(&traffic, &client);
    draw();
    ck_shows("Timer: sends again in 540 ms.");
}
END_TEST

START_TEST(wide_screens_have_columns_for_the_numbers)
{
    struct socket_sample client = sending(40000, 7001);

    traffic_look(&traffic, &client);
    traffic_kernel(&traffic, TCP_TIME_WAIT, 40001, 7001, 0);
    for (int columns = 80; columns <= 140; columns += 60) {
        canvas_fini(&canvas);
        canvas_init(&canvas, 24, columns);
        press("5");
        if (columns == 80)
            ck_hides("rtt     cwnd");
        else
            ck_shows("rto     rtt     cwnd");
    }
    ck_shows("816 ms  45 us   1");
    ck_shows(" -       -       - ");
}
END_TEST

START_TEST(without_tcp_info_no_number_is_invented)
{
    traffic_connect(&traffic, 40000, 7001);
    traffic_kernel(&traffic, TCP_ESTABLISHED, 7001, 40000, 0);
    press("1");
    ck_hides("rto");
    press("2");
    ck_hides("rto");
    press("5");
    ck_hides("cwnd");
}
END_TEST

START_TEST(datagrams_that_a_full_buffer_dropped_are_counted)
{
    struct socket_sample socket = {
        .protocol = PROTO_UDP, .drops = 12, .inode = 7, .cookie = 9};

    socket.local = traffic_end(&traffic, 7003);
    traffic_look(&traffic, &socket);
    press("5");
    ck_shows("12 dropped: the buffer was full");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lasting");
    TCase *tcase = tcase_create("kernel");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(
        tcase, a_network_without_a_socket_is_not_taken_for_an_unasked_kernel);
    tcase_add_test(tcase, the_sockets_stand_in_order_with_listeners_first);
    tcase_add_test(tcase, a_socket_shows_its_timer_and_how_often_it_sent_again);
    tcase_add_test(tcase, without_a_kernel_the_view_says_why_it_is_empty);
    tcase_add_test(tcase, what_a_program_leaves_undone_is_said_in_words);
    tcase_add_test(tcase,
                   a_reader_that_does_not_read_is_told_and_not_its_shadow);
    tcase_add_test(tcase, a_lasting_difference_of_wire_and_kernel_is_said);
    tcase_add_test(tcase, a_connection_that_nobody_accepted_is_told);
    tcase_add_test(tcase,
                   the_kernels_numbers_stand_in_every_view_of_a_connection);
    tcase_add_test(tcase, wide_screens_have_columns_for_the_numbers);
    tcase_add_test(tcase, without_tcp_info_no_number_is_invented);
    tcase_add_test(tcase, datagrams_that_a_full_buffer_dropped_are_counted);
    tcase_add_test(tcase, a_difference_lasts_by_its_own_age);
    tcase_add_test(tcase, a_fin_and_keep_alives_without_an_answer_are_told);
    tcase_add_test(tcase, an_orphan_in_fin_wait2_tells_how_long_it_stays);
    tcase_add_test(tcase, a_last_ack_that_a_full_queue_dropped_is_told);
    tcase_add_test(tcase, a_fin_behind_unsent_bytes_explains_the_difference);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
