/* See call_log.h. */
#include "viz/events/call_log.h"

#include <stdlib.h>

void call_log_fini(struct call_log *log)
{
    free(log->calls);
    *log = (struct call_log){0};
}

static struct program_call *call_at(const struct call_log *log, size_t n)
{
    return &log->calls[(log->first + n) % CALL_LOG_MOST];
}

/* socket(), setsockopt() and their like come before the socket has a port: now
 * that it has one they are of the same side. */
static void tell_earlier(struct call_log *log, size_t at)
{
    enum { CALLS_BACK = 64 };
    const struct program_call *call = call_at(log, at);

    for (size_t n = at; n-- > 0 && at - n <= CALLS_BACK;) {
        struct program_call *before = call_at(log, n);
        bool made = before->function == CALLED_SOCKET &&
                    before->result == call->fd;

        if (before->pid != call->pid || (before->fd != call->fd && !made))
            continue;
        if (before->function == CALLED_CLOSE)
            return;
        if (!before->has_side) {
            before->has_side = true;
            before->side = call->side;
            before->flow = call->flow;
            before->local_port = call->local_port;
        }
        if (made)
            return;
    }
}

void call_log_add(struct call_log *log, const struct program_call *call)
{
    size_t at;

    if (!log->calls)
        log->calls = calloc(CALL_LOG_MOST, sizeof *log->calls);
    if (!log->calls)
        return;
    if (log->count == CALL_LOG_MOST)
        log->first = (log->first + 1) % CALL_LOG_MOST;
    else
        log->count++;
    for (at = log->count - 1; at > 0; at--) {
        if (call_at(log, at - 1)->ended_ns <= call->ended_ns)
            break;
        *call_at(log, at) = *call_at(log, at - 1);
    }
    *call_at(log, at) = *call;
    if (call->has_side && call->fd >= 0)
        tell_earlier(log, at);
}

const struct program_call *call_log_at(const struct call_log *log, size_t n)
{
    return n < log->count ? call_at(log, n) : NULL;
}

size_t call_log_from(const struct call_log *log, int64_t time_ns)
{
    size_t low = 0, high = log->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (call_at(log, middle)->ended_ns < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
