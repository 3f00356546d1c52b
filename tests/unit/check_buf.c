/*
 * common/buf: bytes come out as they went in, never more than the limit are
 * kept, and neither many small steps nor one big one costs more than its bytes.
 */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

START_TEST(bytes_come_out_as_they_went_in)
{
    struct buf buf;

    buf_init(&buf, 100);
    ck_assert_ptr_null(buf_data(&buf));
    ck_assert_int_eq(buf_add(&buf, "hello ", 6), 0);
    ck_assert_int_eq(buf_add(&buf, NULL, 0), 0);
    ck_assert_int_eq(buf_add(&buf, "world", 5), 0);
    ck_assert_uint_eq(buf.length, 11);
    ck_assert_uint_eq(buf_left(&buf), 89);
    ck_assert_mem_eq(buf_data(&buf), "hello world", 11);
    buf_drop(&buf, 6);
    ck_assert_mem_eq(buf_data(&buf), "world", 5);
    ck_assert_uint_eq(buf_left(&buf), 95);
    buf_fini(&buf);
}
END_TEST

START_TEST(over_the_limit_is_all_or_nothing)
{
    struct buf buf;
    size_t room;

    buf_init(&buf, 5);
    ck_assert_int_eq(buf_add(&buf, "abc", 3), 0);
    errno = 0;
    ck_assert_int_eq(buf_add(&buf, "def", 3), -1);
    ck_assert_int_eq(errno, ENOBUFS);
    ck_assert_uint_eq(buf.length, 3);
    ck_assert_int_eq(buf_add(&buf, "de", 2), 0);
    errno = 0;
    ck_assert_ptr_null(buf_space(&buf, 1, &room));
    ck_assert_int_eq(errno, ENOBUFS);
    errno = 0;
    ck_assert_int_eq(buf_format(&buf, "%d", 1), -1);
    ck_assert_int_eq(errno, ENOBUFS);
    errno = 0;
    ck_assert_int_eq(buf_add(&buf, "x", SIZE_MAX), -1);
    ck_assert_int_eq(errno, ENOBUFS);
    ck_assert_mem_eq(buf_data(&buf), "abcde", 5);
    buf_fini(&buf);
    buf_init(&buf, 0);
    ck_assert_int_eq(buf_add(&buf, "x", 1), -1);
    ck_assert_int_eq(buf_add(&buf, "", 0), 0);
    buf_fini(&buf);
}
END_TEST

START_TEST(what_is_drained_takes_no_memory)
{
    struct buf buf;
    size_t room;

    buf_init(&buf, 1000);
    ck_assert_ptr_null(buf.memory);
    ck_assert_int_eq(buf_add(&buf, "abc", 3), 0);
    ck_assert_ptr_nonnull(buf.memory);
    buf_drop(&buf, 3);
    ck_assert_ptr_null(buf.memory);
    ck_assert_ptr_nonnull(buf_space(&buf, 10, &room));
    buf_wrote(&buf, 0); /* recv(2) said EAGAIN */
    ck_assert_ptr_null(buf.memory);
    buf_add(&buf, "abc", 3);
    buf_drop(&buf, 1000); /* more than there is */
    ck_assert_uint_eq(buf.length, 0);
    ck_assert_ptr_null(buf.memory);
    buf_drop(&buf, 1);
    buf_fini(&buf);
    buf_fini(&buf);
}
END_TEST

START_TEST(space_is_written_into_and_told)
{
    struct buf buf;
    size_t room = 0;
    char *at;

    buf_init(&buf, 1000);
    at = buf_space(&buf, 700, &room);
    ck_assert_uint_ge(room, 700);
    ck_assert_uint_le(room, 1000);
    memset(at, 'a', 600);
    buf_wrote(&buf, 600);
    at = buf_space(&buf, 700, &room); /* the limit leaves less */
    ck_assert_uint_eq(room, 400);
    memset(at, 'b', 400);
    buf_wrote(&buf, 400);
    ck_assert_uint_eq(buf_left(&buf), 0);
    ck_assert_int_eq(buf_data(&buf)[599], 'a');
    ck_assert_int_eq(buf_data(&buf)[600], 'b');
    buf_drop(&buf, 999);
    at = buf_space(&buf, 0, &room);
    ck_assert_ptr_nonnull(at);
    ck_assert_uint_ge(room, 1);
    ck_assert_uint_le(room, 999);
    buf_fini(&buf);
}
END_TEST

