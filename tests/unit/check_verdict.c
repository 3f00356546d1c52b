/* Records of checks, and the diagnosis made from all of them. */
#include <check.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/grader/misconceptions.h"
#include "tests/grader/verdict.h"

START_TEST(a_record_comes_back_as_it_was_sent)
{
    struct result sent = {.grade = GRADE_FAIL,
                          .final = true,
                          .points = 3,
                          .captured = true},
                  got;
    char *line;

    lines_add(&sent.steps, "1 connect");
    lines_add(&sent.actual, "\"%s\"", "a\\0b");
    result_sign(&sent, "no-eof");
    result_sign(&sent, "no-eof");
    sent.reason = strdup("because");
    line = result_write(&sent);
    ck_assert_ptr_nonnull(line);
    ck_assert_ptr_null(strchr(line, '\n'));
    ck_assert_int_eq(result_read(&got, line, strlen(line)), 0);
    ck_assert_int_eq(got.grade, GRADE_FAIL);
    ck_assert(got.final && got.captured && !got.timing);
    ck_assert_int_eq(got.points, 3);
    ck_assert_str_eq(got.steps.line[0], "1 connect");
    ck_assert_str_eq(got.actual.line[0], "\"a\\0b\"");
    ck_assert_uint_eq(got.sign_count, 1);
    ck_assert(result_has_sign(&got, "no-eof"));
    ck_assert_str_eq(got.reason, "because");
    free(line);
    result_fini(&sent);
    result_fini(&got);
}
END_TEST

START_TEST(what_is_no_record_is_refused)
{
    static const char *const wrong[] = {
        "", "{", "[]", "1", "{\"grade\":\"0\"}", "ok 1 - half-close"};
    struct result got;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        errno = 0;
        ck_assert_int_eq(result_read(&got, wrong[i], strlen(wrong[i])), -1);
        ck_assert_int_eq(errno, EBADMSG);
    }
    ck_assert_int_eq(result_read(&got, "{\"grade\":77}", 12), 0);
    ck_assert_int_eq(got.grade, GRADE_ERROR);
    result_fini(&got);
}
END_TEST

START_TEST(lines_are_bounded_and_carry_no_control_bytes)
{
    struct lines lines = {0};

    for (int i = 0; i < RESULT_LINES + 5; i++)
        lines_add(&lines, "ok %d\n\033[2J", i);
    ck_assert_uint_eq(lines.count, RESULT_LINES);
    ck_assert_uint_eq(lines.dropped, 5);
    ck_assert_str_eq(lines.line[0], "ok 0\\x0a\\x1b[2J");
    lines_fini(&lines);
}
END_TEST

/* --- the table -------------------------------------------------------------*/

START_TEST(every_misconception_is_whole_and_its_rules_name_real_checks)
{
    const struct misconception *m;

    for (size_t i = 0; (m = misconception_at(i)) != NULL; i++) {
        const struct lab *lab = lab_by_number(atoi(m->lab));

        ck_assert_ptr_eq(misconception_by_id(m->id), m);
        ck_assert_ptr_nonnull(lab);
        ck_assert(m->likely[0] && m->read[0] && m->met[0]);
        for (int r = 0; r < MISCONCEPTION_RULES; r++)
            for (int c = 0; c < RULE_CONDITIONS && m->rule[r][c].check; c++)
                ck_assert_msg(lab_check(lab, m->rule[r][c].check) != NULL,
                              "%s: no check %s", m->id, m->rule[r][c].check);
    }
}
END_TEST

START_TEST(the_page_of_misconceptions_is_the_table)
{
    char *text = NULL, *stored;
    size_t size = 0, n;
    FILE *out = open_memstream(&text, &size), *in;

    misconceptions_page(out);
    fclose(out);
    in = fopen("docs/misconceptions.md", "r");
    ck_assert_msg(in != NULL, "run from the project's root");
    stored = calloc(1, size + 2);
    n = fread(stored, 1, size + 1, in);
    fclose(in);
    ck_assert_msg(n == size && memcmp(stored, text, n) == 0,
                  "docs/misconceptions.md is old; type: build/bin/grade "
                  "--misconceptions > docs/misconceptions.md");
    free(stored);
    free(text);
}
END_TEST

