/* The short way, which nearly every message takes: a stream of which all is
 * usual is readable; its bytes go into the loop's buffer, its callback gets
 * them, and what that sent leaves in one call. Whatever else turns up goes the
 * long way of loop.c, receive.c and output.c, from where it turned up. */
#include <sys/socket.h>

#include "common/pool/inside.h"

/* It awaits what comes, nothing is left of before, nothing is unsent, and its
 * transport is the plain one: the kernel can be called at once. */
static inline bool is_calm(const struct pool_socket *socket)
{
    static const uint8_t calm[4] = {STREAM, OPEN, RECEIVE_SOME, 0};
    const char *bytes = (const char *)socket;

    return memcmp(bytes + offsetof(struct pool_socket, kind), calm,
                  sizeof calm) == 0 &&
           !socket->in && !socket->out && socket->receive;
}

static inline void turn(struct pool *pool, struct pool_socket *stream)
{
    pool_data_fn receive = stream->receive;
    ssize_t got, taken;

    got = recv(stream->fd, pool->buffer, pool->turn_bytes, 0);
    /* The end, an error, or more than may be answered at once. */
    if (unlikely((size_t)got - 1 >= stream->output_limit)) {
        receive_got(stream, got);
        return;
    }
    stream->active_at = pool->now;
    pool->turn = pool->joins = pool->serving = stream;
    stream->receive = NULL; /* the callback may arm the next one */
    receive(stream, pool->buffer, (size_t)got, stream->receive_arg);
    if (!pool->joined.iov_len)
        return;
    taken = send(stream->fd, pool->joined.iov_base, pool->joined.iov_len,
                 MSG_NOSIGNAL);
    if (unlikely(pool->joins != stream ||
                 taken != (ssize_t)pool->joined.iov_len))
        output_rest(stream, taken);
    pool->joined.iov_len = 0;
}

/* Each turn says whose it is; after the last it is nobody's. */
void calm_turns(struct pool *pool, int count)
{
    const struct mechanism_event *event = pool->events, *end = event + count;

    for (; event < end; event++) {
        if (stop_asked(pool))
            hear_stop(pool);
        if (event->ready == WATCH_READ && is_calm(event->socket) &&
            !unlikely(pool->debug))
            turn(pool, event->socket);
        else
            dispatch(pool, event->socket, event->ready);
    }
    pool->turn = pool->joins = pool->serving = NULL;
}
