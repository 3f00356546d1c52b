/* wcd PORT, a thread for each client; SIGTERM comes to the main thread only. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void send_all(int fd, const char *text, size_t left)
{
    while (left > 0) {
        ssize_t n = send(fd, text, left, 0);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return;
        text += n;
        left -= n;
    }
}

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument;
    unsigned char buf[4096];
    unsigned long lines = 0, words = 0, bytes = 0;
    uint32_t crc = 0;
    int inside = 0;
    ssize_t n;

    while ((n = recv(fd, buf, sizeof(buf), 0)) != 0) {
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            goto out;
        for (ssize_t i = 0; i < n; i++) {
            switch (buf[i]) {
            case '\n':
                lines++; /* fall through */
            case ' ':
            case '\t':
            case '\v':
            case '\f':
            case '\r':
                inside = 0;
                break;
            default:
                words += !inside;
                inside = 1;
            }
        }
        bytes += n;
        crc = crc32_add(crc, buf, n);
    }
    snprintf((char *)buf, sizeof(buf), "%lu %lu %lu %08x\n", lines, words,
             bytes, crc);
    send_all(fd, (char *)buf, strlen((char *)buf));
out:
    close(fd);
    return NULL;
}

static void quit(int sig)
{
    (void)sig;
    _exit(EXIT_SUCCESS);
}

int main(int argc, char *argv[])
{
    char *end = "";
    long port = argc == 2 ? strtol(argv[1], &end, 10) : 0;
    struct sockaddr_in addr = {.sin_family = AF_INET};
    sigset_t term;
    pthread_attr_t detached;
    int s;

    if (port < 1 || port > 65535 || *end != '\0') {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGTERM, quit);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, 256 * 1024);

    s = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    addr.sin_port = htons(port);
    inet_pton(AF_INET, "127.0.0.1", &addr.sin_addr);
    if (bind(s, (struct sockaddr *)&addr, sizeof(addr)) == -1) {
        fprintf(stderr, "wcd: bind: %s\n", strerror(errno));
        return 2;
    }
    listen(s, SOMAXCONN);
    printf("ready %ld\n", port);
    fflush(stdout);

    for (;;) {
        int fd = accept(s, NULL, NULL);
        pthread_t thread;

        if (fd == -1)
            continue;
        pthread_sigmask(SIG_BLOCK, &term, NULL);
        if (pthread_create(&thread, &detached, serve, (void *)(intptr_t)fd))
            close(fd);
        pthread_sigmask(SIG_UNBLOCK, &term, NULL);
    }
}
