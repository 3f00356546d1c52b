/* viz/events/expect: each term of the observation language comes true by what
 * it is about and by nothing else, in the order of the lines. */
#include "viz/events/expect.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/wire.h"
#include "viz/events/observed.h"

static struct expect *expect;
static struct wire wire;

static void feed(void *self, const struct event *event)
{
    (void)self;
    expect_feed(expect, event);
}

/* Lines, NULL after the last; opened. */
static void begin_with(bool kernel, const char *const *lines)
{
    char why[320];

    expect = expect_new(kernel);
    ck_assert_ptr_nonnull(expect);
    for (; *lines; lines++)
        ck_assert_msg(expect_add(expect, *lines, why, sizeof why) == 0,
                      "%s: %s", *lines, why);
    wire_init(&wire, feed, NULL);
    expect_open(expect);
}
#define begin(...) begin_with(false, (const char *const[]){__VA_ARGS__, NULL})
#define begin_kernel(...) \
    begin_with(true, (const char *const[]){__VA_ARGS__, NULL})

static void end(void)
{
    expect_free(expect);
    wire_fini(&wire);
}

/* "T.B": a letter a line. */
static const char *ticks(void)
{
    static char text[64];
    size_t n;

    for (n = 0; n < expect_count(expect); n++)
        text[n] = ".TB"[expect_status(expect, n)];
    text[n] = '\0';
    return text;
}

static void terminal(char letter, enum event_kind kind, const char *text,
                     int status)
{
    struct event event = {.kind = kind};

    event.terminal = letter;
    event.text = text;
    event.status = status;
    feed(NULL, &event);
}

static void waits(enum flow_side side, uint16_t port, enum wait_call call)
{
    struct event event = {.kind = EVENT_WAITS};

    event.side = side;
    event.port = port;
    event.call = call;
    feed(NULL, &event);
}

static bool understood(const char *line)
{
    struct expect *one = expect_new(false);
    char why[320] = "";
    int status = expect_add(one, line, why, sizeof why);

    ck_assert_msg(status == 0 || why[0] != '\0', "%s: refused without a word",
                  line);
    expect_free(one);
    return status == 0;
}

static void refused_with(const char *line, const char *words)
{
    struct expect *one = expect_new(false);
    char why[320] = "";

    ck_assert_msg(expect_add(one, line, why, sizeof why) == -1, "%s", line);
    ck_assert_msg(strstr(why, words) != NULL, "%s: %s", line, why);
    expect_free(one);
}

/* --- the language ---------------------------------------------------------- */

