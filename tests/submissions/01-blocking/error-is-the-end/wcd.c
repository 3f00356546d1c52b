/* wcd PORT: takes every -1 of recv for the end of the stream. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The port in a command's argument: 1 to 65535, or 0 when it is none. */
static uint16_t read_port(const char *text)
{
    char *end;
    unsigned long port;

    if (text[0] < '0' || text[0] > '9')
        return 0;
    port = strtoul(text, &end, 10);
    return *end == '\0' && port <= 65535 ? (uint16_t)port : 0;
}

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

/* What is known of one client's stream so far. */
struct counts {
    unsigned long long lines, words, bytes;
    uint32_t crc;
    bool in_word; /* the last piece ended inside a word */
};

static bool is_space(unsigned char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void count(struct counts *counts, const unsigned char *piece,
                  size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (piece[i] == '\n')
            counts->lines++;
        if (is_space(piece[i])) {
            counts->in_word = false;
        } else if (!counts->in_word) {
            counts->in_word = true;
            counts->words++;
        }
    }
    counts->bytes += length;
    counts->crc = crc32_add(counts->crc, piece, length);
}

static int open_listener(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int yes = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (listener < 0)
        return -1;
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 128) < 0) {
        int why = errno;

        close(listener);
        errno = why;
        return -1;
    }
    return listener;
}

/* Count to the end of the stream: true; false when the client is gone. */
static bool receive_all(int client, struct counts *counts)
{
    unsigned char piece[16384];

    ssize_t n;

    while ((n = recv(client, piece, sizeof piece, 0)) > 0)
        count(counts, piece, (size_t)n);
    return true;
}

static bool send_all(int client, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = send(client, text, length, MSG_NOSIGNAL);

        if (n >= 0) {
            text += n;
            length -= (size_t)n;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static void serve(int client)
{
    struct counts counts = {0};
    char answer[128];
    int length;

    if (receive_all(client, &counts)) {
        length = snprintf(answer, sizeof answer, "%llu %llu %llu %08x\n",
                          counts.lines, counts.words, counts.bytes,
                          (unsigned)counts.crc);
        if (!send_all(client, answer, (size_t)length))
            fprintf(stderr, "wcd: a client left before its answer\n");
    } else {
        fprintf(stderr, "wcd: a client was gone: %s\n", strerror(errno));
    }
    close(client);
}

static void on_term(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

int main(int argc, char *argv[])
{
    uint16_t port = argc == 2 ? read_port(argv[1]) : 0;
    struct sigaction action = {.sa_handler = on_term};
    int listener;

    if (port == 0) {
        fprintf(stderr, "usage: wcd PORT\n");
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);

    listener = open_listener(port);
    if (listener < 0) {
        fprintf(stderr, "wcd: bind: %s\n", strerror(errno));
        return 2;
    }
    printf("ready %u\n", (unsigned)port);
    fflush(stdout);

    for (;;) {
        int client = accept(listener, NULL, NULL);

        if (client >= 0) {
            serve(client);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            perror("wcd: accept");
            return 1;
        }
    }
}
