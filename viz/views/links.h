/*
 * Which packet was sent again as which: found by sequence numbers in the rows
 * of the store, and kept as the store grows. And which connections the
 * reader's filter lets pass.
 */
#ifndef VIZ_VIEWS_LINKS_H
#define VIZ_VIEWS_LINKS_H

#include "viz/events/filter.h"
#include "viz/events/store.h"

struct link {
    uint64_t original, again; /* packet numbers */
    bool lost; /* nothing acknowledged the original before it was sent again */
};

/* Zeroed is empty. */
struct links {
    const struct store *store; /* of which they are */
    uint64_t upto;             /* packets looked at */
    struct link *items;        /* by `again`, ascending */
    size_t count, room;
};

void links_fini(struct links *links);
/* Take in the rows that have come since, of this store. */
void links_update(struct links *links, const struct store *store);
/* The packet that this one repeats; 0: none. */
uint64_t links_original(const struct links *links, uint64_t again);
/* The packet that repeats this one, by all signs since it was lost and not
 * later than packet `upto`; 0: none. */
uint64_t links_lost(const struct links *links, uint64_t original,
                    uint64_t upto);

/* A bit a flow, by id: whether one of its packets passes the filter. */
struct matches {
    const struct store *store;
    uint64_t upto;
    uint8_t *bits;
    size_t room; /* bytes */
};

void matches_fini(struct matches *matches);
/* Begin anew: after the filter changed. */
void matches_forget(struct matches *matches);
void matches_update(struct matches *matches, const struct store *store,
                    const struct filter *filter);
bool matches_flow(const struct matches *matches, uint32_t id);

#endif
