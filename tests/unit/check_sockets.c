/*
 * viz/kernel/sockets: what the kernel says of sockets that this test opens in
 * a private network of its own, so that nothing else is in the tables.
 */
#include <arpa/inet.h>
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/netns.h"
#include "viz/kernel/owners.h"
#include "viz/kernel/sockets.h"

enum { KEPT = 4000 };

struct told {
    struct event events[KEPT];
    int count, looked;
};

static struct told told;
static int overruns; /* so many of the next answers overrun the buffer */

/* libmnl's, found before the library's own. */
struct mnl_socket;
ssize_t mnl_socket_recvfrom(const struct mnl_socket *netlink, void *bytes,
                            size_t size);
ssize_t mnl_socket_recvfrom(const struct mnl_socket *netlink, void *bytes,
                            size_t size)
{
    static ssize_t (*real)(const struct mnl_socket *, void *, size_t);

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "mnl_socket_recvfrom");
    if (overruns > 0) {
        overruns--;
        errno = ENOBUFS;
        return -1;
    }
    return real(netlink, bytes, size);
}

static void keep(void *self, const struct event *event)
{
    struct told *into = self;

    ck_assert_int_eq(into->looked, 0); /* EVENT_LOOKED is the last */
    if (event->kind == EVENT_LOOKED)
        into->looked++;
    else if (into->count < KEPT)
        into->events[into->count++] = *event;
}

static void look(struct sockets *sockets)
{
    told.count = told.looked = 0;
    ck_assert_int_eq(sockets_look(sockets, keep, &told), 0);
    ck_assert_int_eq(told.looked, 1);
}

/* The only event of this kind about this state, or NULL. */
static const struct socket_sample *one(enum event_kind kind,
                                       enum tcp_state state)
{
    const struct socket_sample *found = NULL;

    for (int i = 0; i < told.count; i++)
        if (told.events[i].kind == kind &&
            told.events[i].socket.state == state) {
            ck_assert_ptr_null(found);
            found = &told.events[i].socket;
        }
    return found;
}

static int count(enum event_kind kind)
{
    int n = 0;

    for (int i = 0; i < told.count; i++)
        n += told.events[i].kind == kind;
    return n;
}

static void alone(void)
{
    enum netns_step failed;
    char why[640];

    if (netns_enter(&failed) == 0)
        return;
    ck_abort_msg("%s", netns_explain(failed, errno, why, sizeof why));
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage at;
    socklen_t length = sizeof at;

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    return ntohs(at.ss_family == AF_INET
                     ? ((struct sockaddr_in *)&at)->sin_port
                     : ((struct sockaddr_in6 *)&at)->sin6_port);
}

static int bound(int type, uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);

    ck_assert_int_ne(fd, -1);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    *port = port_of(fd);
    return fd;
}

static int connected(int type, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);

    ck_assert_int_ne(fd, -1);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

START_TEST(an_empty_network_is_looked_at_all_the_same)
{
    struct sockets *sockets;

    alone();
    sockets = sockets_open();
    ck_assert_ptr_nonnull(sockets);
    look(sockets);
    ck_assert_int_eq(told.count, 0);
    sockets_close(sockets);
}
END_TEST

START_TEST(a_listener_shows_its_backlog_and_who_waits)
{
    const struct socket_sample *sample;
    struct sockets *sockets;
    uint16_t port;
    int listener, client;

    alone();
    sockets = sockets_open();
    listener = bound(SOCK_STREAM, &port);
    ck_assert_uint_eq(sockets_listener(sockets, PROTO_TCP, port, NULL), 0);
    ck_assert_int_eq(listen(listener, 7), 0);
    client = connected(SOCK_STREAM, port);
    look(sockets);
    sample = one(EVENT_SOCKET, TCP_LISTEN);
    ck_assert_ptr_nonnull(sample);
    ck_assert_uint_eq(sample->local.port, port);
    ck_assert_uint_eq(sample->local.family, 4);
    ck_assert_mem_eq(sample->local.address, "\177\0\0\1", 4);
    ck_assert_uint_eq(sample->receive_queue, 1);
    ck_assert_uint_eq(sample->send_queue, 7);
    ck_assert_uint_eq(sample->uid, getuid());
    ck_assert_uint_ne(sample->inode, 0);
    ck_assert_uint_eq(sockets_listener(sockets, PROTO_TCP, port, NULL),
                      sample->inode);
    close(client);
    close(listener);
    sockets_close(sockets);
}
END_TEST

