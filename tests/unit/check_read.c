/* viz/decode/read.h: reads in network order, never past the end, and counts
 * what was sent apart from what was captured. */
#include "viz/decode/read.h"

#include "tests/unit/frames.h"

START_TEST(numbers_are_read_in_network_order)
{
    const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7};
    struct rd rd = rd_over(bytes, sizeof bytes, sizeof bytes);

    ck_assert_uint_eq(rd_u8(&rd), 0x01);
    ck_assert_uint_eq(rd_u16(&rd), 0x0203);
    ck_assert_uint_eq(rd_u32(&rd), 0x04050607);
    ck_assert(!rd.failed);
    ck_assert_uint_eq(rd.captured, 0);
}
END_TEST

START_TEST(a_read_past_the_end_gives_zero_and_is_remembered)
{
    const uint8_t bytes[] = {0xff, 0xff, 0xff};
    uint8_t *copy = exact_copy(bytes, sizeof bytes);
    struct rd rd = rd_over(copy, sizeof bytes, sizeof bytes);

    ck_assert_uint_eq(rd_u32(&rd), 0);
    ck_assert(rd.failed);
    ck_assert_uint_eq(rd_u8(&rd), 0); /* also what would have been there */
    ck_assert_int_eq(rd_peek(&rd), -1);
    free(copy);
}
END_TEST

START_TEST(a_copy_past_the_end_leaves_the_target_alone)
{
    const uint8_t bytes[] = {1, 2};
    uint8_t to[3] = {9, 9, 9};
    struct rd rd = rd_over(bytes, sizeof bytes, sizeof bytes);

    rd_copy(&rd, to, 3);
    ck_assert(rd.failed);
    ck_assert_uint_eq(to[0], 9);
}
END_TEST

START_TEST(what_was_sent_outlives_what_was_captured)
{
    const uint8_t bytes[10] = {0};
    struct rd rd = rd_over(bytes, 10, 1500);

    rd_skip(&rd, 4);
    ck_assert_uint_eq(rd.captured, 6);
    ck_assert_uint_eq(rd.sent, 1496);
    rd_bound(&rd, 100);
    ck_assert_uint_eq(rd.captured, 6);
    ck_assert_uint_eq(rd.sent, 100);
    rd_bound(&rd, 2);
    ck_assert_uint_eq(rd.captured, 2);
}
END_TEST

START_TEST(a_capture_longer_than_the_wire_is_believed)
{
    const uint8_t bytes[10] = {0};
    struct rd rd = rd_over(bytes, 10, 4);

    ck_assert_uint_eq(rd.sent, 10);
}
END_TEST

START_TEST(a_part_ends_where_it_was_told_to)
{
    const uint8_t bytes[] = {1, 2, 3, 4};
    struct rd rd = rd_over(bytes, sizeof bytes, sizeof bytes);
    struct rd part = rd_take(&rd, 2);

    ck_assert_uint_eq(rd_u16(&part), 0x0102);
    ck_assert_uint_eq(rd_u8(&part), 0);
    ck_assert(part.failed);
    ck_assert(!rd.failed);
    ck_assert_uint_eq(rd_u8(&rd), 3);
    part = rd_take(&rd, 2);
    ck_assert(part.failed && rd.failed);
}
END_TEST

START_TEST(no_length_wraps_around)
{
    const uint8_t bytes[4] = {0};
    struct rd rd = rd_over(bytes, sizeof bytes, sizeof bytes);

    rd_skip(&rd, UINT32_MAX);
    ck_assert(rd.failed);
    ck_assert_uint_eq(rd.captured, 4);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("read");

    tcase_add_test(tests, numbers_are_read_in_network_order);
    tcase_add_test(tests, a_read_past_the_end_gives_zero_and_is_remembered);
    tcase_add_test(tests, a_copy_past_the_end_leaves_the_target_alone);
    tcase_add_test(tests, what_was_sent_outlives_what_was_captured);
    tcase_add_test(tests, a_capture_longer_than_the_wire_is_believed);
    tcase_add_test(tests, a_part_ends_where_it_was_told_to);
    tcase_add_test(tests, no_length_wraps_around);
    return run_suite("read", tests);
}
