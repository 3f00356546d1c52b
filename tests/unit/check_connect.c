/*
 * common/net: connecting, with a deadline and for a loop; refused, unanswered, to
 * itself, and to a Unix-domain listener whose backlog is full.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>

#include "tests/unit/net.h"

/* --- connecting ------------------------------------------------------------ */

/* A listener whose queue is full: a connect gets no answer. */
static struct net_address silent(void)
{
    struct net_address where = address_of("127.0.0.1:0");
    int listener = net_listen(&where, 1, 0);
    bool connected;
    int fd;

    net_local(listener, &where);
    for (;;) {
        fd = net_connect_start(&where, &connected);
        ck_assert_int_ge(fd, 0);
        if (net_wait(fd, POLLOUT, in_ms(200)) != 0)
            return where;
    }
}

START_TEST(a_refused_connect_says_so)
{
    struct net_address where = refusing(), none = {0};
    char port[8];

    fails(net_connect_to(&where, soon()), ECONNREFUSED);
    fails(net_connect_to(&where, CLOCK_NEVER), ECONNREFUSED);
    snprintf(port, sizeof port, "%u", net_address_port(&where));
    fails(net_connect("127.0.0.1", port, soon()), ECONNREFUSED);
    fails(net_connect_to(&path, soon()), ENOENT);
    fails(net_connect_to(&none, soon()), EINVAL);
    fails(net_connect_to(NULL, soon()), EINVAL);
    fails(net_connect("127.0.0.1", NULL, soon()), EINVAL);
}
END_TEST

START_TEST(a_connect_without_an_answer_ends_at_its_deadline)
{
    struct net_address where = silent();
    bool connected = true;
    int fd;

    fails(net_connect_to(&where, in_ms(50)), ETIMEDOUT);
    fd = net_connect_start(&where, &connected);
    ck_assert_int_ge(fd, 0);
    ck_assert(!connected);
    fails(net_connect_finish(fd), EINPROGRESS);
    close(fd);
    fails(net_connect_finish(fd), EBADF);
}
END_TEST

START_TEST(a_connect_for_a_loop)
{
    struct net_address where, nobody = refusing();
    int listener = listener_at("127.0.0.1:0", &where);
    bool connected = true;
    int fd = net_connect_start(&where, &connected);

    ck_assert_int_ge(fd, 0);
    ck_assert(!connected);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    ck_assert_int_eq(net_wait(fd, POLLOUT, soon()), 0);
    ck_assert_int_eq(net_connect_finish(fd), 0);
    close(fd);
    net_listen_close(listener);
    fd = net_connect_start(&nobody, &connected);
    ck_assert_int_eq(net_wait(fd, POLLOUT, soon()), 0);
    fails(net_connect_finish(fd), ECONNREFUSED);
    fails(net_connect_finish(fd), ENOTCONN); /* the error is told once */
    close(fd);
    listener = net_listen(&path, 0, 0);
    fd = net_connect_start(&path, &connected);
    ck_assert_int_ge(fd, 0);
    ck_assert(connected);
    ck_assert_int_eq(net_connect_finish(fd), 0);
    net_listen_close(listener);
}
END_TEST

START_TEST(addresses_share_the_time_that_is_left)
{
    int64_t now = clock_now(), late = now + 100 * CLOCK_SECOND, share;

    ck_assert(net_connect_share(CLOCK_NEVER, 5) == CLOCK_NEVER);
    ck_assert(net_connect_share(late, 1) == late);
    ck_assert(net_connect_share(now - 1, 4) == now - 1);
    share = net_connect_share(late, 4);
    ck_assert(share >= now + 24 * CLOCK_SECOND);
    ck_assert(share <= late - 74 * CLOCK_SECOND);
    share = net_connect_share(now + 50 * CLOCK_SECOND, 16);
    ck_assert(share >= now + 2 * CLOCK_SECOND); /* not cut to nothing */
    ck_assert(net_connect_share(now + CLOCK_SECOND, 9) == now + CLOCK_SECOND);
}
END_TEST

START_TEST(of_two_errors_the_telling_one_is_told)
{
    ck_assert_int_eq(net_connect_error(0, ENETUNREACH), ENETUNREACH);
    ck_assert_int_eq(net_connect_error(ENETUNREACH, ECONNREFUSED),
                     ECONNREFUSED);
    ck_assert_int_eq(net_connect_error(ECONNREFUSED, ENETUNREACH),
                     ECONNREFUSED);
    ck_assert_int_eq(net_connect_error(EAFNOSUPPORT, ETIMEDOUT), ETIMEDOUT);
    ck_assert_int_eq(net_connect_error(ECONNREFUSED, ETIMEDOUT), ECONNREFUSED);
}
END_TEST

/* TCP's simultaneous open with itself: port to the same port (RFC 9293 3.5). */
START_TEST(a_socket_connected_to_itself_is_refused)
{
    struct net_address where = address_of("127.0.0.1:0");
    int fd = net_socket(AF_INET, SOCK_STREAM);

    ck_assert_int_eq(bind(fd, &where.any, where.length), 0);
    net_local(fd, &where);
    ck_assert_int_eq(connect(fd, &where.any, where.length), 0);
    fails(net_connect_finish(fd), ECONNREFUSED);
    close(fd);
}
END_TEST

static void *accept_one_later(void *arg)
{
    int listener = *(int *)arg;

    return (void *)(intptr_t)net_accept(listener, NULL, soon());
}

START_TEST(a_full_unix_backlog_is_waited_for)
{
    int listener = net_listen(&path, 1, 0), fd;
    bool connected;
    pthread_t thread;
    void *server;

    while ((fd = net_connect_start(&path, &connected)) >= 0)
        ck_assert(connected);
    ck_assert_int_eq(errno, EAGAIN);
    fails(net_connect_to(&path, in_ms(30)), ETIMEDOUT);
    pthread_create(&thread, NULL, accept_one_later, &listener);
    fd = net_connect_to(&path, soon());
    ck_assert_int_ge(fd, 0);
    pthread_join(thread, &server);
    ck_assert_int_ge((int)(intptr_t)server, 0);
    net_listen_close(listener);
}
END_TEST

static TCase *connecting(void)
{
    TCase *tcase = tcase_create("connecting");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_refused_connect_says_so);
    tcase_add_test(tcase, a_connect_without_an_answer_ends_at_its_deadline);
    tcase_add_test(tcase, a_connect_for_a_loop);
    tcase_add_test(tcase, addresses_share_the_time_that_is_left);
    tcase_add_test(tcase, of_two_errors_the_telling_one_is_told);
    tcase_add_test(tcase, a_socket_connected_to_itself_is_refused);
    tcase_add_test(tcase, a_full_unix_backlog_is_waited_for);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("connect");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, connecting());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
