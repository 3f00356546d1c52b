/* A loop a thread: as many pools, each with its own sockets, sharing nothing
 * but the ports that they listen on. Their setups run one after the other, so
 * that the later ones can ask for the port that the first was given. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/pool/inside.h"

enum { MOST = 256, SHARED = 64 };

struct loops {
    unsigned planned; /* how many there shall be */
    unsigned count;   /* and are */
    struct pool *pools[MOST];
    struct net_address addresses[SHARED]; /* of the first one's listeners */
    int listeners[SHARED];
    unsigned listener_count;
    int (*setup)(struct pool *pool, void *user);
    void *user;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    unsigned ready;   /* setups that have returned */
    bool go, give_up; /* all are ready; one has failed */
    int error;        /* the first errno */
};

struct loop_thread {
    struct loops *loops;
    unsigned number;
    pthread_t thread;
};

/* --- ports ------------------------------------------------------------------------ */

bool loops_is_first(const struct pool *pool)
{
    return pool->loops->pools[0] == pool;
}

bool loops_share_port(const struct pool *pool,
                      const struct net_address *address)
{
    return pool->loops->planned > 1 && address->any.sa_family != AF_UNIX;
}

int loops_share(struct pool *pool, struct net_address *address)
{
    struct loops *loops = pool->loops;
    unsigned k = pool->listeners;
    const struct net_address *first = &loops->addresses[k];
    struct net_address now;

    if (loops_is_first(pool) || k >= loops->listener_count ||
        address->any.sa_family != first->any.sa_family)
        return -1;
    if (address->any.sa_family == AF_UNIX)
        return net_address_equal(address, first) &&
                       net_local(loops->listeners[k], &now) == 0 &&
                       net_address_equal(address, &now)
                   ? loops->listeners[k]
                   : -1; /* or it was closed since */
    if (net_address_port(address) == 0)
        *address = *first;
    return -1;
}

void loops_shared(struct pool *pool, int fd)
{
    struct loops *loops = pool->loops;
    unsigned k = pool->listeners++;

    if (!loops_is_first(pool) || k >= SHARED ||
        net_local(fd, &loops->addresses[k]) < 0)
        return;
    loops->listeners[k] = fd;
    loops->listener_count = k + 1;
}

/* --- threads ------------------------------------------------------------------------ */

void loops_stop(struct loops *loops)
{
    for (unsigned i = 0; i < loops->count; i++) {
        atomic_store(&loops->pools[i]->stop, true);
        pool_wake(loops->pools[i]);
    }
}

static void failed(struct loops *loops, int error)
{
    pthread_mutex_lock(&loops->lock);
    if (!loops->error)
        loops->error = error ? error : ECANCELED; /* a setup without errno */
    loops->give_up = true;
    pthread_cond_broadcast(&loops->changed);
    pthread_mutex_unlock(&loops->lock);
}

/* When it is this one's turn; false: one before has failed. */
static bool wait_for(struct loops *loops, unsigned ready, bool go)
{
    bool well;

    pthread_mutex_lock(&loops->lock);
    while (!loops->give_up && (loops->ready < ready || (go && !loops->go)))
        pthread_cond_wait(&loops->changed, &loops->lock);
    well = !loops->give_up;
    pthread_mutex_unlock(&loops->lock);
    return well;
}

static void is_ready(struct loops *loops)
{
    pthread_mutex_lock(&loops->lock);
    loops->ready++;
    loops->go = loops->ready == loops->count;
    pthread_cond_broadcast(&loops->changed);
    pthread_mutex_unlock(&loops->lock);
}

static void run_one(struct loops *loops, unsigned number)
{
    struct pool *pool = loops->pools[number];

    if (!wait_for(loops, number, false))
        return;
    if (loops->setup(pool, loops->user) < 0) {
        failed(loops, errno);
        return;
    }
    is_ready(loops);
    if (!wait_for(loops, loops->count, true))
        return;
    if (pool_run(pool) < 0) {
        failed(loops, errno);
        loops_stop(loops);
    }
}

static void *thread_main(void *arg)
{
    struct loop_thread *self = arg;

    run_one(self->loops, self->number);
    return NULL;
}

static void run_all(struct loops *loops, struct loop_thread *threads)
{
    unsigned started = 1;

    for (; started < loops->count; started++) {
        struct loop_thread *thread = &threads[started];
        int error;

        *thread = (struct loop_thread){.loops = loops, .number = started};
        error = pthread_create(&thread->thread, NULL, thread_main, thread);
        if (error) {
            failed(loops, error);
            break;
        }
    }
    run_one(loops, 0);
    for (unsigned i = 1; i < started; i++)
        pthread_join(threads[i].thread, NULL);
}

/* --- for the user ----------------------------------------------------------------------- */

static int make_pools(struct loops *loops, unsigned count,
                      const struct pool_options *options)
{
    for (; loops->count < count; loops->count++) {
        struct pool *pool = pool_new(options);

        if (!pool)
            return -1;
        pool->loops = loops;
        loops->pools[loops->count] = pool;
    }
    return 0;
}

int pool_run_loops(unsigned count, const struct pool_options *options,
                   int (*setup)(struct pool *pool, void *user), void *user)
{
    struct loops *loops;
    struct loop_thread *threads;
    int error;

    if (count < 1 || count > MOST || !setup) {
        errno = EINVAL;
        return -1;
    }
    loops = calloc(1, sizeof *loops);
    threads = calloc(count, sizeof *threads);
    if (!loops || !threads) {
        free(loops);
        free(threads);
        return -1;
    }
    loops->planned = count;
    loops->setup = setup;
    loops->user = user;
    pthread_mutex_init(&loops->lock, NULL);
    pthread_cond_init(&loops->changed, NULL);
    if (make_pools(loops, count, options) == 0)
        run_all(loops, threads);
    else
        loops->error = errno;
    for (unsigned i = 0; i < loops->count; i++)
        pool_free(loops->pools[i]);
    error = loops->error;
    pthread_cond_destroy(&loops->changed);
    pthread_mutex_destroy(&loops->lock);
    free(threads);
    free(loops);
    errno = error;
    return error ? -1 : 0;
}
