/*
 * What a stuck thread waits for: /proc/PID/task/TID/{syscall,wchan} in words.
 * Reading it needs to be the parent, or CAP_SYS_PTRACE in the process' user
 * namespace: the keeper or the grader's driver calls this, never viz itself.
 */
#ifndef VIZ_KERNEL_WAITS_H
#define VIZ_KERNEL_WAITS_H

#include <sys/types.h>

#include "viz/events/event.h"

struct wait_info {
    pid_t thread;
    bool running; /* on a CPU or ready to be: not inside a blocking call */
    long number;  /* of the system call, -1 when running */
    enum wait_call call;
    int fd; /* its first argument, where that is a descriptor; else -1 */
};

/* Every thread of `pid`, at most `most`: how many there are, or -1 with errno
 * (EACCES: not allowed to look). */
int waits_look(pid_t pid, struct wait_info *threads, int most);

#endif
