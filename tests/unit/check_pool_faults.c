/*
 * common/pool when the system says no: a small play of everything (a listener,
 * four clients, one by name, lines, sizes, large replies, datagrams, timers,
 * work) is run again and again, and each time one system call or one allocation
 * that the library makes fails, the first, the second, ... with each errno that
 * its man page gives; then many at once, at random. Whatever fails: the play
 * ends, no socket is closed twice or never, no descriptor and no byte is lost,
 * and nothing waits for a time-out that one failure must not cost.
 *
 * The calls are caught by the linker's --wrap (see the Makefile).
 */
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "common/pool.h"

/* --- the calls that can fail ------------------------------------------------- */

/* clang-format off */
#define CALLS(X) \
    X(accept4, EAGAIN, EINTR, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO, EPERM, EHOSTUNREACH) \
    X(socket, EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EAFNOSUPPORT) \
    X(bind, EADDRINUSE, EACCES, EADDRNOTAVAIL) \
    X(listen, EADDRINUSE) \
    X(connect, EINTR, EADDRNOTAVAIL, EAGAIN, ECONNREFUSED, ENETUNREACH, EPERM) \
    X(getsockopt, ENOBUFS) \
    X(setsockopt, ENOBUFS, ENOMEM) \
    X(getsockname, ENOBUFS) \
    X(shutdown, ENOTCONN) \
    X(recv, EAGAIN, EINTR, ECONNRESET, ENOMEM) \
    X(recvfrom, EAGAIN, EINTR, ECONNREFUSED, ENOMEM) \
    X(recvmsg, EAGAIN, EINTR, ECONNRESET, ENOMEM) \
    X(recvmmsg, EAGAIN, EINTR, ECONNREFUSED, ENOMEM) \
    X(read, EAGAIN, EINTR) \
    X(send, EAGAIN, EINTR, ECONNRESET, ENOBUFS, ENOMEM, EPIPE) \
    X(sendto, EAGAIN, EINTR, ENOBUFS, ENOMEM, EPERM, ECONNREFUSED) \
    X(sendmsg, EAGAIN, EINTR, ECONNRESET, ENOBUFS, ENOMEM, EPIPE) \
    X(sendmmsg, EAGAIN, EINTR, ENOBUFS, ENOMEM, EPERM, ECONNREFUSED) \
    X(writev, EAGAIN, EINTR, ECONNRESET, EPIPE) \
    X(write, EAGAIN, EINTR) \
    X(epoll_create1, EMFILE, ENFILE, ENOMEM) \
    X(epoll_ctl, ENOMEM, ENOSPC) \
    X(epoll_wait, EINTR) \
    X(epoll_pwait2, EINTR) \
    X(poll, EINTR, ENOMEM) \
    X(ppoll, EINTR, ENOMEM) \
    X(select, EINTR, ENOMEM) \
    X(pselect, EINTR, ENOMEM) \
    X(eventfd, EMFILE, ENFILE, ENOMEM) \
    X(pipe2, EMFILE, ENFILE) \
    X(pthread_create, EAGAIN) \
    X(malloc, ENOMEM) \
    X(calloc, ENOMEM) \
    X(realloc, ENOMEM)
/* clang-format on */

#include "tests/unit/faults.h"

/* clang-format off */
WRAP(int, accept4, -1, (int s, struct sockaddr *a, socklen_t *n, int f), (s, a, n, f))
WRAP(int, socket, -1, (int d, int t, int p), (d, t, p))
WRAP(int, bind, -1, (int s, const struct sockaddr *a, socklen_t n), (s, a, n))
WRAP(int, listen, -1, (int s, int b), (s, b))
WRAP(int, connect, -1, (int s, const struct sockaddr *a, socklen_t n), (s, a, n))
WRAP(int, getsockopt, -1, (int s, int l, int o, void *v, socklen_t *n), (s, l, o, v, n))
WRAP(int, setsockopt, -1, (int s, int l, int o, const void *v, socklen_t n), (s, l, o, v, n))
WRAP(int, getsockname, -1, (int s, struct sockaddr *a, socklen_t *n), (s, a, n))
WRAP(int, shutdown, -1, (int s, int how), (s, how))
WRAP(ssize_t, recv, -1, (int s, void *b, size_t n, int f), (s, b, n, f))
WRAP(ssize_t, recvfrom, -1, (int s, void *b, size_t n, int f, struct sockaddr *a, socklen_t *l), (s, b, n, f, a, l))
WRAP(ssize_t, recvmsg, -1, (int s, struct msghdr *m, int f), (s, m, f))
WRAP(int, recvmmsg, -1, (int s, struct mmsghdr *m, unsigned n, int f, struct timespec *t), (s, m, n, f, t))
WRAP(ssize_t, read, -1, (int s, void *b, size_t n), (s, b, n))
WRAP(ssize_t, send, -1, (int s, const void *b, size_t n, int f), (s, b, n, f))
WRAP(ssize_t, sendto, -1, (int s, const void *b, size_t n, int f, const struct sockaddr *a, socklen_t l), (s, b, n, f, a, l))
WRAP(ssize_t, sendmsg, -1, (int s, const struct msghdr *m, int f), (s, m, f))
WRAP(int, sendmmsg, -1, (int s, struct mmsghdr *m, unsigned n, int f), (s, m, n, f))
WRAP(ssize_t, writev, -1, (int s, const struct iovec *v, int n), (s, v, n))
WRAP(ssize_t, write, -1, (int s, const void *b, size_t n), (s, b, n))
WRAP(int, epoll_create1, -1, (int f), (f))
WRAP(int, epoll_ctl, -1, (int e, int op, int s, struct epoll_event *v), (e, op, s, v))
WRAP(int, epoll_wait, -1, (int e, struct epoll_event *v, int n, int t), (e, v, n, t))
WRAP(int, epoll_pwait2, -1, (int e, struct epoll_event *v, int n, const struct timespec *t, const sigset_t *m), (e, v, n, t, m))
WRAP(int, poll, -1, (struct pollfd *p, nfds_t n, int t), (p, n, t))
WRAP(int, ppoll, -1, (struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *m), (p, n, t, m))
WRAP(int, select, -1, (int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *t), (n, r, w, x, t))
WRAP(int, pselect, -1, (int n, fd_set *r, fd_set *w, fd_set *x, const struct timespec *t, const sigset_t *m), (n, r, w, x, t, m))
WRAP(int, eventfd, -1, (unsigned v, int f), (v, f))
WRAP(int, pipe2, -1, (int p[2], int f), (p, f))
WRAP(int, pthread_create, EAGAIN, (pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x), (t, a, f, x))
/* clang-format on */

