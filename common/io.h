/*
 * Bytes over a stream socket, with a deadline: a value of clock_now(), or
 * CLOCK_NEVER; one that has passed takes what can be had without waiting. The
 * descriptor may block or not, it is the same; a signal that interrupts does not
 * show; SIGPIPE is never raised. Three ends are told apart: 0 the peer has
 * finished (FIN), -1 ECONNRESET the connection was reset, -1 ETIMEDOUT the
 * deadline passed. Other errors are those of send(2) and recv(2).
 */
#ifndef COMMON_IO_H
#define COMMON_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Some of it, at least one byte: how many. */
ssize_t io_send(int fd, const void *data, size_t length, int64_t deadline);
/* All of it: 0; or -1, and some of it may have left. */
int io_send_all(int fd, const void *data, size_t length, int64_t deadline);

/* What has come, at most `room` (0: EINVAL): how many bytes. */
ssize_t io_recv(int fd, void *data, size_t room, int64_t deadline);
/* Exactly `length` bytes: 1. 0: the stream had ended before. -1 and EBADMSG: it
 * ended among them. What came before an error is lost: use a reader to go on
 * after ETIMEDOUT. */
int io_recv_exact(int fd, void *data, size_t length, int64_t deadline);

/* A reader takes bytes in large pieces into memory of yours and gives them out
 * as they are asked for: lines and sizes may follow each other, no byte is lost
 * between them. All of these: 1 and *data, *length, good until the next call; 0:
 * the end; -1: ETIMEDOUT (nothing is lost: ask again), EMSGSIZE (longer than the
 * reader's room), EBADMSG (the stream ended in the middle of it: *data, *length
 * are what came; then 0). */
struct io_reader {
    int fd;
    char *memory;
    size_t room;
    size_t start, end; /* of what has come and was not given out */
};

void io_reader_init(struct io_reader *reader, int fd, void *memory,
                    size_t room);
/* What has come. */
int io_reader_some(struct io_reader *reader, char **data, size_t *length,
                   int64_t deadline);
/* A line without its LF or CR LF; a NUL stands behind it. */
int io_reader_line(struct io_reader *reader, char **data, size_t *length,
                   int64_t deadline);
/* What is before the next `mark`, which is dropped. EINVAL: it has no bytes. */
int io_reader_until(struct io_reader *reader, const void *mark,
                    size_t mark_length, char **data, size_t *length,
                    int64_t deadline);
/* `want` bytes; EINVAL: 0. */
int io_reader_exact(struct io_reader *reader, size_t want, char **data,
                    size_t *length, int64_t deadline);

#endif
