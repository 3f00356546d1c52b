/* common/clock: deadlines that neither overflow nor fall short. */
#include <check.h>
#include <limits.h>
#include <stdlib.h>

#include "common/clock.h"

START_TEST(the_monotonic_clock_never_goes_back)
{
    int64_t before = clock_now();

    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_now();

        ck_assert(now >= before);
        before = now;
    }
}
END_TEST

START_TEST(milliseconds_for_poll_are_rounded_up)
{
    int64_t now = clock_now();

    ck_assert_int_eq(clock_poll_ms(CLOCK_NEVER), -1);
    ck_assert_int_eq(clock_poll_ms(now - 1), 0);
    ck_assert_int_eq(clock_poll_ms(0), 0);
    ck_assert_int_eq(clock_poll_ms(CLOCK_NEVER - 1), INT_MAX);
    now = clock_now();
    ck_assert_int_le(clock_poll_ms(now + 1000 * (int64_t)CLOCK_MS), 1000);
    /* Half a millisecond to go is not "now": the wait would spin. */
    now = clock_now();
    ck_assert(clock_poll_ms(now + 3600 * CLOCK_SECOND + 1) > 0);
}
END_TEST

START_TEST(a_deadline_from_milliseconds)
{
    int64_t before = clock_now(), deadline = clock_after_ms(1500);

    ck_assert(deadline >= before + 1500 * (int64_t)CLOCK_MS);
    ck_assert(deadline <= clock_now() + 1500 * (int64_t)CLOCK_MS);
    ck_assert(clock_after_ms(0) <= clock_now());
    ck_assert(clock_after_ms(-1) == CLOCK_NEVER);
    ck_assert(clock_after_ms(INT64_MIN) == CLOCK_NEVER);
    ck_assert(clock_after_ms(INT64_MAX) == CLOCK_NEVER);
    ck_assert(clock_after_ms(INT64_MAX / CLOCK_MS) == CLOCK_NEVER);
    ck_assert(clock_after_ms(UINT_MAX) > clock_now());
}
END_TEST

START_TEST(a_timespec_has_seconds_and_the_rest)
{
    struct timespec time = clock_timespec(3 * CLOCK_SECOND + 7);

    ck_assert_int_eq((int)time.tv_sec, 3);
    ck_assert_int_eq((int)time.tv_nsec, 7);
    time = clock_timespec(-5);
    ck_assert_int_eq((int)time.tv_sec, 0);
    ck_assert_int_eq((int)time.tv_nsec, 0);
    time = clock_timespec(CLOCK_NEVER);
    ck_assert(time.tv_nsec < 1000000000 && time.tv_sec > 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock");
    TCase *tcase = tcase_create("clock");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, the_monotonic_clock_never_goes_back);
    tcase_add_test(tcase, milliseconds_for_poll_are_rounded_up);
    tcase_add_test(tcase, a_deadline_from_milliseconds);
    tcase_add_test(tcase, a_timespec_has_seconds_and_the_rest);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
