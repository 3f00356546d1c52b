/*
 * What a check says of programs that cannot be asked anything, and of those
 * that the injection cannot enter: whole checks are run, each on a program
 * that is compiled here. Also the thread sanitizer's build, and a program's
 * words among the steps.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/grader/driver.h"
#include "tests/grader/launch.h"
#include "tests/grader/probes.h"
#include "tests/grader/shim.h"

static struct isolation isolation;
static struct build_result built[BUILDS];
static struct result result;
static unsigned port; /* of the check, by the seed */

/* --- programs --------------------------------------------------------------*/

#define HEAD                                                               \
    "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"       \
    "#include <unistd.h>\n#include <pthread.h>\n#include <sys/socket.h>\n" \
    "#include <sys/syscall.h>\n#include <netinet/in.h>\n"                  \
    "#include <arpa/inet.h>\n"

/* Listens on ADDRESS at PORT (C expressions), echoes a byte to each client. */
#define SERVER(address, number)                                             \
    HEAD "int main(int n, char **v) { int port = atoi(v[1]), s, c; char b;" \
         " struct sockaddr_in a = {.sin_family = AF_INET}; (void)n;"        \
         " (void)port; setvbuf(stdout, 0, _IONBF, 0);"                      \
         " a.sin_addr.s_addr = inet_addr(\"" address "\");"                 \
         " a.sin_port = " number "; s = socket(AF_INET, SOCK_STREAM, 0);"   \
         " if (bind(s, (void *)&a, sizeof a) || listen(s, 5)) return 1;"    \
         " for (;;) { c = accept(s, 0, 0); while (recv(c, &b, 1, 0) > 0)"   \
         " send(c, &b, 1, 0); close(c); } }\n"

static const char right[] = SERVER("127.0.0.1", "htons(port)");

static const char six[] = HEAD
    "int main(int n, char **v) { struct sockaddr_in6 a = {.sin6_family ="
    " AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port ="
    " htons(atoi(v[1]))}; int s = socket(AF_INET6, SOCK_STREAM, 0); (void)n;"
    " return bind(s, (void *)&a, sizeof a) || listen(s, 5) || pause(); }\n";

/* The same server, its calls made without the C library's functions. */
static const char raw[] = HEAD
    "int main(int n, char **v) { struct sockaddr_in a = {.sin_family ="
    " AF_INET, .sin_port = htons(atoi(v[1]))}; long s, c; char b; (void)n;"
    " a.sin_addr.s_addr = inet_addr(\"127.0.0.1\");"
    " s = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);"
    " if (syscall(SYS_bind, s, &a, sizeof a) || syscall(SYS_listen, s, 5))"
    " return 1; for (;;) { c = syscall(SYS_accept4, s, 0, 0, 0); while"
    " (syscall(SYS_read, c, &b, 1) > 0) syscall(SYS_write, c, &b, 1);"
    " syscall(SYS_close, c); } }\n";

/* Only accept and what follows: the listener was seen. */
static const char half_raw[] = HEAD
    "int main(int n, char **v) { struct sockaddr_in a = {.sin_family ="
    " AF_INET, .sin_port = htons(atoi(v[1]))}; int s, c; char b; (void)n;"
    " a.sin_addr.s_addr = inet_addr(\"127.0.0.1\");"
    " s = socket(AF_INET, SOCK_STREAM, 0);"
    " if (bind(s, (void *)&a, sizeof a) || listen(s, 5)) return 1;"
    " for (;;) { c = (int)syscall(SYS_accept4, s, 0, 0, 0); while"
    " (syscall(SYS_read, c, &b, 1) > 0) syscall(SYS_write, c, &b, 1);"
    " syscall(SYS_close, c); } }\n";

/* Throws the library away by executing itself once more. */
static const char anew[] = HEAD
    "int main(int n, char **v) { struct sockaddr_in a = {.sin_family ="
    " AF_INET, .sin_port = htons(atoi(v[1]))}; int s, c; char b;"
    " if (n == 2) { execl(\"/proc/self/exe\", v[0], v[1], \"again\", NULL);"
    " return 1; } a.sin_addr.s_addr = inet_addr(\"127.0.0.1\");"
    " s = socket(AF_INET, SOCK_STREAM, 0);"
    " if (bind(s, (void *)&a, sizeof a) || listen(s, 5)) return 1;"
    " for (;;) { c = accept(s, 0, 0); while (recv(c, &b, 1, 0) > 0)"
    " send(c, &b, 1, 0); close(c); } }\n";

