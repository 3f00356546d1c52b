/* Streams on their way: a name is looked up by a worker, then each address is
 * tried in turn, with its share of the time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/pool/inside.h"

/* A path's full backlog is tried again: nobody tells when it has room. */
enum { CONNECT_MS = 5000, RETRY_MS = 10 };

struct connecting {
    int64_t deadline;          /* of all */
    int64_t share;             /* of the address that is tried */
    int64_t again;             /* when to try it again; 0: it is being tried */
    struct net_lookup *lookup; /* NULL: none (any more) */
    struct net_address *addresses;
    unsigned count, next;
    int error; /* what to tell if none answers */
};

static void try_next(struct pool_socket *stream);

/* --- ends ---------------------------------------------------------------------- */

static void give_up(struct pool_socket *stream, int error)
{
    stream->unreached = true;
    close_now(stream, error == ETIMEDOUT ? CLOSED_BY_TIMEOUT : CLOSED_BY_ERROR,
              error == ETIMEDOUT ? 0 : error);
}

static void let_go(struct pool_socket *stream)
{
    socket_watch(stream, 0);
    close(stream->fd);
    stream->fd = -1;
}

void connector_free(struct pool_socket *stream)
{
    struct connecting *connecting = stream->connecting;

    net_lookup_cancel(connecting->lookup);
    free(connecting->addresses);
    free(connecting);
    stream->connecting = NULL;
}

static void established(struct pool_socket *stream)
{
    connector_free(stream); /* and so parent is 0: nobody accepted it */
    stream->state = OPEN;
    stream->active_at = stream->pool->now;
    stream->pool->others = true; /* a name's answer comes without an event */
    net_set_nodelay(stream->fd, true); /* what belongs together is joined */
    if (socket_watch(stream, WATCH_READ) == 0)
        owe(stream, OWE_CONNECTED | OWE_FLUSH);
    else
        give_up(stream, errno);
}

void connector_connected(struct pool_socket *stream)
{
    struct pool *pool = stream->pool;

    say(stream, "connected; its connected callback");
    if (!stream->handler->connected)
        return;
    call_begins(pool, stream, "connected", stream->handler->connected);
    stream->handler->connected(stream);
    call_ended(pool);
}

void connector_failed(struct pool_socket *stream)
{
    struct pool *pool = stream->pool;
    int error = stream->error ? stream->error : ETIMEDOUT;

    say(stream, "could not connect: %s; its failed callback",
        net_error_text(error));
    if (!stream->handler->failed)
        return;
    call_begins(pool, stream, "failed", stream->handler->failed);
    stream->handler->failed(stream, error);
    call_ended(pool);
}

/* --- trying ----------------------------------------------------------------------- */

/* false: this address is no way; the reason is noted. */
static bool try_one(struct pool_socket *stream,
                    const struct net_address *address)
{
    struct connecting *connecting = stream->connecting;
    bool connected = false;

    stream->fd = net_connect_start(address, &connected);
    if (stream->fd >= 0 && connected) {
        established(stream);
        return true;
    }
    if (stream->fd >= 0 && socket_watch(stream, WATCH_WRITE) == 0) {
        say(stream, "is connecting");
        return true;
    }
    if (stream->fd < 0 && errno == EAGAIN &&
        address->any.sa_family == AF_UNIX) {
        connecting->next--;
        connecting->again = clock_now() + (int64_t)RETRY_MS * CLOCK_MS;
        return true;
    }
    connecting->error = net_connect_error(connecting->error, errno);
    if (stream->fd >= 0)
        let_go(stream);
    return false;
}

static void try_next(struct pool_socket *stream)
{
    struct connecting *connecting = stream->connecting;

    while (connecting->next < connecting->count) {
        unsigned left = connecting->count - connecting->next;

        connecting->share = net_connect_share(connecting->deadline, left);
        if (try_one(stream, &connecting->addresses[connecting->next++])) {
            if (stream->state == CONNECTING)
                wheel_note(stream, connector_deadline(stream), 0);
            return;
        }
    }
    give_up(stream, connecting->error);
}

void connector_event(struct pool_socket *stream)
{
    struct connecting *connecting = stream->connecting;

    if (net_connect_finish(stream->fd) == 0) {
        established(stream);
        return;
    }
    if (errno == EINPROGRESS)
        return;
    connecting->error = net_connect_error(connecting->error, errno);
    let_go(stream);
    try_next(stream);
}

