/* See reaper.h. */
#include "viz/lab/reaper.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

enum { BATCH = 64 }; /* processes that one sweep waits for */

/* Namespaces are equal when device and inode of their files are
 * (namespaces(7)). */
bool reaper_in_network(pid_t process, int net_fd)
{
    char path[40];
    struct stat ours, theirs;

    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)process);
    return fstat(net_fd, &ours) == 0 && stat(path, &theirs) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static int open_process(pid_t process)
{
    return (int)syscall(SYS_pidfd_open, process, 0);
}

static void wait_for(int pidfd, int64_t deadline)
{
    struct pollfd end = {pidfd, POLLIN, 0};

    poll(&end, 1, clock_poll_ms(deadline));
}

/* Call `visit` for every process that there is. */
static void each_process(void (*visit)(void *self, pid_t process), void *self)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        pid_t process = (pid_t)strtol(entry->d_name, NULL, 10);

        if (process > 0)
            visit(self, process);
    }
    closedir(folder);
}

/* One sweep through /proc. */
struct sweep {
    int net_fd; /* whom to end: everybody in this network ... */
    pid_t spared;
    pid_t parent; /* ... or, when not 0, every child of this process */
    int pidfds[BATCH];
    int count;
};

static pid_t parent_of(pid_t process)
{
    char path[40], text[512];
    const char *last;
    int parent = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    last = strrchr(text, ')'); /* the name before it may hold anything */
    if (last == NULL || sscanf(last, ") %*c %d", &parent) != 1)
        return 0;
    return parent;
}

static bool is_meant(const struct sweep *sweep, pid_t process)
{
    if (process == getpid() || process == sweep->spared)
        return false;
    if (sweep->parent != 0)
        return parent_of(process) == sweep->parent;
    return reaper_in_network(process, sweep->net_fd);
}

static void end_if_meant(void *self, pid_t process)
{
    struct sweep *sweep = self;
    int pidfd;

    if (!is_meant(sweep, process))
        return;
    pidfd = open_process(process);
    if (pidfd == -1)
        return;
    /* Looked at again through the pidfd's life: the pid cannot have become
     * somebody else's in between. */
    if (!is_meant(sweep, process) ||
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == -1 ||
        sweep->count == BATCH)
        close(pidfd);
    else
        sweep->pidfds[sweep->count++] = pidfd;
}

/* How many were ended. */
static int sweep_once(struct sweep *sweep, int64_t deadline)
{
    sweep->count = 0;
    each_process(end_if_meant, sweep);
    for (int i = 0; i < sweep->count; i++) {
        wait_for(sweep->pidfds[i], deadline);
        close(sweep->pidfds[i]);
    }
    return sweep->count;
}

void reaper_end_children(void)
{
    int64_t deadline = clock_now() + REAPER_SECONDS * CLOCK_SECOND;
    struct sweep sweep = {.net_fd = -1, .parent = getpid()};

    while (clock_now() < deadline) {
        pid_t child;

        while ((child = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if (child == -1 && errno == ECHILD)
            return;
        sweep_once(&sweep, deadline);
    }
}

void reaper_end_network(int net_fd, pid_t spared)
{
    int64_t deadline = clock_now() + REAPER_SECONDS * CLOCK_SECOND;
    struct sweep sweep = {.net_fd = net_fd};

    if (getppid() == spared)
        sweep.spared = spared;
    while (clock_now() < deadline && sweep_once(&sweep, deadline) > 0)
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
}
