/*
 * First in, first out, bounded: of pointers, which are never NULL and stay
 * whose they are. `struct queue` is for one thread, `struct queue_shared` for
 * many: put and take wait, and closing it lets all of them go.
 */
#ifndef COMMON_QUEUE_H
#define COMMON_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct queue {
    void **items; /* a ring; NULL before the first item */
    size_t first, room;
    size_t count; /* read it */
    size_t limit;
};

void queue_init(struct queue *queue, size_t limit);
void queue_fini(struct queue *queue); /* forgets what is in it */
/* ENOBUFS: as many as its limit are in it; EINVAL: NULL; ENOMEM. */
int queue_push(struct queue *queue, void *item);
void *queue_pop(struct queue *queue); /* NULL: it is empty */

struct queue_shared;

/* NULL with errno: EINVAL (limit 0), ENOMEM. All room is taken at once. */
struct queue_shared *queue_shared_new(size_t limit);
/* Nobody may be in a call of it any more. Forgets what is in it. */
void queue_shared_free(struct queue_shared *queue);

/* Until there is room. 0; ETIMEDOUT at `deadline` (clock_now(); one that has
 * passed: does not wait); EPIPE: closed; EINVAL: NULL. */
int queue_shared_put(struct queue_shared *queue, void *item, int64_t deadline);
/* Until there is an item: 1. 0: closed, and nothing is left in it. ETIMEDOUT. */
int queue_shared_take(struct queue_shared *queue, void **item,
                      int64_t deadline);
/* No more is put; what is in it is still taken. May be called twice. */
void queue_shared_close(struct queue_shared *queue);
size_t queue_shared_count(struct queue_shared *queue);

#endif
