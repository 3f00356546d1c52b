/*
 * What reaches the pool's loop from elsewhere, on each mechanism: functions
 * posted by threads, signals, work that workers did, stop from a handler and a
 * thread; and several loops that share a port.
 */
#include "tests/unit/pooled.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* --- posts ----------------------------------------------------------------- */

enum { POSTERS = 4, POSTS = 5000 };
static unsigned ran;

static void count_post(void *arg)
{
    (void)arg;
    if (++ran == POSTERS * POSTS)
        pool_stop(scene.pool);
}

static void *post_many(void *arg)
{
    for (int i = 0; i < POSTS; i++)
        ck_assert_int_eq(pool_post(scene.pool, count_post, arg), 0);
    return NULL;
}

START_TEST(what_threads_post_runs_once_on_the_loop)
{
    static const struct pool_handler nothing;
    pthread_t threads[POSTERS];

    scene_begin(_i, &nothing);
    ran = 0;
    for (int i = 0; i < POSTERS; i++)
        pthread_create(&threads[i], NULL, post_many, NULL);
    run();
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(ran, POSTERS * POSTS);
    scene_end();
}
END_TEST

static void *stop_it(void *arg)
{
    pool_stop(arg);
    return NULL;
}

START_TEST(a_thread_stops_it)
{
    static const struct pool_handler nothing;
    pthread_t thread;

    scene_begin(_i, &nothing);
    pthread_create(&thread, NULL, stop_it, scene.pool);
    run();
    pthread_join(thread, NULL);
    ck_assert_uint_eq(pool_count(scene.pool), 0);
    scene_end();
}
END_TEST

/* --- signals ----------------------------------------------------------------------- */

static void on_signal(struct pool *pool, int number, void *arg)
{
    (void)arg;
    say("signal %s", number == SIGUSR1 ? "USR1" : "other");
    pool_stop(pool);
}

START_TEST(a_signal_is_heard_on_the_loop)
{
    static const struct pool_handler nothing;
    struct sigaction before, after;

    sigaction(SIGUSR1, NULL, &before);
    scene_begin(_i, &nothing);
    ck_assert_int_eq(pool_signal(scene.pool, SIGUSR1, on_signal, NULL), 0);
    ck_assert_int_eq(pool_signal(scene.pool, SIGUSR1, on_signal, NULL), -1);
    ck_assert_int_eq(errno, EBUSY);
    ck_assert_int_eq(pool_signal(scene.pool, SIGKILL, on_signal, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    raise(SIGUSR1);
    ck_assert_str_eq(scene.log, "");
    run();
    ck_assert_str_eq(scene.log, "signal USR1; ");
    scene_end();
    sigaction(SIGUSR1, NULL, &after);
    ck_assert(before.sa_handler == after.sa_handler);
}
END_TEST

static void stop_in_handler(int number)
{
    (void)number;
    pool_stop(scene.pool);
}

START_TEST(a_signal_handler_stops_it)
{
    static const struct pool_handler nothing;

    scene_begin(_i, &nothing);
    signal(SIGUSR2, stop_in_handler);
    raise(SIGUSR2);
    run();
    scene_end();
}
END_TEST

/* --- work --------------------------------------------------------------------------- */

static atomic_int worked;
static pthread_t loop_thread;

static void work_one(void *arg)
{
    ck_assert(!pthread_equal(pthread_self(), loop_thread));
    atomic_fetch_add(&worked, *(int *)arg);
}

static void done_one(void *arg)
{
    ck_assert(pthread_equal(pthread_self(), loop_thread));
    say("done %d", *(int *)arg);
}

START_TEST(work_is_done_elsewhere_and_told_here)
{
    static int one = 1, ten = 10;

    scene_begin(_i, NULL);
    loop_thread = pthread_self();
    worked = 0;
    ck_assert_int_eq(pool_work(scene.pool, work_one, done_one, &one), 0);
    ck_assert_int_eq(pool_work(scene.pool, work_one, NULL, &ten), 0);
    ck_assert_int_eq(pool_work(scene.pool, NULL, done_one, &ten), -1);
    ck_assert_int_eq(errno, EINVAL);
    run(); /* until no job is left */
    ck_assert_int_eq(worked, 11);
    ck_assert_str_eq(scene.log, "done 1; ");
    scene_end();
}
END_TEST

static unsigned dones;

static void count_done(void *arg)
{
    (void)arg;
    dones++;
}

static void work_long(void *arg)
{
    char byte;

    ck_assert_int_eq(read(*(int *)arg, &byte, 1), 1);
}

static void let_go(void *arg)
{
    pool_stop(scene.pool);
    ck_assert_int_eq(write(((int *)arg)[1], "abc", 3), 3);
}

START_TEST(each_done_comes_once_also_when_the_pool_is_freed_first)
{
    int ends[2];

    scene_with(_i, (struct pool_options){.workers = 1}, NULL, NULL);
    scene.descriptors += 2;
    ck_assert_int_eq(pipe(ends), 0);
    dones = 0;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pool_work(scene.pool, work_long, count_done, ends), 0);
    pool_post(scene.pool, let_go, ends);
    run();
    scene_end();
    ck_assert_uint_eq(dones, 3);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* --- loops ----------------------------------------------------------------------------- */

enum { LOOPS = 3, CALLERS = 40 };
static struct {
    struct net_address address;
    unsigned setups;
    atomic_uint served;
    struct pool *first;
} shared;

static void echo(struct pool_socket *stream, char *data, size_t length,
                 void *arg)
{
    pool_send(stream, data, length);
    if (atomic_fetch_add(&shared.served, 1) + 1 == CALLERS)
        pool_stop(pool_of(stream)); /* of any loop: all stop */
    else
        pool_recv_some(stream, 0, echo, arg);
}

static void accepted(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    pool_recv_some(stream, 0, echo, NULL);
}

static const struct pool_handler server = {.accepted = accepted};

static int set_up(struct pool *pool, void *user)
{
    struct net_address any, here;

    ck_assert_ptr_eq(user, &shared);
    net_address_parse(&any, ":0");
    struct pool_socket *listener = pool_listen(pool, &any, NULL, &server, NULL);
    if (!listener || pool_signal(pool, SIGUSR1, on_signal, NULL) < 0)
        return -1;
    pool_local(listener, &here);
    if (shared.setups++ == 0)
        shared.address = here;
    ck_assert(net_address_equal(&here, &shared.address));
    return 0;
}

static void *call_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < CALLERS; i++) {
        char byte = 'x';
        int fd = net_connect_to(&shared.address,
                                clock_now() + 10 * CLOCK_SECOND);

        ck_assert_int_eq(send(fd, &byte, 1, MSG_NOSIGNAL), 1);
        ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
        close(fd);
    }
    return NULL;
}

