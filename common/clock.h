/*
 * Time: monotonic for every deadline and duration, wall clock only to compare
 * with the time stamps of packets. Nanoseconds in int64_t.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

enum { CLOCK_MS = 1000000, CLOCK_US = 1000 };
#define CLOCK_SECOND INT64_C(1000000000)

int64_t clock_now(void);  /* CLOCK_MONOTONIC (clock_gettime(2)) */
int64_t clock_wall(void); /* CLOCK_REALTIME, since the epoch */

/* Milliseconds from now to `deadline` (a clock_now() value) as poll(2) takes
 * them: rounded up, 0 when it has passed, -1 for CLOCK_NEVER. */
int clock_poll_ms(int64_t deadline);
#define CLOCK_NEVER INT64_MAX

/* The deadline `ms` from now; CLOCK_NEVER when that is less than 0. */
int64_t clock_after_ms(int64_t ms);

/* A time or a duration as the calls of POSIX take it; less than 0 is 0. */
struct timespec clock_timespec(int64_t ns);

#endif
