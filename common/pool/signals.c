/* Signals, heard on the loop: the handler sets a bit and wakes it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "common/pool/inside.h"

enum { SIGNALS = 64 };

struct signal_watch {
    struct signal_watch *next;
    int signal;
    void (*fn)(struct pool *pool, int signal, void *arg);
    void *arg;
    struct sigaction before;
};

/* Which pool a signal belongs to: all that the handler looks at. */
static _Atomic(struct pool *) owners[SIGNALS];

static void on_signal(int number)
{
    struct pool *pool = atomic_load(&owners[number]);

    if (!pool)
        return;
    atomic_fetch_or(&pool->signals, 1ULL << number);
    pool_wake(pool);
}

void signals_run(struct pool *pool)
{
    unsigned long long came = atomic_exchange(&pool->signals, 0);
    struct signal_watch *next;

    for (struct signal_watch *watch = pool->signal_watches; watch;
         watch = next) {
        next = watch->next;
        if (!(came >> watch->signal & 1))
            continue;
        call_begins(pool, NULL, "signal", watch->fn);
        watch->fn(pool, watch->signal, watch->arg);
        call_ended(pool);
    }
}

int pool_signal(struct pool *pool, int number,
                void (*fn)(struct pool *pool, int signal, void *arg), void *arg)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct pool *owner = NULL;
    struct signal_watch *watch;

    if (number < 1 || number >= SIGNALS || !fn) {
        errno = EINVAL;
        return -1;
    }
    watch = malloc(sizeof *watch);
    if (!watch)
        return -1;
    *watch = (struct signal_watch){
        .next = pool->signal_watches, .signal = number, .fn = fn, .arg = arg};
    if (!atomic_compare_exchange_strong(&owners[number], &owner, pool)) {
        free(watch);
        if (owner != pool && pool->loops && owner->loops == pool->loops)
            return 0; /* the first of these loops hears it for all */
        errno = EBUSY;
        return -1;
    }
    if (sigaction(number, &action, &watch->before) < 0) {
        atomic_store(&owners[number], NULL);
        free(watch);
        return -1;
    }
    pool->signal_watches = watch;
    return 0;
}

void signals_free(struct pool *pool)
{
    while (pool->signal_watches) {
        struct signal_watch *watch = pool->signal_watches;

        pool->signal_watches = watch->next;
        sigaction(watch->signal, &watch->before, NULL);
        atomic_store(&owners[watch->signal], NULL);
        free(watch);
    }
}
