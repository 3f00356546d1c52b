/*
 * What /proc says of a cell: its processes, and of each its descriptors, time
 * and memory. Every process of a cell is a descendant of its pid 1.
 */
#include "tests/grader/cell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"

/* A file of /proc as text, at most size - 1 bytes; its length or -1. */
__attribute__((format(printf, 3, 4))) static ssize_t slurp(char *text,
                                                           size_t size,
                                                           const char *format,
                                                           ...)
{
    char path[64];
    va_list arguments;
    ssize_t n;
    int fd;

    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    n = read(fd, text, size - 1);
    close(fd);
    if (n >= 0)
        text[n] = '\0';
    return n;
}

/* The children of every thread of `pid`, appended to pids. */
static int children(pid_t pid, pid_t *pids, int count, int most)
{
    char path[64], text[4096], *at, *end;
    DIR *tasks;
    struct dirent *task;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    tasks = opendir(path);
    if (!tasks)
        return count;
    while ((task = readdir(tasks))) {
        if (task->d_name[0] == '.' ||
            slurp(text, sizeof text, "/proc/%d/task/%.12s/children", (int)pid,
                  task->d_name) < 0)
            continue;
        for (at = text; count < most; at = end) {
            long child = strtol(at, &end, 10);

            if (end == at)
                break;
            pids[count++] = (pid_t)child;
        }
    }
    closedir(tasks);
    return count;
}

int cell_pids(const struct cell *cell, pid_t *pids, int most)
{
    int count = 0;

    if (!cell->reduced && cell->init > 0)
        count = children(cell->init, pids, 0, most);
    else if (cell->reduced && cell->main > 0)
        pids[count++] = cell->main;
    else if (cell->reduced) /* what was handed to us, a subreaper */
        count = children(getpid(), pids, 0, most);
    for (int done = 0; done < count; done++)
        count = children(pids[done], pids, count, most);
    return count;
}

/* bubblewrap's only child is the cell's pid 1, and that one's first child is
 * the shim, which becomes the program. */
void cell_find_main(struct cell *cell)
{
    pid_t first;

    if (cell->main > 0 || cell->reduced)
        return;
    if (cell->init <= 0 && children(cell->bwrap, &first, 0, 1) == 1)
        cell->init = first;
    if (cell->init <= 0 || children(cell->init, &first, 0, 1) < 1)
        return;
    cell->main = first;
    cell->main_fd = (int)syscall(SYS_pidfd_open, first, 0);
    if (cell->main_fd < 0)
        cell->main = 0;
}

/* The state letter of proc(5); X when there is no such thread. */
static char state(pid_t pid, pid_t thread)
{
    char text[1024], *after;

    if (slurp(text, sizeof text, "/proc/%d/task/%d/stat", (int)pid,
              (int)thread) <= 0)
        return 'X';
    after = strrchr(text, ')'); /* the name may hold anything */
    return after && after[1] ? after[2] : 'X';
}

bool cell_thread_ended(pid_t pid, pid_t thread)
{
    char now = state(pid, thread);

    return now == 'Z' || now == 'X';
}

/* A thread of it that lives. When main() ended by pthread_exit the first does
 * not, and /proc/PID has no descriptors and no memory any longer. */
static pid_t alive(pid_t pid)
{
    char path[64];
    struct dirent *task;
    pid_t thread = pid;
    DIR *tasks;

    if (!cell_thread_ended(pid, pid))
        return pid;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    tasks = opendir(path);
    while (tasks && thread == pid && (task = readdir(tasks)))
        if (task->d_name[0] != '.' &&
            !cell_thread_ended(pid, atoi(task->d_name)))
            thread = atoi(task->d_name);
    if (tasks)
        closedir(tasks);
    return thread;
}

static int descriptors(pid_t pid)
{
    char path[64];
    DIR *list;
    struct dirent *entry;
    int count = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)alive(pid));
    list = opendir(path);
    if (!list)
        return -1;
    while ((entry = readdir(list)))
        count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

int cell_living(const struct cell *cell)
{
    pid_t pids[CELL_PIDS];
    int count = cell_pids(cell, pids, CELL_PIDS), living = 0;

    for (int i = 0; i < count; i++)
        living += !cell_thread_ended(pids[i], alive(pids[i]));
    return living;
}

