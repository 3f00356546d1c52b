/*
 * See net.h: sockets and what is set on them. What a system has in one call
 * (SOCK_CLOEXEC, accept4) is used by a feature test; NET_PLAIN does without, as
 * the tests do once.
 */
#include "common/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "common/clock.h"

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

static int set_flag(int fd, int get, int put, int flag, bool on)
{
    int flags = fcntl(fd, get);

    if (flags < 0)
        return -1;
    if (!!(flags & flag) == on)
        return 0;
    return fcntl(fd, put, on ? flags | flag : flags & ~flag) < 0 ? -1 : 0;
}

int net_set_nonblock(int fd, bool on)
{
    return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int net_set_cloexec(int fd, bool on)
{
    return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int net_socket(int family, int type)
{
#if defined SOCK_CLOEXEC && !defined NET_PLAIN
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
#else
    int fd = socket(family, type, 0);

    if (fd >= 0)
        net_set_cloexec(fd, true);
#endif
#ifdef SO_NOSIGPIPE
    if (fd >= 0)
        set(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
    return fd;
}

int net_set_nodelay(int fd, bool on)
{
    return set(fd, IPPROTO_TCP, TCP_NODELAY, on);
}

int net_set_reuse(int fd, bool on)
{
    return set(fd, SOL_SOCKET, SO_REUSEADDR, on);
}

int net_set_reuse_port(int fd, bool on)
{
#ifdef SO_REUSEPORT
    return set(fd, SOL_SOCKET, SO_REUSEPORT, on);
#else
    (void)fd;
    (void)on;
    errno = ENOPROTOOPT;
    return -1;
#endif
}

int net_set_broadcast(int fd, bool on)
{
    return set(fd, SOL_SOCKET, SO_BROADCAST, on);
}

int net_set_linger(int fd, int seconds)
{
    struct linger linger = {.l_onoff = seconds >= 0, .l_linger = seconds};

    if (seconds < 0)
        linger.l_linger = 0;
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

int net_set_buffers(int fd, int receive, int send)
{
    if (receive < 0 || send < 0) {
        errno = EINVAL;
        return -1;
    }
    if (receive && set(fd, SOL_SOCKET, SO_RCVBUF, receive) != 0)
        return -1;
    return send ? set(fd, SOL_SOCKET, SO_SNDBUF, send) : 0;
}

int net_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return -1;
    return error;
}

int net_wait(int fd, short events, int64_t deadline)
{
    struct pollfd watched = {.fd = fd, .events = events};

    if (fd < 0) { /* poll(2) would pass it over, and wait */
        errno = EBADF;
        return -1;
    }
    for (;;) {
        int ms = clock_poll_ms(deadline);
        int ready = poll(&watched, 1, ms);

        if (ready > 0 && !(watched.revents & POLLNVAL))
            return 0;
        if (ready > 0)
            errno = EBADF;
        else if (ready == 0 && ms == 0)
            errno = ETIMEDOUT;
        else if (ready == 0 || errno == EINTR)
            continue;
        return -1;
    }
}
