/* See change_log.h. */
#include "viz/events/change_log.h"

#include <stdlib.h>

void change_log_fini(struct change_log *log)
{
    free(log->changes);
    *log = (struct change_log){0};
}

void change_log_add(struct change_log *log, const struct event *event)
{
    struct kernel_change *change;

    if (!log->changes)
        log->changes = malloc(CHANGE_LOG_MOST * sizeof *log->changes);
    if (!log->changes)
        return;
    if (log->count == CHANGE_LOG_MOST)
        log->first = (log->first + 1) % CHANGE_LOG_MOST;
    else
        log->count++;
    change = &log->changes[(log->first + log->count - 1) % CHANGE_LOG_MOST];
    change->time_ns = event->time_ns;
    change->gone = event->kind == EVENT_GONE;
    change->socket = event->socket;
}

const struct kernel_change *change_log_at(const struct change_log *log,
                                          size_t n)
{
    return n < log->count ? &log->changes[(log->first + n) % CHANGE_LOG_MOST]
                          : NULL;
}

size_t change_log_from(const struct change_log *log, int64_t time_ns)
{
    size_t low = 0, high = log->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (change_log_at(log, middle)->time_ns < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
