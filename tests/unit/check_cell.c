/*
 * Cells: a real program is compiled and run in each test. What it sees, what
 * it cannot do, and that nothing of it is left. Also submissions, the way in.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/netns.h"
#include "tests/grader/build.h"
#include "tests/grader/cell.h"
#include "tests/grader/shim.h"

enum { PATIENCE = 20 }; /* seconds: a backstop, nothing waits for it */

static struct isolation isolation;
static struct cell cell;

static struct submission submission_of(const char *source)
{
    struct submission submission = {.count = 1, .bytes = strlen(source)};

    snprintf(submission.file[0].name, SUBMISSION_NAME, "p.c");
    submission.file[0].bytes = strdup(source);
    submission.file[0].length = strlen(source);
    return submission;
}

static int compile(const char *source, struct build_result *result)
{
    struct submission submission = submission_of(source);
    int done = build_program(&submission, BUILD_PLAIN, &isolation, "work/x",
                             result);

    submission_fini(&submission);
    return done;
}

/* Compile, then start in a network of our own, as a check does. */
static void start(const char *source, const struct cell_plan *wanted)
{
    struct build_result built;
    struct cell_plan plan = wanted ? *wanted : (struct cell_plan){0};
    enum netns_step failed;
    char why[300];

    ck_assert_int_eq(compile(source, &built), 0);
    ck_assert_msg(built.program >= 0, "%s",
                  built.errors.count ? built.errors.line[0] : "?");
    ck_assert_int_eq(isolation_drop(&isolation), 0);
    if (isolation.level == ISOLATION_FULL)
        ck_assert_int_eq(netns_enter(&failed), 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    plan.program = built.program;
    plan.name = "p";
    ck_assert_msg(cell_start(&cell, &isolation, &plan, why, sizeof why) == 0,
                  "%s", why);
    build_result_fini(&built);
}

static void wait_end(void)
{
    int64_t deadline = clock_now() + PATIENCE * CLOCK_SECOND;

    while (!cell.ended && clock_now() < deadline)
        cell_poll(&cell, NULL, 0, deadline);
    ck_assert(cell.ended);
}

/* Until it has said so many bytes on stdout. */
static void wait_bytes(uint64_t bytes)
{
    int64_t deadline = clock_now() + PATIENCE * CLOCK_SECOND;

    while (cell.out.bytes < bytes && !cell.ended && clock_now() < deadline)
        cell_poll(&cell, NULL, 0, clock_now() + CLOCK_MS);
    ck_assert_uint_ge(cell.out.bytes, bytes);
}

static void said(const char *text)
{
    ck_assert_uint_eq(cell.out.bytes, strlen(text));
    ck_assert_mem_eq(cell.out.head, text, strlen(text));
}

START_TEST(output_input_and_status_come_through)
{
    const struct cell_plan plan = {.input = "hello", .input_length = 5};

    start("#include <stdio.h>\nint main(void) { int c; while ((c = getchar())"
          " != EOF) putchar(c + 1); fprintf(stderr, \"E\"); return 7; }",
          &plan);
    wait_end();
    said("ifmmp");
    ck_assert_int_eq(cell.exit_status, 7);
    ck_assert_int_eq(cell.signal, 0);
    ck_assert_uint_eq(cell.err.bytes, 1);
}
END_TEST

START_TEST(it_has_three_descriptors_and_a_short_environment)
{
    int inherited = open("/dev/null", O_RDONLY); /* must not arrive */

    ck_assert_int_ge(inherited, 0);
    start("#include <stdio.h>\n#include <fcntl.h>\nextern char **environ;\n"
          "int main(void) { int n = 0, e = 0; for (int i = 0; i < 1000; i++)"
          " n += fcntl(i, F_GETFD) >= 0; while (environ[e]) e++;"
          " printf(\"%d %d\", n, e <= 6); }",
          NULL);
    wait_end();
    said("3 1");
}
END_TEST

START_TEST(it_sees_neither_our_files_nor_a_way_out)
{
    static char path[4300], source[5000];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (isolation.level != ISOLATION_FULL)
        return; /* what reduced isolation cannot do is in docs/grading.md */
    ck_assert_int_gt(n, 0);
    path[n] = '\0';
    snprintf(
        source, sizeof source,
        "#include <stdio.h>\n#include <unistd.h>\n"
        "#include <sys/socket.h>\n#include <arpa/inet.h>\n"
        "#include <errno.h>\n#include <sched.h>\n"
        "#include <fcntl.h>\nint main(void) { char b[9]; struct "
        "sockaddr_in a = {.sin_family = AF_INET,"
        " .sin_port = htons(53)}; int s = socket(AF_INET, SOCK_DGRAM, 0);"
        " a.sin_addr.s_addr = inet_addr(\"192.0.2.1\");"
        " printf(\"%%d%%d%%d%%d%%d%%d\","
        " read(open(\"/proc/1/environ\", 0), b, 9) > 0, access(\"%s\", F_OK),"
        " access(\"/etc/shadow\", F_OK),"
        " connect(s, (void *)&a, sizeof a),"
        " socket(AF_PACKET, SOCK_RAW, 0), unshare(CLONE_NEWUSER)); }",
        path);
    start(source, NULL);
    wait_end();
    said("0-1-1-1-1-1");
}
END_TEST

START_TEST(a_flood_is_capped_and_its_two_ends_are_kept)
{
    start("#include <stdio.h>\nint main(void) { for (int i = 0; i < 1000000;"
          " i++) printf(\"%09d\\n\", i); }",
          NULL);
    wait_end();
    ck_assert_uint_eq(cell.out.bytes, 10000000);
    ck_assert_mem_eq(cell.out.head, "000000000\n000000001\n", 20);
    ck_assert_ptr_nonnull(
        memmem(cell.out.tail, sizeof cell.out.tail, "000999999\n", 10));
}
END_TEST

START_TEST(a_signal_that_ends_it_has_its_number)
{
    start("#include <signal.h>\nint main(void) { raise(SIGPIPE); }", NULL);
    wait_end();
    ck_assert_int_eq(cell.signal, SIGPIPE);
}
END_TEST

static const char daemon_source[] =
    "#include <stdio.h>\n#include <unistd.h>\n#include <signal.h>\n"
    "int main(void) { for (int i = 1; i < 32; i++) signal(i, SIG_IGN);"
    " for (int i = 0; i < 5; i++) if (fork() == 0) { setsid(); write(1,"
    " \"x\", 1); for (;;) pause(); } for (;;) pause(); }";

START_TEST(killing_it_leaves_nothing_of_it)
{
    pid_t pids[CELL_PIDS];
    int count;

    start(daemon_source, NULL);
    wait_bytes(5);
    cell_find_main(&cell);
    count = cell_pids(&cell, pids, CELL_PIDS);
    ck_assert_int_eq(count, 6);
    cell_kill(&cell);
    ck_assert(cell.ended);
    for (int i = 0; i < count; i++)
        ck_assert(kill(pids[i], 0) < 0 && errno == ESRCH);
}
END_TEST

/* The driver is killed at a moment that an event chooses: after so many looks
 * at its cell. What is left must go without it. */
START_TEST(killing_its_driver_leaves_nothing_of_it)
{
    pid_t driver, pids[8];
    int ends[2], status, fds[8], count = 0;
    struct build_result built;

    if (isolation.level != ISOLATION_FULL)
        return;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(compile(daemon_source, &built), 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    driver = fork();
    if (driver == 0) {
        struct cell_plan plan = {.program = built.program, .name = "p"};
        enum netns_step failed;
        char why[300];

        if (isolation_drop(&isolation) < 0 || netns_enter(&failed) < 0 ||
            cell_start(&cell, &isolation, &plan, why, sizeof why) < 0)
            _exit(1);
        for (int i = 0; i < _i * 3; i++)
            cell_poll(&cell, NULL, 0, clock_now() + CLOCK_MS);
        cell_find_main(&cell);
        pids[0] = cell.bwrap;
        pids[1] = cell.init;
        pids[2] = cell.main;
        if (write(ends[1], pids, 3 * sizeof *pids) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(ends[0], pids, 3 * sizeof *pids), 3 * sizeof *pids);
    for (int i = 0; i < 3; i++) {
        int fd = pids[i] > 0 ? (int)syscall(SYS_pidfd_open, pids[i], 0) : -1;

        if (fd >= 0)
            fds[count++] = fd;
    }
    kill(driver, SIGKILL);
    ck_assert_int_eq(waitpid(driver, &status, 0), driver);
    for (int i = 0; i < count; i++) {
        struct pollfd gone = {.fd = fds[i], .events = POLLIN};

        ck_assert_int_eq(poll(&gone, 1, PATIENCE * 1000), 1);
    }
    build_result_fini(&built);
}
END_TEST

START_TEST(a_fork_bomb_and_a_memory_bomb_are_stopped)
{
    if (_i == 0)
        start("#include <unistd.h>\nint main(void) { for (;;) fork(); }", NULL);
    else
        start("#include <stdlib.h>\n#include <string.h>\nint main(void) {"
              " for (;;) memset(malloc(1 << 20), 1, 1 << 20); }",
              NULL);
    wait_end();
    ck_assert_int_eq(cell.killer, _i == 0 ? CELL_KILLED_FOR_PROCESSES
                                          : CELL_KILLED_FOR_MEMORY);
}
END_TEST

START_TEST(a_program_that_does_not_compile_is_told_by_its_first_error)
{
    struct build_result built;

    ck_assert_int_eq(compile("int main(void) { return x; }\nint f(void) {"
                             " return y; }",
                             &built),
                     0);
    ck_assert_int_eq(built.program, -1);
    ck_assert_ptr_nonnull(strstr(built.errors.line[0], "work/x/p.c:1:"));
    ck_assert_ptr_nonnull(
        strstr(built.errors.line[built.errors.count - 1], "1 more error"));
    build_result_fini(&built);
}
END_TEST

START_TEST(the_compiler_reads_nothing_but_the_submission)
{
    struct build_result built;

    if (isolation.level != ISOLATION_FULL)
        return;
    ck_assert_int_eq(compile("#if __has_include(\"/etc/passwd\") || "
                             "__has_include(\"/etc/shadow\") ||"
                             " __has_include(\"/root/.bashrc\") || "
                             "__has_include(\"../grader/check.h\")\n"
                             "#error seen\n#endif\nint main(void) {}",
                             &built),
                     0);
    ck_assert_int_ge(built.program, 0);
    build_result_fini(&built);
}
END_TEST

/* Every one of them ends within its limits, with one sentence that says which
 * limit it was, and nothing of the compiler is left. */
static const struct {
    const char *source, *says;
    double scale; /* of the time it has: 20 s on an idle machine */
} bombs[] = {
    {"#include \"/dev/zero\"\nint main(void) {}", "MiB of memory", 1},
    {"char a[2000000000] = {1}; int main(void) {}", "larger than 64 MiB", 1},
    {"#include \"p.c\"\n#include \"p.c\"\nint main(void) {}",
     "took more than 20 s", 0.05},
    {"#define A x,x,x,x,x,x,x,x\n#define B A,A,A,A,A,A,A,A\n"
     "#define C B,B,B,B,B,B,B,B\n#define D C,C,C,C,C,C,C,C\n"
     "#define E D,D,D,D,D,D,D,D\n#define F E,E,E,E,E,E,E,E\n"
     "#define G F,F,F,F,F,F,F,F\n#define H G,G,G,G,G,G,G,G\n"
     "int x[] = {H,H,H,H,H,H,H,H}; int main(void) {}",
     "compile limits: ", 0.2},
};

START_TEST(a_compile_that_explodes_is_ended_and_told_by_its_limit)
{
    struct build_result built;
    int64_t begun = clock_now();

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    isolation.scale = bombs[_i].scale;
    ck_assert_int_eq(compile(bombs[_i].source, &built), 0);
    ck_assert_int_lt(clock_now() - begun, 60 * CLOCK_SECOND);
    ck_assert_int_eq(built.program, -1);
    ck_assert_uint_eq(built.errors.count, 1);
    ck_assert_msg(strncmp(built.errors.line[0], "compile limits: ", 16) == 0 &&
                      strstr(built.errors.line[0], bombs[_i].says) != NULL,
                  "%s", built.errors.line[0]);
    build_result_fini(&built);
    while (waitpid(-1, NULL, 0) > 0) /* whoever was left to us; a hang else */
        ;
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(a_large_array_without_values_costs_nothing)
{
    struct build_result built;

    ck_assert_int_eq(
        compile("char a[2000000000]; int main(void) { return a[1]; }", &built),
        0);
    ck_assert_int_ge(built.program, 0);
    build_result_fini(&built);
}
END_TEST

/* --- submissions -----------------------------------------------------------*/

static const char *const needed[] = {"wcd.c", NULL};
static char folder[64];

static void put(const char *name, const char *text)
{
    char path[200];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/check-cell-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    static const char *const names[] = {"wcd.c", "b.c", "a.h", "notes.txt"};
    char path[200];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

START_TEST(c_and_h_files_beside_the_named_one_are_taken_too)
{
    struct submission got;
    char why[300];

    put("wcd.c", "1");
    put("b.c", "22");
    put("a.h", "");
    put("notes.txt", "no");
    ck_assert_int_eq(submission_read(&got, folder, needed, why, sizeof why), 0);
    ck_assert_uint_eq(got.count, 3);
    ck_assert_str_eq(got.file[0].name, "a.h");
    ck_assert_uint_eq(got.bytes, 3);
    submission_fini(&got);
}
END_TEST

START_TEST(links_pipes_and_missing_files_are_refused_by_name)
{
    struct submission got;
    char why[300], path[200];

    ck_assert_int_eq(submission_read(&got, folder, needed, why, sizeof why),
                     -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_ptr_nonnull(strstr(why, "wcd.c"));
    snprintf(path, sizeof path, "%s/wcd.c", folder);
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    ck_assert_int_eq(submission_read(&got, folder, needed, why, sizeof why),
                     -1);
    ck_assert_ptr_nonnull(strstr(why, "symbolic link"));
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(submission_read(&got, folder, needed, why, sizeof why),
                     -1);
    ck_assert_ptr_nonnull(strstr(why, "regular"));
}
END_TEST

START_TEST(a_file_over_a_mebibyte_is_refused)
{
    struct submission got;
    char why[300], *big = malloc(SUBMISSION_FILE_BYTES + 2);

    memset(big, ' ', SUBMISSION_FILE_BYTES + 1);
    big[SUBMISSION_FILE_BYTES + 1] = '\0';
    put("wcd.c", big);
    ck_assert_int_eq(submission_read(&got, folder, needed, why, sizeof why),
                     -1);
    ck_assert_int_eq(errno, EFBIG);
    big[SUBMISSION_FILE_BYTES] = '\0';
    put("wcd.c", big);
    ck_assert_int_eq(submission_read(&got, folder, needed, why, sizeof why), 0);
    submission_fini(&got);
    free(big);
}
END_TEST

static void end_cell(void)
{
    cell_close(&cell);
}

static Suite *suite(void)
{
    Suite *suite = suite_create("cell");
    TCase *run = tcase_create("run"), *build = tcase_create("build"),
          *read = tcase_create("submission");

    tcase_set_timeout(run, 60);
    tcase_add_checked_fixture(run, NULL, end_cell);
    tcase_add_test(run, output_input_and_status_come_through);
    tcase_add_test(run, it_has_three_descriptors_and_a_short_environment);
    tcase_add_test(run, it_sees_neither_our_files_nor_a_way_out);
    tcase_add_test(run, a_flood_is_capped_and_its_two_ends_are_kept);
    tcase_add_test(run, a_signal_that_ends_it_has_its_number);
    tcase_add_test(run, killing_it_leaves_nothing_of_it);
    tcase_add_loop_test(run, killing_its_driver_leaves_nothing_of_it, 0, 20);
    tcase_add_loop_test(run, a_fork_bomb_and_a_memory_bomb_are_stopped, 0, 2);
    tcase_set_timeout(build, 60);
    tcase_add_test(build,
                   a_program_that_does_not_compile_is_told_by_its_first_error);
    tcase_add_test(build, the_compiler_reads_nothing_but_the_submission);
    tcase_add_loop_test(build,
                        a_compile_that_explodes_is_ended_and_told_by_its_limit,
                        0, sizeof bombs / sizeof *bombs);
    tcase_add_test(build, a_large_array_without_values_costs_nothing);
    tcase_add_checked_fixture(read, make_folder, remove_folder);
    tcase_add_test(read, c_and_h_files_beside_the_named_one_are_taken_too);
    tcase_add_test(read, links_pipes_and_missing_files_are_refused_by_name);
    tcase_add_test(read, a_file_over_a_mebibyte_is_refused);
    suite_add_tcase(suite, run);
    suite_add_tcase(suite, build);
    suite_add_tcase(suite, read);
    return suite;
}

int main(int argc, char **argv)
{
    SRunner *runner;
    int failed;

    /* In a cell this program is its own shim, as grade is. */
    if (argc > 1 && strcmp(argv[1], SHIM_WORD) == 0)
        return shim_run(argc - 1, argv + 1);
    if (isolation_open(&isolation) < 0)
        return EXIT_FAILURE;
    runner = srunner_create(suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    isolation_close(&isolation);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
