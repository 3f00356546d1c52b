/* Sending. What a socket sends in its own turn is joined in the scratch and
 * leaves in one call at the end of the turn; what others' turns send to it, and
 * what the kernel does not take, waits in its own output, which is bounded.
 * Writing is watched only while the kernel has said no. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/pool/inside.h"

enum { OUTPUT_STEP = 1024, MARKS = 4 };

static size_t waiting(const struct pool_socket *stream)
{
    return stream->out ? stream->out->end - stream->out->begin : 0;
}

size_t pool_unsent(const struct pool_socket *stream)
{
    struct pool *pool = stream->pool;

    if (stream->kind != STREAM)
        return datagram_unsent(stream);
    return waiting(stream) + (pool->turn == stream ? pool->joined.iov_len : 0);
}

bool output_holds(struct pool_socket *stream)
{
    if (pool_unsent(stream) > stream->output_limit / 2) {
        say(stream, "its receives wait: %zu bytes are unsent",
            pool_unsent(stream));
        stream->held = true;
    }
    return stream->held;
}

void output_set_limit(struct pool_socket *stream, uint32_t limit)
{
    stream->output_limit = limit;
    stream->joined_most = limit / 2 < SCRATCH ? limit / 2 : SCRATCH;
}

/* --- the output of its own ------------------------------------------------------ */

static struct output *output_of(struct pool_socket *stream)
{
    if (stream->pool->joins == stream)
        stream->pool->joins = NULL;
    if (!stream->out)
        stream->out = calloc(1, sizeof *stream->out);
    return stream->out;
}

static int append(struct pool_socket *stream, const void *data, size_t length)
{
    struct output *out = output_of(stream);
    size_t have;

    if (length == 0)
        return 0;
    if (!out)
        return -1;
    have = out->end - out->begin;
    if (out->end + length > out->room && out->begin > 0) {
        memmove(out->data, out->data + out->begin, have);
        out->begin = 0;
        out->end = have;
    }
    if (out->end + length > out->room) {
        size_t room = have + length + (have > length ? have : length) / 2;
        char *wider = realloc(out->data, room + OUTPUT_STEP);

        if (!wider)
            return -1;
        out->data = wider;
        out->room = room + OUTPUT_STEP;
    }
    memcpy(out->data + out->end, data, length);
    out->end += length;
    return 0;
}

void output_drop(struct pool_socket *stream)
{
    if (!stream->out)
        return;
    free(stream->out->marks);
    free(stream->out->data);
    free(stream->out);
    stream->out = NULL;
}

/* After bytes have left: who is owed what? */
static void settle(struct pool_socket *stream)
{
    struct output *out = stream->out;
    size_t left = pool_unsent(stream);

    if (out && out->mark_begin < out->mark_end &&
        out->marks[out->mark_begin].at <= out->taken)
        owe(stream, OWE_SENT);
    else if (out && left == 0 && out->mark_begin == out->mark_end)
        output_drop(stream);
    if (left <= stream->output_limit / 2) {
        if (stream->full)
            owe(stream, OWE_DRAINED);
        stream->full = false;
        if (stream->held) {
            stream->held = false;
            receive_resume(stream);
        }
    }
    if (left == 0 && stream->shut && !stream->fin_sent &&
        stream->state == OPEN) {
        stream->fin_sent = true;
        stream->transport->shutdown(stream->fd, stream->transport_state);
        if (stream->ended)
            owe(stream, 0); /* both have finished */
    }
}

/* Writing is watched for as long as the kernel has said no; or reading, when a
 * transport says so. */
static void watch_writing(struct pool_socket *stream, bool on)
{
    unsigned rest = stream->watched & ~(unsigned)WATCH_WRITE;

    if (on)
        rest |= stream->sends_late ? WATCH_READ : WATCH_WRITE;
    if (stream->reads_late)
        rest |= WATCH_WRITE;
    socket_must_watch(stream, rest ? rest : WATCH_ERROR);
}

static ssize_t try_send(struct pool_socket *stream, const struct iovec *parts,
                        int count)
{
    stream->pool->wants = 0;
    return stream->transport->send(stream->fd, stream->transport_state, parts,
                                   count, &stream->pool->wants);
}

