/*
 * What the packets of one flow cost: counted over the rows of the store, so
 * that TCP and UDP can stand side by side and a replay counts what has come by
 * then.
 */
#ifndef VIZ_VIEWS_TALLY_H
#define VIZ_VIEWS_TALLY_H

#include "viz/events/store.h"

enum { TALLY_BINS = 60 };

struct tally {
    const struct flow *flow;
    uint64_t packets, carrying;  /* all; those with payload */
    uint64_t wire, payload;      /* bytes; wire: with all headers */
    uint64_t opening;            /* packets before the first payload */
    int64_t opening_ns;          /* and how long that took */
    uint64_t only_acks, closing; /* ACK and nothing else; FIN or RST */
    uint64_t turns;              /* a packet the other way than before */
    uint64_t again, reordered;   /* sent again; came late */
    uint64_t unreachable;        /* ICMP errors about it */
    uint64_t sent[2];            /* packets with payload, by enum flow_side */
    int64_t first_ns, last_ns;
    uint64_t bins[TALLY_BINS]; /* wire bytes by time since first_ns */
};

/* The flow's rows at places [0, rows) of the store. `span_ns`: the time that
 * the bins cover, 0: the flow's own. */
void tally_flow(struct tally *tally, const struct store *store, size_t rows,
                const struct flow *flow, int64_t span_ns);

#endif
