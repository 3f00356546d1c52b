/*
 * What the servers of the benchmark share, so that they differ only in who
 * waits: the listener, the port told on stdout, one recv(2) and one send(2) a
 * message, and the few bytes that the kernel does not take at once.
 *
 *     PEER echo|lines|udp     serves until it is killed
 *     PEER timers             tells what a reset of an idle timeout costs
 *
 * Status 3: this peer has no such mode.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum peer_mode { PEER_ECHO, PEER_LINES, PEER_UDP, PEER_TIMERS };
enum { PEER_ROOM = 64 * 1024, PEER_TIMER_COUNT = 10000 };

static char peer_room[PEER_ROOM]; /* where every server here receives */

/* The mode named last on the command line. */
static inline enum peer_mode peer_mode(int argc, char **argv)
{
    static const char *const names[] = {"echo", "lines", "udp", "timers"};
    signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; argc > 1 && i < 4; i++)
        if (strcmp(argv[argc - 1], names[i]) == 0)
            return (enum peer_mode)i;
    errx(2, "usage: %s echo|lines|udp|timers", argv[0]);
}

static inline int peer_socket(int type)
{
    struct sockaddr_in here = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof here;
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&here, length) ||
        (type == SOCK_STREAM && listen(fd, 1024)) ||
        getsockname(fd, (struct sockaddr *)&here, &length))
        err(1, "a socket to serve");
    printf("listening on 127.0.0.1:%u\n", ntohs(here.sin_port));
    fflush(stdout);
    return fd;
}

static inline int peer_accept(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

struct peer_rest { /* what the kernel did not take */
    char *bytes;   /* NULL: nothing */
    size_t at, length;
};

enum peer_turn { PEER_GO_ON, PEER_WAIT_TO_WRITE, PEER_OVER };

static inline enum peer_turn peer_keep(struct peer_rest *rest, size_t at,
                                       size_t length)
{
    rest->length = length - at;
    rest->at = 0;
    rest->bytes = malloc(rest->length);
    if (!rest->bytes)
        return PEER_OVER;
    memcpy(rest->bytes, peer_room + at, rest->length);
    return PEER_WAIT_TO_WRITE;
}

/* One turn of a socket that is readable. */
static inline enum peer_turn peer_echo(int fd, struct peer_rest *rest)
{
    ssize_t n = recv(fd, peer_room, sizeof peer_room, 0);
    if (n <= 0)
        return n < 0 && errno == EAGAIN ? PEER_GO_ON : PEER_OVER;
    ssize_t sent = send(fd, peer_room, (size_t)n, 0);
    if (sent == n)
        return PEER_GO_ON;
    if (sent < 0 && errno != EAGAIN)
        return PEER_OVER;
    return peer_keep(rest, sent < 0 ? 0 : (size_t)sent, (size_t)n);
}

/* One turn of a socket that has room again. */
static inline enum peer_turn peer_flush(int fd, struct peer_rest *rest)
{
    ssize_t sent = send(fd, rest->bytes + rest->at, rest->length - rest->at, 0);
    if (sent < 0)
        return errno == EAGAIN ? PEER_WAIT_TO_WRITE : PEER_OVER;
    rest->at += (size_t)sent;
    if (rest->at < rest->length)
        return PEER_WAIT_TO_WRITE;
    free(rest->bytes);
    rest->bytes = NULL;
    return PEER_GO_ON;
}

/* One datagram there and back. */
static inline void peer_datagram(int fd)
{
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    ssize_t n = recvfrom(fd, peer_room, sizeof peer_room, 0,
                         (struct sockaddr *)&from, &length);
    if (n >= 0)
        sendto(fd, peer_room, (size_t)n, 0, (struct sockaddr *)&from, length);
}

static inline double peer_resets_ns(const unsigned *order,
                                    void (*reset)(unsigned i))
{
    enum { ROUNDS = 400 };
    struct timespec begun, ended;
    for (unsigned i = 0; i < PEER_TIMER_COUNT; i++)
        reset(order[i]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < PEER_TIMER_COUNT; i++)
            reset(order[i]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
    double ns = (double)(ended.tv_sec - begun.tv_sec) * 1e9 +
                (double)(ended.tv_nsec - begun.tv_nsec);
    return ns / (ROUNDS * (double)PEER_TIMER_COUNT);
}

static void *volatile peer_touched;
static void *peer_handles[PEER_TIMER_COUNT];

static void peer_touch(unsigned i)
{
    peer_touched = peer_handles[i];
}

/* What one call of reset(i) costs over PEER_TIMER_COUNT timers that are all
 * armed, in an order that no cache can guess, without the loop around it and
 * the look-up of the handle; tells "timers NS". */
static inline void peer_timers(void (*reset)(unsigned i))
{
    static unsigned order[PEER_TIMER_COUNT];
    uint32_t random = 1;
    for (unsigned i = 0; i < PEER_TIMER_COUNT; i++) {
        random = random * 1664525u + 1013904223u;
        unsigned k = (random >> 8) % (i + 1);
        order[i] = order[k];
        order[k] = i;
    }
    double loop = peer_resets_ns(order, peer_touch);
    printf("timers %.2f\n", peer_resets_ns(order, reset) - loop);
    if (getenv("LOOP"))
        printf("loop %.2f\n", loop);
}

#endif
