/* The loop: wait, give each ready socket its turn, then what is owed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/pool/inside.h"

enum { TURN_BYTES = 64 * 1024, OUTPUT_LIMIT = 1024 * 1024, GRACE_MS = 2000 };
enum { WORKERS = 4, WORK_QUEUE = 1024 };

/* --- the ready list -------------------------------------------------------------- */

void owe(struct pool_socket *socket, unsigned owed)
{
    struct pool *pool = socket->pool;

    socket->owed |= (uint8_t)owed;
    if (socket->listed)
        return;
    socket->listed = true;
    socket->ready_next = NO_SLOT;
    if (pool->ready_tail != NO_SLOT)
        socket_at(pool, pool->ready_tail)->ready_next = socket->slot;
    else
        pool->ready_head = socket->slot;
    pool->ready_tail = socket->slot;
}

static bool is_owed(struct pool_socket *socket, unsigned what)
{
    if (!(socket->owed & what) || socket->state != OPEN ||
        (what != OWE_FLUSH && stop_asked(socket->pool)))
        return false;
    socket->owed &= (uint8_t)~what;
    return true;
}

static void last_callback(struct pool_socket *socket)
{
    struct pool *pool = socket->pool;
    enum closed_reason reason = (enum closed_reason)socket->reason;
    uint64_t parent = socket->kind == STREAM ? socket->parent : 0;

    say(socket, "closed: %s%s%s", closed_reason_word(reason),
        socket->error ? ", " : "",
        socket->error ? strerror(socket->error) : "");
    if (socket->handler->closed) {
        call_begins(pool, socket, "closed", socket->handler->closed);
        socket->handler->closed(socket, reason, socket->error);
        call_ended(pool);
    }
    socket_release(socket);
    if (parent)
        listener_child_gone(pool, parent);
}

/* Everything that this socket is owed, in one turn. */
static void give(struct pool *pool, struct pool_socket *socket)
{
    if (socket->state == CLOSED) {
        if (socket->unreached)
            connector_failed(socket);
        last_callback(socket);
        return;
    }
    turn_begin(pool, socket);
    if (is_owed(socket, OWE_CONNECTED))
        connector_connected(socket);
    if (is_owed(socket, OWE_SENT))
        output_told(socket);
    if (is_owed(socket, OWE_DRAINED) && socket->handler->drained) {
        say(socket, "room to send again; its drained callback");
        call_begins(pool, socket, "drained", socket->handler->drained);
        socket->handler->drained(socket);
        call_ended(pool);
    }
    if (is_owed(socket, OWE_SERVE))
        receive_serve(socket);
    turn_end(pool, socket);
    if (is_owed(socket, OWE_FLUSH)) {
        if (socket->kind == DATAGRAM)
            datagram_flush(socket);
        else
            output_flush(socket);
    }
    if (socket->state == OPEN && socket->ended && socket->fin_sent)
        closing_begin(socket, CLOSED_BY_PEER, 0); /* both have finished */
    if (socket->state == OPEN && socket->kind == STREAM && !socket->watched)
        socket_must_watch(socket, WATCH_ERROR); /* it asks for nothing yet */
    if (socket->owed & OWE_CLOSING && socket->state != CLOSED) {
        socket->owed &= (uint8_t)~OWE_CLOSING;
        closing_step(socket);
    }
}

/* What is owed by now. What comes to be owed meanwhile waits for the next
 * wake-up, so that nobody's chain of callbacks keeps the others waiting. */
static void give_all(struct pool *pool)
{
    uint32_t slot = pool->ready_head;

    pool->ready_head = pool->ready_tail = NO_SLOT;
    while (slot != NO_SLOT) {
        struct pool_socket *socket = socket_at(pool, slot);

        slot = socket->ready_next;
        socket->listed = false;
        pool->others = true;
        give(pool, socket);
    }
}

/* --- turns --------------------------------------------------------------------------- */

int socket_watch(struct pool_socket *socket, unsigned interest)
{
    struct pool *pool = socket->pool;

    if (socket->watched == interest)
        return 0;
    if (pool->mechanism->watch(pool->set, socket->fd, socket, socket->watched,
                               interest) < 0)
        return -1;
    socket->watched = (uint8_t)interest;
    return 0;
}

void socket_must_watch(struct pool_socket *socket, unsigned interest)
{
    if (socket_watch(socket, interest) < 0)
        close_now(socket, CLOSED_BY_ERROR, errno);
}

void dispatch(struct pool *pool, struct pool_socket *socket, unsigned ready)
{
    if (socket->kind == WAKER) {
        wake_event(pool);
        return;
    }
    if (socket->state == CLOSED)
        return; /* closed by an earlier callback of this batch */
    turn_begin(pool, socket);
    switch (socket->kind) {
    case STREAM:
        stream_event(socket, ready);
        break;
    case LISTENER:
        listener_event(socket);
        break;
    default:
        datagram_event(socket, ready);
    }
    turn_end(pool, socket);
}

/* --- the loop --------------------------------------------------------------------------- */

static bool over(const struct pool *pool)
{
    if (pool->stopping)
        return pool->table.count == 0 && !atomic_load(&pool->posts);
    return pool->table.count == 0 && pool->timers.count == 0 &&
           pool->ready_head == NO_SLOT && !work_open(pool) &&
           !atomic_load(&pool->posts) && !atomic_load(&pool->stop);
}

