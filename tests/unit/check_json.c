/* viz/events/json: every line is one JSON object of the documented shape, the
 * same bytes for the same packets, and no payload ever. */
#include "viz/events/json.h"

#include <check.h>
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>

#include "tests/unit/wire.h"
#include "viz/session.h"

static struct json_writer json;
static struct wire wire;
static FILE *out;
static char *text;
static size_t size;

static void begin(void)
{
    out = open_memstream(&text, &size);
    json_begin(&json, out);
    wire_init(&wire, json_event, &json);
}

/* The n-th line, parsed; the caller's to decref. */
static json_t *line(size_t n)
{
    json_error_t error;
    json_t *object;
    const char *at;

    fflush(out);
    for (at = text; n > 0; n--) {
        at = strchr(at, '\n');
        ck_assert_ptr_nonnull(at++);
    }
    object = json_loadb(at, strcspn(at, "\n"), JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(json_is_object(object), "%s in %s", error.text, at);
    return object;
}

static void end(void)
{
    wire_fini(&wire);
    json_fini(&json);
    fclose(out);
    free(text);
}

static void is(json_t *object, const char *expected)
{
    json_t *wanted = json_loads(expected, 0, NULL);
    char *got = json_dumps(object, JSON_COMPACT);

    ck_assert_ptr_nonnull(wanted);
    ck_assert_msg(json_equal(object, wanted), "%s\nis not\n%s", got, expected);
    free(got);
    json_decref(wanted);
    json_decref(object);
}

START_TEST(the_first_line_names_the_version)
{
    begin();
    is(line(0), "{\"type\":\"viz\",\"version\":1,"
                "\"schema\":\"docs/viz-json.md\"}");
    end();
}
END_TEST

START_TEST(a_tcp_packet_has_all_its_fields)
{
    struct link link;

    begin();
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_data(&link, FLOW_CLIENT, "hello\n");
    is(line(1),
       "{\"type\":\"packet\",\"n\":1,\"t\":0.0,\"conn\":0,\"proto\":\"tcp\","
       "\"src\":\"127.0.0.1\",\"sport\":40000,\"dst\":\"127.0.0.1\","
       "\"dport\":7001,\"len\":0,\"flags\":\"S\",\"seq\":1000,\"ack\":0,"
       "\"rseq\":0,\"rack\":0,\"win\":65535,\"verdicts\":[],"
       "\"client\":\"SYN_SENT\",\"server\":\"LISTEN\"}");
    is(line(4),
       "{\"type\":\"packet\",\"n\":4,\"t\":0.000003000,\"conn\":0,"
       "\"proto\":\"tcp\",\"src\":\"127.0.0.1\",\"sport\":40000,"
       "\"dst\":\"127.0.0.1\",\"dport\":7001,\"len\":6,\"flags\":\"PA\","
       "\"seq\":1001,\"ack\":5001,\"rseq\":1,\"rack\":1,\"win\":65535,"
       "\"verdicts\":[],\"client\":\"ESTABLISHED\","
       "\"server\":\"ESTABLISHED\",\"flight\":6}");
    ck_assert_ptr_null(strstr(text, "hello"));
    end();
}
END_TEST

START_TEST(tcp_options_are_told_as_they_stand)
{
    struct packet packet;
    struct link link;

    begin();
    link = link_make(&wire, 40000, 7001);
    packet = link_packet(&link, FLOW_CLIENT, TCP_SYN, "");
    packet.tcp.options = (struct tcp_options){
        .has = OPT_MSS | OPT_WSCALE | OPT_SACK_OK | OPT_SACK | OPT_TIMESTAMP |
               OPT_FASTOPEN,
        .mss = 1460,
        .window_scale = 7,
        .sack_count = 2,
        .sack = {{10, 20}, {30, UINT32_MAX}},
        .ts_value = 5,
        .ts_echo = 6,
    };
    wire_send(&wire, &packet);
    fflush(out);
    ck_assert_ptr_nonnull(
        strstr(text, "\"options\":{\"mss\":1460,\"wscale\":7,"
                     "\"sack_ok\":true,\"sack\":[[10,20],[30,4294967295]],"
                     "\"ts\":[5,6],\"fastopen\":true},\"verdicts\""));
    end();
}
END_TEST

START_TEST(times_have_nine_digits_and_may_go_back)
{
    struct link link;

    begin();
    link = link_make(&wire, 40000, 7001);
    link_send(&link, FLOW_CLIENT, TCP_SYN, "");
    wire.now_ns -= 1500000001;
    link_send(&link, FLOW_SERVER, TCP_SYN | TCP_ACK, "");
    fflush(out);
    ck_assert_ptr_nonnull(strstr(text, "\"n\":1,\"t\":0.000000000,"));
    ck_assert_ptr_nonnull(strstr(text, "\"n\":2,\"t\":-1.499999001,"));
    end();
}
END_TEST

START_TEST(verdicts_have_their_kind_and_evidence)
{
    struct link link;
    json_t *packet;

    begin();
    link = link_make(&wire, 40000, 7001);
    link_send(&link, FLOW_CLIENT, TCP_SYN, "");
    link_resend(&link, FLOW_CLIENT, TCP_SYN, "");
    packet = line(2);
    is(json_incref(json_object_get(packet, "verdicts")),
       "[{\"name\":\"retransmission\",\"kind\":\"syn\","
       "\"evidence\":\"vantage\",\"count\":1,\"packet\":1,"
       "\"gap\":1e-6,\"lost\":\"after\"}]");
    json_decref(packet);
    end();
}
END_TEST

START_TEST(a_datagram_has_no_tcp_fields)
{
    struct link link;

    begin();
    link = link_make(&wire, 40000, 7003);
    link_datagram(&link, FLOW_CLIENT, "x");
    is(line(1), "{\"type\":\"packet\",\"n\":1,\"t\":0.0,\"conn\":0,"
                "\"proto\":\"udp\",\"src\":\"127.0.0.1\",\"sport\":40000,"
                "\"dst\":\"127.0.0.1\",\"dport\":7003,\"len\":1,"
                "\"verdicts\":[]}");
    link_unreachable(&link, FLOW_CLIENT);
    is(line(2), "{\"type\":\"packet\",\"n\":2,\"t\":1e-6,\"conn\":0,"
                "\"proto\":\"icmp\",\"src\":\"127.0.0.1\","
                "\"dst\":\"127.0.0.1\",\"len\":0,\"icmp_type\":3,"
                "\"icmp_code\":3,\"verdicts\":[{\"name\":\"unreachable\"}],"
                "\"errno\":\"ECONNREFUSED\",\"errno_now\":true}");
    end();
}
END_TEST

START_TEST(what_belongs_to_no_connection_has_conn_null)
{
    struct packet strange = {.status = DECODE_UNKNOWN};
    struct packet cut = {.status = DECODE_SHORT,
                         .source = {.family = 6, .address = {[15] = 1}},
                         .destination = {.family = 6, .address = {[15] = 2}},
                         .protocol = PROTO_TCP};

    begin();
    wire_send(&wire, &strange);
    is(line(1), "{\"type\":\"packet\",\"n\":1,\"t\":0.0,\"conn\":null,"
                "\"proto\":null,\"verdicts\":[],\"status\":\"unknown\"}");
    wire_send(&wire, &cut);
    is(line(2), "{\"type\":\"packet\",\"n\":2,\"t\":1e-6,\"conn\":null,"
                "\"proto\":\"tcp\",\"src\":\"::1\",\"dst\":\"::2\","
                "\"len\":0,\"verdicts\":[],\"status\":\"short\"}");
    cut.protocol = 89;
    cut.status = DECODE_UNKNOWN;
    wire_send(&wire, &cut);
    fflush(out);
    ck_assert_ptr_nonnull(strstr(text, "\"proto\":\"ip-89\""));
    end();
}
END_TEST

START_TEST(a_connection_is_told_at_the_end)
{
    struct link link;
    size_t at = 0;

    begin();
    link = link_make(&wire, 40000, 7001);
    link_open(&link);
    link_data(&link, FLOW_CLIENT, "hello\n");
    link_close(&link, FLOW_CLIENT);
    json_flow(&json, track_next(wire.track, &at));
    is(line(10),
       "{\"type\":\"conn\",\"conn\":0,\"proto\":\"tcp\","
       "\"client\":\"127.0.0.1:40000\",\"server\":\"127.0.0.1:7001\","
       "\"packets\":9,\"bytes\":[6,0],\"retransmissions\":0,"
       "\"client_states\":[\"SYN_SENT\",\"ESTABLISHED\",\"FIN_WAIT1\","
       "\"FIN_WAIT2\",\"TIME_WAIT\"],\"server_states\":[\"LISTEN\","
       "\"SYN_RECV\",\"ESTABLISHED\",\"CLOSE_WAIT\",\"LAST_ACK\",\"CLOSED\"],"
       "\"closed_by\":\"client\",\"vantage\":\"both\","
       "\"initial_rtt\":2e-6}");
    end();
}
END_TEST

/* --- the kernel's sockets -------------------------------------------------- */

static void look(enum event_kind kind, const struct socket_sample *socket,
                 int64_t time_ns)
{
    struct event event = {.kind = kind, .time_ns = time_ns};

    event.socket = *socket;
    json_event(&json, &event);
}

START_TEST(a_socket_is_told_when_it_is_new_or_changed)
{
    struct socket_sample socket = {
        .protocol = PROTO_TCP,
        .state = TCP_LISTEN,
        .local = {4, {127, 0, 0, 1}, 7001},
        .send_queue = 5,
        .inode = 11,
        .cookie = 1,
    };
    struct link link;
    int64_t start;

    begin();
    start = wire.now_ns;
    look(EVENT_SOCKET, &socket, start - 500000000); /* before any packet */
    link = link_make(&wire, 40000, 7001);
    link_send(&link, FLOW_CLIENT, TCP_SYN, "");
    start = json.start_ns;
    is(line(2), "{\"type\":\"packet\",\"n\":1,\"t\":0.0,\"conn\":0,"
                "\"proto\":\"tcp\",\"src\":\"127.0.0.1\",\"sport\":40000,"
                "\"dst\":\"127.0.0.1\",\"dport\":7001,\"len\":0,"
                "\"flags\":\"S\",\"seq\":1000,\"ack\":0,\"rseq\":0,"
                "\"rack\":0,\"win\":65535,\"verdicts\":[],"
                "\"client\":\"SYN_SENT\",\"server\":\"LISTEN\"}");
    fflush(out);
    ck_assert_ptr_nonnull(strstr(text, "\"t\":-0.5"));
    socket.receive_queue = 1;
    look(EVENT_SOCKET, &socket, start + 1000000);
    look(EVENT_SOCKET, &socket, start + 2000000); /* nothing new */
    is(line(3), "{\"type\":\"socket\",\"t\":0.001,\"proto\":\"tcp\","
                "\"local\":\"127.0.0.1:7001\",\"state\":\"LISTEN\","
                "\"waiting\":1,\"backlog\":5,\"inode\":11}");
    look(EVENT_GONE, &socket, start + 3000000);
    is(line(4), "{\"type\":\"socket\",\"t\":0.003,\"proto\":\"tcp\","
                "\"local\":\"127.0.0.1:7001\",\"gone\":true}");
    end();
}
END_TEST

START_TEST(a_socket_has_its_timer_and_its_numbers)
{
    struct socket_sample socket = {
        .protocol = PROTO_TCP,
        .state = TCP_ESTABLISHED,
        .local = {4, {127, 0, 0, 1}, 40000},
        .remote = {4, {127, 0, 0, 1}, 7001},
        .send_queue = 4,
        .timer = 1,
        .timer_ms = 1160,
        .retransmits = 1,
        .inode = 12,
        .cookie = 2,
        .tcp = {.known = true,
                .backoff = 1,
                .rto_us = 1408000,
                .rtt_us = 45,
                .rttvar_us = 20,
                .cwnd = 1,
                .ssthresh = 7,
                .unacked = 1,
                .resent = 1},
    };
    struct link link;

    begin();
    link = link_make(&wire, 40000, 7001);
    link_send(&link, FLOW_CLIENT, TCP_SYN, "");
    look(EVENT_SOCKET, &socket, json.start_ns);
    is(line(2), "{\"type\":\"socket\",\"t\":0.0,\"proto\":\"tcp\","
                "\"local\":\"127.0.0.1:40000\",\"remote\":\"127.0.0.1:7001\","
                "\"state\":\"ESTABLISHED\",\"unread\":0,\"unsent\":4,"
                "\"timer\":\"retransmit\",\"expires\":1.16,\"retransmits\":1,"
                "\"rto\":1.408,\"rtt\":0.000045,\"rttvar\":0.00002,\"cwnd\":1,"
                "\"ssthresh\":7,\"unacked\":1,\"backoff\":1,\"resent\":1,"
                "\"inode\":12}");
    end();
}
END_TEST

/* --- the captures ---------------------------------------------------------- */

static void write_capture(const char *path, FILE *to)
{
    struct capture_error error = {.kind = CAPTURE_FINE};
    struct capture *capture = capture_open_file(path, NULL, &error);
    struct json_writer writer;
    struct session session;
    struct flow *flow;
    size_t at = 0;

    ck_assert_msg(capture != NULL, "%s: %s", path, error.text);
    ck_assert_int_eq(session_init(&session, capture, NULL), 0);
    json_begin(&writer, to);
    session_add_sink(&session, json_event, &writer);
    while (session_pump(&session, 64, &error) > 0)
        ;
    while ((flow = track_next(session.track, &at)) != NULL)
        json_flow(&writer, flow);
    ck_assert_uint_gt(session.packets, 0);
    session_fini(&session);
}

static void check_lines(const char *path, const char *lines)
{
    json_error_t error;
    json_t *object;

    for (const char *at = lines; *at; at += strcspn(at, "\n") + 1) {
        object = json_loadb(at, strcspn(at, "\n"), JSON_REJECT_DUPLICATES,
                            &error);
        ck_assert_msg(object != NULL, "%s: %s", path, error.text);
        ck_assert_msg(json_is_string(json_object_get(object, "type")), "%s",
                      path);
        json_decref(object);
    }
}

START_TEST(every_capture_gives_json_and_the_same_twice)
{
    DIR *folder = opendir("tests/captures");
    struct dirent *entry;
    int captures = 0;

    ck_assert_msg(folder != NULL, "run this where the Makefile is");
    while ((entry = readdir(folder)) != NULL) {
        char path[512], *bytes[2];
        size_t length[2];

        if (!strstr(entry->d_name, ".pcap"))
            continue;
        snprintf(path, sizeof path, "tests/captures/%s", entry->d_name);
        for (int i = 0; i < 2; i++) {
            FILE *to = open_memstream(&bytes[i], &length[i]);

            write_capture(path, to);
            fclose(to);
        }
        ck_assert_uint_eq(length[0], length[1]);
        ck_assert_msg(memcmp(bytes[0], bytes[1], length[0]) == 0, "%s", path);
        check_lines(path, bytes[0]);
        free(bytes[0]);
        free(bytes[1]);
        captures++;
    }
    closedir(folder);
    ck_assert_int_gt(captures, 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("lines");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, the_first_line_names_the_version);
    tcase_add_test(tcase, a_tcp_packet_has_all_its_fields);
    tcase_add_test(tcase, tcp_options_are_told_as_they_stand);
    tcase_add_test(tcase, times_have_nine_digits_and_may_go_back);
    tcase_add_test(tcase, verdicts_have_their_kind_and_evidence);
    tcase_add_test(tcase, a_datagram_has_no_tcp_fields);
    tcase_add_test(tcase, what_belongs_to_no_connection_has_conn_null);
    tcase_add_test(tcase, a_connection_is_told_at_the_end);
    tcase_add_test(tcase, a_socket_is_told_when_it_is_new_or_changed);
    tcase_add_test(tcase, a_socket_has_its_timer_and_its_numbers);
    tcase_add_test(tcase, every_capture_gives_json_and_the_same_twice);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