/* --- running a check -------------------------------------------------------*/

static void start_only(struct probe *p)
{
    probe_start(p, NULL);
}

static void one_byte(struct probe *p)
{
    struct peer *client = peer_connect(p);

    peer_send(client, "x", 1);
    peer_expect(client, "x", 1);
    peer_half_close(client);
    peer_expect_eof(client);
}

static void start_injected(struct probe *p)
{
    probe_start(p, &(struct probe_start){.calls = {.short_counts = true}});
    one_byte(p);
}

static void start_thread(struct probe *p)
{
    probe_start(p, &(struct probe_start){.build = BUILD_THREAD});
    one_byte(p);
}

static void end_thread(struct probe *p)
{
    probe_launch(p, &(struct probe_start){.build = BUILD_THREAD});
    probe_expect_exit(p, 0);
}

static void compile(const char *source, enum build build)
{
    struct submission submission = {.count = 1, .bytes = strlen(source)};

    snprintf(submission.file[0].name, SUBMISSION_NAME, "wcd.c");
    submission.file[0].bytes = strdup(source);
    submission.file[0].length = strlen(source);
    ck_assert_int_eq(
        build_program(&submission, build, &isolation, "work/x", &built[build]),
        0);
    ck_assert_msg(built[build].program >= 0, "%s",
                  built[build].errors.count ? built[build].errors.line[0]
                                            : "?");
    submission_fini(&submission);
}

/* Linked statically, which a submission cannot ask for: made outside. */
static void compile_statically(const char *source)
{
    char folder[] = "/tmp/check-start-XXXXXX", command[200], path[60];
    static char program[8 << 20];
    size_t n;
    FILE *file;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(command, sizeof command,
             "cc -w -static -pthread -x c -o %s/p - 2>&1", folder);
    file = popen(command, "w");
    ck_assert_ptr_nonnull(file);
    fputs(source, file);
    ck_assert_msg(pclose(file) == 0, "no static C library here?");
    snprintf(path, sizeof path, "%s/p", folder);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    n = fread(program, 1, sizeof program, file);
    fclose(file);
    unlink(path);
    rmdir(folder);
    built[BUILD_PLAIN].program = launch_memory("program", program, n);
}

/* The check `run` on the programs that were built. */
static void judge(void (*run)(struct probe *))
{
    static const char *const files[] = {"wcd.c", NULL};
    static struct check check = {
        .id = "the-check", .title = "t", .points = 1, .required = "r"};
    static const struct lab lab = {"99-test", "wcd", files, &check, 1};
    struct submission submission = {.count = 1};
    int programs[BUILDS], capture = -1, flaky;
    const bool which = true;
    struct driver driver = {.lab = &lab,
                            .submission = &submission,
                            .isolation = &isolation,
                            .programs = programs,
                            .seed = 7,
                            .at_once = 1};

    check.run = run;
    snprintf(submission.file[0].name, SUBMISSION_NAME, "wcd.c");
    for (int b = 0; b < BUILDS; b++)
        programs[b] = built[b].program;
    ck_assert_int_eq(driver_run(&driver, &which, &result, &capture, &flaky), 0);
    close(capture);
    for (size_t i = 0; i < result.steps.count; i++)
        sscanf(result.steps.line[i], "%*d start ./wcd %u", &port);
}

static char *all(const struct lines *lines)
{
    static char text[2][8000];
    static int turn;
    size_t used = 0;

    turn = !turn;
    text[turn][0] = '\0';
    for (size_t i = 0; i < lines->count; i++)
        used += (size_t)snprintf(text[turn] + used, sizeof text[turn] - used,
                                 "%s\n", lines->line[i]);
    return text[turn];
}

/* The whole of what is told as actual; %u of it is the port. */
static void ck_actual(const char *format, unsigned other)
{
    char want[400];

    ck_assert_msg(result.grade == GRADE_FAIL, "%s: %s",
                  grade_word(result.grade), result.reason);
    snprintf(want, sizeof want, "wcd listens on 127.0.0.1:%u\n", port);
    ck_assert_str_eq(all(&result.expected), want);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(want, sizeof want, format, other, port, port, other, other);
#pragma GCC diagnostic pop
    ck_assert_str_eq(all(&result.actual), want);
}

