/*
 * See queue.h. The shared one is the plain one under a lock, with two
 * conditions: there is an item, there is room.
 */
#include "common/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

enum { ROOM_LEAST = 16 };

void queue_init(struct queue *queue, size_t limit)
{
    *queue = (struct queue){.limit = limit};
}

void queue_fini(struct queue *queue)
{
    free(queue->items);
    queue_init(queue, queue->limit);
}

/* The ring's two parts become one at the start of twice the room. */
static int grow(struct queue *queue, size_t room)
{
    size_t tail = queue->room - queue->first;
    void **items = calloc(room, sizeof *items);

    if (!items)
        return -1;
    if (queue->count) {
        memcpy(items, queue->items + queue->first, tail * sizeof *items);
        memcpy(items + tail, queue->items, queue->first * sizeof *items);
    }
    free(queue->items);
    queue->items = items;
    queue->room = room;
    queue->first = 0;
    return 0;
}

int queue_push(struct queue *queue, void *item)
{
    if (!item || queue->count >= queue->limit) {
        errno = item ? ENOBUFS : EINVAL;
        return -1;
    }
    if (queue->count == queue->room) {
        size_t room = queue->room ? queue->room * 2 : ROOM_LEAST;

        if (grow(queue, room < queue->limit ? room : queue->limit) != 0)
            return -1;
    }
    queue->items[(queue->first + queue->count++) % queue->room] = item;
    return 0;
}

void *queue_pop(struct queue *queue)
{
    void *item;

    if (queue->count == 0)
        return NULL;
    item = queue->items[queue->first];
    queue->first = (queue->first + 1) % queue->room;
    queue->count--;
    return item;
}

/* --- shared ------------------------------------------------------------------ */

struct queue_shared {
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    struct queue queue;
    bool closed;
};

/* A condition waits by a clock of its own; where that cannot be the monotonic
 * one (or with QUEUE_PLAIN), it wakes now and then to look at it. */
#if defined _POSIX_CLOCK_SELECTION && _POSIX_CLOCK_SELECTION > 0 && \
    !defined QUEUE_PLAIN
static void set_clock(pthread_condattr_t *attributes)
{
    pthread_condattr_setclock(attributes, CLOCK_MONOTONIC);
}

static struct timespec wake_at(int64_t deadline)
{
    return clock_timespec(deadline);
}
#else
static void set_clock(pthread_condattr_t *attributes)
{
    (void)attributes;
}

static struct timespec wake_at(int64_t deadline)
{
    int64_t left = deadline - clock_now(), look = 100 * CLOCK_MS;

    return clock_timespec(clock_wall() + (left < look ? left : look));
}
#endif

struct queue_shared *queue_shared_new(size_t limit)
{
    struct queue_shared *queue;
    pthread_condattr_t attributes;

    if (limit == 0 || limit > SIZE_MAX / sizeof(void *)) {
        errno = limit ? ENOMEM : EINVAL;
        return NULL;
    }
    queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;
    queue_init(&queue->queue, limit);
    if (grow(&queue->queue, limit) != 0) {
        free(queue);
        return NULL;
    }
    pthread_condattr_init(&attributes);
    set_clock(&attributes);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, &attributes);
    pthread_cond_init(&queue->emptied, &attributes);
    pthread_condattr_destroy(&attributes);
    return queue;
}

void queue_shared_free(struct queue_shared *queue)
{
    if (!queue)
        return;
    pthread_cond_destroy(&queue->filled);
    pthread_cond_destroy(&queue->emptied);
    pthread_mutex_destroy(&queue->lock);
    queue_fini(&queue->queue);
    free(queue);
}

/* false: the deadline has passed. Locked; may wake for nothing. */
static bool wait_for(struct queue_shared *queue, pthread_cond_t *change,
                     int64_t deadline)
{
    struct timespec time;

    if (deadline == CLOCK_NEVER) {
        pthread_cond_wait(change, &queue->lock);
        return true;
    }
    if (clock_now() >= deadline)
        return false;
    time = wake_at(deadline);
    pthread_cond_timedwait(change, &queue->lock, &time);
    return true;
}

int queue_shared_put(struct queue_shared *queue, void *item, int64_t deadline)
{
    int error = 0;

    if (!item) {
        errno = EINVAL;
        return -1;
    }
    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->queue.count == queue->queue.limit && !error)
        error = wait_for(queue, &queue->emptied, deadline) ? 0 : ETIMEDOUT;
    if (queue->closed)
        error = EPIPE;
    if (!error) {
        queue_push(&queue->queue, item); /* its room was taken at first */
        pthread_cond_signal(&queue->filled);
    }
    pthread_mutex_unlock(&queue->lock);
    if (error)
        errno = error;
    return error ? -1 : 0;
}

int queue_shared_take(struct queue_shared *queue, void **item, int64_t deadline)
{
    bool late = false;
    int taken = 0;

    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->queue.count == 0 && !late)
        late = !wait_for(queue, &queue->filled, deadline);
    if (queue->queue.count > 0) {
        *item = queue_pop(&queue->queue);
        pthread_cond_signal(&queue->emptied);
        taken = 1;
    }
    late = late && !taken && !queue->closed;
    pthread_mutex_unlock(&queue->lock);
    if (late)
        errno = ETIMEDOUT;
    return late ? -1 : taken;
}

void queue_shared_close(struct queue_shared *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_cond_broadcast(&queue->emptied);
    pthread_mutex_unlock(&queue->lock);
}

size_t queue_shared_count(struct queue_shared *queue)
{
    size_t count;

    pthread_mutex_lock(&queue->lock);
    count = queue->queue.count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}
