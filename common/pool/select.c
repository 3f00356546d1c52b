/* select(2): bit sets of FD_SETSIZE (1024) descriptors, copied in and out at
 * every wake-up. A descriptor beyond is refused: FD_SET() would write outside. */
#include <errno.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>

#include "common/pool/mechanism.h"

struct select_set {
    fd_set read, write;
    struct pool_socket *sockets[FD_SETSIZE];
    int end;  /* one more than the highest descriptor */
    int from; /* where looking begins: not always at the same one */
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
    set->sockets[fd] = socket;
    if (fd >= set->end)
        set->end = fd + 1;
    while (set->end > 0 && !FD_ISSET(set->end - 1, &set->read) &&
           !FD_ISSET(set->end - 1, &set->write))
        set->end--;
    return 0;
}

static int wait_select(void *opaque, struct mechanism_event *events, int room,
                       int64_t timeout_ns)
{
    struct select_set *set = opaque;
    struct timespec left = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    fd_set read = set->read, write = set->write;
    int ready = pselect(set->end, &read, &write, NULL,
                        timeout_ns < 0 ? NULL : &left, NULL);
    int found = 0;

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
