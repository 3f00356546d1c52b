/* A connected stream: what its events lead to, and what every socket tells. */
#include <errno.h>
#include <sys/socket.h>

#include "common/pool/inside.h"

/* --- events ------------------------------------------------------------------ */

/* An error that nobody's receive or send would meet. */
static void meet_error(struct pool_socket *stream)
{
    int error = net_error(stream->fd);

    if (error > 0)
        close_now(stream, CLOSED_BY_ERROR, error);
    else /* both have finished: the kernel would say so for ever */
        socket_must_watch(stream, 0);
}

static void closing_event(struct pool_socket *stream, unsigned ready)
{
    if (ready & WATCH_READ || stream->state == DRAINING)
        closing_readable(stream);
    if (stream->state == FLUSHING && ready & (WATCH_WRITE | READY_ERROR))
        owe(stream, OWE_CLOSING);
}

/* A transport that wants the other direction first: TLS in a handshake. */
static unsigned late_event(struct pool_socket *stream, unsigned ready)
{
    if (ready & WATCH_WRITE && stream->reads_late) {
        stream->reads_late = false;
        ready |= WATCH_READ;
    }
    if (ready & WATCH_READ && stream->sends_late) {
        stream->sends_late = false;
        ready |= WATCH_WRITE;
    }
    return ready;
}

static void open_event(struct pool_socket *stream, unsigned ready)
{
    if (stream->coded)
        ready = late_event(stream, ready);
    if (ready & WATCH_WRITE)
        output_flush(stream);
    if (stream->state != OPEN || !(ready & (WATCH_READ | READY_ERROR)))
        return;
    if (stream->receive && !stream->held)
        receive_some(stream);
    else if (stream->sends_late)
        return;                  /* it is the sending that waits for this */
    else if (ready & WATCH_READ) /* nobody asks: let the peer wait */
        socket_must_watch(stream, (stream->watched & ~(unsigned)WATCH_READ) |
                                      WATCH_ERROR);
    else
        meet_error(stream);
}

void stream_event(struct pool_socket *stream, unsigned ready)
{
    if (stream->state == OPEN)
        open_event(stream, ready);
    else if (stream->state == CONNECTING)
        connector_event(stream);
    else
        closing_event(stream, ready);
}

/* --- making one ---------------------------------------------------------------- */

struct pool_socket *stream_new(struct pool *pool, int fd,
                               const struct pool_handler *handler, void *user)
{
    struct pool_socket *stream = socket_new(pool, STREAM, fd, handler, user);

    if (stream)
        stream->transport = &transport_plain;
    return stream;
}

int stream_set_transport(struct pool_socket *stream,
                         const struct transport *transport, void *state)
{
    if (stream->in || stream->out || pool_unsent(stream)) {
        errno = EBUSY;
        return -1;
    }
    if (stream->pool->joins == stream)
        stream->pool->joins = NULL;
    stream->transport = transport;
    stream->transport_state = state;
    stream->coded = transport != &transport_plain;
    return 0;
}

struct pool_socket *pool_adopt(struct pool *pool, int fd,
                               const struct pool_handler *handler, void *user)
{
    struct pool_socket *stream;
    struct net_address peer;
    int type = 0;
    socklen_t size = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        return NULL;
    if (type != SOCK_STREAM) {
        errno = EINVAL;
        return NULL;
    }
    if (net_peer(fd, &peer) < 0 || socket_reserve(pool) < 0 ||
        net_set_nonblock(fd, true) < 0)
        return NULL;
    net_set_cloexec(fd, true);
    stream = stream_new(pool, fd, handler, user);
    say(stream, "adopted as descriptor %d", fd);
    owe(stream, 0); /* it asks for nothing yet */
    return stream;
}

/* --- what every socket has -------------------------------------------------------- */

struct pool *pool_of(const struct pool_socket *socket)
{
    return socket->pool;
}

int pool_fd(const struct pool_socket *socket)
{
    return socket->fd;
}

void *pool_user(const struct pool_socket *socket)
{
    return socket->user;
}

void pool_set_user(struct pool_socket *socket, void *user)
{
    socket->user = user;
}

void pool_set_handler(struct pool_socket *socket,
                      const struct pool_handler *handler)
{
    static const struct pool_handler nothing;

    socket->handler = handler ? handler : &nothing;
}

int pool_local(const struct pool_socket *socket, struct net_address *address)
{
    return net_local(socket->fd, address);
}

int pool_peer(const struct pool_socket *socket, struct net_address *address)
{
    return net_peer(socket->fd, address);
}

bool pool_is_tls(const struct pool_socket *socket)
{
    return socket->transport && socket->transport != &transport_plain;
}

void pool_idle(struct pool_socket *socket, unsigned ms)
{
    socket->active_at = socket->pool->now;
    socket->pool->others = true;
    if (ms == socket->idle_ms)
        return; /* it is linked where it was due before: early enough */
    if (socket->kind == LISTENER || socket->state == CLOSED)
        return;
    socket->idle_ms = ms;
    if (ms)
        wheel_note(socket, socket->active_at, ms);
}
