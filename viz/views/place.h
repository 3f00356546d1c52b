/*
 * Where the reader is: which packet is selected, and the places of the store
 * that the chosen ladder may show. Shared by the views that go from packet to
 * packet (ladder, diagram).
 */
#ifndef VIZ_VIEWS_PLACE_H
#define VIZ_VIEWS_PLACE_H

#include "viz/views/view.h"

/* The last place in the store that this ladder may show; SIZE_MAX when there
 * is none. */
size_t place_newest(const struct viewer *viewer);
/* The place of a packet by its number; SIZE_MAX when it is not in this ladder
 * (any more). */
size_t place_of(const struct viewer *viewer, uint64_t number);
/* The number of the packet at a place. */
uint64_t place_number(const struct viewer *viewer, size_t place);
/* The selected place, brought up to date; SIZE_MAX when the ladder is empty. */
size_t place_select(struct viewer *viewer);
/* Select the packet that many steps further on (below 0: back), at most the
 * last of the ladder. */
void place_move(struct viewer *viewer, size_t place, int by);
/* The ladder of the flow before (-1) or after (1) the one under the cursor. */
void place_other_flow(struct viewer *viewer, int by);
/* Keys that move the selection alike in each such view. */
enum view_key place_key(struct viewer *viewer, int key);

#endif
