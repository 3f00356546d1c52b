/* How a socket ends. One way in: whoever comes first gives the reason; the
 * second is not heard. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/pool/inside.h"

/* What a peer may still send while we wait for its FIN. */
enum { DRAIN_BYTES = 16 * 1024 * 1024 };

/* No other callback than `closed` from here on. */
static void silence(struct pool_socket *socket)
{
    if (socket->pool->joins == socket)
        socket->pool->joins = NULL;
    socket->receive = NULL;
    socket->owed &= OWE_FLUSH | OWE_CLOSING;
    timers_drop(socket);
    if (socket->kind == STREAM)
        input_drop(socket);
}

static void grace_begins(struct pool_socket *socket)
{
    socket->receive_at = clock_now();
    socket->receive_ms = socket->pool->grace_ms;
    wheel_note(socket, socket->receive_at, socket->receive_ms);
}

static size_t unsent(const struct pool_socket *socket)
{
    return socket->kind == DATAGRAM ? datagram_unsent(socket)
                                    : pool_unsent(socket);
}

void closing_begin(struct pool_socket *socket, enum closed_reason reason,
                   int error)
{
    if (socket->state >= FLUSHING)
        return;
    if (socket->kind == LISTENER || socket->state == CONNECTING) {
        close_now(socket, reason, error);
        return;
    }
    say(socket, "is being closed: %s", closed_reason_word(reason));
    socket->state = FLUSHING;
    socket->reason = (uint8_t)reason;
    socket->error = error;
    socket->receive_ms = 0; /* no grace has begun */
    socket->want = 0;       /* nothing was thrown away */
    silence(socket);
    owe(socket, OWE_CLOSING);
}

/* On pool_stop() nobody waits for a peer that has all of our bytes. */
static bool may_leave(const struct pool_socket *socket)
{
    int unread = 0, in_flight = 0;

    return socket->pool->stopping &&
           ioctl(socket->fd, FIONREAD, &unread) == 0 && unread == 0 &&
           ioctl(socket->fd, TIOCOUTQ, &in_flight) == 0 && in_flight == 0;
}

static void drain_begin(struct pool_socket *socket)
{
    bool leave = may_leave(socket);

    if (!socket->fin_sent &&
        socket->transport->shutdown(socket->fd, socket->transport_state) < 0)
        leave = true; /* there is no connection any more */
    socket->fin_sent = true;
    if (leave) {
        close_now(socket, CLOSED_BY_HOST, 0);
        return;
    }
    say(socket, "has sent its FIN and waits for the peer's");
    socket->state = DRAINING;
    grace_begins(socket);
    socket_must_watch(socket, WATCH_READ);
}

void closing_step(struct pool_socket *socket)
{
    if (socket->state != FLUSHING)
        return;
    if (unsent(socket)) {
        size_t before = unsent(socket);

        if (socket->kind == DATAGRAM)
            datagram_flush(socket);
        else
            output_flush(socket);
        if (socket->state == CLOSED)
            return;
        if (unsent(socket)) {
            if (!socket->receive_ms || unsent(socket) < before)
                grace_begins(socket); /* from the last byte that left */
            /* The peer may have to send before it reads. */
            socket_must_watch(socket, socket->ended || socket->kind != STREAM
                                          ? WATCH_WRITE
                                          : WATCH_WRITE | WATCH_READ);
            return;
        }
    }
    if (socket->kind == STREAM && !socket->ended)
        drain_begin(socket);
    else
        close_now(socket, CLOSED_BY_HOST, 0);
}

/* FLUSHING or DRAINING: what comes is thrown away. */
void closing_readable(struct pool_socket *socket)
{
    struct pool *pool = socket->pool;
    ssize_t got = recv(socket->fd, pool->buffer, pool->turn_bytes, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0 && (socket->want += (uint32_t)got) <= DRAIN_BYTES)
        return;
    if (got == 0 && socket->state == FLUSHING) {
        socket->ended = true;
        socket_must_watch(socket, WATCH_WRITE);
        return;
    }
    close_now(socket, CLOSED_BY_HOST, 0);
}

/* --- the end -------------------------------------------------------------------- */

static void close_descriptor(struct pool_socket *socket)
{
    if (socket->fd < 0)
        return;
    socket_watch(socket, 0);
    if (socket->kind == STREAM) {
        if (unsent(socket)) /* a FIN would say that this was all */
            net_set_linger(socket->fd, 0);
        close(socket->fd);
    } else {
        net_listen_close(socket->fd);
    }
    socket->fd = -1;
}

void close_now(struct pool_socket *socket, enum closed_reason reason, int error)
{
    struct pool *pool = socket->pool;

    if (socket->state == CLOSED)
        return;
    if (socket->state < FLUSHING) {
        socket->reason = (uint8_t)reason;
        socket->error = error;
    }
    silence(socket);
    close_descriptor(socket);
    if (pool->turn == socket)
        pool->joined.iov_len = 0;
    switch (socket->kind) {
    case STREAM:
        if (socket->state == CONNECTING)
            connector_free(socket);
        output_drop(socket);
        if (socket->transport)
            socket->transport->free(socket->transport_state);
        break;
    case LISTENER:
        listener_free(socket);
        break;
    default:
        datagram_free(socket);
    }
    wheel_unlink(socket);
    socket->state = CLOSED;
    owe(socket, 0);
    if (pool->starved)
        listener_descriptor_free(pool);
}

void close_all(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->table.used; i++) {
        struct pool_socket *socket = socket_at(pool, i);

        if (socket->state == DRAINING && may_leave(socket))
            close_now(socket, CLOSED_BY_HOST, 0);
        else if (socket->state != UNUSED)
            closing_begin(socket, CLOSED_BY_HOST, 0);
    }
}

/* --- for the user ------------------------------------------------------------------ */

void pool_close(struct pool_socket *socket)
{
    closing_begin(socket, CLOSED_BY_HOST, 0);
}

void pool_abort(struct pool_socket *socket)
{
    if (socket->state >= CLOSED)
        return;
    if (socket->kind == STREAM && socket->fd >= 0)
        net_set_linger(socket->fd, 0);
    close_now(socket, CLOSED_BY_HOST, 0);
}

const char *closed_reason_word(enum closed_reason reason)
{
    static const char *const words[] = {
        [CLOSED_BY_HOST] = "host",
        [CLOSED_BY_PEER] = "peer",
        [CLOSED_BY_TIMEOUT] = "timeout",
        [CLOSED_BY_ERROR] = "error",
    };

    return (unsigned)reason < sizeof words / sizeof *words ? words[reason]
                                                           : "unknown";
}