/* Words of a blank-separated list, each with its blanks: " a b ". */
static bool listed(const char *list, const char *word)
{
    char padded[600], key[100];

    snprintf(padded, sizeof padded, " %s ", list);
    snprintf(key, sizeof key, " %s ", word);
    return strstr(padded, key) != NULL;
}

/* Whether one of its rules puts the name on this check. */
static bool carries(const struct misconception *m, const char *check)
{
    for (int r = 0; r < MISCONCEPTION_RULES; r++)
        if (m->rule[r][0].check && strcmp(m->rule[r][0].check, check) == 0)
            return true;
    return false;
}

/* What the wrong programs earn: read from their `expect` files. */
struct expected {
    char name[64], fails[400], may_fail[400];
};

static void read_expect(const char *path, struct expected *expected)
{
    FILE *in = fopen(path, "r");
    char line[600];

    *expected = (struct expected){0};
    ck_assert_msg(in != NULL, "%s", path);
    while (fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "name ", 5) == 0)
            snprintf(expected->name, sizeof expected->name, "%.60s", line + 5);
        else if (strncmp(line, "fails ", 6) == 0)
            snprintf(expected->fails, sizeof expected->fails, "%.390s",
                     line + 6);
        else if (strncmp(line, "may-fail ", 9) == 0)
            snprintf(expected->may_fail, sizeof expected->may_fail, "%.390s",
                     line + 9);
    }
    fclose(in);
}

/* A failure that goes with a name, and that the table does not list, is told as
 * if it were another mistake; one that it lists without reason is hidden. */
START_TEST(what_fails_along_with_a_name_is_what_its_programs_fail)
{
    const struct misconception *m;
    struct expected expected;
    glob_t found;

    ck_assert_int_eq(glob("tests/submissions/*/*/expect", 0, NULL, &found), 0);
    for (size_t i = 0; (m = misconception_at(i)) != NULL; i++) {
        const struct lab *lab = lab_by_number(atoi(m->lab));
        bool failed[MOST_CHECKS] = {false}, proved = false;

        for (size_t f = 0; f < found.gl_pathc; f++) {
            read_expect(found.gl_pathv[f], &expected);
            if (strcmp(expected.name, m->id) != 0)
                continue;
            proved = true;
            for (size_t c = 0; c < lab->check_count; c++) {
                const char *id = lab->checks[c].id;
                bool fails = listed(expected.fails, id);

                failed[c] |= fails || listed(expected.may_fail, id);
                ck_assert_msg(!fails || carries(m, id) ||
                                  misconception_explains(m, id),
                              "%s: %s fails, and %s does not explain it",
                              found.gl_pathv[f], id, m->id);
            }
        }
        ck_assert_msg(proved || m->rule[0][0].kind == ALWAYS,
                      "%s: no program proves it", m->id);
        for (size_t c = 0; m->explains && strcmp(m->explains, "*") != 0 &&
                           c < lab->check_count;
             c++)
            ck_assert_msg(!misconception_explains(m, lab->checks[c].id) ||
                              failed[c],
                          "%s explains %s, which none of its programs fails",
                          m->id, lab->checks[c].id);
    }
    globfree(&found);
}
END_TEST

/* The ladder's 1.1 to 1.12, each diagnosed by a check that exists. (That the
 * place to read exists in the lesson: tests/lab-commands.sh.) */
