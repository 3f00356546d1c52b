/* See clock.h. */
#include "common/clock.h"

#include <limits.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now); /* cannot fail for these two clocks */
    return now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

int64_t clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

int clock_poll_ms(int64_t deadline)
{
    int64_t left;

    if (deadline == CLOCK_NEVER)
        return -1;
    left = deadline - clock_now();
    if (left <= 0)
        return 0;
    left = (left + CLOCK_MS - 1) / CLOCK_MS;
    return left > INT_MAX ? INT_MAX : (int)left;
}

int64_t clock_after_ms(int64_t ms)
{
    int64_t now;

    if (ms < 0)
        return CLOCK_NEVER;
    now = clock_now();
    return ms >= (CLOCK_NEVER - now) / CLOCK_MS ? CLOCK_NEVER
                                                : now + ms * CLOCK_MS;
}

struct timespec clock_timespec(int64_t ns)
{
    struct timespec time = {0};

    if (ns > 0) {
        time.tv_sec = (time_t)(ns / CLOCK_SECOND);
        time.tv_nsec = (long)(ns % CLOCK_SECOND);
    }
    return time;
}
