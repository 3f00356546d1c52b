/* common/progress: what was set is got, other lines stay, a garbled file is
 * kept aside and never crashes anything. */
#include "common/progress.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[128];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/check_progress.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/lab/progress", folder);
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void put(const char *bytes, size_t length)
{
    char lab[128];
    FILE *file;

    snprintf(lab, sizeof lab, "%s/lab", folder);
    mkdir(lab, 0777);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static void read_file(const char *name, char *text, size_t size)
{
    FILE *file = fopen(name, "r");

    ck_assert_msg(file != NULL, "cannot open %s", name);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

START_TEST(what_was_set_is_got)
{
    char value[64];

    ck_assert_int_eq(progress_get(path, "a.b", value, sizeof value), -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(progress_set(path, "a.b", "7 of 9", NULL), 0);
    ck_assert_int_eq(progress_set(path, "a.c", "x", NULL), 0);
    ck_assert_int_eq(progress_set(path, "a.b", "8 of 9", NULL), 0);
    ck_assert_int_eq(progress_get(path, "a.b", value, sizeof value), 0);
    ck_assert_str_eq(value, "8 of 9");
    ck_assert_int_eq(progress_get(path, "a.c", value, sizeof value), 0);
    ck_assert_str_eq(value, "x");
    ck_assert_int_eq(progress_get(path, "a", value, sizeof value), -1);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(other_lines_and_comments_stay)
{
    const char *before = "# mine\n\nfuture.key of a later version\na 1\n";
    char text[512];

    put(before, strlen(before));
    ck_assert_int_eq(progress_set(path, "a", "2", NULL), 0);
    read_file(path, text, sizeof text);
    ck_assert_str_eq(text, "# mine\n\nfuture.key of a later version\na 2\n");
}
END_TEST

START_TEST(several_lines_are_written_at_once_or_not_at_all)
{
    const char *before = "# mine\nb 1\na 1\n";
    struct progress_line lines[] = {{"a", "2"}, {"c", "3"}, {"b", "4"}};
    char text[512];

    put(before, strlen(before));
    ck_assert_int_eq(progress_set_all(path, lines, 3, NULL), 0);
    read_file(path, text, sizeof text);
    ck_assert_str_eq(text, "# mine\nb 4\na 2\nc 3\n");
    lines[2].value[0] = '\0';
    ck_assert_int_eq(progress_set_all(path, lines, 3, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(bad_keys_and_values_are_refused)
{
    char longest[400];

    memset(longest, 'k', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert_int_eq(progress_set(path, "", "x", NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(progress_set(path, "a b", "x", NULL), -1);
    ck_assert_int_eq(progress_set(path, "a\nb", "x", NULL), -1);
    ck_assert_int_eq(progress_set(path, longest, "x", NULL), -1);
    ck_assert_int_eq(progress_set(path, "a", "", NULL), -1);
    ck_assert_int_eq(progress_set(path, "a", "x\ny z", NULL), -1);
    ck_assert_int_eq(progress_set(path, "a", "\x1b[2J", NULL), -1);
    ck_assert_int_eq(progress_set(path, "a", longest, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

/* Each is no progress file, and says so; setting keeps it aside, whole. */
static const struct {
    const char *bytes;
    size_t length;
    const char *kept_key; /* readable nevertheless, or NULL */
#define BYTES(text) text, sizeof text - 1
} garbled[] = {
    {BYTES("a 1\nlesson.x.at"), "a"},
    {BYTES("\0\0\0\0\0\0"), NULL},
    {BYTES("a 1\n\x80\xff\x1b[2J\nb 2\n"), "b"},
    {BYTES("no-value\n"), NULL},
    {BYTES(" \n"), NULL},
    {BYTES("a 1\nb 2\nc"), "b"},
    {BYTES("# a\0b\na 1\n"), "a"},
};

START_TEST(a_garbled_file_is_kept_aside)
{
    char value[64], aside[160], text[64];
    int kept = 0;

    put(garbled[_i].bytes, garbled[_i].length);
    ck_assert_int_eq(progress_get(path, "a", value, sizeof value), -1);
    ck_assert_int_eq(errno, EBADMSG);
    ck_assert_int_eq(progress_set(path, "new", "1", &kept), 0);
    ck_assert_int_eq(kept, 1);
    snprintf(aside, sizeof aside, "%s.broken-1", path);
    read_file(aside, text, sizeof text);
    ck_assert_mem_eq(text, garbled[_i].bytes, garbled[_i].length);
    ck_assert_int_eq(progress_get(path, "new", value, sizeof value), 0);
    ck_assert_str_eq(value, "1");
    if (garbled[_i].kept_key)
        ck_assert_int_eq(
            progress_get(path, garbled[_i].kept_key, value, sizeof value), 0);
    ck_assert_int_eq(progress_set(path, "new", "2", &kept), 0);
    ck_assert_int_eq(kept, 0);
}
END_TEST

START_TEST(a_second_garbled_file_gets_its_own_name)
{
    char aside[160];
    int kept;

    for (int n = 1; n <= 3; n++) {
        put("rubbish", 7);
        ck_assert_int_eq(progress_set(path, "k", "v", &kept), 0);
        ck_assert_int_eq(kept, 1);
        snprintf(aside, sizeof aside, "%s.broken-%d", path, n);
        ck_assert_int_eq(access(aside, F_OK), 0);
    }
}
END_TEST

START_TEST(an_absurdly_long_file_is_kept_aside)
{
    size_t length = 1 << 20;
    char *bytes = malloc(length), value[8];
    int kept;

    memset(bytes, 'a', length);
    put(bytes, length);
    free(bytes);
    ck_assert_int_eq(progress_get(path, "a", value, sizeof value), -1);
    ck_assert_int_eq(errno, EBADMSG);
    ck_assert_int_eq(progress_set(path, "k", "v", &kept), 0);
    ck_assert_int_eq(kept, 1);
}
END_TEST

START_TEST(random_bytes_never_crash_it)
{
    char bytes[512], value[64];
    int kept;

    srand((unsigned)_i + 1);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(rand() % 8 ? "a. 1\n#"[rand() % 6] : rand());
    put(bytes, (size_t)rand() % sizeof bytes);
    progress_get(path, "a", value, sizeof value);
    ck_assert_int_eq(progress_set(path, "k", "v", &kept), 0);
    ck_assert_int_eq(progress_get(path, "k", value, sizeof value), 0);
    ck_assert_str_eq(value, "v");
}
END_TEST

/* Two programs that end together both keep their lines. */
START_TEST(writers_side_by_side_lose_nothing)
{
    enum { WRITERS = 4, LINES = 25 };
    char key[32], value[16];
    int status;

    for (int w = 0; w < WRITERS; w++) {
        pid_t pid = fork();

        if (pid == 0) {
            for (int n = 0; n < LINES; n++) {
                snprintf(key, sizeof key, "w%d.%d", w, n);
                if (progress_set(path, key, "x", NULL) < 0)
                    _exit(1);
            }
            _exit(0);
        }
        ck_assert_int_gt(pid, 0);
    }
    for (int w = 0; w < WRITERS; w++) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    for (int w = 0; w < WRITERS; w++) {
        for (int n = 0; n < LINES; n++) {
            snprintf(key, sizeof key, "w%d.%d", w, n);
            ck_assert_int_eq(progress_get(path, key, value, sizeof value), 0);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("progress");
    TCase *tests = tcase_create("progress");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, what_was_set_is_got);
    tcase_add_test(tests, other_lines_and_comments_stay);
    tcase_add_test(tests, several_lines_are_written_at_once_or_not_at_all);
    tcase_add_test(tests, bad_keys_and_values_are_refused);
    tcase_add_loop_test(tests, a_garbled_file_is_kept_aside, 0,
                        (int)(sizeof garbled / sizeof *garbled));
    tcase_add_test(tests, a_second_garbled_file_gets_its_own_name);
    tcase_add_test(tests, an_absurdly_long_file_is_kept_aside);
    tcase_add_loop_test(tests, random_bytes_never_crash_it, 0, 200);
    tcase_add_test(tests, writers_side_by_side_lose_nothing);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
