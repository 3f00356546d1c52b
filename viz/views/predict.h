/*
 * Predict: the next packet is hidden, the reader says what it will be and
 * which state it leads to, then it is shown. A score is kept. Works on what
 * was captured, live or from a file; questions depend on the packet alone, so
 * that the same keys give the same score.
 */
#ifndef VIZ_VIEWS_PREDICT_H
#define VIZ_VIEWS_PREDICT_H

#include "viz/views/view.h"

enum { PREDICT_ROWS = 8 };

/* Begin before the selected packet, or end. */
void predict_toggle(struct viewer *viewer);
/* Whether the key was an answer. */
bool predict_key(struct viewer *viewer, int key);
void predict_draw(const struct viewer *viewer, struct area area);

#endif
