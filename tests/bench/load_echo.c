/*
 * The closed loop: on each connection `in_flight` messages are on their way;
 * each reply that is whole lets the next message go. Replies that came together
 * are answered together, in one send. Every reply is checked to be what was
 * sent: a message is `size` - 1 letters and a LF, so that servers of lines and
 * of bytes serve alike.
 */
#include "tests/bench/load.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_ROOM = 256 * 1024,
    EVENTS = 256,
    SILENCE_MS = 300, /* then a datagram is taken for lost */
    PATIENCE = 100,   /* silences until the server is taken for dead */
};

static char *text; /* enough messages for one send and for one read */
static char room[READ_ROOM];

int64_t load_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int text_make(const struct load *load)
{
    size_t size = load->size;
    size_t length = size * load->in_flight + READ_ROOM + size;
    if (text)
        return 0;
    text = malloc(length);
    if (!text)
        return -1;
    for (size_t i = 0; i < length; i++)
        text[i] = i % size == size - 1 ? '\n' : (char)('a' + i % size % 26);
    return 0;
}

static int connect_one(const struct target *t, int type)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&t->address, sizeof t->address)) {
        close(fd);
        return -1;
    }
    return fd;
}

int stream_open(const struct load *load, struct target *t)
{
    if (text_make(load))
        goto failed;
    t->set = epoll_create1(EPOLL_CLOEXEC);
    if (t->set < 0 || load->kind == LOAD_CONNECTS)
        return t->set < 0 ? -1 : 0;
    t->connections = calloc(load->connections, sizeof *t->connections);
    if (!t->connections)
        goto failed;
    for (unsigned i = 0; i < load->connections; i++) {
        struct connection *c = &t->connections[i];
        int type = load->kind == LOAD_STREAM ? SOCK_STREAM : SOCK_DGRAM;
        c->fd = connect_one(t, type);
        c->times = calloc(load->in_flight, sizeof *c->times);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (c->fd < 0 || !c->times ||
            epoll_ctl(t->set, EPOLL_CTL_ADD, c->fd, &event))
            goto failed;
    }
    return 0;
failed:
    warn("%s: connection", t->name);
    return -1;
}

int idle_speak(int fd)
{
    char reply[sizeof "here\n"];
    size_t length = sizeof reply - 1, have = 0;
    if (send(fd, "here\n", length, MSG_NOSIGNAL) != (ssize_t)length)
        return -1;
    while (have < length) {
        ssize_t n = recv(fd, reply + have, length - have, 0);
        if (n <= 0)
            return -1;
        have += (size_t)n;
    }
    return 0;
}

int idle_open(struct target *t, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int fd = connect_one(t, SOCK_STREAM);
        if (fd < 0 || idle_speak(fd)) {
            warn("%s: idle connection %u", t->name, i);
            return -1;
        }
    }
    return 0;
}

/* What of `unsent` the kernel takes; the rest goes when there is room. */
static int flush(const struct load *load, struct target *t,
                 struct connection *c)
{
    size_t at = (load->size - c->unsent % load->size) % load->size;
    ssize_t n = send(c->fd, text + at, c->unsent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        warn("%s: send", t->name);
        return -1;
    }
    c->unsent -= n > 0 ? (size_t)n : 0;
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT,
        .data.u32 = (uint32_t)(c - t->connections),
    };
    return c->unsent ? epoll_ctl(t->set, EPOLL_CTL_MOD, c->fd, &event) : 0;
}

static int say(const struct load *load, struct target *t, struct connection *c,
               unsigned messages)
{
    int64_t now = load_now();
    for (unsigned i = 0; i < messages; i++)
        c->times[c->sent++ % load->in_flight] = now;
    c->unsent += messages * load->size;
    return flush(load, t, c);
}

/* Takes the replies that are here; how many were whole, or -1. */
static int hear(const struct load *load, struct target *t, struct connection *c)
{
    ssize_t n = recv(c->fd, room, sizeof room, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0) {
        if (n == 0)
            warnx("%s: the server closed a connection", t->name);
        else
            warn("%s: recv", t->name);
        return -1;
    }
    if (memcmp(room, text + c->partial, (size_t)n) != 0) {
        warnx("%s: the reply is not what was sent", t->name);
        return -1;
    }
    int64_t now = load_now();
    c->partial += (size_t)n;
    int whole = (int)(c->partial / load->size);
    c->partial %= load->size;
    for (int i = 0; i < whole; i++)
        histogram_add(&t->latency,
                      now - c->times[c->received++ % load->in_flight]);
    return whole;
}

/* Every datagram that is still awaited is sent again. */
static int repeat(const struct load *load, struct target *t)
{
    for (unsigned i = 0; i < load->connections; i++) {
        struct connection *c = &t->connections[i];
        for (unsigned k = c->received; k < c->sent; k++) {
            t->lost++;
            if (send(c->fd, text, load->size, MSG_NOSIGNAL) < 0)
                return -1;
        }
    }
    return 0;
}

static int serve(const struct load *load, struct target *t,
                 const struct epoll_event *event, unsigned *to_send,
                 unsigned *to_come)
{
    struct connection *c = &t->connections[event->data.u32];
    if (event->events & EPOLLOUT) {
        struct epoll_event reading = {.events = EPOLLIN,
                                      .data.u32 = event->data.u32};
        if (epoll_ctl(t->set, EPOLL_CTL_MOD, c->fd, &reading) ||
            flush(load, t, c))
            return -1;
    }
    if (!(event->events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
        return 0;
    int whole = hear(load, t, c);
    if (whole < 0)
        return -1;
    *to_come -= (unsigned)whole;
    unsigned next = (unsigned)whole < *to_send ? (unsigned)whole : *to_send;
    *to_send -= next;
    return next ? say(load, t, c, next) : 0;
}

int stream_slice(const struct load *load, struct target *t, unsigned messages)
{
    unsigned to_send = messages, to_come = messages, silences = 0;
    struct epoll_event events[EVENTS];
    for (unsigned i = 0; i < load->connections && to_send; i++) {
        struct connection *c = &t->connections[i];
        unsigned n = load->in_flight < to_send ? load->in_flight : to_send;
        c->sent = c->received = 0;
        to_send -= n;
        if (say(load, t, c, n))
            return -1;
    }
    while (to_come) {
        int n = epoll_wait(t->set, events, EVENTS, SILENCE_MS);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        silences = n == 0 ? silences + 1 : 0;
        if (silences > PATIENCE) {
            warnx("%s: %u replies never came", t->name, to_come);
            return -1;
        }
        if (n == 0 && load->kind == LOAD_DATAGRAM && repeat(load, t))
            return -1;
        for (int i = 0; i < n; i++)
            if (serve(load, t, &events[i], &to_send, &to_come))
                return -1;
    }
    return 0;
}
