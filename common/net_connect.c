/*
 * See net.h: who goes to others. Every connect is started without blocking and
 * waited for by poll(2), so that a deadline holds wherever the packets get lost.
 */
#include "common/net.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

/* A Unix-domain listener's full backlog tells nobody when it has room again. */
enum { RETRY_FIRST_MS = 1, RETRY_MOST_MS = 64 };
#define SHARE_LEAST (2 * CLOCK_SECOND)

static int fail(int fd, int error)
{
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

int net_connect_start(const struct net_address *address, bool *connected)
{
    int fd;

    *connected = false;
    if (!address || address->length == 0)
        return fail(-1, EINVAL);
    fd = net_socket(address->any.sa_family, SOCK_STREAM);
    if (fd < 0)
        return -1;
    if (net_set_nonblock(fd, true) != 0)
        return fail(fd, errno);
    if (connect(fd, &address->any, address->length) == 0) {
        /* To itself: only net_connect_finish() sees that. */
        *connected = address->any.sa_family == AF_UNIX;
        return fd;
    }
    /* Interrupted, it goes on by itself: connect(2). */
    if (errno == EINPROGRESS || errno == EINTR)
        return fd;
    return fail(fd, errno);
}

int net_connect_finish(int fd)
{
    struct net_address peer, local;
    struct pollfd watched = {.fd = fd, .events = POLLOUT};
    int error = net_error(fd);

    if (error != 0)
        return error < 0 ? -1 : fail(-1, error);
    if (net_peer(fd, &peer) != 0) {
        if (errno == ENOTCONN && poll(&watched, 1, 0) == 0)
            errno = EINPROGRESS;
        return -1;
    }
    if (net_address_port(&peer) && net_local(fd, &local) == 0 &&
        net_address_equal(&local, &peer))
        return fail(-1, ECONNREFUSED);
    return 0;
}

int64_t net_connect_share(int64_t deadline, unsigned left)
{
    int64_t now = clock_now(), share;

    if (deadline == CLOCK_NEVER || left <= 1 || deadline <= now)
        return deadline;
    share = (deadline - now) / left;
    if (share < SHARE_LEAST)
        share = SHARE_LEAST;
    return share < deadline - now ? now + share : deadline;
}

int net_connect_error(int before, int now)
{
    switch (before) {
    case 0:
    case EAFNOSUPPORT:
    case EADDRNOTAVAIL:
    case ENETUNREACH:
        return now;
    default:
        return before;
    }
}

/* 0, and *fd is on its way or there. */
static int start(const struct net_address *address, int64_t deadline, int *fd,
                 bool *connected)
{
    int64_t now;

    for (int ms = RETRY_FIRST_MS;; ms = ms < RETRY_MOST_MS ? ms * 2 : ms) {
        *fd = net_connect_start(address, connected);
        if (*fd >= 0)
            return 0;
        if (errno != EAGAIN || address->any.sa_family != AF_UNIX)
            return -1;
        now = clock_now();
        if (now >= deadline) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (deadline != CLOCK_NEVER && (deadline - now) / CLOCK_MS < ms)
            ms = (int)((deadline - now) / CLOCK_MS) + 1;
        poll(NULL, 0, ms);
    }
}

int net_connect_to(const struct net_address *address, int64_t deadline)
{
    bool connected;
    int fd;

    if (!address || address->length == 0)
        return fail(-1, EINVAL);
    if (start(address, deadline, &fd, &connected) != 0)
        return -1;
    while (!connected) {
        if (net_wait(fd, POLLOUT, deadline) != 0)
            return fail(fd, errno);
        if (net_connect_finish(fd) == 0)
            connected = true;
        else if (errno != EINPROGRESS)
            return fail(fd, errno);
    }
    if (net_set_nonblock(fd, false) != 0)
        return fail(fd, errno);
    return fd;
}

int net_connect(const char *host, const char *service, int64_t deadline)
{
    struct net_address addresses[NET_ADDRESSES];
    int count, error = 0;

    count = net_resolve(host, service, SOCK_STREAM, addresses, NET_ADDRESSES,
                        deadline);
    for (int i = 0; i < count; i++) {
        int64_t share = net_connect_share(deadline, (unsigned)(count - i));
        int fd = net_connect_to(&addresses[i], share);

        if (fd >= 0)
            return fd;
        error = net_connect_error(error, errno);
        if (clock_now() >= deadline)
            break;
    }
    if (count > 0)
        errno = error;
    return -1;
}