int64_t connector_deadline(const struct pool_socket *stream)
{
    const struct connecting *connecting = stream->connecting;

    int64_t deadline = connecting->share < connecting->deadline
                           ? connecting->share
                           : connecting->deadline;

    return connecting->again && connecting->again < deadline ? connecting->again
                                                             : deadline;
}

void connector_expired(struct pool_socket *stream)
{
    struct connecting *connecting = stream->connecting;

    if (connecting->deadline <= stream->pool->now ||
        connecting->next == connecting->count) {
        give_up(stream, ETIMEDOUT);
        return;
    }
    connecting->again = 0;
    if (stream->fd >= 0) {
        connecting->error = net_connect_error(connecting->error, ETIMEDOUT);
        let_go(stream);
    }
    try_next(stream);
}

/* --- for the user -------------------------------------------------------------------- */

static struct pool_socket *begin(struct pool *pool, unsigned timeout_ms,
                                 const struct pool_handler *handler, void *user)
{
    struct connecting *connecting = calloc(1, sizeof *connecting);
    struct pool_socket *stream;

    if (!connecting)
        return NULL;
    stream = stream_new(pool, -1, handler, user);
    if (!stream) {
        free(connecting);
        return NULL;
    }
    connecting->deadline = clock_now() +
                           (int64_t)(timeout_ms ? timeout_ms : CONNECT_MS) *
                               CLOCK_MS;
    connecting->share = CLOCK_NEVER;
    stream->connecting = connecting;
    stream->state = CONNECTING;
    wheel_note(stream, connecting->deadline, 0);
    return stream;
}

/* Nothing has begun: it is as if it had not been asked for. */
static void undo(struct pool_socket *stream)
{
    int error = errno;

    connector_free(stream);
    wheel_unlink(stream);
    socket_release(stream);
    errno = error;
}

static int set_addresses(struct connecting *connecting,
                         const struct net_address *addresses, unsigned count)
{
    connecting->addresses = malloc(count * sizeof *addresses);
    if (!connecting->addresses)
        return -1;
    memcpy(connecting->addresses, addresses, count * sizeof *addresses);
    connecting->count = count;
    return 0;
}

static void on_addresses(void *arg, int error,
                         const struct net_address *addresses, unsigned count)
{
    struct pool_socket *stream = arg;

    stream->connecting->lookup = NULL;
    if (!error && set_addresses(stream->connecting, addresses, count) < 0)
        error = ENOMEM;
    if (error)
        give_up(stream, error);
    else
        try_next(stream);
}

static struct pool_socket *connect_to(struct pool *pool,
                                      const struct net_address *addresses,
                                      unsigned count, unsigned timeout_ms,
                                      const struct pool_handler *handler,
                                      void *user)
{
    struct pool_socket *stream = begin(pool, timeout_ms, handler, user);

    if (!stream)
        return NULL;
    if (set_addresses(stream->connecting, addresses, count) < 0) {
        undo(stream);
        return NULL;
    }
    try_next(stream);
    return stream;
}

static struct pool_socket *look_up(struct pool *pool, const char *host,
                                   const char *service, unsigned timeout_ms,
                                   const struct pool_handler *handler,
                                   void *user)
{
    struct workers *workers = work_workers(pool);
    struct pool_socket *stream = workers
                                     ? begin(pool, timeout_ms, handler, user)
                                     : NULL;

    if (!stream)
        return NULL;
    stream->connecting->lookup = net_lookup_start(
        workers, host, service, SOCK_STREAM, on_addresses, stream);
    if (stream->connecting->lookup)
        return stream;
    undo(stream);
    return NULL;
}

struct pool_socket *pool_connect(struct pool *pool, const char *host,
                                 const char *service, unsigned timeout_ms,
                                 const struct pool_handler *handler, void *user)
{
    struct net_address addresses[NET_ADDRESSES];
    int count;

    if (!handler) {
        errno = EINVAL;
        return NULL;
    }
    /* Its deadline has passed: a number or a path, or nothing. */
    count = net_resolve(host, service, SOCK_STREAM, addresses, NET_ADDRESSES,
                        0);
    return count > 0 ? connect_to(pool, addresses, (unsigned)count, timeout_ms,
                                  handler, user)
                     : look_up(pool, host, service, timeout_ms, handler, user);
}

struct pool_socket *pool_connect_to(struct pool *pool,
                                    const struct net_address *address,
                                    unsigned timeout_ms,
                                    const struct pool_handler *handler,
                                    void *user)
{
    if (!address || !address->length || !handler) {
        errno = EINVAL;
        return NULL;
    }
    return connect_to(pool, address, 1, timeout_ms, handler, user);
}
