/* A program that would notice the preload library: prints its descriptors and
 * its errno, uses every call that is told; `cost` prints what a pair costs. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void print_descriptors(const char *when)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    fprintf(stderr, "%s: %d entries, the next is %d, errno %d\n", when, count,
            dup(0), errno);
}

static struct sockaddr_in bound(int fd)
{
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof here;

    if (bind(fd, (struct sockaddr *)&here, size) < 0 ||
        getsockname(fd, (struct sockaddr *)&here, &size) < 0)
        abort();
    return here;
}

static void move(int from, int to)
{
    char byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    struct pollfd ready = {.fd = to, .events = POLLIN};
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(0);
    fd_set set;

    if (send(from, &byte, 1, 0) + write(from, &byte, 1) +
            writev(from, &part, 1) + sendmsg(from, &message, 0) !=
        4)
        abort();
    epoll_ctl(epoll, EPOLL_CTL_ADD, to, &event);
    FD_ZERO(&set);
    FD_SET(to, &set);
    if (poll(&ready, 1, -1) != 1 || epoll_wait(epoll, &event, 1, -1) != 1 ||
        select(to + 1, &set, NULL, NULL, NULL) != 1)
        abort();
    errno = 77;
    if (recv(to, &byte, 1, 0) + read(to, &byte, 1) + readv(to, &part, 1) +
            recvmsg(to, &message, 0) !=
        4)
        abort();
    fprintf(stderr, "errno after success: %d\n", errno);
    if (recv(to, &byte, 1, MSG_DONTWAIT) != -1)
        abort();
    fprintf(stderr, "errno after failure: %s\n", strerror(errno));
    close(epoll);
}

static void cost(int from, int to)
{
    enum { PAIRS = 20000 };
    struct timespec start, end;
    char byte = 'x';

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < PAIRS; i++)
        if (send(from, &byte, 1, 0) != 1 || recv(to, &byte, 1, 0) != 1)
            abort();
    clock_gettime(CLOCK_MONOTONIC, &end);
    fprintf(stderr, "%lld\n",
            ((end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec -
             start.tv_nsec) /
                PAIRS);
}

static void datagram(void)
{
    int from = socket(AF_INET, SOCK_DGRAM, 0);
    int to = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in there = bound(to);
    socklen_t size = sizeof there;
    char byte = 'x';

    if (sendto(from, &byte, 1, 0, (struct sockaddr *)&there, size) != 1 ||
        recvfrom(to, &byte, 1, 0, (struct sockaddr *)&there, &size) != 1)
        abort();
    close(from);
    close(to);
}

int main(int argc, char **argv)
{
    int listener, from, to, yes = 1;
    struct sockaddr_in there;

    (void)argv;
    if (argc == 1)
        print_descriptors("at first");
    listener = socket(AF_INET, SOCK_STREAM, 0);
    from = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    there = bound(listener);
    if (listen(listener, 1) < 0 ||
        connect(from, (struct sockaddr *)&there, sizeof there) < 0)
        abort();
    to = accept(listener, NULL, NULL);
    if (argc > 1) {
        cost(from, to);
        return 0;
    }
    move(from, to);
    datagram();
    shutdown(from, SHUT_WR);
    close(from);
    close(to);
    close(listener);
    print_descriptors("at last");
}
