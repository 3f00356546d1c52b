/*
 * Traffic on the loopback interface at a rate: datagrams (sendmmsg(2)) or SYN
 * segments (a raw socket, in a network namespace of one's own), each in a
 * process beside the one that measures.
 */
#ifndef TESTS_BENCH_VIZ_FLOOD_H
#define TESTS_BENCH_VIZ_FLOOD_H

#include <stdint.h>
#include <sys/types.h>

struct flood {
    pid_t pid;
    int report; /* read end of a pipe: the struct flood_result */
};

struct flood_result {
    uint64_t sent;
    int64_t took_ns;
};

enum { FLOOD_PORT = 7001 };

/* `count` datagrams of 64 bytes to 127.0.0.1, `rate` of them a second. 0, or
 * -1 with errno. */
int flood_datagrams(struct flood *flood, uint64_t count, uint64_t rate);
/* A SYN to each of `count` ports of 127.1.0.0/16. */
int flood_syns(struct flood *flood, uint64_t count, uint64_t rate);
/* So many bytes over one TCP connection to 127.0.0.1, as fast as they go. */
int flood_stream(struct flood *flood, uint64_t bytes);
/* Whether it has ended; then *result is set and it is waited for. */
int flood_ended(struct flood *flood, struct flood_result *result);

#endif
