/*
 * What the preload library tells viz: a ring of records in a file that both
 * know. Writers take a number each, fill its slot and put the number in last;
 * none ever waits, and who is overtaken has lost records, not time. The file is
 * as writable to the program as to the library: the reader believes nothing.
 */
#ifndef VIZ_CALLS_TRACE_H
#define VIZ_CALLS_TRACE_H

#include <stdatomic.h>
#include <stdint.h>

enum trace_function {
    TRACE_NONE,
    TRACE_SOCKET,
    TRACE_BIND,
    TRACE_LISTEN,
    TRACE_ACCEPT,
    TRACE_CONNECT,
    TRACE_RECV,
    TRACE_RECVFROM,
    TRACE_RECVMSG,
    TRACE_READ,
    TRACE_READV,
    TRACE_SEND,
    TRACE_SENDTO,
    TRACE_SENDMSG,
    TRACE_WRITE,
    TRACE_WRITEV,
    TRACE_SETSOCKOPT,
    TRACE_SHUTDOWN,
    TRACE_CLOSE,
    TRACE_POLL,
    TRACE_SELECT,
    TRACE_EPOLL_WAIT,
    TRACE_FUNCTIONS
};

enum { TRACE_RECORDS = 8192, TRACE_VERSION = 2 };

/* Who is to tell. */
enum trace_whose {
    TRACE_ALL = 1,
    TRACE_OWN /* programs that do not come with the system: what lies in none
                 of the folders where it puts its own (ss, curl and bash there
                 keep silent) */
};

struct trace_record {
    atomic_uint_least64_t number; /* from 1 on; 0 while it is written */
    int64_t began_ns, ended_ns;   /* CLOCK_REALTIME */
    int64_t length;               /* as struct call_record has it */
    int64_t result;
    int32_t error; /* errno when result is -1 */
    int32_t fd;    /* accept: the listener. poll, select: the first that was
                      ready, else the first asked for */
    int32_t pid, tid;
    uint16_t local_port, remote_port; /* 0: not known, or none yet */
    uint8_t function;                 /* enum trace_function */
    uint8_t protocol;                 /* IPPROTO_TCP, IPPROTO_UDP */
    uint8_t unused[2];
};

struct trace {
    uint64_t version;
    uint64_t whose; /* enum trace_whose; both written before any program runs */
    atomic_uint_least64_t newest; /* the number that was given out last */
    struct trace_record record[TRACE_RECORDS]; /* number n at (n - 1) % all */
};

/* The environment variable with the file's path; children inherit it. */
#define TRACE_VARIABLE "TWO_TERMINALS_TRACE"

#endif
