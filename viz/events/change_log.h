/*
 * What the looks into the kernel's tables found changed, in order: the newest
 * CHANGE_LOG_MOST of it. Pure C.
 */
#ifndef VIZ_EVENTS_CHANGE_LOG_H
#define VIZ_EVENTS_CHANGE_LOG_H

#include "viz/events/event.h"

enum { CHANGE_LOG_MOST = 16384 };

struct kernel_change {
    int64_t time_ns;
    bool gone; /* the kernel has it no longer */
    struct socket_sample socket;
};

/* Zeroed is empty. */
struct change_log {
    struct kernel_change *changes; /* a ring, made for the first */
    size_t first, count;
};

void change_log_fini(struct change_log *log);
/* An EVENT_SOCKET or EVENT_GONE. When memory is short it is not kept. */
void change_log_add(struct change_log *log, const struct event *event);
/* The n-th, oldest first; NULL past the end. */
const struct kernel_change *change_log_at(const struct change_log *log,
                                          size_t n);
/* The place of the first at `time_ns` or later. */
size_t change_log_from(const struct change_log *log, int64_t time_ns);

#endif
