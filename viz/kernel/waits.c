/*
 * See waits.h. /proc/PID/task/TID/syscall is "running", or "-1 SP PC" for a
 * thread that sleeps outside any call, or "NUMBER ARG0 ... ARG5 SP PC" in hex
 * (proc(5)); its ABI's numbers come from <sys/syscall.h>, so a name that an
 * architecture lacks (aarch64 has no poll, only ppoll) is left out.
 */
#include "viz/kernel/waits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where the call's first argument is a descriptor, and whether the name holds
 * only when that is a socket: read(2) of a file is no recv. */
struct call {
    long number;
    enum wait_call call;
    enum { NO_FD, FD, SOCKET_FD } first;
};

static const struct call calls[] = {
#ifdef SYS_accept
    {SYS_accept, WAIT_ACCEPT, FD},
#endif
    {SYS_accept4, WAIT_ACCEPT, FD},     {SYS_recvfrom, WAIT_RECV, FD},
    {SYS_recvmsg, WAIT_RECV, FD},       {SYS_recvmmsg, WAIT_RECV, FD},
    {SYS_read, WAIT_RECV, SOCKET_FD},   {SYS_readv, WAIT_RECV, SOCKET_FD},
    {SYS_sendto, WAIT_SEND, FD},        {SYS_sendmsg, WAIT_SEND, FD},
    {SYS_sendmmsg, WAIT_SEND, FD},      {SYS_write, WAIT_SEND, SOCKET_FD},
    {SYS_writev, WAIT_SEND, SOCKET_FD}, {SYS_sendfile, WAIT_SEND, SOCKET_FD},
    {SYS_connect, WAIT_CONNECT, FD},    {SYS_close, WAIT_OTHER, FD},
#ifdef SYS_select
    {SYS_select, WAIT_SELECT, NO_FD},
#endif
    {SYS_pselect6, WAIT_SELECT, NO_FD},
#ifdef SYS_poll
    {SYS_poll, WAIT_POLL, NO_FD},
#endif
    {SYS_ppoll, WAIT_POLL, NO_FD},
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, WAIT_EPOLL, FD},
#endif
    {SYS_epoll_pwait, WAIT_EPOLL, FD},
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, WAIT_EPOLL, FD},
#endif
};

/* A small file of /proc, whole, with a NUL. 0 or -1 with errno. */
static int read_small(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), error;
    ssize_t n;

    if (fd == -1)
        return -1;
    n = read(fd, text, size - 1);
    error = errno;
    close(fd);
    errno = error;
    if (n == -1)
        return -1;
    text[n] = '\0';
    return 0;
}

static bool is_socket(pid_t thread, int fd)
{
    char path[64], target[32];
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)thread, fd);
    n = readlink(path, target, sizeof target);
    return n > 7 && strncmp(target, "socket:", 7) == 0;
}

/* A poll that was stopped (^Z) and went on (fg) shows as restart_syscall: the
 * kernel's function that it sleeps in still tells. */
static enum wait_call call_from_wchan(pid_t pid, pid_t thread)
{
    char path[64], name[64];

    snprintf(path, sizeof path, "/proc/%d/task/%d/wchan", (int)pid,
             (int)thread);
    if (read_small(path, name, sizeof name) == -1)
        return WAIT_OTHER;
    if (strstr(name, "poll_schedule_timeout") != NULL ||
        strstr(name, "do_sys_poll") != NULL || strcmp(name, "do_poll") == 0)
        return WAIT_POLL;
    return WAIT_OTHER;
}

static void name_call(pid_t pid, long first, struct wait_info *info)
{
    if (info->number == SYS_restart_syscall)
        info->call = call_from_wchan(pid, info->thread);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (calls[i].number != info->number)
            continue;
        if (calls[i].first != NO_FD)
            info->fd = (int)first;
        if (calls[i].first != SOCKET_FD || is_socket(info->thread, info->fd))
            info->call = calls[i].call;
        return;
    }
}

/* 0; or -1 with errno (ENOENT, ESRCH: the thread has ended meanwhile). */
static int look_at_thread(pid_t pid, pid_t thread, struct wait_info *info)
{
    char path[64], text[256], *end;
    unsigned long first;

    snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)pid,
             (int)thread);
    if (read_small(path, text, sizeof text) == -1)
        return -1;
    *info = (struct wait_info){
        .thread = thread, .number = -1, .call = WAIT_OTHER, .fd = -1};
    if (strncmp(text, "running", 7) == 0) {
        info->running = true;
        return 0;
    }
    errno = 0;
    info->number = strtol(text, &end, 10);
    if (end == text || info->number < 0) { /* asleep outside any call */
        info->number = -1;
        return 0;
    }
    first = strtoul(end, NULL, 16);
    name_call(pid, (long)first, info);
    return 0;
}

int waits_look(pid_t pid, struct wait_info *threads, int most)
{
    char path[64];
    struct dirent *entry;
    int count = 0, failed = 0;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    folder = opendir(path);
    if (folder == NULL) {
        if (errno == ENOENT)
            errno = ESRCH;
        return -1;
    }
    while (count < most && (entry = readdir(folder)) != NULL) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

        if (thread <= 0)
            continue;
        if (look_at_thread(pid, thread, &threads[count]) == 0)
            count++;
        else if (errno != ENOENT && errno != ESRCH)
            failed = errno == EPERM ? EACCES : errno;
    }
    closedir(folder);
    if (count > 0 || failed == 0)
        return count;
    errno = failed;
    return -1;
}
