/*
 * See workers.h. One lock over two lists: jobs that wait, jobs that finished. A
 * job is one piece of memory from workers_add() to its done(), so that nothing
 * can fail in between. What a thread is running it owns; a thread that is left
 * behind by workers_free() frees its job, and the last of them the rest.
 */
#include "common/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum { THREADS_MOST = 256 };

struct job {
    struct workers_job what;
    struct job *next;
};

struct jobs { /* first in, first out */
    struct job *first, *last;
};

struct thread {
    struct workers *workers;
    pthread_t id;
    struct job *running;     /* NULL: it waits for one */
    bool left;               /* behind: nobody joins it */
    struct workers_job open; /* what it was running then */
};

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t work; /* there is a job, or no more will come */
    struct jobs waiting, finished;
    unsigned waits, runs;  /* jobs */
    unsigned waiting_most; /* beyond one for each thread */
    unsigned threads, started;
    unsigned holders; /* who still looks at this: owner, left threads */
    bool stopped;
    bool told; /* wake() was called since the last collect */
    void (*wake)(void *arg);
    void *wake_arg;
    size_t open; /* jobs before their done(); of the collecting thread */
    struct thread thread[];
};

static void put(struct jobs *jobs, struct job *job)
{
    job->next = NULL;
    if (jobs->first)
        jobs->last->next = job;
    else
        jobs->first = job;
    jobs->last = job;
}

static struct job *get(struct jobs *jobs)
{
    struct job *job = jobs->first;

    if (job)
        jobs->first = job->next;
    return job;
}

struct workers *workers_new(unsigned threads, unsigned waiting,
                            void (*wake)(void *arg), void *arg)
{
    struct workers *workers;

    if (threads == 0 || threads > THREADS_MOST || waiting == 0 || !wake) {
        errno = EINVAL;
        return NULL;
    }
    workers = calloc(1, sizeof *workers + threads * sizeof workers->thread[0]);
    if (!workers)
        return NULL;
    pthread_mutex_init(&workers->lock, NULL); /* Linux, BSD: cannot fail */
    pthread_cond_init(&workers->work, NULL);
    workers->threads = threads;
    workers->waiting_most = waiting;
    workers->holders = 1;
    workers->wake = wake;
    workers->wake_arg = arg;
    return workers;
}

/* Unlocks; the last one to look frees it. */
static void let_go(struct workers *workers)
{
    bool last = --workers->holders == 0;

    pthread_mutex_unlock(&workers->lock);
    if (!last)
        return;
    pthread_cond_destroy(&workers->work);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

/* Locked before and after, not while the job runs. */
static void run(struct workers *workers, struct thread *me)
{
    bool tell = false;

    pthread_mutex_unlock(&workers->lock);
    me->running->what.run(me->running->what.arg);
    pthread_mutex_lock(&workers->lock);
    workers->runs--;
    if (me->left) {
        free(me->running);
        return;
    }
    put(&workers->finished, me->running);
    me->running = NULL;
    if (!workers->told)
        tell = workers->told = true;
    if (!tell)
        return;
    pthread_mutex_unlock(&workers->lock);
    workers->wake(workers->wake_arg);
    pthread_mutex_lock(&workers->lock);
}

static void *work(void *arg)
{
    struct thread *me = arg;
    struct workers *workers = me->workers;

    pthread_mutex_lock(&workers->lock);
    while (!workers->stopped) {
        me->running = get(&workers->waiting);
        if (me->running) {
            workers->waits--;
            workers->runs++;
            run(workers, me);
        } else {
            pthread_cond_wait(&workers->work, &workers->lock);
        }
    }
    if (me->left)
        let_go(workers);
    else
        pthread_mutex_unlock(&workers->lock);
    return NULL;
}

/* One more thread, if there are more jobs than threads; locked. A signal is for
 * the threads of the program, never for one of these. */
static void start(struct workers *workers)
{
    struct thread *thread = &workers->thread[workers->started];
    sigset_t all, before;

    if (workers->started == workers->threads ||
        workers->started >= workers->waits + workers->runs)
        return;
    thread->workers = workers;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread->id, NULL, work, thread) == 0)
        workers->started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int workers_add(struct workers *workers, const struct workers_job *what)
{
    struct job *job;
    int error = 0;

    if (!workers || !what || !what->run) {
        errno = EINVAL;
        return -1;
    }
    job = malloc(sizeof *job);
    if (!job)
        return -1;
    job->what = *what;
    pthread_mutex_lock(&workers->lock);
    if (workers->stopped) {
        error = ECANCELED;
    } else if (workers->waits + workers->runs >=
               workers->threads + workers->waiting_most) {
        error = EAGAIN;
    } else {
        workers->waits++;
        start(workers);
        if (workers->started == 0) {
            workers->waits--;
            error = EAGAIN;
        }
    }
    if (error == 0) {
        put(&workers->waiting, job);
        workers->open++;
        pthread_cond_signal(&workers->work);
    }
    pthread_mutex_unlock(&workers->lock);
    if (error) {
        free(job);
        errno = error;
    }
    return error ? -1 : 0;
}

static void finish(struct workers *workers, const struct workers_job *what,
                   int error)
{
    workers->open--;
    if (what->done)
        what->done(what->arg, error);
}

/* Those that finished after this began have called wake() again. */
unsigned workers_collect(struct workers *workers)
{
    struct jobs jobs;
    struct job *job;
    unsigned count = 0;

    pthread_mutex_lock(&workers->lock);
    jobs = workers->finished;
    workers->finished.first = NULL;
    workers->told = false;
    pthread_mutex_unlock(&workers->lock);
    while ((job = get(&jobs))) {
        finish(workers, &job->what, 0);
        free(job);
        count++;
    }
    return count;
}

size_t workers_count(const struct workers *workers)
{
    return workers->open;
}

/* Those that run an abandoned job are left behind; the others are joined. */
static void end_threads(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    workers->stopped = true;
    for (unsigned i = 0; i < workers->started; i++) {
        struct thread *thread = &workers->thread[i];

        if (!thread->running || !thread->running->what.abandon)
            continue;
        thread->left = true;
        thread->open = thread->running->what;
        workers->holders++;
        pthread_detach(thread->id);
    }
    pthread_cond_broadcast(&workers->work);
    pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->started; i++) {
        /* Written above only, by this thread. */
        if (!workers->thread[i].left)
            pthread_join(workers->thread[i].id, NULL);
    }
}

void workers_free(struct workers *workers)
{
    struct job *job;

    if (!workers)
        return;
    end_threads(workers);
    workers_collect(workers);
    while ((job = get(&workers->waiting))) { /* no thread takes any now */
        finish(workers, &job->what, ECANCELED);
        free(job);
    }
    for (unsigned i = 0; i < workers->started; i++) {
        if (workers->thread[i].left)
            finish(workers, &workers->thread[i].open, EINPROGRESS);
    }
    pthread_mutex_lock(&workers->lock);
    let_go(workers);
}
