/* epoll(7), level-triggered: the cost of a wake-up is that of the ready ones.
 * Linux only. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/pool/mechanism.h"

_Static_assert(WATCH_READ == (int)EPOLLIN && WATCH_WRITE == (int)EPOLLOUT &&
                   READY_ERROR == (int)(EPOLLERR | EPOLLHUP),
               "a mechanism's numbers are those of epoll");

enum { BATCH = 256 };

/* epoll_pwait2(2) waits to the nanosecond: Linux 5.11, glibc 2.35. */
#if defined __GLIBC__ && defined __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 35)
#define HAVE_PWAIT2 1
#endif
#endif

/* The kernel's array is ours, where a pointer has 64 bits. */
enum {
    SAME = sizeof(struct mechanism_event) == sizeof(struct epoll_event) &&
           offsetof(struct mechanism_event, ready) ==
               offsetof(struct epoll_event, events) &&
           offsetof(struct mechanism_event, socket) ==
               offsetof(struct epoll_event, data.ptr)
};

struct epoll_set {
    int fd;
    bool no_pwait2; /* the kernel has none: whole milliseconds */
    struct epoll_event events[SAME ? 1 : BATCH];
};

static void *open_epoll(void)
{
    struct epoll_set *set = malloc(sizeof *set);

    if (!set)
        return NULL;
    set->no_pwait2 = false;
    set->fd = epoll_create1(EPOLL_CLOEXEC);
    if (set->fd >= 0)
        return set;
    free(set);
    return NULL;
}

static void close_epoll(void *opaque)
{
    struct epoll_set *set = opaque;

    close(set->fd);
    free(set);
}

static int watch_epoll(void *opaque, int fd, struct pool_socket *socket,
                       unsigned before, unsigned now)
{
    struct epoll_set *set = opaque;
    struct epoll_event event = {.events = now & (WATCH_READ | WATCH_WRITE),
                                .data.ptr = socket};

    return epoll_ctl(set->fd,
                     !now      ? EPOLL_CTL_DEL
                     : !before ? EPOLL_CTL_ADD
                               : EPOLL_CTL_MOD,
                     fd, &event);
}

static int wait_some(struct epoll_set *set, struct epoll_event *events,
                     int room, int64_t timeout_ns)
{
    int64_t ms = (timeout_ns + CLOCK_MS - 1) / CLOCK_MS; /* never too early */

    if (timeout_ns <= 0)
        return epoll_wait(set->fd, events, room, timeout_ns < 0 ? -1 : 0);
#ifdef HAVE_PWAIT2
    if (!set->no_pwait2) {
        struct timespec left = clock_timespec(timeout_ns);
        int count = epoll_pwait2(set->fd, events, room, &left, NULL);

        /* EPERM: a sandbox that does not know the call. */
        if (count >= 0 || (errno != ENOSYS && errno != EPERM))
            return count;
        set->no_pwait2 = true;
    }
#endif
    return epoll_wait(set->fd, events, room, ms > INT_MAX ? INT_MAX : (int)ms);
}

static int wait_epoll(void *opaque, struct mechanism_event *events, int room,
                      int64_t timeout_ns)
{
    struct epoll_set *set = opaque;
    struct epoll_event *theirs = SAME ? (void *)events : set->events;
    int count = wait_some(set, theirs, SAME || room < BATCH ? room : BATCH,
                          timeout_ns);

    for (int i = 0; !SAME && i < count; i++) {
        events[i].socket = theirs[i].data.ptr;
        events[i].ready = theirs[i].events;
    }
    return count;
}

const struct mechanism mechanism_epoll = {
    .name = "epoll",
    .open = open_epoll,
    .close = close_epoll,
    .watch = watch_epoll,
    .wait = wait_epoll,
};
