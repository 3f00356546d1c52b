/*
 * What an end has sent and the other has not acknowledged yet, and the last
 * few that it has: a short list an end, out of a pool that all share. With it
 * a segment sent again is tied to its original, and an acknowledgement to what
 * it acknowledges. Bounded: when the pool is full the oldest of a list goes.
 */
#ifndef VIZ_TRACK_SENT_H
#define VIZ_TRACK_SENT_H

#include <stdint.h>

struct sent {
    uint32_t seq, end; /* [seq, end), SYN and FIN counted */
    uint32_t next;     /* index in the pool; 0: none */
    uint16_t times;    /* how often it was sent, the first included */
    uint16_t ip_id;    /* when it was sent first, as are: */
    uint32_t ts;       /* its timestamp, and */
    uint8_t ttl;
    uint64_t number; /* of the packet that carried it first */
    int64_t time_ns; /* when it was sent last */
};

struct sent_pool {
    struct sent *nodes; /* nodes[0] is not used */
    uint32_t size, used;
    uint32_t free; /* list of free ones, through next */
};

struct sent_list {
    uint32_t first, last;
    uint32_t unacked; /* the first that is not acknowledged whole; 0: none */
    uint32_t found;   /* where the last search ended; 0: nowhere */
    uint32_t count, acked;
};

/* That one search looks at, at most: a list is long when the acknowledgements
 * were not captured. The next search goes on from there. */
enum { SENT_LOOKED_AT = 1024 };

/* Make sure that one more fits, if one more may be. 0, or -1 with ENOMEM. */
int sent_reserve(struct sent_pool *pool);
void sent_fini(struct sent_pool *pool);

/* [seq, end) lies above all others. */
void sent_add(struct sent_pool *pool, struct sent_list *list,
              const struct sent *sent);
/* The first that has a byte of [seq, end), NULL without one, or when that is
 * too far. Valid until the next sent_reserve(). */
struct sent *sent_find(struct sent_pool *pool, struct sent_list *list,
                       uint32_t seq, uint32_t end);
/* All below `ack` has arrived: the newest segment that this says of, NULL when
 * it is none. Valid until the pool is changed. */
const struct sent *sent_acked(struct sent_pool *pool, struct sent_list *list,
                              uint32_t ack);
void sent_clear(struct sent_pool *pool, struct sent_list *list);

#endif