/* What came of it: bytes that left, 0 and more; -1: the stream is closed. */
static ssize_t settled(struct pool_socket *stream, ssize_t taken)
{
    if (taken < 0) {
        if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
            stream->sends_late = stream->coded &&
                                 stream->pool->wants == WATCH_READ;
            return 0;
        }
        close_now(stream, CLOSED_BY_ERROR, errno);
        return -1;
    }
    stream->active_at = stream->pool->now;
    if (stream->out)
        stream->out->taken += (uint64_t)taken;
    return taken;
}

void output_flush(struct pool_socket *stream)
{
    struct output *out = stream->out;
    struct iovec all;
    ssize_t taken;

    if (waiting(stream) > 0) {
        all.iov_base = out->data + out->begin;
        all.iov_len = out->end - out->begin;
        taken = settled(stream, try_send(stream, &all, 1));
        if (taken < 0)
            return;
        out->begin += (size_t)taken;
    }
    if (waiting(stream) > 0 || stream->watched & WATCH_WRITE)
        watch_writing(stream, waiting(stream) > 0);
    if (stream->state != CLOSED)
        settle(stream);
}

void output_told(struct pool_socket *stream)
{
    struct pool *pool = stream->pool;
    struct output *out = stream->out;

    while (stream->out == out && out && !stop_asked(pool) &&
           out->mark_begin < out->mark_end &&
           out->marks[out->mark_begin].at <= out->taken) {
        struct output_mark mark = out->marks[out->mark_begin++];

        say(stream, "all of it is with the kernel; its sent callback");
        call_begins(pool, stream, "sent", mark.sent);
        mark.sent(stream, mark.arg);
        call_ended(pool);
    }
    if (stream->state == OPEN)
        settle(stream);
}

/* --- the turn's own ------------------------------------------------------------------ */

/* `n` bytes of the scratch and `data` have left; the rest is kept. */
static int keep_rest(struct pool_socket *stream, ssize_t n, const char *data,
                     size_t length)
{
    struct pool *pool = stream->pool;
    size_t joined = pool->joined.iov_len, taken = n > 0 ? (size_t)n : 0;
    size_t skip = taken < joined ? taken : joined;

    pool->joined.iov_len = 0;
    if (n < 0)
        return -1;
    if (taken < joined + length) {
        if (append(stream, (char *)pool->joined.iov_base + skip,
                   joined - skip) < 0 ||
            append(stream, data + (taken - skip), length - (taken - skip)) <
                0) {
            close_now(stream, CLOSED_BY_ERROR, ENOMEM);
            return -1;
        }
        say(stream, "the kernel takes no more now: %zu bytes wait",
            pool_unsent(stream));
        watch_writing(stream, true);
    }
    if (stream->state == CLOSED)
        return -1; /* it could not be watched */
    if (stream->out || stream->shut)
        settle(stream);
    return 0;
}

/* The scratch leaves together with `data`. */
static int leave(struct pool_socket *stream, const void *data, size_t length)
{
    struct pool *pool = stream->pool;
    struct iovec parts[2] = {pool->joined, {(void *)data, length}};
    int first = parts[0].iov_len ? 0 : 1;

    return keep_rest(
        stream, settled(stream, try_send(stream, parts + first, 2 - first)),
        data, length);
}

void output_rest(struct pool_socket *stream, ssize_t taken)
{
    struct pool *pool = stream->pool;

    if (stream->state == OPEN || stream->state == FLUSHING)
        keep_rest(stream, settled(stream, taken), NULL, 0);
    pool->joined.iov_len = 0;
}

void output_join(struct pool_socket *stream)
{
    output_rest(stream, try_send(stream, &stream->pool->joined, 1));
}

/* --- for the user ------------------------------------------------------------------------ */

static int queue(struct pool_socket *stream, const void *data, size_t length)
{
    if (waiting(stream) + length > stream->output_limit) {
        stream->full = true;
        errno = EAGAIN;
        return -1;
    }
    if (append(stream, data, length) < 0)
        return -1;
    if (stream->state == OPEN && !(stream->watched & WATCH_WRITE))
        owe(stream, OWE_FLUSH);
    return 0;
}

