/*
 * The load generator's parts. A target is one server under load; every target
 * is loaded in turn, a slice of messages each, so that all of them meet the
 * same minute of the machine, and a figure is always a ratio within a round.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum load_kind { LOAD_STREAM, LOAD_DATAGRAM, LOAD_CONNECTS };

struct load { /* what is asked for; the same for every target */
    enum load_kind kind;
    unsigned connections;
    unsigned in_flight; /* messages on their way in each connection */
    size_t size;        /* of a message, bytes */
    unsigned slice;     /* messages a slice */
    unsigned rounds;
    bool count_calls;
    bool memory; /* of idle connections, instead of all this */
};

/* Nanoseconds by powers of two, each cut into 32: within 3 % of the truth. */
enum { HISTOGRAM_SLOTS = 32 * 40 };
struct histogram {
    uint64_t slots[HISTOGRAM_SLOTS];
    uint64_t total;
};
void histogram_add(struct histogram *h, int64_t ns);
int64_t histogram_at(const struct histogram *h, double share);

struct slice {     /* what one slice showed */
    double cpu_ns; /* the server's, a message */
    double rate;   /* messages a second */
};

struct connection {
    int fd;
    unsigned sent, received; /* messages, in this slice */
    size_t partial;          /* bytes of the next reply already here */
    size_t unsent;           /* bytes the kernel has not taken yet */
    int64_t *times;          /* when each message in flight was sent: a ring */
};

struct target {
    char name[32];
    pid_t pid;
    struct sockaddr_in address;
    unsigned idle; /* further connections that say nothing */
    clockid_t cpu_clock;
    int set; /* epoll */
    struct connection *connections;
    int *idle_fds;
    struct slice *slices; /* one a round */
    struct histogram latency;
    uint64_t lost; /* datagrams sent again */
    double calls, epoll_ctls;
    bool calls_known;
};

int64_t load_now(void);

/* Each returns 0, or -1 after a message on stderr. */
int stream_open(const struct load *load, struct target *t);
int stream_slice(const struct load *load, struct target *t, unsigned messages);
int connects_slice(const struct load *load, struct target *t, unsigned cycles);
int idle_open(struct target *t, unsigned count);
/* One message there and back on a connection that blocks. */
int idle_speak(int fd);

/* The server's own clock, and what it has: /proc and perf_event_open(2). */
int64_t probe_cpu_ns(const struct target *t);
long probe_memory(pid_t pid); /* anonymous bytes in memory */
void probe_pin(pid_t pid, int cpu);
struct call_counter {
    int all[16], ctl[16], count;
};
/* Counts the system calls of every thread of `pid`: -1 without the right to. */
int calls_begin(struct call_counter *c, pid_t pid);
void calls_end(struct call_counter *c, uint64_t *all, uint64_t *epoll_ctl);

#endif
