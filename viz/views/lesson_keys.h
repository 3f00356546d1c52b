/*
 * The keys of a lesson: one table for the key bar, for the help and for what
 * is done when one is pressed (lesson_view_key() in lesson.h). For
 * views/lesson.c.
 */
#ifndef VIZ_VIEWS_LESSON_KEYS_H
#define VIZ_VIEWS_LESSON_KEYS_H

#include "viz/views/lesson.h"

/* Those that are of use now, as many as fit. */
void lesson_keys_draw(const struct lesson_view *view, struct area bar);
void lesson_keys_help(struct area area);

#endif
