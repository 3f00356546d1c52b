/* Datagram sockets: received in batches, and what one turn sends leaves in one
 * batch. A datagram that cannot be sent is told and left out; the others go on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/pool/inside.h"

enum { LONGEST = 65535, BATCH = 16, BATCHES_A_TURN = 8, KEPT = 64 * 1024 };
enum { REFUSALS = 64 }; /* ICMP answers read before one datagram leaves */

/* A datagram in the queue: this, then its bytes, padded to 8. */
struct held {
    size_t length;
    struct net_address to; /* length 0: the peer */
};

struct datagrams {
    bool has_peer;
    char *queue; /* of struct held */
    size_t begin, end, room;
    size_t unsent; /* bytes of data in it */
};

static size_t padded(size_t length)
{
    return (sizeof(struct held) + length + 7) & ~(size_t)7;
}

/* What waits takes of the limit: its bytes, and what holds them. */
static size_t queued(const struct datagrams *datagrams)
{
    return datagrams->end - datagrams->begin;
}

size_t datagram_unsent(const struct pool_socket *socket)
{
    return socket->kind == DATAGRAM && socket->datagrams
               ? socket->datagrams->unsent
               : 0;
}

/* --- receiving ------------------------------------------------------------------ */

static struct net_message *messages_of(struct pool *pool)
{
    char *room;

    if (pool->messages)
        return pool->messages;
    pool->messages = malloc(BATCH * (sizeof *pool->messages + LONGEST + 1));
    if (!pool->messages)
        return NULL;
    room = (char *)(pool->messages + BATCH);
    for (unsigned i = 0; i < BATCH; i++, room += LONGEST + 1)
        pool->messages[i] = (struct net_message){.data = room, .room = LONGEST};
    return pool->messages;
}

static void tell_unsent(struct pool_socket *socket, int error,
                        const struct net_address *to)
{
    say(socket, "a datagram was not %s: %s; its unsent callback",
        to ? "sent" : "taken", net_error_text(error));
    if (!socket->handler->unsent || socket->state != OPEN)
        return;
    call_begins(socket->pool, socket, "unsent", socket->handler->unsent);
    socket->handler->unsent(socket, error, to);
    call_ended(socket->pool);
}

static void tell_all(struct pool_socket *socket, struct net_message *messages,
                     int count)
{
    for (int i = 0;
         i < count && socket->state == OPEN && !stop_asked(socket->pool); i++) {
        say(socket, "received a datagram of %zu bytes; its datagram callback",
            messages[i].length);
        if (!socket->handler->datagram)
            continue;
        call_begins(socket->pool, socket, "datagram",
                    socket->handler->datagram);
        socket->handler->datagram(socket, messages[i].data, messages[i].length,
                                  &messages[i].address);
        call_ended(socket->pool);
    }
}

static void receive(struct pool_socket *socket)
{
    struct net_message *messages = messages_of(socket->pool);

    for (unsigned i = 0; i < BATCHES_A_TURN && socket->state == OPEN; i++) {
        int count = messages ? net_recv_batch(socket->fd, messages, BATCH) : -1;

        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (count < 0 && (errno == EBADF || errno == ENOTSOCK)) {
            close_now(socket, CLOSED_BY_ERROR, errno);
            return;
        }
        if (count < 0) {
            tell_unsent(socket, errno, NULL);
            continue;
        }
        socket->active_at = socket->pool->now;
        tell_all(socket, messages, count);
        if (count < BATCH)
            return;
    }
}

/* --- sending --------------------------------------------------------------------- */

static struct held *first(const struct datagrams *datagrams)
{
    return (struct held *)(datagrams->queue + datagrams->begin);
}

static void take_first(struct datagrams *datagrams)
{
    datagrams->unsent -= first(datagrams)->length;
    datagrams->begin += padded(first(datagrams)->length);
    if (datagrams->begin < datagrams->end)
        return;
    datagrams->begin = datagrams->end = 0;
    if (datagrams->room > KEPT) {
        free(datagrams->queue);
        datagrams->queue = NULL;
        datagrams->room = 0;
    }
}

static unsigned gather(const struct datagrams *datagrams,
                       struct net_message *messages)
{
    size_t at = datagrams->begin;
    unsigned count = 0;

    while (at < datagrams->end && count < NET_BATCH) {
        struct held *held = (struct held *)(datagrams->queue + at);

        messages[count++] = (struct net_message){
            .data = held + 1, .length = held->length, .address = held->to};
        at += padded(held->length);
    }
    return count;
}

/* One batch. false: the kernel takes no more now. */
static bool send_some(struct pool_socket *socket, unsigned *refused)
{
    struct datagrams *datagrams = socket->datagrams;
    struct net_message messages[NET_BATCH];
    unsigned count = gather(datagrams, messages);
    int sent = net_send_batch(socket->fd, messages, count);
    struct net_address to;

    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (sent >= 0) {
        socket->active_at = socket->pool->now;
        for (int i = 0; i < sent; i++)
            take_first(datagrams);
    } else if (errno == ECONNREFUSED && ++*refused < REFUSALS) {
        tell_unsent(socket, errno, NULL); /* about an earlier one */
    } else {
        int error = errno;

        to = first(datagrams)->to;
        take_first(datagrams);
        tell_unsent(socket, error, &to);
    }
    return true;
}

