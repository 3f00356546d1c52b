/*
 * Where things stand in a row of the ladder, computed from the width of its
 * area alone, so that what stands under one another belongs together: the
 * state in a packet's row, the state now, the kernel's state.
 */
#ifndef VIZ_VIEWS_LAYOUT_H
#define VIZ_VIEWS_LAYOUT_H

#include "viz/screen/canvas.h"

/* Columns; a width of 0 means left out. */
struct layout {
    int time, time_columns;
    int since, since_columns; /* time since the row above */
    int id, id_columns;
    int state_columns;
    int client, left; /* client's state, its lifeline */
    int lane, lane_columns;
    int right, server; /* server's lifeline, its state */
    int letter;
};

struct layout lay_out(int columns);

/* Text in so many columns from that one on, at their right, in their middle. */
void text_right(struct area area, int row, int column, int columns,
                enum style style, const char *text);
void text_middle(struct area area, int row, int column, int columns,
                 enum style style, const char *text);

#endif
