/*
 * common/queue: first in, first out, never more than the limit; shared, it waits
 * until its deadline and lets everybody go when it is closed.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/queue.h"

static void *item(intptr_t number)
{
    return (void *)(number + 1); /* never NULL */
}

static int64_t in_ms(int ms)
{
    return clock_now() + ms * (int64_t)CLOCK_MS;
}

START_TEST(first_in_first_out)
{
    struct queue queue;
    intptr_t in = 0, out = 0;

    queue_init(&queue, 1000);
    ck_assert_ptr_null(queue_pop(&queue));
    for (int round = 0; round < 500; round++) {
        for (int i = 0; i < round % 37; i++) {
            if (queue.count < 1000)
                ck_assert_int_eq(queue_push(&queue, item(in++)), 0);
        }
        for (int i = 0; i < round % 31 && queue.count; i++)
            ck_assert_ptr_eq(queue_pop(&queue), item(out++));
        ck_assert_int_eq((int)queue.count, (int)(in - out));
    }
    while (queue.count)
        ck_assert_ptr_eq(queue_pop(&queue), item(out++));
    ck_assert_int_eq((int)in, (int)out);
    queue_fini(&queue);
}
END_TEST

START_TEST(a_full_queue_says_so)
{
    struct queue queue;

    queue_init(&queue, 17);
    for (int i = 0; i < 17; i++)
        ck_assert_int_eq(queue_push(&queue, item(i)), 0);
    errno = 0;
    ck_assert_int_eq(queue_push(&queue, item(17)), -1);
    ck_assert_int_eq(errno, ENOBUFS);
    ck_assert_ptr_eq(queue_pop(&queue), item(0));
    ck_assert_int_eq(queue_push(&queue, item(17)), 0);
    errno = 0;
    ck_assert_int_eq(queue_push(&queue, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    queue_fini(&queue);
    queue_init(&queue, 0);
    ck_assert_int_eq(queue_push(&queue, item(1)), -1);
    queue_fini(&queue);
}
END_TEST

START_TEST(it_takes_memory_as_it_needs_it)
{
    struct queue queue;

    queue_init(&queue, SIZE_MAX);
    ck_assert_int_eq(queue_push(&queue, item(1)), 0);
    ck_assert_uint_le(queue.room, 16);
    queue_fini(&queue);
    ck_assert_ptr_null(queue.items);
}
END_TEST

START_TEST(shared_waits_until_its_deadline)
{
    struct queue_shared *queue = queue_shared_new(1);
    int64_t deadline = in_ms(30);
    void *got;

    errno = 0;
    ck_assert_int_eq(queue_shared_take(queue, &got, deadline), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert(clock_now() >= deadline);
    ck_assert_int_eq(queue_shared_take(queue, &got, 0), -1);
    ck_assert_int_eq(queue_shared_put(queue, item(1), 0), 0);
    ck_assert_uint_eq(queue_shared_count(queue), 1);
    errno = 0;
    ck_assert_int_eq(queue_shared_put(queue, item(2), in_ms(10)), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_eq(queue_shared_take(queue, &got, 0), 1);
    ck_assert_ptr_eq(got, item(1));
    queue_shared_free(queue);
}
END_TEST

START_TEST(closed_takes_nothing_more_and_gives_what_it_has)
{
    struct queue_shared *queue = queue_shared_new(4);
    void *got;

    ck_assert_int_eq(queue_shared_put(queue, item(1), CLOCK_NEVER), 0);
    queue_shared_close(queue);
    queue_shared_close(queue);
    errno = 0;
    ck_assert_int_eq(queue_shared_put(queue, item(2), CLOCK_NEVER), -1);
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_int_eq(queue_shared_take(queue, &got, CLOCK_NEVER), 1);
    ck_assert_ptr_eq(got, item(1));
    ck_assert_int_eq(queue_shared_take(queue, &got, CLOCK_NEVER), 0);
    queue_shared_free(queue);
}
END_TEST

struct side {
    struct queue_shared *queue;
    atomic_long sum;
    atomic_int ended;
};

enum { EACH = 5000 };

static void *producer(void *arg)
{
    struct side *side = arg;

    for (int i = 1; i <= EACH; i++)
        ck_assert_int_eq(queue_shared_put(side->queue, item(i), CLOCK_NEVER),
                         0);
    return NULL;
}

static void *consumer(void *arg)
{
    struct side *side = arg;
    void *got;

    while (queue_shared_take(side->queue, &got, CLOCK_NEVER) == 1)
        atomic_fetch_add(&side->sum, (intptr_t)got - 1);
    atomic_fetch_add(&side->ended, 1);
    return NULL;
}

START_TEST(four_put_and_four_take_everything_once)
{
    struct side side = {.queue = queue_shared_new(8)};
    pthread_t in[4], out[4];

    for (int i = 0; i < 4; i++) {
        pthread_create(&in[i], NULL, producer, &side);
        pthread_create(&out[i], NULL, consumer, &side);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(in[i], NULL);
    queue_shared_close(side.queue);
    for (int i = 0; i < 4; i++)
        pthread_join(out[i], NULL);
    ck_assert_int_eq(atomic_load(&side.ended), 4);
    ck_assert_int_eq((int)(atomic_load(&side.sum) / 4), EACH * (EACH + 1) / 2);
    queue_shared_free(side.queue);
}
END_TEST

static void *put_until_closed(void *arg)
{
    struct side *side = arg;

    while (queue_shared_put(side->queue, item(1), CLOCK_NEVER) == 0)
        ;
    ck_assert_int_eq(errno, EPIPE);
    atomic_fetch_add(&side->ended, 1);
    return NULL;
}

/* Some stand before a full queue, some before an empty one. */
START_TEST(closing_lets_everybody_go)
{
    struct side full = {.queue = queue_shared_new(1)};
    struct side empty = {.queue = queue_shared_new(1)};
    pthread_t threads[6];

    for (int i = 0; i < 3; i++) {
        pthread_create(&threads[i], NULL, put_until_closed, &full);
        pthread_create(&threads[i + 3], NULL, consumer, &empty);
    }
    queue_shared_close(full.queue);
    queue_shared_close(empty.queue);
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&full.ended), 3);
    ck_assert_int_eq(atomic_load(&empty.ended), 3);
    queue_shared_free(full.queue);
    queue_shared_free(empty.queue);
}
END_TEST

START_TEST(bad_arguments_of_a_queue)
{
    struct queue_shared *queue;

    errno = 0;
    ck_assert_ptr_null(queue_shared_new(0));
    ck_assert_int_eq(errno, EINVAL);
    errno = 0;
    ck_assert_ptr_null(queue_shared_new(SIZE_MAX));
    ck_assert_int_eq(errno, ENOMEM);
    queue = queue_shared_new(1);
    errno = 0;
    ck_assert_int_eq(queue_shared_put(queue, NULL, CLOCK_NEVER), -1);
    ck_assert_int_eq(errno, EINVAL);
    queue_shared_free(queue);
    queue_shared_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue");
    TCase *tcase = tcase_create("queue");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, first_in_first_out);
    tcase_add_test(tcase, a_full_queue_says_so);
    tcase_add_test(tcase, it_takes_memory_as_it_needs_it);
    tcase_add_test(tcase, shared_waits_until_its_deadline);
    tcase_add_test(tcase, closed_takes_nothing_more_and_gives_what_it_has);
    tcase_add_test(tcase, four_put_and_four_take_everything_once);
    tcase_add_test(tcase, closing_lets_everybody_go);
    tcase_add_test(tcase, bad_arguments_of_a_queue);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
