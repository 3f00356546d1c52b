/*
 * A step's blocks, drawn as a strip of rows of which a window is seen. For
 * views/lesson.c.
 */
#ifndef VIZ_VIEWS_LESSON_TEXT_H
#define VIZ_VIEWS_LESSON_TEXT_H

#include "viz/lesson/player.h"
#include "viz/screen/canvas.h"

/* Where the next row of the strip goes. */
struct strip {
    struct area area; /* the window */
    int from;         /* row of the strip at the top of the window */
    int row;          /* next row of the strip */
};

/* All of the step but its ticks and what is to be typed. */
void strip_step(struct strip *strip, const struct player *player,
                const struct step *step);
/* What is to be typed, where, and which keys to press; `compact`: without a
 * row that says where, a letter before each row does. */
void strip_typed(struct strip *strip, const struct block *block, bool compact);
/* Prose from `column` on, with what stands in `backticks` in strong style;
 * wrapped. */
void strip_prose(struct strip *strip, int column, enum style style,
                 const char *text);

#endif
