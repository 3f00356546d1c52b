/*
 * A stage for tests of common/pool: the pool runs in the test's own thread, the
 * peers are blocking sockets in a second one, and what the pool called back is
 * written down, a line a callback, to be compared as a whole. Nothing waits for
 * time: the peer waits until a line is written, or until bytes have arrived.
 */
#ifndef TESTS_UNIT_POOL_SCENE_H
#define TESTS_UNIT_POOL_SCENE_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/pool.h"

static struct scene {
    struct pool *pool;
    struct pool_socket *listener;
    struct net_address at; /* the listener's */
    pthread_mutex_t lock;  /* of what is said */
    pthread_cond_t more;
    char said[1 << 16];
    size_t length;
    sem_t held, go;
} scene = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

/* --- what is written down -------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static inline void say(const char *format,
                                                             ...)
{
    va_list args;

    pthread_mutex_lock(&scene.lock);
    va_start(args, format);
    scene.length += (size_t)vsnprintf(scene.said + scene.length,
                                      sizeof scene.said - scene.length, format,
                                      args);
    va_end(args);
    if (scene.length > sizeof scene.said - 2)
        ck_abort_msg("the scene says too much");
    memcpy(scene.said + scene.length++, "\n", 2);
    pthread_cond_broadcast(&scene.more);
    pthread_mutex_unlock(&scene.lock);
}

/* How many lines begin so. */
static inline int lines_of(const char *begin)
{
    int count = 0;

    for (const char *at = scene.said; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        count += strncmp(at, begin, strlen(begin)) == 0;
    }
    return count;
}

/* In the peer: until `count` lines begin so. The test case's limit ends it. */
static inline void wait_for(int count, const char *begin)
{
    pthread_mutex_lock(&scene.lock);
    while (lines_of(begin) < count)
        pthread_cond_wait(&scene.more, &scene.lock);
    pthread_mutex_unlock(&scene.lock);
}

#define scene_said(expected) ck_assert_str_eq(scene.said, expected)

static inline void say_closed(struct pool_socket *s, enum closed_reason reason,
                              int error)
{
    say("closed %s%s%s", closed_reason_word(reason), error ? " " : "",
        error ? strerrorname_np(error) : "");
    (void)s;
}

/* main() of a program: all tests once for each way that the pool can wait. */
static inline int on_each_mechanism(const char *name, void (*add)(TCase *tests))
{
    static const char *const ways[] = {"epoll", "poll", "select"};
    int failed = 0;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        Suite *suite = suite_create(ways[i]);
        TCase *tests = tcase_create(name);
        SRunner *runner = srunner_create(suite);

        setenv("POOL_BACKEND", ways[i], 1);
        tcase_set_timeout(tests, 60);
        add(tests);
        suite_add_tcase(suite, tests);
        srunner_run_all(runner, CK_NORMAL);
        failed += srunner_ntests_failed(runner);
        srunner_free(runner);
    }
    return failed != 0;
}

/* --- the pool's side -------------------------------------------------------- */

static inline void scene_open(const struct pool_options *options,
                              const struct pool_handler *handler)
{
    struct net_address any;

    ck_assert_int_eq(sem_init(&scene.held, 0, 0), 0);
    ck_assert_int_eq(sem_init(&scene.go, 0, 0), 0);
    ck_assert_int_eq(net_address_parse(&any, "127.0.0.1:0"), 0);
    ck_assert_ptr_nonnull(scene.pool = pool_new(options));
    scene.listener = pool_listen(scene.pool, &any, NULL, handler, NULL);
    ck_assert_ptr_nonnull(scene.listener);
    ck_assert_int_eq(pool_local(scene.listener, &scene.at), 0);
}

static inline void *peer_thread(void *arg)
{
    ((void (*)(void))arg)();
    pool_stop(scene.pool);
    return NULL;
}

/* Runs the pool beside peer(), and stops it when that has returned. */
static inline void scene_run(void (*peer)(void))
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, peer_thread, (void *)peer),
                     0);
    ck_assert_int_eq(pool_run(scene.pool), 0);
    pthread_join(thread, NULL);
    pool_free(scene.pool);
}

/* In the peer: the loop stands still from scene_hold() to scene_go(), so that
 * what is sent in between is all ready in the same turn. */
static inline void stand_still(void *arg)
{
    (void)arg;
    sem_post(&scene.held);
    while (sem_wait(&scene.go) == -1)
        ;
}

static inline void scene_hold(void)
{
    ck_assert_int_eq(pool_post(scene.pool, stand_still, NULL), 0);
    while (sem_wait(&scene.held) == -1)
        ;
}

static inline void scene_go(void)
{
    sem_post(&scene.go);
}

/* Until bytes, FIN or reset have arrived at that descriptor of the pool. */
static inline void arrived(int fd)
{
    struct pollfd at = {.fd = fd, .events = POLLIN};

    while (poll(&at, 1, -1) == -1)
        ck_assert_int_eq(errno, EINTR);
}

/* --- the peer's side -------------------------------------------------------- */

static inline int peer_connect(void)
{
    int fd = socket(scene.at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ne(fd, -1);
    ck_assert_int_eq(connect(fd, &scene.at.any, scene.at.length), 0);
    return fd;
}

static inline void peer_send(int fd, const char *data, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t n = send(fd, data + sent, length - sent, MSG_NOSIGNAL);

        ck_assert_int_gt(n, 0);
        sent += (size_t)n;
    }
}

static inline void peer_says(int fd, const char *text)
{
    peer_send(fd, text, strlen(text));
}

/* Exactly this comes next. */
static inline void peer_hears(int fd, const char *text)
{
    char got[4096];
    size_t length = strlen(text), have = 0;

    ck_assert_uint_lt(length, sizeof got);
    while (have < length) {
        ssize_t n = recv(fd, got + have, length - have, 0);

        if (n <= 0)
            ck_abort_msg("%zd (%s) after %zu bytes of \"%s\"", n,
                         strerror(errno), have, text);
        have += (size_t)n;
    }
    got[have] = '\0';
    ck_assert_str_eq(got, text);
}

static inline void peer_hears_end(int fd)
{
    char byte;

    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
}

/* Counts what comes until the end: 0 for FIN, else errno. */
static inline int peer_drains(int fd, size_t *total)
{
    static char buffer[1 << 16];

    for (;;) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);

        if (n <= 0)
            return n == 0 ? 0 : errno;
        *total += (size_t)n;
    }
}

static inline void peer_resets(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now),
                     0);
    close(fd);
}

#endif
