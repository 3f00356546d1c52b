/*
 * wcd PORT: counts the lines, words and bytes that each client sends, and
 * answers with one line when the client has said its last word.
 *
 * This is the starter. It compiles, and stops with the name of the function to
 * write next. The assignment is labs/01-blocking/README.md; `make hint-1` gives
 * a hint, `make grade-1` tells how far you are.
 */
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

/* Stops the program kindly. Take each call of it away when you have written
 * what stands there; when none is left, take these lines away too. */
#define WRITE_NEXT(what) write_next((what), __LINE__)
static _Noreturn void write_next(const char *what, int line)
{
    fprintf(stderr, "wcd: next, wcd.c line %d: %s\n", line, what);
    exit(2);
}

/* --- given: neither of these is the lesson --------------------------------- */

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

/* CRC-32, the checksum of zlib, gzip and PNG. The first time `crc` is 0; after
 * that it is what the last call returned: the stream may come in any pieces. */
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

/* --- yours ------------------------------------------------------------------
 * The functions below are a proposal. Rename them, cut them differently: only
 * what the program does is graded. */

/* What is known of one client's stream so far. Is this all that you must still
 * know when the next piece of it comes in? */
struct counts {
    unsigned long long lines, words, bytes;
    uint32_t crc;
};

/* Count one piece of the stream: `length` bytes, which may begin and end
 * anywhere, also in the middle of a word, and may have any value, also 0. */
static void count(struct counts *counts, const unsigned char *piece,
                  size_t length)
{
    counts->crc = crc32_add(counts->crc, piece, length);
    WRITE_NEXT("write count(): lines, words, bytes of one piece");
}

/* A socket that listens on 127.0.0.1 at `port`; or -1, and errno says why.
 * Four calls, in this order: socket(2), setsockopt(2), bind(2), listen(2).
 * Which option, and why before bind? And ip(7) says in which byte order an
 * address and a port are stored. */
static int open_listener(uint16_t port)
{
    (void)port;
    WRITE_NEXT("write open_listener(): it listens on 127.0.0.1");
}

/* One client, from its first byte to its last. Ask yourself at each call: what
 * does it return when all is well, what when the client is done, what when the
 * client is gone? The connection is closed on each of these ways out. */
static void serve(int client)
{
    unsigned char piece[16384] = {0};
    struct counts counts = {0};

    (void)client;
    count(&counts, piece, 0);
    WRITE_NEXT("write serve(): receive to the end, answer, close");
}

int main(int argc, char *argv[])
{
    uint16_t port = argc == 2 ? read_port(argv[1]) : 0;
    int listener;

    if (port == 0) {
        fprintf(stderr, "usage: wcd PORT\n");
        return 2;
    }

    /* SIGTERM ends the program with status 0, whatever it is doing then:
     * sigaction(2). And which signal comes when you send to a client that is
     * gone: send(2), signal(7)? */

    listener = open_listener(port);
    /* No listener: one line on stderr, status 2.
     * A listener: `ready PORT` on stdout; fflush(3), or nobody sees it. */

    /* For ever: wait for a client, serve it. What if accept(2) returns -1? */
    serve(listener);
    return 0;
}
