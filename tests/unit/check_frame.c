/*
 * common/frame: the same messages, and the same end, however the stream is cut:
 * whole, a byte at a time, at every single place, and at random. (ladder/02:
 * one-recv-one-message, glued-messages-lost, tail-not-kept, length-prefix-in-
 * one-recv, unbounded-length-trust.)
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/frame.h"

/* What came out, as text: each message in <>, zero bytes as 0; then `!` for
 * EMSGSIZE, or how many bytes of a message are left. */
struct told {
    char text[4000];
    size_t length;
};

static void tell(struct told *told, const char *bytes, size_t length)
{
    if (told->length + length + 20 >= sizeof told->text)
        ck_abort_msg("more than was sent");
    told->text[told->length++] = '<';
    for (size_t i = 0; i < length; i++)
        told->text[told->length++] = bytes[i] ? bytes[i] : '0';
    told->text[told->length++] = '>';
    told->text[told->length] = '\0';
}

/* In memory of its own, so that an address build sees a byte read too far. */
static int feed(struct frame *frame, struct told *told, const char *bytes,
                size_t length)
{
    char *copy = malloc(length ? length : 1), *data = copy, *message;
    size_t size;
    int got;

    memcpy(copy, bytes, length);
    while ((got = frame_next(frame, &data, &length, &message, &size)) == 1) {
        if (frame->prefix == 0 && message[size] != '\0')
            ck_abort_msg("no NUL");
        tell(told, message, size);
    }
    if (got == 0 && length != 0)
        ck_abort_msg("bytes are left");
    free(copy);
    return got;
}

static void tell_end(struct frame *frame, struct told *told, int got)
{
    size_t left = sizeof told->text - told->length;

    if (got < 0) {
        if (errno != EMSGSIZE)
            ck_abort_msg("errno %d", errno);
        snprintf(told->text + told->length, left, "!");
    } else {
        snprintf(told->text + told->length, left, "%zu", frame_partial(frame));
    }
}

static void start(struct frame *frame, unsigned prefix, size_t limit)
{
    if (prefix == 0)
        frame_lines(frame, limit);
    else if (frame_sized(frame, prefix, limit) != 0)
        ck_abort_msg("a prefix of %u", prefix);
}

/* `cuts` says after which bytes it is cut; NULL: after each. */
static struct told run(unsigned prefix, size_t limit, const char *bytes,
                       size_t length, const char *cuts)
{
    struct told told = {.length = 0};
    struct frame frame;
    size_t from = 0;
    int got = 0;

    start(&frame, prefix, limit);
    for (size_t i = 1; i <= length && got == 0; i++) {
        if (i < length && cuts && !cuts[i])
            continue;
        got = feed(&frame, &told, bytes + from, i - from);
        from = i;
    }
    tell_end(&frame, &told, got);
    if (got < 0) { /* for ever */
        if (feed(&frame, &told, "\n\n", 2) != -1 || errno != EMSGSIZE)
            ck_abort_msg("not for ever");
    }
    frame_fini(&frame);
    return told;
}

static void ck_same(const char *text, const char *expected)
{
    if (strcmp(text, expected) != 0) /* thousands: Check's own are slow */
        ck_abort_msg("%s, not %s", text, expected);
}

static void same_however_cut(unsigned prefix, size_t limit, const char *bytes,
                             size_t length, const char *expected)
{
    char cuts[2000] = {0};
    struct told told = run(prefix, limit, bytes, length, cuts);
    unsigned seed = 7;

    ck_assert_uint_lt(length, sizeof cuts);
    if (expected)
        ck_assert_str_eq(told.text, expected);
    expected = told.text;
    ck_same(run(prefix, limit, bytes, length, NULL).text, expected);
    for (size_t i = 1; i < length; i++) {
        cuts[i] = 1;
        ck_same(run(prefix, limit, bytes, length, cuts).text, expected);
        cuts[i] = 0;
    }
    for (int round = 0; round < 200; round++) {
        for (size_t i = 1; i < length; i++)
            cuts[i] = rand_r(&seed) % 3 == 0;
        ck_same(run(prefix, limit, bytes, length, cuts).text, expected);
    }
}

#define lines(limit, text, expected) \
    same_however_cut(0, limit, text, sizeof(text) - 1, expected)
#define sized(prefix, limit, text, expected) \
    same_however_cut(prefix, limit, text, sizeof(text) - 1, expected)

