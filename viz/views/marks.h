/* Packets that the reader has marked, and jumps between packets that belong
 * together. */
#ifndef VIZ_VIEWS_MARKS_H
#define VIZ_VIEWS_MARKS_H

#include "viz/views/view.h"

/* Mark the packet, or take its mark away. */
void marks_toggle(struct viewer *viewer, uint64_t number);
bool marks_has(const struct viewer *viewer, uint64_t number);
/* The next marked packet after this one, round again at the end; 0: none. */
uint64_t marks_next(const struct viewer *viewer, uint64_t number);

/* m, ' and o in a view of packets, with `number` selected; whether the key
 * was one of them. */
bool marks_key(struct viewer *viewer, int key, uint64_t number);

#endif