START_TEST(every_rung_of_lesson_1_is_diagnosed_by_a_real_check)
{
    const struct lab *lab = lab_by_number(1);

    for (int rung = 1; rung <= 12; rung++) {
        const struct misconception *m;
        char place[8];
        bool met = false;

        snprintf(place, sizeof place, "1.%d", rung);
        for (size_t i = 0; (m = misconception_at(i)) != NULL; i++) {
            bool named = false;

            if (strcmp(m->place, place) != 0)
                continue;
            met = true;
            ck_assert_msg(strncmp(m->met, "check", 5) == 0, "%s: %s", m->id,
                          m->met);
            for (size_t c = 0; c < lab->check_count; c++)
                named |= strstr(m->met, lab->checks[c].id) != NULL;
            ck_assert_msg(named, "%s: %s", m->id, m->met);
            ck_assert_msg(strstr(m->read, "lesson 1, \"") != NULL, "%s", m->id);
        }
        ck_assert_msg(met, "nothing in the table is %s", place);
    }
}
END_TEST

static struct result results[64];
static struct result *pointers[64];

/* The first lab with every check passed, and the index of one of them. */
static struct result *passed_but(const struct lab *lab, const char *id)
{
    struct result *found = NULL;

    for (size_t i = 0; i < lab->check_count; i++) {
        results[i] = (struct result){.grade = GRADE_PASS, .final = true};
        pointers[i] = &results[i];
        if (strcmp(lab->checks[i].id, id) == 0)
            found = &results[i];
    }
    ck_assert_ptr_nonnull(found);
    return found;
}

START_TEST(a_failure_without_its_signs_gets_no_name)
{
    const struct lab *lab = lab_by_number(1);
    struct result *half_close = passed_but(lab, "half-close");

    half_close->grade = GRADE_FAIL;
    misconceptions_diagnose(lab, pointers);
    for (size_t i = 0; i < lab->check_count; i++)
        ck_assert_ptr_null(results[i].misconception);
}
END_TEST

START_TEST(a_sign_without_a_failure_gets_no_name)
{
    const struct lab *lab = lab_by_number(1);
    struct result *lost = passed_but(lab, "lost-clients");

    result_sign(lost, "killed-by-SIGPIPE");
    misconceptions_diagnose(lab, pointers);
    ck_assert_ptr_null(lost->misconception);
    result_fini(lost);
}
END_TEST

START_TEST(a_whole_vector_is_named_at_its_check)
{
    const struct lab *lab = lab_by_number(1);
    struct result *lost = passed_but(lab, "lost-clients");

    lost->grade = GRADE_FAIL;
    result_sign(lost, "killed-by-SIGPIPE");
    misconceptions_diagnose(lab, pointers);
    ck_assert_ptr_null(lost->misconception); /* no client has left yet */
    result_sign(lost, "reached-leaving");
    misconceptions_diagnose(lab, pointers);
    ck_assert_str_eq(lost->misconception, "sigpipe-death");
    ck_assert_uint_eq(lost->also_count, 0);
    result_fini(lost);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verdict");
    TCase *record = tcase_create("record"), *table = tcase_create("diagnosis");
    SRunner *runner;
    int failed;

    tcase_add_test(record, a_record_comes_back_as_it_was_sent);
    tcase_add_test(record, what_is_no_record_is_refused);
    tcase_add_test(record, lines_are_bounded_and_carry_no_control_bytes);
    tcase_add_test(table,
                   every_misconception_is_whole_and_its_rules_name_real_checks);
    tcase_add_test(table, the_page_of_misconceptions_is_the_table);
    tcase_add_test(table,
                   what_fails_along_with_a_name_is_what_its_programs_fail);
    tcase_add_test(table, every_rung_of_lesson_1_is_diagnosed_by_a_real_check);
    tcase_add_test(table, a_failure_without_its_signs_gets_no_name);
    tcase_add_test(table, a_sign_without_a_failure_gets_no_name);
    tcase_add_test(table, a_whole_vector_is_named_at_its_check);
    suite_add_tcase(suite, record);
    suite_add_tcase(suite, table);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
