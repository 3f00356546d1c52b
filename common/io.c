/*
 * See io.h. Every call asks the socket first, without waiting (MSG_DONTWAIT),
 * and waits by poll(2) only when there is nothing: so a descriptor that blocks
 * cannot hold it beyond the deadline, nor a stream that never pauses.
 */
#include "common/io.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/net.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* net_socket() and net_accept() have told the socket */
#endif

static int fail(int error)
{
    errno = error;
    return -1;
}

/* true: try again, it is ready or was interrupted. */
static bool again(int fd, short events, int64_t deadline)
{
    if (errno == EINTR)
        return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return false;
    return net_wait(fd, events, deadline) == 0;
}

static bool late(int64_t deadline)
{
    return deadline != CLOCK_NEVER && clock_now() >= deadline;
}

ssize_t io_send(int fd, const void *data, size_t length, int64_t deadline)
{
    ssize_t n;

    do {
        n = send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && again(fd, POLLOUT, deadline));
    return n;
}

int io_send_all(int fd, const void *data, size_t length, int64_t deadline)
{
    const char *at = data;

    while (length > 0) {
        ssize_t n = io_send(fd, at, length, deadline);

        if (n < 0)
            return -1;
        at += n;
        length -= (size_t)n;
        if (length > 0 && late(deadline))
            return fail(ETIMEDOUT);
    }
    return 0;
}

ssize_t io_recv(int fd, void *data, size_t room, int64_t deadline)
{
    ssize_t n;

    if (room == 0)
        return fail(EINVAL);
    do {
        n = recv(fd, data, room, MSG_DONTWAIT);
    } while (n < 0 && again(fd, POLLIN, deadline));
    return n;
}

int io_recv_exact(int fd, void *data, size_t length, int64_t deadline)
{
    char *at = data;
    size_t got = 0;

    if (length == 0)
        return fail(EINVAL);
    while (got < length) {
        ssize_t n = io_recv(fd, at + got, length - got, deadline);

        if (n < 0)
            return -1;
        if (n == 0)
            return got ? fail(EBADMSG) : 0;
        got += (size_t)n;
        if (got < length && late(deadline))
            return fail(ETIMEDOUT);
    }
    return 1;
}

/* --- a reader ---------------------------------------------------------------- */

void io_reader_init(struct io_reader *reader, int fd, void *memory, size_t room)
{
    *reader = (struct io_reader){.fd = fd, .memory = memory, .room = room};
}

static size_t held(const struct io_reader *reader)
{
    return reader->end - reader->start;
}

/* The next `length` bytes go out, and `skip` behind them are dropped. */
static int give(struct io_reader *reader, size_t length, size_t skip,
                char **data, size_t *size)
{
    *data = reader->memory + reader->start;
    *size = length;
    reader->start += length + skip;
    return 1;
}

/* What is left when the stream has ended: nothing, or the begin of something. */
static int ended(struct io_reader *reader, char **data, size_t *length)
{
    if (held(reader) == 0)
        return 0;
    give(reader, held(reader), 0, data, length);
    return fail(EBADMSG);
}

/* More bytes behind those that are there: 1, 0 at the end, -1. */
static int fill(struct io_reader *reader, int64_t deadline)
{
    ssize_t n;

    if (held(reader) == reader->room)
        return fail(EMSGSIZE);
    if (held(reader) == 0)
        reader->start = reader->end = 0;
    if (reader->end == reader->room) {
        memmove(reader->memory, reader->memory + reader->start, held(reader));
        reader->end = held(reader);
        reader->start = 0;
    }
    n = io_recv(reader->fd, reader->memory + reader->end,
                reader->room - reader->end, deadline);
    if (n > 0)
        reader->end += (size_t)n;
    return n > 0 ? 1 : (int)n;
}

int io_reader_some(struct io_reader *reader, char **data, size_t *length,
                   int64_t deadline)
{
    int more = held(reader) ? 1 : fill(reader, deadline);

    return more == 1 ? give(reader, held(reader), 0, data, length) : more;
}

int io_reader_until(struct io_reader *reader, const void *mark,
                    size_t mark_length, char **data, size_t *length,
                    int64_t deadline)
{
    size_t searched = 0; /* of what is held, without finding it */

    if (!mark || mark_length == 0)
        return fail(EINVAL);
    for (bool waited = false;; waited = true) {
        char *from = reader->memory + reader->start, *found = NULL;
        int more;

        if (held(reader) > searched)
            found = memmem(from + searched, held(reader) - searched, mark,
                           mark_length);
        if (found)
            return give(reader, (size_t)(found - from), mark_length, data,
                        length);
        /* A mark may have begun in the last bytes. */
        if (held(reader) >= mark_length)
            searched = held(reader) - (mark_length - 1);
        if (waited && late(deadline))
            return fail(ETIMEDOUT);
        more = fill(reader, deadline);
        if (more <= 0)
            return more < 0 ? -1 : ended(reader, data, length);
    }
}

int io_reader_line(struct io_reader *reader, char **data, size_t *length,
                   int64_t deadline)
{
    int got = io_reader_until(reader, "\n", 1, data, length, deadline);

    if (got == 1) {
        if (*length > 0 && (*data)[*length - 1] == '\r')
            --*length;
        (*data)[*length] = '\0';
    }
    return got;
}

int io_reader_exact(struct io_reader *reader, size_t want, char **data,
                    size_t *length, int64_t deadline)
{
    if (want == 0)
        return fail(EINVAL);
    if (want > reader->room)
        return fail(EMSGSIZE);
    for (bool waited = false; held(reader) < want; waited = true) {
        int more;

        if (waited && late(deadline))
            return fail(ETIMEDOUT);
        more = fill(reader, deadline);
        if (more <= 0)
            return more < 0 ? -1 : ended(reader, data, length);
    }
    return give(reader, want, 0, data, length);
}
