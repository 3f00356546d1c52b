/*
 * Connect, say one message, hear it, close: so many cycles, `connections` of
 * them at a time. The client closes first and so keeps TIME_WAIT; each cycle
 * comes from another address of 127/8, so that no port runs out.
 */
#include "tests/bench/load.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, MESSAGE = 64, ADDRESSES = 200, PATIENCE_MS = 30000 };

static int begin(struct target *t)
{
    static uint32_t turn;
    struct sockaddr_in from = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + turn++ % ADDRESSES),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int late = 1; /* the port is chosen by connect(2), for this server alone */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
    struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};
    if (bind(fd, (struct sockaddr *)&from, sizeof from) ||
        (connect(fd, (struct sockaddr *)&t->address, sizeof t->address) &&
         errno != EINPROGRESS) ||
        epoll_ctl(t->set, EPOLL_CTL_ADD, fd, &event)) {
        close(fd);
        return -1;
    }
    return 0;
}

/* 1: the cycle is done; 0: not yet; -1. */
static int step(struct target *t, const struct epoll_event *event)
{
    static const char message[MESSAGE] =
        "connect, say one message, hear it, close: the cycle of a visit\n\n";
    char reply[MESSAGE];
    int fd = event->data.fd;
    if (event->events & EPOLLIN) {
        /* 64 bytes that were sent in one piece come back in one piece, but a
         * server may send what it likes. */
        ssize_t n = recv(fd, reply, sizeof reply, MSG_PEEK);
        if (n == MESSAGE && memcmp(reply, message, MESSAGE) == 0)
            return close(fd) ? -1 : 1;
        return n > 0 && n < MESSAGE ? 0 : -1;
    }
    struct epoll_event reading = {.events = EPOLLIN, .data.fd = fd};
    if (event->events & (EPOLLERR | EPOLLHUP) ||
        send(fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
        return -1;
    return epoll_ctl(t->set, EPOLL_CTL_MOD, fd, &reading);
}

int connects_slice(const struct load *load, struct target *t, unsigned cycles)
{
    unsigned to_begin = cycles, to_end = cycles;
    struct epoll_event events[EVENTS];
    for (unsigned i = 0; i < load->connections && to_begin; i++, to_begin--)
        if (begin(t))
            goto failed;
    while (to_end) {
        int n = epoll_wait(t->set, events, EVENTS, PATIENCE_MS);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            goto failed;
        for (int i = 0; i < n; i++) {
            int done = step(t, &events[i]);
            if (done < 0)
                goto failed;
            to_end -= (unsigned)done;
            for (; done && to_begin; to_begin--, done--)
                if (begin(t))
                    goto failed;
        }
    }
    return 0;
failed:
    warn("%s: connect-echo-close", t->name);
    return -1;
}
