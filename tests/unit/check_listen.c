/*
 * common/net: listeners and who is accepted; a Unix-domain path that is stale, that
 * lives, that is no socket, and that eight servers want at once.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/net.h"

/* --- listening ------------------------------------------------------------- */

START_TEST(a_listener_does_not_block_and_is_closed_on_exec)
{
    struct net_address where;
    int fd = listener_at("127.0.0.1:0", &where);

    ck_assert_uint_ne(net_address_port(&where), 0);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    fails(net_accept_now(fd, NULL), EAGAIN);
    net_listen_close(fd);
    fails(net_local(fd, &where), EBADF);
}
END_TEST

START_TEST(a_port_in_use_is_said)
{
    struct net_address where;
    int fd = listener_at("127.0.0.1:0", &where);

    fails(net_listen(&where, 0, 0), EADDRINUSE);
    fails(net_listen(&where, 0, NET_REUSE_PORT), EADDRINUSE);
    net_listen_close(fd);
}
END_TEST

START_TEST(two_listeners_share_a_port_when_both_say_so)
{
    struct net_address where = address_of("127.0.0.1:0");
    int a = net_listen(&where, 0, NET_REUSE_PORT), b;

    ck_assert_int_eq(net_local(a, &where), 0);
    b = net_listen(&where, 0, NET_REUSE_PORT);
    ck_assert_int_ge(b, 0);
    net_listen_close(a);
    net_listen_close(b);
}
END_TEST

/* Lesson 1's no-reuseaddr: the closer is left in TIME_WAIT. */
START_TEST(a_server_starts_again_at_once)
{
    struct net_address where;
    int listener = listener_at("127.0.0.1:0", &where);
    int client = net_connect_to(&where, soon());
    int server = net_accept(listener, NULL, soon());
    char byte;

    ck_assert_int_ge(server, 0);
    close(server); /* first: its end waits */
    ck_assert_int_eq(read(client, &byte, 1), 0);
    close(client);
    net_listen_close(listener);
    fails(net_listen(&where, 0, NET_NO_REUSE), EADDRINUSE);
    listener = net_listen(&where, 0, 0);
    ck_assert_int_ge(listener, 0);
    net_listen_close(listener);
}
END_TEST

START_TEST(ipv6_takes_ipv6_only_so_both_fit_one_port)
{
    struct net_address four, six = address_of("[::]:0");
    int a = listener_at("*:0", &four), b;

    six.in6.sin6_port = four.in.sin_port;
    b = net_listen(&six, 0, 0);
    if (b < 0 && errno == EAFNOSUPPORT) /* a machine without IPv6 */
        return;
    ck_assert_msg(b >= 0, "%s", strerror(errno));
    net_listen_close(a);
    net_listen_close(b);
}
END_TEST

START_TEST(bad_arguments_of_a_listener)
{
    struct net_address none = {0}, good = address_of("127.0.0.1:0");
    struct net_address odd = good;

    fails(net_listen(NULL, 0, 0), EINVAL);
    fails(net_listen(&none, 0, 0), EINVAL);
    fails(net_listen(&good, -1, 0), EINVAL);
    fails(net_listen(&good, 0, NET_BROADCAST), EINVAL);
    fails(net_listen(&good, 0, 1u << 20), EINVAL);
    odd.any.sa_family = 255;
    fails(net_listen(&odd, 0, 0), EAFNOSUPPORT);
    odd = address_of("192.0.2.1:0"); /* RFC 5737: nobody's */
    fails(net_listen(&odd, 0, 0), EADDRNOTAVAIL);
    odd = address_of("unix:/no/such/folder/s");
    fails(net_listen(&odd, 0, 0), ENOENT);
    net_listen_close(-1);
}
END_TEST