START_TEST(every_term_is_understood)
{
    static const char *const lines[] = {
        "listen tcp 7001",
        "listen udp 7003",
        "handshake tcp 7001",
        "refused tcp 7001",
        "data tcp 7001 from client",
        "data tcp 7001 from server \"hello\\n\"",
        "data tcp 7001 from client 5 bytes",
        "close tcp 7001 by client",
        "reset tcp 7001 by server",
        "state tcp 7001 client TIME_WAIT",
        "retransmit tcp 7001 syn",
        "retransmit tcp 7001 data 3",
        "zero-window tcp 7001 by server",
        "established tcp 7001 0",
        "datagram udp 7003 from client",
        "datagram udp 7003 from server x3",
        "datagram udp 7003 from client x2 0 bytes",
        "unreachable udp 7003",
        "waits server accept",
        "waits client recv 7001",
        "prints A \"listening on\"",
        "exits B 1",
        "shell C",
        "not data tcp 7001 from server",
        "  close tcp 7001 by client   within 30s ",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ck_assert_msg(understood(lines[i]), "%s", lines[i]);
}
END_TEST

START_TEST(a_wrong_word_is_named_with_what_may_stand_there)
{
    refused_with("", "where the line ends");
    refused_with("handshak tcp 7001", "\"handshak\"");
    refused_with("handshake tcp", "a port");
    refused_with("handshake tcp 70000", "1 to 65535");
    refused_with("handshake udp 7001", "tcp");
    refused_with("state tcp 7001 klient X", "client or server");
    refused_with("state tcp 7001 client ESTAB", "netstat");
    refused_with("data tcp 7001 from client \"x", "closing quote");
    refused_with("data tcp 7001 from client \"\"", "empty");
    refused_with("data tcp 7001 from client \"\\q\"", "backslash");
    refused_with("data tcp 7001 from client \"\\x4\"", "backslash");
    refused_with("data tcp 7001 from client 5 byte", "bytes");
    refused_with("prints D \"x\"", "A, B or C");
    refused_with("exits A 256", "0 to 255");
    refused_with("waits server sleep", "accept recv");
    refused_with("handshake tcp 7001 now", "the end of the line");
    refused_with("handshake tcp 7001 within 5", "5s");
    refused_with("not handshake tcp 7001 within 5s", "within");
    refused_with("not not handshake tcp 7001", "\"not\"");
}
END_TEST

START_TEST(a_complaint_quotes_nothing_that_a_terminal_obeys)
{
    refused_with("listen \"\\x1b]0;title\\x07\"",
                 "where \".]0;title.\" stands");
    refused_with("listen \"\\xc2\\x9b2J\"", "where \".2J\" stands");
    refused_with("listen caf\xc3\xa9", "where \"caf\xc3\xa9\" stands");
    refused_with("listen caf\xc3", "where \"caf.\" stands");
    refused_with("listen 123456789012345678901234567890123456789\xc3\xa9",
                 "123456789.\" stands"); /* cut within the character */
}
END_TEST

START_TEST(a_line_is_shown_trimmed_and_without_what_a_terminal_obeys)
{
    begin(" \r\tnot shell A \r\n", "prints B \"\x1b]0;title\x07\"");
    ck_assert_str_eq(expect_line(expect, 0), "not shell A");
    ck_assert_str_eq(expect_line(expect, 1), "prints B \".]0;title.\"");
    terminal('B', EVENT_PRINTED, "\x1b]0;title\x07", 0); /* looked for as is */
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

START_TEST(a_block_has_room_for_a_number_of_paths)
{
    char line[40], why[320];

    expect = expect_new(false);
    for (int n = 0; n < OBSERVED_PATHS; n++) {
        snprintf(line, sizeof line, "listen unix %d.sock", n);
        ck_assert_int_eq(expect_add(expect, line, why, sizeof why), 0);
    }
    ck_assert_int_eq(expect_add(expect, "listen unix a", why, sizeof why), -1);
    ck_assert_ptr_nonnull(strstr(why, "and 32 paths"));
    ck_assert_int_eq(
        expect_add(expect, "listen unix ./0.sock", why, sizeof why),
        0); /* known already */
    expect_free(expect);
}
END_TEST

START_TEST(what_no_event_shows_is_refused_in_a_clear_sentence)
{
    refused_with("tls client-hello", "lesson 9");
    refused_with("tls data from client", "lesson 9");
    refused_with("tls hello", "client-hello");
}
END_TEST

START_TEST(a_path_is_a_word_that_the_kernel_has_room_for)
{
    char line[160] = "listen unix ";

    refused_with("listen unix", "the path of a socket");
    refused_with("listen unix \"\"", "the path of a socket");
    refused_with("listen unix \"a\\0b\"", "the path of a socket");
    refused_with("listen unix /tmp/x /tmp/y", "the end of the line");
    memset(line + 12, 'a', 108);
    refused_with(line, "107 bytes");
    refused_with("lost udp", "a port");
    refused_with("lost tcp 7003", "udp");
}
END_TEST

START_TEST(patience_is_ten_seconds_or_what_within_says)
{
    begin("handshake tcp 7001", "close tcp 7001 by client within 45s");
    ck_assert_uint_eq(expect_patience(expect, 0), 10);
    ck_assert(!expect_timed(expect, 0));
    ck_assert_uint_eq(expect_patience(expect, 1), 45);
    ck_assert(expect_timed(expect, 1));
    ck_assert_str_eq(expect_line(expect, 0), "handshake tcp 7001");
    end();
}
END_TEST

/* --- a connection ---------------------------------------------------------- */

START_TEST(lines_come_true_in_order)
{
    struct link link;

    begin("handshake tcp 7001", "data tcp 7001 from client \"hello\"",
          "data tcp 7001 from server 5 bytes", "close tcp 7001 by client",
          "close tcp 7001 by server", "state tcp 7001 client TIME_WAIT",
          "state tcp 7001 server CLOSED");
    link = link_make(&wire, 40000, 7001);
    ck_assert_str_eq(ticks(), ".......");
    link_open(&link);
    ck_assert_str_eq(ticks(), "T......");
    link_data(&link, FLOW_CLIENT, "hello\n");
    ck_assert_str_eq(ticks(), "TT.....");
    link_data(&link, FLOW_SERVER, "hello\n");
    ck_assert_str_eq(ticks(), "TTT....");
    ck_assert(!expect_done(expect));
    link_close(&link, FLOW_CLIENT);
    ck_assert_str_eq(ticks(), "TTTTTTT");
    ck_assert(expect_done(expect));
    end();
}
END_TEST

/* A client that sends its FIN at once: it may overtake the server's reply. */
START_TEST(what_the_two_ends_send_may_cross)
{
    struct link link;

    begin("data tcp 7001 from client \"hello\"",
          "data tcp 7001 from server \"hello\"", "close tcp 7001 by client",
          "close tcp 7001 by server");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_data(&link, FLOW_CLIENT, "hello\n");
    link_send(&link, FLOW_CLIENT, TCP_FIN | TCP_ACK, "");
    ck_assert_str_eq(ticks(), "T...");
    link_send(&link, FLOW_SERVER, TCP_PSH | TCP_ACK, "hello\n");
    ck_assert_str_eq(ticks(), "TTT.");
    link_send(&link, FLOW_SERVER, TCP_FIN | TCP_ACK, "");
    ck_assert_str_eq(ticks(), "TTTT");
    end();
}
END_TEST

START_TEST(a_line_waits_for_the_one_before_it)
{
    struct link link;

    begin("close tcp 7001 by client", "handshake tcp 7001");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_close(&link, FLOW_CLIENT);
    ck_assert_str_eq(ticks(), "T.");
    link = link_make(&wire, 40002, 7001);
    link_open(&link);
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

START_TEST(another_port_does_not_count)
{
    struct link link;

    begin("handshake tcp 7001");
    link = link_make(&wire, 7001, 7002); /* not even as the client's */
    link_open(&link);
    ck_assert_str_eq(ticks(), ".");
    end();
}
END_TEST

START_TEST(opening_forgets_what_happened_and_keeps_what_is)
{
    struct link link;

    begin("state tcp 7001 client ESTABLISHED", "handshake tcp 7001");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    ck_assert_str_eq(ticks(), "TT");
    expect_open(expect);
    ck_assert_str_eq(ticks(), "T.");
    end();
}
END_TEST

START_TEST(two_equal_data_lines_need_two_segments)
{
    struct link link;

    begin("data tcp 7001 from client \"a\"", "data tcp 7001 from client \"a\"");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_data(&link, FLOW_CLIENT, "aaaa");
    ck_assert_str_eq(ticks(), "T.");
    link_data(&link, FLOW_CLIENT, "a");
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

START_TEST(a_text_may_be_cut_over_segments)
{
    struct link link;

    begin("data tcp 7001 from client \"abcabd\\x00\\n\"");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_data(&link, FLOW_CLIENT, "xxabcabcab");
    link_data(&link, FLOW_SERVER, "abd"); /* the other direction */
    ck_assert_str_eq(ticks(), ".");
    link_data(&link, FLOW_CLIENT, "d");
    ck_assert_str_eq(ticks(), ".");
    {
        struct packet packet = link_packet(&link, FLOW_CLIENT,
                                           TCP_ACK | TCP_PSH, "");

        packet.payload = (const uint8_t *)"\0\n";
        packet.payload_length = packet.payload_captured = 2;
        wire_send(&wire, &packet);
    }
    ck_assert_str_eq(ticks(), "T");
    end();
}
END_TEST

START_TEST(a_text_is_looked_for_in_one_connection_at_a_time)
{
    struct link first, second;

    begin("data tcp 7001 from client \"hello\"");
    first = link_make(&wire, 40000, 7001);
    second = link_make(&wire, 40002, 7001);
    link_open(&first);
    link_open(&second);
    link_data(&first, FLOW_CLIENT, "hel");
    link_data(&second, FLOW_CLIENT, "lo");
    ck_assert_str_eq(ticks(), ".");
    link_data(&first, FLOW_CLIENT, "lo");
    ck_assert_str_eq(ticks(), "T");
    end();
}
END_TEST

START_TEST(what_is_sent_again_is_no_new_data)
{
    struct link link;

    begin("data tcp 7001 from client \"hi\"", "data tcp 7001 from client");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_send(&link, FLOW_CLIENT, TCP_PSH | TCP_ACK, "hi");
    link_resend(&link, FLOW_CLIENT, TCP_PSH | TCP_ACK, "hi");
    ck_assert_str_eq(ticks(), "T.");
    ck_assert_str_eq(expect_reason(expect, 1),
                     "the client has sent nothing more since the line above");
    end();
}
END_TEST

START_TEST(bytes_that_were_not_captured_match_nothing)
{
    struct link link;
    struct packet packet;

    begin("data tcp 7001 from client \"ab\"");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    packet = link_packet(&link, FLOW_CLIENT, TCP_ACK, "a..........");
    packet.payload_captured = 1; /* a short snaplen */
    wire_send(&wire, &packet);
    link.next[FLOW_CLIENT] += packet.payload_length;
    link_data(&link, FLOW_CLIENT, "b");
    ck_assert_str_eq(ticks(), ".");
    link_data(&link, FLOW_CLIENT, "ab");
    ck_assert_str_eq(ticks(), "T");
    end();
}
END_TEST

START_TEST(bytes_count_from_the_opening_over_all_segments)
{
    struct link link;

    begin("data tcp 7001 from client 10 bytes");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_data(&link, FLOW_CLIENT, "123456");
    ck_assert_str_eq(ticks(), ".");
    ck_assert_str_eq(expect_reason(expect, 0),
                     "the client has sent 6 of 10 bytes so far");
    link_data(&link, FLOW_CLIENT, "7890");
    ck_assert_str_eq(ticks(), "T");
    end();
}
END_TEST

START_TEST(refused_and_reset_are_told_apart)
{
    struct link link;

    begin("refused tcp 7001", "not reset tcp 7001 by server",
          "handshake tcp 7001", "reset tcp 7001 by client");
    link = link_make(&wire, 40000, 7001);
    link_send(&link, FLOW_CLIENT, TCP_SYN, "");
    link_send(&link, FLOW_SERVER, TCP_RST | TCP_ACK, "");
    ck_assert_str_eq(ticks(), "T...");
    link = link_make(&wire, 40002, 7001);
    link_open(&link);
    ck_assert_str_eq(ticks(), "TTT.");
    link_send(&link, FLOW_CLIENT, TCP_RST | TCP_ACK, "");
    ck_assert_str_eq(ticks(), "TTTT");
    end();
}
END_TEST

START_TEST(retransmissions_are_counted_by_kind)
{
    struct link link;

    begin("retransmit tcp 7001 syn 2", "retransmit tcp 7001 data");
    link = link_make(&wire, 40000, 7001);
    link_send(&link, FLOW_CLIENT, TCP_SYN, "");
    link_resend(&link, FLOW_CLIENT, TCP_SYN, "");
    ck_assert_str_eq(ticks(), "..");
    ck_assert_str_eq(expect_reason(expect, 0), "1 of 2 have been seen");
    link_resend(&link, FLOW_CLIENT, TCP_SYN, "");
    ck_assert_str_eq(ticks(), "T.");
    link_send(&link, FLOW_SERVER, TCP_SYN | TCP_ACK, "");
    link_send(&link, FLOW_CLIENT, TCP_ACK, "");
    link_send(&link, FLOW_CLIENT, TCP_PSH | TCP_ACK, "x");
    ck_assert_str_eq(ticks(), "T.");
    link_resend(&link, FLOW_CLIENT, TCP_PSH | TCP_ACK, "x");
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

START_TEST(a_zero_window_is_of_one_side)
{
    struct link link;
    struct packet packet;

    begin("zero-window tcp 7001 by server");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    packet = link_packet(&link, FLOW_CLIENT, TCP_ACK, "");
    packet.tcp.window = 0;
    wire_send(&wire, &packet);
    ck_assert_str_eq(ticks(), ".");
    packet = link_packet(&link, FLOW_SERVER, TCP_ACK, "");
    packet.tcp.window = 0;
    wire_send(&wire, &packet);
    ck_assert_str_eq(ticks(), "T");
    end();
}
END_TEST

START_TEST(a_fleeting_state_counts_though_it_has_passed)
{
    struct link link;

    begin("data tcp 7001 from client", "state tcp 7001 server LAST_ACK",
          "close tcp 7001 by server");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_data(&link, FLOW_CLIENT, "x");
    link_close(&link, FLOW_CLIENT);
    ck_assert_str_eq(ticks(), "TTT");
    end();
}
END_TEST

START_TEST(established_counts_connections_exactly)
{
    struct link first, second;

    begin("established tcp 7001 2", "established tcp 7001 1",
          "established tcp 7001 0");
    first = link_make(&wire, 40000, 7001);
    second = link_make(&wire, 40002, 7001);
    link_open(&first);
    ck_assert_str_eq(ticks(), "...");
    ck_assert_str_eq(expect_reason(expect, 0),
                     "1 connection to port 7001 is ESTABLISHED, not 2");
    link_open(&second);
    ck_assert_str_eq(ticks(), "T..");
    link_close(&first, FLOW_CLIENT);
    ck_assert_str_eq(ticks(), "TT.");
    link_close(&second, FLOW_SERVER);
    ck_assert_str_eq(ticks(), "TTT");
    end();
}
END_TEST

START_TEST(any_connection_to_the_port_may_have_the_state)
{
    struct link first, second;

    begin("state tcp 7001 client TIME_WAIT",
          "state tcp 7001 client ESTABLISHED",
          "not state tcp 7001 server TIME_WAIT", "established tcp 7001 0");
    first = link_make(&wire, 40000, 7001);
    second = link_make(&wire, 40002, 7001);
    link_open(&first);
    link_open(&second);
    link_close(&first, FLOW_CLIENT);
    ck_assert_str_eq(ticks(), "TT..");
    link_close(&second, FLOW_SERVER);
    ck_assert_str_eq(ticks(), "TTTT");
    end();
}
END_TEST

START_TEST(from_the_middle_the_port_of_the_line_is_the_servers)
{
    struct link link;

    /* By its numbers 50001 would be taken for the client. */
    begin("data tcp 50001 from server \"pong\"", "close tcp 50001 by client");
    link = link_make(&wire, 40000, 50001);
    link_data(&link, FLOW_CLIENT, "ping");
    ck_assert_str_eq(ticks(), "..");
    link_data(&link, FLOW_SERVER, "pong");
    ck_assert_str_eq(ticks(), "T.");
    link_close(&link, FLOW_CLIENT);
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

/* --- not ------------------------------------------------------------------- */

START_TEST(a_not_line_holds_until_the_next_positive_line)
{
    struct link link;

    begin("handshake tcp 7001", "not data tcp 7001 from server",
          "data tcp 7001 from client", "data tcp 7001 from server");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    ck_assert_str_eq(ticks(), "T...");
    link_data(&link, FLOW_CLIENT, "x");
    link_data(&link, FLOW_SERVER, "x");
    ck_assert_str_eq(ticks(), "TTTT");
    end();
}
END_TEST

START_TEST(a_not_line_that_came_true_is_broken_for_good)
{
    struct link link;

    begin("handshake tcp 7001", "not data tcp 7001 from server",
          "data tcp 7001 from client");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_data(&link, FLOW_SERVER, "early");
    link_data(&link, FLOW_CLIENT, "x");
    ck_assert_str_eq(ticks(), "TBT");
    ck_assert(expect_broken(expect));
    ck_assert(!expect_done(expect));
    ck_assert_str_eq(expect_reason(expect, 1),
                     "it came true, and must not have");
    end();
}
END_TEST

START_TEST(the_last_not_line_holds_to_the_end)
{
    struct link link;

    begin("handshake tcp 7001", "not retransmit tcp 7001 data");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    ck_assert(expect_done(expect));
    ck_assert(!expect_decided(expect, 1));
    link_send(&link, FLOW_CLIENT, TCP_PSH | TCP_ACK, "x");
    link_resend(&link, FLOW_CLIENT, TCP_PSH | TCP_ACK, "x");
    ck_assert(!expect_done(expect));
    ck_assert(expect_decided(expect, 1));
    end();
}
END_TEST

/* --- with the kernel ------------------------------------------------------- */

START_TEST(a_listener_is_believed_when_the_kernel_shows_it)
{
    struct link link;
    struct socket_sample listener;

    begin_kernel("not listen tcp 7001", "handshake tcp 7002", "listen tcp 7001",
                 "state tcp 7001 server LISTEN");
    link = link_make(&wire, 40001, 7002);
    link_open(&link);
    link = link_make(&wire, 40000, 7001);
    link_send(&link, FLOW_CLIENT, TCP_SYN, ""); /* proves nothing */
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), "TT..");
    ck_assert_str_eq(expect_reason(expect, 2),
                     "no program listens on TCP port 7001 yet");
    listener = link_socket(&link, FLOW_SERVER, TCP_LISTEN);
    wire_socket(&wire, EVENT_SOCKET, &listener);
    ck_assert_str_eq(ticks(), "TT.."); /* the look is not complete */
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), "TTTT");
    end();
}
END_TEST

START_TEST(a_handshake_proves_a_listener_that_no_look_saw)
{
    struct link link;

    begin_kernel("listen tcp 7001", "handshake tcp 7001",
                 "not listen tcp 7001");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), "TTT");
    end();
}
END_TEST

