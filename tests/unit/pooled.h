/* What the tests of the pool share: a pool on each mechanism in turn, its
 * listener, clients that are bare blocking sockets, and a log of what the
 * callbacks said, to be compared as text. */
#ifndef TESTS_UNIT_POOLED_H
#define TESTS_UNIT_POOLED_H

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/net.h"
#include "common/pool.h"

static const char *const mechanisms[] = {"epoll", "poll", "select"};
enum { MECHANISMS = 3 };

static struct {
    struct pool *pool;
    struct pool_socket *listener;
    struct net_address address;
    char log[4096];
    int descriptors; /* open before the scene */
} scene;

__attribute__((unused)) static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Adds "text; " to the log. */
__attribute__((format(printf, 1, 2), unused)) static void say(
    const char *format, ...)
{
    size_t length = strlen(scene.log);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(scene.log + length, sizeof scene.log - length, format, arguments);
    va_end(arguments);
    length = strlen(scene.log);
    snprintf(scene.log + length, sizeof scene.log - length, "; ");
}

__attribute__((unused)) static void scene_with(
    int mechanism, struct pool_options options,
    const struct pool_listen_options *listen,
    const struct pool_handler *handler)
{
    options.mechanism = mechanisms[mechanism];
    memset(&scene, 0, sizeof scene);
    scene.descriptors = count_descriptors();
    scene.pool = pool_new(&options);
    ck_assert_ptr_nonnull(scene.pool);
    ck_assert_str_eq(pool_mechanism(scene.pool), mechanisms[mechanism]);
    ck_assert_int_eq(net_address_parse(&scene.address, ":0"), 0);
    if (!handler)
        return;
    scene.listener = pool_listen(scene.pool, &scene.address, listen, handler,
                                 NULL);
    ck_assert_ptr_nonnull(scene.listener);
    ck_assert_int_eq(pool_local(scene.listener, &scene.address), 0);
}

__attribute__((unused)) static void scene_begin(
    int mechanism, const struct pool_handler *handler)
{
    scene_with(mechanism, (struct pool_options){0}, NULL, handler);
}

/* Everything is closed and freed: nothing stays open. */
__attribute__((unused)) static void scene_end(void)
{
    pool_free(scene.pool);
    ck_assert_int_eq(count_descriptors(), scene.descriptors);
}

__attribute__((unused)) static int client(void)
{
    int fd = net_connect_to(&scene.address, clock_now() + 5 * CLOCK_SECOND);

    ck_assert_int_ge(fd, 0);
    return fd;
}

__attribute__((unused)) static void sends(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL),
                     (ssize_t)strlen(text));
}

/* All that comes until the end; "RESET" after it if it was one. */
__attribute__((unused)) static const char *receives_all(int fd)
{
    static char text[4096];
    size_t length = 0;
    ssize_t n;

    while ((n = recv(fd, text + length, sizeof text - 8 - length, 0)) > 0)
        length += (size_t)n;
    snprintf(text + length, 8, "%s", n < 0 ? "RESET" : "");
    return text;
}

__attribute__((unused)) static void run(void)
{
    ck_assert_int_eq(pool_run(scene.pool), 0);
}

/* A handler's `closed` that logs, and stops the pool with the last client. */
__attribute__((unused)) static void log_closed(struct pool_socket *socket,
                                               enum closed_reason reason,
                                               int error)
{
    if (socket == scene.listener)
        return;
    say("closed %s%s%s", closed_reason_word(reason), error ? " " : "",
        error ? strerrorname_np(error) : "");
    if (pool_count(scene.pool) <= 2) /* it, and the listener */
        pool_stop(scene.pool);
}

#endif
