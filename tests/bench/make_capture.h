/* The kinds of capture that make_capture writes: each fills a writer with its
 * packets, the same ones for the same seed. 0, or -1 with errno. */
#ifndef TESTS_BENCH_MAKE_CAPTURE_H
#define TESTS_BENCH_MAKE_CAPTURE_H

#include "tests/bench/frames.h"

/* Times begin here. */
#define FIRST_NS INT64_C(1700000000000000000)

enum { US = 1000, MS = 1000000 };

/* splitmix64, by Sebastiano Vigna (public domain): the next number. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Four bulk transfers that share just so many packets. */
int make_few(struct writer *writer, uint64_t packets, uint64_t seed);
/* So many short connections, about a thousand of them at a time. */
int make_many(struct writer *writer, uint64_t connections, uint64_t seed);
/* A SYN to so many ports, most of them answered by a RST. */
int make_scan(struct writer *writer, uint64_t ports, uint64_t seed);

#endif
