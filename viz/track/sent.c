/* See sent.h. */
#include "viz/track/sent.h"

#include <errno.h>
#include <stdlib.h>

#include "viz/track/holes.h"

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

struct sent *sent_find(struct sent_pool *pool, const struct sent_list *list,
                       uint32_t seq, uint32_t end)
{
    for (uint32_t n = list->first; n != 0; n = pool->nodes[n].next) {
        struct sent *sent = &pool->nodes[n];

        if (seq_before(seq, sent->end) && seq_before(sent->seq, end))
            return sent;
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
