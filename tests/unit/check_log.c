/*
 * common/log: a line is one write, whole, with nothing in it that a screen would
 * obey; what is below the level costs nothing, and errno stays as it was.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"

static int fds[2]; /* datagrams: one write is one read */
static struct log plain;

static void set_up(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    log_init(&plain, fds[1], NULL, LOG_LEVEL_INFO, LOG_STAMP_NONE);
}

/* The next write, as text; "" when there is none. */
static const char *written(void)
{
    static char text[2 * LOG_LINE];
    ssize_t n = read(fds[0], text, sizeof text - 1);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

START_TEST(a_line_is_one_write)
{
    struct log named;

    log_info(&plain, "%s left after %d", "client 7", 3);
    ck_assert_str_eq(written(), "info: client 7 left after 3\n");
    ck_assert_str_eq(written(), "");
    log_init(&named, fds[1], "echod", LOG_LEVEL_DEBUG, LOG_STAMP_NONE);
    log_error(&named, "a");
    ck_assert_str_eq(written(), "echod error: a\n");
    log_warning(&named, "b");
    ck_assert_str_eq(written(), "echod warning: b\n");
    log_debug(&named, "%s", "");
    ck_assert_str_eq(written(), "echod debug: \n");
}
END_TEST

START_TEST(what_is_below_the_level_is_not_written)
{
    log_debug(&plain, "no");
    ck_assert_str_eq(written(), "");
    plain.level = LOG_LEVEL_NONE;
    log_error(&plain, "no");
    ck_assert_str_eq(written(), "");
    log_error(NULL, "no");
    ck_assert_str_eq(written(), "");
}
END_TEST

START_TEST(hostile_bytes_are_escaped)
{
    static const char *const cases[][2] = {
        {"two\nlines\r", "two\\x0alines\\x0d"},
        {"\033[2J\a\b\t\177", "\\x1b[2J\\x07\\x08\\x09\\x7f"},
        {"back\\slash", "back\\\\slash"},
        {"\\x41", "\\\\x41"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x8c",
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x8c"},
        {"\xc2\x9b"
         "2J",
         "\\xc2\\x9b2J"}, /* CSI of C1 */
        {"\xe2\x80\xae"
         "evil",
         "\\xe2\\x80\\xaeevil"},             /* right to left */
        {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"}, /* LINE SEPARATOR */
        {"\xff\xfe\x80", "\\xff\\xfe\\x80"},
        {"\xc3", "\\xc3"}, /* cut at the end */
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xc0\xaf", "\\xc0\\xaf"}, /* too long a form */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond Unicode */
        {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
    };
    char expected[200];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        log_info(&plain, "%s", cases[i][0]);
        snprintf(expected, sizeof expected, "info: %s\n", cases[i][1]);
        ck_assert_str_eq(written(), expected);
    }
}
END_TEST

/* Whatever the bytes: one line feed, at the end; no other control byte. */
START_TEST(random_bytes_make_one_line)
{
    unsigned seed = 5;
    char bytes[1500];

    for (int round = 0; round < 2000; round++) {
        size_t length = (size_t)rand_r(&seed) % sizeof bytes;
        const char *line;

        for (size_t i = 0; i < length; i++)
            bytes[i] = (char)(rand_r(&seed) % 255 + 1);
        bytes[length] = '\0';
        log_info(&plain, "%s", bytes);
        line = written();
        length = strlen(line);
        if (length < 7 || length > LOG_LINE || line[length - 1] != '\n')
            ck_abort_msg("round %d", round);
        for (size_t i = 0; i + 1 < length; i++) {
            if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
                ck_abort_msg("round %d", round);
        }
    }
}
END_TEST

START_TEST(a_long_line_is_cut_and_says_so)
{
    char text[3000];
    const char *line;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_info(&plain, "%s", text);
    line = written();
    ck_assert_uint_eq(strlen(line), LOG_LINE);
    ck_assert_str_eq(line + LOG_LINE - 5, "x...\n");
    memset(text, '\n', sizeof text - 1); /* four bytes each */
    log_info(&plain, "%s", text);
    line = written();
    ck_assert_uint_le(strlen(line), LOG_LINE);
    ck_assert_str_eq(line + strlen(line) - 8, "\\x0a...\n");
}
END_TEST

START_TEST(stamps)
{
    struct log stamped;
    int a, b, length = 0;

    log_init(&stamped, fds[1], "d", LOG_LEVEL_INFO, LOG_STAMP_MONOTONIC);
    log_info(&stamped, "x");
    ck_assert_int_eq(sscanf(written(), "%d.%6d d info: x\n%n", &a, &b, &length),
                     2);
    ck_assert_int_gt(length, 0);
    ck_assert_int_lt(a, 3600);
    log_init(&stamped, fds[1], "d", LOG_LEVEL_INFO, LOG_STAMP_WALL);
    log_info(&stamped, "x");
    length = 0;
    ck_assert_int_eq(sscanf(written(),
                            "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%3dZ d info: x\n%n",
                            &a, &b, &length),
                     2);
    ck_assert_int_gt(length, 0);
    ck_assert_int_ge(a, 2024);
}
END_TEST

START_TEST(a_line_that_cannot_be_written_is_lost_and_errno_stays)
{
    int full = open("/dev/full", O_WRONLY);
    struct log to_full;

    log_init(&to_full, full >= 0 ? full : -1, NULL, LOG_LEVEL_INFO,
             LOG_STAMP_NONE);
    errno = ECONNRESET;
    log_info(&to_full, "x");
    ck_assert_int_eq(errno, ECONNRESET);
    to_full.fd = -1;
    log_info(&to_full, "x");
    ck_assert_int_eq(errno, ECONNRESET);
    log_info(&plain, "x");
    ck_assert_int_eq(errno, ECONNRESET);
}
END_TEST

START_TEST(levels_have_words)
{
    enum log_level level = LOG_LEVEL_NONE;

    for (int i = LOG_LEVEL_NONE; i <= LOG_LEVEL_DEBUG; i++) {
        ck_assert_int_eq(
            log_level_parse(&level, log_level_word((enum log_level)i)), 0);
        ck_assert_int_eq((int)level, i);
    }
    errno = 0;
    ck_assert_int_eq(log_level_parse(&level, "loud"), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(log_level_parse(&level, NULL), -1);
    ck_assert_int_eq((int)level, LOG_LEVEL_DEBUG);
    ck_assert_str_eq(log_level_word((enum log_level)99), "?");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("log");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, a_line_is_one_write);
    tcase_add_test(tcase, what_is_below_the_level_is_not_written);
    tcase_add_test(tcase, hostile_bytes_are_escaped);
    tcase_add_test(tcase, random_bytes_make_one_line);
    tcase_add_test(tcase, a_long_line_is_cut_and_says_so);
    tcase_add_test(tcase, stamps);
    tcase_add_test(tcase,
                   a_line_that_cannot_be_written_is_lost_and_errno_stays);
    tcase_add_test(tcase, levels_have_words);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
