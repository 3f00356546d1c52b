/* poll(2): one array of all descriptors, looked through at every wake-up. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/pool/mechanism.h"

struct poll_set {
    struct pollfd *watched;       /* `count` of them, in no order */
    struct pool_socket **sockets; /* beside them */
    unsigned count, room;
    int *places;   /* of a descriptor in `watched`, or -1 */
    int most;      /* descriptors that `places` knows */
    unsigned from; /* where looking begins: not always at the same one */
};

static void *open_poll(void)
{
    return calloc(1, sizeof(struct poll_set));
}

static void close_poll(void *opaque)
{
    struct poll_set *set = opaque;

    free(set->watched);
    free(set->sockets);
    free(set->places);
    free(set);
}

static int widen_places(struct poll_set *set, int fd)
{
    int most = set->most ? set->most : 64, *places;

    while (most <= fd)
        most *= 2;
    places = realloc(set->places, (size_t)most * sizeof *places);
    if (!places)
        return -1;
    for (int i = set->most; i < most; i++)
        places[i] = -1;
    set->places = places;
    set->most = most;
    return 0;
}

static int widen(struct poll_set *set)
{
    unsigned room = set->room ? set->room * 2 : 64;
    struct pollfd *watched;
    struct pool_socket **sockets;

    watched = realloc(set->watched, room * sizeof *watched);
    if (!watched)
        return -1;
    set->watched = watched;
    sockets = realloc(set->sockets, room * sizeof *sockets);
    if (!sockets)
        return -1;
    set->sockets = sockets;
    set->room = room;
    return 0;
}

static void take_out(struct poll_set *set, int fd)
{
    unsigned place, last = set->count - 1;

    if (fd >= set->most || set->places[fd] < 0)
        return;
    place = (unsigned)set->places[fd];
    set->watched[place] = set->watched[last];
    set->sockets[place] = set->sockets[last];
    set->places[set->watched[place].fd] = (int)place;
    set->places[fd] = -1;
    set->count--;
}

static int watch_poll(void *opaque, int fd, struct pool_socket *socket,
                      unsigned before, unsigned now)
{
    struct poll_set *set = opaque;
    unsigned place;

    if (!now) {
        take_out(set, fd);
        return 0;
    }
    if ((fd >= set->most && widen_places(set, fd) < 0) ||
        (!before && set->count == set->room && widen(set) < 0))
        return -1;
    if (!before)
        set->places[fd] = (int)set->count++;
    place = (unsigned)set->places[fd];
    set->sockets[place] = socket;
    set->watched[place] = (struct pollfd){
        .fd = fd,
        .events = (now & WATCH_READ ? POLLIN : 0) |
                  (now & WATCH_WRITE ? POLLOUT : 0)};
    return 0;
}

static int wait_poll(void *opaque, struct mechanism_event *events, int room,
                     int64_t timeout_ns)
{
    struct poll_set *set = opaque;
    struct timespec left = clock_timespec(timeout_ns);
    int ready = ppoll(set->watched, set->count, timeout_ns < 0 ? NULL : &left,
                      NULL);
    int found = 0;

    for (unsigned i = 0; i < set->count && found < ready && found < room; i++) {
        unsigned place = (set->from + i) % set->count;
        short from = set->watched[place].revents;

        if (!from)
            continue;
        events[found].socket = set->sockets[place];
        events[found++].ready = (from & POLLIN ? WATCH_READ : 0) |
                                (from & POLLOUT ? WATCH_WRITE : 0) |
                                (from & ~(POLLIN | POLLOUT) ? READY_ERROR : 0);
        if (found == room)
            set->from = place + 1; /* the others first, next time */
    }
    return ready < 0 ? -1 : found;
}

const struct mechanism mechanism_poll = {
    .name = "poll",
    .open = open_poll,
    .close = close_poll,
    .watch = watch_poll,
    .wait = wait_poll,
};