/* The wall clock may jump by a day at any moment: who never asks for it is not
 * moved. */
static atomic_int wall_clock;
int __real_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
    if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE)
        atomic_fetch_add(&wall_clock, 1);
    return __real_clock_gettime(id, now);
}

time_t __wrap_time(time_t *now);
time_t __wrap_time(time_t *now)
{
    atomic_fetch_add(&wall_clock, 1);
    if (now)
        *now = 0;
    return 0;
}

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size)
{
    void *now;

    if (due(CALL_realloc))
        return NULL;
    now = __real_realloc(block, size);
    return block ? now : counted(now);
}

/* --- the play -------------------------------------------------------------------- */

enum { CLIENTS = 4, LARGE = 300000, LAST_RESORT_MS = 20000 };

static struct play {
    struct pool *pool;
    int made, closed, twice; /* sockets */
    int clients;             /* that have not closed yet */
    int timeouts;
    int echoed; /* clients that got all of their reply */
    bool worked;
} play;

static char large[LARGE];

static void count_closed(struct pool_socket *s, enum closed_reason reason,
                         int error)
{
    play.closed++;
    play.timeouts += reason == CLOSED_BY_TIMEOUT;
    play.twice += pool_user(s) == &play.twice;
    if (pool_user(s) == &play.clients && --play.clients == 0)
        pool_stop(pool_of(s));
    pool_set_user(s, &play.twice);
    (void)error;
}

static void large_is_sent(struct pool_socket *s, void *arg)
{
    (void)s;
    (void)arg;
}

/* The server: a line with a size, so many bytes, and a large reply. */
static void reply_large(struct pool_socket *s, char *data, size_t n, void *arg)
{
    if (pool_send(s, data, n) == -1 ||
        pool_send_then(s, large, LARGE, large_is_sent, NULL) == -1)
        pool_abort(s);
    else
        pool_close(s);
    (void)arg;
}

static void read_size(struct pool_socket *s, char *data, size_t n, void *arg)
{
    if (pool_recv_exact(s, (size_t)atoi(data), 0, reply_large, arg) == -1)
        pool_abort(s);
    (void)n;
}

static void serve(struct pool_socket *listener, struct pool_socket *s)
{
    play.made++;
    pool_idle(s, LAST_RESORT_MS);
    if (pool_recv_line(s, 10, 0, read_size, NULL) == -1)
        pool_abort(s);
    (void)listener;
}

/* The client. */
static void take_reply(struct pool_socket *s, char *data, size_t n, void *arg)
{
    play.echoed++;
    pool_close(s);
    (void)data;
    (void)n;
    (void)arg;
}

static void ask(struct pool_socket *s)
{
    pool_idle(s, LAST_RESORT_MS);
    if (pool_send(s, "5\nhe", 4) == -1 || pool_send(s, "llo", 3) == -1 ||
        pool_recv_exact(s, 5 + LARGE, 0, take_reply, NULL) == -1)
        pool_abort(s);
}

static void answer(struct pool_socket *s, char *data, size_t n,
                   const struct net_address *from)
{
    pool_send_to(s, data, n, from); /* a datagram may be lost */
}

static void tick(void *arg)
{
    (void)arg;
}

static void job(void *arg)
{
    (void)arg;
}

