/*
 * Between calls.c (orders and log), trace.c (what viz is told) and wrap.c (the
 * calls themselves), inside the student's program.
 */
#ifndef VIZ_CALLS_INSIDE_H
#define VIZ_CALLS_INSIDE_H

#include <stddef.h>
#include <sys/socket.h>

#include "viz/calls/calls.h"
#include "viz/calls/trace.h"

/* One call while it is under way, on the wrapper's stack. */
struct inside_call {
    enum call_name name; /* CALL_NONE: not for the log, never changed */
    enum trace_function function;
    int fd;
    int64_t length;
    const struct sockaddr *to; /* who is named: read only once the kernel
                                  has read it too */
    socklen_t to_length;

    struct call_record *record; /* NULL: nobody asked for the log */
    int64_t began_ns;           /* 0: nobody asked for a trace */
    uint64_t socket;            /* close: what it was, see trace.c */
};

bool inside_socket(int fd); /* and somebody asked; keeps errno */
bool inside_planned(void);  /* calls are logged, and may be changed */
/* It begins: the errno that it must fail with, or 0. */
int inside_begin(struct inside_call *call);
/* It ended; leaves errno as planned and returns result. */
int64_t inside_end(struct inside_call *call, int64_t result, int error);
/* S-SHORT: how many bytes to really move. */
size_t inside_shorten(struct inside_call *call, size_t length);

/* --- trace.c: none of these changes errno ---------------------------------- */

/* Before main(): whether viz asked. */
void trace_open(void);
bool trace_wanted(void);
void trace_begin(struct inside_call *call);
void trace_end(const struct inside_call *call, int64_t result, int error);

#endif
