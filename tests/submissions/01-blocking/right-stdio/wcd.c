/* wcd PORT with a stream of stdio around each client: fread and fprintf do the
 * loops of recv and send. */
#include <errno.h>
#include <netinet/in.h>
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

static void on_term(int number)
{
    (void)number;
    _exit(0);
}

static void serve(int fd)
{
    FILE *in = fdopen(fd, "r");
    int out = dup(fd);
    unsigned long lines = 0, words = 0, bytes = 0;
    uint32_t crc = 0;
    int c, before = ' ';

    while ((c = getc(in)) != EOF) {
        unsigned char byte = (unsigned char)c;

        crc = crc32_add(crc, &byte, 1);
        bytes++;
        if (c == '\n')
            lines++;
        if ((c != ' ' && (c < 9 || c > 13)) &&
            (before == ' ' || (before >= 9 && before <= 13)))
            words++;
        before = c;
    }
    if (!ferror(in))
        dprintf(out, "%lu %lu %lu %08x\n", lines, words, bytes, crc);
    close(out);
    fclose(in);
}

int main(int argc, char *argv[])
{
    char *end = NULL;
    long port = argc > 1 ? strtol(argv[1], &end, 10) : 0;
    struct sockaddr_in address = {0};
    int listener, yes = 1;

    if (argc != 2 || *end || port < 1 || port > 65535) {
        fprintf(stderr, "usage: wcd PORT\n");
        exit(2);
    }
    signal(SIGTERM, on_term);
    signal(SIGPIPE, SIG_IGN);
    listener = socket(PF_INET, SOCK_STREAM, IPPROTO_TCP);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (void *)&address, sizeof address) < 0) {
        fprintf(stderr, "wcd: bind: %s\n", strerror(errno));
        exit(2);
    }
    listen(listener, 16);
    printf("ready %ld\n", port);
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            serve(fd);
    }
}
