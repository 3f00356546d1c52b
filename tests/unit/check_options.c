/* viz/options: what may be typed, what goes together, and that every refusal
 * says what to type instead. */
#include "viz/options.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 16 };

static struct options options;
static struct options_error error;

/* viz and these words, NULL after the last. */
static int read_words(const char *const *words)
{
    static char copies[MOST_WORDS][64];
    static char *argv[MOST_WORDS + 1];
    int argc = 0;

    options_fini(&options);
    memset(&error, 0, sizeof error);
    for (; words[argc]; argc++) {
        snprintf(copies[argc], sizeof copies[argc], "%s", words[argc]);
        argv[argc] = copies[argc];
    }
    argv[argc] = NULL;
    return options_read(&options, argc, argv, &error);
}
#define viz(...) read_words((const char *const[]){"viz", ##__VA_ARGS__, NULL})

static void refused(const char *words, int status)
{
    ck_assert_int_eq(status, -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_msg(strstr(error.text, words) != NULL, "\"%s\" is not in: %s",
                  words, error.text);
}

START_TEST(without_words_it_is_the_screen_on_loopback)
{
    ck_assert_int_eq(viz(NULL), 0);
    ck_assert_int_eq(options.mode, MODE_SCREEN);
    ck_assert(strncmp(options.interface, "lo", 2) == 0);
    ck_assert_ptr_null(options.read_path);
    ck_assert_str_eq(options.keys, "");
}
END_TEST

START_TEST(a_source_with_its_limits)
{
    ck_assert_int_eq(viz("-i", "eth0", "-f", "tcp port 7001", "-w", "out.pcap",
                         "--json", "--count", "11", "--duration", "1500ms",
                         "--snaplen=256"),
                     0);
    ck_assert_int_eq(options.mode, MODE_JSON);
    ck_assert_str_eq(options.interface, "eth0");
    ck_assert_str_eq(options.filter, "tcp port 7001");
    ck_assert_str_eq(options.write_path, "out.pcap");
    ck_assert_uint_eq(options.count, 11);
    ck_assert_int_eq(options.duration_ns, INT64_C(1500000000));
    ck_assert_uint_eq(options.snaplen, 256);
    ck_assert_int_eq(viz("-r", "-", "--summary"), 0);
    ck_assert_str_eq(options.read_path, "-");
    ck_assert_int_eq(options.mode, MODE_SUMMARY);
}
END_TEST

START_TEST(a_duration_has_a_unit_or_is_in_seconds)
{
    ck_assert_int_eq(viz("--duration", "5"), 0);
    ck_assert_int_eq(options.duration_ns, INT64_C(5000000000));
    ck_assert_int_eq(viz("--duration", "2m"), 0);
    ck_assert_int_eq(options.duration_ns, INT64_C(120000000000));
    refused("5s, 500ms or 2m", viz("--duration", "5h"));
    refused("5s, 500ms or 2m", viz("--duration", "0s"));
    refused("5s, 500ms or 2m", viz("--duration", "-1"));
    refused("5s, 500ms or 2m", viz("--duration", "99999999999999999999"));
}
END_TEST

START_TEST(terms_follow_expect_or_are_given_each)
{
    ck_assert_int_eq(viz("--expect", "a", "b", "-r", "x", "c"), 0);
    ck_assert_int_eq(options.mode, MODE_EXPECT);
    ck_assert_uint_eq(options.term_count, 3);
    ck_assert_str_eq(options.terms[0], "a");
    ck_assert_str_eq(options.terms[2], "c");
    ck_assert_int_eq(viz("--expect", "a", "--expect", "b"), 0);
    ck_assert_uint_eq(options.term_count, 2);
}
END_TEST

START_TEST(a_running_network_is_joined_live)
{
    ck_assert_int_eq(viz("--join", "server", "-f", "tcp", "--json"), 0);
    ck_assert_str_eq(options.join, "server");
    ck_assert_int_eq(viz("--join", "4711", "-i", "any"), 0);
    refused("neither -r nor --private", viz("--join", "1", "-r", "x"));
    refused("neither -r nor --private",
            viz("--join", "1", "--private", "--", "ls"));
    refused("--join", viz("--doctor", "--join", "1"));
}
END_TEST

START_TEST(a_private_network_runs_a_command)
{
    ck_assert_int_eq(
        viz("--private", "--text", "--", "sh", "-c", "x", "--json"), 0);
    ck_assert_int_eq(options.mode, MODE_TEXT);
    ck_assert(options.private_network);
    ck_assert_str_eq(options.command[0], "sh");
    ck_assert_str_eq(options.command[3], "--json");
    ck_assert_ptr_null(options.command[4]);
    refused("--", viz("--private", "--text"));
    refused("should stand after --", viz("--private", "--"));
    refused("for --private", viz("--text", "--", "ls"));
    refused("neither -i nor -r", viz("--private", "-r", "x", "--", "ls"));
    refused("goes with the screen",
            viz("--private", "--dump", "80x24", "--", "ls"));
}
END_TEST

START_TEST(a_lesson_is_on_the_screen_as_text_or_plays)
{
    ck_assert_int_eq(viz("--lesson", "README.md"), 0);
    ck_assert_int_eq(options.mode, MODE_LESSON);
    ck_assert_str_eq(options.lesson, "README.md");
    ck_assert_int_eq(viz("--text", "--lesson", "README.md"), 0);
    ck_assert_int_eq(options.mode, MODE_LESSON);
    ck_assert(options.text);
    ck_assert_int_eq(viz("--lesson", "README.md", "--play", "--record"), 0);
    ck_assert(options.play && options.record);
    refused("--lesson", viz("--play"));
    refused("one of them", viz("--lesson", "x", "--play", "--text"));
    refused("--play", viz("--lesson", "x", "--record"));
    refused("takes no", viz("--lesson", "x", "-r", "y"));
}
END_TEST

START_TEST(a_dump_has_a_size)
{
    ck_assert_int_eq(viz("-r", "x", "--dump", "140x45", "--keys", "j<Enter>"),
                     0);
    ck_assert_int_eq(options.mode, MODE_DUMP);
    ck_assert_int_eq(options.dump_columns, 140);
    ck_assert_int_eq(options.dump_rows, 45);
    ck_assert_str_eq(options.keys, "j<Enter>");
    refused("80x24", viz("--dump", "80"));
    refused("80x24", viz("--dump", "80x"));
    refused("80x24", viz("--dump", "0x24"));
    refused("80x24", viz("--dump", "80x1001"));
    refused("80x24", viz("--dump", "80x24x2"));
    refused("--dump", viz("--keys", "j"));
}
END_TEST

START_TEST(a_lesson_has_pictures_too)
{
    ck_assert_int_eq(viz("--dump", "110x32", "--lesson", "README.md", "--keys",
                         "nn", "--svg", "a.svg"),
                     0);
    ck_assert_int_eq(options.mode, MODE_LESSON);
    ck_assert(options.replay);
    ck_assert_int_eq(options.dump_columns, 110);
    ck_assert_int_eq(options.dump_rows, 32);
    ck_assert_int_eq(viz("--lesson", "README.md", "--svg", "-"), 0);
    ck_assert_int_eq(options.mode, MODE_LESSON);
    ck_assert_int_eq(options.dump_columns, 100);
    ck_assert_int_eq(viz("--lesson", "README.md"), 0);
    ck_assert_int_eq(options.dump_columns, 0);
    refused("from its recording",
            viz("--lesson", "README.md", "--svg", "-", "--play"));
    refused("from its recording",
            viz("--lesson", "README.md", "--dump", "80x24", "--text"));
    refused("--keys goes with", viz("--lesson", "README.md", "--keys", "n"));
    refused("only one of them", viz("--json", "--dump", "80x24"));
    refused("--svg draws", viz("--json", "--svg", "-"));
}
END_TEST

START_TEST(what_cannot_be_together_is_refused)
{
    refused("--json and --text", viz("--json", "--text"));
    refused("--summary and --expect", viz("--summary", "--expect", "x"));
    refused("one of them", viz("-i", "lo", "-r", "x"));
    refused("--count", viz("-r", "x", "--duration", "5s"));
    refused("takes no", viz("--doctor", "-i", "lo"));
    refused("takes no", viz("--shell", "--count", "3"));
}
END_TEST

START_TEST(what_is_unknown_is_named)
{
    refused("--bogus", viz("--bogus"));
    refused("-x", viz("-x"));
    refused("-r wants a value", viz("-r"));
    refused("--expect wants a value", viz("--expect"));
    refused("--text takes no value", viz("--text=80"));
    refused("-f", viz("tcp", "port", "80"));
    refused("from 1 on", viz("--count", "0"));
    refused("64 to 262144", viz("--snaplen", "63"));
    refused("ends in .txt", viz("--export", "x.doc"));
    refused("ends in .txt", viz("--export", ".md"));
    refused("--connection goes with", viz("--json", "--connection", "1"));
    refused("--svg draws the screen", viz("--json", "--svg", "x.svg"));
    refused("goes with --json", viz("--wireshark"));
}
END_TEST

START_TEST(help_wins_over_what_follows)
{
    ck_assert_int_eq(viz("--help", "--bogus"), 0);
    ck_assert_int_eq(options.mode, MODE_HELP);
    ck_assert_int_eq(viz("-h"), 0);
    ck_assert_int_eq(options.mode, MODE_HELP);
}
END_TEST

START_TEST(usage_fits_a_terminal)
{
    static const char *const names[] = {"--interface IF", "-r, --read FILE",
                                        "--expect TERM",  "--private",
                                        "--dump WxH",     "--lesson FILE"};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    options_usage(out);
    fclose(out);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(strstr(text, names[i]) != NULL, "%s", names[i]);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        ck_assert_msg(strlen(line) <= 80, "%s", line);
    free(text);
}
END_TEST

START_TEST(the_handbook_has_every_option)
{
    static char handbook[65536];
    FILE *file = fopen("docs/viz.md", "r"), *out;
    char *text = NULL, *at, name[64];
    size_t size;
    int names = 0;

    ck_assert_msg(file != NULL, "run this where the Makefile is");
    ck_assert_uint_gt(fread(handbook, 1, sizeof handbook - 1, file), 0);
    fclose(file);
    out = open_memstream(&text, &size);
    options_usage(out);
    fclose(out);
    for (at = text; (at = strstr(at, "--")) != NULL; at++) {
        size_t length = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz");

        snprintf(name, sizeof name, "%.*s", (int)length, at);
        ck_assert_msg(length == 2 || strstr(handbook, name) != NULL,
                      "%s is not in docs/viz.md", name);
        names++;
    }
    ck_assert_int_gt(names, 20);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("command line");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, without_words_it_is_the_screen_on_loopback);
    tcase_add_test(tcase, a_source_with_its_limits);
    tcase_add_test(tcase, a_duration_has_a_unit_or_is_in_seconds);
    tcase_add_test(tcase, terms_follow_expect_or_are_given_each);
    tcase_add_test(tcase, a_running_network_is_joined_live);
    tcase_add_test(tcase, a_private_network_runs_a_command);
    tcase_add_test(tcase, a_lesson_is_on_the_screen_as_text_or_plays);
    tcase_add_test(tcase, a_dump_has_a_size);
    tcase_add_test(tcase, a_lesson_has_pictures_too);
    tcase_add_test(tcase, what_cannot_be_together_is_refused);
    tcase_add_test(tcase, what_is_unknown_is_named);
    tcase_add_test(tcase, help_wins_over_what_follows);
    tcase_add_test(tcase, usage_fits_a_terminal);
    tcase_add_test(tcase, the_handbook_has_every_option);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
