/*
 * The state diagram of RFC 9293 (3.3.2, figure 5) as a picture that scales:
 * eleven states, the moves between them, where both ends are and which way
 * they came. CLOSED stands twice, as the beginning and as the end.
 */
#ifndef VIZ_VIEWS_AUTOMATON_H
#define VIZ_VIEWS_AUTOMATON_H

#include "viz/screen/canvas.h"
#include "viz/track/track.h"

enum { AUTOMATON_ROWS = 18, AUTOMATON_COLUMNS = 74 };

/* One end's way through it. Zeroed: has not begun. */
struct automaton_way {
    enum tcp_state at; /* where it is; TCP_UNKNOWN: nowhere yet */
    bool assumed;      /* no packet proves it */
    bool moved;        /* it has left where it began */
    uint32_t taken;    /* bit n: has gone along wire n of the picture */
    uint32_t newest;   /* ... with the newest packet */
};

/* The end went from `before` to `after`; `newest`: with the packet that is
 * looked at. Steps over a state in between that no packet showed. */
void automaton_go(struct automaton_way *way, enum tcp_state before,
                  enum tcp_state after, bool newest);

/* Needs AUTOMATON_ROWS by AUTOMATON_COLUMNS; uses more. */
void automaton_draw(struct area area, const struct automaton_way ways[2]);

#endif
