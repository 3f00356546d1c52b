/*
 * Which process holds which socket: one walk through /proc/PID/fd, kept for
 * many questions. Without rights only the reader's own processes are seen.
 */
#ifndef VIZ_KERNEL_OWNERS_H
#define VIZ_KERNEL_OWNERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { OWNER_NAME = 16 }; /* comm, as in /proc/PID/comm (proc(5)) */

struct owner {
    uint32_t inode;
    pid_t pid;
    char name[OWNER_NAME]; /* as the process calls itself: not to be trusted */
};

/* Zeroed is empty. */
struct owners {
    struct owner *items; /* by inode, ascending */
    size_t count, room;
};

void owners_fini(struct owners *owners);
/* Walk anew. 0; -1 with errno, and then the list is empty. */
int owners_look(struct owners *owners);
/* One that holds the socket (of several the lowest pid); NULL for none. */
const struct owner *owners_find(const struct owners *owners, uint32_t inode);

/* One question alone, by a walk of its own, which ends where it is found: the
 * pid, or 0 (none that we may read). */
pid_t owners_ask(uint32_t inode);

#endif
