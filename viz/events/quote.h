/*
 * A sentence of ours that quotes somebody's bytes: what a terminal would obey,
 * or cannot show, becomes a dot. Pure C.
 */
#ifndef VIZ_EVENTS_QUOTE_H
#define VIZ_EVENTS_QUOTE_H

#include <stddef.h>

/* The text as printable UTF-8 in `to` of `size` bytes, cut at a whole
 * character; `to` may be the text itself. */
void quote(char *to, size_t size, const char *text);

#endif
