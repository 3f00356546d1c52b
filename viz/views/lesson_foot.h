/*
 * The foot of a lesson's text, always in sight: what is to be typed, the
 * ticks, a hint, and what to do now. For views/lesson.c.
 */
#ifndef VIZ_VIEWS_LESSON_FOOT_H
#define VIZ_VIEWS_LESSON_FOOT_H

#include "viz/views/lesson.h"

/* The rows that it needs, at most `most`: then view->compact may be set. */
int lesson_foot_rows(struct lesson_view *view, struct area area, int most);
/* Where it is too long: the line that is awaited, and what stands near it. */
void lesson_foot_draw(const struct lesson_view *view, struct area area);

#endif
