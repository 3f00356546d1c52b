/*
 * common/workers: jobs run in other threads, their results come back in the
 * thread that collects, exactly once each, also when the workers are freed with
 * jobs still waiting or running.
 */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/workers.h"

static int bell[2]; /* wake() writes a byte */

static void ring(void *arg)
{
    (void)arg;
    ck_assert_int_eq(write(bell[1], "!", 1), 1);
}

static void set_up(void)
{
    ck_assert_int_eq(pipe(bell), 0);
}

/* Blocks until wake() was called. */
static void wait_bell(void)
{
    char byte;

    ck_assert_int_eq(read(bell[0], &byte, 1), 1);
}

static void collect_until_empty(struct workers *workers)
{
    while (workers_count(workers) > 0) {
        wait_bell();
        workers_collect(workers);
    }
}

struct task {
    pthread_t asked, ran, told;
    int number, square;
    int dones, error;
};

static void square(void *arg)
{
    struct task *task = arg;

    task->ran = pthread_self();
    task->square = task->number * task->number;
}

static void squared(void *arg, int error)
{
    struct task *task = arg;

    task->told = pthread_self();
    task->error = error;
    task->dones++;
}

/* A job that runs until the test opens the gate. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t change;
    int inside;
    bool open;
};

static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
                           0, false};

static void wait_at_gate(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&gate.lock);
    gate.inside++;
    pthread_cond_broadcast(&gate.change);
    while (!gate.open)
        pthread_cond_wait(&gate.change, &gate.lock);
    gate.inside--;
    pthread_cond_broadcast(&gate.change);
    pthread_mutex_unlock(&gate.lock);
}

static void wait_inside(int count)
{
    pthread_mutex_lock(&gate.lock);
    while (gate.inside != count)
        pthread_cond_wait(&gate.change, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void open_gate(void)
{
    pthread_mutex_lock(&gate.lock);
    gate.open = true;
    pthread_cond_broadcast(&gate.change);
    pthread_mutex_unlock(&gate.lock);
}

static int errors[3]; /* ran, never ran, abandoned */

static void count_error(void *arg, int error)
{
    (void)arg;
    errors[error == 0 ? 0 : error == ECANCELED ? 1 : 2]++;
}

START_TEST(a_job_runs_elsewhere_and_its_result_comes_back_here)
{
    struct workers *workers = workers_new(2, 10, ring, NULL);
    struct task task = {.number = 12, .asked = pthread_self()};

    ck_assert_ptr_nonnull(workers);
    ck_assert_int_eq(
        workers_add(workers, &(struct workers_job){square, squared, &task, 0}),
        0);
    wait_bell();
    ck_assert_int_eq(task.dones, 0); /* not before it is collected */
    ck_assert_uint_eq(workers_count(workers), 1);
    ck_assert_uint_eq(workers_collect(workers), 1);
    ck_assert_int_eq(task.square, 144);
    ck_assert_int_eq(task.dones, 1);
    ck_assert_int_eq(task.error, 0);
    ck_assert(!pthread_equal(task.ran, task.asked));
    ck_assert(pthread_equal(task.told, task.asked));
    ck_assert_uint_eq(workers_count(workers), 0);
    ck_assert_uint_eq(workers_collect(workers), 0);
    workers_free(workers);
}
END_TEST

START_TEST(a_thousand_jobs_are_each_done_once)
{
    enum { JOBS = 1000 };
    static struct task tasks[JOBS];
    struct workers *workers = workers_new(4, JOBS, ring, NULL);

    for (int i = 0; i < JOBS; i++) {
        tasks[i].number = i;
        ck_assert_int_eq(
            workers_add(workers,
                        &(struct workers_job){square, squared, &tasks[i], 0}),
            0);
    }
    collect_until_empty(workers);
    for (int i = 0; i < JOBS; i++) {
        ck_assert_int_eq(tasks[i].dones, 1);
        ck_assert_int_eq(tasks[i].square, i * i);
    }
    workers_free(workers);
}
END_TEST

/* Two threads and three that wait: the sixth is refused, and so on until one
 * has finished. */
