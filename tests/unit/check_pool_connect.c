/*
 * The pool's connects, on each mechanism: to an address and by name, refused and
 * unanswered, given up; what is sent and asked for before there is a connection.
 */
#include "tests/unit/pooled.h"

#include <sys/stat.h>

static void echo(struct pool_socket *stream, char *data, size_t length,
                 void *arg)
{
    pool_send(stream, data, length);
    pool_recv_some(stream, 0, echo, arg);
}

static void accepted(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    pool_recv_some(stream, 0, echo, NULL);
}

static const struct pool_handler server = {.accepted = accepted};

static void on_reply(struct pool_socket *stream, char *data, size_t length,
                     void *arg)
{
    (void)arg;
    say("reply %.*s", (int)length, data);
    pool_close(stream);
}

static void connected(struct pool_socket *stream)
{
    struct net_address peer;

    say("connected");
    ck_assert_int_eq(pool_peer(stream, &peer), 0);
    ck_assert(net_address_equal(&peer, &scene.address));
    pool_send(stream, "hello", 5);
    pool_recv_exact(stream, 5, 5000, on_reply, NULL);
}

static void connected_late(struct pool_socket *stream)
{
    (void)stream;
    say("connected");
}

static void failed(struct pool_socket *stream, int error)
{
    (void)stream;
    say("failed %s", strerrorname_np(error));
}

static void closed(struct pool_socket *stream, enum closed_reason reason,
                   int error)
{
    (void)stream;
    say("closed %s%s%s", closed_reason_word(reason), error ? " " : "",
        error ? strerrorname_np(error) : "");
    pool_stop(scene.pool);
}

static const struct pool_handler caller = {
    .connected = connected, .failed = failed, .closed = closed};
static const struct pool_handler early = {
    .connected = connected_late, .failed = failed, .closed = closed};

static struct pool_socket *by_name(const char *host, unsigned timeout_ms)
{
    char port[16];

    snprintf(port, sizeof port, "%u", net_address_port(&scene.address));
    return pool_connect(scene.pool, host, port, timeout_ms, &caller, NULL);
}

/* --- well ------------------------------------------------------------------ */

START_TEST(an_address_is_connected_and_answers)
{
    scene_begin(_i, &server);
    ck_assert_ptr_nonnull(
        pool_connect_to(scene.pool, &scene.address, 0, &caller, NULL));
    ck_assert_str_eq(scene.log, ""); /* nothing inside the call */
    run();
    ck_assert_str_eq(scene.log, "connected; reply hello; closed host; ");
    scene_end();
}
END_TEST

START_TEST(a_name_is_looked_up_and_connected)
{
    scene_begin(_i, &server);
    struct pool_socket *stream = by_name("localhost", 0);
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(pool_fd(stream), -1);
    run();
    ck_assert_str_eq(scene.log, "connected; reply hello; closed host; ");
    scene_end();
}
END_TEST

START_TEST(what_is_asked_and_sent_before_is_kept)
{
    scene_begin(_i, &server);
    struct pool_socket *stream = pool_connect_to(scene.pool, &scene.address, 0,
                                                 &early, NULL);
    ck_assert_int_eq(pool_send(stream, "ear", 3), 0);
    ck_assert_int_eq(pool_send(stream, "ly", 2), 0);
    ck_assert_uint_eq(pool_unsent(stream), 5);
    ck_assert_int_eq(pool_recv_exact(stream, 5, 5000, on_reply, NULL), 0);
    run();
    ck_assert_str_eq(scene.log, "connected; reply early; closed host; ");
    scene_end();
}
END_TEST

START_TEST(a_path_is_made_connected_and_removed)
{
    char text[64];
    struct stat status;

    scene_begin(_i, NULL);
    snprintf(text, sizeof text, "unix:/tmp/check_pool_%d", (int)getpid());
    ck_assert_int_eq(net_address_parse(&scene.address, text), 0);
    struct pool_socket *listener = pool_listen(scene.pool, &scene.address, NULL,
                                               &server, NULL);
    ck_assert_ptr_nonnull(listener);
    ck_assert_int_eq(stat(text + 5, &status), 0);
    pool_connect_to(scene.pool, &scene.address, 0, &caller, NULL);
    run();
    ck_assert_str_eq(scene.log, "connected; reply hello; closed host; ");
    ck_assert_int_eq(stat(text + 5, &status), -1);
    scene_end();
}
END_TEST

