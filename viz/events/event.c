/* See event.h: the words of the event stream. */
#include "viz/events/event.h"

#include <string.h>

static const char *const calls[WAIT_CALLS] = {
    [WAIT_OTHER] = "another call", [WAIT_ACCEPT] = "accept",
    [WAIT_RECV] = "recv",          [WAIT_SEND] = "send",
    [WAIT_CONNECT] = "connect",    [WAIT_SELECT] = "select",
    [WAIT_POLL] = "poll",          [WAIT_EPOLL] = "epoll",
};

const char *wait_call_name(enum wait_call call)
{
    if ((unsigned)call >= WAIT_CALLS)
        call = WAIT_OTHER;
    return calls[call];
}

enum wait_call wait_call_from_name(const char *name)
{
    for (int i = WAIT_OTHER + 1; i < WAIT_CALLS; i++)
        if (strcmp(name, calls[i]) == 0)
            return (enum wait_call)i;
    return WAIT_OTHER;
}
