/* Timers of the user, to the millisecond: a binary heap by deadline, each timer
 * knowing its place. A period is counted from the first deadline; those that a
 * slow handler has missed come as one. */
#include <errno.h>
#include <stdlib.h>

#include "common/pool/inside.h"

struct pool_timer {
    int64_t deadline;
    int64_t period; /* 0: once */
    size_t place;   /* in the heap */
    void (*fn)(void *arg);
    void *arg;
    struct pool *pool;
    struct pool_socket *owner;        /* or NULL */
    struct pool_timer *next, *before; /* of the owner's */
};

/* --- the heap ------------------------------------------------------------------ */

static void put(struct timers *timers, struct pool_timer *timer, size_t place)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void rise(struct timers *timers, struct pool_timer *timer, size_t place)
{
    while (place > 0) {
        struct pool_timer *above = timers->heap[(place - 1) / 2];

        if (above->deadline <= timer->deadline)
            break;
        put(timers, above, place);
        place = (place - 1) / 2;
    }
    put(timers, timer, place);
}

static void sink(struct timers *timers, struct pool_timer *timer, size_t place)
{
    for (;;) {
        size_t below = 2 * place + 1;

        if (below >= timers->count)
            break;
        if (below + 1 < timers->count &&
            timers->heap[below + 1]->deadline < timers->heap[below]->deadline)
            below++;
        if (timer->deadline <= timers->heap[below]->deadline)
            break;
        put(timers, timers->heap[below], place);
        place = below;
    }
    put(timers, timer, place);
}

static void take_out(struct timers *timers, const struct pool_timer *timer)
{
    struct pool_timer *last = timers->heap[--timers->count];

    if (last == timer)
        return;
    if (last->deadline < timer->deadline)
        rise(timers, last, timer->place);
    else
        sink(timers, last, timer->place);
}

/* --- their owners ----------------------------------------------------------------- */

static void own(struct pool_timer *timer, struct pool_socket *owner)
{
    timer->owner = owner;
    timer->next = owner->timers;
    if (timer->next)
        timer->next->before = timer;
    owner->timers = timer;
}

static void disown(struct pool_timer *timer)
{
    if (!timer->owner)
        return;
    if (timer->next)
        timer->next->before = timer->before;
    if (timer->before)
        timer->before->next = timer->next;
    else
        timer->owner->timers = timer->next;
}

void timers_drop(struct pool_socket *owner)
{
    while (owner->timers)
        pool_timer_stop(owner->timers);
}

/* --- running ----------------------------------------------------------------------- */

int64_t timers_next(const struct pool *pool)
{
    return pool->timers.count ? pool->timers.heap[0]->deadline : CLOCK_NEVER;
}

static void run(struct pool_timer *timer, int64_t now)
{
    struct pool *pool = timer->pool;
    struct timers *timers = &pool->timers;

    if (timer->period) {
        timer->deadline += ((now - timer->deadline) / timer->period + 1) *
                           timer->period;
        sink(timers, timer, timer->place);
    } else {
        take_out(timers, timer);
    }
    timers->running = timer;
    call_begins(pool, timer->owner, "timer", timer->fn);
    timer->fn(timer->arg);
    call_ended(pool);
    if (timers->running == timer && !timer->period) {
        disown(timer);
        free(timer);
    }
    timers->running = NULL;
}

void timers_run(struct pool *pool, int64_t now)
{
    /* A timer started by one of these is later than `now`: this ends. */
    while (pool->timers.count && pool->timers.heap[0]->deadline <= now) {
        run(pool->timers.heap[0], now);
        if (stop_asked(pool))
            hear_stop(pool); /* and with their owners the others are gone */
    }
}

void timers_free(struct pool *pool)
{
    while (pool->timers.count)
        pool_timer_stop(pool->timers.heap[0]);
    free(pool->timers.heap);
}

/* --- for the user -------------------------------------------------------------------- */

static int widen(struct timers *timers)
{
    size_t room = timers->room ? timers->room * 2 : 16;
    struct pool_timer **wider;

    if (timers->count < timers->room)
        return 0;
    wider = realloc(timers->heap, room * sizeof *wider);
    if (!wider)
        return -1;
    timers->heap = wider;
    timers->room = room;
    return 0;
}

struct pool_timer *pool_timer_start(struct pool *pool,
                                    struct pool_socket *owner, unsigned ms,
                                    unsigned period_ms, void (*fn)(void *arg),
                                    void *arg)
{
    struct pool_timer *timer;

    if (!fn || (owner && owner->state >= FLUSHING)) {
        errno = fn ? ENOTCONN : EINVAL;
        return NULL;
    }
    timer = malloc(sizeof *timer);
    if (!timer || widen(&pool->timers) < 0) {
        free(timer);
        return NULL;
    }
    *timer = (struct pool_timer){
        .deadline = clock_now() + (int64_t)ms * CLOCK_MS,
        .period = (int64_t)period_ms * CLOCK_MS,
        .fn = fn,
        .arg = arg,
        .pool = pool,
    };
    if (owner)
        own(timer, owner);
    rise(&pool->timers, timer, pool->timers.count++);
    return timer;
}

void pool_timer_stop(struct pool_timer *timer)
{
    struct timers *timers;

    if (!timer)
        return;
    timers = &timer->pool->timers;
    if (timers->running != timer || timer->period)
        take_out(timers, timer);
    if (timers->running == timer)
        timers->running = NULL; /* it stopped itself */
    disown(timer);
    free(timer);
}
