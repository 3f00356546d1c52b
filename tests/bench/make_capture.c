/*
 * make_capture few PACKETS | many CONNECTIONS | scan PORTS  SEED FILE
 * writes a capture to measure with: real handshakes, acknowledgements, time
 * stamps, loss and what follows it, and right checksums; the same file for the
 * same words. Says on stdout what a reader of it must find.
 */
#include "tests/bench/make_capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int usage(void)
{
    fputs("usage: make_capture few PACKETS | many CONNECTIONS | scan PORTS  "
          "SEED FILE\n",
          stderr);
    return 2;
}

/* A SYN scan of 16 hosts' ports; every eighth port does not answer. */
int make_scan(struct writer *writer, uint64_t ports, uint64_t seed)
{
    enum { BEHIND = 8, HOSTS = 16 };
    const uint32_t seq = (uint32_t)seed;
    int64_t now = FIRST_NS;

    for (uint64_t n = 0; n < ports + BEHIND; n++) {
        uint64_t answered = n - BEHIND;
        struct host scanner = {.address = 0x0a000001, .window = 1024};
        struct host target = {.window = 0};

        now += 5 * US;
        if (n < ports) {
            target.address = 0x0a010001 + (uint32_t)(n % HOSTS);
            target.port = (uint16_t)(1 + n / HOSTS % 65535);
            scanner.port = (uint16_t)(40000 + n / HOSTS / 65535);
            scanner.ip_id = (uint16_t)random_next(&seed);
            writer_segment(writer, &scanner, &target,
                           &(struct segment){now, seq, SYN, 0, 0, 0});
        }
        if (n < BEHIND || answered % 8 == 7)
            continue;
        target.address = 0x0a010001 + (uint32_t)(answered % HOSTS);
        target.port = (uint16_t)(1 + answered / HOSTS % 65535);
        scanner.port = (uint16_t)(40000 + answered / HOSTS / 65535);
        target.ack = seq + 1;
        writer_segment(writer, &target, &scanner,
                       &(struct segment){now + 2 * US, 0, RST | ACK, 0, 0, 0});
    }
    return 0;
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        int (*make)(struct writer *writer, uint64_t count, uint64_t seed);
    } kinds[] = {{"few", make_few}, {"many", make_many}, {"scan", make_scan}};
    struct writer writer;
    uint64_t count, seed;
    FILE *out;

    if (argc != 5)
        return usage();
    count = strtoull(argv[2], NULL, 10);
    seed = strtoull(argv[3], NULL, 10);
    for (size_t n = 0; n < sizeof kinds / sizeof *kinds; n++) {
        int failed;

        if (strcmp(argv[1], kinds[n].name) != 0)
            continue;
        out = fopen(argv[4], "wb");
        if (out == NULL) {
            fprintf(stderr, "make_capture: %s: %s\n", argv[4], strerror(errno));
            return 2;
        }
        writer_begin(&writer, out);
        failed = kinds[n].make(&writer, count, seed);
        if (fclose(out) != 0 || failed) {
            fprintf(stderr, "make_capture: %s: %s\n", argv[4], strerror(errno));
            return 2;
        }
        printf("%llu packets, %llu sent again\n",
               (unsigned long long)writer.packets,
               (unsigned long long)writer.segments_again);
        return 0;
    }
    return usage();
}