static int add(struct pool_socket *stream, const void *data, size_t length)
{
    struct pool *pool = stream->pool;
    size_t joined = pool->joined.iov_len + length;

    if (length > stream->output_limit) {
        errno = EMSGSIZE;
        return -1;
    }
    if (pool->turn != stream || waiting(stream) || stream->state != OPEN)
        return queue(stream, data, length);
    if (joined <= SCRATCH && joined <= stream->output_limit / 2) {
        memcpy((char *)pool->joined.iov_base + pool->joined.iov_len, data,
               length);
        pool->joined.iov_len = joined;
        return 0;
    }
    if (joined > stream->output_limit) {
        output_join(stream);
        if (stream->state != OPEN) {
            errno = ENOTCONN;
            return -1;
        }
        if (waiting(stream))
            return queue(stream, data, length);
    }
    if (leave(stream, data, length) == 0)
        return 0;
    errno = stream->error;
    return -1;
}

static int may_send(const struct pool_socket *stream, const void *data,
                    size_t length)
{
    if (unlikely(stream->kind != STREAM || (!data && length)))
        errno = EINVAL;
    else if (unlikely(stream->state > OPEN))
        errno = ENOTCONN;
    else if (unlikely(stream->shut))
        errno = EPIPE;
    else
        return 0;
    return -1;
}

seldom static int send_asked(struct pool_socket *stream, const void *data,
                             size_t length)
{
    if (may_send(stream, data, length) < 0)
        return -1;
    return length ? add(stream, data, length) : 0;
}

int pool_send(struct pool_socket *stream, const void *data, size_t length)
{
    struct pool *pool = stream->pool;
    size_t begin = pool->joined.iov_len;

    if (pool->joins == stream && data &&
        begin + length <= stream->joined_most) {
        pool->joined.iov_len = begin + length;
        memcpy((char *)pool->joined.iov_base + begin, data, length);
        return 0;
    }
    return send_asked(stream, data, length);
}

/* Room for one more mark, before anything is sent. */
static int mark_room(struct output *out)
{
    size_t have = out->mark_end - out->mark_begin, room;
    struct output_mark *wider;

    if (out->mark_end < out->mark_room)
        return 0;
    if (out->mark_begin > out->mark_room / 2) {
        memmove(out->marks, out->marks + out->mark_begin,
                have * sizeof *out->marks);
        out->mark_begin = 0;
        out->mark_end = have;
        return 0;
    }
    room = out->mark_room ? out->mark_room * 2 : MARKS;
    wider = realloc(out->marks, room * sizeof *wider);
    if (!wider)
        return -1;
    out->marks = wider;
    out->mark_room = room;
    return 0;
}

int pool_send_then(struct pool_socket *stream, const void *data, size_t length,
                   void (*sent)(struct pool_socket *stream, void *arg),
                   void *arg)
{
    struct output *out;

    if (may_send(stream, data, length) < 0)
        return -1;
    if (!sent)
        return length ? add(stream, data, length) : 0;
    out = output_of(stream);
    if (!out || mark_room(out) < 0)
        return -1;
    /* An earlier mark keeps the struct while this one is not in it yet. */
    out->marks[out->mark_end++] = (struct output_mark){
        .at = UINT64_MAX, .sent = sent, .arg = arg};
    if (length && add(stream, data, length) < 0) {
        if (stream->out)
            stream->out->mark_end--;
        return -1;
    }
    out->marks[out->mark_end - 1].at = out->taken + pool_unsent(stream);
    settle(stream);
    return 0;
}

int pool_output_limit(struct pool_socket *stream, size_t bytes)
{
    if (bytes < 1 || bytes > UINT32_MAX) {
        errno = EINVAL;
        return -1;
    }
    output_set_limit(stream, (uint32_t)bytes);
    return 0;
}

int pool_shutdown(struct pool_socket *stream)
{
    if (stream->kind != STREAM) {
        errno = EINVAL;
        return -1;
    }
    if (stream->state > OPEN) {
        errno = ENOTCONN;
        return -1;
    }
    if (stream->pool->joins == stream)
        stream->pool->joins = NULL;
    stream->shut = true;
    if (stream->state == OPEN)
        settle(stream);
    return 0;
}
