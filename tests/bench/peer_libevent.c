/*
 * libevent, twice: raw events with the bare loop's recv and send, or (first
 * argument `buffer`) bufferevents, its managed sockets.
 */
#include "tests/bench/peer.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

static struct event_base *base;
static bool lines;

/* --- raw ------------------------------------------------------------------ */

struct connection {
    struct event *reading, *writing;
    struct peer_rest rest;
};

static void leave(struct connection *c)
{
    int fd = event_get_fd(c->reading);
    event_free(c->reading);
    if (c->writing)
        event_free(c->writing);
    close(fd);
    free(c->rest.bytes);
    free(c);
}

static void writable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    (void)what;
    enum peer_turn turn = peer_flush(fd, &c->rest);
    if (turn == PEER_OVER)
        leave(c);
    else if (turn == PEER_WAIT_TO_WRITE)
        event_add(c->writing, NULL);
    else
        event_add(c->reading, NULL);
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    (void)what;
    enum peer_turn turn = peer_echo(fd, &c->rest);
    if (turn == PEER_OVER) {
        leave(c);
    } else if (turn == PEER_WAIT_TO_WRITE) {
        if (!c->writing)
            c->writing = event_new(base, fd, EV_WRITE, writable, c);
        event_del(c->reading);
        event_add(c->writing, NULL);
    }
}

static void welcome_raw(evutil_socket_t listener, short what, void *arg)
{
    int fd;
    (void)what, (void)arg;
    while ((fd = peer_accept(listener)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c)
            err(1, "connection");
        c->reading = event_new(base, fd, EV_READ | EV_PERSIST, readable, c);
        event_add(c->reading, NULL);
    }
}

static void datagram(evutil_socket_t fd, short what, void *arg)
{
    (void)what, (void)arg;
    peer_datagram(fd);
}

/* --- bufferevents ----------------------------------------------------------- */

static void received(struct bufferevent *b, void *arg)
{
    struct evbuffer *in = bufferevent_get_input(b);
    struct evbuffer *out = bufferevent_get_output(b);
    (void)arg;
    if (!lines) {
        evbuffer_add_buffer(out, in);
        return;
    }
    char *line;
    size_t length;
    while ((line = evbuffer_readln(in, &length, EVBUFFER_EOL_CRLF))) {
        evbuffer_add(out, line, length);
        evbuffer_add(out, "\n", 1);
        free(line);
    }
}

static void happened(struct bufferevent *b, short what, void *arg)
{
    (void)what, (void)arg;
    bufferevent_free(b);
}

static void welcome_buffer(evutil_socket_t listener, short what, void *arg)
{
    int fd;
    (void)what, (void)arg;
    while ((fd = peer_accept(listener)) >= 0) {
        struct bufferevent *b = bufferevent_socket_new(base, fd,
                                                       BEV_OPT_CLOSE_ON_FREE);
        if (!b)
            err(1, "connection");
        bufferevent_setcb(b, received, NULL, happened, NULL);
        bufferevent_enable(b, EV_READ | EV_WRITE);
    }
}

static struct event *timers[PEER_TIMER_COUNT];

static void expired(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
}

static void reset(unsigned i)
{
    static const struct timeval minute = {60, 0};
    event_add(timers[i], &minute);
}

int main(int argc, char **argv)
{
    enum peer_mode mode = peer_mode(argc, argv);
    bool buffered = argc > 2 && strcmp(argv[1], "buffer") == 0;
    lines = mode == PEER_LINES;
    base = event_base_new();
    if (!base)
        errx(1, "event_base_new");
    if (buffered ? mode == PEER_UDP || mode == PEER_TIMERS : lines)
        return 3;
    if (mode == PEER_TIMERS) {
        for (unsigned i = 0; i < PEER_TIMER_COUNT; i++)
            timers[i] = event_new(base, -1, 0, expired, NULL);
        peer_timers(reset);
        return 0;
    }
    int fd = peer_socket(mode == PEER_UDP ? SOCK_DGRAM : SOCK_STREAM);
    struct event *socket = event_new(base, fd, EV_READ | EV_PERSIST,
                                     mode == PEER_UDP ? datagram
                                     : buffered       ? welcome_buffer
                                                      : welcome_raw,
                                     NULL);
    event_add(socket, NULL);
    event_base_dispatch(base);
    return 1;
}
