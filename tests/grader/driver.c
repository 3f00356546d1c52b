/* See driver.h. */
#include "tests/grader/driver.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/netns.h"
#include "tests/grader/probe.h"

enum {
    MOST_RECORD = 2 << 20, /* bytes, of both records of a check */
    GRACE = 20             /* seconds that Check waits longer than we do */
};

/* What the test's process needs; it is forked, so a pointer will do. */
static struct job {
    const struct driver *driver;
    const struct check *check;
    int report, capture;
    pid_t runner;
} job;

static uint64_t seed_of(const struct driver *driver, const char *id)
{
    uint64_t hash = UINT64_C(1469598103934665603); /* FNV-1a */

    for (; *id; id++)
        hash = (hash ^ (uint8_t)*id) * UINT64_C(1099511628211);
    return hash ^ driver->seed;
}

static void set_own_names(struct probe *p, const struct submission *all)
{
    size_t size = 2 + all->count * (SUBMISSION_NAME + 1), used = 1;
    char *text = malloc(size);

    p->own_names = text ? text : " ";
    if (!text)
        return;
    snprintf(text, size, " ");
    for (size_t i = 0; i < all->count; i++)
        used += (size_t)snprintf(text + used, size - used, "%s ",
                                 all->file[i].name);
}

/* Into a network of our own; in reduced isolation we stay in the machine's. */
static void enter(struct probe *p)
{
    enum netns_step failed;
    char why[640], path[32];

    if (p->isolation->level == ISOLATION_FULL && netns_enter(&failed) < 0)
        probe_broken(p, netns_explain(failed, errno, why, sizeof why));
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (getppid() != job.runner)
        _exit(1);
    p->sockets = sockets_open();
    if (!p->sockets)
        probe_broken(p, "reading the kernel's socket tables");
    snprintf(path, sizeof path, "/proc/self/fd/%d", job.capture);
    p->wire = wire_open(path, p->no_wire, sizeof p->no_wire);
}

START_TEST(run_check)
{
    static struct probe p;

    (void)_i;
    p.lab = job.driver->lab;
    p.check = job.check;
    p.isolation = job.driver->isolation;
    p.programs = job.driver->programs;
    p.report = job.report;
    p.random = seed_of(job.driver, job.check->id);
    set_own_names(&p, job.driver->submission);
    probe_open(&p);
    signal(SIGPIPE, SIG_IGN);
    enter(&p);
    probe_new_port(&p);
    job.check->run(&p);
    probe_see_injected(&p);
    probe_finish(&p, GRADE_PASS);
}
END_TEST

/* Check obeys its environment before its caller: a CK_RUN_CASE that is left
 * over from elsewhere would run no check at all. */