int cell_descriptors(const struct cell *cell)
{
    pid_t pids[CELL_PIDS];
    int count = cell_pids(cell, pids, CELL_PIDS), sum = 0;

    for (int i = 0; i < count; i++) {
        int n = descriptors(pids[i]), error = errno;

        if (n < 0 && !cell_thread_ended(pids[i], alive(pids[i]))) {
            errno = error;
            return -1;
        }
        sum += n > 0 ? n : 0;
    }
    return count ? sum : -1;
}

/* Ticks of one process, its own and those of the children it has waited for;
 * of the cell's pid 1 only the latter. */
static int64_t ticks(pid_t pid, bool own)
{
    unsigned long user, system, child_user, child_system;
    char text[1024];
    const char *after;

    if (slurp(text, sizeof text, "/proc/%d/stat", (int)pid) < 0)
        return 0;
    after = strrchr(text, ')');
    if (!after || sscanf(after,
                         ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu "
                         "%lu %lu %lu",
                         &user, &system, &child_user, &child_system) != 4)
        return 0;
    return (int64_t)(child_user + child_system + (own ? user + system : 0));
}

int64_t cell_cpu_ns(const struct cell *cell)
{
    const int64_t tick = CLOCK_SECOND / sysconf(_SC_CLK_TCK);
    pid_t pids[CELL_PIDS];
    int count = cell_pids(cell, pids, CELL_PIDS);
    int64_t sum = cell->init > 0 ? ticks(cell->init, false) : 0;

    for (int i = 0; i < count; i++)
        sum += ticks(pids[i], true);
    return sum * tick;
}

static long status_number(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at ? strtol(at + strlen(key), NULL, 10) : 0;
}

int64_t cell_switches(const struct cell *cell)
{
    pid_t pids[CELL_PIDS];
    int count = cell_pids(cell, pids, CELL_PIDS);
    char text[4096];
    int64_t sum = 0;

    for (int i = 0; i < count; i++) {
        char path[64];
        struct dirent *task;
        DIR *tasks;

        snprintf(path, sizeof path, "/proc/%d/task", (int)pids[i]);
        tasks = opendir(path);
        while (tasks && (task = readdir(tasks))) {
            if (task->d_name[0] == '.' ||
                slurp(text, sizeof text, "/proc/%d/task/%.12s/status",
                      (int)pids[i], task->d_name) < 0)
                continue;
            sum += status_number(text, "\nvoluntary_ctxt_switches:");
        }
        if (tasks)
            closedir(tasks);
    }
    return sum;
}

long cell_resident_kb(const struct cell *cell)
{
    pid_t pids[CELL_PIDS];
    int count = cell_pids(cell, pids, CELL_PIDS);
    char text[128];
    long page_kb = sysconf(_SC_PAGESIZE) / 1024, sum = 0;

    for (int i = 0; i < count; i++) {
        long resident;

        if (slurp(text, sizeof text, "/proc/%d/statm", (int)alive(pids[i])) >
                0 &&
            sscanf(text, "%*d %ld", &resident) == 1)
            sum += resident * page_kb;
    }
    return sum;
}

long cell_peak_kb(const struct cell *cell)
{
    char text[4096];

    if (cell->main <= 0 || slurp(text, sizeof text, "/proc/%d/status",
                                 (int)alive(cell->main)) <= 0)
        return -1;
    return status_number(text, "\nVmHWM:");
}

char cell_state(const struct cell *cell)
{
    return cell->main > 0 ? state(cell->main, alive(cell->main)) : 'X';
}

uint32_t cell_socket_inode(pid_t pid, int fd)
{
    char path[64], link[64];
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)alive(pid), fd);
    n = readlink(path, link, sizeof link - 1);
    if (n <= 0)
        return 0;
    link[n] = '\0';
    if (strncmp(link, "socket:[", 8) != 0)
        return 0;
    return (uint32_t)strtoul(link + 8, NULL, 10);
}

bool cell_holds(const struct cell *cell, uint32_t inode)
{
    pid_t pids[CELL_PIDS];
    int count = cell_pids(cell, pids, CELL_PIDS);

    for (int i = 0; inode && i < count; i++) {
        char path[64];
        struct dirent *entry;
        DIR *list;
        bool found = false;

        snprintf(path, sizeof path, "/proc/%d/fd", (int)alive(pids[i]));
        list = opendir(path);
        while (list && !found && (entry = readdir(list)))
            found = entry->d_name[0] != '.' &&
                    cell_socket_inode(pids[i], atoi(entry->d_name)) == inode;
        if (list)
            closedir(list);
        if (found)
            return true;
    }
    return false;
}
