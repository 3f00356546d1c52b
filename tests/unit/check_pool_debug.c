/*
 * The pool's debug mode: each callback and each change of a socket is told on
 * stderr, a line each, in words; a callback that kept the loop is named; and
 * without the mode nothing is ever written.
 */
#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "tests/unit/pooled.h"

/* --- what the pool wrote ---------------------------------------------------------- */

static int real_stderr, caught;
static char told[8192];

static void catch_stderr(void)
{
    char name[] = "/tmp/check_pool_debug.XXXXXX";

    caught = mkstemp(name);
    ck_assert_int_ge(caught, 0);
    unlink(name);
    real_stderr = dup(STDERR_FILENO);
    dup2(caught, STDERR_FILENO);
}

static void give_stderr_back(void)
{
    ssize_t n = pread(caught, told, sizeof told - 1, 0);

    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(caught);
    ck_assert_int_ge((int)n, 0);
    told[n] = '\0';
}

/* Addresses go: ports are the kernel's choice. */
static void forget_addresses(void)
{
    char *to = told;

    for (const char *at = told; *at;) {
        if (strncmp(at, " 127.0.0.1:", 11) == 0)
            at += 11 + strspn(at + 11, "0123456789");
        else
            *to++ = *at++;
    }
    *to = '\0';
}

/* --- a client asks a line and is answered ------------------------------------------- */

static void answer(struct pool_socket *stream, char *line, size_t length,
                   void *arg)
{
    (void)arg;
    pool_send(stream, line, length);
    pool_close(stream);
}

static void sent(struct pool_socket *stream, void *arg)
{
    (void)stream, (void)arg;
}

static void accepted(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    pool_send_then(stream, "?", 1, sent, NULL);
    pool_recv_line(stream, 100, 0, answer, NULL);
}

static const struct pool_handler server = {.accepted = accepted,
                                           .closed = log_closed};

static void one_client(struct pool_options options, int mechanism)
{
    int fd;

    scene_with(mechanism, options, NULL, &server);
    fd = client();
    sends(fd, "hello\n");
    shutdown(fd, SHUT_WR);
    run();
    ck_assert_str_eq(receives_all(fd), "?hello");
    close(fd);
    scene_end();
}

START_TEST(each_callback_and_each_change_is_told_in_words)
{
    catch_stderr();
    one_client((struct pool_options){.debug = true}, _i);
    give_stderr_back();
    ck_assert_ptr_nonnull(strstr(told, "(listener 127.0.0.1:"));
    forget_addresses();
    ck_assert_str_eq(
        told,
        "pool: socket 0 (listener): listens\n"
        "pool: socket 1 (stream): accepted by socket 0; its accepted callback\n"
        "pool: socket 1 (stream): all of it is with the kernel; its sent "
        "callback\n"
        "pool: socket 1 (stream): received 5 bytes; its line callback\n"
        "pool: socket 1 (stream): is being closed: host\n"
        "pool: socket 1 (stream): has sent its FIN and waits for the peer's\n"
        "pool: socket 1 (stream): closed: host\n"
        "pool: socket 0 (listener): closed: host\n");
}
END_TEST

START_TEST(the_environment_asks_for_it)
{
    setenv("POOL_DEBUG", "1", 1);
    catch_stderr();
    one_client((struct pool_options){0}, _i);
    give_stderr_back();
    unsetenv("POOL_DEBUG");
    ck_assert_ptr_nonnull(strstr(told, "its line callback\n"));
}
END_TEST

START_TEST(nothing_is_written_unless_it_is_asked_for)
{
    catch_stderr();
    one_client((struct pool_options){0}, _i);
    give_stderr_back();
    ck_assert_str_eq(told, "");
}
END_TEST

static void connected_never(struct pool_socket *stream)
{
    (void)stream;
    ck_abort_msg("nobody listens there");
}

START_TEST(a_connect_that_fails_is_told_with_its_reason)
{
    static const struct pool_handler asks = {.connected = connected_never};
    int fd;

    catch_stderr();
    scene_with(_i, (struct pool_options){.debug = true}, NULL, NULL);
    fd = net_socket(AF_INET, SOCK_STREAM); /* bound, and does not listen */
    ck_assert_int_eq(bind(fd, &scene.address.any, scene.address.length), 0);
    net_local(fd, &scene.address);
    ck_assert_ptr_nonnull(
        pool_connect_to(scene.pool, &scene.address, 0, &asks, NULL));
    run();
    pool_free(scene.pool);
    give_stderr_back();
    ck_assert_ptr_nonnull(strstr(told, "could not connect: "));
    ck_assert_ptr_nonnull(strstr(told, "closed: error"));
}
END_TEST

