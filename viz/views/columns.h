/*
 * One row of the connections view, in columns that fit the area.
 */
#ifndef VIZ_VIEWS_COLUMNS_H
#define VIZ_VIEWS_COLUMNS_H

#include "viz/views/view.h"

/* The flow on a row of the area; NULL: the titles. */
void columns_draw(const struct viewer *viewer, struct area area, int row,
                  const struct flow *flow);

#endif
