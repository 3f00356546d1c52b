/*
 * See frame.h. A message may lie in three places: whole in the bytes given (then
 * that is where it is read), whole in `part`, or begun in `part` and ended in
 * the bytes given: then the rest is added to `part`.
 */
#include "common/frame.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

enum { LINE_END_MOST = 2 }; /* CR LF */

void frame_lines(struct frame *frame, size_t limit)
{
    *frame = (struct frame){.limit = limit};
    if (frame->limit > SIZE_MAX / 4 - 8)
        frame->limit = SIZE_MAX / 4 - 8;
    buf_init(&frame->part, frame->limit + LINE_END_MOST);
}

static bool prefix_ok(unsigned prefix)
{
    if (prefix == 1 || prefix == 2 || prefix == 4 || prefix == 8)
        return true;
    errno = EINVAL;
    return false;
}

int frame_sized(struct frame *frame, unsigned prefix, size_t limit)
{
    if (!prefix_ok(prefix))
        return -1;
    frame_lines(frame, limit);
    frame->prefix = prefix;
    buf_init(&frame->part, frame->limit + prefix);
    return 0;
}

void frame_fini(struct frame *frame)
{
    buf_fini(&frame->part);
}

size_t frame_partial(const struct frame *frame)
{
    return frame->given ? 0 : frame->part.length;
}

static int too_long(struct frame *frame)
{
    buf_fini(&frame->part);
    errno = frame->error = EMSGSIZE;
    return -1;
}

static void use(char **data, size_t *length, size_t used)
{
    *data += used;
    *length -= used;
}

/* `used` bytes more of a message that `part` holds the beginning of. */
static int keep(struct frame *frame, char **data, size_t *length, size_t used)
{
    if (buf_add(&frame->part, *data, used) != 0)
        return -1;
    use(data, length, used);
    return 0;
}

/* --- lines ------------------------------------------------------------------- */

/* `bytes` ends in LF: without it and its CR, and with a NUL. */
static int give_line(struct frame *frame, char *bytes, size_t length,
                     char **message, size_t *size)
{
    length--;
    if (length > 0 && bytes[length - 1] == '\r')
        length--;
    if (length > frame->limit)
        return too_long(frame);
    bytes[length] = '\0';
    *message = bytes;
    *size = length;
    return 1;
}

static int next_line(struct frame *frame, char **data, size_t *length,
                     char **message, size_t *size)
{
    size_t most = frame->limit + LINE_END_MOST - frame->part.length;
    size_t look = *length < most ? *length : most, used;
    char *end = look ? memchr(*data, '\n', look) : NULL, *bytes = *data;

    used = end ? (size_t)(end - bytes) + 1 : look;
    if (end && frame->part.length == 0) {
        use(data, length, used);
        return give_line(frame, bytes, used, message, size);
    }
    if (keep(frame, data, length, used) != 0)
        return -1;
    bytes = buf_data(&frame->part);
    if (end) {
        frame->given = true;
        return give_line(frame, bytes, frame->part.length, message, size);
    }
    /* One more than the limit may still be the CR of a CR LF. */
    if (frame->part.length > frame->limit + 1 ||
        (frame->part.length > frame->limit && bytes[frame->limit] != '\r'))
        return too_long(frame);
    return 0;
}

/* --- lengths ----------------------------------------------------------------- */

static uint64_t number(const char *bytes, unsigned prefix)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < prefix; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int next_sized(struct frame *frame, char **data, size_t *length,
                      char **message, size_t *size)
{
    const unsigned prefix = frame->prefix;
    struct buf *part = &frame->part;
    char *bytes = *data;
    uint64_t announced;
    size_t whole;

    if (part->length > 0 && part->length < prefix &&
        keep(frame, data, length, least(*length, prefix - part->length)) != 0)
        return -1;
    if (part->length > 0)
        bytes = buf_data(part);
    if ((part->length ? part->length : *length) < prefix)
        return keep(frame, data, length, *length); /* 0 left after a part */
    announced = number(bytes, prefix);
    if (announced > frame->limit)
        return too_long(frame);
    whole = prefix + (size_t)announced;
    if (part->length == 0 && *length >= whole) {
        use(data, length, whole);
    } else {
        if (keep(frame, data, length, least(*length, whole - part->length)) !=
            0)
            return -1;
        if (part->length < whole)
            return 0;
        bytes = buf_data(part);
        frame->given = true;
    }
    *message = bytes + prefix;
    *size = (size_t)announced;
    return 1;
}

int frame_next(struct frame *frame, char **data, size_t *length, char **message,
               size_t *size)
{
    if (frame->error) {
        errno = frame->error;
        return -1;
    }
    if (frame->given) {
        buf_fini(&frame->part);
        frame->given = false;
    }
    if (*length == 0)
        return 0;
    return frame->prefix ? next_sized(frame, data, length, message, size)
                         : next_line(frame, data, length, message, size);
}

int frame_header(unsigned char header[8], unsigned prefix, size_t length)
{
    uint64_t value = length;

    if (!prefix_ok(prefix))
        return -1;
    if (prefix < 8 && value >> 8 * prefix) {
        errno = EMSGSIZE;
        return -1;
    }
    for (unsigned i = prefix; i-- > 0; value >>= 8)
        header[i] = (unsigned char)value;
    return 0;
}
