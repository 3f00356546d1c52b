/* The score of predict mode in the progress file. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/progress.h"
#include "tests/unit/frames.h"
#include "viz/score.h"

static char folder[] = "/tmp/check-score-XXXXXX";

static void begin(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void end(void)
{
    unlink(PROGRESS_FILE);
    rmdir(".lab");
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

static void is(const char *key, const char *wanted)
{
    char value[204];

    ck_assert_int_eq(progress_get(PROGRESS_FILE, key, value, sizeof value), 0);
    ck_assert_str_eq(value, wanted);
}

START_TEST(each_prediction_has_its_score_and_all_have_one)
{
    struct score kept = {0, 0};

    ck_assert_int_eq(mkdir(".lab", 0755), 0);
    ck_assert_int_eq(score_keep(&kept, "s 01/x.pcap", 1, 1), 0);
    ck_assert_int_eq(score_keep(&kept, "s 01/x.pcap", 1, 2), 0);
    is("predict.s_01_x.pcap", "1/2");
    is("predict.total", "1/2");
    ck_assert_int_eq(score_keep(&kept, "lo", 0, 1), 0); /* begun anew */
    ck_assert_int_eq(score_keep(&kept, "lo", 1, 2), 0);
    ck_assert_int_eq(score_keep(&kept, "lo", 1, 2), 0); /* no news */
    is("predict.s_01_x.pcap", "1/2");
    is("predict.lo", "1/2");
    is("predict.total", "2/4");
}
END_TEST

START_TEST(a_total_that_cannot_be_read_begins_anew)
{
    static const char *const bad[] = {"x", "5", "7/3", "1/2/3", "1/", "/"};

    ck_assert_int_eq(mkdir(".lab", 0755), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct score kept = {0, 0};

        progress_set(PROGRESS_FILE, "predict.total", bad[i], NULL);
        ck_assert_int_eq(score_keep(&kept, "lo", 1, 1), 0);
        is("predict.total", "1/1");
    }
}
END_TEST

START_TEST(without_a_folder_nothing_is_kept)
{
    struct score kept = {0, 0};

    ck_assert_int_eq(score_keep(&kept, "lo", 1, 1), 0);
    ck_assert_int_eq(access(".lab", F_OK), -1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("score");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, each_prediction_has_its_score_and_all_have_one);
    tcase_add_test(tests, a_total_that_cannot_be_read_begins_anew);
    tcase_add_test(tests, without_a_folder_nothing_is_kept);
    return run_suite("score", tests);
}