START_TEST(no_descriptor_left_is_said_and_the_client_still_waits)
{
    struct rlimit limit = {0, 0}, before;
    struct net_address where;
    int listener = listener_at("127.0.0.1:0", &where);
    int client = net_connect_to(&where, soon()), server;

    getrlimit(RLIMIT_NOFILE, &before);
    limit.rlim_max = before.rlim_max;
    limit.rlim_cur = (rlim_t)client + 1;
    setrlimit(RLIMIT_NOFILE, &limit);
    fails(net_accept(listener, NULL, soon()), EMFILE);
    fails(net_accept_now(listener, NULL), EMFILE);
    fails(net_listen(&where, 0, 0), EMFILE);
    fails(net_connect_to(&where, soon()), EMFILE);
    fails(net_datagram(&where, 0, 0), EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    server = net_accept(listener, NULL, soon());
    ck_assert_int_ge(server, 0);
}
END_TEST

/* --- paths ----------------------------------------------------------------- */

START_TEST(a_path_is_made_and_removed)
{
    int listener = net_listen(&path, 0, 0), client, server;
    struct stat file;

    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(lstat(path_file, &file), 0);
    ck_assert(S_ISSOCK(file.st_mode));
    client = net_connect(NULL, NULL, soon());
    ck_assert_int_eq(client, -1);
    client = net_connect_to(&path, soon());
    ck_assert_int_ge(client, 0);
    server = net_accept(listener, NULL, soon());
    ck_assert_int_ge(server, 0);
    net_listen_close(listener);
    ck_assert_int_eq(lstat(path_file, &file), -1);
    ck_assert_int_eq(write(client, "x", 1), 1); /* what was accepted lives on */
}
END_TEST

START_TEST(a_path_that_a_dead_server_left_is_taken)
{
    int listener = net_listen(&path, 0, 0);

    close(listener); /* as a crash does: the file stays */
    fails(net_connect_to(&path, soon()), ECONNREFUSED);
    listener = net_listen(&path, 0, 0);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_ge(net_connect_to(&path, soon()), 0);
    net_listen_close(listener);
}
END_TEST

START_TEST(a_path_where_a_server_lives_is_left_alone)
{
    int listener = net_listen(&path, 0, 0), client;

    fails(net_listen(&path, 0, 0), EADDRINUSE);
    fails(net_datagram(&path, 0, 0), EADDRINUSE); /* of another type, too */
    client = net_connect_to(&path, soon());
    ck_assert_int_ge(client, 0);
    net_listen_close(listener);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_never_removed)
{
    int file = open(path_file, O_CREAT | O_WRONLY, 0600);
    struct stat now;

    ck_assert_int_ge(file, 0);
    close(file);
    fails(net_listen(&path, 0, 0), EADDRINUSE);
    fails(net_datagram(&path, 0, 0), EADDRINUSE);
    ck_assert_int_eq(lstat(path_file, &now), 0);
    ck_assert(S_ISREG(now.st_mode));
    unlink(path_file);
    ck_assert_int_eq(symlink("/no/such/file", path_file), 0);
    fails(net_listen(&path, 0, 0), EADDRINUSE);
    ck_assert_int_eq(lstat(path_file, &now), 0);
}
END_TEST

/* Somebody else took the path over: closing ours does not remove theirs. */
START_TEST(closing_removes_no_path_of_another_server)
{
    int first = net_listen(&path, 0, 0), second;
    struct stat file;

    unlink(path_file);
    second = net_listen(&path, 0, 0);
    ck_assert_int_ge(second, 0);
    net_listen_close(first);
    ck_assert_int_eq(lstat(path_file, &file), 0);
    net_listen_close(second);
    ck_assert_int_eq(lstat(path_file, &file), -1);
}
END_TEST

/* Eight start at once at a stale path, twenty times: one has it, seven are told
 * so, and who has it can be reached. */
START_TEST(of_many_that_start_at_once_one_has_the_path)
{
    enum { RIVALS = 8, ROUNDS = 20 };
    int go[2], hold[2], won, status;
    char byte;

    for (int round = 0; round < ROUNDS; round++) {
        pid_t rivals[RIVALS];

        unlink(path_file);
        close(net_listen(&path, 0, 0)); /* stale */
        ck_assert_int_eq(pipe(go), 0);
        ck_assert_int_eq(pipe(hold), 0);
        for (int i = 0; i < RIVALS; i++) {
            rivals[i] = fork();
            if (rivals[i] == 0) {
                close(go[1]);
                close(hold[1]);
                (void)!read(go[0], &byte, 1);
                if (net_listen(&path, 0, 0) < 0)
                    _exit(errno == EADDRINUSE ? 1 : 2);
                (void)!read(hold[0], &byte, 1); /* lives until all tried */
                _exit(0);
            }
        }
        close(go[0]);
        close(hold[0]);
        close(go[1]);
        won = -1;
        for (int lost = 0; lost < RIVALS - 1; lost++) {
            ck_assert_int_gt(wait(&status), 0);
            ck_assert_int_eq(WEXITSTATUS(status), 1);
        }
        won = net_connect_to(&path, soon());
        ck_assert_int_ge(won, 0);
        close(won);
        close(hold[1]);
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(WEXITSTATUS(status), 0);
    }
}
END_TEST

START_TEST(a_datagram_path_is_made_taken_and_removed)
{
    int fd = net_datagram(&path, 0, 0);
    struct stat file;

    ck_assert_int_ge(fd, 0);
    fails(net_datagram(&path, 0, 0), EADDRINUSE);
    close(fd);
    fd = net_datagram(&path, 0, 0);
    ck_assert_int_ge(fd, 0);
    net_listen_close(fd);
    ck_assert_int_eq(lstat(path_file, &file), -1);
}
END_TEST

START_TEST(a_relative_path_works)
{
    struct net_address here = address_of("unix:s");
    int listener;

    ck_assert_int_eq(chdir(folder), 0);
    listener = net_listen(&here, 0, 0);
    ck_assert_int_ge(listener, 0);
    close(listener);
    listener = net_listen(&here, 0, 0);
    ck_assert_int_ge(listener, 0);
    net_listen_close(listener);
    ck_assert_int_eq(access("s", F_OK), -1);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

/* --- accepting ------------------------------------------------------------- */

START_TEST(accepting_waits_until_its_deadline)
{
    struct net_address where;
    int listener = listener_at("127.0.0.1:0", &where);

    fails(net_accept(listener, NULL, in_ms(-1)), ETIMEDOUT);
    fails(net_accept(listener, NULL, in_ms(20)), ETIMEDOUT);
    fails(net_accept(-1, NULL, soon()), EBADF);
    fails(net_accept_now(-1, NULL), EBADF);
}
END_TEST

START_TEST(who_was_accepted_and_how_it_waits)
{
    static const char *const texts[] = {"127.0.0.1:0", "[::1]:0"};

    for (int i = 0; i < 2; i++) {
        struct net_address where = address_of(texts[i]), peer, mine;
        int listener = net_listen(&where, 0, 0), client, server;

        if (listener < 0 && i == 1) /* a machine without IPv6 */
            continue;
        net_local(listener, &where);
        client = net_connect_to(&where, soon());
        ck_assert_int_ge(client, 0);
        ck_assert(!(fcntl(client, F_GETFL) & O_NONBLOCK));
        ck_assert(fcntl(client, F_GETFD) & FD_CLOEXEC);
        server = net_accept(listener, &peer, soon());
        ck_assert_int_ge(server, 0);
        net_local(client, &mine);
        ck_assert(net_address_equal(&peer, &mine));
        ck_assert(!(fcntl(server, F_GETFL) & O_NONBLOCK));
        ck_assert(fcntl(server, F_GETFD) & FD_CLOEXEC);
        close(client);
        close(server);
        client = net_connect_to(&where, soon());
        server = net_accept_now(listener, &peer);
        ck_assert_int_ge(server, 0);
        net_local(client, &mine);
        ck_assert(net_address_equal(&peer, &mine));
        ck_assert(fcntl(server, F_GETFL) & O_NONBLOCK);
        ck_assert(fcntl(server, F_GETFD) & FD_CLOEXEC);
        close(client);
        close(server);
        net_listen_close(listener);
    }
}
END_TEST

START_TEST(a_client_that_left_does_not_stop_the_next)
{
    struct net_address where;
    int listener = listener_at("127.0.0.1:0", &where);
    int gone = net_connect_to(&where, soon()), stays, server, last = -1;
    struct net_address mine, peer;

    ck_assert_int_eq(net_set_linger(gone, 0), 0);
    close(gone); /* a reset before it was accepted */
    stays = net_connect_to(&where, soon());
    net_local(stays, &mine);
    while ((server = net_accept(listener, &peer, soon())) >= 0) {
        last = server;
        if (net_address_equal(&peer, &mine))
            break;
    }
    ck_assert_int_ge(last, 0);
    ck_assert(net_address_equal(&peer, &mine));
}
END_TEST

START_TEST(accepting_from_what_does_not_listen)
{
    int fd = net_socket(AF_INET, SOCK_STREAM);

    fails(net_accept(fd, NULL, soon()), EINVAL);
    close(fd);
}
END_TEST

static TCase *listening(void)
{
    TCase *tcase = tcase_create("listening");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_listener_does_not_block_and_is_closed_on_exec);
    tcase_add_test(tcase, a_port_in_use_is_said);
    tcase_add_test(tcase, two_listeners_share_a_port_when_both_say_so);
    tcase_add_test(tcase, a_server_starts_again_at_once);
    tcase_add_test(tcase, ipv6_takes_ipv6_only_so_both_fit_one_port);
    tcase_add_test(tcase, bad_arguments_of_a_listener);
    tcase_add_test(tcase,
                   no_descriptor_left_is_said_and_the_client_still_waits);
    return tcase;
}

static TCase *paths(void)
{
    TCase *tcase = tcase_create("paths");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_path_is_made_and_removed);
    tcase_add_test(tcase, a_path_that_a_dead_server_left_is_taken);
    tcase_add_test(tcase, a_path_where_a_server_lives_is_left_alone);
    tcase_add_test(tcase, a_file_that_is_no_socket_is_never_removed);
    tcase_add_test(tcase, closing_removes_no_path_of_another_server);
    tcase_add_test(tcase, of_many_that_start_at_once_one_has_the_path);
    tcase_add_test(tcase, a_datagram_path_is_made_taken_and_removed);
    tcase_add_test(tcase, a_relative_path_works);
    return tcase;
}

static TCase *accepting(void)
{
    TCase *tcase = tcase_create("accepting");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, accepting_waits_until_its_deadline);
    tcase_add_test(tcase, who_was_accepted_and_how_it_waits);
    tcase_add_test(tcase, a_client_that_left_does_not_stop_the_next);
    tcase_add_test(tcase, accepting_from_what_does_not_listen);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("listen");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, listening());
    suite_add_tcase(suite, paths());
    suite_add_tcase(suite, accepting());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