/* --- where it listens ------------------------------------------------------*/

START_TEST(one_that_ends_is_told_with_its_status_and_its_words)
{
    compile(HEAD "int main(void) { puts(\"hello\\033[2J\"); fflush(stdout);"
                 " fputs(\"no luck\\n\", stderr); return 3; }",
            BUILD_PLAIN);
    judge(start_only);
    ck_actual("wcd ended with status 3 before it listened\n", 0);
    ck_assert(result_has_sign(&result, "exited-early"));
    ck_assert_ptr_nonnull(strstr(all(&result.steps), "stderr: no luck "));
    ck_assert_ptr_nonnull(strstr(all(&result.steps), "stdout: hello\\x1b[2J "));
}
END_TEST

START_TEST(one_that_is_killed_is_told_with_the_signal)
{
    compile(HEAD "int main(void) { abort(); }", BUILD_PLAIN);
    judge(start_only);
    ck_actual("wcd was killed by SIGABRT before it listened\n", 0);
}
END_TEST

START_TEST(one_that_never_listens_is_told_with_where_it_stands)
{
    compile(HEAD "int main(void) { for (;;) pause(); }", BUILD_PLAIN);
    judge(start_only);
    ck_actual("it runs, and listens on no port at all\n", 0);
    ck_assert(result_has_sign(&result, "never-listened"));
    ck_assert_ptr_nonnull(strstr(all(&result.autopsy), "inside pause()"));
}
END_TEST

START_TEST(another_port_is_named)
{
    compile(SERVER("127.0.0.1", "htons(port + 1)"), BUILD_PLAIN);
    judge(start_only);
    ck_actual("it listens on port %u\n", port + 1);
    ck_assert(result_has_sign(&result, "port-other"));
}
END_TEST

START_TEST(the_swapped_port_is_shown_as_the_same_two_bytes)
{
    unsigned swapped;

    compile(SERVER("127.0.0.1", "port"), BUILD_PLAIN);
    judge(start_only);
    swapped = (port << 8 | port >> 8) & 0xffff;
    ck_actual("it listens on port %u\n%u is 0x%04x, and %u is 0x%04x: the same "
              "two bytes\n",
              swapped);
    ck_assert(result_has_sign(&result, "port-swapped"));
}
END_TEST

START_TEST(another_address_is_named)
{
    char want[120];

    compile(SERVER("127.0.0.2", "htons(port)"), BUILD_PLAIN);
    judge(start_only);
    snprintf(want, sizeof want,
             "it listens on 127.0.0.2:%u, and 127.0.0.1 is refused\n", port);
    ck_assert_str_eq(all(&result.actual), want);
    ck_assert(result_has_sign(&result, "address-other"));
}
END_TEST

START_TEST(another_family_is_named)
{
    char want[120];

    compile(six, BUILD_PLAIN);
    judge(start_only);
    snprintf(want, sizeof want,
             "it listens on [::1]:%u, an address of IPv6: IPv4 is refused\n",
             port);
    ck_assert_str_eq(all(&result.actual), want);
    ck_assert(result_has_sign(&result, "address-other"));
}
END_TEST

START_TEST(all_addresses_are_no_hindrance_here)
{
    compile(SERVER("0.0.0.0", "htons(port)"), BUILD_PLAIN);
    judge(start_only);
    ck_assert_int_eq(result.grade, GRADE_PASS);
}
END_TEST

/* --- injection -------------------------------------------------------------*/

START_TEST(a_program_that_can_be_injected_is_judged)
{
    compile(right, BUILD_PLAIN);
    judge(start_injected);
    ck_assert_msg(result.grade == GRADE_PASS, "%s", all(&result.actual));
}
END_TEST

static const char *const closed[] = {raw, half_raw, anew};

START_TEST(calls_around_the_library_are_skipped_and_never_passed)
{
    compile(closed[_i], BUILD_PLAIN);
    judge(start_only);
    ck_assert_int_eq(result.grade, GRADE_PASS); /* it is a server, though */
    judge(start_injected);
    ck_assert_msg(result.grade == GRADE_SKIP, "%s", grade_word(result.grade));
    ck_assert_int_eq(result.points, 0);
    ck_assert_msg(strncmp(result.reason, "not injected: ", 14) == 0, "%s",
                  result.reason);
}
END_TEST

