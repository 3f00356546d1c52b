/*
 * common/net: datagrams, in batches and one by one, and what is set on a descriptor
 * and read back.
 */
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>

#include "tests/unit/net.h"

/* --- datagrams ------------------------------------------------------------- */

static char one[] = "x";

static int datagrams_at(const char *text, struct net_address *where)
{
    struct net_address address = address_of(text);
    int fd = net_datagram(&address, 0, 0);

    ck_assert_int_ge(fd, 0);
    net_local(fd, where);
    return fd;
}

START_TEST(a_batch_goes_and_comes_in_order)
{
    enum { COUNT = NET_BATCH };
    static char data[COUNT][32], room[COUNT + 1][32];
    struct net_message out[COUNT] = {0}, in[COUNT + 1] = {0};
    struct net_address to, from;
    int a = datagrams_at("127.0.0.1:0", &to);
    int b = datagrams_at("127.0.0.1:0", &from), got = 0, n;

    for (int i = 0; i < COUNT; i++) {
        out[i].data = data[i];
        out[i].length = (size_t)snprintf(data[i], 32, "number %d", i);
        out[i].address = to;
    }
    out[5].length = 0; /* a datagram, too */
    for (int i = 0; i <= COUNT; i++)
        in[i] = (struct net_message){.data = room[i], .room = 8};
    ck_assert_int_eq(net_send_batch(b, out, COUNT), COUNT);
    while (got < COUNT) {
        ck_assert_int_eq(net_wait(a, POLLIN, soon()), 0);
        n = net_recv_batch(a, in + got, (unsigned)(COUNT + 1 - got));
        ck_assert_int_ge(n, 1);
        got += n;
    }
    fails(net_recv_batch(a, in, 1), EAGAIN);
    for (int i = 0; i < COUNT; i++) {
        size_t whole = strlen(data[i]);

        if (i == 5)
            whole = 0;
        ck_assert_uint_eq(in[i].length, whole < 8 ? whole : 8);
        ck_assert(in[i].cut == (whole > 8));
        ck_assert_mem_eq(in[i].data, data[i], in[i].length);
        ck_assert(net_address_equal(&in[i].address, &from));
    }
}
END_TEST

START_TEST(more_than_a_batch_is_cut_to_one)
{
    static struct net_message out[NET_BATCH + 10];
    struct net_address to;
    int a = datagrams_at("127.0.0.1:0", &to);
    int b = net_datagram(NULL, AF_INET, 0);

    for (int i = 0; i < NET_BATCH + 10; i++)
        out[i] = (struct net_message){.data = one, .length = 1, .address = to};
    ck_assert_int_eq(net_send_batch(b, out, NET_BATCH + 10), NET_BATCH);
    fails(net_send_batch(b, out, 0), EINVAL);
    fails(net_send_batch(b, NULL, 1), EINVAL);
    fails(net_recv_batch(a, out, 0), EINVAL);
    fails(net_recv_batch(a, NULL, 1), EINVAL);
}
END_TEST

START_TEST(what_went_wrong_with_a_datagram)
{
    static char big[70000], room[10];
    struct net_address to, gone;
    int a = datagrams_at("127.0.0.1:0", &to);
    int b = net_datagram(NULL, AF_INET, 0);
    struct net_message out[2] = {
        {.data = one, .length = 1, .address = to},
        {.data = big, .length = sizeof big, .address = to}};
    struct net_message in = {.data = room, .room = sizeof room};

    ck_assert_int_eq(net_send_batch(b, out, 2), 1); /* those before it went */
    fails(net_send_batch(b, out + 1, 1), EMSGSIZE);
    fails(net_send_batch(a, &(struct net_message){.data = one, .length = 1}, 1),
          EDESTADDRREQ);
    close(datagrams_at("127.0.0.1:0", &gone));
    ck_assert_int_eq(connect(b, &gone.any, gone.length), 0);
    out[0].address.length = 0; /* the connected peer */
    ck_assert_int_eq(net_send_batch(b, out, 1), 1);
    ck_assert_int_eq(net_wait(b, POLLIN, soon()), 0); /* ICMP came back */
    fails(net_recv_batch(b, &in, 1), ECONNREFUSED);
    fails(net_recv_batch(-1, &in, 1), EBADF);
    fails(net_send_batch(-1, out, 1), EBADF);
}
END_TEST

