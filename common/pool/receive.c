/* Receiving. The kernel's bytes go into the loop's one buffer, a callback gets
 * a slice of it, and only what nobody asked for is copied to the socket's own
 * input, which is given back when it is empty.
 *
 *     loop's buffer  [ what was left of a line | what recv gave          ]
 *                      at ─────────► callbacks eat ─────────► end
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/pool/inside.h"

enum { GIB = 1 << 30, INPUT_STEP = 256 };

/* --- pieces ------------------------------------------------------------------ */

struct piece {
    size_t length; /* of what the callback gets */
    size_t taken;  /* with the line's end */
};

enum found { NOT_YET, FOUND, TOO_LONG };

static enum found find_line(struct pool_socket *stream, const char *at,
                            size_t have, struct piece *piece)
{
    const char *lf = memchr(at + stream->scanned, '\n', have - stream->scanned);
    size_t length = lf ? (size_t)(lf - at) : have;

    if (length > 0 && at[length - 1] == '\r')
        length--; /* without LF: perhaps the first half of CR LF */
    if (length > stream->want)
        return TOO_LONG;
    if (!lf) {
        stream->scanned = (uint32_t)have;
        return NOT_YET;
    }
    piece->length = length;
    piece->taken = (size_t)(lf - at) + 1;
    return FOUND;
}

static enum found find_piece(struct pool_socket *stream, const char *at,
                             size_t have, struct piece *piece)
{
    size_t most;

    switch (stream->mode) {
    case RECEIVE_LINE:
        return find_line(stream, at, have, piece);
    case RECEIVE_EXACT:
        piece->length = piece->taken = stream->want;
        return have >= stream->want ? FOUND : NOT_YET;
    default: /* no more than an answer of the same size has room for */
        most = stream->output_limit - pool_unsent(stream);
        piece->length = piece->taken = have < most ? have : most;
        return have > 0 ? FOUND : NOT_YET;
    }
}

static const char *const mode_words[] = {
    [RECEIVE_SOME] = "receive",
    [RECEIVE_LINE] = "line",
    [RECEIVE_EXACT] = "exact-size",
};

seldom static void deliver_aloud(struct pool_socket *stream,
                                 pool_data_fn receive, char *at, size_t length)
{
    say(stream, "received %zu bytes; its %s callback", length,
        mode_words[stream->mode]);
    call_begins(stream->pool, stream, mode_words[stream->mode], receive);
    receive(stream, at, length, stream->receive_arg);
    call_ended(stream->pool);
}

static inline void deliver(struct pool *pool, struct pool_socket *stream,
                           char *at, size_t length)
{
    pool_data_fn receive = stream->receive;

    stream->receive = NULL; /* the callback may arm the next one */
    stream->scanned = 0;
    if (unlikely(pool->debug))
        deliver_aloud(stream, receive, at, length);
    else
        receive(stream, at, length, stream->receive_arg);
}

/* --- what is left over -------------------------------------------------------- */

void input_drop(struct pool_socket *stream)
{
    if (stream->pool->serving == stream)
        return; /* a callback still looks at it */
    free(stream->in);
    stream->in = NULL;
}

/* `at`..`end` is kept: in place if it lies in the socket's own input. */
static int keep(struct pool_socket *stream, const char *at, const char *end)
{
    struct input *in = stream->in;
    size_t left = (size_t)(end - at);

    if (left == 0) {
        free(in);
        stream->in = NULL;
        return 0;
    }
    if (in && at >= in->data && at <= in->data + in->room) {
        in->begin = (size_t)(at - in->data);
        in->end = in->begin + left;
        return 0;
    }
    if (!in || in->room < left) {
        size_t room = (left + INPUT_STEP) & ~(size_t)(INPUT_STEP - 1);

        free(in);
        in = stream->in = malloc(sizeof *in + room);
        if (!in)
            return -1;
        in->room = room;
    }
    memcpy(in->data, at, left);
    in->begin = 0;
    in->end = left;
    return 0;
}

/* Room behind the bytes of the own input for a good read. */
static int input_widen(struct pool_socket *stream)
{
    struct input *in = stream->in;
    size_t have = in->end - in->begin, most = stream->pool->turn_bytes;
    size_t room = have + (have > most ? have : most) + 1;

    if (in->room - in->end > most / 2)
        return 0;
    if (stream->mode == RECEIVE_EXACT && stream->receive &&
        stream->want > have && stream->want < room)
        room = stream->want + 1;
    if (in->begin > 0) {
        memmove(in->data, in->data + in->begin, have);
        in->begin = 0;
        in->end = have;
    }
    if (in->room < room) {
        in = realloc(in, sizeof *in + room);
        if (!in)
            return -1;
        in->room = room;
        stream->in = in;
    }
    return 0;
}