START_TEST(a_static_program_is_skipped_and_never_passed)
{
    compile_statically(right);
    judge(start_injected);
    ck_assert_msg(result.grade == GRADE_SKIP, "%s", grade_word(result.grade));
    ck_assert_ptr_nonnull(strstr(result.reason, "linked statically"));
}
END_TEST

/* --- the thread sanitizer --------------------------------------------------*/

START_TEST(the_thread_build_runs_in_a_cell)
{
    compile(right, BUILD_THREAD);
    judge(start_thread);
    ck_assert_msg(result.grade == GRADE_PASS, "%s: %s%s%s",
                  grade_word(result.grade), all(&result.actual),
                  result.reason ? result.reason : "",
                  result.log ? result.log : "");
}
END_TEST

START_TEST(a_data_race_is_named_with_its_line)
{
    compile(HEAD
            "static int n;\n"
            "static void *add(void *p) { for (int i = 0; i < 1000; i++)\n"
            "n++;\n"
            "return p; }\n"
            "int main(void) { pthread_t a, b;"
            " pthread_create(&a, 0, add, 0); pthread_create(&b, 0, add, 0);"
            " pthread_join(a, 0); pthread_join(b, 0); return 0; }\n",
            BUILD_THREAD);
    judge(end_thread);
    ck_assert_msg(result.grade == GRADE_FAIL, "%s: %s",
                  grade_word(result.grade), result.reason);
    ck_assert(result_has_sign(&result, "data-race"));
    ck_assert_ptr_nonnull(strstr(all(&result.autopsy), "data race"));
    ck_assert_msg(strstr(all(&result.autopsy), "at wcd.c:11, in add()") != NULL,
                  "%s%s", all(&result.autopsy), result.log);
}
END_TEST

static void begin(void)
{
    for (int b = 0; b < BUILDS; b++)
        built[b].program = -1;
}

static void end(void)
{
    result_fini(&result);
    for (int b = 0; b < BUILDS; b++)
        build_result_fini(&built[b]);
}

int main(int argc, char **argv)
{
    TCase *where, *inject, *thread;
    Suite *suite;
    SRunner *runner;
    int failed;

    /* First, and with nothing on the heap: in a cell this is the shim. */
    if (argc > 1 && strcmp(argv[1], SHIM_WORD) == 0)
        return shim_run(argc - 1, argv + 1);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (isolation_open(&isolation) < 0)
        return EXIT_FAILURE;
    suite = suite_create("start");
    where = tcase_create("where");
    inject = tcase_create("inject");
    thread = tcase_create("thread");
    if (isolation.level != ISOLATION_FULL)
        printf("isolation: %s: %s\n", isolation_word(isolation.level),
               isolation.why);
    tcase_add_test(where, one_that_ends_is_told_with_its_status_and_its_words);
    tcase_add_test(where, one_that_is_killed_is_told_with_the_signal);
    tcase_add_test(where, one_that_never_listens_is_told_with_where_it_stands);
    tcase_add_test(where, another_port_is_named);
    tcase_add_test(where, the_swapped_port_is_shown_as_the_same_two_bytes);
    tcase_add_test(where, another_address_is_named);
    tcase_add_test(where, another_family_is_named);
    tcase_add_test(where, all_addresses_are_no_hindrance_here);
    tcase_add_test(inject, a_program_that_can_be_injected_is_judged);
    tcase_add_loop_test(inject,
                        calls_around_the_library_are_skipped_and_never_passed,
                        0, sizeof closed / sizeof *closed);
    tcase_add_test(inject, a_static_program_is_skipped_and_never_passed);
    tcase_add_test(thread, the_thread_build_runs_in_a_cell);
    tcase_add_test(thread, a_data_race_is_named_with_its_line);
    for (int i = 0; i < 3; i++) {
        TCase *tcase = i == 0 ? where : i == 1 ? inject : thread;

        tcase_set_timeout(tcase, 60);
        tcase_add_checked_fixture(tcase, begin, end);
        suite_add_tcase(suite, tcase);
    }
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    isolation_close(&isolation);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
