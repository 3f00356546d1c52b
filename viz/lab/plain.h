/*
 * For terminals that would print them: takes the OSC sequences, our prompt's
 * marks among them, out of what is shown. Pure C.
 */
#ifndef VIZ_LAB_PLAIN_H
#define VIZ_LAB_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

struct plain {
    int state; /* all zero at the start */
};

/* Whether a terminal of this TERM (NULL: none set) is such a one. */
bool plain_needed(const char *term);
/* Copy what may be shown of `length` bytes, in any cut, to `shown`, which has
 * room for one more (an ESC at the end waits for the byte after it). How many
 * those are. */
size_t plain_strip(struct plain *plain, const char *bytes, size_t length,
                   char *shown);

#endif
