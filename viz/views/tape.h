/*
 * Replay: what was captured, shown as of one packet and moved through in time.
 * Play, pause, a packet on or back, any packet, from a tenth of the speed to a
 * hundred times; a long silence is cut to a second. The views look at the
 * moment's store and notice nothing.
 */
#ifndef VIZ_VIEWS_TAPE_H
#define VIZ_VIEWS_TAPE_H

#include "viz/views/view.h"

/* Show packet `number` as the newest, 0: none yet; paused. */
void tape_seek(struct viewer *viewer, uint64_t number);
/* Back to all that was captured. */
void tape_stop(struct viewer *viewer);
/* Whether the key was one of replay's. */
bool tape_key(struct viewer *viewer, int key);
/* "120" or "3.5s" typed after `:`. */
void tape_go(struct viewer *viewer, const char *text);

/* While it plays: whether it moved by now (any clock that goes on evenly, in
 * ns); and when it wants to be asked next, INT64_MAX: not by itself. */
bool tape_tick(struct viewer *viewer, int64_t now_ns);
int64_t tape_wake(const struct viewer *viewer);

/* "PLAY 12/345 x1" for the title bar; "" without replay. */
char *tape_text(const struct viewer *viewer, char *text, size_t size);

#endif
