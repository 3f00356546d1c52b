/*
 * The bare loop that all others are measured against: level-triggered epoll,
 * one recv and one send a message, no callback, no buffer, no time-out.
 */
#include "tests/bench/peer.h"

#include <sys/epoll.h>

enum { EVENTS = 256 };

struct connection {
    int fd;
    struct peer_rest rest;
};

static int set;

static void watch(struct connection *c, int how, uint32_t what)
{
    struct epoll_event event = {.events = what, .data.ptr = c};
    if (epoll_ctl(set, how, c->fd, &event))
        err(1, "epoll_ctl");
}

static void welcome(int listener)
{
    int fd;
    while ((fd = peer_accept(listener)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c)
            err(1, "connection");
        c->fd = fd;
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static void serve(struct connection *c, uint32_t events)
{
    bool writing = events & EPOLLOUT;
    enum peer_turn turn = writing ? peer_flush(c->fd, &c->rest)
                                  : peer_echo(c->fd, &c->rest);
    if (turn == PEER_OVER) {
        close(c->fd);
        free(c->rest.bytes);
        free(c);
    } else if (writing != (turn == PEER_WAIT_TO_WRITE)) {
        watch(c, EPOLL_CTL_MOD, writing ? EPOLLIN : EPOLLOUT);
    }
}

static void datagrams(void)
{
    struct connection socket = {.fd = peer_socket(SOCK_DGRAM)};
    struct epoll_event event;
    watch(&socket, EPOLL_CTL_ADD, EPOLLIN);
    while (epoll_wait(set, &event, 1, -1) >= 0)
        peer_datagram(socket.fd);
}

int main(int argc, char **argv)
{
    enum peer_mode mode = peer_mode(argc, argv);
    if (mode == PEER_TIMERS)
        return 3;
    set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0)
        err(1, "epoll_create1");
    if (mode == PEER_UDP)
        datagrams();
    struct connection listener = {.fd = peer_socket(SOCK_STREAM)};
    watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(set, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c == &listener)
                welcome(listener.fd);
            else
                serve(c, events[i].events);
        }
    }
}