START_TEST(a_full_queue_refuses)
{
    struct workers *workers = workers_new(2, 3, ring, NULL);
    const struct workers_job job = {wait_at_gate, count_error, NULL, false};

    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(workers_add(workers, &job), 0);
    errno = 0;
    ck_assert_int_eq(workers_add(workers, &job), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_uint_eq(workers_count(workers), 5);
    open_gate();
    collect_until_empty(workers);
    ck_assert_int_eq(errors[0], 5);
    ck_assert_int_eq(workers_add(workers, &job), 0);
    collect_until_empty(workers);
    workers_free(workers);
}
END_TEST

/* Four jobs that each wait for the other three: all four threads run. */
START_TEST(as_many_run_at_once_as_there_are_threads)
{
    struct workers *workers = workers_new(4, 1, ring, NULL);

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(
            workers_add(workers, &(struct workers_job){wait_at_gate,
                                                       count_error, NULL, 0}),
            0);
    wait_inside(4);
    open_gate();
    collect_until_empty(workers);
    ck_assert_int_eq(errors[0], 4);
    workers_free(workers);
}
END_TEST

START_TEST(freeing_runs_no_more_but_waits_for_what_runs)
{
    struct workers *workers = workers_new(1, 10, ring, NULL);
    struct task first = {.number = 3}, later = {.number = 4};

    ck_assert_int_eq(
        workers_add(workers, &(struct workers_job){square, squared, &first, 0}),
        0);
    wait_bell();
    ck_assert_int_eq(
        workers_add(workers,
                    &(struct workers_job){wait_at_gate, count_error, NULL, 0}),
        0);
    wait_inside(1);
    ck_assert_int_eq(
        workers_add(workers, &(struct workers_job){square, squared, &later, 0}),
        0);
    open_gate(); /* either way: it ends by itself, or is waited for */
    workers_free(workers);
    ck_assert_int_eq(first.dones, 1);
    ck_assert_int_eq(first.square, 9);
    ck_assert_int_eq(errors[0], 1);
    ck_assert_int_eq(later.dones, 1);
    ck_assert(later.error == ECANCELED
                  ? later.square == 0
                  : later.error == 0 && later.square == 16);
}
END_TEST

static atomic_int abandoned_refs = 2;

static void abandoned_run(void *arg)
{
    wait_at_gate(arg);
    if (atomic_fetch_sub(&abandoned_refs, 1) == 1)
        ring(NULL);
}

static void abandoned_done(void *arg, int error)
{
    count_error(arg, error);
    if (atomic_fetch_sub(&abandoned_refs, 1) == 1)
        ring(NULL);
}

/* The free returns although the job never ends by itself; when it ends later,
 * its thread cleans up (an address build sees what is lost). */
START_TEST(an_abandoned_job_is_not_waited_for)
{
    struct workers *workers = workers_new(2, 2, ring, NULL);

    ck_assert_int_eq(
        workers_add(workers, &(struct workers_job){abandoned_run,
                                                   abandoned_done, NULL, true}),
        0);
    wait_inside(1);
    workers_free(workers);
    ck_assert_int_eq(errors[2], 1);
    ck_assert_int_eq(atomic_load(&abandoned_refs), 1);
    open_gate();
    wait_bell();
    ck_assert_int_eq(atomic_load(&abandoned_refs), 0);
}
END_TEST

START_TEST(an_abandoned_job_that_never_began_is_cancelled)
{
    struct workers *workers = workers_new(1, 2, ring, NULL);

    ck_assert_int_eq(
        workers_add(workers, &(struct workers_job){abandoned_run,
                                                   abandoned_done, NULL, true}),
        0);
    wait_inside(1);
    ck_assert_int_eq(
        workers_add(workers, &(struct workers_job){wait_at_gate, count_error,
                                                   NULL, true}),
        0);
    workers_free(workers);
    ck_assert_int_eq(errors[1], 1);
    ck_assert_int_eq(errors[2], 1);
    open_gate();
    wait_bell();
}
END_TEST

static struct workers *chained;
static int chain_left;

static void nothing(void *arg)
{
    (void)arg;
}

static void chain(void *arg, int error)
{
    if (error == ECANCELED || chain_left-- == 0)
        return;
    ck_assert_int_eq(
        workers_add(chained, &(struct workers_job){nothing, chain, arg, 0}), 0);
}

START_TEST(a_done_may_add_the_next_job)
{
    chained = workers_new(3, 1, ring, NULL);
    chain_left = 200;
    ck_assert_int_eq(
        workers_add(chained, &(struct workers_job){nothing, chain, NULL, 0}),
        0);
    collect_until_empty(chained);
    ck_assert_int_eq(chain_left, -1);
    workers_free(chained);
}
END_TEST

static int refused;

static void add_in_vain(void *arg, int error)
{
    (void)error;
    errno = 0;
    if (workers_add(chained, &(struct workers_job){nothing, NULL, arg, 0}) ==
            -1 &&
        errno == ECANCELED)
        refused++;
}

START_TEST(nothing_is_added_while_they_are_freed)
{
    chained = workers_new(1, 1, ring, NULL);
    ck_assert_int_eq(
        workers_add(chained,
                    &(struct workers_job){nothing, add_in_vain, NULL, 0}),
        0);
    wait_bell();
    workers_free(chained);
    ck_assert_int_eq(refused, 1);
}
END_TEST

/* The program's signals never land in a worker: it has them all blocked. */
static sigset_t mask_inside;

static void read_mask(void *arg)
{
    (void)arg;
    pthread_sigmask(SIG_SETMASK, NULL, &mask_inside);
}

START_TEST(signals_are_not_for_workers)
{
    struct workers *workers = workers_new(1, 1, ring, NULL);
    sigset_t mine;

    ck_assert_int_eq(
        workers_add(workers, &(struct workers_job){read_mask, NULL, NULL, 0}),
        0);
    wait_bell();
    ck_assert_uint_eq(workers_collect(workers), 1);
    ck_assert_int_eq(sigismember(&mask_inside, SIGTERM), 1);
    ck_assert_int_eq(sigismember(&mask_inside, SIGINT), 1);
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    ck_assert_int_eq(sigismember(&mine, SIGTERM), 0);
    workers_free(workers);
}
END_TEST

START_TEST(bad_arguments_change_nothing)
{
    struct workers *workers;

    errno = 0;
    ck_assert_ptr_null(workers_new(0, 1, ring, NULL));
    ck_assert_int_eq(errno, EINVAL);
    errno = 0;
    ck_assert_ptr_null(workers_new(257, 1, ring, NULL));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_ptr_null(workers_new(1, 0, ring, NULL));
    ck_assert_ptr_null(workers_new(1, 1, NULL, NULL));
    workers_free(NULL);
    workers = workers_new(1, 1, ring, NULL);
    errno = 0;
    ck_assert_int_eq(workers_add(workers, &(struct workers_job){0}), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_uint_eq(workers_count(workers), 0);
    workers_free(workers);
}
END_TEST

/* No thread can be had at all: told at once, nothing lost. As a user whose
 * limit of processes is used up; root has no such limit. */
START_TEST(no_thread_to_be_had_is_said)
{
    struct workers *workers = workers_new(2, 2, ring, NULL);
    struct rlimit before, none;

    getrlimit(RLIMIT_NPROC, &before);
    none = before;
    none.rlim_cur = 0;
    if (setrlimit(RLIMIT_NPROC, &none) != 0 ||
        (geteuid() == 0 && setuid(65534) != 0)) {
        workers_free(workers);
        return;
    }
    errno = 0;
    if (workers_add(workers, &(struct workers_job){nothing, count_error, NULL,
                                                   0}) == 0) {
        collect_until_empty(workers); /* the limit does not hold here */
    } else {
        ck_assert_int_eq(errno, EAGAIN);
        ck_assert_uint_eq(workers_count(workers), 0);
    }
    setrlimit(RLIMIT_NPROC, &before);
    workers_free(workers);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("workers");
    TCase *jobs = tcase_create("jobs");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(jobs, set_up, NULL);
    tcase_add_test(jobs, a_job_runs_elsewhere_and_its_result_comes_back_here);
    tcase_add_test(jobs, a_thousand_jobs_are_each_done_once);
    tcase_add_test(jobs, a_full_queue_refuses);
    tcase_add_test(jobs, as_many_run_at_once_as_there_are_threads);
    tcase_add_test(jobs, freeing_runs_no_more_but_waits_for_what_runs);
    tcase_add_test(jobs, an_abandoned_job_is_not_waited_for);
    tcase_add_test(jobs, an_abandoned_job_that_never_began_is_cancelled);
    tcase_add_test(jobs, a_done_may_add_the_next_job);
    tcase_add_test(jobs, nothing_is_added_while_they_are_freed);
    tcase_add_test(jobs, signals_are_not_for_workers);
    tcase_add_test(jobs, bad_arguments_change_nothing);
    tcase_add_test(jobs, no_thread_to_be_had_is_said);
    suite_add_tcase(suite, jobs);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
