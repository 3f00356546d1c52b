/*
 * grade N: builds a submission in a cell, runs the checks of lab N on it, and
 * tells what was found. Status 0 all points, 1 fewer, 2 could not grade.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/progress.h"
#include "tests/grader/driver.h"
#include "tests/grader/keep.h"
#include "tests/grader/misconceptions.h"
#include "tests/grader/report.h"
#include "tests/grader/shim.h"

enum { CANNOT = 2 };

struct options {
    const struct lab *lab;
    int number;
    const char *folder, *check;
    uint64_t seed;
    bool full; /* --require-isolation=full */
    const struct format *format;
    const char *file; /* for the format; NULL: stdout */
    bool own;         /* the default folder: the student's own work */
};

static int usage(void)
{
    fprintf(stderr,
            "usage: grade N [--submission DIR] [--check ID] [--seed S]\n"
            "             [--json|--tap|--junit|--gradescope|--classroom50|"
            "--autolab FILE]\n"
            "             [--require-isolation=full]\n");
    return CANNOT;
}

static int read_number(const char *text, unsigned long long *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno || *end || end == text || text[0] == '-' ? -1 : 0;
}

/* "wcd/" is shown, and joined with names, as "wcd". */
static const char *without_slash(const char *folder)
{
    static char text[PATH_MAX];
    size_t n = strlen(folder);

    while (n > 1 && folder[n - 1] == '/')
        n--;
    snprintf(text, sizeof text, "%.*s", (int)n, folder);
    return text;
}

static int unknown_check(const struct options *o)
{
    fprintf(stderr, "Lab %d has no check '%s'. Its checks are:\n", o->number,
            o->check);
    for (size_t i = 0; i < o->lab->check_count; i++)
        fprintf(stderr, "  %s\n", o->lab->checks[i].id);
    return CANNOT;
}

/* Options after the number. 0, or the status to end with. */
static int read_options(struct options *o, int argc, char **argv)
{
    unsigned long long number;

    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--require-isolation=full") == 0) {
            o->full = true;
            continue;
        }
        o->format = format_by_option(argv[i]) ? format_by_option(argv[i])
                                              : o->format;
        if (strcmp(argv[i], "--json") == 0 &&
            (!value || strncmp(value, "--", 2) == 0))
            continue; /* to standard output */
        if (!value)
            return usage();
        if (format_by_option(argv[i])) {
            o->file = value;
        } else if (strcmp(argv[i], "--submission") == 0) {
            o->folder = without_slash(value);
            o->own = false;
        } else if (strcmp(argv[i], "--check") == 0) {
            o->check = value;
        } else if (strcmp(argv[i], "--seed") == 0) {
            if (read_number(value, &number) < 0 || number > INT64_MAX) {
                fprintf(stderr, "%s is no seed: take the number of a report.\n",
                        value);
                return CANNOT;
            }
            o->seed = number;
        } else {
            return usage();
        }
        i++;
    }
    if (o->format && !o->format->write) {
        fprintf(stderr, "%s is not written by this version yet: use --json.\n",
                o->format->option);
        return CANNOT;
    }
    if (o->check && !lab_check(o->lab, o->check))
        return unknown_check(o);
    return 0;
}

static int read_arguments(struct options *o, int argc, char **argv)
{
    static char folder[PATH_MAX];
    unsigned long long number;

    if (argc < 2 || read_number(argv[1], &number) < 0)
        return usage();
    o->number = number < 100 ? (int)number : 0;
    o->lab = lab_by_number(o->number);
    if (!o->lab || o->lab->check_count == 0 ||
        o->lab->check_count > MOST_CHECKS) {
        fprintf(stderr, "There is no lab %s to grade. Type make for the map.\n",
                argv[1]);
        return CANNOT;
    }
    snprintf(folder, sizeof folder, "work/%s", o->lab->name);
    o->folder = folder;
    o->own = true;
    if (getrandom(&o->seed, sizeof o->seed, 0) != sizeof o->seed)
        o->seed = (uint64_t)getpid();
    o->seed %= 1000000; /* short enough to type */
    return read_options(o, argc, argv);
}

/* Everything of one grading. */
struct grading {
    struct options options;
    struct isolation isolation;
    struct submission submission;
    struct build_result build[BUILDS];
    int programs[BUILDS];
    bool which[MOST_CHECKS];
    struct result result[MOST_CHECKS];
    int captures[MOST_CHECKS];
    struct report report;
    bool words, colour;
};

static int read_submission(struct grading *g)
{
    const struct options *o = &g->options;
    char why[400];

    if (submission_read(&g->submission, o->folder, o->lab->files, why,
                        sizeof why) == 0)
        return 0;
    fprintf(stderr, "%s\n", why);
    if (errno == ENOENT && o->own)
        fprintf(stderr, "Type  make lab-%d  to get the starter.\n", o->number);
    else if (errno == ENOENT)
        fprintf(stderr, "A submission is a folder with %s in it.\n",
                o->lab->files[0]);
    return CANNOT;
}

static int isolate(struct grading *g)
{
    if (isolation_open(&g->isolation) < 0) {
        fprintf(stderr, "No process could be started: %s\n", strerror(errno));
        return CANNOT;
    }
    g->report.isolation = &g->isolation;
    if (g->options.full && g->isolation.level != ISOLATION_FULL) {
        words_isolation(stderr, &g->report);
        fprintf(stderr, "--require-isolation=full was asked: nothing was "
                        "compiled or run.\n");
        return CANNOT;
    }
    if (g->words)
        words_isolation(stdout, &g->report);
    return 0;
}

