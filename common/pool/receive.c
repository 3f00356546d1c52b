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

static void deliver(struct pool_socket *stream, char *at, size_t length)
{
    struct pool *pool = stream->pool;
    pool_data_fn receive = stream->receive;

    stream->receive = NULL; /* the callback may arm the next one */
    stream->scanned = 0;
    say(stream, "received %zu bytes; its %s callback", length,
        mode_words[stream->mode]);
    call_begins(pool, stream, mode_words[stream->mode]);
    receive(stream, at, length, stream->receive_arg);
    call_ended(pool);
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
    while (stream->receive) {
        if (stream->out && output_holds(stream))
            break;
        found = find_piece(stream, at, (size_t)(end - at), &piece);
        if (found != FOUND)
            break;
        if (stream->mode == RECEIVE_LINE)
            at[piece.length] = '\0';
        deliver(stream, at, piece.length);
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

void receive_serve(struct pool_socket *stream)
{
    struct input *in = stream->in;

    if (in && stream->receive && !stream->held)
        serve(stream, in->data + in->begin, in->data + in->end);
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
    pool->serving = stream;
    call_begins(pool, stream, "ended");
    stream->handler->ended(stream, at, (size_t)(end - at));
    call_ended(pool);
    pool->serving = NULL;
    input_drop(stream);
}

/* Where the next bytes go. A short rest is moved in front of them, a long one
 * grows where it lies. */
static int place(struct pool_socket *stream, char **at, char **end,
                 size_t *room)
{
    struct input *in = stream->in;
    size_t have;

    if (!in) {
        *at = *end = stream->pool->buffer;
        return 0;
    }
    have = in->end - in->begin;
    if (have <= PREFIX) {
        *at = stream->pool->buffer;
        memcpy(*at, in->data + in->begin, have);
    } else {
        if (input_widen(stream) < 0)
            return -1;
        in = stream->in;
        *at = in->data + in->begin;
        if (in->room - in->end < *room)
            *room = in->room - in->end;
    }
    *end = *at + have;
    return 0;
}

void receive_some(struct pool_socket *stream)
{
    struct pool *pool = stream->pool;
    size_t room = pool->turn_bytes;
    unsigned wants = 0;
    char *at, *end;
    ssize_t got;

    if (unlikely(place(stream, &at, &end, &room) < 0)) {
        close_now(stream, CLOSED_BY_ERROR, ENOMEM);
        return;
    }
    got = stream->transport->recv(stream->fd, stream->transport_state, end,
                                  room, &wants);
    if (got > 0) {
        stream->active_at = pool->now;
        serve(stream, at, end + got);
    } else if (got == 0) {
        peer_ended(stream, at, end);
    } else if (errno != EAGAIN && errno != EINTR) {
        close_now(stream, CLOSED_BY_ERROR, errno);
    }
}

void receive_resume(struct pool_socket *stream)
{
    if (!stream->receive)
        return;
    if (stream->in)
        owe(stream, OWE_SERVE);
    else
        socket_must_watch(stream, stream->watched | WATCH_READ);
}

/* --- for the user ------------------------------------------------------------------ */

static int arm(struct pool_socket *stream, enum receive_mode mode, size_t want,
               unsigned timeout_ms, pool_data_fn fn, void *arg)
{
    struct pool *pool = stream->pool;

    if (unlikely(stream->kind != STREAM || !fn || want < 1 || want > GIB)) {
        errno = EINVAL;
        return -1;
    }
    if (unlikely(stream->state > OPEN || stream->ended)) {
        errno = ENOTCONN;
        return -1;
    }
    if (unlikely(stream->receive)) {
        errno = EBUSY;
        return -1;
    }
    if (pool->serving != stream && stream->state == OPEN) {
        if (stream->in)
            owe(stream, OWE_SERVE);
        else if (socket_watch(stream, stream->watched | WATCH_READ) < 0)
            return -1;
    }
    stream->receive = fn;
    stream->receive_arg = arg;
    stream->mode = (uint8_t)mode;
    stream->want = (uint32_t)want;
    stream->scanned = 0;
    stream->receive_at = pool->now;
    stream->receive_ms = timeout_ms;
    if (timeout_ms)
        wheel_note(stream, pool->now, timeout_ms);
    return 0;
}

int pool_recv_some(struct pool_socket *stream, unsigned timeout_ms,
                   pool_data_fn fn, void *arg)
{
    return arm(stream, RECEIVE_SOME, 1, timeout_ms, fn, arg);
}

int pool_recv_line(struct pool_socket *stream, size_t limit,
                   unsigned timeout_ms, pool_data_fn fn, void *arg)
{
    return arm(stream, RECEIVE_LINE, limit, timeout_ms, fn, arg);
}

int pool_recv_exact(struct pool_socket *stream, size_t length,
                    unsigned timeout_ms, pool_data_fn fn, void *arg)
{
    return arm(stream, RECEIVE_EXACT, length, timeout_ms, fn, arg);
}

void pool_recv_stop(struct pool_socket *stream)
{
    stream->receive = NULL;
    stream->scanned = 0;
}
