/*
 * What made a line come true, in one line for a person: the packet, the
 * kernel's entry, or what a terminal showed. Pure: an event in, text out.
 */
#ifndef VIZ_LESSON_EVIDENCE_H
#define VIZ_LESSON_EVIDENCE_H

#include <stddef.h>

#include "viz/events/event.h"

/* Into `text`, cut to `size`; returns text. Printable characters only. */
char *evidence_text(const struct event *event, char *text, size_t size);

#endif
