/*
 * A fixed set of threads behind a bounded queue, for work that would keep a
 * loop from its sockets: a name, a file, a long sum.
 *
 *     loop ── workers_add(job) ──► queue ──► threads: run(arg)
 *     loop ◄─ workers_collect(): done(arg) ◄── finished ── wake()
 *
 * Every job that was added gets exactly one done(), always in the thread that
 * calls workers_collect() or workers_free(): what `arg` points to needs no lock.
 * Threads start when there is work for them, with all signals blocked.
 */
#ifndef COMMON_WORKERS_H
#define COMMON_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

struct workers;

/* wake(arg) is called in a worker's thread when the first job has finished since
 * the last workers_collect(): write to an eventfd(2), say. It must not call back
 * into the workers. `threads` 1 to 256, `waiting` jobs may wait for one. NULL
 * with errno: EINVAL, ENOMEM. */
struct workers *workers_new(unsigned threads, unsigned waiting,
                            void (*wake)(void *arg), void *arg);

struct workers_job {
    void (*run)(void *arg); /* in a thread of the workers */
    /* error 0: it ran; ECANCELED: it never will; EINPROGRESS: abandoned. May
     * be NULL; may add jobs. */
    void (*done)(void *arg, int error);
    void *arg;
    /* workers_free() does not wait for it: done(arg, EINPROGRESS) comes while
     * run() still uses arg, so the two must count who still needs it. */
    bool abandon;
};

/* Copies the job. EAGAIN: so many wait already, or no thread can be had;
 * ENOMEM. From the thread that collects. */
int workers_add(struct workers *workers, const struct workers_job *job);

/* done() of all that have finished by now; how many. Never waits. */
unsigned workers_collect(struct workers *workers);

/* Jobs whose done() has not been called yet. */
size_t workers_count(const struct workers *workers);

/* What waits is not run any more; what runs is waited for (but see `abandon`),
 * the threads are joined; every job still open gets its done(). A done() that
 * adds a job gets ECANCELED. NULL is none. */
void workers_free(struct workers *workers);

#endif