START_TEST(broadcast_needs_to_be_meant)
{
    struct net_address where = address_of("127.255.255.255:0"), all;
    int receiver = datagrams_at("*:0", &all), quiet, loud;
    struct net_message out = {.data = one, .length = 1}, in = {0};
    char room[4];

    where.in.sin_port = all.in.sin_port;
    out.address = where;
    quiet = net_datagram(NULL, AF_INET, 0);
    fails(net_send_batch(quiet, &out, 1), EACCES);
    loud = net_datagram(NULL, AF_INET, NET_BROADCAST);
    ck_assert_int_eq(net_send_batch(loud, &out, 1), 1);
    ck_assert_int_eq(net_wait(receiver, POLLIN, soon()), 0);
    in.data = room;
    in.room = sizeof room;
    ck_assert_int_eq(net_recv_batch(receiver, &in, 1), 1);
    ck_assert_uint_eq(in.length, 1);
}
END_TEST

START_TEST(bad_arguments_of_a_datagram_socket)
{
    struct net_address none = {0}, where;
    int fd = datagrams_at("127.0.0.1:0", &where);

    fails(net_datagram(&none, AF_INET, 0), EINVAL);
    fails(net_datagram(NULL, AF_INET, NET_NO_REUSE), EINVAL);
    fails(net_datagram(NULL, 255, 0), EAFNOSUPPORT);
    fails(net_datagram(&where, 0, 0), EADDRINUSE);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}
END_TEST

START_TEST(unix_datagrams_have_no_sender_unless_bound)
{
    int receiver = net_datagram(&path, 0, 0);
    int sender = net_datagram(NULL, AF_UNIX, 0);
    struct net_message out = {.data = one, .length = 1, .address = path}, in;
    char room[4], text[NET_ADDRESS_TEXT];

    in = (struct net_message){.data = room, .room = sizeof room};
    ck_assert_int_eq(net_send_batch(sender, &out, 1), 1);
    ck_assert_int_eq(net_recv_batch(receiver, &in, 1), 1);
    ck_assert_str_eq(net_address_text(&in.address, text), "none");
    net_listen_close(receiver);
}
END_TEST

/* --- descriptors ----------------------------------------------------------- */

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;

    ck_assert_int_eq(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

START_TEST(what_is_set_can_be_read_back)
{
    int tcp = net_socket(AF_INET, SOCK_STREAM);
    int udp = net_socket(AF_INET, SOCK_DGRAM);
    struct linger linger;
    socklen_t size = sizeof linger;

    ck_assert(fcntl(tcp, F_GETFD) & FD_CLOEXEC);
    ck_assert(!(fcntl(tcp, F_GETFL) & O_NONBLOCK));
    for (int on = 1; on >= 0; on--) {
        ck_assert_int_eq(net_set_nonblock(tcp, on), 0);
        ck_assert_int_eq(!!(fcntl(tcp, F_GETFL) & O_NONBLOCK), on);
        ck_assert_int_eq(net_set_cloexec(tcp, on), 0);
        ck_assert_int_eq(fcntl(tcp, F_GETFD) & FD_CLOEXEC, on);
        ck_assert_int_eq(net_set_nodelay(tcp, on), 0);
        ck_assert_int_eq(!!option(tcp, IPPROTO_TCP, TCP_NODELAY), on);
        ck_assert_int_eq(net_set_reuse(tcp, on), 0);
        ck_assert_int_eq(!!option(tcp, SOL_SOCKET, SO_REUSEADDR), on);
        ck_assert_int_eq(net_set_reuse_port(tcp, on), 0);
        ck_assert_int_eq(!!option(tcp, SOL_SOCKET, SO_REUSEPORT), on);
        ck_assert_int_eq(net_set_broadcast(udp, on), 0);
        ck_assert_int_eq(!!option(udp, SOL_SOCKET, SO_BROADCAST), on);
    }
    ck_assert_int_eq(net_set_linger(tcp, 7), 0);
    getsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, &size);
    ck_assert(linger.l_onoff && linger.l_linger == 7);
    ck_assert_int_eq(net_set_linger(tcp, -1), 0);
    getsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, &size);
    ck_assert(!linger.l_onoff);
    ck_assert_int_eq(net_set_buffers(tcp, 8192, 16384), 0);
    ck_assert_int_ge(option(tcp, SOL_SOCKET, SO_RCVBUF), 8192);
    ck_assert_int_ge(option(tcp, SOL_SOCKET, SO_SNDBUF), 16384);
    ck_assert_int_eq(net_set_buffers(tcp, 0, 0), 0);
    fails(net_set_buffers(tcp, -1, 0), EINVAL);
    ck_assert_int_eq(net_error(tcp), 0);
}
END_TEST

