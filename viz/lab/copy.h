/*
 * What a shell has yet to send to the lesson: a bounded queue of pieces. A
 * lesson that is slow or stopped never holds the student up; past COPY_MOST
 * bytes pieces are lost, and a CAN byte then tells the parser at the other end
 * to give up what it had begun.
 */
#ifndef VIZ_LAB_COPY_H
#define VIZ_LAB_COPY_H

#include <stdbool.h>
#include <stddef.h>

enum { COPY_MOST = 1 << 20 };

/* All zero is an empty one. */
struct copy {
    char *bytes;          /* packets, each after its length (size_t) */
    size_t start, length; /* the queue is bytes[start .. start + length) */
    size_t room;
    bool lost; /* pieces, since the queue was last empty */
};

void copy_fini(struct copy *copy);
/* Queue `length` bytes of a kind (SHELL_SHOWN, SHELL_TYPED). Without memory
 * they are lost too. */
void copy_add(struct copy *copy, char kind, const char *bytes, size_t length);
bool copy_waits(const struct copy *copy);
/* Send what the socket takes now. */
void copy_send(struct copy *copy, int fd);

#endif