/* --- serving -------------------------------------------------------------------- */

/* Callbacks as long as one is armed and `at`..`end` has what it wants. */
static void serve(struct pool_socket *stream, char *at, char *end)
{
    struct pool *pool = stream->pool;
    enum found found = NOT_YET;
    struct piece piece;

    pool->serving = stream;
    while (stream->receive && !stop_asked(pool)) {
        if (stream->out && output_holds(stream))
            break;
        found = find_piece(stream, at, (size_t)(end - at), &piece);
        if (found != FOUND)
            break;
        if (stream->mode == RECEIVE_LINE)
            at[piece.length] = '\0';
        deliver(pool, stream, at, piece.length);
        at += piece.taken;
    }
    pool->serving = NULL;
    if (stream->state != OPEN) {
        input_drop(stream);
        return;
    }
    if (keep(stream, at, end) < 0)
        close_now(stream, CLOSED_BY_ERROR, ENOMEM);
    else if (stream->receive && found == TOO_LONG)
        closing_begin(stream, CLOSED_BY_ERROR, EMSGSIZE);
}

/* Its transport has decoded bytes that no event will announce. */
static bool is_pending(const struct pool_socket *stream)
{
    return stream->coded && stream->state == OPEN && stream->receive &&
           !stream->held &&
           stream->transport->pending(stream->transport_state) > 0;
}

void receive_serve(struct pool_socket *stream)
{
    struct input *in = stream->in;

    if (in && stream->receive && !stream->held)
        serve(stream, in->data + in->begin, in->data + in->end);
    if (is_pending(stream)) {
        receive_some(stream);
        return;
    }
    if (stream->state == OPEN && stream->receive && !stream->held)
        socket_must_watch(stream, stream->watched | WATCH_READ);
}

/* recv said 0. `at`..`end` will never be a whole line or size. */
static void peer_ended(struct pool_socket *stream, char *at, char *end)
{
    struct pool *pool = stream->pool;

    stream->ended = true;
    stream->receive = NULL;
    if (!stream->handler->ended) {
        closing_begin(stream, CLOSED_BY_PEER, 0);
        return;
    }
    socket_must_watch(stream,
                      (stream->watched & ~(unsigned)WATCH_READ) | WATCH_ERROR);
    if (stream->state != OPEN)
        return;
    say(stream, "the peer has finished sending; its ended callback");
    pool->joins = NULL; /* no receive may be armed */
    pool->serving = stream;
    call_begins(pool, stream, "ended", stream->handler->ended);
    stream->handler->ended(stream, at, (size_t)(end - at));
    call_ended(pool);
    pool->serving = NULL;
    input_drop(stream);
    if (stream->fin_sent)
        owe(stream, 0); /* both have finished */
}

/* Where the next bytes go, in pool->reading. A short rest is moved in front of
 * them, a long one grows where it lies. */
static int place(struct pool_socket *stream)
{
    struct pool *pool = stream->pool;
    struct input *in = stream->in;
    size_t have;

    pool->reading.at = pool->reading.end = pool->buffer;
    pool->reading.room = pool->turn_bytes;
    if (!in)
        return 0;
    have = in->end - in->begin;
    if (have <= PREFIX) {
        memcpy(pool->buffer, in->data + in->begin, have);
    } else {
        if (input_widen(stream) < 0)
            return -1;
        in = stream->in;
        pool->reading.at = in->data + in->begin;
        if (in->room - in->end < pool->reading.room)
            pool->reading.room = in->room - in->end;
    }
    pool->reading.end = pool->reading.at + have;
    return 0;
}

static void read_late(struct pool_socket *stream)
{
    stream->reads_late = true;
    socket_must_watch(stream, stream->watched | WATCH_WRITE);
}

seldom static void received(struct pool_socket *stream, ssize_t got)
{
    struct pool *pool = stream->pool;
    char *at = pool->reading.at, *end = pool->reading.end;

    if (got > 0)
        stream->active_at = pool->now;
    if (got > 0)
        serve(stream, at, end + got);
    else if (got == 0)
        peer_ended(stream, at, end);
    else if (errno != EAGAIN && errno != EINTR)
        close_now(stream, CLOSED_BY_ERROR, errno);
    else if (stream->coded && pool->wants == WATCH_WRITE)
        read_late(stream);
    if (is_pending(stream))
        owe(stream, OWE_SERVE);
}

