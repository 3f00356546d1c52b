/* How other threads and signal handlers wake a loop: a byte in a descriptor that
 * it watches, and a flag so that one byte is enough. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

#include "common/pool/inside.h"

/* eventfd(2) where there is one, else a pipe(2). */
static int open_pair(int pair[2])
{
#ifdef __linux__
    pair[0] = pair[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return pair[0];
#else
    if (pipe(pair) < 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        net_set_nonblock(pair[i], true);
        net_set_cloexec(pair[i], true);
    }
    return 0;
#endif
}

int wake_open(struct pool *pool)
{
    int pair[2];

    if (open_pair(pair) < 0)
        return -1;
    pool->wake_read = pair[0];
    pool->wake_write = pair[1];
    return pool->mechanism->watch(pool->set, pool->wake_read, &pool->waker, 0,
                                  WATCH_READ);
}

void wake_close(struct pool *pool)
{
    if (pool->wake_read < 0)
        return;
    if (pool->set)
        pool->mechanism->watch(pool->set, pool->wake_read, &pool->waker,
                               WATCH_READ, 0);
    close(pool->wake_read);
    if (pool->wake_write != pool->wake_read)
        close(pool->wake_write);
}

void pool_wake(struct pool *pool)
{
    static const uint64_t one = 1;
    int saved = errno;

    if (!atomic_exchange(&pool->woken, true) &&
        write(pool->wake_write, &one, sizeof one) < 0)
        atomic_store(&pool->woken, false); /* cannot be: it is never full */
    errno = saved;
}

void wake_event(struct pool *pool)
{
    uint64_t count;

    if (read(pool->wake_read, &count, sizeof count) < 0 && errno != EAGAIN)
        return;
    /* Emptied first, then looked at: whoever comes now wakes again. Exchanged,
     * not stored, so that what they left before is seen by whoever looks. */
    atomic_exchange(&pool->woken, false);
}