static void forget_environment(void)
{
    static const char *const names[] = {"CK_RUN_SUITE",
                                        "CK_RUN_CASE",
                                        "CK_INCLUDE_TAGS",
                                        "CK_EXCLUDE_TAGS",
                                        "CK_FORK",
                                        "CK_DEFAULT_TIMEOUT",
                                        "CK_VERBOSITY",
                                        "CK_MAX_MSG_SIZE",
                                        "CK_LOG_FILE_NAME",
                                        "CK_XML_LOG_FILE_NAME",
                                        "CK_TAP_LOG_FILE_NAME"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

/* The runner: drops to the worker's uid, and lets Check fork the test. What
 * Check has to say (a crash, its own time-out) follows the records. */
_Noreturn static void run(pid_t grader)
{
    const struct isolation *isolation = job.driver->isolation;
    const double seconds = job.check->seconds ? job.check->seconds : 10;
    Suite *suite = suite_create(job.driver->lab->name);
    TCase *tcase = tcase_create(job.check->id);
    SRunner *runner;

    if (isolation_drop(isolation) < 0)
        _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (getppid() != grader)
        _exit(1);
    job.runner = getpid();
    forget_environment();
    tcase_set_timeout(tcase, seconds * isolation->scale + GRACE);
    tcase_add_test(tcase, run_check);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run(runner, NULL, NULL, CK_SILENT);
    if (srunner_ntests_failed(runner) > 0) {
        TestResult **failed = srunner_failures(runner);

        dprintf(job.report, "!%s\n", tr_msg(failed[0]));
    }
    _exit(0);
}

/* --- the grader's side -----------------------------------------------------*/

struct running {
    size_t check;
    pid_t pid; /* 0: this place is free */
    int fd;
    char *bytes;
    size_t used;
};

static int start(const struct driver *driver, size_t check, int *capture,
                 struct running *place)
{
    int ends[2];
    pid_t grader = getpid();

    if (*capture >= 0)
        close(*capture);
    *capture = memfd_create("capture", MFD_CLOEXEC);
    place->bytes = calloc(1, MOST_RECORD);
    if (*capture < 0 || !place->bytes || pipe2(ends, O_CLOEXEC) < 0) {
        free(place->bytes);
        return -1;
    }
    job = (struct job){.driver = driver,
                       .check = &driver->lab->checks[check],
                       .report = ends[1],
                       .capture = *capture};
    fflush(NULL);
    place->pid = fork();
    if (place->pid == 0)
        run(grader);
    close(ends[1]);
    place->fd = ends[0];
    place->check = check;
    place->used = 0;
    if (place->pid < 0) {
        close(ends[0]);
        free(place->bytes);
        place->pid = 0;
        return -1;
    }
    return 0;
}

/* The last whole record counts: final if there was one. */
static void read_result(const struct running *place, struct result *result)
{
    const char *line = place->bytes, *end, *check_said = NULL;
    size_t left = place->used, finals = 0;

    *result = (struct result){.grade = GRADE_ERROR};
    while (left > 0 && (end = memchr(line, '\n', left)) != NULL) {
        size_t n = (size_t)(end - line);
        struct result next;

        if (n > 0 && line[0] == '!') {
            check_said = line + 1;
        } else if (result_read(&next, line, n) == 0) {
            finals += next.final;
            result_fini(result);
            *result = next;
        }
        left -= n + 1;
        line = end + 1;
    }
    if (finals == 1)
        return;
    result->grade = GRADE_ERROR;
    result->points = 0;
    if (check_said) {
        char text[300];

        snprintf(text, sizeof text, "the tester itself ended early: %.*s",
                 (int)strcspn(check_said, "\n"), check_said);
        free(result->reason);
        result->reason = strdup(text);
    } else if (!result->reason || finals > 1) {
        free(result->reason);
        result->reason = strdup(finals ? "more than one record came back"
                                       : "no record came back");
    }
}

/* Bytes, or the end of one check: true when it has ended. */
static bool collect(struct running *place)
{
    char lost[4096];
    size_t room = MOST_RECORD - place->used;
    ssize_t n = read(place->fd, room ? place->bytes + place->used : lost,
                     room ? room : sizeof lost);

    if (n < 0)
        return errno != EINTR && errno != EAGAIN;
    if (room)
        place->used += (size_t)n;
    return n == 0;
}

static void end(struct running *place, struct result *result)
{
    while (waitpid(place->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(place->fd);
    read_result(place, result);
    free(place->bytes);
    *place = (struct running){.fd = -1};
}

enum { MOST_AT_ONCE = 16 };

static int run_all(const struct driver *driver, const bool *which,
                   struct result *results, int *captures, int at_once)
{
    struct running place[MOST_AT_ONCE] = {0};
    size_t next = 0;
    int alive = 0;

    for (;;) {
        struct pollfd fds[MOST_AT_ONCE];

        for (int i = 0; i < at_once; i++) {
            while (next < driver->lab->check_count && !which[next])
                next++;
            if (!place[i].pid && next < driver->lab->check_count) {
                if (start(driver, next, &captures[next], &place[i]) < 0)
                    return -1;
                next++;
                alive++;
            }
            fds[i] = (struct pollfd){.fd = place[i].pid ? place[i].fd : -1,
                                     .events = POLLIN};
        }
        if (alive == 0)
            return 0;
        if (poll(fds, (nfds_t)at_once, -1) < 0 && errno != EINTR)
            return -1;
        for (int i = 0; i < at_once; i++) {
            size_t check = place[i].check;

            if (!place[i].pid || !fds[i].revents || !collect(&place[i]))
                continue;
            end(&place[i], &results[check]);
            alive--;
            if (driver->ended)
                driver->ended(driver->self, check, &results[check]);
        }
    }
}

/* Decided by a clock, not by an event: ask once more, alone. */
static int run_again(const struct driver *driver, size_t check,
                     struct result *result, int *capture, int *flaky)
{
    struct driver alone = *driver;
    struct result again = {0};
    struct running place = {0};

    alone.ended = NULL;
    isolation_rescale(driver->isolation);
    if (start(&alone, check, capture, &place) < 0)
        return -1;
    while (!collect(&place))
        ;
    end(&place, &again);
    lines_add(&again.remarks, "run twice: the first time a backstop ended it");
    *flaky += again.grade == GRADE_PASS;
    result_fini(result);
    *result = again;
    return 0;
}

int driver_run(const struct driver *driver, const bool *which,
               struct result *results, int *captures, int *flaky)
{
    int at_once = driver->at_once < 1              ? 1
                  : driver->at_once > MOST_AT_ONCE ? MOST_AT_ONCE
                                                   : driver->at_once;

    *flaky = 0;
    if (run_all(driver, which, results, captures, at_once) < 0)
        return -1;
    for (size_t i = 0; i < driver->lab->check_count; i++)
        if (which[i] && results[i].grade == GRADE_FAIL && results[i].timing &&
            run_again(driver, i, &results[i], &captures[i], flaky) < 0)
            return -1;
    return 0;
}
