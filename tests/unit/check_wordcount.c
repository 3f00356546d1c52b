/* The reference of lab 1: known checksums, and the rules of words and lines
 * one by one; and that the wrong ideas count what they would. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/checks/wordcount.h"

static struct wordcount count_of(const void *bytes, size_t length)
{
    struct wordcount count = {0};

    wordcount_add(&count, bytes, length);
    return count;
}

static const char *answer_of(const struct wordcount *count)
{
    static char text[WORDCOUNT_TEXT];

    ck_assert_uint_eq(wordcount_answer(count, text), strlen(text));
    return text;
}

static void answers(const char *bytes, size_t length, const char *answer)
{
    struct wordcount count = count_of(bytes, length);

    ck_assert_str_eq(answer_of(&count), answer);
}

START_TEST(crc_of_known_vectors)
{
    ck_assert_uint_eq(count_of("", 0).crc, 0);
    ck_assert_uint_eq(count_of("a", 1).crc, 0xe8b7be43);
    ck_assert_uint_eq(count_of("abc", 3).crc, 0x352441c2);
    ck_assert_uint_eq(count_of("123456789", 9).crc, 0xcbf43926);
    ck_assert_uint_eq(count_of("\0\0\0", 3).crc, 0xff41d912);
    ck_assert_uint_eq(
        count_of("The quick brown fox jumps over the lazy dog", 43).crc,
        0x414fa339);
}
END_TEST

START_TEST(nothing_is_four_zeros)
{
    answers("", 0, "0 0 0 00000000\n");
}
END_TEST

START_TEST(words_lines_and_bytes_of_a_text)
{
    answers("one two\nthree\n", 14, "2 3 14 41d502e5\n");
    answers("\0\0\0", 3, "0 1 3 ff41d912\n");
}
END_TEST

START_TEST(exactly_six_bytes_end_a_word)
{
    for (int byte = 0; byte < 256; byte++) {
        char text[3] = {'a', (char)byte, 'b'};
        bool space = strchr("\t\n\v\f\r ", byte) != NULL && byte != 0;

        ck_assert_uint_eq(count_of(text, 3).words, space ? 2 : 1);
        ck_assert_uint_eq(count_of(text, 3).lines, byte == '\n');
    }
}
END_TEST

START_TEST(any_cut_counts_the_same)
{
    const char *text = "  one\n\ntwo\0three \xff\t";
    struct wordcount whole = count_of(text, 18);

    for (size_t cut = 0; cut <= 18; cut++) {
        struct wordcount parts = count_of(text, cut);

        wordcount_add(&parts, text + cut, 18 - cut);
        ck_assert_uint_eq(parts.words, whole.words);
        ck_assert_uint_eq(parts.crc, whole.crc);
        ck_assert_uint_eq(parts.bytes, 18);
    }
}
END_TEST

START_TEST(to_zero_stops_at_the_zero_byte_of_each_piece)
{
    const uint8_t *bytes = (const uint8_t *)"ab\0cdef\0g";
    size_t pieces[] = {5, 4};
    struct wordcount count = wordcount_to_zero(bytes, pieces, 2);

    ck_assert_uint_eq(count.bytes, 4);
    ck_assert_uint_eq(count.crc, count_of("abef", 4).crc);
}
END_TEST

START_TEST(with_old_drags_along_the_longer_piece)
{
    const uint8_t *bytes = (const uint8_t *)"AAAAAAAAAABB";
    size_t pieces[] = {10, 2};
    struct wordcount count = wordcount_with_old(bytes, pieces, 2);

    ck_assert_uint_eq(count.bytes, 20);
    ck_assert_uint_eq(count.crc, count_of("AAAAAAAAAABBAAAAAAAA", 20).crc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wordcount");
    TCase *tests = tcase_create("wordcount");
    SRunner *runner;
    int failed;

    tcase_add_test(tests, crc_of_known_vectors);
    tcase_add_test(tests, nothing_is_four_zeros);
    tcase_add_test(tests, words_lines_and_bytes_of_a_text);
    tcase_add_test(tests, exactly_six_bytes_end_a_word);
    tcase_add_test(tests, any_cut_counts_the_same);
    tcase_add_test(tests, to_zero_stops_at_the_zero_byte_of_each_piece);
    tcase_add_test(tests, with_old_drags_along_the_longer_piece);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
