/*
 * What the captures of the benchmark are made of: Ethernet frames with IPv4
 * and TCP in them, checksums right, written as tcpdump -s 128 would. Made by
 * us byte by byte, so that they are the same on every machine.
 */
#ifndef TESTS_BENCH_FRAMES_H
#define TESTS_BENCH_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/* A host's end of a connection: what its next segment carries. */
struct host {
    uint32_t address;
    uint16_t port;
    uint16_t ip_id; /* of the next packet: counts on, as Linux does */
    uint32_t seq;   /* of the next new byte */
    uint32_t ack;   /* what it has received */
    uint16_t window;
    uint32_t clock_offset; /* of its timestamps, ms */
    uint32_t echo;         /* the newest timestamp received */
};

struct segment {
    int64_t time_ns;
    uint32_t seq;
    uint8_t flags;
    uint16_t length;                /* bytes of payload */
    uint32_t sack_left, sack_right; /* no block when equal */
};

struct writer {
    FILE *out;
    uint64_t packets, segments_again;
};

/* The file's header. */
void writer_begin(struct writer *writer, FILE *out);
/* One packet from a to b. */
void writer_segment(struct writer *writer, struct host *from,
                    const struct host *to, const struct segment *segment);

#endif
