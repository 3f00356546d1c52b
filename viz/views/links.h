/*
 * Which packet was sent again as which: what the verdicts of the store's rows
 * say, kept as the store grows. And which connections the
 * reader's filter lets pass.
 */
#ifndef VIZ_VIEWS_LINKS_H
#define VIZ_VIEWS_LINKS_H

#include "viz/events/filter.h"
#include "viz/events/store.h"

struct link {
    uint64_t original, again; /* packet numbers */
    uint64_t previous;        /* the copy before this one */
    bool report; /* `again` is none itself: its D-SACK tells of one */
    bool lost;   /* `previous` was not acknowledged before this one was sent,
                    and no D-SACK has told since that both arrived */
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
/* What this packet repeats, or reports by D-SACK; NULL: nothing. Valid until
 * the next update. */
const struct link *links_of(const struct links *links, uint64_t again);
/* The first packet that repeats this one, lost or not; 0: none. */
uint64_t links_again(const struct links *links, uint64_t original);
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
