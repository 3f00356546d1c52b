/* See copy.h. */
#include "viz/lab/copy.h"

#include <stdlib.h>
#include <string.h>

#include "viz/lab/words.h"

enum { CANCEL = 24 };

void copy_fini(struct copy *copy)
{
    free(copy->bytes);
    *copy = (struct copy){0};
}

bool copy_waits(const struct copy *copy)
{
    return copy->length > 0;
}

/* Room for `size` more behind what is there; false when there is none. */
static bool make_room(struct copy *copy, size_t size)
{
    size_t room = copy->room > 0 ? copy->room : 4 * WORDS_SHELL_BYTES;
    char *larger;

    if (copy->length + size > COPY_MOST)
        return false;
    if (copy->start > 0)
        memmove(copy->bytes, copy->bytes + copy->start, copy->length);
    copy->start = 0;
    while (room < copy->length + size)
        room *= 2;
    if (room == copy->room)
        return true;
    larger = realloc(copy->bytes, room);
    if (larger == NULL)
        return false;
    copy->bytes = larger;
    copy->room = room;
    return true;
}

static void add_packet(struct copy *copy, char kind, const char *bytes,
                       size_t length)
{
    size_t size = 1 + length;
    char *at;

    if (copy->start + copy->length + sizeof size + size > copy->room &&
        !make_room(copy, sizeof size + size)) {
        copy->lost = true;
        return;
    }
    at = copy->bytes + copy->start + copy->length;
    memcpy(at, &size, sizeof size);
    at[sizeof size] = kind;
    memcpy(at + sizeof size + 1, bytes, length);
    copy->length += sizeof size + size;
}

void copy_add(struct copy *copy, char kind, const char *bytes, size_t length)
{
    static const char cancel = CANCEL;

    if (copy->lost) {
        if (copy->length > 0)
            return;
        copy->lost = false;
        add_packet(copy, SHELL_SHOWN, &cancel, 1);
    }
    while (length > 0) {
        size_t piece = length < WORDS_SHELL_BYTES ? length : WORDS_SHELL_BYTES;

        add_packet(copy, kind, bytes, piece);
        bytes += piece;
        length -= piece;
    }
}

void copy_send(struct copy *copy, int fd)
{
    size_t size;

    while (copy->length > 0) {
        const char *at = copy->bytes + copy->start;

        memcpy(&size, at, sizeof size);
        if (words_send(fd, at + sizeof size, size, NULL, 0) == -1)
            return; /* EAGAIN: later; gone: poll(2) says so */
        copy->start += sizeof size + size;
        copy->length -= sizeof size + size;
    }
    copy->start = 0;
}