/* --- who keeps the loop ---------------------------------------------------------------- */

/* Not asleep: busy, as a handler that computes is. */
static void be_busy(int ms)
{
    int64_t until = clock_after_ms(ms);

    while (clock_now() < until)
        ;
}

static void answer_slowly(struct pool_socket *stream, char *line, size_t length,
                          void *arg)
{
    be_busy(60);
    answer(stream, line, length, arg);
}

static void accepted_slowly(struct pool_socket *listener,
                            struct pool_socket *stream)
{
    (void)listener;
    pool_send(stream, "?", 1);
    pool_recv_line(stream, 100, 0, answer_slowly, NULL);
}

START_TEST(a_handler_that_kept_the_loop_is_named_with_its_time)
{
    static const struct pool_handler slow = {.accepted = accepted_slowly,
                                             .closed = log_closed};
    const char *warning;
    char role[32], function[32];
    unsigned slot;
    int ms, fd;

    catch_stderr();
    scene_with(_i, (struct pool_options){.debug = true}, NULL, &slow);
    fd = client();
    sends(fd, "hello\n");
    shutdown(fd, SHUT_WR);
    run();
    close(fd);
    scene_end();
    give_stderr_back();
    warning = strstr(told, "pool: the ");
    ck_assert_ptr_nonnull(warning);
    ck_assert_int_eq(sscanf(warning,
                            "pool: the %31s callback of socket %u, %31[^(](), "
                            "kept the loop for %d ms",
                            role, &slot, function, &ms),
                     4);
    ck_assert_str_eq(role, "line");
    ck_assert_str_eq(function, "answer_slowly");
    ck_assert_uint_eq(slot, 1);
    ck_assert_int_ge(ms, 51);
}
END_TEST

static void busy_timer(void *arg)
{
    (void)arg;
    be_busy(60);
}

static void busy_post(void *arg)
{
    (void)arg;
    be_busy(60);
    ck_assert_ptr_nonnull(
        pool_timer_start(scene.pool, NULL, 0, 0, busy_timer, NULL));
}

/* What belongs to no socket, too: three functions, three warnings. */
static void nothing(void *arg)
{
    (void)arg;
}

START_TEST(timers_posts_and_results_are_named_as_well)
{
    int warnings = 0;

    catch_stderr();
    scene_with(_i, (struct pool_options){.debug = true}, NULL, NULL);
    ck_assert_int_eq(pool_work(scene.pool, nothing, busy_post, NULL), 0);
    run();
    ck_assert_int_eq(pool_post(scene.pool, busy_timer, NULL), 0);
    ck_assert_ptr_nonnull(
        pool_timer_start(scene.pool, NULL, 0, 0, nothing, NULL));
    run();
    pool_free(scene.pool);
    give_stderr_back();
    for (const char *at = told; (at = strstr(at, "kept the loop for")); at++)
        warnings++;
    ck_assert_int_eq(warnings, 3);
    ck_assert_ptr_nonnull(strstr(told, "the done callback, busy_post(), kept"));
    ck_assert_ptr_nonnull(
        strstr(told, "the posted callback, busy_timer(), kept"));
    ck_assert_ptr_nonnull(
        strstr(told, "the timer callback, busy_timer(), kept"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_debug");
    TCase *tcase = tcase_create("debug");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tcase, each_callback_and_each_change_is_told_in_words,
                        0, MECHANISMS);
    tcase_add_loop_test(tcase, the_environment_asks_for_it, 0, MECHANISMS);
    tcase_add_loop_test(tcase, nothing_is_written_unless_it_is_asked_for, 0,
                        MECHANISMS);
    tcase_add_loop_test(tcase, a_connect_that_fails_is_told_with_its_reason, 0,
                        MECHANISMS);
    tcase_add_loop_test(tcase,
                        a_handler_that_kept_the_loop_is_named_with_its_time, 0,
                        MECHANISMS);
    tcase_add_loop_test(tcase, timers_posts_and_results_are_named_as_well, 0,
                        MECHANISMS);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
