/*
 * Timers of the pool, on each mechanism: never early, in order, without drift,
 * stopped from anywhere, and gone with their owner.
 */
#include "tests/unit/pooled.h"

static int64_t began;

static void log_name(void *arg)
{
    say("%s", (const char *)arg);
}

START_TEST(they_come_in_the_order_of_their_deadlines)
{
    static char names[][4] = {"c", "a", "b", "now"};
    static const unsigned after[] = {30, 10, 20, 0};
    struct pool_timer *timers[4] = {NULL};

    scene_begin(_i, NULL);
    do { /* all of them within the smallest difference, or again */
        began = clock_now();
        for (int i = 0; i < 4; i++) {
            pool_timer_stop(timers[i]);
            timers[i] = pool_timer_start(scene.pool, NULL, after[i], 0,
                                         log_name, names[i]);
        }
    } while (clock_now() - began >= 10 * CLOCK_MS);
    run(); /* until none is left */
    ck_assert_str_eq(scene.log, "now; a; b; c; ");
    scene_end();
}
END_TEST

static int64_t deadline;

static void not_early(void *arg)
{
    (void)arg;
    ck_assert_int_ge(clock_now(), deadline);
    say("came");
}

START_TEST(none_is_early)
{
    scene_begin(_i, NULL);
    for (unsigned ms = 1; ms < 20; ms++) {
        scene.log[0] = '\0';
        deadline = clock_now() + ms * CLOCK_MS;
        pool_timer_start(scene.pool, NULL, ms, 0, not_early, NULL);
        run();
        ck_assert_str_eq(scene.log, "came; ");
    }
    scene_end();
}
END_TEST

/* --- periods --------------------------------------------------------------- */

static struct pool_timer *tick;
static unsigned ticks;

/* Each tick takes longer than half of the period: the tenth still comes at ten
 * periods, not at ten periods and ten handlers. */
static void slow_tick(void *arg)
{
    int64_t until = clock_now() + 6 * CLOCK_MS;

    (void)arg;
    ck_assert_int_ge(clock_now() - began, (ticks + 1) * 10 * CLOCK_MS);
    while (clock_now() < until)
        ;
    if (++ticks == 10)
        pool_timer_stop(tick);
}

START_TEST(a_period_is_counted_from_the_first_deadline)
{
    scene_begin(_i, NULL);
    ticks = 0;
    began = clock_now();
    tick = pool_timer_start(scene.pool, NULL, 10, 10, slow_tick, NULL);
    run();
    ck_assert_uint_eq(ticks, 10);
    scene_end();
}
END_TEST

static void missed_tick(void *arg)
{
    int64_t until = clock_now() + 35 * CLOCK_MS;

    (void)arg;
    while (ticks == 0 && clock_now() < until)
        ;
    /* The ticks at 20, 30 and 40 ms come as one, late; then the one at 50. */
    if (ticks == 2)
        ck_assert_int_ge(clock_now() - began, 50 * CLOCK_MS);
    if (++ticks == 3)
        pool_timer_stop(tick);
}

START_TEST(what_a_slow_handler_missed_comes_once)
{
    scene_begin(_i, NULL);
    ticks = 0;
    began = clock_now();
    tick = pool_timer_start(scene.pool, NULL, 10, 10, missed_tick, NULL);
    run();
    ck_assert_uint_eq(ticks, 3);
    scene_end();
}
END_TEST

/* --- stopping ------------------------------------------------------------------- */

static void stop_it(void *arg)
{
    say("stops");
    pool_timer_stop(*(struct pool_timer **)arg);
}

START_TEST(one_stops_another_and_itself)
{
    struct pool_timer *other, *itself;

    scene_begin(_i, NULL);
    other = pool_timer_start(scene.pool, NULL, 5, 5, log_name, (char *)"never");
    pool_timer_start(scene.pool, NULL, 1, 0, stop_it, &other);
    itself = pool_timer_start(scene.pool, NULL, 7, 1, stop_it, &itself);
    pool_timer_stop(NULL);
    run();
    ck_assert_str_eq(scene.log, "stops; stops; ");
    scene_end();
}
END_TEST

static void accepted(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    pool_timer_start(scene.pool, stream, 20, 0, log_name, (char *)"never");
    pool_timer_start(scene.pool, stream, 20, 5, log_name, (char *)"never");
    pool_timer_start(scene.pool, NULL, 40, 0, log_name, (char *)"later");
    pool_close(stream);
    ck_assert_ptr_null(
        pool_timer_start(scene.pool, stream, 1, 0, log_name, (char *)"never"));
    ck_assert_int_eq(errno, ENOTCONN);
}

