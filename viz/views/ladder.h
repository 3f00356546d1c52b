/*
 * The ladder: client left, server right, an arrow a packet between their
 * states. The ladder view, the lesson's live pane and `viz --text` all draw
 * these rows, so that they cannot differ.
 *
 *    time     client 127.0.0.1:39376             127.0.0.1:7001 server
 *   0.000000  SYN_SENT    |-- SYN seq=0 ------------>| SYN_RECV
 *
 * How much a row says depends on the columns of the area alone: below 46 the
 * time goes, below 34 the states, names of states and labels get shorter
 * before that. Where a state moved it is drawn strongly, else dim; one that no
 * packet proves ends in '?'.
 */
#ifndef VIZ_VIEWS_LADDER_H
#define VIZ_VIEWS_LADDER_H

#include "viz/events/filter.h"
#include "viz/events/store.h"
#include "viz/screen/canvas.h"

enum { LADDER_HEADER_ROWS = 2 };

/* Names and addresses of the two ends above their columns, and the rule from
 * which their lifelines hang. `flow` NULL: of all flows. */
void ladder_header(struct area area, int row, const struct flow *flow,
                   const struct store *store);
/* One packet on one row of the area. `previous` is the row above of the same
 * ladder (for the time between, and the number of the connection when it
 * changes), or NULL. */
void ladder_row(struct area area, int row, const struct store_row *packet,
                const struct store_row *previous, int64_t start_ns);

/* The connection's number in its column: for the first row of a window. */
void ladder_id(struct area area, int row, const struct flow *flow);

/* Whether so much time passed that a row should say so, and that row. */
bool ladder_gap(int64_t from_ns, int64_t to_ns);
void ladder_gap_row(struct area area, int row, int64_t span_ns);

/* The rule above the lifelines, or on which they stand, with a title or "". */
void ladder_rule(struct area area, int row, bool above, const char *title);
/* Below it the states of both ends now, in the ladder's columns: as the wire
 * proved them, or as the kernel has them (with bytes that nobody has read yet,
 * and a sign where it differs from the wire); `words` between. */
void ladder_wire_row(struct area area, int row, const struct flow *flow,
                     const struct store *store, const char *words);
void ladder_kernel_row(struct area area, int row, const struct flow *flow,
                       const struct store *store, const char *words);
/* A listener that the kernel shows, and who waits in its queue. */
void ladder_listener_row(struct area area, int row,
                         const struct socket_sample *listener);

/* Which packets a ladder shows. */
struct choice {
    int64_t flow;                /* of this flow (id), -1: of all */
    const struct filter *filter; /* that pass it; NULL: all */
    bool fold;  /* runs of duplicate ACKs, and of like calls, as one line */
    bool calls; /* the programs' calls between the packets */
};

bool ladder_shows(const struct store_row *packet, struct choice choice);

/* A packet that did not arrive, or was not answered: its arrow breaks off. */
void ladder_lost_row(struct area area, int row, const struct store_row *packet,
                     const struct store_row *previous, int64_t start_ns);

/* Calls of one kind on one socket that stand on one row; mostly there is one. */
struct call_run {
    const struct program_call *newest; /* NULL: no call */
    const struct program_call *oldest;
    int count;
    int64_t moved; /* bytes, by all of them */
    int more;      /* calls before that have no row of their own */
};

bool ladder_shows_call(const struct program_call *call,
                       const struct store *store, struct choice choice);
/* A program's call, where it returned: the client's at the left, the server's
 * at the right; without a time when that was before the first packet. */
void ladder_call_row(struct area area, int row, const struct call_run *run,
                     int64_t start_ns);
/* So many packets in a row that say the same, as one. */
void ladder_fold_row(struct area area, int row, const struct store_row *packet,
                     const struct store_row *previous, int count,
                     int64_t start_ns);

/* The newest rows that fit, of one flow (id) or of all (-1), with headers, and
 * the kernel's states beside ours at the foot: the lesson's live pane. `calls`:
 * with the programs' calls between the packets. */
void ladder_pane(struct area area, const struct store *store, int64_t flow,
                 bool calls);

#endif