START_TEST(an_ipv6_wildcard_listener_serves_ipv4)
{
    struct socket_sample listener = {.protocol = PROTO_TCP,
                                     .state = TCP_LISTEN,
                                     .local = {.family = 6, .port = 7001},
                                     .cookie = 5};

    begin_kernel("listen tcp 7001", "not listen tcp 7001");
    wire_socket(&wire, EVENT_SOCKET, &listener);
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), "TB");
    end();
}
END_TEST

START_TEST(a_lasting_state_needs_wire_and_kernel)
{
    struct link link;
    struct socket_sample client;

    begin_kernel("state tcp 7001 client ESTABLISHED",
                 "state tcp 7001 client TIME_WAIT");
    link = link_make(&wire, 40000, 7001);
    client = link_socket(&link, FLOW_CLIENT, TCP_ESTABLISHED);
    wire_socket(&wire, EVENT_SOCKET, &client);
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), ".."); /* the wire does not know it yet */
    link_open(&link);
    ck_assert_str_eq(ticks(), "T.");
    link_close(&link, FLOW_CLIENT);
    ck_assert_str_eq(ticks(), "T.");
    ck_assert_str_eq(expect_reason(expect, 1),
                     "by the wire the client's end is TIME_WAIT, but its "
                     "kernel says ESTABLISHED");
    wire_socket(&wire, EVENT_GONE, &client);
    client = link_socket(&link, FLOW_CLIENT, TCP_TIME_WAIT);
    wire_socket(&wire, EVENT_SOCKET, &client);
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

