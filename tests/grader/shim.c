/* See shim.h. Runs as the student, before the student's program. */
#include "tests/grader/shim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "viz/calls/calls.h"

enum { MB = 1 << 20 };

size_t shim_arguments(const struct shim_plan *plan, char *text, size_t size,
                      const char **words)
{
    const struct {
        const char *key;
        int value;
    } number[] = {
        {"cpu", plan->cpu_seconds},    {"processes", plan->processes},
        {"files", plan->descriptors},  {"file-mb", plan->file_mb},
        {"address", plan->address_mb}, {"ptrace", plan->private_pids},
        {"landlock", plan->landlock},  {"keep", plan->keep},
    };
    const struct {
        const char *key, *value;
    } word[] = {
        {"folder", plan->folder},
        {"preload", plan->preload},
        {"calls", plan->calls},
    };
    size_t used = 0, n = 0;

    words[n++] = SHIM_WORD;
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) {
        words[n++] = text + used;
        used += (size_t)snprintf(text + used, size - used, "%s=%d",
                                 number[i].key, number[i].value) +
                1;
    }
    for (size_t i = 0; i < sizeof word / sizeof *word; i++) {
        if (!word[i].value)
            continue;
        words[n++] = text + used;
        used += (size_t)snprintf(text + used, size - used, "%s=%s", word[i].key,
                                 word[i].value) +
                1;
    }
    words[n++] = "--";
    return n;
}

static int read_plan(struct shim_plan *plan, int argc, char **argv)
{
    int i;

    *plan = (struct shim_plan){0};
    for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char *value = strchr(argv[i], '=');
        size_t key = value ? (size_t)(value - argv[i]) : 0;
        struct {
            const char *key;
            int *number;
        } const numbers[] = {
            {"cpu", &plan->cpu_seconds},    {"processes", &plan->processes},
            {"files", &plan->descriptors},  {"file-mb", &plan->file_mb},
            {"address", &plan->address_mb}, {"keep", &plan->keep},
        };

        if (!value)
            continue;
        value++;
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            if (strlen(numbers[k].key) == key &&
                strncmp(numbers[k].key, argv[i], key) == 0)
                *numbers[k].number = atoi(value);
        if (strncmp(argv[i], "ptrace=", 7) == 0)
            plan->private_pids = *value != '0';
        else if (strncmp(argv[i], "landlock=", 9) == 0)
            plan->landlock = *value != '0';
        else if (strncmp(argv[i], "folder=", 7) == 0)
            plan->folder = value;
        else if (strncmp(argv[i], "preload=", 8) == 0)
            plan->preload = value;
        else if (strncmp(argv[i], "calls=", 6) == 0)
            plan->calls = value;
    }
    return i + 1;
}

static int limit(int resource, rlim_t value)
{
    struct rlimit old, new = {value, value};

    if (getrlimit(resource, &old) == 0 && old.rlim_max < value)
        new.rlim_cur = new.rlim_max = old.rlim_max;
    return setrlimit(resource, &new);
}

static int set_limits(const struct shim_plan *plan)
{
    if (limit(RLIMIT_CORE, 0) < 0 ||
        (plan->cpu_seconds &&
         limit(RLIMIT_CPU, (rlim_t)plan->cpu_seconds) < 0) ||
        (plan->processes && limit(RLIMIT_NPROC, (rlim_t)plan->processes) < 0) ||
        (plan->descriptors &&
         limit(RLIMIT_NOFILE, (rlim_t)plan->descriptors) < 0) ||
        (plan->file_mb && limit(RLIMIT_FSIZE, (rlim_t)plan->file_mb * MB) < 0))
        return -1;
    return 0;
}

/* Everything but 0, 1, 2 and `keep` goes at the exec, not before: the program
 * itself may be one of them. */
static int close_others(int keep)
{
    unsigned flags = 4; /* CLOSE_RANGE_CLOEXEC */

    if (keep <= 2)
        return close_range(3, ~0U, (int)flags);
    if (keep > 3 && close_range(3, (unsigned)keep - 1, (int)flags) < 0)
        return -1;
    return close_range((unsigned)keep + 1, ~0U, (int)flags);
}

static int refuse(const char *what)
{
    fprintf(stderr, "cell: %s: %s\n", what, strerror(errno));
    return SHIM_REFUSED;
}

int shim_run(int argc, char **argv)
{
    struct shim_plan plan;
    int program = read_plan(&plan, argc, argv);
    const char *path;

    if (set_limits(&plan) < 0)
        return refuse("setting the limits");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return refuse("giving up new privileges");
    if (plan.landlock && shim_landlock(plan.folder) < 0)
        return refuse("Landlock");
    if (close_others(plan.keep) < 0)
        return refuse("closing descriptors");
    if (plan.preload && setenv("LD_PRELOAD", plan.preload, 1) < 0)
        return refuse("the environment");
    if (plan.calls && setenv(CALLS_VARIABLE, plan.calls, 1) < 0)
        return refuse("the environment");
    if (shim_seccomp(plan.private_pids) < 0)
        return refuse("seccomp");
    if (program >= argc)
        return 0;
    /* The last: a shim that is itself sanitized needs terabytes of it. */
    if (plan.address_mb && limit(RLIMIT_AS, (rlim_t)plan.address_mb * MB) < 0)
        return refuse("the limit of memory");
    path = argv[program];
    execv(path, argv + program + 1);
    return refuse(path);
}