void receive_some(struct pool_socket *stream)
{
    struct pool *pool = stream->pool;

    pool->wants = 0;
    if (place(stream) < 0)
        close_now(stream, CLOSED_BY_ERROR, ENOMEM);
    else
        received(stream,
                 stream->transport->recv(stream->fd, stream->transport_state,
                                         pool->reading.end, pool->reading.room,
                                         &pool->wants));
}

void receive_got(struct pool_socket *stream, ssize_t got)
{
    struct pool *pool = stream->pool;

    turn_begin(pool, stream);
    pool->reading.at = pool->reading.end = pool->buffer;
    received(stream, got);
    turn_end(pool, stream);
}

void receive_resume(struct pool_socket *stream)
{
    if (!stream->receive)
        return;
    if (stream->in || stream->coded)
        owe(stream, OWE_SERVE);
    else
        socket_must_watch(stream, stream->watched | WATCH_READ);
}

/* --- for the user ------------------------------------------------------------------ */

/* Makes sure that the bytes of a stream will be seen whose turn this is not. */
static int reach(struct pool_socket *stream)
{
    stream->pool->others = true;
    if (stream->state == CONNECTING)
        return 0;
    if (!stream->in && !stream->coded)
        return socket_watch(stream, stream->watched | WATCH_READ);
    owe(stream, OWE_SERVE);
    return 0;
}

/* May it be armed, and will its bytes be seen? */
static int may_arm(struct pool_socket *stream, pool_data_fn fn)
{
    struct pool *pool = stream->pool;

    if (stream->kind != STREAM || !fn)
        errno = EINVAL;
    else if (stream->state > OPEN || stream->ended)
        errno = ENOTCONN;
    else if (stream->receive)
        errno = EBUSY;
    else if (pool->serving == stream)
        return 0;
    else
        return reach(stream);
    return -1;
}

static inline int set_receive(struct pool *pool, struct pool_socket *stream,
                              enum receive_mode mode, uint32_t want,
                              unsigned timeout_ms, pool_data_fn fn, void *arg)
{
    stream->receive = fn;
    stream->receive_arg = arg;
    stream->mode = (uint8_t)mode;
    stream->want = want;
    stream->receive_at = pool->now;
    stream->receive_ms = timeout_ms;
    if (timeout_ms)
        wheel_note(stream, pool->now, timeout_ms);
    return 0;
}

seldom static int arm(struct pool_socket *stream, enum receive_mode mode,
                      uint32_t want, unsigned timeout_ms, pool_data_fn fn,
                      void *arg)
{
    if (may_arm(stream, fn) < 0)
        return -1;
    return set_receive(stream->pool, stream, mode, want, timeout_ms, fn, arg);
}

static int arm_sized(struct pool_socket *stream, enum receive_mode mode,
                     size_t want, unsigned timeout_ms, pool_data_fn fn,
                     void *arg)
{
    if (want < 1 || want > GIB) {
        errno = EINVAL;
        return -1;
    }
    return arm(stream, mode, (uint32_t)want, timeout_ms, fn, arg);
}

int pool_recv_some(struct pool_socket *stream, unsigned timeout_ms,
                   pool_data_fn fn, void *arg)
{
    struct pool *pool = stream->pool;

    /* In the callback of a calm turn there is nothing to ask. */
    if (pool->joins == stream && pool->serving == stream && fn &&
        !stream->receive)
        return set_receive(pool, stream, RECEIVE_SOME, 1, timeout_ms, fn, arg);
    return arm(stream, RECEIVE_SOME, 1, timeout_ms, fn, arg);
}

int pool_recv_line(struct pool_socket *stream, size_t limit,
                   unsigned timeout_ms, pool_data_fn fn, void *arg)
{
    return arm_sized(stream, RECEIVE_LINE, limit, timeout_ms, fn, arg);
}

int pool_recv_exact(struct pool_socket *stream, size_t length,
                    unsigned timeout_ms, pool_data_fn fn, void *arg)
{
    return arm_sized(stream, RECEIVE_EXACT, length, timeout_ms, fn, arg);
}

void pool_recv_stop(struct pool_socket *stream)
{
    stream->receive = NULL;
    stream->scanned = 0;
}
