/*
 * The blocking half of common/ when the system says no: a small play (listen,
 * look up, connect, accept, lines and sizes, a stale path, datagrams, workers,
 * queues) runs again and again, and each time one system call or allocation that
 * the library makes fails, the first, the second, ... with each errno of its man
 * page. The play either does not notice, or the call that failed says so with
 * that errno; no descriptor, byte of memory or thread is left over.
 *
 * The calls are caught by the linker's --wrap (see the Makefile).
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/frame.h"
#include "common/io.h"
#include "common/net.h"
#include "common/queue.h"
#include "common/workers.h"

/* --- the calls that can fail ------------------------------------------------- */

/* clang-format off */
#define CALLS(X) \
    X(accept4, EAGAIN, EINTR, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO, EHOSTUNREACH) \
    X(socket, EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES) \
    X(bind, EADDRINUSE, EACCES, EADDRNOTAVAIL) \
    X(listen, EADDRINUSE) \
    X(connect, EINTR, EADDRNOTAVAIL, ECONNREFUSED, ENETUNREACH, EPERM) \
    X(getsockopt, ENOBUFS) \
    X(setsockopt, ENOBUFS, ENOMEM) \
    X(getsockname, ENOBUFS) \
    X(getpeername, ENOBUFS) \
    X(fcntl, EINTR) \
    X(recv, EAGAIN, EINTR, ECONNRESET, ENOMEM) \
    X(recvmmsg, EAGAIN, EINTR, ECONNREFUSED, ENOMEM) \
    X(send, EAGAIN, EINTR, ECONNRESET, ENOBUFS, ENOMEM, EPIPE) \
    X(sendmmsg, EAGAIN, EINTR, ENOBUFS, ENOMEM, EPERM, ECONNREFUSED) \
    X(write, EINTR) \
    X(poll, EINTR, ENOMEM) \
    X(pipe, EMFILE, ENFILE) \
    X(open, EMFILE, EACCES) \
    X(flock, EINTR, ENOLCK) \
    X(lstat, EACCES) \
    X(unlink, EACCES) \
    X(pthread_create, EAGAIN) \
    X(malloc, ENOMEM) \
    X(calloc, ENOMEM)
/* clang-format on */

#include "tests/unit/faults.h"

/* clang-format off */
WRAP(int, accept4, -1, (int s, struct sockaddr *a, socklen_t *n, int f), (s, a, n, f))
WRAP(int, socket, -1, (int d, int t, int p), (d, t, p))
WRAP(int, bind, -1, (int s, const struct sockaddr *a, socklen_t n), (s, a, n))
WRAP(int, listen, -1, (int s, int b), (s, b))
WRAP(int, getsockopt, -1, (int s, int l, int o, void *v, socklen_t *n), (s, l, o, v, n))
WRAP(int, setsockopt, -1, (int s, int l, int o, const void *v, socklen_t n), (s, l, o, v, n))
WRAP(int, getsockname, -1, (int s, struct sockaddr *a, socklen_t *n), (s, a, n))
WRAP(int, getpeername, -1, (int s, struct sockaddr *a, socklen_t *n), (s, a, n))
WRAP(ssize_t, recv, -1, (int s, void *b, size_t n, int f), (s, b, n, f))
WRAP(int, recvmmsg, -1, (int s, struct mmsghdr *m, unsigned n, int f, struct timespec *t), (s, m, n, f, t))
WRAP(ssize_t, send, -1, (int s, const void *b, size_t n, int f), (s, b, n, f))
WRAP(int, sendmmsg, -1, (int s, struct mmsghdr *m, unsigned n, int f), (s, m, n, f))
WRAP(ssize_t, write, -1, (int s, const void *b, size_t n), (s, b, n))
WRAP(int, poll, -1, (struct pollfd *p, nfds_t n, int t), (p, n, t))
WRAP(int, pipe, -1, (int p[2]), (p))
WRAP(int, flock, -1, (int s, int o), (s, o))
WRAP(int, lstat, -1, (const char *p, struct stat *s), (p, s))
WRAP(int, unlink, -1, (const char *p), (p))
WRAP(int, pthread_create, EAGAIN, (pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x), (t, a, f, x))
/* clang-format on */

/* One that is interrupted goes on by itself: connect(2). */
int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (!due(CALL_connect))
        return __real_connect(fd, address, length);
    if (errno == EINTR && __real_connect(fd, address, length) == 0)
        errno = EINTR;
    return -1;
}