START_TEST(a_reset_in_time_wait_leaves_it_to_the_kernel)
{
    struct link link;
    struct socket_sample server;

    begin_kernel("state tcp 7001 server TIME_WAIT",
                 "not state tcp 7001 client TIME_WAIT");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_close(&link, FLOW_SERVER);
    link_send(&link, FLOW_CLIENT, TCP_RST, "");
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), ".."); /* the kernel may have ended it */
    server = link_socket(&link, FLOW_SERVER, TCP_TIME_WAIT);
    wire_socket(&wire, EVENT_SOCKET, &server);
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

START_TEST(a_short_state_is_the_wires_alone)
{
    struct link link;

    begin_kernel("state tcp 7001 client SYN_SENT",
                 "state tcp 7001 server SYN_RECV");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

START_TEST(established_is_counted_by_the_servers_sockets)
{
    struct link first, second;
    struct socket_sample socket;

    begin_kernel("established tcp 7001 2");
    first = link_make(&wire, 40000, 7001);
    second = link_make(&wire, 40002, 7001);
    link_open(&first);
    link_open(&second);
    for (int side = 0; side < 2; side++) {
        socket = link_socket(&first, (enum flow_side)side, TCP_ESTABLISHED);
        wire_socket(&wire, EVENT_SOCKET, &socket);
    }
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), ".");
    socket = link_socket(&second, FLOW_SERVER, TCP_ESTABLISHED);
    wire_socket(&wire, EVENT_SOCKET, &socket);
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), "T");
    end();
}
END_TEST