START_TEST(formatted_text_has_no_nul)
{
    struct buf buf;

    for (size_t limit = 4; limit < 40; limit++) {
        buf_init(&buf, limit);
        ck_assert_int_eq(buf_format(&buf, "%s", ""), 0);
        while (buf_left(&buf) >= 4)
            ck_assert_int_eq(buf_format(&buf, "%d-%s", 1, "ab"), 0);
        ck_assert_int_eq(buf_format(&buf, "%d-%s", 1, "ab"), -1);
        for (size_t i = 0; i < buf.length; i++)
            ck_assert_int_eq(buf_data(&buf)[i], "1-ab"[i % 4]);
        ck_assert_uint_eq(buf.length, limit / 4 * 4);
        buf_fini(&buf);
    }
    buf_init(&buf, 1);
    ck_assert_int_eq(buf_format(&buf, "%c", 'x'), 0);
    ck_assert_int_eq(*buf_data(&buf), 'x');
    buf_fini(&buf);
}
END_TEST

/* A model that cannot be wrong beside it: a million random steps. */
START_TEST(a_million_steps_agree_with_a_plain_array)
{
    enum { LIMIT = 5000 };
    static char model[LIMIT], bytes[LIMIT];
    size_t length = 0;
    struct buf buf;
    unsigned seed = 1;

    buf_init(&buf, LIMIT);
    for (int i = 0; i < 1000000; i++) {
        size_t n = (size_t)rand_r(&seed) % (i % 7 ? 20 : 3000);

        if (rand_r(&seed) % 2) {
            memset(bytes, i, n);
            if (length + n > LIMIT) {
                if (buf_add(&buf, bytes, n) != -1)
                    ck_abort_msg("step %d", i);
            } else {
                if (buf_add(&buf, bytes, n) != 0)
                    ck_abort_msg("step %d", i);
                memcpy(model + length, bytes, n);
                length += n;
            }
        } else {
            n = n < length ? n : length;
            buf_drop(&buf, n);
            memmove(model, model + n, length - n);
            length -= n;
        }
        if (buf.length != length ||
            (length && memcmp(buf_data(&buf), model, length) != 0) ||
            buf.room > LIMIT + LIMIT / 2 + 1)
            ck_abort_msg("step %d", i);
    }
    buf_fini(&buf);
}
END_TEST

/* A full buffer that loses a byte and gets one, over and over: were all of it
 * moved each time, these two million steps would move two terabytes. */
START_TEST(a_full_buffer_does_not_move_for_every_byte)
{
    enum { LIMIT = 1 << 20 };
    static char bytes[LIMIT];
    struct buf buf;
    char *before;
    int moves = 0;

    buf_init(&buf, LIMIT);
    ck_assert_int_eq(buf_add(&buf, bytes, LIMIT), 0);
    for (int i = 0; i < 2000000; i++) {
        buf_drop(&buf, 1);
        before = buf_data(&buf);
        if (buf_add(&buf, "x", 1) != 0)
            ck_abort_msg("step %d", i);
        moves += buf_data(&buf) != before;
    }
    ck_assert_int_le(moves, 6);
    ck_assert_uint_eq(buf.length, LIMIT);
    buf_fini(&buf);
}
END_TEST

START_TEST(growing_a_byte_at_a_time_takes_few_steps)
{
    struct buf buf;
    size_t room = 0;
    int grown = 0;

    buf_init(&buf, 1 << 20);
    for (int i = 0; i < 1 << 20; i++) {
        if (buf_add(&buf, "x", 1) != 0)
            ck_abort_msg("step %d", i);
        grown += buf.room != room;
        room = buf.room;
    }
    ck_assert_int_le(grown, 14);
    buf_fini(&buf);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buf");
    TCase *tcase = tcase_create("buf");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, bytes_come_out_as_they_went_in);
    tcase_add_test(tcase, over_the_limit_is_all_or_nothing);
    tcase_add_test(tcase, what_is_drained_takes_no_memory);
    tcase_add_test(tcase, space_is_written_into_and_told);
    tcase_add_test(tcase, formatted_text_has_no_nul);
    tcase_add_test(tcase, a_million_steps_agree_with_a_plain_array);
    tcase_add_test(tcase, a_full_buffer_does_not_move_for_every_byte);
    tcase_add_test(tcase, growing_a_byte_at_a_time_takes_few_steps);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
