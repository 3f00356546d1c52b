/*
 * Between calls.c (orders and log) and wrap.c (the calls themselves), inside
 * the student's program. A record is NULL when nobody asked for anything.
 */
#ifndef VIZ_CALLS_INSIDE_H
#define VIZ_CALLS_INSIDE_H

#include <stddef.h>

#include "viz/calls/calls.h"

bool inside_socket(int fd); /* and somebody asked; keeps errno */
/* A call begins: *error is the errno that it must fail with, or 0. */
struct call_record *inside_begin(enum call_name call, int fd, int64_t length,
                                 int *error);
void inside_changed(struct call_record *record); /* the plan altered it */
/* It ended; leaves errno as planned and returns result. */
int64_t inside_end(struct call_record *record, int64_t result, int error);
/* S-SHORT: how many bytes to really move. */
size_t inside_shorten(struct call_record *record, size_t length);

#endif
