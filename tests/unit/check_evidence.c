/* Evidence: bytes shown so that two that differ never look alike, and nothing
 * of a program's output reaches a screen as more than text. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/grader/evidence.h"

static const char *escaped(const void *bytes, size_t length)
{
    static char text[256];

    evidence_escape(bytes, length, text, sizeof text);
    return text;
}

START_TEST(bytes_are_escaped_as_c_writes_them)
{
    ck_assert_str_eq(escaped("a\n\t\r\"\\", 6), "a\\n\\t\\r\\\"\\\\");
    ck_assert_str_eq(escaped("\033[2J", 4), "\\x1b[2J");
    ck_assert_str_eq(escaped("\xff ", 2), "\\xff ");
}
END_TEST

START_TEST(a_zero_before_a_digit_is_not_an_octal_number)
{
    ck_assert_str_eq(escaped("\0x", 2), "\\0x");
    ck_assert_str_eq(escaped("\0"
                             "7",
                             2),
                     "\\x007");
}
END_TEST

START_TEST(escaping_stops_before_the_byte_that_does_not_fit)
{
    char text[6];

    ck_assert_uint_eq(evidence_escape("ab\033", 3, text, sizeof text), 2);
    ck_assert_str_eq(text, "ab");
}
END_TEST

/* The column of the caret must be that of the byte it points at. */
static void check_caret(const struct lines *actual, char at)
{
    const char *caret = strchr(actual->line[1], '^');

    ck_assert_ptr_nonnull(caret);
    ck_assert_int_eq(actual->line[0][caret - actual->line[1]], at);
}

START_TEST(the_caret_stands_under_the_first_difference)
{
    struct lines expected = {0}, actual = {0};

    evidence_differ(&expected, &actual, "1 2 8\n", 6, "1 3 8\n", 6, "then FIN");
    ck_assert_str_eq(expected.line[0], "\"1 2 8\\n\"");
    ck_assert_str_eq(actual.line[0], "\"1 3 8\\n\"");
    ck_assert_str_eq(actual.line[2], "6 bytes, then FIN");
    check_caret(&actual, '3');
    ck_assert_ptr_nonnull(strstr(actual.line[1], "offset 2"));
    lines_fini(&expected);
    lines_fini(&actual);
}
END_TEST

START_TEST(a_difference_far_inside_is_shown_not_cut_away)
{
    enum { SIZE = 100000 };
    char *want = malloc(SIZE), *got = malloc(SIZE);
    struct lines expected = {0}, actual = {0};

    memset(want, 'a', SIZE);
    memset(got, 'a', SIZE);
    got[SIZE - 1] = 'b';
    evidence_differ(&expected, &actual, want, SIZE, got, SIZE, NULL);
    ck_assert_str_ne(expected.line[0], actual.line[0]);
    ck_assert_ptr_nonnull(strstr(actual.line[0], "more"));
    check_caret(&actual, 'b');
    lines_fini(&expected);
    lines_fini(&actual);
    free(want);
    free(got);
}
END_TEST

START_TEST(a_trailing_space_and_a_missing_byte_can_be_seen)
{
    struct lines expected = {0}, actual = {0};

    evidence_differ(&expected, &actual, "OK ", 3, "OK", 2, "then RST");
    ck_assert_str_eq(expected.line[0], "\"OK \"");
    ck_assert_str_eq(actual.line[0], "\"OK\"");
    ck_assert_ptr_nonnull(strstr(actual.line[1], "missing"));
    lines_fini(&expected);
    lines_fini(&actual);
}
END_TEST

START_TEST(an_empty_answer_is_evidence_too)
{
    struct lines expected = {0}, actual = {0};

    evidence_differ(&expected, &actual, "0 0\n", 4, "", 0,
                    "and then nothing more");
    ck_assert_str_eq(actual.line[0], "\"\"");
    ck_assert_str_eq(actual.line[2], "0 bytes, and then nothing more");
    lines_fini(&expected);
    lines_fini(&actual);
}
END_TEST

START_TEST(cleaned_text_is_printable_utf8_only)
{
    char text[128];

    evidence_clean("\033[31m\a\xc3\xa9\xff\xc2\x9b", 11, text, sizeof text, 0);
    ck_assert_str_eq(text, "\\x1b[31m\\x07\xc3\xa9\\xff\\xc2\\x9b");
    evidence_clean("a\nb", 3, text, sizeof text, 0);
    ck_assert_str_eq(text, "a\\x0ab");
    evidence_clean("a\nb", 3, text, sizeof text, 1);
    ck_assert_str_eq(text, "a\nb");
    /* U+202E turns the rest of a line around. */
    evidence_clean("\xe2\x80\xae", 3, text, sizeof text, 0);
    ck_assert_str_eq(text, "\\xe2\\x80\\xae");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("evidence");
    TCase *tcase = tcase_create("bytes");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, bytes_are_escaped_as_c_writes_them);
    tcase_add_test(tcase, a_zero_before_a_digit_is_not_an_octal_number);
    tcase_add_test(tcase, escaping_stops_before_the_byte_that_does_not_fit);
    tcase_add_test(tcase, the_caret_stands_under_the_first_difference);
    tcase_add_test(tcase, a_difference_far_inside_is_shown_not_cut_away);
    tcase_add_test(tcase, a_trailing_space_and_a_missing_byte_can_be_seen);
    tcase_add_test(tcase, an_empty_answer_is_evidence_too);
    tcase_add_test(tcase, cleaned_text_is_printable_utf8_only);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
