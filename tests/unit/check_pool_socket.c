/*
 * What every socket of the pool has, on each mechanism: its pool, descriptor,
 * number, addresses, user and handler; and how all of them are gone through.
 */
#include "tests/unit/pooled.h"

static int users[3]; /* told apart by their addresses */

static void second_line(struct pool_socket *stream, char *line, size_t length,
                        void *arg)
{
    (void)length;
    ck_assert_ptr_eq(arg, &users[1]);
    say("%s for %d", line, pool_user(stream) == &users[2]);
    pool_close(stream);
}

static void closed_later(struct pool_socket *stream, enum closed_reason reason,
                         int error)
{
    (void)stream, (void)error;
    say("second handler, %s", closed_reason_word(reason));
    pool_stop(scene.pool);
}

static const struct pool_handler second = {.closed = closed_later};

static void first_closed(struct pool_socket *socket, enum closed_reason reason,
                         int error)
{
    (void)error;
    if (socket == scene.listener)
        say("listener, %s", closed_reason_word(reason));
    else
        ck_abort_msg("it has another handler now");
}

static void first_accepted(struct pool_socket *listener,
                           struct pool_socket *stream)
{
    struct net_address local, peer, bound, theirs_now;

    ck_assert_ptr_eq(listener, scene.listener);
    ck_assert_ptr_eq(pool_of(stream), scene.pool);
    ck_assert_ptr_eq(pool_user(listener), &users[0]);
    ck_assert_int_ge(pool_fd(stream), 0);
    ck_assert_int_eq(net_local(pool_fd(stream), &local), 0);
    ck_assert_int_eq(net_peer(pool_fd(stream), &peer), 0);
    ck_assert_int_eq(pool_local(stream, &bound), 0);
    ck_assert_int_eq(pool_peer(stream, &theirs_now), 0);
    ck_assert(net_address_equal(&local, &bound));
    ck_assert(net_address_equal(&local, &scene.address));
    ck_assert(net_address_equal(&peer, &theirs_now));
    ck_assert_int_eq(pool_peer(listener, &peer), -1);
    ck_assert(!pool_is_tls(stream));
    ck_assert(pool_id(stream) != pool_id(listener));
    ck_assert_ptr_eq(pool_find(scene.pool, pool_id(stream)), stream);
    ck_assert_ptr_eq(pool_find(scene.pool, pool_id(listener)), listener);
    pool_set_user(stream, &users[2]);
    pool_set_handler(stream, &second);
    pool_recv_line(stream, 100, 0, second_line, &users[1]);
}

static const struct pool_handler first = {.accepted = first_accepted,
                                          .closed = first_closed};

START_TEST(a_socket_says_what_it_is_and_whose)
{
    int fd;

    scene_begin(_i, NULL);
    scene.listener = pool_listen(scene.pool, &scene.address, NULL, &first,
                                 &users[0]);
    ck_assert_ptr_nonnull(scene.listener);
    ck_assert_int_eq(pool_local(scene.listener, &scene.address), 0);
    ck_assert_uint_ne(net_address_port(&scene.address), 0);
    fd = client();
    sends(fd, "line\n");
    shutdown(fd, SHUT_WR);
    run();
    ck_assert_str_eq(scene.log,
                     "line for 1; second handler, host; listener, host; ");
    close(fd);
    scene_end();
}
END_TEST

enum { CLIENTS = 10 };
static uint64_t ids[CLIENTS];
static int accepted_count, closed_count;

static void count_closed(struct pool_socket *socket, enum closed_reason reason,
                         int error)
{
    (void)reason, (void)error;
    closed_count += socket != scene.listener;
}

/* Once all are there, every second one is closed while they are gone through. */
static void keep_number(struct pool_socket *listener,
                        struct pool_socket *stream)
{
    int seen = 0;

    ids[accepted_count++] = pool_id(stream);
    if (accepted_count < CLIENTS)
        return;
    ck_assert_uint_eq(pool_count(scene.pool), CLIENTS + 1);
    for (struct pool_socket *s = NULL; (s = pool_next(scene.pool, s));) {
        if (s != listener && seen++ % 2)
            pool_abort(s);
    }
    ck_assert_int_eq(seen, CLIENTS);
    pool_stop(scene.pool);
}

START_TEST(all_are_gone_through_while_some_are_closed)
{
    static const struct pool_handler keeping = {.accepted = keep_number,
                                                .closed = count_closed};
    int fds[CLIENTS];

    accepted_count = closed_count = 0;
    scene_begin(_i, &keeping);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client();
        shutdown(fds[i], SHUT_WR);
    }
    run();
    ck_assert_int_eq(closed_count, CLIENTS);
    ck_assert_uint_eq(pool_count(scene.pool), 0);
    ck_assert_ptr_null(pool_next(scene.pool, NULL));
    for (int i = 0; i < CLIENTS; i++) {
        ck_assert_ptr_null(pool_find(scene.pool, ids[i]));
        for (int j = 0; j < i; j++)
            ck_assert(ids[i] != ids[j]);
        close(fds[i]);
    }
    ck_assert_ptr_null(pool_find(scene.pool, 0));
    ck_assert_ptr_null(pool_find(scene.pool, UINT64_MAX));
    scene_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_socket");
    TCase *tests = tcase_create("socket");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tests, a_socket_says_what_it_is_and_whose, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, all_are_gone_through_while_some_are_closed, 0,
                        MECHANISMS);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
