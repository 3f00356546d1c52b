/*
 * What the tests of sockets share: deadlines, addresses, a folder for paths, a
 * port where nobody listens, and a call that must fail with one errno.
 */
#ifndef TESTS_UNIT_NET_H
#define TESTS_UNIT_NET_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/net.h"

static char folder[] __attribute__((unused)) = "/tmp/check_net.XXXXXX";
static struct net_address path __attribute__((unused)); /* folder/s */
static char path_file[64] __attribute__((unused));

static inline void set_up(void)
{
    char text[80];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path_file, sizeof path_file, "%s/s", folder);
    snprintf(text, sizeof text, "unix:%s", path_file);
    ck_assert_int_eq(net_address_parse(&path, text), 0);
}

static inline void tear_down(void)
{
    unlink(path_file);
    rmdir(folder);
}

static inline int64_t in_ms(int ms)
{
    return clock_now() + ms * (int64_t)CLOCK_MS;
}

static inline int64_t soon(void) /* never comes, unless something hangs */
{
    return in_ms(10000);
}

static inline struct net_address address_of(const char *text)
{
    struct net_address address;

    ck_assert_msg(net_address_parse(&address, text) == 0, "%s", text);
    return address;
}

static inline int listener_at(const char *text, struct net_address *where)
{
    struct net_address address = address_of(text);
    int fd = net_listen(&address, 0, 0);

    ck_assert_msg(fd >= 0, "%s: %s", text, strerror(errno));
    ck_assert_int_eq(net_local(fd, where), 0);
    return fd;
}

#define fails(call, error)                                                     \
    do {                                                                       \
        errno = 0;                                                             \
        ck_assert_int_eq((call), -1);                                          \
        ck_assert_msg(errno == (error), #call ": %s, not %s", strerror(errno), \
                      #error);                                                 \
    } while (0)

/* Bound and not listening: nobody else can take it, and it refuses. */
static inline struct net_address refusing(void)
{
    struct net_address where = address_of("127.0.0.1:0");
    int fd = net_socket(AF_INET, SOCK_STREAM);

    ck_assert_int_eq(bind(fd, &where.any, where.length), 0);
    net_local(fd, &where);
    return where;
}

#endif