int __real_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...)
{
    va_list arguments;
    int value;

    va_start(arguments, what);
    value = what == F_SETFL || what == F_SETFD ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return due(CALL_fcntl) ? -1 : __real_fcntl(fd, what, value);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    return due(CALL_open) ? -1 : __real_open(path, flags);
}

/* --- the play -------------------------------------------------------------------- */

static char folder[] = "/tmp/check_faults.XXXXXX";
static struct net_address path;
static char path_file[64];

static int64_t soon(void) /* never comes */
{
    return clock_after_ms(60000);
}

static void drop(int fd)
{
    int error = errno;

    if (fd >= 0)
        close(fd);
    errno = error;
}

static int talk(int here, int there)
{
    char memory[16], bytes[8], *data;
    struct io_reader reader;
    size_t length;

    io_reader_init(&reader, there, memory, sizeof memory);
    if (io_send_all(here, "line\n12345", 10, soon()) != 0 ||
        io_reader_line(&reader, &data, &length, soon()) != 1 ||
        io_reader_exact(&reader, 5, &data, &length, soon()) != 1 ||
        io_send_all(there, "12345678", 8, soon()) != 0 ||
        io_recv_exact(here, bytes, 8, soon()) != 1)
        return -1;
    /* No ck_assert here: it allocates. */
    return memcmp(data, "12345", 5) || memcmp(bytes, "12345678", 8) ? -1 : 0;
}

/* By name: looked up in a thread, since there is a deadline. */
static int over_tcp(void)
{
    struct net_address any, at;
    int listener, here = -1, there = -1, status = -1;
    char port[8];

    net_address_parse(&any, "127.0.0.1:0");
    listener = net_listen(&any, 0, NET_REUSE_PORT);
    if (listener < 0)
        return -1;
    if (net_local(listener, &at) == 0) {
        snprintf(port, sizeof port, "%u", net_address_port(&at));
        here = net_connect("localhost", port, soon());
        if (here >= 0)
            there = net_accept(listener, NULL, soon());
        if (there >= 0)
            status = talk(here, there);
    }
    drop(here);
    drop(there);
    net_listen_close(listener);
    return status;
}

static int over_a_stale_path(void)
{
    int listener, here = -1, there = -1, status = -1;

    listener = net_listen(&path, 0, 0);
    if (listener < 0)
        return -1;
    here = net_connect_to(&path, soon());
    if (here >= 0)
        there = net_accept(listener, NULL, soon());
    if (there >= 0)
        status = talk(here, there);
    drop(here);
    drop(there);
    net_listen_close(listener);
    return status;
}

static int over_datagrams(void)
{
    struct net_address any, at;
    char room[8], bytes[] = "datagram";
    struct net_message out = {.data = bytes, .length = 8};
    struct net_message in = {.data = room, .room = sizeof room};
    int a, b, status = -1;

    net_address_parse(&any, "127.0.0.1:0");
    a = net_datagram(&any, 0, 0);
    b = a < 0 ? -1 : net_datagram(NULL, AF_INET, NET_BROADCAST);
    if (b >= 0 && net_local(a, &at) == 0) {
        out.address = at;
        if (net_send_batch(b, &out, 1) == 1 &&
            net_wait(a, POLLIN, soon()) == 0 && net_recv_batch(a, &in, 1) == 1)
            status = 0;
    }
    drop(a);
    drop(b);
    return status;
}

static void work(void *arg)
{
    void *item;

    (void)arg;
    item = malloc(1);
    free(item);
}

static void ring(void *arg)
{
    int *bell = arg;

    while (write(bell[1], "!", 1) < 0 && errno == EINTR)
        ;
}

static void count(void *arg, int error)
{
    *(int *)arg += error == 0;
}

static int with_workers(void)
{
    struct workers *workers;
    int bell[2], done = 0, status = -1;

    if (pipe(bell) != 0)
        return -1;
    workers = workers_new(2, 2, ring, bell);
    if (workers &&
        workers_add(workers, &(struct workers_job){work, count, &done, 0}) ==
            0 &&
        net_wait(bell[0], POLLIN, soon()) == 0) {
        workers_collect(workers);
        status = done == 1 ? 0 : -1;
    }
    int error = errno;
    workers_free(workers);
    errno = error;
    drop(bell[0]);
    drop(bell[1]);
    return status;
}

