/* See isolation.h. The level is what a trial cell proved, not what the system
 * is supposed to allow. */
#include "tests/grader/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/netns.h"
#include "tests/grader/launch.h"

enum {
    FIRST_UID = 61184, /* systemd's range for dynamic users: nobody's own */
    UIDS = 4000,
    NOBODY = 65534,
    TRIAL_MS = 30 /* a trial cell on the idle machine this was written on */
};

const char *isolation_word(enum isolation_level level)
{
    static const char *const word[] = {"full", "reduced", "none"};

    return word[level];
}

const char *isolation_sentence(enum isolation_level level)
{
    static const char *const sentence[] = {
        "full",
        "reduced - this host does not allow user namespaces; programs can "
        "send UDP to the network and share the process table; do not grade "
        "untrusted submissions in parallel here",
        "none - only run code you trust",
    };

    return sentence[level];
}

int isolation_drop(const struct isolation *isolation)
{
    if (!isolation->drop)
        return 0;
    if (setgroups(0, NULL) < 0 ||
        setresgid(isolation->gid, isolation->gid, isolation->gid) < 0 ||
        setresuid(isolation->uid, isolation->uid, isolation->uid) < 0)
        return -1;
    /* Changing the uid closed /proc/self to ourselves: uid_map lies there. */
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* Whether a child may become `uid`: in a container it may not be mapped. */
static bool can_become(uid_t uid)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(setresuid(uid, uid, uid) < 0);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void choose_uid(struct isolation *isolation)
{
    isolation->drop = geteuid() == 0;
    isolation->uid = geteuid();
    isolation->gid = getegid();
    if (!isolation->drop)
        return;
    isolation->uid = FIRST_UID + (uid_t)getpid() % UIDS;
    if (!can_become(isolation->uid))
        isolation->uid = NOBODY;
    if (!can_become(isolation->uid)) { /* root in name, an ordinary user: the
                                          only uid of a rootless container */
        isolation->drop = false;
        isolation->uid = 0;
    }
    isolation->gid = isolation->uid;
}

/* Our own program in memory: a folder that only root may read stays closed to
 * the uid that we become. */
static int open_self(void)
{
    struct stat status;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), memory = -1;
    char *bytes = NULL;

    if (file < 0 || fstat(file, &status) < 0)
        return file;
    bytes = malloc((size_t)status.st_size);
    if (bytes && read(file, bytes, (size_t)status.st_size) == status.st_size)
        memory = launch_memory("grade", bytes, (size_t)status.st_size);
    free(bytes);
    if (memory < 0)
        return file;
    close(file);
    return memory;
}

/* build/lib/calls.so, found from build/bin/grade. */
static int open_calls(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    char *folder;

    if (n <= 0)
        return -1;
    path[n] = '\0';
    folder = dirname(dirname(path));
    memmove(path, folder, strlen(folder) + 1);
    strncat(path, "/lib/calls.so", sizeof path - strlen(path) - 1);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* In a child: a private network and an empty cell in it, as for a check. What
 * went wrong goes to `out`. */
_Noreturn static void try_cell(const struct isolation *isolation, int out)
{
    struct launch trial = {
        .isolation = isolation, .box_mb = 1, .out = out, .err = out};
    enum netns_step failed;
    char text[640];
    int status;
    pid_t child;

    trial.in = open("/dev/null", O_RDONLY);
    if (isolation_drop(isolation) < 0) {
        dprintf(out, "becoming uid %u: %s\n", (unsigned)isolation->uid,
                strerror(errno));
        _exit(1);
    }
    if (netns_enter(&failed) < 0) {
        dprintf(out, "%s\n", netns_explain(failed, errno, text, sizeof text));
        _exit(1);
    }
    child = launch(&trial);
    if (child < 0) {
        dprintf(out, errno == ENOENT
                         ? "bubblewrap is not installed; type: make grade-1\n"
                         : "a process could not be started\n");
        _exit(1);
    }
    waitpid(child, &status, 0);
    _exit(status != 0);
}

/* 1: a full cell works here; 0: not, and isolation->why; -1 with errno. */
static int trial(struct isolation *isolation)
{
    int pipes[2], status;
    size_t used = 0;
    ssize_t n;
    pid_t child;

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return -1;
    child = fork();
    if (child == 0)
        try_cell(isolation, pipes[1]);
    close(pipes[1]);
    if (child < 0) {
        close(pipes[0]);
        return -1;
    }
    while (used < sizeof isolation->why - 1 &&
           (n = read(pipes[0], isolation->why + used,
                     sizeof isolation->why - 1 - used)) > 0)
        used += (size_t)n;
    close(pipes[0]);
    while (used > 0 && isolation->why[used - 1] == '\n')
        used--;
    isolation->why[used] = '\0';
    if (waitpid(child, &status, 0) < 0)
        return -1;
    return status == 0;
}

static void set_scale(struct isolation *isolation, int64_t took)
{
    double scale = (double)took / (TRIAL_MS * CLOCK_MS);

    isolation->scale = scale < 1 ? 1 : scale > 10 ? 10 : scale;
}

int isolation_open(struct isolation *isolation)
{
    int64_t start;
    int full;

    *isolation = (struct isolation){.self = -1, .calls = -1, .scale = 1};
    choose_uid(isolation);
    isolation->landlock = shim_landlock_abi();
    isolation->self = open_self();
    if (isolation->self < 0)
        return -1;
    isolation->calls = open_calls();
    launch_clean_stale();
    start = clock_now();
    full = trial(isolation);
    if (full < 0)
        return -1;
    if (full) {
        isolation->level = ISOLATION_FULL;
        isolation->why[0] = '\0';
        set_scale(isolation, clock_now() - start);
        return 0;
    }
    isolation->level = isolation->drop || isolation->landlock >= 6
                           ? ISOLATION_REDUCED
                           : ISOLATION_NONE;
    return 0;
}

void isolation_rescale(struct isolation *isolation)
{
    int64_t start = clock_now();

    if (isolation->level == ISOLATION_FULL && trial(isolation) > 0)
        set_scale(isolation, clock_now() - start);
    else
        isolation->scale = 10; /* it cannot even be measured: be patient */
}

void isolation_close(struct isolation *isolation)
{
    if (isolation->self >= 0)
        close(isolation->self);
    if (isolation->calls >= 0)
        close(isolation->calls);
    isolation->self = isolation->calls = -1;
}