START_TEST(a_connection_is_followed_by_cookie_into_time_wait)
{
    struct socket_sample client_now, found;
    struct sockets *sockets;
    uint16_t port;
    int listener, client, server;

    alone();
    sockets = sockets_open();
    listener = bound(SOCK_STREAM, &port);
    ck_assert_int_eq(listen(listener, 1), 0);
    client = connected(SOCK_STREAM, port);
    server = accept(listener, NULL, NULL);
    ck_assert_int_eq(send(client, "hello", 5, 0), 5);
    look(sockets);
    ck_assert_int_eq(count(EVENT_SOCKET), 3);
    for (int i = 0; i < told.count; i++)
        if (told.events[i].socket.state == TCP_ESTABLISHED &&
            told.events[i].socket.remote.port == port)
            client_now = told.events[i].socket;
        else if (told.events[i].socket.state == TCP_ESTABLISHED)
            ck_assert_uint_eq(told.events[i].socket.receive_queue, 5);
    ck_assert_int_eq(sockets_find(sockets, PROTO_TCP, &client_now.local,
                                  &client_now.remote, &found),
                     0);
    ck_assert_uint_eq(found.cookie, client_now.cookie);
    close(client);
    do /* the kernel may delay its ACK of the FIN by 40 ms */
        look(sockets);
    while (one(EVENT_SOCKET, TCP_FIN_WAIT2) == NULL);
    ck_assert_ptr_nonnull(one(EVENT_SOCKET, TCP_CLOSE_WAIT));
    ck_assert_int_eq(count(EVENT_GONE), 0);
    ck_assert_int_eq(recv(server, &(char[8]){0}, 8, 0), 5);
    close(server);
    do
        look(sockets);
    while (count(EVENT_GONE) == 0);
    ck_assert_uint_eq(one(EVENT_SOCKET, TCP_TIME_WAIT)->cookie,
                      client_now.cookie);
    ck_assert_uint_eq(one(EVENT_SOCKET, TCP_TIME_WAIT)->timer, 3);
    ck_assert_int_eq(count(EVENT_GONE), 1); /* the server's end */
    close(listener);
    look(sockets);
    ck_assert_ptr_nonnull(one(EVENT_GONE, TCP_LISTEN));
    sockets_close(sockets);
}
END_TEST

/* tcp(7): what a program reads of itself the kernel tells us too. */
START_TEST(a_connection_has_its_round_trip_and_its_windows)
{
    struct socket_sample found = {0};
    struct endpoint local, remote;
    struct sockets *sockets;
    int listener, client, server;
    uint16_t port;

    alone();
    sockets = sockets_open();
    listener = bound(SOCK_STREAM, &port);
    ck_assert_int_eq(listen(listener, 1), 0);
    client = connected(SOCK_STREAM, port);
    server = accept(listener, NULL, NULL);
    ck_assert_int_eq(send(client, "hello", 5, 0), 5);
    ck_assert_int_eq(recv(server, &(char[8]){0}, 8, 0), 5);
    look(sockets);
    for (int i = 0; i < told.count; i++) {
        const struct socket_sample *sample = &told.events[i].socket;

        ck_assert(sample->tcp.known == (sample->state == TCP_ESTABLISHED));
        if (sample->remote.port == port)
            found = *sample;
    }
    ck_assert_uint_ge(found.tcp.rto_us, 200000); /* TCP_RTO_MIN */
    ck_assert_uint_gt(found.tcp.rtt_us, 0);
    ck_assert_uint_ge(found.tcp.cwnd, 10); /* RFC 6928 */
    ck_assert_uint_eq(found.tcp.ssthresh, 0);
    ck_assert_uint_gt(found.tcp.mss, 500);
    local = found.local;
    remote = found.remote;
    ck_assert_int_eq(sockets_find(sockets, PROTO_TCP, &local, &remote, &found),
                     0);
    ck_assert(found.tcp.known);
    close(client);
    close(server);
    close(listener);
    sockets_close(sockets);
}
END_TEST

START_TEST(a_connection_that_is_none_is_not_found)
{
    struct endpoint local = {4, {127, 0, 0, 1}, 0};
    struct endpoint remote = {4, {127, 0, 0, 1}, 9};
    struct socket_sample found;
    struct sockets *sockets;
    int listener;

    alone();
    sockets = sockets_open();
    listener = bound(SOCK_STREAM, &local.port);
    ck_assert_int_eq(sockets_find(sockets, PROTO_TCP, &local, &remote, &found),
                     -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(listen(listener, 1), 0); /* the kernel offers this one */
    ck_assert_int_eq(sockets_find(sockets, PROTO_TCP, &local, &remote, &found),
                     -1);
    ck_assert_int_eq(errno, ENOENT);
    close(listener);
    sockets_close(sockets);
}
END_TEST

START_TEST(a_bound_udp_socket_is_a_listener_and_beats_a_connected_one)
{
    struct socket_sample found;
    struct sockets *sockets;
    uint16_t port, other;
    int server, client;

    alone();
    sockets = sockets_open();
    server = bound(SOCK_DGRAM, &port);
    client = connected(SOCK_DGRAM, port);
    other = port_of(client);
    ck_assert_int_eq(send(client, "abc", 3, 0), 3);
    ck_assert_uint_ne(sockets_listener(sockets, PROTO_UDP, port, &found), 0);
    ck_assert_int_eq(found.state, TCP_CLOSED);
    ck_assert_uint_gt(found.receive_queue, 0);
    ck_assert_uint_ne(sockets_listener(sockets, PROTO_UDP, other, &found), 0);
    ck_assert_int_eq(found.state, TCP_ESTABLISHED);
    ck_assert_uint_eq(sockets_listener(sockets, PROTO_TCP, port, NULL), 0);
    close(server);
    close(client);
    sockets_close(sockets);
}
END_TEST

START_TEST(an_ipv6_socket_that_speaks_ipv4_has_the_packets_addresses)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    const struct socket_sample *sample = NULL;
    struct sockets *sockets;
    int listener, client;
    uint16_t port;

    alone();
    sockets = sockets_open();
    listener = socket(AF_INET6, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&any, sizeof any), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    port = port_of(listener);
    client = connected(SOCK_STREAM, port);
    look(sockets);
    ck_assert_uint_eq(one(EVENT_SOCKET, TCP_LISTEN)->local.family, 6);
    for (int i = 0; i < told.count; i++)
        if (told.events[i].socket.state == TCP_ESTABLISHED &&
            told.events[i].socket.local.port == port)
            sample = &told.events[i].socket;
    ck_assert_ptr_nonnull(sample);
    ck_assert_uint_eq(sample->local.family, 4);
    ck_assert_mem_eq(sample->remote.address, "\177\0\0\1\0\0\0\0", 8);
    close(client);
    close(listener);
    sockets_close(sockets);
}
END_TEST

