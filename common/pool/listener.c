/* Listeners: all who wait are accepted, up to a bound a turn. Out of
 * descriptors or memory they stay in the backlog, and the listener is not
 * watched until something was closed or a moment has passed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/pool/inside.h"

enum { ACCEPTS_A_TURN = 64, RETRY_MS = 100 };

struct listener {
    unsigned max_clients; /* 0: any number */
    unsigned clients;     /* accepted here, and not closed yet */
};

static bool is_full(const struct listener *listener)
{
    return listener->max_clients && listener->clients >= listener->max_clients;
}

/* --- accepting ---------------------------------------------------------------- */

static void starve(struct pool_socket *listener)
{
    struct pool *pool = listener->pool;

    say(listener, "cannot accept: %s; it tries again when a socket closes",
        strerror(errno));
    listener->starved = true;
    pool->starved++;
    socket_must_watch(listener, 0);
    listener->receive_at = pool->now;
    listener->receive_ms = RETRY_MS;
    wheel_note(listener, pool->now, RETRY_MS);
}

void listener_resume(struct pool_socket *socket)
{
    if (socket->starved)
        socket->pool->starved--;
    socket->starved = false;
    socket->receive_ms = 0;
    if (!is_full(socket->listener))
        socket_must_watch(socket, WATCH_READ);
}

void listener_descriptor_free(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->table.used && pool->starved; i++)
        if (socket_at(pool, i)->starved)
            listener_resume(socket_at(pool, i));
}

void listener_child_gone(struct pool *pool, uint64_t parent)
{
    struct pool_socket *socket = pool_find(pool, parent);

    if (!socket || socket->state != OPEN)
        return;
    socket->listener->clients--;
    if (!socket->starved)
        listener_resume(socket);
}

static void admit(struct pool_socket *listener, int fd)
{
    struct pool *pool = listener->pool;
    struct pool_socket *stream = stream_new(pool, fd, listener->handler,
                                            listener->user);

    stream->parent = pool_id(listener);
    listener->listener->clients++;
    say(stream, "accepted by socket %u; its accepted callback", listener->slot);
    turn_begin(pool, stream);
    call_begins(pool, stream, "accepted", listener->handler->accepted);
    if (listener->handler->accepted)
        listener->handler->accepted(listener, stream);
    else
        pool_close(stream);
    call_ended(pool);
    turn_end(pool, stream);
    if (stream->state == OPEN && !stream->watched)
        owe(stream, 0); /* it asks for nothing yet */
}

/* Whether the next accept(2) would say the same. Other errors are those of one
 * client, or of the network on its way. */
static bool is_lasting(int error)
{
    return error == EBADF || error == EINVAL || error == ENOTSOCK;
}

void listener_event(struct pool_socket *listener)
{
    struct pool *pool = listener->pool;

    for (unsigned i = 0;
         i < ACCEPTS_A_TURN && listener->state == OPEN && !stop_asked(pool);
         i++) {
        int fd = -1;

        if (is_full(listener->listener)) {
            socket_must_watch(listener, 0);
            return;
        }
        if (socket_reserve(pool) == 0)
            fd = net_accept_now(listener->fd, NULL);
        if (fd >= 0) {
            admit(listener, fd);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
                   errno == ENOBUFS) {
            starve(listener);
            return;
        } else if (is_lasting(errno)) {
            close_now(listener, CLOSED_BY_ERROR, errno);
        }
    }
}

/* --- making one ------------------------------------------------------------------ */

void listener_free(struct pool_socket *socket)
{
    if (socket->starved)
        socket->pool->starved--;
    socket->starved = false;
    free(socket->listener);
    socket->listener = NULL;
}

/* Whether another program listens there, who with SO_REUSEPORT would share the
 * port with us and take half of our clients. */
static bool is_taken(const struct net_address *address)
{
    int fd = net_socket(address->any.sa_family, SOCK_STREAM);
    bool taken = fd >= 0 && net_set_reuse(fd, true) == 0 &&
                 bind(fd, &address->any, address->length) < 0;
    int error = errno;

    if (fd >= 0)
        close(fd);
    errno = error;
    return taken;
}

static int open_listener(struct pool *pool, struct net_address address,
                         const struct pool_listen_options *options)
{
    unsigned flags = options->no_reuse ? NET_NO_REUSE : 0;
    int first, fd;

    if (!pool->loops)
        return net_listen(&address, options->backlog, flags);
    if (loops_share_port(pool, &address)) {
        flags |= NET_REUSE_PORT;
        if (loops_is_first(pool) && is_taken(&address))
            return -1;
    }
    first = loops_share(pool, &address);
    fd = first >= 0 ? fcntl(first, F_DUPFD_CLOEXEC, 0)
                    : net_listen(&address, options->backlog, flags);
    if (fd >= 0)
        loops_shared(pool, fd);
    return fd;
}

struct pool_socket *pool_listen(struct pool *pool,
                                const struct net_address *address,
                                const struct pool_listen_options *options,
                                const struct pool_handler *handler, void *user)
{
    static const struct pool_listen_options nothing;
    struct pool_socket *socket = NULL;
    struct listener *listener = NULL;
    int fd = -1, error;

    if (!options)
        options = &nothing;
    if (!address || !handler || options->backlog < 0) {
        errno = EINVAL;
        return NULL;
    }
    listener = calloc(1, sizeof *listener);
    if (!listener || socket_reserve(pool) < 0)
        goto out;
    fd = open_listener(pool, *address, options);
    if (fd < 0)
        goto out;
    net_set_nodelay(fd, true); /* handed on to whom it accepts; tcp(7) */
    socket = socket_new(pool, LISTENER, fd, handler, user);
    listener->max_clients = options->max_clients;
    socket->listener = listener;
    if (socket_watch(socket, WATCH_READ) == 0) {
        say(socket, "listens");
        return socket;
    }
    error = errno;
    socket_release(socket);
    net_listen_close(fd);
    errno = error;
out:
    free(listener);
    return NULL;
}