START_TEST(an_event_before_a_state_was_sampled_still_counts)
{
    struct link link;
    struct socket_sample socket;

    begin_kernel("handshake tcp 7001", "established tcp 7001 1",
                 "data tcp 7001 from client \"now\"",
                 "close tcp 7001 by client");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_data(&link, FLOW_CLIENT, "now");
    ck_assert_str_eq(ticks(), "T...");
    socket = link_socket(&link, FLOW_SERVER, TCP_ESTABLISHED);
    wire_socket(&wire, EVENT_SOCKET, &socket);
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), "TTT.");
    end();
}
END_TEST

START_TEST(the_reason_knows_a_port_in_the_wrong_byte_order)
{
    struct socket_sample listener = {
        .protocol = PROTO_TCP,
        .state = TCP_LISTEN,
        .local = {.family = 4, .port = 22811}, /* 7001 swapped */
        .cookie = 5};

    begin_kernel("listen tcp 7001");
    wire_socket(&wire, EVENT_SOCKET, &listener);
    wire_looked(&wire);
    ck_assert_ptr_nonnull(strstr(expect_reason(expect, 0), "htons"));
    end();
}
END_TEST

START_TEST(the_reason_knows_a_server_outside_the_lab)
{
    struct socket_sample listener = {.protocol = PROTO_TCP,
                                     .state = TCP_LISTEN,
                                     .local = {.family = 4, .port = 7001}};

    begin_kernel("listen tcp 7001");
    wire_socket(&wire, EVENT_OUTSIDE, &listener);
    ck_assert_str_eq(ticks(), ".");
    ck_assert_ptr_nonnull(strstr(expect_reason(expect, 0), "make shell"));
    end();
}
END_TEST

/* --- UDP ------------------------------------------------------------------- */

START_TEST(datagrams_are_counted_and_measured)
{
    struct link link;

    begin("datagram udp 7003 from client x2", "not unreachable udp 7003",
          "datagram udp 7003 from server 3 bytes",
          "datagram udp 7003 from client 0 bytes", "unreachable udp 7003");
    link = link_make(&wire, 40000, 7003);
    link_datagram(&link, FLOW_CLIENT, "one");
    ck_assert_str_eq(ticks(), ".....");
    link_datagram(&link, FLOW_CLIENT, "two");
    ck_assert_str_eq(ticks(), "T....");
    link_datagram(&link, FLOW_SERVER, "four");
    ck_assert_str_eq(ticks(), "T....");
    link_datagram(&link, FLOW_SERVER, "six");
    ck_assert_str_eq(ticks(), "TTT..");
    link_datagram(&link, FLOW_CLIENT, "");
    ck_assert_str_eq(ticks(), "TTTT.");
    link_unreachable(&link, FLOW_CLIENT);
    ck_assert_str_eq(ticks(), "TTTTT");
    end();
}
END_TEST

START_TEST(a_udp_server_listens_when_the_kernel_has_it_bound)
{
    struct socket_sample socket = {.protocol = PROTO_UDP,
                                   .state = TCP_CLOSED,
                                   .local = {.family = 4, .port = 7003},
                                   .cookie = 9};

    begin_kernel("listen udp 7003");
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), ".");
    wire_socket(&wire, EVENT_SOCKET, &socket);
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), "T");
    end();
}
END_TEST

