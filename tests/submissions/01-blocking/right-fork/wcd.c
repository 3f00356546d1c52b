/* wcd PORT, the classic way: a child process for each client. */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

static void on_term(int sig)
{
    (void)sig;
    _exit(0); /* a flag, tested before accept(), could be set just after */
}

/* In the child: everything about one client, then the end. */
static _Noreturn void child(int fd)
{
    unsigned char buf[2000];
    unsigned long long lines = 0, words = 0, bytes = 0;
    uint32_t crc = 0;
    int was_space = 1;
    ssize_t got;
    char reply[80];
    int len, done = 0;

    for (;;) {
        got = read(fd, buf, sizeof buf);
        if (got == 0)
            break;
        if (got < 0) {
            if (errno == EINTR)
                continue;
            _exit(1);
        }
        for (int i = 0; i < got; i++) {
            int space = buf[i] < 128 && isspace(buf[i]);

            if (was_space && !space)
                words++;
            was_space = space;
            if (buf[i] == '\n')
                lines++;
        }
        bytes += got;
        crc = crc32_add(crc, buf, got);
    }
    len = snprintf(reply, sizeof reply, "%llu %llu %llu %08x\n", lines, words,
                   bytes, crc);
    while (done < len) {
        ssize_t put = write(fd, reply + done, len - done);

        if (put < 0 && errno != EINTR)
            _exit(1);
        if (put > 0)
            done += put;
    }
    _exit(0);
}

int main(int argc, char *argv[])
{
    struct sockaddr_in me = {.sin_family = AF_INET};
    int door, fd, on = 1, port = 0;
    char rest;

    if (argc != 2 || sscanf(argv[1], "%d%c", &port, &rest) != 1 || port < 1 ||
        port > 65535) {
        fprintf(stderr, "usage: wcd PORT\n");
        return 2;
    }
    signal(SIGTERM, on_term);
    signal(SIGCHLD, SIG_IGN); /* nobody waits: no zombies */
    signal(SIGPIPE, SIG_IGN);

    door = socket(AF_INET, SOCK_STREAM, 0);
    if (door < 0)
        err(1, "socket");
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    me.sin_port = htons(port);
    me.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(door, (struct sockaddr *)&me, sizeof me) < 0) {
        fprintf(stderr, "wcd: bind: %s\n", strerror(errno));
        return 2;
    }
    if (listen(door, 20) < 0)
        err(1, "listen");
    printf("ready %d\n", port);
    fflush(stdout);

    for (;;) {
        fd = accept(door, NULL, NULL);
        if (fd < 0)
            continue;
        if (fork() == 0) {
            signal(SIGTERM, SIG_DFL);
            close(door);
            child(fd);
        }
        close(fd);
    }
}
