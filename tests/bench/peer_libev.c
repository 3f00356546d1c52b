/* libev: an ev_io a connection, the same recv and send as the bare loop. */
#include "tests/bench/peer.h"

#include <ev.h>

struct connection {
    ev_io io;
    struct peer_rest rest;
};

static struct ev_loop *loop;

static void ready(struct ev_loop *l, ev_io *io, int events)
{
    struct connection *c = (struct connection *)io;
    bool writing = events & EV_WRITE;
    enum peer_turn turn = writing ? peer_flush(io->fd, &c->rest)
                                  : peer_echo(io->fd, &c->rest);
    if (turn == PEER_OVER) {
        ev_io_stop(l, io);
        close(io->fd);
        free(c->rest.bytes);
        free(c);
    } else if (writing != (turn == PEER_WAIT_TO_WRITE)) {
        ev_io_stop(l, io);
        ev_io_set(io, io->fd, writing ? EV_READ : EV_WRITE);
        ev_io_start(l, io);
    }
}

static void welcome(struct ev_loop *l, ev_io *listener, int events)
{
    int fd;
    (void)events;
    while ((fd = peer_accept(listener->fd)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c)
            err(1, "connection");
        ev_io_init(&c->io, ready, fd, EV_READ);
        ev_io_start(l, &c->io);
    }
}

static void datagram(struct ev_loop *l, ev_io *io, int events)
{
    (void)l, (void)events;
    peer_datagram(io->fd);
}

static struct ev_timer timers[PEER_TIMER_COUNT];

static void expired(struct ev_loop *l, ev_timer *timer, int events)
{
    (void)l, (void)timer, (void)events;
}

static void reset(unsigned i)
{
    ev_timer_again(loop, &timers[i]);
}

int main(int argc, char **argv)
{
    enum peer_mode mode = peer_mode(argc, argv);
    ev_io socket;
    loop = ev_default_loop(EVBACKEND_EPOLL);
    if (mode == PEER_LINES)
        return 3;
    if (mode == PEER_TIMERS) {
        for (unsigned i = 0; i < PEER_TIMER_COUNT; i++)
            ev_timer_init(&timers[i], expired, 0, 60);
        peer_timers(reset);
        return 0;
    }
    if (mode == PEER_UDP)
        ev_io_init(&socket, datagram, peer_socket(SOCK_DGRAM), EV_READ);
    else
        ev_io_init(&socket, welcome, peer_socket(SOCK_STREAM), EV_READ);
    ev_io_start(loop, &socket);
    ev_run(loop, 0);
    return 1;
}