/* How long to wait; also the moment from which a slow batch is counted. */
static int64_t patience(struct pool *pool)
{
    int64_t deadline = timers_next(pool), now;

    if (pool->wheel.next != CLOCK_NEVER &&
        pool->wheel.next << WHEEL_SHIFT < deadline)
        deadline = pool->wheel.next << WHEEL_SHIFT;
    if (pool->stopping && pool->stop_by < deadline)
        deadline = pool->stop_by;
    if (deadline == CLOCK_NEVER)
        return pool->ready_head != NO_SLOT ? 0 : -1;
    now = clock_now();
    if (unlikely((now - pool->now) >> WHEEL_SHIFT))
        wheel_slow(pool, now);
    if (pool->ready_head != NO_SLOT)
        return 0;
    return deadline > now ? deadline - now : 0;
}

/* All sockets begin to close, once. */
void hear_stop(struct pool *pool)
{
    if (!stop_asked(pool) || pool->stopping)
        return;
    pool->stopping = true;
    pool->stop_by = clock_now() + (int64_t)pool->grace_ms * CLOCK_MS;
    close_all(pool);
}

/* What other threads and signal handlers have asked for. */
static void hear(struct pool *pool)
{
    if (atomic_load_explicit(&pool->signals, memory_order_relaxed))
        signals_run(pool);
    if (atomic_load_explicit(&pool->posts, memory_order_relaxed))
        posts_run(pool);
    if (pool->workers)
        work_collect(pool);
    hear_stop(pool);
}

/* pool_stop()'s patience is at its end. */
static void cut_off(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->table.used; i++) {
        struct pool_socket *socket = socket_at(pool, i);

        if (socket->state != UNUSED)
            close_now(socket, CLOSED_BY_HOST, 0);
    }
}

static int wake_up(struct pool *pool)
{
    int count = pool->mechanism->wait(pool->set, pool->events, EVENTS,
                                      patience(pool));

    if (count < 0 && errno != EINTR)
        return -1;
    pool->now = clock_now();
    pool->batch = count > 0 ? count : 0;
    pool->others = false;
    calm_turns(pool, count);
    hear(pool);
    if (pool->wheel.next <= pool->now >> WHEEL_SHIFT)
        wheel_run(pool);
    if (pool->timers.count)
        timers_run(pool, pool->now);
    if (pool->stopping && pool->now >= pool->stop_by)
        cut_off(pool);
    give_all(pool);
    return 0;
}

int pool_run(struct pool *pool)
{
    int result = 0;

    if (pool->running) {
        errno = EBUSY; /* from a callback of its own */
        return -1;
    }
    pool->running = true;
    wheel_slow(pool, clock_now());
    hear(pool);
    while (result == 0 && !over(pool))
        result = wake_up(pool);
    if (pool->stopping) {
        pool->stopping = false;
        atomic_store(&pool->stop, false);
    }
    pool->running = false;
    return result;
}

void pool_stop(struct pool *pool)
{
    if (pool->loops) {
        loops_stop(pool->loops);
        return;
    }
    atomic_store(&pool->stop, true);
    pool_wake(pool);
}

const char *pool_mechanism(const struct pool *pool)
{
    return pool->mechanism->name;
}

/* --- making one ----------------------------------------------------------------------------- */

static int configure(struct pool *pool, const struct pool_options *options)
{
    static const struct pool_options nothing;
    const char *name, *debug = getenv("POOL_DEBUG");

    if (!options)
        options = &nothing;
    name = options->mechanism ? options->mechanism : getenv("POOL_BACKEND");
    pool->mechanism = mechanism_find(name && *name ? name : NULL);
    if (!pool->mechanism || options->output_limit > UINT32_MAX ||
        options->turn_bytes > 1 << 30 || options->workers > 256) {
        errno = EINVAL;
        return -1;
    }
    pool->turn_bytes = options->turn_bytes ? options->turn_bytes : TURN_BYTES;
    pool->output_limit = options->output_limit ? (uint32_t)options->output_limit
                                               : OUTPUT_LIMIT;
    pool->grace_ms = options->grace_ms ? options->grace_ms : GRACE_MS;
    pool->worker_threads = options->workers ? options->workers : WORKERS;
    pool->worker_queue = options->work_queue ? options->work_queue : WORK_QUEUE;
    pool->debug = options->debug || (debug && *debug && *debug != '0');
    return 0;
}

static int equip(struct pool *pool)
{
    pool->joined.iov_base = malloc(SCRATCH);
    pool->buffer = malloc(PREFIX + pool->turn_bytes + 1);
    if (!pool->joined.iov_base || !pool->buffer)
        return -1;
    pool->set = pool->mechanism->open();
    if (!pool->set)
        return -1;
    return wake_open(pool);
}

struct pool *pool_new(const struct pool_options *options)
{
    struct pool *pool = calloc(1, sizeof *pool);
    int error;

    if (!pool)
        return NULL;
    pool->wake_read = pool->wake_write = -1;
    pool->waker.kind = WAKER;
    pool->ready_head = pool->ready_tail = pool->table.free = NO_SLOT;
    pool->now = clock_now();
    wheel_init(&pool->wheel, pool->now);
    if (configure(pool, options) == 0 && equip(pool) == 0)
        return pool;
    error = errno;
    pool_free(pool);
    errno = error;
    return NULL;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pool->stopping = true; /* no new sockets */
    while (pool->table.count) {
        cut_off(pool);
        give_all(pool);
    }
    work_free(pool);
    timers_free(pool);
    signals_free(pool);
    posts_free(pool);
    wake_close(pool);
    if (pool->set)
        pool->mechanism->close(pool->set);
    table_free(pool);
    free(pool->messages);
    free(pool->joined.iov_base);
    free(pool->buffer);
    free(pool);
}
