/*
 * wcd PORT with one thread and many clients: poll(2) over the listener, a
 * signalfd for SIGTERM, and the clients, none of which can make it wait.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

static uint32_t crc32_add(uint32_t crc, const unsigned char *bytes,
                          size_t length)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };

    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

enum { SIGNALS, LISTENER, FIRST, MOST = 64 };

struct client {
    uint64_t lines, words, bytes;
    uint32_t crc;
    int last; /* the byte before the next one; a space at the start */
    char answer[96];
    size_t length, sent;
};

static struct pollfd watched[MOST];
static struct client clients[MOST];
static nfds_t count = FIRST;

static int is_space(int c)
{
    return strchr(" \t\n\v\f\r", c) != NULL && c != 0;
}

static void tally(struct client *c, const unsigned char *p, size_t n)
{
    c->bytes += n;
    c->crc = crc32_add(c->crc, p, n);
    for (; n > 0; n--, p++) {
        c->lines += *p == '\n';
        c->words += is_space(c->last) && !is_space(*p);
        c->last = *p;
    }
}

static void drop(nfds_t i)
{
    close(watched[i].fd);
    count--;
    watched[i] = watched[count];
    clients[i] = clients[count];
}

/* One step with client i: 0 to go on watching it, -1 when it is over. */
static int on_readable(nfds_t i)
{
    static unsigned char buffer[8192];
    struct client *c = &clients[i];
    ssize_t n = recv(watched[i].fd, buffer, sizeof buffer, MSG_DONTWAIT);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -1;
    if (n > 0) {
        tally(c, buffer, (size_t)n);
        return 0;
    }
    c->length = (size_t)snprintf(
        c->answer, sizeof c->answer, "%llu %llu %llu %08lx\n",
        (unsigned long long)c->lines, (unsigned long long)c->words,
        (unsigned long long)c->bytes, (unsigned long)c->crc);
    watched[i].events = POLLOUT;
    return 0;
}

static int on_writable(nfds_t i)
{
    struct client *c = &clients[i];
    ssize_t n = send(watched[i].fd, c->answer + c->sent, c->length - c->sent,
                     MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -1;
    c->sent += (size_t)n;
    return c->sent == c->length ? -1 : 0;
}

static void welcome(void)
{
    int fd = accept4(watched[LISTENER].fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return; /* whatever it was, poll will tell of the next one */
    clients[count] = (struct client){.last = ' '};
    watched[count] = (struct pollfd){.fd = fd, .events = POLLIN};
    count++;
}

static int listen_on(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);
    struct sockaddr_in a;
    int fd, one = 1;

    if (*text == '\0' || *end != '\0' || port < 1 || port > 65535) {
        fputs("usage: wcd PORT\n", stderr);
        exit(2);
    }
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_port = htons((uint16_t)port);
    a.sin_addr.s_addr = htonl(0x7f000001);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 64) != 0) {
        fprintf(stderr, "wcd: bind: %s\n", strerror(errno));
        exit(2);
    }
    printf("ready %ld\n", port);
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    sigset_t term;

    if (argc != 2) {
        fputs("usage: wcd PORT\n", stderr);
        return 2;
    }
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    watched[SIGNALS].fd = signalfd(-1, &term, SFD_CLOEXEC);
    watched[SIGNALS].events = POLLIN;
    watched[LISTENER].fd = listen_on(argv[1]);

    for (;;) {
        /* A full house leaves newcomers in the kernel's queue. */
        watched[LISTENER].events = count < MOST ? POLLIN : 0;
        if (poll(watched, count, -1) < 0)
            continue;
        if (watched[SIGNALS].revents)
            return 0;
        for (nfds_t i = count; i-- > FIRST;) {
            int over = 0;

            if (watched[i].revents & POLLOUT)
                over = on_writable(i);
            else if (watched[i].revents)
                over = on_readable(i);
            if (over)
                drop(i);
        }
        if (watched[LISTENER].revents & POLLIN)
            welcome();
    }
}
