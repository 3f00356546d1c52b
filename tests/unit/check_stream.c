/* What was said on a connection: each byte once and in order, what is missing
 * told, nothing that a terminal obeys. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/traffic.h"
#include "viz/session.h"
#include "viz/views/talk.h"

enum { DATA = TCP_PSH | TCP_ACK, END = TCP_FIN | TCP_ACK };

static struct traffic traffic;
static struct stream stream;
static char said[1 << 16];
static size_t length;

static void add(const char *text, size_t size)
{
    ck_assert_uint_lt(length + size, sizeof said);
    memcpy(said + length, text, size);
    length += size;
    said[length] = '\0';
}

/* "c:ping " and "s#4 ": bytes, and the sign of what else there is. */
static void note_piece(void *self, const struct piece *piece)
{
    static const char signs[] = {
        [PIECE_BYTES] = ':', [PIECE_CUT] = '~',  [PIECE_GAP] = '#',
        [PIECE_AGAIN] = '=', [PIECE_LOST] = '!', [PIECE_FIN] = 'F',
        [PIECE_RESET] = 'R'};
    char text[32];
    int size = snprintf(text, sizeof text, "%c%c",
                        piece->from == FLOW_CLIENT ? 'c' : 's',
                        signs[piece->kind]);

    (void)self;
    add(text, (size_t)size);
    if (piece->kind == PIECE_BYTES && piece->length > 0)
        add((const char *)piece->bytes, piece->length);
    else if (piece->length > 0)
        add(text, (size_t)snprintf(text, sizeof text, "%u", piece->length));
    add(" ", 1);
}

static void begin(void)
{
    traffic_init(&traffic);
    length = 0;
    said[0] = '\0';
}

static void end(void)
{
    traffic_fini(&traffic);
}

/* All that the store has of the first connection. */
static const char *tell(void)
{
    stream_init(&stream, note_piece, NULL);
    for (size_t n = 0; n < store_rows(traffic.store); n++) {
        const struct store_row *row = store_row(traffic.store, n);

        stream_packet(&stream, &row->packet, &row->note, row->lost);
    }
    stream_end(&stream);
    stream_fini(&stream);
    return said;
}

static void client(uint32_t seq, const char *text)
{
    traffic_tcp(&traffic, 40000, 7001, DATA, 1001 + seq, 5001, text,
                strlen(text));
}

static void server_has(uint32_t bytes)
{
    traffic_tcp(&traffic, 7001, 40000, TCP_ACK, 5001, 1001 + bytes, NULL, 0);
}

START_TEST(both_ends_are_told_in_turn)
{
    traffic_connect(&traffic, 40000, 7001);
    client(0, "ping");
    server_has(4);
    traffic_tcp(&traffic, 7001, 40000, DATA, 5001, 1005, "pong", 4);
    traffic_tcp(&traffic, 40000, 7001, END, 1005, 5005, NULL, 0);
    traffic_tcp(&traffic, 7001, 40000, END, 5005, 1006, NULL, 0);
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1006, 5006, NULL, 0);
    ck_assert_str_eq(tell(), "c:ping s:pong cF sF ");
}
END_TEST

START_TEST(what_comes_early_waits_for_its_turn)
{
    traffic_connect(&traffic, 40000, 7001);
    client(4, "efgh");
    client(8, "ij");
    client(0, "abcd");
    server_has(10);
    ck_assert_str_eq(tell(), "c:abcd c:efgh c:ij ");
}
END_TEST

START_TEST(what_is_sent_again_is_told_once)
{
    traffic_connect(&traffic, 40000, 7001);
    client(0, "abcd");
    client(0, "abcd");   /* as it was */
    client(2, "cdefgh"); /* with more behind it */
    client(12, "mn");
    client(12, "mn"); /* twice, while it waits */
    client(8, "ijkl");
    ck_assert_str_eq(tell(), "c:abcd c=4 c:efgh c:ijkl c:mn ");
}
END_TEST

