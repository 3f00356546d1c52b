/*
 * The wire as a witness: everything on lo of the check's network is captured,
 * kept for replay, and followed, so that a message can say in one line what
 * crossed.
 */
#ifndef TESTS_GRADER_WIRE_H
#define TESTS_GRADER_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "tests/grader/verdict.h"

struct wire;

/* Capture lo of the caller's network into `path`. NULL with the reason. */
struct wire *wire_open(const char *path, char *why, size_t size);
int wire_fd(const struct wire *wire); /* to poll(2) */
void wire_drain(struct wire *wire);   /* take what is there; never blocks */
void wire_close(struct wire *wire);   /* the file is complete then */

/* What crossed between the tester's port `client` and the program, in one or
 * two lines. Nothing is added when no such connection was seen. */
void wire_describe(const struct wire *wire, uint16_t client,
                   struct lines *lines);

#endif
