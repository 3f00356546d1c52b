/* See sent.h. */
#include "viz/track/sent.h"

#include <errno.h>
#include <stdlib.h>

#include "viz/track/serial.h"

enum {
    FIRST_SIZE = 64,
    MOST = 1 << 20, /* nodes of all lists: 32 MB */
    KEPT = 4        /* that are acknowledged, an end */
};

int sent_reserve(struct sent_pool *pool)
{
    struct sent *nodes;
    uint32_t size;

    if (pool->free != 0 || pool->used < pool->size || pool->size == MOST)
        return 0;
    size = pool->size == 0 ? FIRST_SIZE : pool->size * 2;
    nodes = realloc(pool->nodes, size * sizeof(*nodes));
    if (nodes == NULL) {
        errno = ENOMEM;
        return -1;
    }
    if (pool->size == 0)
        pool->used = 1; /* index 0 says "none" */
    pool->nodes = nodes;
    pool->size = size;
    return 0;
}

void sent_fini(struct sent_pool *pool)
{
    free(pool->nodes);
    *pool = (struct sent_pool){0};
}

static void drop_first(struct sent_pool *pool, struct sent_list *list)
{
    uint32_t n = list->first;

    if (list->unacked == n)
        list->unacked = pool->nodes[n].next;
    else
        list->acked--;
    if (list->found == n)
        list->found = 0;
    list->first = pool->nodes[n].next;
    if (list->first == 0)
        list->last = 0;
    list->count--;
    pool->nodes[n].next = pool->free;
    pool->free = n;
}

void sent_clear(struct sent_pool *pool, struct sent_list *list)
{
    while (list->first != 0)
        drop_first(pool, list);
}

void sent_add(struct sent_pool *pool, struct sent_list *list,
              const struct sent *sent)
{
    uint32_t n;

    if (pool->free == 0 && pool->used == pool->size) {
        if (list->first == 0)
            return;
        drop_first(pool, list);
    }
    n = pool->free;
    if (n != 0)
        pool->free = pool->nodes[n].next;
    else
        n = pool->used++;
    pool->nodes[n] = *sent;
    pool->nodes[n].next = 0;
    if (list->last != 0)
        pool->nodes[list->last].next = n;
    else
        list->first = n;
    list->last = n;
    if (list->unacked == 0)
        list->unacked = n;
    list->count++;
}

/* Where to begin to look for `seq`: what is sent again is mostly the oldest
 * that waits, or follows what was sent again before. */
static uint32_t start_of(const struct sent_pool *pool,
                         const struct sent_list *list, uint32_t seq)
{
    const uint32_t starts[] = {list->found, list->unacked};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (starts[i] != 0 && !seq_before(seq, pool->nodes[starts[i]].seq))
            return starts[i];
    return list->first;
}

struct sent *sent_find(struct sent_pool *pool, struct sent_list *list,
                       uint32_t seq, uint32_t end)
{
    uint32_t n = start_of(pool, list, seq);

    for (int looked = 0; n != 0 && looked < SENT_LOOKED_AT; looked++) {
        struct sent *sent = &pool->nodes[n];

        list->found = n;
        if (!seq_before(sent->seq, end))
            return NULL;
        if (seq_before(seq, sent->end))
            return sent;
        n = sent->next;
    }
    return NULL;
}

const struct sent *sent_acked(struct sent_pool *pool, struct sent_list *list,
                              uint32_t ack)
{
    const struct sent *newest = NULL;

    while (list->unacked != 0 &&
           !seq_before(ack, pool->nodes[list->unacked].end)) {
        newest = &pool->nodes[list->unacked];
        list->unacked = newest->next;
        list->acked++;
    }
    while (list->acked > KEPT)
        drop_first(pool, list);
    return newest;
}
