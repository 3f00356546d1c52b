/*
 * How a pool waits: one table of functions, one file each (select.c, poll.c,
 * epoll.c). Level-triggered: what is still ready is said again.
 */
#ifndef COMMON_POOL_MECHANISM_H
#define COMMON_POOL_MECHANISM_H

#include <stdint.h>

struct pool_socket;

/* The numbers of POLLIN, POLLOUT, POLLERR and POLLHUP, which are epoll's, too.
 * WATCH_ERROR: for nothing but an error or hang-up, which the others include. */
enum { WATCH_READ = 1, WATCH_WRITE = 4, WATCH_ERROR = 8 };
/* In `ready` besides: an error or hang-up, which only interest 0 switches off. */
enum { READY_ERROR = 8 | 16 };

/* Laid out as struct epoll_event, which epoll.c makes use of where it is so. */
struct mechanism_event {
    uint32_t ready;
    struct pool_socket *socket; /* for which the descriptor was watched */
}
#ifdef __x86_64__
__attribute__((packed))
#endif
;

struct mechanism {
    const char *name;
    void *(*open)(void); /* NULL with errno */
    void (*close)(void *set);
    /* What to watch `fd` for: from `before` to `now` (0: not at all). Must be
     * told 0 before the descriptor is closed. select: EMFILE from FD_SETSIZE. */
    int (*watch)(void *set, int fd, struct pool_socket *socket, unsigned before,
                 unsigned now);
    /* At most `room` events; 0 after `timeout_ns` (-1: none); -1 with errno.
     * EINTR is returned. */
    int (*wait)(void *set, struct mechanism_event *events, int room,
                int64_t timeout_ns);
};

/* By name, or NULL: the best; NULL: there is none such here. */
const struct mechanism *mechanism_find(const char *name);

#endif
