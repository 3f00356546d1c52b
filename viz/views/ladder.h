/*
 * The ladder: client left, server right, an arrow a packet between their
 * states. The ladder view, the lesson's live pane and `viz --text` all draw
 * these rows, so that they cannot differ.
 */
#ifndef VIZ_VIEWS_LADDER_H
#define VIZ_VIEWS_LADDER_H

#include "viz/events/store.h"
#include "viz/screen/canvas.h"

/* How wide a row is drawn: columns of time, states and arrow for an area of
 * `columns`; states are left out when there is no room. */
void ladder_header(struct area area, int row, const struct flow *flow,
                   const struct store *store);
/* One packet on one row of the area. `previous` is the row above of the same
 * ladder (for the time between), or NULL. */
void ladder_row(struct area area, int row, const struct store_row *packet,
                const struct store_row *previous, int64_t start_ns);
/* The newest rows that fit, of one flow (id) or of all (-1), with headers, and
 * the kernel's states beside ours at the foot: the lesson's live pane. */
void ladder_pane(struct area area, const struct store *store, int64_t flow);

#endif