/* The server acknowledges what the capture has missed. */
START_TEST(a_hole_that_was_acknowledged_is_told)
{
    traffic_connect(&traffic, 40000, 7001);
    client(0, "abcd");
    client(10, "kl");
    server_has(12);
    client(12, "mn");
    server_has(20);
    traffic_tcp(&traffic, 40000, 7001, END, 1021, 5001, NULL, 0);
    ck_assert_str_eq(tell(), "c:abcd c#6 c:kl c:mn c#6 cF ");
}
END_TEST

START_TEST(a_hole_at_the_end_is_told)
{
    traffic_connect(&traffic, 40000, 7001);
    client(3, "def");
    ck_assert_str_eq(tell(), "c#3 c:def ");
}
END_TEST

START_TEST(what_was_not_kept_is_told)
{
    char text[100];

    memset(text, 'x', sizeof text);
    traffic_connect(&traffic, 40000, 7001);
    traffic_tcp(&traffic, 40000, 7001, DATA, 1001, 5001, text, sizeof text);
    text[STORE_PAYLOAD] = '\0';
    tell();
    ck_assert_int_eq(strncmp(said, "c:", 2), 0);
    ck_assert_int_eq(strncmp(said + 2, text, STORE_PAYLOAD), 0);
    ck_assert_str_eq(said + 2 + STORE_PAYLOAD, " c~52 ");
}
END_TEST

START_TEST(numbers_may_go_round)
{
    traffic_tcp(&traffic, 40000, 7001, TCP_SYN, UINT32_MAX - 3, 0, NULL, 0);
    traffic_tcp(&traffic, 7001, 40000, TCP_SYN | TCP_ACK, 5000, UINT32_MAX - 2,
                NULL, 0);
    traffic_tcp(&traffic, 40000, 7001, DATA, 2, 5001, "fg", 2);
    traffic_tcp(&traffic, 40000, 7001, DATA, UINT32_MAX - 2, 5001, "abcde", 5);
    ck_assert_str_eq(tell(), "c:abcde c:fg ");
}
END_TEST

START_TEST(seen_from_the_middle_it_begins_where_it_can)
{
    client(500, "abc");
    traffic_tcp(&traffic, 7001, 40000, DATA, 9000, 1504, "no", 2);
    client(503, "def");
    ck_assert_str_eq(tell(), "c:abc s:no c:def ");
}
END_TEST

START_TEST(datagrams_come_as_they_are)
{
    traffic_udp(&traffic, 40000, 7001, "a", 1);
    traffic_udp(&traffic, 7001, 40000, "", 0);
    traffic_udp(&traffic, 40000, 7001, "a", 1);
    ck_assert_str_eq(tell(), "c:a s: c:a ");
}
END_TEST

/* Every second segment never comes: no more is held than there is room for,
 * and what is there comes in its order. */
START_TEST(what_waits_is_bounded)
{
    char *expected = NULL;
    size_t size;
    FILE *out = open_memstream(&expected, &size);

    traffic_connect(&traffic, 40000, 7001);
    for (uint32_t n = 1; n < 1000; n += 2) {
        char byte[2] = {(char)('a' + n % 26), '\0'};

        client(n, byte);
        fprintf(out, "c#1 c:%c ", byte[0]);
    }
    fclose(out);
    ck_assert_str_eq(tell(), expected);
    free(expected);
}
END_TEST

START_TEST(random_segments_do_no_harm)
{
    srand(7);
    for (int round = 0; round < 50; round++) {
        end();
        begin();
        for (int n = 0; n < 200; n++) {
            uint32_t seq = (uint32_t)(rand() % 3 ? rand() % 64 : rand());
            bool back = rand() % 3 == 0;

            traffic_tcp(&traffic, back ? 7001 : 40000, back ? 40000 : 7001,
                        (uint8_t)rand(), seq, (uint32_t)(rand() % 99),
                        "0123456789", (size_t)(rand() % 11));
        }
        length = 0;
        tell();
    }
}
END_TEST

