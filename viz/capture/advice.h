/*
 * What a person is told when a capture cannot be had: what was refused, why,
 * and what to type next. No control byte of a path or a library's message
 * reaches the text.
 */
#ifndef VIZ_CAPTURE_ADVICE_H
#define VIZ_CAPTURE_ADVICE_H

#include "viz/capture/capture.h"

void advice_set(struct capture_error *error, int kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The kernel refused a packet socket: at most 8 lines, with the real path of
 * this program in the lines to type. */
void advice_permission(struct capture_error *error, const char *interface);

/* No such interface, and which there are. */
void advice_no_device(struct capture_error *error, const char *interface);

#endif
