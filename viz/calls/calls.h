/*
 * The preload library build/lib/calls.so, seen from outside: what it is asked
 * to do to a program's socket calls (short counts, EINTR, one failure, errno
 * left dirty after success) and the log that it shares with who asked. Calls
 * on descriptors that are no sockets pass untouched. stdio's own writes and
 * static programs cannot be reached: then `announced` stays 0.
 */
#ifndef VIZ_CALLS_CALLS_H
#define VIZ_CALLS_CALLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum call_name {
    CALL_NONE,
    CALL_SOCKET,
    CALL_BIND,
    CALL_LISTEN,
    CALL_ACCEPT,
    CALL_CONNECT,
    CALL_RECV, /* recv, read, recvfrom, recvmsg, readv */
    CALL_SEND, /* send, write, sendto, sendmsg, writev */
    CALL_SETSOCKOPT,
    CALL_SHUTDOWN,
    CALL_CLOSE,
    CALL_NAMES
};

enum { CALLS_RECORDS = 4096, CALLS_FAILURES = 4 };

struct calls_plan {
    bool log;             /* nothing else: only look */
    bool short_counts;    /* S-SHORT: recv and send move half of what was asked,
                          at least 1 byte */
    uint32_t eintr_every; /* S-EINTR(k): about every k-th accept, recv and send
                             fails with EINTR first; 0: none */
    struct {              /* S-FAIL(fn, k, errno) */
        enum call_name call;
        uint32_t nth; /* from 1 */
        int error;
    } fail[CALLS_FAILURES];
    int dirty_errno; /* what a successful call leaves in errno; 0: clean */
};

struct call_record {
    uint8_t call;     /* enum call_name */
    uint8_t injected; /* the plan changed this call */
    uint8_t seen;     /* this call returned (0: it is still inside) */
    int32_t fd;
    int64_t length; /* recv, send: as the program asked. setsockopt: the option
                       | level << 32. listen: the backlog. bind: the port |
                       IPv4 address << 32, as numbers of this machine */
    int64_t result;
    int32_t error; /* errno when result is -1 */
};

/* Shared memory. Records are in the order in which the calls began. */
struct calls_log {
    struct calls_plan plan;        /* written before the program starts */
    atomic_uint announced;         /* the library is in the program */
    atomic_uint count;             /* records begun; may pass CALLS_RECORDS */
    atomic_uint calls[CALL_NAMES]; /* how often each was called */
    atomic_uint injected[CALL_NAMES]; /* how often the plan changed it */
    struct call_record record[CALLS_RECORDS];
};

/* The environment variable with the log's descriptor; gone before main(). */
#define CALLS_VARIABLE "TWO_TERMINALS_CALLS"

#endif