START_TEST(lines_end_in_lf_or_cr_lf)
{
    lines(10, "one\ntwo\r\nthree\n", "<one><two><three>0");
    lines(10, "", "0");
    lines(10, "\n", "<>0");
    lines(10, "\r\n", "<>0");
    lines(10, "\n\n\r\n\n", "<><><><>0");
    lines(10, "one\ntw", "<one>2");
    lines(10, "one\r", "4");
    lines(10, "a\rb\r\r\n\rc\n", "<a\rb\r><\rc>0");
    lines(10, "a\0b\n\0\n", "<a0b><0>0");
}
END_TEST

START_TEST(a_line_may_be_as_long_as_the_limit)
{
    lines(5, "12345\n12345\r\n", "<12345><12345>0");
    lines(5, "12345", "5");
    lines(5, "12345\r", "6");
    lines(0, "\n\r\n", "<><>0");
    lines(1, "a\nb\r\n", "<a><b>0");
}
END_TEST

START_TEST(a_line_over_the_limit_ends_it)
{
    lines(5, "123456\n", "!");
    lines(5, "123456", "!");
    lines(5, "ok\n123456\r\nlost\n", "<ok>!");
    lines(5, "12345\r6\n", "!");
    lines(5, "12345\r\r\n", "!");
    lines(0, "a\n", "!");
    lines(0, "\r\r\n", "!");
}
END_TEST

START_TEST(sizes_of_every_prefix)
{
    sized(1, 10, "\3abc\0\1\n", "<abc><><\n>0");
    sized(2, 10, "\0\3abc\0\0\0\1\0", "<abc><><0>0");
    sized(4, 10, "\0\0\0\3abc\0\0\0\0\0\0\0\1x", "<abc><><x>0");
    sized(8, 10, "\0\0\0\0\0\0\0\2ab\0\0\0\0\0\0\0\0", "<ab><>0");
    sized(4, 10, "\0\0\0\3ab", "6");
    sized(4, 10, "\0\0\0", "3");
    sized(4, 10, "\0\0\0\0\0\0", "<>2");
}
END_TEST

START_TEST(a_size_over_the_limit_ends_it_when_it_is_read)
{
    sized(1, 3, "\3abc\4", "<abc>!");
    sized(2, 3, "\1\0abc", "!");
    sized(4, 3, "\377\377\377\377", "!");
    sized(8, 3, "\377\377\377\377\377\377\377\377", "!");
    sized(8, 3, "\200\0\0\0\0\0\0\1", "!");
    sized(1, 0, "\0\0\1", "<><>!");
}
END_TEST

START_TEST(a_random_stream_is_the_same_however_cut)
{
    unsigned seed = 3;
    char bytes[300];

    for (int round = 0; round < 60; round++) {
        size_t length = (size_t)rand_r(&seed) % sizeof bytes;

        for (size_t i = 0; i < length; i++)
            bytes[i] = "\r\n\n\0\1\2ab"[rand_r(&seed) % 8];
        same_however_cut(0, (size_t)rand_r(&seed) % 12, bytes, length, NULL);
        same_however_cut(1, (size_t)rand_r(&seed) % 120, bytes, length, NULL);
        same_however_cut(2, 600, bytes, length, NULL);
    }
}
END_TEST

/* What is whole in the bytes given is given from there. */
START_TEST(a_whole_message_is_not_copied)
{
    char bytes[] = "one\ntwo\nthr", *data = bytes, *message;
    size_t length = sizeof bytes - 1, size;
    struct frame frame;

    frame_lines(&frame, 100);
    ck_assert_int_eq(frame_next(&frame, &data, &length, &message, &size), 1);
    ck_assert_ptr_eq(message, bytes);
    ck_assert_ptr_eq(data, bytes + 4);
    ck_assert_uint_eq(length, 7);
    ck_assert_ptr_null(frame.part.memory);
    ck_assert_int_eq(frame_next(&frame, &data, &length, &message, &size), 1);
    ck_assert_ptr_eq(message, bytes + 4);
    ck_assert_int_eq(frame_next(&frame, &data, &length, &message, &size), 0);
    ck_assert_uint_eq(frame_partial(&frame), 3);
    frame_fini(&frame);
    ck_assert_uint_eq(frame_partial(&frame), 0);
}
END_TEST

