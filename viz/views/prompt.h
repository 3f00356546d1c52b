/*
 * The line at the foot of the screen into which the reader types: the filter
 * after `/`, where to go after `:`, a file's name after `x`.
 */
#ifndef VIZ_VIEWS_PROMPT_H
#define VIZ_VIEWS_PROMPT_H

#include "viz/views/view.h"

/* Open it with what is in force now. */
void prompt_open(struct viewer *viewer, char sign);
/* Open it for the name of a file that the connection under the cursor goes
 * into; says so when there is none. */
void prompt_save(struct viewer *viewer);
/* A key while it is open: all of them are its own. */
void prompt_key(struct viewer *viewer, int key);
void prompt_draw(const struct viewer *viewer, struct area bar);

#endif