START_TEST(they_die_with_their_owner)
{
    static const struct pool_handler owner = {.accepted = accepted};

    scene_begin(_i, &owner);
    close(client());
    tick = NULL;
    pool_timer_start(scene.pool, scene.listener, 10000, 0, log_name,
                     (char *)"never");
    pool_timer_start(scene.pool, NULL, 60, 0, (void (*)(void *))pool_stop,
                     scene.pool);
    run();
    ck_assert_str_eq(scene.log, "later; ");
    scene_end();
}
END_TEST

/* --- many ------------------------------------------------------------------------- */

enum { MANY = 10000 };
static struct pool_timer *many[MANY];
static unsigned came, order_broken;
static unsigned last;

static void count_one(void *arg)
{
    unsigned ms = *(unsigned *)arg;

    if (ms < last)
        order_broken++;
    last = ms;
    came++;
}

START_TEST(ten_thousand_in_any_order_of_starting_and_stopping)
{
    static unsigned ms[MANY];
    unsigned stopped = 0, seed = 12345;

    scene_begin(_i, NULL);
    came = order_broken = last = 0;
    for (unsigned i = 0; i < MANY; i++) {
        seed = seed * 1103515245 + 12345;
        ms[i] = 100 + seed / 65536 % 50;
        many[i] = pool_timer_start(scene.pool, NULL, ms[i], 0, count_one,
                                   &ms[i]);
        ck_assert_ptr_nonnull(many[i]);
    }
    for (unsigned i = 0; i < MANY; i += 3, stopped++)
        pool_timer_stop(many[i]);
    run();
    ck_assert_uint_eq(came, MANY - stopped);
    scene_end();
}
END_TEST

/* --- deadlines that a slow batch would have eaten ------------------------------- */

enum { PATIENCE_MS = 900, SLOW_MS = 1000 };

static struct pool_socket *patient;
static bool late; /* the machine was: nothing can be said */

static void nothing_comes(struct pool_socket *stream, char *data, size_t length,
                          void *arg)
{
    (void)stream, (void)data, (void)length, (void)arg;
    say("data");
}

static void look_soon(void *arg)
{
    late = clock_now() - *(int64_t *)arg > PATIENCE_MS / 2 * CLOCK_MS;
    say("soon");
    pool_stop(scene.pool);
}

/* Another stream's time begins, in its turn or not; then the loop is kept for
 * longer than that time, and a short timer begins. */
static void keep_the_loop(struct pool_socket *stream, char *data, size_t length,
                          void *out_of_turn)
{
    static int64_t ended;

    (void)stream, (void)data, (void)length;
    if (out_of_turn)
        pool_recv_some(patient, PATIENCE_MS, nothing_comes, NULL);
    ended = clock_now() + SLOW_MS * CLOCK_MS;
    while (clock_now() < ended)
        ;
    pool_timer_start(scene.pool, NULL, 1, 0, look_soon, &ended);
}

static void wait_again(struct pool_socket *stream, char *data, size_t length,
                       void *arg)
{
    (void)data, (void)length, (void)arg;
    pool_recv_some(stream, PATIENCE_MS, nothing_comes, NULL);
}

static const void *in_turn;

static void take_two(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    if (!patient) {
        patient = stream;
        if (in_turn)
            pool_recv_some(stream, 0, wait_again, NULL);
        return;
    }
    pool_recv_some(stream, 0, keep_the_loop, in_turn ? NULL : scene.pool);
}

static void in_a_slow_batch(int mechanism)
{
    static const struct pool_handler two = {.accepted = take_two,
                                            .closed = log_closed};

    patient = NULL;
    late = false;
    scene_begin(mechanism, &two);
    int first = client(), second = client();
    if (in_turn)
        sends(first, "x");
    sends(second, "x");
    run();
    if (!late)
        ck_assert_ptr_null(strstr(scene.log, "timeout"));
    ck_assert_ptr_nonnull(strstr(scene.log, "soon"));
    close(first);
    close(second);
    scene_end();
}

START_TEST(time_begins_when_a_slow_batch_ends)
{
    in_turn = &scene;
    in_a_slow_batch(_i);
}
END_TEST

START_TEST(time_begins_when_a_slow_batch_ends_also_out_of_turn)
{
    in_turn = NULL;
    in_a_slow_batch(_i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_timers");
    TCase *tests = tcase_create("pool_timers");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, they_come_in_the_order_of_their_deadlines, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, none_is_early, 0, MECHANISMS);
    tcase_add_loop_test(tests, a_period_is_counted_from_the_first_deadline, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, what_a_slow_handler_missed_comes_once, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, one_stops_another_and_itself, 0, MECHANISMS);
    tcase_add_loop_test(tests, they_die_with_their_owner, 0, MECHANISMS);
    tcase_add_loop_test(tests,
                        ten_thousand_in_any_order_of_starting_and_stopping, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, time_begins_when_a_slow_batch_ends, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests,
                        time_begins_when_a_slow_batch_ends_also_out_of_turn, 0,
                        MECHANISMS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