START_TEST(a_number_needs_no_worker)
{
    enum { MANY = 1100 }; /* more than the workers' queue holds */
    static const struct pool_handler none;
    char port[16];

    scene_begin(_i, &server);
    struct pool_socket *stream = by_name("127.0.0.1", 0);
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(pool_fd(stream), 0);
    run();
    ck_assert_str_eq(scene.log, "connected; reply hello; closed host; ");
    snprintf(port, sizeof port, "%u", net_address_port(&scene.address));
    for (int i = 0; i < MANY; i++) {
        stream = pool_connect(scene.pool, "127.0.0.1", port, 0, &none, NULL);
        ck_assert_ptr_nonnull(stream);
        pool_close(stream);
    }
    scene_end();
}
END_TEST

/* --- not ------------------------------------------------------------------------ */

START_TEST(nobody_listens)
{
    scene_begin(_i, &server);
    pool_close(scene.listener);
    pool_connect_to(scene.pool, &scene.address, 0, &caller, NULL);
    run();
    ck_assert_str_eq(scene.log,
                     "failed ECONNREFUSED; closed error ECONNREFUSED; ");
    scene_end();
}
END_TEST

START_TEST(nobody_listens_at_any_address_of_the_name)
{
    scene_begin(_i, &server);
    pool_close(scene.listener);
    by_name("localhost", 0);
    run();
    ck_assert_str_eq(scene.log,
                     "failed ECONNREFUSED; closed error ECONNREFUSED; ");
    scene_end();
}
END_TEST

START_TEST(there_is_no_such_service)
{
    scene_begin(_i, NULL);
    ck_assert_ptr_nonnull(
        pool_connect(scene.pool, "127.0.0.1", "no-such", 0, &caller, NULL));
    run();
    ck_assert_str_eq(scene.log,
                     "failed EPROTONOSUPPORT; closed error EPROTONOSUPPORT; ");
    scene_end();
}
END_TEST

/* A listener whose backlog is full: the next SYN gets no answer. */
static int silent[64];

static void fill_a_backlog(void)
{
    ck_assert_int_eq(net_address_parse(&scene.address, ":0"), 0);
    silent[0] = net_listen(&scene.address, 1, 0);
    ck_assert_int_eq(net_local(silent[0], &scene.address), 0);
    for (int i = 1; i < 64; i++) {
        bool connected_now;

        silent[i] = net_connect_start(&scene.address, &connected_now);
    }
}

static void empty_it(void)
{
    for (int i = 0; i < 64; i++)
        close(silent[i]);
}

START_TEST(no_answer_is_a_timeout_and_not_early)
{
    scene_begin(_i, NULL);
    fill_a_backlog();
    scene.descriptors += 64;
    int64_t began = clock_now();
    pool_connect_to(scene.pool, &scene.address, 80, &caller, NULL);
    run();
    ck_assert_int_ge(clock_now() - began, 80 * CLOCK_MS);
    ck_assert_str_eq(scene.log, "failed ETIMEDOUT; closed timeout; ");
    scene_end();
    empty_it();
}
END_TEST

/* The next connect to that path is EAGAIN at once; who could be accepted. */
static int path_backlog, path_clients[64], path_accepted[64], accepted_count;

static void fill_a_path(const char *path)
{
    bool now;
    int i = 0;

    ck_assert_int_eq(net_address_parse(&scene.address, path), 0);
    path_backlog = net_listen(&scene.address, 1, 0);
    ck_assert_int_ge(path_backlog, 0);
    while ((path_clients[i] = net_connect_start(&scene.address, &now)) >= 0)
        ck_assert_int_lt(++i, 64);
    ck_assert_int_eq(errno, EAGAIN);
}

static void empty_a_path(void)
{
    for (int i = 0; path_clients[i] >= 0; i++)
        close(path_clients[i]);
    while (accepted_count > 0)
        close(path_accepted[--accepted_count]);
    net_listen_close(path_backlog);
}

static void accept_one(void *arg)
{
    int fd = net_accept_now(path_backlog, NULL);

    (void)arg;
    if (fd >= 0) {
        sends(fd, "hello");
        path_accepted[accepted_count++] = fd;
    }
}