/* --- terminals and waiting programs ---------------------------------------- */

START_TEST(terminals_print_exit_and_open)
{
    begin("shell A", "prints A \"listening on\"", "exits A 0");
    terminal('B', EVENT_OPENED, NULL, 0);
    ck_assert_str_eq(ticks(), "...");
    ck_assert_ptr_nonnull(strstr(expect_reason(expect, 0), "make shell"));
    terminal('A', EVENT_OPENED, NULL, 0);
    ck_assert_str_eq(ticks(), "T..");
    terminal('A', EVENT_TYPED, "./server", 0);
    terminal('B', EVENT_PRINTED, "listening on 127.0.0.1:7001", 0);
    ck_assert_str_eq(ticks(), "T..");
    terminal('A', EVENT_PRINTED, "server: listening on 127.0.0.1:7001", 0);
    ck_assert_str_eq(ticks(), "TT.");
    terminal('A', EVENT_EXITED, NULL, 1);
    ck_assert_str_eq(ticks(), "TT.");
    ck_assert_str_eq(expect_reason(expect, 2),
                     "the command in terminal A ended with status 1, not 0");
    terminal('A', EVENT_EXITED, NULL, 0);
    ck_assert_str_eq(ticks(), "TTT");
    end();
}
END_TEST

START_TEST(an_empty_line_printed_before_its_turn_holds_no_text)
{
    begin("shell B", "prints A \"x\"");
    terminal('A', EVENT_PRINTED, "", 0);
    terminal('B', EVENT_OPENED, NULL, 0);
    ck_assert_str_eq(ticks(), "T.");
    terminal('A', EVENT_PRINTED, "x", 0);
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

START_TEST(a_shell_stays_open_over_steps)
{
    begin("shell A");
    terminal('A', EVENT_OPENED, NULL, 0);
    expect_open(expect);
    ck_assert_str_eq(ticks(), "T");
    end();
}
END_TEST

START_TEST(what_is_printed_before_the_wire_is_read_still_counts)
{
    struct link link;

    begin("data tcp 7001 from server \"hello\"", "prints B \"hello\"",
          "prints B \"hello\"");
    link = link_make(&wire, 40000, 7001);
    terminal('B', EVENT_PRINTED, "hello", 0);
    link_open(&link);
    link_data(&link, FLOW_SERVER, "hello\n");
    ck_assert_str_eq(ticks(), "TT."); /* one line serves one line */
    end();
}
END_TEST

START_TEST(a_waiting_call_is_looked_for_only_when_it_is_asked_for)
{
    enum flow_side side = FLOW_CLIENT;
    uint16_t port = 0;
    struct link link;

    begin("handshake tcp 7001", "waits server recv",
          "waits client connect 7002", "waits server accept");
    ck_assert(!expect_wants_waits(expect, &side, &port));
    waits(FLOW_SERVER, 7001, WAIT_RECV); /* before its turn */
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    ck_assert_str_eq(ticks(), "T...");
    ck_assert(expect_wants_waits(expect, &side, &port));
    ck_assert_int_eq(side, FLOW_SERVER);
    ck_assert_uint_eq(port, 7001);
    waits(FLOW_SERVER, 7001, WAIT_ACCEPT);
    waits(FLOW_CLIENT, 7001, WAIT_RECV);
    ck_assert_str_eq(ticks(), "T...");
    ck_assert_str_eq(expect_reason(expect, 1),
                     "the server waits in accept, not in recv");
    waits(FLOW_SERVER, 7001, WAIT_RECV);
    ck_assert_str_eq(ticks(), "TT..");
    ck_assert(expect_wants_waits(expect, &side, &port));
    ck_assert_int_eq(side, FLOW_CLIENT);
    ck_assert_uint_eq(port, 7002);
    waits(FLOW_CLIENT, 7002, WAIT_CONNECT);
    ck_assert_str_eq(ticks(), "TTT.");
    end();
}
END_TEST

/* --- reasons --------------------------------------------------------------- */

START_TEST(a_reason_says_what_is_there_instead)
{
    struct link link;

    begin("state tcp 7001 server CLOSED", "handshake tcp 7001");
    ck_assert_str_eq(expect_reason(expect, 0),
                     "no connection to port 7001 has been seen yet");
    ck_assert_str_eq(expect_reason(expect, 1),
                     "its turn comes after the lines above");
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_send(&link, FLOW_CLIENT, TCP_FIN | TCP_ACK, "");
    link_send(&link, FLOW_SERVER, TCP_ACK, "");
    ck_assert_str_eq(expect_reason(expect, 0),
                     "the server's end is CLOSE_WAIT, not yet CLOSED");
    link_send(&link, FLOW_SERVER, TCP_FIN | TCP_ACK, "");
    link_send(&link, FLOW_CLIENT, TCP_ACK, "");
    ck_assert_str_eq(expect_reason(expect, 0), "");
    ck_assert_str_eq(expect_reason(expect, 99), "");
    end();
}
END_TEST

/* --- bounds ---------------------------------------------------------------- */

START_TEST(a_flood_is_bounded_and_later_lines_still_come_true)
{
    static char payload[4001];
    struct link link;
    struct socket_sample listener;

    /* The first line keeps all of it waiting. */
    begin_kernel("listen tcp 7009", "data tcp 7001 from client \"end\"",
                 "close tcp 7001 by client");
    memset(payload, 'x', sizeof payload - 1);
    for (uint16_t port = 1024; port < 21024; port++) {
        link = link_make(&wire, port, 7001);
        link_open(&link);
        link_data(&link, FLOW_CLIENT, payload);
    }
    link_data(&link, FLOW_CLIENT, "the end");
    link_close(&link, FLOW_CLIENT);
    link = link_make(&wire, 1, 7009);
    listener = link_socket(&link, FLOW_SERVER, TCP_LISTEN);
    wire_socket(&wire, EVENT_SOCKET, &listener);
    wire_looked(&wire);
    ck_assert_str_eq(ticks(), "TTT");
    end();
}
END_TEST

START_TEST(hostile_lines_are_refused_not_overrun)
{
    char line[4096];

    memset(line, 'a', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    ck_assert(!understood(line));
    memcpy(line, "prints A \"", 10);
    ck_assert(!understood(line));
    line[sizeof line - 2] = '"';
    ck_assert(!understood(line));
    ck_assert(!understood("established tcp 7001 99999999999999999999999"));
    ck_assert(!understood("prints A \"\\"));
    ck_assert(!understood("prints A \"\\x"));
}
END_TEST

static TCase *language(void)
{
    TCase *tcase = tcase_create("language");

    tcase_add_test(tcase, every_term_is_understood);
    tcase_add_test(tcase, a_wrong_word_is_named_with_what_may_stand_there);
    tcase_add_test(tcase, a_complaint_quotes_nothing_that_a_terminal_obeys);
    tcase_add_test(tcase,
                   a_line_is_shown_trimmed_and_without_what_a_terminal_obeys);
    tcase_add_test(tcase, a_block_has_room_for_a_number_of_paths);
    tcase_add_test(tcase, what_no_event_shows_is_refused_in_a_clear_sentence);
    tcase_add_test(tcase, a_path_is_a_word_that_the_kernel_has_room_for);
    tcase_add_test(tcase, patience_is_ten_seconds_or_what_within_says);
    tcase_add_test(tcase, hostile_lines_are_refused_not_overrun);
    return tcase;
}

/* --- what is lost, and Unix-domain sockets --------------------------------- */

static void unix_socket(const char *path)
{
    struct event event = {.kind = EVENT_UNIX, .path = path};

    expect_feed(expect, &event);
}

static void whole_look(void)
{
    struct event event = {.kind = EVENT_LOOKED};

    expect_feed(expect, &event);
}

START_TEST(a_unix_socket_listens_as_of_the_last_whole_look)
{
    begin_kernel("listen unix /tmp/echo.sock", "not listen unix @echo",
                 "listen unix /tmp/other.sock");
    ck_assert(expect_wants_unix(expect));
    ck_assert_str_eq(expect_reason(expect, 0),
                     "no program listens at /tmp/echo.sock yet");
    unix_socket("/tmp/echo.soc");
    unix_socket("/tmp/echo.sock");
    ck_assert_str_eq(ticks(), "...");
    whole_look();
    ck_assert_str_eq(ticks(), "T..");
    whole_look();
    unix_socket("/tmp/other.sock");
    whole_look();
    ck_assert_str_eq(ticks(), "TTT");
    end();
}
END_TEST

START_TEST(a_reason_names_a_path_without_what_a_terminal_obeys)
{
    begin_kernel(
        "listen unix \"/tmp/\\x1b[2Ja\\xff\\xe2\\x80\\xae\\xc3\\xa9\"");
    ck_assert_str_eq(expect_reason(expect, 0),
                     "no program listens at /tmp/.[2Ja..\xc3\xa9 yet");
    unix_socket("/tmp/\x1b[2Ja\xff\xe2\x80\xae\xc3\xa9");
    whole_look();
    ck_assert_str_eq(ticks(), "T"); /* it is awaited as it is */
    end();
}
END_TEST

START_TEST(a_unix_path_is_the_same_with_a_dot_before_it)
{
    begin_kernel("listen unix echo.sock");
    unix_socket("./echo.sock");
    whole_look();
    ck_assert_str_eq(ticks(), "T");
    end();
    begin_kernel("handshake tcp 7001");
    ck_assert(!expect_wants_unix(expect));
    end();
}
END_TEST

static struct packet datagram(uint16_t from, uint16_t to)
{
    struct packet packet = {.status = DECODE_OK,
                            .has_transport = true,
                            .protocol = PROTO_UDP,
                            .source = {4, {127, 0, 0, 1}, from},
                            .destination = {4, {127, 0, 0, 1}, to},
                            .payload_length = 5};

    return packet;
}

static void lost(uint8_t protocol, uint16_t from, uint16_t to)
{
    struct packet packet = datagram(from, to);
    struct event event = {.kind = EVENT_LOST, .time_ns = 1};

    packet.protocol = protocol;
    event.lost = lost_packet_of(&packet);
    expect_feed(expect, &event);
}

START_TEST(a_datagram_is_lost_when_the_wire_says_so)
{
    begin("lost udp 7003", "lost udp 7003");
    lost(PROTO_TCP, 40000, 7003);
    lost(PROTO_UDP, 40000, 7004);
    ck_assert_str_eq(ticks(), "..");
    lost(PROTO_UDP, 40000, 7003);
    ck_assert_str_eq(ticks(), "T.");
    lost(PROTO_UDP, 7003, 40000); /* the answer */
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

static void udp_socket(uint16_t port, uint32_t drops, uint64_t cookie)
{
    struct event event = {.kind = EVENT_SOCKET};

    event.socket = (struct socket_sample){.protocol = PROTO_UDP,
                                          .state = TCP_CLOSED,
                                          .local = {4, {127, 0, 0, 1}, port},
                                          .cookie = cookie,
                                          .drops = drops};
    expect_feed(expect, &event);
}

START_TEST(a_datagram_is_lost_when_a_buffer_was_full)
{
    begin_kernel("lost udp 7003", "lost udp 7003");
    udp_socket(7003, 0, 1);
    whole_look();
    udp_socket(7003, 0, 1);
    udp_socket(7004, 5, 2);
    whole_look();
    ck_assert_str_eq(ticks(), "..");
    udp_socket(7003, 2, 1);
    whole_look();
    ck_assert_str_eq(ticks(), "T.");
    udp_socket(7003, 2, 1);
    whole_look();
    ck_assert_str_eq(ticks(), "T.");
    udp_socket(7003, 3, 9); /* a new socket at the same port */
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

START_TEST(what_a_buffer_lost_before_our_time_does_not_count)
{
    begin_kernel("not lost udp 7003", "listen udp 7003");
    udp_socket(7003, 40, 1);
    whole_look();
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

/* The kernel's word comes late: what followed on the wire is still there. */
START_TEST(a_loss_takes_no_event_of_the_wire_away)
{
    struct packet packet = datagram(40000, 7003);

    begin("lost udp 7003", "datagram udp 7003 from client x2 5 bytes");
    wire_send(&wire, &packet);
    wire_send(&wire, &packet);
    lost(PROTO_UDP, 40000, 7003);
    ck_assert_str_eq(ticks(), "TT");
    end();
}
END_TEST

static TCase *connections(void)
{
    TCase *tcase = tcase_create("connections");

    tcase_add_test(tcase, lines_come_true_in_order);
    tcase_add_test(tcase, what_the_two_ends_send_may_cross);
    tcase_add_test(tcase, a_line_waits_for_the_one_before_it);
    tcase_add_test(tcase, another_port_does_not_count);
    tcase_add_test(tcase, opening_forgets_what_happened_and_keeps_what_is);
    tcase_add_test(tcase, two_equal_data_lines_need_two_segments);
    tcase_add_test(tcase, a_text_may_be_cut_over_segments);
    tcase_add_test(tcase, a_text_is_looked_for_in_one_connection_at_a_time);
    tcase_add_test(tcase, what_is_sent_again_is_no_new_data);
    tcase_add_test(tcase, bytes_that_were_not_captured_match_nothing);
    tcase_add_test(tcase, bytes_count_from_the_opening_over_all_segments);
    tcase_add_test(tcase, refused_and_reset_are_told_apart);
    tcase_add_test(tcase, retransmissions_are_counted_by_kind);
    tcase_add_test(tcase, a_zero_window_is_of_one_side);
    tcase_add_test(tcase, a_fleeting_state_counts_though_it_has_passed);
    tcase_add_test(tcase, established_counts_connections_exactly);
    tcase_add_test(tcase, any_connection_to_the_port_may_have_the_state);
    tcase_add_test(tcase, from_the_middle_the_port_of_the_line_is_the_servers);
    tcase_add_test(tcase, a_not_line_holds_until_the_next_positive_line);
    tcase_add_test(tcase, a_not_line_that_came_true_is_broken_for_good);
    tcase_add_test(tcase, the_last_not_line_holds_to_the_end);
    tcase_add_test(tcase, datagrams_are_counted_and_measured);
    tcase_add_test(tcase, a_reason_says_what_is_there_instead);
    tcase_add_test(tcase, a_flood_is_bounded_and_later_lines_still_come_true);
    return tcase;
}

static TCase *kernel(void)
{
    TCase *tcase = tcase_create("kernel");

    tcase_add_test(tcase, a_listener_is_believed_when_the_kernel_shows_it);
    tcase_add_test(tcase, a_handshake_proves_a_listener_that_no_look_saw);
    tcase_add_test(tcase, an_ipv6_wildcard_listener_serves_ipv4);
    tcase_add_test(tcase, a_lasting_state_needs_wire_and_kernel);
    tcase_add_test(tcase, a_reset_in_time_wait_leaves_it_to_the_kernel);
    tcase_add_test(tcase, a_short_state_is_the_wires_alone);
    tcase_add_test(tcase, established_is_counted_by_the_servers_sockets);
    tcase_add_test(tcase, an_event_before_a_state_was_sampled_still_counts);
    tcase_add_test(tcase, the_reason_knows_a_port_in_the_wrong_byte_order);
    tcase_add_test(tcase, the_reason_knows_a_server_outside_the_lab);
    tcase_add_test(tcase, a_unix_socket_listens_as_of_the_last_whole_look);
    tcase_add_test(tcase, a_reason_names_a_path_without_what_a_terminal_obeys);
    tcase_add_test(tcase, a_unix_path_is_the_same_with_a_dot_before_it);
    tcase_add_test(tcase, a_datagram_is_lost_when_the_wire_says_so);
    tcase_add_test(tcase, a_datagram_is_lost_when_a_buffer_was_full);
    tcase_add_test(tcase, what_a_buffer_lost_before_our_time_does_not_count);
    tcase_add_test(tcase, a_loss_takes_no_event_of_the_wire_away);
    tcase_add_test(tcase, a_udp_server_listens_when_the_kernel_has_it_bound);
    return tcase;
}

static TCase *terminals(void)
{
    TCase *tcase = tcase_create("terminals");

    tcase_add_test(tcase, terminals_print_exit_and_open);
    tcase_add_test(tcase, an_empty_line_printed_before_its_turn_holds_no_text);
    tcase_add_test(tcase, a_shell_stays_open_over_steps);
    tcase_add_test(tcase, what_is_printed_before_the_wire_is_read_still_counts);
    tcase_add_test(tcase,
                   a_waiting_call_is_looked_for_only_when_it_is_asked_for);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("expect");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, language());
    suite_add_tcase(suite, connections());
    suite_add_tcase(suite, kernel());
    suite_add_tcase(suite, terminals());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
