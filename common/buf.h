/*
 * A bounded buffer of bytes: added at the end, dropped from the head. What is in
 * it is one piece of memory at buf_data(), `length` bytes, never more than
 * `limit`; there is no NUL after it. It takes no memory while it is empty, and
 * never more than one and a half times its limit. Adding and dropping a byte
 * costs the same whatever its size: it moves what it holds at most once in as
 * many bytes as it holds, and grows by doubling.
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *memory;  /* NULL while it is empty */
    size_t room;   /* bytes of memory */
    size_t start;  /* where what is in it begins */
    size_t length; /* read it; change it by the calls below only */
    size_t limit;
};

void buf_init(struct buf *buf, size_t limit); /* takes no memory */
void buf_fini(struct buf *buf); /* empty again; may be used again */

/* The bytes; good until the next call that changes it. NULL when empty. */
char *buf_data(const struct buf *buf);
size_t buf_left(const struct buf *buf); /* limit - length */

/* All of it, or -1 and nothing: ENOBUFS (over the limit), ENOMEM. */
int buf_add(struct buf *buf, const void *data, size_t length);
int buf_format(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room to write into, recv(2) say: at least one byte, `want` if the limit
 * allows; *room says how many. Then tell how many were written. NULL: ENOBUFS
 * (it is full), ENOMEM. What was not written is given back when it is drained,
 * or at once if it was empty: buf_wrote(buf, 0). */
char *buf_space(struct buf *buf, size_t want, size_t *room);
void buf_wrote(struct buf *buf, size_t length);

/* From the head; all of it when there is less. The last byte frees the memory. */
void buf_drop(struct buf *buf, size_t length);

#endif
