/* See holes.h. Filling the middle of a hole makes two of it. */
#include "viz/track/holes.h"

#include <errno.h>
#include <stdlib.h>

#include "viz/track/serial.h"

int holes_reserve(struct hole_pool *pool)
{
    struct hole *nodes;
    uint32_t size, spare = 0;

    for (uint32_t n = pool->free; n != 0 && spare < 2; n = pool->nodes[n].next)
        spare++;
    if (spare + (pool->size - pool->used) >= 2 && pool->size > 0)
        return 0;
    size = pool->size == 0 ? 64 : pool->size * 2;
    if (size <= pool->size) {
        errno = ENOMEM;
        return -1;
    }
    nodes = realloc(pool->nodes, size * sizeof(*nodes));
    if (nodes == NULL)
        return -1;
    if (pool->size == 0)
        pool->used = 1; /* index 0 says "none" */
    pool->nodes = nodes;
    pool->size = size;
    return 0;
}

void holes_fini(struct hole_pool *pool)
{
    free(pool->nodes);
    *pool = (struct hole_pool){0};
}

static uint32_t node_take(struct hole_pool *pool)
{
    uint32_t n = pool->free;

    if (n != 0)
        pool->free = pool->nodes[n].next;
    else
        n = pool->used++;
    return n;
}

static void node_give(struct hole_pool *pool, uint32_t n)
{
    pool->nodes[n].next = pool->free;
    pool->free = n;
}

static void drop_first(struct hole_pool *pool, struct holes *holes)
{
    uint32_t n = holes->first;

    holes->first = pool->nodes[n].next;
    holes->count--;
    node_give(pool, n);
}

void holes_clear(struct hole_pool *pool, struct holes *holes)
{
    while (holes->first != 0)
        drop_first(pool, holes);
}

void holes_forget(struct hole_pool *pool, struct holes *holes, uint32_t edge,
                  uint32_t reach)
{
    while (holes->first != 0 && edge - pool->nodes[holes->first].left > reach)
        drop_first(pool, holes);
}

void holes_add(struct hole_pool *pool, struct holes *holes, uint32_t left,
               uint32_t right)
{
    uint32_t n, *link = &holes->first;

    if (holes->count == HOLES_MOST)
        drop_first(pool, holes);
    n = node_take(pool);
    while (*link != 0)
        link = &pool->nodes[*link].next;
    *link = n;
    pool->nodes[n] = (struct hole){left, right, 0};
    holes->count++;
}

/* How much of [left, right) lies in the hole, and where. */
static uint32_t overlap(const struct hole *hole, uint32_t *left,
                        uint32_t *right)
{
    if (seq_before(*left, hole->left))
        *left = hole->left;
    if (seq_after(*right, hole->right))
        *right = hole->right;
    return seq_after(*right, *left) ? *right - *left : 0;
}

uint32_t holes_within(const struct hole_pool *pool, const struct holes *holes,
                      uint32_t left, uint32_t right)
{
    uint32_t bytes = 0;

    for (uint32_t n = holes->first; n != 0; n = pool->nodes[n].next) {
        uint32_t from = left, to = right;

        bytes += overlap(&pool->nodes[n], &from, &to);
    }
    return bytes;
}

/* Take [left, right), which lies inside it, out of the hole at *link; returns
 * the link to go on from, NULL when it was the middle of that hole: then no
 * other can be concerned. */
static uint32_t *cut(struct hole_pool *pool, struct holes *holes,
                     uint32_t *link, uint32_t left, uint32_t right)
{
    uint32_t n = *link;
    struct hole *hole = &pool->nodes[n];

    if (hole->left == left && hole->right == right) {
        *link = hole->next;
        holes->count--;
        node_give(pool, n);
        return link;
    }
    if (hole->left == left) {
        hole->left = right;
    } else if (hole->right == right) {
        hole->right = left;
    } else {
        uint32_t rest = node_take(pool);

        pool->nodes[rest] = (struct hole){right, hole->right, hole->next};
        hole->right = left;
        hole->next = rest;
        holes->count++;
        return NULL;
    }
    return &hole->next;
}

uint32_t holes_fill(struct hole_pool *pool, struct holes *holes, uint32_t left,
                    uint32_t right)
{
    uint32_t bytes = 0, *link = &holes->first;

    while (link != NULL && *link != 0) {
        uint32_t from = left, to = right;
        uint32_t seen = overlap(&pool->nodes[*link], &from, &to);

        if (seen == 0) {
            link = &pool->nodes[*link].next;
            continue;
        }
        bytes += seen;
        link = cut(pool, holes, link, from, to);
    }
    if (holes->count > HOLES_MOST)
        drop_first(pool, holes);
    return bytes;
}
