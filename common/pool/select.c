/* select(2): bit sets of FD_SETSIZE (1024) descriptors, copied in and out at
 * every wake-up. A descriptor beyond is refused: FD_SET() would write outside.
 * None of its sets holds an error alone, so who waits for nothing else is looked
 * at now and then, by poll(2). */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>

#include "common/clock.h"
#include "common/pool/mechanism.h"

enum { LOOK_NS = 250 * CLOCK_MS };

struct select_set {
    fd_set read, write, error;
    struct pool_socket *sockets[FD_SETSIZE];
    int end;         /* one more than the highest of `read` and `write` */
    int from;        /* where looking begins: not always at the same one */
    int errors;      /* how many there are in `error` */
    int64_t look_at; /* not before */
};

static void *open_select(void)
{
    return calloc(1, sizeof(struct select_set));
}

static void close_select(void *set)
{
    free(set);
}

static int watch_select(void *opaque, int fd, struct pool_socket *socket,
                        unsigned before, unsigned now)
{
    struct select_set *set = opaque;

    (void)before;
    if (fd >= FD_SETSIZE) {
        errno = EMFILE;
        return -1;
    }
    FD_CLR(fd, &set->read);
    FD_CLR(fd, &set->write);
    if (now & WATCH_READ)
        FD_SET(fd, &set->read);
    if (now & WATCH_WRITE)
        FD_SET(fd, &set->write);
    set->errors += (now == WATCH_ERROR) - !!FD_ISSET(fd, &set->error);
    FD_CLR(fd, &set->error);
    if (now == WATCH_ERROR)
        FD_SET(fd, &set->error);
    set->sockets[fd] = socket;
    if (fd >= set->end)
        set->end = fd + 1;
    while (set->end > 0 && !FD_ISSET(set->end - 1, &set->read) &&
           !FD_ISSET(set->end - 1, &set->write))
        set->end--;
    return 0;
}

/* Which of `error` have one. */
static int look(struct select_set *set, struct mechanism_event *events,
                int room)
{
    struct pollfd asked[FD_SETSIZE];
    int count = 0, found = 0;

    if (clock_now() < set->look_at)
        return 0;
    for (int fd = 0; count < set->errors; fd++)
        if (FD_ISSET(fd, &set->error))
            asked[count++] = (struct pollfd){.fd = fd};
    if (poll(asked, (nfds_t)count, 0) < 0)
        return 0;
    for (int i = 0; i < count && found < room; i++) {
        if (!asked[i].revents)
            continue;
        events[found].socket = set->sockets[asked[i].fd];
        events[found++].ready = READY_ERROR;
    }
    set->look_at = clock_now() + LOOK_NS;
    return found;
}

static int wait_select(void *opaque, struct mechanism_event *events, int room,
                       int64_t timeout_ns)
{
    struct select_set *set = opaque;
    fd_set read = set->read, write = set->write;
    struct timespec left;
    int found = set->errors ? look(set, events, room) : 0, ready;

    if (found)
        return found;
    if (set->errors && (timeout_ns < 0 || timeout_ns > LOOK_NS))
        timeout_ns = LOOK_NS;
    left = clock_timespec(timeout_ns);
    ready = pselect(set->end, &read, &write, NULL,
                    timeout_ns < 0 ? NULL : &left, NULL);
    for (int i = 0; ready > 0 && i < set->end && found < room; i++) {
        int fd = (set->from + i) % set->end;
        uint32_t now = (FD_ISSET(fd, &read) ? WATCH_READ : 0) |
                       (FD_ISSET(fd, &write) ? WATCH_WRITE : 0);

        if (!now)
            continue;
        events[found].socket = set->sockets[fd];
        events[found++].ready = now;
        if (found == room)
            set->from = fd + 1; /* the others first, next time */
    }
    return ready < 0 ? -1 : found;
}

const struct mechanism mechanism_select = {
    .name = "select",
    .open = open_select,
    .close = close_select,
    .watch = watch_select,
    .wait = wait_select,
};