/* --- captures ------------------------------------------------------------------ */

enum { FLOWS_MOST = 64 };

static struct summed {
    struct stream stream;
    bool begun;
    uint64_t bytes[2];
} * sums;

static void sum_piece(void *self, const struct piece *piece)
{
    struct summed *sum = self;

    if (piece->kind == PIECE_BYTES || piece->kind == PIECE_CUT)
        sum->bytes[piece->from] += piece->length;
}

static void sum_event(void *self, const struct event *event)
{
    struct summed *sum;

    (void)self;
    if (event->kind != EVENT_PACKET || !event->note->flow ||
        event->note->flow->id >= FLOWS_MOST)
        return;
    sum = &sums[event->note->flow->id];
    if (!sum->begun)
        stream_init(&sum->stream, sum_piece, sum);
    sum->begun = true;
    stream_packet(&sum->stream, event->packet, event->note, false);
}

static const char *const captures[] = {
    "s01_client_close",    "s02_server_close_http", "s04_rst_linger0",
    "s09_zero_window",     "s10_lossy_sender",      "s13_simultaneous_open",
    "s15_fast_retransmit", "s19_udp_echo_frag",     "s21_keepalive",
    "s27_midstream"};

/* As many bytes as track has counted, which a test compares with tshark. */
START_TEST(a_stream_has_all_bytes_that_were_said)
{
    struct capture_error error;
    struct session session;
    const struct flow *flow;
    char path[80];
    size_t at = 0;

    snprintf(path, sizeof path, "tests/captures/%s.pcap", captures[_i]);
    sums = calloc(FLOWS_MOST, sizeof *sums);
    ck_assert_int_eq(
        session_init(&session, capture_open_file(path, NULL, &error), NULL), 0);
    ck_assert_int_eq(session_add_sink(&session, sum_event, NULL), 0);
    while (session_pump(&session, 1000, &error) > 0)
        ;
    while ((flow = track_next(session.track, &at)) != NULL) {
        struct summed *sum = &sums[flow->id];

        stream_end(&sum->stream);
        stream_fini(&sum->stream);
        for (int side = 0; side < 2; side++)
            ck_assert_msg(sum->bytes[side] == flow->end[side].bytes,
                          "%s, connection %u, side %d: %llu, not %llu", path,
                          flow->id, side, (unsigned long long)sum->bytes[side],
                          (unsigned long long)flow->end[side].bytes);
    }
    session_fini(&session);
    free(sums);
}
END_TEST

/* --- rows --------------------------------------------------------------------- */

static void note_row(void *self, const struct talk_row *row)
{
    (void)self;
    for (const char *at = row->text; *at; at++)
        ck_assert_msg((unsigned char)*at >= ' ' && *at != 0x7F, "a %02X",
                      (unsigned char)*at);
    if (!row->goes_on)
        add(row->from == FLOW_CLIENT ? "c" : "s", 1);
    add(row->note ? "(" : "[", 1);
    add(row->text, strlen(row->text));
    add(row->open ? "]? " : "] ", row->open ? 3 : 2);
}

static void says(struct talk *talk, enum flow_side from, int64_t time_ns,
                 const char *text, size_t size)
{
    const struct piece piece = {.kind = PIECE_BYTES,
                                .from = from,
                                .time_ns = time_ns,
                                .length = (uint32_t)size,
                                .bytes = (const uint8_t *)text};

    talk_piece(talk, &piece);
}

