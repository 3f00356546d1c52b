/* See buf.h. */
#include "common/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_LEAST = 256 };

void buf_init(struct buf *buf, size_t limit)
{
    /* So that no sum below can overflow. */
    *buf = (struct buf){.limit = limit < SIZE_MAX / 4 ? limit : SIZE_MAX / 4};
}

void buf_fini(struct buf *buf)
{
    free(buf->memory);
    buf_init(buf, buf->limit);
}

char *buf_data(const struct buf *buf)
{
    return buf->length ? buf->memory + buf->start : NULL;
}

size_t buf_left(const struct buf *buf)
{
    return buf->limit - buf->length;
}

/* The next size for `need` bytes: twice as much, up to the most it may have. */
static size_t next_room(const struct buf *buf, size_t need)
{
    size_t most = buf->limit + buf->limit / 2 + 1; /* vsnprintf(3)'s NUL */
    size_t room = buf->room ? buf->room * 2 : ROOM_LEAST;

    while (room < need)
        room *= 2;
    return room < most ? room : most;
}

/* `length` bytes behind what is there; within the limit. What is there moves to
 * the front when that makes room and as much has been dropped before it as half
 * of it is long; else the memory grows. */
static int make_room(struct buf *buf, size_t length)
{
    size_t need = buf->length + length, room;
    char *memory;

    if (buf->start + need <= buf->room)
        return 0;
    if (need <= buf->room && buf->start >= buf->length / 2) {
        memmove(buf->memory, buf->memory + buf->start, buf->length);
        buf->start = 0;
        return 0;
    }
    room = next_room(buf, need);
    memory = malloc(room);
    if (!memory)
        return -1;
    if (buf->length)
        memcpy(memory, buf->memory + buf->start, buf->length);
    free(buf->memory);
    buf->memory = memory;
    buf->room = room;
    buf->start = 0;
    return 0;
}

int buf_add(struct buf *buf, const void *data, size_t length)
{
    if (length == 0)
        return 0;
    if (length > buf_left(buf)) {
        errno = ENOBUFS;
        return -1;
    }
    if (make_room(buf, length) != 0)
        return -1;
    memcpy(buf->memory + buf->start + buf->length, data, length);
    buf->length += length;
    return 0;
}

int buf_format(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    size_t room;
    char *end;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        return -1;
    if (length == 0)
        return 0;
    if ((size_t)length > buf_left(buf)) {
        errno = ENOBUFS;
        return -1;
    }
    /* The NUL that vsnprintf(3) adds is not ours to keep. */
    if (make_room(buf, (size_t)length + 1) != 0)
        return -1;
    end = buf->memory + buf->start + buf->length;
    room = buf->room - buf->start - buf->length;
    va_start(arguments, format);
    vsnprintf(end, room, format, arguments);
    va_end(arguments);
    buf->length += (size_t)length;
    return 0;
}

char *buf_space(struct buf *buf, size_t want, size_t *room)
{
    size_t left = buf_left(buf);

    if (left == 0) {
        errno = ENOBUFS;
        return NULL;
    }
    if (want == 0)
        want = 1;
    if (make_room(buf, want < left ? want : left) != 0)
        return NULL;
    *room = buf->room - buf->start - buf->length;
    if (*room > left)
        *room = left;
    return buf->memory + buf->start + buf->length;
}

void buf_wrote(struct buf *buf, size_t length)
{
    buf->length += length;
    if (buf->length == 0)
        buf_fini(buf);
}

void buf_drop(struct buf *buf, size_t length)
{
    if (length >= buf->length) {
        buf_fini(buf);
        return;
    }
    buf->start += length;
    buf->length -= length;
}