static int set_up_and_call(struct pool *pool, void *user)
{
    static pthread_t caller;
    int result = set_up(pool, user);

    if (shared.setups == LOOPS) { /* the last one */
        pthread_create(&caller, NULL, call_all, NULL);
        pthread_detach(caller);
    }
    return result;
}

START_TEST(loops_share_a_port_and_stop_together)
{
    struct pool_options options = {.mechanism = mechanisms[_i]};

    memset(&shared, 0, sizeof shared);
    ck_assert_int_eq(pool_run_loops(LOOPS, &options, set_up_and_call, &shared),
                     0);
    ck_assert_uint_eq(shared.setups, LOOPS);
    ck_assert_uint_eq(shared.served, CALLERS);
}
END_TEST

static int listen_there(struct pool *pool, void *user)
{
    return pool_listen(pool, user, NULL, &server, NULL) ? 0 : -1;
}

START_TEST(a_port_that_others_share_is_not_ours)
{
    struct pool_options options = {.mechanism = mechanisms[_i]};
    struct net_address there;

    net_address_parse(&there, ":0");
    int other = net_listen(&there, 0, NET_REUSE_PORT);
    net_local(other, &there);
    ck_assert_int_eq(pool_run_loops(2, &options, listen_there, &there), -1);
    ck_assert_int_eq(errno, EADDRINUSE);
    ck_assert_int_eq(pool_run_loops(1, &options, listen_there, &there), -1);
    ck_assert_int_eq(errno, EADDRINUSE);
    close(other);
}
END_TEST

static int set_up_path(struct pool *pool, void *user)
{
    if (!pool_listen(pool, &shared.address, NULL, &server, NULL))
        return -1;
    if (++shared.setups == LOOPS) {
        pthread_create(user, NULL, call_all, NULL);
        pthread_detach(*(pthread_t *)user);
    }
    return 0;
}

START_TEST(loops_share_a_path)
{
    struct pool_options options = {.mechanism = mechanisms[_i]};
    pthread_t caller;
    char text[64];

    memset(&shared, 0, sizeof shared);
    snprintf(text, sizeof text, "unix:/tmp/check_loops_%d", (int)getpid());
    ck_assert_int_eq(net_address_parse(&shared.address, text), 0);
    ck_assert_int_eq(pool_run_loops(LOOPS, &options, set_up_path, &caller), 0);
    ck_assert_uint_eq(shared.served, CALLERS);
    ck_assert_int_eq(access(text + 5, F_OK), -1);
}
END_TEST

static int second_fails(struct pool *pool, void *user)
{
    unsigned *count = user;

    (void)pool;
    if (++*count < 2)
        return 0;
    errno = EDOM;
    return -1;
}

START_TEST(a_setup_that_fails_ends_all)
{
    struct pool_options options = {.mechanism = mechanisms[_i]};
    unsigned count = 0;

    ck_assert_int_eq(pool_run_loops(LOOPS, &options, second_fails, &count), -1);
    ck_assert_int_eq(errno, EDOM);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(pool_run_loops(0, &options, second_fails, &count), -1);
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_threads");
    TCase *tests = tcase_create("pool_threads");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, what_threads_post_runs_once_on_the_loop, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_thread_stops_it, 0, MECHANISMS);
    tcase_add_loop_test(tests, a_signal_is_heard_on_the_loop, 0, MECHANISMS);
    tcase_add_loop_test(tests, a_signal_handler_stops_it, 0, MECHANISMS);
    tcase_add_loop_test(tests, work_is_done_elsewhere_and_told_here, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests,
                        each_done_comes_once_also_when_the_pool_is_freed_first,
                        0, MECHANISMS);
    tcase_add_loop_test(tests, loops_share_a_port_and_stop_together, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_port_that_others_share_is_not_ours, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, loops_share_a_path, 0, MECHANISMS);
    tcase_add_loop_test(tests, a_setup_that_fails_ends_all, 0, MECHANISMS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
