/* What a report counts and how it looks: points, status, width, JSON. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/grader/report.h"

static void never(struct probe *probe)
{
    (void)probe;
}

static const struct check checks[] = {
    {.id = "one",
     .title = "does the one thing",
     .points = 10,
     .run = never,
     .required = "one thing, and it is explained at some length so that the "
                 "line has to be folded (recv(2))"},
    {.id = "two",
     .title = "does the other",
     .points = 5,
     .run = never,
     .required = "another"},
};
static const char *const files[] = {"x.c", NULL};
static const struct lab lab = {"99-test", "x", files, checks, 2};
static const bool which[] = {true, true};
static struct isolation isolation = {.level = ISOLATION_FULL};
static struct build_result built[BUILDS];
static struct result result[2];

static struct report report_of(enum grade one, enum grade two)
{
    const enum grade grade[] = {one, two};

    for (int i = 0; i < 2; i++)
        result[i] = (struct result){
            .grade = grade[i],
            .final = true,
            .points = grade[i] == GRADE_PASS ? checks[i].points : 0};
    return (struct report){.lab = &lab,
                           .number = 99,
                           .folder = "work/99-test",
                           .seed = 7,
                           .isolation = &isolation,
                           .which = which,
                           .result = result,
                           .build = built};
}

START_TEST(the_status_is_0_all_1_fewer_2_could_not)
{
    struct report report = report_of(GRADE_PASS, GRADE_PASS);

    ck_assert_int_eq(report_status(&report), 0);
    report = report_of(GRADE_PASS, GRADE_FAIL);
    ck_assert_int_eq(report_status(&report), 1);
    report = report_of(GRADE_FAIL, GRADE_ERROR);
    ck_assert_int_eq(report_status(&report), 2);
}
END_TEST

START_TEST(a_skipped_check_is_not_gradable_and_not_lost)
{
    struct report report = report_of(GRADE_PASS, GRADE_SKIP);
    struct score score = report_score(&report);

    ck_assert_int_eq(score.points, 10);
    ck_assert_int_eq(score.not_gradable, 5);
    ck_assert_int_eq(score.max, 15);
    ck_assert_int_eq(report_status(&report), 0);
}
END_TEST

static char *summary_of(const struct report *report, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);

    words_isolation(out, report);
    for (size_t i = 0; i < 2; i++)
        words_ended(out, report, i, false);
    words_summary(out, report, false);
    fclose(out);
    return text;
}

static void fill_evidence(struct result *to)
{
    char wide[301];

    memset(wide, 'w', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    lines_add(&to->steps, "%s", wide);
    lines_add(&to->expected, "\"a\"");
    lines_add(&to->actual, "\"\\x1b[2J\", \xc3\xa9\xc3\xa9");
    lines_add(&to->wire, "client FIN -> server RST after 0.0004 s");
    to->captured = true;
    lines_add(&to->remarks, "a remark that is long enough to be folded at the "
                            "right edge of a terminal of eighty columns");
}

START_TEST(every_line_fits_80_columns_and_is_plain_text)
{
    struct report report = report_of(GRADE_FAIL, GRADE_FAIL);
    size_t size;
    char *text, *line, *rest;

    isolation.level = ISOLATION_REDUCED;
    fill_evidence(&result[0]);
    text = summary_of(&report, &size);
    isolation.level = ISOLATION_FULL;
    ck_assert_ptr_null(strchr(text, '\033'));
    for (line = strtok_r(text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        int columns = 0;

        for (const char *c = line; *c; c++)
            columns += ((unsigned char)*c & 0xc0) != 0x80;
        ck_assert_msg(columns <= 80, "%d columns: %s", columns, line);
    }
    free(text);
    result_fini(&result[0]);
}
END_TEST

START_TEST(a_failure_is_told_in_the_order_of_the_handbook)
{
    static const char *const order[] = {"Required", "Steps", "Expected",
                                        "Actual",   "Wire",  "replay: make viz",
                                        "Hint",     "Again"};
    struct report report = report_of(GRADE_FAIL, GRADE_PASS);
    size_t size;
    char *text, *at;

    fill_evidence(&result[0]);
    at = text = summary_of(&report, &size);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        at = strstr(at, order[i]);
        ck_assert_msg(at != NULL, "%s is missing or too early:\n%s", order[i],
                      text);
    }
    ck_assert_ptr_nonnull(strstr(text, "make grade-99 CHECK=one SEED=7"));
    free(text);
    result_fini(&result[0]);
}
END_TEST

START_TEST(one_cause_of_many_failures_is_told_once)
{
    struct report report = report_of(GRADE_FAIL, GRADE_FAIL);
    size_t size;
    char *text;

    result_sign(&result[0], "exited-early");
    result_sign(&result[1], "exited-early");
    text = summary_of(&report, &size);
    ck_assert_ptr_nonnull(strstr(text, "[one]"));
    ck_assert_ptr_null(strstr(text, "[two]"));
    ck_assert_ptr_nonnull(strstr(text, "two            for the same reason"));
    free(text);
    result_fini(&result[0]);
    result_fini(&result[1]);
}
END_TEST

START_TEST(the_starter_is_expected_to_fail_and_told_so)
{
    struct report report = report_of(GRADE_FAIL, GRADE_FAIL);
    size_t size;
    char *text;

    report.untouched = true;
    text = summary_of(&report, &size);
    ck_assert_ptr_nonnull(strstr(text, "that it fails is expected"));
    ck_assert_ptr_nonnull(strstr(text, "work/99-test/x.c"));
    free(text);
}
END_TEST

START_TEST(json_is_version_1_and_survives_hostile_text)
{
    struct report report = report_of(GRADE_FAIL, GRADE_PASS);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    json_t *read, *first;

    fill_evidence(&result[0]);
    lines_add(&result[0].actual, "</script>\n::error::x\033]0;owned\a\xff");
    result[0].misconception = "recv-zero-not-eof";
    ck_assert_int_eq(json_report(out, &report), 0);
    fclose(out);
    read = json_loadb(text, size, 0, NULL);
    ck_assert_ptr_nonnull(read);
    ck_assert_int_eq(json_integer_value(json_object_get(read, "version")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(read, "score")), 5);
    ck_assert_int_eq(json_integer_value(json_object_get(read, "max")), 15);
    ck_assert_str_eq(json_string_value(json_object_get(read, "isolation")),
                     "full");
    first = json_array_get(json_object_get(read, "checks"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(first, "verdict")),
                     "fail");
    ck_assert_str_eq(json_string_value(json_object_get(first, "misconception")),
                     "recv-zero-not-eof");
    json_decref(read);
    free(text);
    result_fini(&result[0]);
}
END_TEST

START_TEST(all_formats_have_their_option)
{
    static const char *const options[] = {"--json",        "--tap",
                                          "--junit",       "--gradescope",
                                          "--classroom50", "--autolab"};

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        ck_assert_ptr_nonnull(format_by_option(options[i]));
    ck_assert_ptr_nonnull(format_by_option("--json")->write);
    ck_assert_ptr_null(format_by_option("--yaml"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *tcase = tcase_create("words and JSON");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, the_status_is_0_all_1_fewer_2_could_not);
    tcase_add_test(tcase, a_skipped_check_is_not_gradable_and_not_lost);
    tcase_add_test(tcase, every_line_fits_80_columns_and_is_plain_text);
    tcase_add_test(tcase, a_failure_is_told_in_the_order_of_the_handbook);
    tcase_add_test(tcase, one_cause_of_many_failures_is_told_once);
    tcase_add_test(tcase, the_starter_is_expected_to_fail_and_told_so);
    tcase_add_test(tcase, json_is_version_1_and_survives_hostile_text);
    tcase_add_test(tcase, all_formats_have_their_option);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
