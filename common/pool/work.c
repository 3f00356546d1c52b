/* Jobs beside the loop: workers.h does them, their `done` comes back here. */
#include <errno.h>
#include <stdlib.h>

#include "common/pool/inside.h"

struct work {
    struct pool *pool;
    void (*job)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

static void on_finished(void *arg) /* in a worker's thread */
{
    struct pool *pool = arg;

    atomic_store(&pool->finished, true);
    pool_wake(pool);
}

struct workers *work_workers(struct pool *pool)
{
    if (!pool->workers)
        pool->workers = workers_new(pool->worker_threads, pool->worker_queue,
                                    on_finished, pool);
    return pool->workers;
}

static void run(void *arg)
{
    struct work *work = arg;

    work->job(work->arg);
}

static void done(void *arg, int error)
{
    struct work *work = arg;

    (void)error; /* ECANCELED: pool_free() came first */
    if (work->done) {
        call_begins(work->pool, NULL, "done", work->done);
        work->done(work->arg);
        call_ended(work->pool);
    }
    free(work);
}

int pool_work(struct pool *pool, void (*job)(void *arg),
              void (*finished)(void *arg), void *arg)
{
    struct workers *workers;
    struct work *work;

    if (!job) {
        errno = EINVAL;
        return -1;
    }
    workers = work_workers(pool);
    work = workers ? malloc(sizeof *work) : NULL;
    if (!work)
        return -1;
    *work = (struct work){pool, job, finished, arg};
    if (workers_add(workers, &(struct workers_job){
                                 .run = run, .done = done, .arg = work}) == 0)
        return 0;
    free(work);
    return -1;
}

bool work_open(const struct pool *pool)
{
    return pool->workers && workers_count(pool->workers) > 0;
}

void work_collect(struct pool *pool)
{
    if (atomic_exchange(&pool->finished, false))
        workers_collect(pool->workers);
}

void work_free(struct pool *pool)
{
    workers_free(pool->workers);
    pool->workers = NULL;
}
