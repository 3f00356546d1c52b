/* The deadlines of sockets. A socket is linked once, at the earliest of its
 * deadlines or before; when its tick comes up it is asked what its deadlines
 * are now, and is linked again or has expired. */
#include "common/pool/inside.h"

/* --- the lists --------------------------------------------------------------- */

void wheel_init(struct wheel *wheel, int64_t now)
{
    for (unsigned i = 0; i < WHEEL_TICKS; i++)
        wheel->heads[i] = NO_SLOT;
    wheel->done = now >> WHEEL_SHIFT;
    wheel->next = CLOCK_NEVER;
}

void wheel_unlink(struct pool_socket *socket)
{
    struct pool *pool = socket->pool;
    struct wheel *wheel = &pool->wheel;
    unsigned at;

    if (socket->wheel_due == CLOCK_NEVER)
        return;
    at = (unsigned)socket->wheel_due % WHEEL_TICKS;
    if (socket->wheel_next != NO_SLOT)
        socket_at(pool, socket->wheel_next)->wheel_before =
            socket->wheel_before;
    if (socket->wheel_before != NO_SLOT)
        socket_at(pool, socket->wheel_before)->wheel_next = socket->wheel_next;
    else
        wheel->heads[at] = socket->wheel_next;
    if (wheel->heads[at] == NO_SLOT)
        wheel->bits[at / 64] &= ~(UINT64_C(1) << at % 64);
    socket->wheel_due = CLOCK_NEVER;
}

void wheel_link(struct pool_socket *socket, int64_t due)
{
    struct pool *pool = socket->pool;
    struct wheel *wheel = &pool->wheel;
    unsigned at;

    wheel_unlink(socket);
    if (due <= wheel->done)
        due = wheel->done + 1;
    if (due >= wheel->done + WHEEL_TICKS)
        due = wheel->done + WHEEL_TICKS - 1;
    at = (unsigned)due % WHEEL_TICKS;
    socket->wheel_due = due;
    socket->wheel_before = NO_SLOT;
    socket->wheel_next = wheel->heads[at];
    if (socket->wheel_next != NO_SLOT)
        socket_at(pool, socket->wheel_next)->wheel_before = socket->slot;
    wheel->heads[at] = socket->slot;
    wheel->bits[at / 64] |= UINT64_C(1) << at % 64;
    if (due < wheel->next)
        wheel->next = due;
}

/* The first tick in use after `done`. */
static int64_t next_in_use(const struct wheel *wheel)
{
    unsigned first = (unsigned)(wheel->done + 1) % WHEEL_TICKS;
    uint64_t bits = wheel->bits[first / 64] & (~UINT64_C(0) << first % 64);

    for (unsigned i = 0; i <= WHEEL_TICKS / 64; i++) {
        unsigned word = (first / 64 + i) % (WHEEL_TICKS / 64);

        if (i > 0)
            bits = wheel->bits[word];
        if (bits) {
            unsigned at = word * 64 + (unsigned)__builtin_ctzll(bits);

            return wheel->done + 1 + (at - first) % WHEEL_TICKS;
        }
    }
    return CLOCK_NEVER;
}

/* --- what expires --------------------------------------------------------------- */

static int64_t earlier(int64_t deadline, int64_t at, uint32_t ms)
{
    int64_t other = at + (int64_t)ms * CLOCK_MS;

    return ms && other < deadline ? other : deadline;
}

static int64_t grace_deadline(const struct pool_socket *socket)
{
    return earlier(CLOCK_NEVER, socket->receive_at, socket->receive_ms);
}

static int64_t open_deadline(const struct pool_socket *socket)
{
    int64_t deadline = earlier(CLOCK_NEVER, socket->active_at, socket->idle_ms);

    if (socket->receive || socket->kind == LISTENER)
        deadline = earlier(deadline, socket->receive_at, socket->receive_ms);
    return deadline;
}

static int64_t deadline_of(const struct pool_socket *socket)
{
    int64_t a, b;

    switch (socket->state) {
    case CONNECTING:
        a = connector_deadline(socket);
        b = open_deadline(socket);
        return a < b ? a : b;
    case OPEN:
        return open_deadline(socket);
    case FLUSHING:
    case DRAINING:
        return grace_deadline(socket);
    default:
        return CLOCK_NEVER;
    }
}

static bool passed(const struct pool_socket *socket)
{
    int64_t deadline = deadline_of(socket);

    return deadline != CLOCK_NEVER &&
           wheel_tick(deadline) <= socket->pool->now >> WHEEL_SHIFT;
}

static void expire(struct pool_socket *socket)
{
    socket->pool->others = true;
    if (socket->kind == LISTENER && socket->starved) {
        listener_resume(socket); /* try again */
        return;
    }
    if (socket->state == CONNECTING &&
        connector_deadline(socket) <= socket->pool->now) {
        connector_expired(socket);
        return;
    }
    /* What reached the kernel in time came in time, however late we are. */
    if (socket->state == OPEN && socket->kind == STREAM && socket->receive &&
        !socket->held) {
        turn_begin(socket->pool, socket);
        receive_some(socket);
        turn_end(socket->pool, socket);
        if (socket->state == CLOSED || !passed(socket))
            return;
    }
    say(socket, "its time is up");
    close_now(socket, CLOSED_BY_TIMEOUT, 0);
}

static void look_at(struct pool_socket *socket)
{
    int64_t deadline;

    wheel_unlink(socket);
    if (passed(socket))
        expire(socket);
    deadline = deadline_of(socket);
    if (deadline != CLOCK_NEVER)
        wheel_note(socket, deadline, 0);
}

void wheel_run(struct pool *pool)
{
    struct wheel *wheel = &pool->wheel;
    int64_t tick = pool->now >> WHEEL_SHIFT;

    while (wheel->next <= tick) {
        uint32_t *head = &wheel->heads[wheel->next % WHEEL_TICKS];

        wheel->done = wheel->next; /* what is linked now comes later */
        while (*head != NO_SLOT)
            look_at(socket_at(pool, *head));
        wheel->next = next_in_use(wheel);
    }
    if (wheel->done < tick)
        wheel->done = tick;
}

static void count_from(struct pool_socket *socket, int64_t before, int64_t now)
{
    if (socket->receive_at == before)
        socket->receive_at = now;
    if (socket->active_at == before)
        socket->active_at = now;
}

void wheel_slow(struct pool *pool, int64_t now)
{
    for (int i = 0; i < pool->batch; i++)
        count_from(pool->events[i].socket, pool->now, now);
    for (uint32_t i = 0; pool->others && i < pool->table.used; i++)
        count_from(socket_at(pool, i), pool->now, now);
    pool->now = now;
}
