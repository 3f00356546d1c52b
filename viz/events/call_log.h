/*
 * The programs' calls in the order of their return, the newest CALL_LOG_MOST of
 * them. They come late and out of order: each finds its place. Pure C.
 */
#ifndef VIZ_EVENTS_CALL_LOG_H
#define VIZ_EVENTS_CALL_LOG_H

#include "viz/events/event.h"

enum { CALL_LOG_MOST = 16384 };

/* Zeroed is empty. */
struct call_log {
    struct program_call *calls; /* a ring, made for the first */
    size_t first, count;
};

void call_log_fini(struct call_log *log);
/* A call without a port before it, of the same descriptor, is of the same side:
 * that is filled in. When memory is short the call is not kept. */
void call_log_add(struct call_log *log, const struct program_call *call);
/* The n-th, oldest first; NULL past the end. */
const struct program_call *call_log_at(const struct call_log *log, size_t n);
/* The place of the first that returned at `time_ns` or later. */
size_t call_log_from(const struct call_log *log, int64_t time_ns);

#endif
