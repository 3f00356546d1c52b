/*
 * Which sequence numbers below the highest have not been seen: a short sorted
 * list a flow end, out of a pool that all share. With it a byte is counted
 * once, and a late segment is told from one that was seen before.
 */
#ifndef VIZ_TRACK_HOLES_H
#define VIZ_TRACK_HOLES_H

#include <stdint.h>

enum { HOLES_MOST = 64 }; /* an end; past that the lowest is forgotten */

struct hole {
    uint32_t left, right; /* [left, right) was not seen */
    uint32_t next;        /* index in the pool; 0: none */
};

struct hole_pool {
    struct hole *nodes; /* nodes[0] is not used */
    uint32_t size, used;
    uint32_t free; /* list of free ones, through next */
};

struct holes {
    uint32_t first;
    uint32_t count;
};

/* Make sure that two more holes fit, whatever comes. 0, or -1 with ENOMEM. */
int holes_reserve(struct hole_pool *pool);
void holes_fini(struct hole_pool *pool);

/* [left, right) was skipped; it lies above all others. */
void holes_add(struct hole_pool *pool, struct holes *holes, uint32_t left,
               uint32_t right);
/* [left, right) has been seen; how many of its bytes were in holes. */
uint32_t holes_fill(struct hole_pool *pool, struct holes *holes, uint32_t left,
                    uint32_t right);
/* The same without changing anything. */
uint32_t holes_within(const struct hole_pool *pool, const struct holes *holes,
                      uint32_t left, uint32_t right);
/* Forget those that begin more than `reach` before `edge`: far behind, numbers
 * can no longer be compared. */
void holes_forget(struct hole_pool *pool, struct holes *holes, uint32_t edge,
                  uint32_t reach);
void holes_clear(struct hole_pool *pool, struct holes *holes);

#endif