void datagram_flush(struct pool_socket *socket)
{
    struct datagrams *datagrams = socket->datagrams;
    unsigned refused = 0;
    bool room = true;

    while (room && socket->state != CLOSED && datagrams->end > 0)
        room = send_some(socket, &refused);
    if (socket->state == CLOSED)
        return;
    socket_must_watch(socket, socket->state == OPEN
                                  ? WATCH_READ | (room ? 0 : WATCH_WRITE)
                              : room ? WATCH_ERROR
                                     : WATCH_WRITE);
    if (socket->state == CLOSED)
        return;
    if (socket->full && queued(datagrams) <= socket->output_limit / 2) {
        socket->full = false;
        owe(socket, OWE_DRAINED);
    }
}

void datagram_event(struct pool_socket *socket, unsigned ready)
{
    if (socket->state == FLUSHING) {
        owe(socket, OWE_CLOSING);
        return;
    }
    if (ready & WATCH_WRITE)
        datagram_flush(socket);
    if (socket->state == OPEN && ready & (WATCH_READ | READY_ERROR))
        receive(socket);
}

static int make_room(struct datagrams *datagrams, size_t size)
{
    size_t have = queued(datagrams), room = 2 * (have + size);
    char *wider;

    if (datagrams->end + size <= datagrams->room)
        return 0;
    if (datagrams->begin > 0)
        memmove(datagrams->queue, datagrams->queue + datagrams->begin, have);
    datagrams->begin = 0;
    datagrams->end = have;
    if (have + size <= datagrams->room)
        return 0;
    wider = realloc(datagrams->queue, room);
    if (!wider)
        return -1;
    datagrams->queue = wider;
    datagrams->room = room;
    return 0;
}

/* --- for the user ------------------------------------------------------------------- */

static int may_send_to(struct pool_socket *socket, const void *data,
                       size_t length, const struct net_address *to)
{
    if (socket->kind != DATAGRAM || (!data && length))
        errno = EINVAL;
    else if (socket->state > OPEN)
        errno = ENOTCONN;
    else if (!to && !socket->datagrams->has_peer)
        errno = EDESTADDRREQ;
    else if (length > LONGEST || length > socket->output_limit)
        errno = EMSGSIZE;
    else if (queued(socket->datagrams) + length > socket->output_limit) {
        socket->full = true;
        errno = EAGAIN;
    } else {
        return 0;
    }
    return -1;
}

int pool_send_to(struct pool_socket *socket, const void *data, size_t length,
                 const struct net_address *to)
{
    static const struct net_address peer;
    struct datagrams *datagrams = socket->datagrams;
    struct held *held;

    if (may_send_to(socket, data, length, to) < 0 ||
        make_room(datagrams, padded(length)) < 0)
        return -1;
    held = (struct held *)(datagrams->queue + datagrams->end);
    held->length = length;
    held->to = to ? *to : peer;
    if (length)
        memcpy(held + 1, data, length);
    datagrams->end += padded(length);
    datagrams->unsent += length;
    if (!(socket->watched & WATCH_WRITE))
        owe(socket, OWE_FLUSH);
    return 0;
}

void datagram_free(struct pool_socket *socket)
{
    free(socket->datagrams->queue);
    free(socket->datagrams);
    socket->datagrams = NULL;
}

static int open_datagram(const struct net_address *address,
                         const struct pool_datagram_options *options)
{
    int family = options->peer ? options->peer->any.sa_family : AF_INET;
    int fd = net_datagram(address, family,
                          options->broadcast ? NET_BROADCAST : 0);
    int error;

    if (fd < 0)
        return -1;
    if (net_set_buffers(fd, options->receive_buffer, 0) == 0 &&
        (!options->peer ||
         connect(fd, &options->peer->any, options->peer->length) == 0))
        return fd;
    error = errno;
    net_listen_close(fd);
    errno = error;
    return -1;
}

struct pool_socket *pool_datagram(struct pool *pool,
                                  const struct net_address *address,
                                  const struct pool_datagram_options *options,
                                  const struct pool_handler *handler,
                                  void *user)
{
    static const struct pool_datagram_options nothing;
    struct pool_socket *socket;
    struct datagrams *datagrams;
    int fd = -1, error;

    if (!options)
        options = &nothing;
    if (!handler || options->receive_buffer < 0) {
        errno = EINVAL;
        return NULL;
    }
    datagrams = calloc(1, sizeof *datagrams);
    if (!datagrams || socket_reserve(pool) < 0 || !messages_of(pool))
        goto out;
    fd = open_datagram(address, options);
    if (fd < 0)
        goto out;
    socket = socket_new(pool, DATAGRAM, fd, handler, user);
    socket->datagrams = datagrams;
    datagrams->has_peer = options->peer != NULL;
    if (socket_watch(socket, WATCH_READ) == 0)
        return socket;
    error = errno;
    socket_release(socket);
    net_listen_close(fd);
    errno = error;
out:
    free(datagrams);
    return NULL;
}