START_TEST(other_flags_are_kept)
{
    int fd = net_socket(AF_INET, SOCK_STREAM);

    ck_assert_int_eq(fcntl(fd, F_SETFL, O_ASYNC), 0);
    ck_assert_int_eq(net_set_nonblock(fd, true), 0);
    ck_assert(fcntl(fd, F_GETFL) & O_ASYNC);
    ck_assert_int_eq(net_set_nonblock(fd, false), 0);
    ck_assert(fcntl(fd, F_GETFL) & O_ASYNC);
}
END_TEST

START_TEST(a_closed_descriptor_is_said)
{
    struct net_address address;
    int fd = net_socket(AF_INET, SOCK_STREAM);

    close(fd);
    fails(net_set_nonblock(fd, true), EBADF);
    fails(net_set_cloexec(fd, true), EBADF);
    fails(net_set_nodelay(fd, true), EBADF);
    fails(net_set_reuse(fd, true), EBADF);
    fails(net_set_reuse_port(fd, true), EBADF);
    fails(net_set_broadcast(fd, true), EBADF);
    fails(net_set_linger(fd, 1), EBADF);
    fails(net_set_buffers(fd, 1, 1), EBADF);
    fails(net_error(fd), EBADF);
    fails(net_wait(fd, POLLIN, soon()), EBADF);
    fails(net_wait(-1, POLLIN, soon()), EBADF);
    fails(net_local(fd, &address), EBADF);
    fails(net_peer(fd, &address), EBADF);
    fd = net_socket(AF_INET, SOCK_STREAM);
    fails(net_peer(fd, &address), ENOTCONN);
    fails(net_socket(255, SOCK_STREAM), EAFNOSUPPORT);
}
END_TEST

START_TEST(a_pending_error_is_told_once)
{
    struct net_address where;
    int listener = listener_at("127.0.0.1:0", &where);
    int client = net_connect_to(&where, soon());
    int server = net_accept(listener, NULL, soon());

    net_set_linger(server, 0);
    close(server);
    ck_assert_int_eq(net_wait(client, POLLIN, soon()), 0);
    ck_assert_int_eq(net_error(client), ECONNRESET);
    ck_assert_int_eq(net_error(client), 0);
}
END_TEST

/* A signal in the middle of a wait neither ends it nor makes it longer. */
static void on_alarm(int signal)
{
    (void)signal;
}

START_TEST(a_signal_does_not_end_a_wait)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 3000}, {0, 3000}}, none = {{0, 0}, {0, 0}};
    int64_t deadline = in_ms(60);
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    fails(net_wait(fds[0], POLLIN, deadline), ETIMEDOUT);
    ck_assert(clock_now() >= deadline);
    setitimer(ITIMER_REAL, &none, NULL);
}
END_TEST

static TCase *datagrams(void)
{
    TCase *tcase = tcase_create("datagrams");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_batch_goes_and_comes_in_order);
    tcase_add_test(tcase, more_than_a_batch_is_cut_to_one);
    tcase_add_test(tcase, what_went_wrong_with_a_datagram);
    tcase_add_test(tcase, broadcast_needs_to_be_meant);
    tcase_add_test(tcase, bad_arguments_of_a_datagram_socket);
    tcase_add_test(tcase, unix_datagrams_have_no_sender_unless_bound);
    return tcase;
}

static TCase *descriptors(void)
{
    TCase *tcase = tcase_create("descriptors");

    tcase_add_test(tcase, what_is_set_can_be_read_back);
    tcase_add_test(tcase, other_flags_are_kept);
    tcase_add_test(tcase, a_closed_descriptor_is_said);
    tcase_add_test(tcase, a_pending_error_is_told_once);
    tcase_add_test(tcase, a_signal_does_not_end_a_wait);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("net");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, datagrams());
    suite_add_tcase(suite, descriptors());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