/* Lines cut in two, in a buffer, through a queue. */
static int in_memory(void)
{
    char first[] = "on", second[] = "e\nx", *data = first, *line;
    struct queue_shared *queue = queue_shared_new(4);
    struct frame frame;
    struct queue plain;
    struct buf buf;
    size_t length = 2, size, room;
    int status = -1;

    frame_lines(&frame, 100);
    buf_init(&buf, 1000);
    queue_init(&plain, 10);
    if (queue && queue_push(&plain, &buf) == 0 &&
        queue_shared_put(queue, &buf, soon()) == 0 &&
        frame_next(&frame, &data, &length, &line, &size) == 0) {
        data = second;
        length = 3;
        if (frame_next(&frame, &data, &length, &line, &size) == 1 &&
            buf_add(&buf, line, size) == 0 &&
            buf_format(&buf, "%300d", 1) == 0 && buf_space(&buf, 500, &room))
            status = 0;
    }
    int error = errno;
    frame_fini(&frame);
    buf_fini(&buf);
    queue_fini(&plain);
    queue_shared_free(queue);
    errno = error;
    return status;
}

static int perform(void)
{
    if (over_tcp() != 0 || over_a_stale_path() != 0 || over_datagrams() != 0)
        return -1;
    return with_workers() != 0 || in_memory() != 0 ? -1 : 0;
}

static int descriptors(void)
{
    DIR *all = opendir("/proc/self/fd");
    int found = 0;

    while (all && readdir(all))
        found++;
    if (all)
        closedir(all);
    return found;
}

/* A path that a server left behind, before each play. */
static void leave_a_path(void)
{
    unlink(path_file);
    close(net_listen(&path, 0, 0));
}

/* What one may be told besides the errno itself. */
static bool fits(int call, int injected, int told)
{
    switch (call) {
    case CALL_open: /* without the folder's lock, or without knowing that the */
    case CALL_flock: /* server is dead, its path is not taken */
    case CALL_lstat:
    case CALL_unlink:
    case CALL_socket:
    case CALL_connect:
    case CALL_fcntl:
        return told == injected || told == EADDRINUSE;
    case CALL_sendmmsg: /* datagrams never wait: it is for the caller to */
    case CALL_recvmmsg:
        return told == injected && injected != EINTR;
    default:
        return told == injected && injected != EINTR &&
               (injected != EAGAIN || call == CALL_pthread_create);
    }
}

static const char *wrong(int call)
{
    static char text[100];
    int before, status, error;
    long blocks;

    leave_a_path();
    before = descriptors();
    blocks = fault.blocks;
    fault.happened = 0;
    fault.call = call;
    status = perform();
    error = errno;
    fault.call = -1;
    if (status != 0 && !fits(call, fault.error, error)) {
        snprintf(text, sizeof text, "it says %s", strerror(error));
        return text;
    }
    if (descriptors() != before)
        return "descriptors were lost";
    if (fault.blocks != blocks)
        return "memory was lost";
    return NULL;
}

static void set_up(void)
{
    char text[80];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path_file, sizeof path_file, "%s/s", folder);
    snprintf(text, sizeof text, "unix:%s", path_file);
    ck_assert_int_eq(net_address_parse(&path, text), 0);
    ck_assert_int_eq(perform(), 0); /* what libc keeps is there from now on */
}

static void tear_down(void)
{
    unlink(path_file);
    rmdir(folder);
}

START_TEST(without_a_fault_all_of_it_works)
{
    leave_a_path();
    ck_assert_int_eq(perform(), 0);
    ck_assert_int_eq(access(path_file, F_OK), -1);
}
END_TEST

/* _i is the call: its first fails, its second, ... as often as it is made. */
START_TEST(each_call_fails_once_with_each_errno)
{
    const struct call *call = &calls[_i];
    int happened = 0;

    for (int e = 0; e < ERRNOS && call->errnos[e]; e++) {
        for (int nth = 0;; nth++) {
            const char *what;

            fault.error = call->errnos[e];
            fault.left = nth;
            what = wrong(_i);
            ck_assert_msg(!what, "call %d of %s fails with %s: %s", nth + 1,
                          call->name, strerrorname_np(call->errnos[e]), what);
            if (!fault.happened)
                break;
            happened++;
        }
    }
    ck_assert_msg(happened > 0, "%s is never called", call->name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("faults");
    TCase *tests = tcase_create("faults");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, without_a_fault_all_of_it_works);
    tcase_add_loop_test(tests, each_call_fails_once_with_each_errno, 0,
                        CALL_COUNT);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