/* The builds that the chosen checks start, the plain one first: its errors
 * and warnings are the ones that are told. */
static int build(struct grading *g)
{
    unsigned needed = 1 << BUILD_PLAIN;

    for (size_t i = 0; i < g->options.lab->check_count; i++)
        if (g->which[i])
            needed |= g->options.lab->checks[i].builds;
    for (int b = 0; b < BUILDS; b++)
        g->programs[b] = g->build[b].program = -1;
    for (int b = 0; b < BUILDS; b++) {
        if (!(needed & 1U << b))
            continue;
        if (build_program(&g->submission, (enum build)b, &g->isolation,
                          g->options.folder, &g->build[b]) < 0) {
            fprintf(stderr, "The compiler could not be run: %s\n",
                    g->build[b].refused);
            return CANNOT;
        }
        g->programs[b] = g->build[b].program;
        if (g->programs[b] < 0)
            break; /* it does not compile: said below */
    }
    return 0;
}

static bool compiled(const struct grading *g)
{
    for (int b = 0; b < BUILDS; b++)
        if (g->build[b].errors.count)
            return false;
    return true;
}

static void not_compiled(struct grading *g)
{
    for (size_t i = 0; i < g->options.lab->check_count; i++) {
        g->captures[i] = -1;
        if (!g->which[i])
            continue;
        g->result[i].grade = GRADE_FAIL;
        g->result[i].final = true;
        lines_add(&g->result[i].expected, "the program compiles");
        lines_add(&g->result[i].actual, "%s",
                  g->build[BUILD_PLAIN].errors.count
                      ? g->build[BUILD_PLAIN].errors.line[0]
                      : "it does not compile with sanitizers");
        result_sign(&g->result[i], "not-compiled");
    }
}

static void on_end(void *self, size_t check, const struct result *result)
{
    struct grading *g = self;

    (void)result;
    if (g->words)
        words_ended(stdout, &g->report, check, g->colour);
}

static int run(struct grading *g)
{
    struct result *pointers[MOST_CHECKS];
    struct driver driver = {.lab = g->options.lab,
                            .submission = &g->submission,
                            .isolation = &g->isolation,
                            .programs = g->programs,
                            .seed = g->options.seed,
                            .ended = on_end,
                            .self = g};

    /* Checks mostly wait, and with networks of their own they never meet. */
    driver.at_once = g->isolation.level == ISOLATION_FULL
                         ? 2 * (int)sysconf(_SC_NPROCESSORS_ONLN)
                         : 1;
    for (size_t i = 0; i < MOST_CHECKS; i++)
        g->captures[i] = -1;
    if (driver_run(&driver, g->which, g->result, g->captures,
                   &g->report.flaky) < 0) {
        fprintf(stderr, "The checks could not be run: %s\n", strerror(errno));
        return CANNOT;
    }
    for (size_t i = 0; i < g->options.lab->check_count; i++)
        pointers[i] = g->which[i] ? &g->result[i] : NULL;
    misconceptions_diagnose(g->options.lab, pointers);
    return 0;
}

static int write_format(const struct grading *g)
{
    const struct options *o = &g->options;
    int done;

    if (!o->format)
        return 0;
    if (!o->file || strcmp(o->file, "-") == 0)
        return o->format->write(stdout, &g->report);
    done = keep_report(o->file, o->format->write, &g->report);
    if (done < 0)
        fprintf(stderr, "%s could not be written: %s\n", o->file,
                strerror(errno));
    return done;
}

static int grade(struct grading *g)
{
    struct options *o = &g->options;
    int status;

    for (size_t i = 0; i < o->lab->check_count; i++)
        g->which[i] = !o->check || strcmp(o->check, o->lab->checks[i].id) == 0;
    g->words = !o->format || o->file;
    g->colour = isatty(1) && !getenv("NO_COLOR");
    g->report = (struct report){.lab = o->lab,
                                .number = o->number,
                                .folder = o->folder,
                                .seed = o->seed,
                                .which = g->which,
                                .result = g->result,
                                .build = g->build,
                                .one_check = o->check != NULL};
    if ((status = read_submission(g)) || (status = isolate(g)) ||
        (status = build(g)))
        return status;
    g->report.untouched = keep_untouched(o->lab->name, &g->submission);
    if (g->words)
        words_compile(stdout, &g->report, g->colour);
    if (!compiled(g))
        not_compiled(g);
    else if ((status = run(g)))
        return status;
    keep_runs(&g->report, g->captures);
    if (g->words && compiled(g))
        words_summary(stdout, &g->report, g->colour);
    status = report_status(&g->report);
    if (o->own && !o->check && status != CANNOT)
        keep_score(&g->report);
    return write_format(g) < 0 ? CANNOT : status;
}

static void grading_fini(struct grading *g)
{
    for (size_t i = 0; i < MOST_CHECKS; i++) {
        result_fini(&g->result[i]);
        if (g->captures[i] > 2)
            close(g->captures[i]);
    }
    for (int b = 0; b < BUILDS; b++)
        build_result_fini(&g->build[b]);
    submission_fini(&g->submission);
    isolation_close(&g->isolation);
}

int main(int argc, char **argv)
{
    static struct grading grading;
    int status;

    if (argc > 1 && strcmp(argv[1], SHIM_WORD) == 0)
        return shim_run(argc - 1, argv + 1);
    if (argc == 2 && strcmp(argv[1], "--misconceptions") == 0) {
        misconceptions_page(stdout);
        return 0;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    status = read_arguments(&grading.options, argc, argv);
    if (status)
        return status;
    status = grade(&grading);
    grading_fini(&grading);
    return status;
}