static void job_done(void *arg)
{
    play.worked = true;
    (void)arg;
}

static const struct pool_handler server = {.accepted = serve,
                                           .closed = count_closed};
static const struct pool_handler client = {.connected = ask,
                                           .closed = count_closed};
static const struct pool_handler datagrams = {.datagram = answer,
                                              .closed = count_closed};

static void open_clients(const struct net_address *at)
{
    char port[8];

    snprintf(port, sizeof port, "%u", net_address_port(at));
    for (int i = 0; i < CLIENTS; i++) {
        struct pool_socket *s =
            i == 0 ? pool_connect(play.pool, "localhost", port, LAST_RESORT_MS,
                                  &client, &play.clients)
                   : pool_connect_to(play.pool, at, LAST_RESORT_MS, &client,
                                     &play.clients);

        if (s) {
            play.made++;
            play.clients++;
        }
    }
}

static void open_datagrams(const struct net_address *any)
{
    struct pool_socket *a, *b;
    struct net_address at;

    a = pool_datagram(play.pool, any, NULL, &datagrams, NULL);
    b = pool_datagram(play.pool, any, NULL, &datagrams, NULL);
    play.made += (a != NULL) + (b != NULL);
    if (a && b && pool_local(b, &at) == 0)
        pool_send_to(a, "ping", 4, &at);
}

/* Opens all that can be opened, and runs until every client has closed. */
static void perform(const char *mechanism)
{
    const struct pool_options options = {.mechanism = mechanism, .workers = 1};
    struct net_address any, at;
    struct pool_socket *listener;

    memset(&play, 0, sizeof play);
    if (net_address_parse(&any, "127.0.0.1:0") == -1 ||
        !(play.pool = pool_new(&options)))
        return;
    listener = pool_listen(play.pool, &any, NULL, &server, NULL);
    if (listener) {
        play.made++;
        if (pool_local(listener, &at) == 0) {
            open_datagrams(&any);
            open_clients(&at);
        }
    }
    pool_timer_start(play.pool, NULL, 1, 0, tick, NULL);
    pool_work(play.pool, job, job_done, NULL);
    if (play.clients == 0)
        pool_stop(play.pool);
    pool_run(play.pool);
    pool_free(play.pool);
}

static int descriptors(void)
{
    DIR *all = opendir("/proc/self/fd");
    int count = 0;

    while (all && readdir(all))
        count++;
    if (all)
        closedir(all);
    return count;
}

/* One play with what `fault` says; the name of what went wrong, or NULL. */
static const char *wrong(const char *mechanism)
{
    int before = descriptors();
    long blocks = fault.blocks;

    fault.happened = 0;
    perform(mechanism);
    fault.call = -1;
    if (play.twice)
        return "a socket was closed twice";
    if (play.made != play.closed)
        return "a socket was not closed";
    if (play.timeouts)
        return "something waited for its time-out";
    if (descriptors() != before)
        return "descriptors were lost";
    if (fault.blocks != blocks)
        return "memory was lost";
    return NULL;
}

static const char *const mechanisms[] = {"epoll", "poll", "select"};

START_TEST(without_a_fault_all_is_served)
{
    const char *what = wrong(mechanisms[_i]);

    ck_assert_msg(!what, "%s: %s", mechanisms[_i], what);
    ck_assert_int_eq(play.echoed, CLIENTS);
    ck_assert(play.worked);
    ck_assert_int_eq(wall_clock, 0);
}
END_TEST

/* _i is the call: its first fails, its second, ... as often as it is made. */
START_TEST(each_call_fails_once_with_each_errno)
{
    const struct call *call = &calls[_i];

    for (size_t m = 0; m < sizeof mechanisms / sizeof *mechanisms; m++)
        for (int e = 0; e < ERRNOS && call->errnos[e]; e++)
            for (int nth = 0;; nth++) {
                const char *what;

                fault.error = call->errnos[e];
                fault.left = nth;
                fault.call = _i;
                what = wrong(mechanisms[m]);
                ck_assert_msg(!what, "%s: call %d of %s fails with %s: %s",
                              mechanisms[m], nth + 1, call->name,
                              strerrorname_np(call->errnos[e]), what);
                if (!fault.happened)
                    break;
            }
}
END_TEST

START_TEST(calls_fail_at_random)
{
    int happened = 0;

    for (unsigned seed = 0; seed < 500; seed++) {
        const char *what;

        fault.seed = seed * 40503U;
        fault.call = CALL_COUNT;
        what = wrong(mechanisms[seed % 3]);
        ck_assert_msg(!what, "seed %u: %s", seed, what);
        happened += fault.happened;
    }
    ck_assert_int_gt(happened, 500);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_faults");
    TCase *tests = tcase_create("faults");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, without_a_fault_all_is_served, 0, 3);
    tcase_add_loop_test(tests, each_call_fails_once_with_each_errno, 0,
                        CALL_COUNT);
    tcase_add_test(tests, calls_fail_at_random);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