START_TEST(it_keeps_looking_where_it_was_opened)
{
    struct sockets *outside;
    enum netns_step failed;
    uint16_t port;
    int listener;

    alone();
    outside = sockets_open();
    listener = bound(SOCK_STREAM, &port);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(netns_enter(&failed), 0);
    ck_assert_uint_ne(sockets_listener(outside, PROTO_TCP, port, NULL), 0);
    close(listener);
    sockets_close(outside);
}
END_TEST

START_TEST(an_owner_is_the_process_that_holds_it)
{
    struct socket_sample found;
    struct sockets *sockets;
    uint16_t port;
    int listener;

    alone();
    sockets = sockets_open();
    listener = bound(SOCK_STREAM, &port);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_uint_ne(sockets_listener(sockets, PROTO_TCP, port, &found), 0);
    ck_assert_int_eq(owners_ask(found.inode), getpid());
    close(listener);
    ck_assert_int_eq(owners_ask(found.inode), 0);
    ck_assert_int_eq(owners_ask(0), 0);
    sockets_close(sockets);
}
END_TEST

/* netlink(7): what did not fit into the socket's buffer is gone. */
START_TEST(an_answer_that_overran_is_asked_for_again)
{
    struct sockets *sockets;
    int listener;

    alone();
    sockets = sockets_open();
    ck_assert_ptr_nonnull(sockets);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(listen(listener, 3), 0);
    overruns = 1;
    look(sockets);
    ck_assert_ptr_nonnull(one(EVENT_SOCKET, TCP_LISTEN));
    overruns = 1000000; /* never again: said, and no event is half a look */
    told.count = told.looked = 0;
    ck_assert_int_eq(sockets_look(sockets, keep, &told), -1);
    ck_assert_int_eq(errno, ENOBUFS);
    ck_assert_int_eq(told.looked, 0);
    ck_assert_int_eq(count(EVENT_GONE), 0);
    overruns = 0;
    look(sockets); /* and all is well again */
    ck_assert_int_eq(count(EVENT_GONE), 0);
    close(listener);
    sockets_close(sockets);
}
END_TEST

START_TEST(a_thousand_sockets_come_and_go)
{
    enum { MANY = 900 };
    struct sockets *sockets;
    int fds[MANY];
    uint16_t port;

    alone();
    sockets = sockets_open();
    for (int i = 0; i < MANY; i++)
        fds[i] = bound(i % 2 == 0 ? SOCK_DGRAM : SOCK_STREAM, &port);
    for (int i = 1; i < MANY; i += 2)
        ck_assert_int_eq(listen(fds[i], 1), 0);
    look(sockets);
    ck_assert_int_eq(count(EVENT_SOCKET), MANY);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    look(sockets);
    ck_assert_int_eq(count(EVENT_SOCKET), 0);
    ck_assert_int_eq(count(EVENT_GONE), MANY);
    sockets_close(sockets);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sockets");
    TCase *tcase = tcase_create("sockets");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, an_empty_network_is_looked_at_all_the_same);
    tcase_add_test(tcase, a_listener_shows_its_backlog_and_who_waits);
    tcase_add_test(tcase, a_connection_is_followed_by_cookie_into_time_wait);
    tcase_add_test(tcase, a_connection_has_its_round_trip_and_its_windows);
    tcase_add_test(tcase, a_connection_that_is_none_is_not_found);
    tcase_add_test(tcase,
                   a_bound_udp_socket_is_a_listener_and_beats_a_connected_one);
    tcase_add_test(tcase,
                   an_ipv6_socket_that_speaks_ipv4_has_the_packets_addresses);
    tcase_add_test(tcase, it_keeps_looking_where_it_was_opened);
    tcase_add_test(tcase, an_owner_is_the_process_that_holds_it);
    tcase_add_test(tcase, an_answer_that_overran_is_asked_for_again);
    tcase_add_test(tcase, a_thousand_sockets_come_and_go);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
