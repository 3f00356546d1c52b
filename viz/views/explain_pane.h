/*
 * The pane that explains one packet: what it is, why it was sent, which state
 * moved, which C call caused it or returns by it, where the RFC says so. The
 * texts are viz/explain's; here they are put together and laid out.
 */
#ifndef VIZ_VIEWS_EXPLAIN_PANE_H
#define VIZ_VIEWS_EXPLAIN_PANE_H

#include "viz/views/words.h"

/* 1: what it is and what moved; 2: also why and which call; 3: also how it
 * works underneath, the proof, the numbers and the first bytes of payload. */
enum { EXPLAIN_LEVELS = 3 };

/* Draws from line `top` of the text on; returns how many lines the text has in
 * an area of this width, drawn or not. */
int explain_pane(struct area area, const struct store_row *row, int level,
                 int top);

#endif
