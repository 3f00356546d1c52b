/*
 * The facts since a block was opened that its lines may still ask for: a line
 * whose turn comes looks back at what happened while the line before it was
 * not yet seen to be true. Bounded; the oldest go first. Pure C.
 */
#ifndef VIZ_EVENTS_FACT_LOG_H
#define VIZ_EVENTS_FACT_LOG_H

#include "viz/events/observed.h"

enum {
    LOG_FACTS = 4096,    /* at most */
    LOG_BYTES = 1 << 20, /* of all copies, at most */
    LOG_COPY = 4096      /* of one fact's bytes; behind them is a gap */
};

/* Zeroed is empty. */
struct fact_log {
    struct fact *facts; /* a ring; their bytes are copies, owned */
    size_t room, first, count, bytes;
};

void fact_log_fini(struct fact_log *log);
void fact_log_clear(struct fact_log *log);
/* When memory is short the fact is not kept. */
void fact_log_add(struct fact_log *log, const struct fact *fact);
void fact_log_drop(struct fact_log *log); /* the oldest */
/* The n-th, oldest first; NULL past the end. */
const struct fact *fact_log_at(const struct fact_log *log, size_t n);

#endif