/* A gigabyte is announced and ten bytes come: ten bytes' worth is kept. */
START_TEST(a_promise_takes_no_memory)
{
    char bytes[] = "\077\377\377\3770123456789", *data = bytes, *message;
    size_t length = sizeof bytes - 1, size;
    struct frame frame;

    ck_assert_int_eq(frame_sized(&frame, 4, 1u << 30), 0);
    ck_assert_int_eq(frame_next(&frame, &data, &length, &message, &size), 0);
    ck_assert_uint_eq(length, 0);
    ck_assert_uint_eq(frame_partial(&frame), 14);
    ck_assert_uint_le(frame.part.room, 4096);
    frame_fini(&frame);
}
END_TEST

START_TEST(nothing_is_held_between_messages)
{
    char first[] = "hel", second[] = "lo\n", *data = first, *message;
    size_t length = 3, size;
    struct frame frame;

    frame_lines(&frame, 100);
    ck_assert_int_eq(frame_next(&frame, &data, &length, &message, &size), 0);
    data = second;
    length = 3;
    ck_assert_int_eq(frame_next(&frame, &data, &length, &message, &size), 1);
    ck_assert_str_eq(message, "hello");
    ck_assert_uint_eq(frame_partial(&frame), 0);
    ck_assert_int_eq(frame_next(&frame, &data, &length, &message, &size), 0);
    ck_assert_ptr_null(frame.part.memory);
    frame_fini(&frame);
}
END_TEST

START_TEST(what_is_sent_is_what_is_read)
{
    static const unsigned prefixes[] = {1, 2, 4, 8};
    unsigned char header[8];
    struct told told;

    for (int i = 0; i < 4; i++) {
        char bytes[300] = {0};

        ck_assert_int_eq(frame_header(header, prefixes[i], 200), 0);
        memcpy(bytes, header, prefixes[i]);
        memset(bytes + prefixes[i], 'x', 200);
        told = run(prefixes[i], 200, bytes, prefixes[i] + 200, NULL);
        ck_assert_uint_eq(told.length, 202);
    }
    ck_assert_int_eq(frame_header(header, 1, 255), 0);
    ck_assert_int_eq(frame_header(header, 2, 65535), 0);
    ck_assert_int_eq(frame_header(header, 4, 0x01020304), 0);
    ck_assert_mem_eq(header, "\1\2\3\4", 4);
    errno = 0;
    ck_assert_int_eq(frame_header(header, 1, 256), -1);
    ck_assert_int_eq(errno, EMSGSIZE);
    ck_assert_int_eq(frame_header(header, 2, 65536), -1);
#if SIZE_MAX > UINT32_MAX /* else there is no such length */
    ck_assert_int_eq(frame_header(header, 4, (size_t)UINT32_MAX + 1), -1);
#endif
    ck_assert_int_eq(frame_header(header, 8, SIZE_MAX), 0);
}
END_TEST

START_TEST(a_prefix_that_is_none)
{
    unsigned char header[8];
    struct frame frame;

    errno = 0;
    ck_assert_int_eq(frame_sized(&frame, 3, 10), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(frame_sized(&frame, 0, 10), -1);
    ck_assert_int_eq(frame_sized(&frame, 16, 10), -1);
    errno = 0;
    ck_assert_int_eq(frame_header(header, 5, 1), -1);
    ck_assert_int_eq(errno, EINVAL);
    frame_lines(&frame, SIZE_MAX); /* no overflow in any sum */
    ck_assert_uint_gt(frame.limit, 1u << 30);
    frame_fini(&frame);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("frame");
    TCase *tcase = tcase_create("frame");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, lines_end_in_lf_or_cr_lf);
    tcase_add_test(tcase, a_line_may_be_as_long_as_the_limit);
    tcase_add_test(tcase, a_line_over_the_limit_ends_it);
    tcase_add_test(tcase, sizes_of_every_prefix);
    tcase_add_test(tcase, a_size_over_the_limit_ends_it_when_it_is_read);
    tcase_add_test(tcase, a_random_stream_is_the_same_however_cut);
    tcase_add_test(tcase, a_whole_message_is_not_copied);
    tcase_add_test(tcase, a_promise_takes_no_memory);
    tcase_add_test(tcase, nothing_is_held_between_messages);
    tcase_add_test(tcase, what_is_sent_is_what_is_read);
    tcase_add_test(tcase, a_prefix_that_is_none);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
