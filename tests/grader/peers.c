/* The tester's own ends of connections: opened, spoken into, closed. What they
 * hear is in answers.c. See probes.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/grader/probe.h"

enum {
    TICK_MS = 10,    /* between two looks at a program that says nothing */
    SPIN_LOOKS = 64, /* before the tester itself sleeps between two drips */
    CHUNK = 64 << 10
};

static int64_t soon(void)
{
    return clock_now() + TICK_MS * CLOCK_MS;
}

/* --- connecting ------------------------------------------------------------*/

static struct peer *new_peer(struct probe *p)
{
    struct peer *oldest = NULL;

    for (size_t i = 0; i < PEERS; i++) {
        struct peer *peer = &p->peer[i];

        if ((!peer->probe || peer->fd < 0) &&
            (!oldest || peer->opened < oldest->opened))
            oldest = peer;
    }
    if (!oldest) {
        errno = EMFILE;
        probe_broken(p, "the check opened too many connections");
    }
    *oldest = (struct peer){.probe = p, .fd = -1, .opened = ++p->opened};
    return oldest;
}

static uint16_t own_port(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return 0;
    return ntohs(address.sin_port);
}

/* Non-blocking, so that a queue that is full does not hold us. 0 or errno. */
static int connect_now(struct probe *p, struct peer *peer)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(p->listening),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct rest_watch watch;
    socklen_t length = sizeof(int);
    int error = 0, one = 1;

    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (peer->fd < 0)
        probe_broken(p, "socket");
    setsockopt(peer->fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
    if (connect(peer->fd, (struct sockaddr *)&to, sizeof to) == 0) {
        peer->port = own_port(peer->fd);
        return 0;
    }
    if (errno != EINPROGRESS)
        return errno;
    peer->port = own_port(peer->fd);
    rest_begin(p, &watch);
    while (!probe_wait(p, peer->fd, POLLOUT, soon()))
        if (rest_look(p, &watch, 0))
            return ETIMEDOUT;
    getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

struct peer *try_connect(struct probe *p)
{
    struct peer *peer = new_peer(p);
    int error = connect_now(p, peer);

    p->subject = peer;
    probe_step(p, "connect to 127.0.0.1:%u -> %s", (unsigned)p->listening,
               error == 0              ? "connected"
               : error == ECONNREFUSED ? "refused"
               : error == ETIMEDOUT    ? "no answer"
                                       : strerror(error));
    if (error == 0)
        return peer;
    probe_sign(p, error == ECONNREFUSED ? "refused" : "stuck-connect");
    close(peer->fd);
    peer->fd = -1;
    errno = error;
    return NULL;
}

/* Refused: because it ended, or because it closed its door. */
_Noreturn static void not_connected(struct probe *p, int error)
{
    char text[200];

    lines_add(&p->result.expected, "the connection is accepted");
    if (p->cell.ended) {
        ending_describe(p, text, sizeof text);
        lines_add(&p->result.actual, "%s; %s %s",
                  error == ECONNREFUSED ? "refused" : strerror(error),
                  probe_name(p), text);
    } else if (error == ECONNREFUSED) {
        lines_add(&p->result.actual,
                  "refused: %s still runs, and listens on %u no more",
                  probe_name(p), (unsigned)p->listening);
    } else {
        lines_add(&p->result.actual, "no answer to the SYN: %s",
                  strerror(error));
    }
    probe_failed(p, true);
}

struct peer *peer_connect(struct probe *p)
{
    struct peer *peer = try_connect(p);
    int error = errno;

    if (peer)
        return peer;
    probe_wait(p, -1, 0, clock_now()); /* has it ended? */
    not_connected(p, error);
}

uint16_t peer_port(const struct peer *peer)
{
    return peer->port;
}

/* --- sending ---------------------------------------------------------------*/

_Noreturn static void not_sent(struct peer *peer, const char *what)
{
    struct probe *p = peer->probe;
    char text[200];

    probe_wait(p, -1, 0, clock_now());
    lines_add(&p->result.expected, "%s reads all that is sent", probe_name(p));
    if (p->cell.ended) {
        ending_describe(p, text, sizeof text);
        lines_add(&p->result.actual, "%s %s after %llu bytes", probe_name(p),
                  text, (unsigned long long)peer->sent);
    } else {
        lines_add(&p->result.actual, "after %llu bytes: %s",
                  (unsigned long long)peer->sent, what);
    }
    probe_failed(p, true);
}

/* All of it, or the check ends. */
static void push(struct peer *peer, const void *bytes, size_t length, int flags)
{
    struct probe *p = peer->probe;
    const uint8_t *from = bytes;
    struct rest_watch watch;
    size_t done = 0;

    rest_begin(p, &watch);
    if (clock_now() > p->deadline) {
        p->result.timing = true;
        not_sent(peer, "the time of this check is over");
    }
    while (done < length) {
        ssize_t n = send(peer->fd, from + done, length - done,
                         MSG_NOSIGNAL | MSG_DONTWAIT | flags);

        if (n > 0) {
            done += (size_t)n;
            peer->sent += (uint64_t)n;
        } else if (errno == EAGAIN || errno == EINTR) {
            if (!probe_wait(p, peer->fd, POLLOUT, soon()) &&
                rest_look(p, &watch, done) && watch.rest != REST_ENDED) {
                p->result.timing = watch.backstop;
                probe_sign(p, "not-read");
                not_sent(peer, "it reads no more");
            }
        } else {
            probe_sign(p, "reset");
            not_sent(peer, errno == EPIPE || errno == ECONNRESET
                               ? "it has reset the connection (RST)"
                               : strerror(errno));
        }
    }
}

void peer_send(struct peer *peer, const void *bytes, size_t length)
{
    peer->probe->subject = peer;
    probe_step(peer->probe, "send %zu byte%s", length, length == 1 ? "" : "s");
    push(peer, bytes, length, 0);
}

static void finish_sending(struct peer *peer)
{
    if (shutdown(peer->fd, SHUT_WR) < 0 && errno != ENOTCONN)
        probe_broken(peer->probe, "shutdown");
    peer->finished = true;
}

void peer_send_last(struct peer *peer, const void *bytes, size_t length)
{
    peer->probe->subject = peer;
    probe_step(peer->probe, "send %zu byte%s and FIN (SHUT_WR)", length,
               length == 1 ? "" : "s");
    push(peer, bytes, length, MSG_MORE);
    finish_sending(peer);
}

void peer_half_close(struct peer *peer)
{
    peer->probe->subject = peer;
    probe_step(peer->probe, "half-close: FIN (SHUT_WR)");
    finish_sending(peer);
}

/* Until the program has read all that it was sent on this connection; false
 * when it will not. */
static bool wait_read(struct peer *peer)
{
    struct probe *p = peer->probe;
    struct endpoint client = {.family = 4, .address = {127, 0, 0, 1}};
    struct endpoint server = client;
    struct rest_watch watch;

    client.port = peer->port;
    server.port = p->listening;
    rest_begin(p, &watch);
    for (int looks = 0;; looks++) {
        struct socket_sample end;

        if (sockets_find(p->sockets, PROTO_TCP, &server, &client, &end) < 0)
            return false;
        if (end.receive_queue == 0)
            return true;
        if (looks < SPIN_LOOKS)
            sched_yield();
        else if (rest_look(p, &watch, 0))
            return false;
        else
            probe_wait(p, -1, 0, clock_now() + CLOCK_MS);
    }
}

void peer_drip(struct peer *peer, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;
    bool reads = true;

    peer->probe->subject = peer;
    probe_step(peer->probe, "send %zu bytes, one a segment", length);
    for (size_t i = 0; i < length; i++) {
        push(peer, from + i, 1, 0);
        reads = reads && wait_read(peer);
    }
}

void peer_split(struct peer *peer, const void *bytes, size_t length,
                size_t offset)
{
    const uint8_t *from = bytes;

    peer->probe->subject = peer;
    probe_step(peer->probe, "send %zu bytes in two segments, cut at %zu",
               length, offset);
    push(peer, from, offset, 0);
    wait_read(peer);
    push(peer, from + offset, length - offset, 0);
}

void peer_stream(struct peer *peer, uint64_t length, peer_fill_fn *fill,
                 void *self)
{
    static uint8_t buffer[CHUNK];

    peer->probe->subject = peer;
    probe_step(peer->probe, "send %llu bytes", (unsigned long long)length);
    for (uint64_t at = 0; at < length;) {
        size_t n = length - at < CHUNK ? (size_t)(length - at) : CHUNK;

        fill(self, buffer, n, peer->streamed);
        push(peer, buffer, n, 0);
        at += n;
        peer->streamed += n;
    }
}

/* --- closing ---------------------------------------------------------------*/

void peer_close(struct peer *peer)
{
    char rest[4096];

    /* Unread bytes would turn our FIN into a RST. */
    while (recv(peer->fd, rest, sizeof rest, MSG_DONTWAIT) > 0)
        ;
    probe_step(peer->probe, "close");
    close(peer->fd);
    peer->fd = -1;
}

void peer_reset(struct peer *peer)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    peer->probe->subject = peer;
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    probe_step(peer->probe, "reset: RST (linger 0)");
    close(peer->fd);
    peer->fd = -1;
}