START_TEST(lines_are_put_together_and_open_ones_marked)
{
    struct talk talk;

    talk_init(&talk, 80, false, note_row, NULL);
    says(&talk, FLOW_CLIENT, 1, "hel", 3);
    says(&talk, FLOW_CLIENT, 2, "lo\nyou\nand", 10);
    says(&talk, FLOW_SERVER, 3, "login: ", 7);
    says(&talk, FLOW_CLIENT, 4, "me\n", 3);
    says(&talk, FLOW_SERVER, 5, "\n", 1);
    talk_end(&talk);
    ck_assert_str_eq(said, "c[hello] c[you] [and]? s[login: ]? c[me] s[] ");
}
END_TEST

START_TEST(what_a_terminal_obeys_is_written_out)
{
    static const char nasty[] = "\x1B[31m\a\r\t\\ \x7F \xC3\xA9 \xC3 \xE2\x80"
                                "\xAE \xFF\0.\n";
    struct talk talk;

    talk_init(&talk, 120, false, note_row, NULL);
    says(&talk, FLOW_CLIENT, 1, nasty, sizeof nasty - 1);
    ck_assert_str_eq(said, "c[\\x1B[31m\\x07\\r\\t\\\\ \\x7F \xC3\xA9 \\xC3 "
                           "\\xE2\\x80\\xAE \\xFF\\x00.] ");
}
END_TEST

START_TEST(long_lines_go_on_below)
{
    char text[5000];
    struct talk talk;
    int rows = 0;

    memset(text, 'x', sizeof text);
    talk_init(&talk, 60, false, note_row, NULL);
    says(&talk, FLOW_CLIENT, 1, text, sizeof text);
    talk_end(&talk);
    for (const char *at = said; (at = strchr(at, '[')) != NULL; at++)
        rows++;
    ck_assert_int_ge(rows, (int)sizeof text / talk.columns);
    ck_assert_ptr_nonnull(strstr(said, "x]? "));
}
END_TEST

START_TEST(any_bytes_in_any_width_are_rows_of_text)
{
    srand(11);
    for (int round = 0; round < 200; round++) {
        struct talk talk;
        char text[300];

        length = 0;
        talk_init(&talk, rand() % 300, rand() % 2, note_row, NULL);
        for (int n = 0; n < 8; n++) {
            for (size_t i = 0; i < sizeof text; i++)
                text[i] = (char)(rand() % 4 ? rand() : "\n\xC3\xE2\xF0"[n % 4]);
            says(&talk, rand() % 2 ? FLOW_CLIENT : FLOW_SERVER, n, text,
                 (size_t)rand() % sizeof text + 1);
        }
        talk_end(&talk);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *streams = tcase_create("streams");
    TCase *rows = tcase_create("rows");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(streams, begin, end);
    tcase_add_test(streams, both_ends_are_told_in_turn);
    tcase_add_test(streams, what_comes_early_waits_for_its_turn);
    tcase_add_test(streams, what_is_sent_again_is_told_once);
    tcase_add_test(streams, a_hole_that_was_acknowledged_is_told);
    tcase_add_test(streams, a_hole_at_the_end_is_told);
    tcase_add_test(streams, what_was_not_kept_is_told);
    tcase_add_test(streams, numbers_may_go_round);
    tcase_add_test(streams, seen_from_the_middle_it_begins_where_it_can);
    tcase_add_test(streams, datagrams_come_as_they_are);
    tcase_add_test(streams, what_waits_is_bounded);
    tcase_add_test(streams, random_segments_do_no_harm);
    tcase_add_loop_test(streams, a_stream_has_all_bytes_that_were_said, 0,
                        (int)(sizeof captures / sizeof *captures));
    tcase_add_checked_fixture(rows, begin, end);
    tcase_add_test(rows, lines_are_put_together_and_open_ones_marked);
    tcase_add_test(rows, what_a_terminal_obeys_is_written_out);
    tcase_add_test(rows, long_lines_go_on_below);
    tcase_add_test(rows, any_bytes_in_any_width_are_rows_of_text);
    suite_add_tcase(suite, streams);
    suite_add_tcase(suite, rows);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