START_TEST(a_path_whose_backlog_is_full_is_tried_until_it_has_room)
{
    char path[64];

    scene_begin(_i, NULL);
    snprintf(path, sizeof path, "unix:/tmp/check_pool_full_%d", (int)getpid());
    fill_a_path(path);
    ck_assert_ptr_nonnull(
        pool_connect(scene.pool, path, NULL, 60, &caller, NULL));
    run();
    ck_assert_str_eq(scene.log, "failed ETIMEDOUT; closed timeout; ");
    scene.log[0] = '\0';
    ck_assert_ptr_nonnull(
        pool_connect_to(scene.pool, &scene.address, 0, &caller, NULL));
    pool_timer_start(scene.pool, NULL, 20, 1, accept_one, NULL);
    run();
    ck_assert_str_eq(scene.log, "connected; reply hello; closed host; ");
    empty_a_path();
    scene_end();
}
END_TEST

static void give_up(void *arg)
{
    pool_close(arg);
}

START_TEST(given_up_by_us_is_reason_host_and_never_failed)
{
    scene_begin(_i, NULL);
    fill_a_backlog();
    scene.descriptors += 64;
    struct pool_socket *stream = pool_connect_to(scene.pool, &scene.address, 0,
                                                 &caller, NULL);
    pool_timer_start(scene.pool, NULL, 5, 0, give_up, stream);
    run();
    ck_assert_str_eq(scene.log, "closed host; ");
    scene_end();
    empty_it();
}
END_TEST

START_TEST(given_up_while_the_name_is_looked_up)
{
    scene_begin(_i, &server);
    pool_close(by_name("localhost", 0));
    run();
    ck_assert_str_eq(scene.log, "closed host; ");
    pool_free(scene.pool); /* the look-up goes on, and may have a file open */
}
END_TEST

START_TEST(wrong_arguments_are_refused_at_once)
{
    scene_begin(_i, NULL);
    ck_assert_ptr_null(pool_connect_to(scene.pool, NULL, 0, &caller, NULL));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_ptr_null(
        pool_connect_to(scene.pool, &scene.address, 0, NULL, NULL));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_ptr_null(pool_adopt(scene.pool, -1, &caller, NULL));
    ck_assert_int_eq(errno, EBADF);
    ck_assert_uint_eq(pool_count(scene.pool), 0);
    scene_end();
}
END_TEST

/* --- adopted ---------------------------------------------------------------------- */

START_TEST(a_socket_of_ones_own_is_adopted)
{
    static const struct pool_handler adopted = {.closed = closed};
    int pair[2];

    scene_begin(_i, NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct pool_socket *stream = pool_adopt(scene.pool, pair[0], &adopted,
                                            &pair);
    ck_assert_ptr_nonnull(stream);
    ck_assert_ptr_eq(pool_user(stream), &pair);
    ck_assert_int_eq(pool_recv_some(stream, 0, echo, NULL), 0);
    sends(pair[1], "ping");
    shutdown(pair[1], SHUT_WR);
    run();
    ck_assert_str_eq(receives_all(pair[1]), "ping");
    ck_assert_str_eq(scene.log, "closed peer; ");
    close(pair[1]);
    scene_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_connect");
    TCase *tests = tcase_create("pool_connect");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, an_address_is_connected_and_answers, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_name_is_looked_up_and_connected, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, what_is_asked_and_sent_before_is_kept, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_path_is_made_connected_and_removed, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_number_needs_no_worker, 0, MECHANISMS);
    tcase_add_loop_test(tests, nobody_listens, 0, MECHANISMS);
    tcase_add_loop_test(tests,
                        a_path_whose_backlog_is_full_is_tried_until_it_has_room,
                        0, MECHANISMS);
    tcase_add_loop_test(tests, nobody_listens_at_any_address_of_the_name, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, there_is_no_such_service, 0, MECHANISMS);
    tcase_add_loop_test(tests, no_answer_is_a_timeout_and_not_early, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, given_up_by_us_is_reason_host_and_never_failed,
                        0, MECHANISMS);
    tcase_add_loop_test(tests, given_up_while_the_name_is_looked_up, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, wrong_arguments_are_refused_at_once, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_socket_of_ones_own_is_adopted, 0, MECHANISMS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
