/*
 * Messages out of a stream of bytes: lines, or a length and as many bytes. What
 * comes out is the same however the stream is cut; a message that is whole in
 * the bytes given is not copied. One message has a limit, and nothing is kept
 * for bytes that have been promised only.
 *
 *     while ((got = frame_next(&frame, &data, &length, &line, &size)) == 1)
 *         answer(line, size);
 */
#ifndef COMMON_FRAME_H
#define COMMON_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

struct frame {
    unsigned prefix; /* bytes of the length; 0: lines */
    size_t limit;    /* of one message, without its length or end */
    struct buf part; /* of a message that is not whole yet */
    bool given;      /* part is a message that was given out */
    int error;       /* for ever */
};

/* Lines end in LF or CR LF, which are not counted nor given. */
void frame_lines(struct frame *frame, size_t limit);
/* A length of 1, 2, 4 or 8 bytes, the highest first (network order), then as
 * many bytes. EINVAL. */
int frame_sized(struct frame *frame, unsigned prefix, size_t limit);
void frame_fini(struct frame *frame);

/* The next message of *data, *length, which are moved on behind what was used.
 * 1: *message, *size; good until the next call, and as long as *data is. A line
 * has a NUL behind it, written over its end. 0: all is used, more is needed. -1:
 * EMSGSIZE, it is over the limit, now and for ever; ENOMEM: call again with what
 * is left. */
int frame_next(struct frame *frame, char **data, size_t *length, char **message,
               size_t *size);

/* At the end of the stream: how much has come of a message that is not whole. */
size_t frame_partial(const struct frame *frame);

/* The length to send before a message, into `header`; EMSGSIZE: it has not so
 * many bytes; EINVAL. */
int frame_header(unsigned char header[8], unsigned prefix, size_t length);

#endif
