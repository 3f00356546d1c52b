/*
 * A conversation with `wcd`, in the words of its checks: start it, say
 * something by the seed, expect the right answer. A wrong answer that a known
 * wrong idea gives leaves that idea's sign: trailing-zero, cut-at-short-count,
 * state-per-recv, zero-byte-stops, old-bytes-counted, stopped-at-eintr,
 * earlier-clients-counted, recv-after-zero, no-eof.
 */
#ifndef TESTS_CHECKS_WCD_H
#define TESTS_CHECKS_WCD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/grader/probes.h"

enum { WCD_PIECES = 5000 };

/* What one client said, and how it was cut: for the answer, and for what wrong
 * ideas would answer. */
struct speech {
    const uint8_t *bytes;
    size_t length;
    const size_t *pieces; /* NULL: in one; at most WCD_PIECES */
    size_t count;
    uint64_t before; /* bytes that earlier clients of this program sent */
    bool to_the_end; /* the server's FIN must follow its line */
    bool exact;      /* zero bytes after the line are too many */
};

/* Words, white space of all six kinds, lines; no zero byte. */
void wcd_text(struct probe *p, uint8_t *text, size_t length);
/* Words of one letter: no cut can go through a word. */
void wcd_crumbs(struct probe *p, uint8_t *text, size_t length);

/* Start it, where it will listen being no matter. */
void wcd_start(struct probe *p, enum build build, struct calls_plan calls);
/* The same with a program that has seen no client yet, on a fresh port. */
void wcd_start_anew(struct probe *p, enum build build, struct calls_plan calls);

/* The line for what was said. A FIN after it, and no zero bytes, are asked for
 * where `speech` says so: each mistake costs the points of one check. */
void wcd_expect(struct probe *p, struct peer *client,
                const struct speech *speech);
/* One whole client: all it has to say and its FIN in one go, the answer. */
void wcd_ask(struct probe *p, const void *bytes, size_t length);
void wcd_ask_something(struct probe *p);

#endif
