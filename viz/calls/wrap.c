/*
 * The socket calls of libc, wrapped: each is begun in the log, perhaps failed
 * or shortened as planned, done, and ended in the log. The checked variants
 * (__recv_chk) are what a build with _FORTIFY_SOURCE calls.
 */
#include "viz/calls/inside.h"

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t __recv_chk(int fd, void *buffer, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t n, size_t room, int flags,
                       struct sockaddr *from, socklen_t *length);
ssize_t __read_chk(int fd, void *buffer, size_t n, size_t room);

/* `real` is the next definition of NAME: libc's. dlsym(3) gives an object
 * pointer, and POSIX lets it be read as a function's. */
#define REAL(result, name, ...)         \
    static result (*real)(__VA_ARGS__); \
    if (!real)                          \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

/* The common end: fail as planned, or do it and note how it went. */
#define FINISH(type, expression)                      \
    do {                                              \
        int64_t done = -1;                            \
        if (!error) {                                 \
            done = (expression);                      \
            error = errno;                            \
        } else {                                      \
            errno = error;                            \
        }                                             \
        return (type)inside_end(record, done, error); \
    } while (0)

int socket(int domain, int type, int protocol)
{
    REAL(int, socket, int, int, int);
    int error;
    struct call_record *record = inside_begin(CALL_SOCKET, -1, type, &error);

    FINISH(int, real(domain, type, protocol));
}

/* The port, and above it an IPv4 address; both in host order. */
static int64_t bound_to(const struct sockaddr *address, socklen_t length)
{
    struct sockaddr_in in;

    if (!address || length < sizeof in)
        return -1;
    memcpy(&in, address, sizeof in);
    if (in.sin_family == AF_INET6) /* the port is at the same place */
        return ntohs(in.sin_port);
    if (in.sin_family != AF_INET)
        return -1;
    return (int64_t)ntohl(in.sin_addr.s_addr) << 32 | ntohs(in.sin_port);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    REAL(int, bind, int, const struct sockaddr *, socklen_t);
    int error;
    struct call_record *record = inside_begin(
        CALL_BIND, fd, bound_to(address, length), &error);

    FINISH(int, real(fd, address, length));
}

int listen(int fd, int backlog)
{
    REAL(int, listen, int, int);
    int error;
    struct call_record *record = inside_begin(CALL_LISTEN, fd, backlog, &error);

    FINISH(int, real(fd, backlog));
}

int accept(int fd, struct sockaddr *restrict from, socklen_t *restrict length)
{
    REAL(int, accept, int, struct sockaddr *, socklen_t *);
    int error;
    struct call_record *record = inside_begin(CALL_ACCEPT, fd, 0, &error);

    FINISH(int, real(fd, from, length));
}

int accept4(int fd, struct sockaddr *restrict from, socklen_t *restrict length,
            int flags)
{
    REAL(int, accept4, int, struct sockaddr *, socklen_t *, int);
    int error;
    struct call_record *record = inside_begin(CALL_ACCEPT, fd, 0, &error);

    FINISH(int, real(fd, from, length, flags));
}

int connect(int fd, const struct sockaddr *to, socklen_t length)
{
    REAL(int, connect, int, const struct sockaddr *, socklen_t);
    int error;
    struct call_record *record = inside_begin(CALL_CONNECT, fd, 0, &error);

    FINISH(int, real(fd, to, length));
}

int setsockopt(int fd, int level, int option, const void *value,
               socklen_t length)
{
    REAL(int, setsockopt, int, int, int, const void *, socklen_t);
    int error;
    struct call_record *record = inside_begin(
        CALL_SETSOCKOPT, fd, (int64_t)level << 32 | (uint32_t)option, &error);

    FINISH(int, real(fd, level, option, value, length));
}

int shutdown(int fd, int how)
{
    REAL(int, shutdown, int, int);
    int error;
    struct call_record *record = inside_begin(CALL_SHUTDOWN, fd, how, &error);

    FINISH(int, real(fd, how));
}

int close(int fd)
{
    REAL(int, close, int);
    int error;
    struct call_record *record;

    if (!inside_socket(fd))
        return real(fd);
    record = inside_begin(CALL_CLOSE, fd, 0, &error);
    FINISH(int, real(fd));
}

/* --- receiving -------------------------------------------------------------*/

static struct call_record *receiving(int fd, size_t *n, int *error)
{
    struct call_record *record = inside_begin(CALL_RECV, fd, (int64_t)*n,
                                              error);

    *n = inside_shorten(record, *n);
    return record;
}

ssize_t recv(int fd, void *buffer, size_t n, int flags)
{
    REAL(ssize_t, recv, int, void *, size_t, int);
    int error;
    struct call_record *record = receiving(fd, &n, &error);

    FINISH(ssize_t, real(fd, buffer, n, flags));
}

ssize_t __recv_chk(int fd, void *buffer, size_t n, size_t room, int flags)
{
    if (n > room)
        abort();
    return recv(fd, buffer, n, flags);
}

ssize_t recvfrom(int fd, void *restrict buffer, size_t n, int flags,
                 struct sockaddr *restrict from, socklen_t *restrict length)
{
    REAL(ssize_t, recvfrom, int, void *, size_t, int, struct sockaddr *,
         socklen_t *);
    int error;
    struct call_record *record = receiving(fd, &n, &error);

    FINISH(ssize_t, real(fd, buffer, n, flags, from, length));
}

ssize_t __recvfrom_chk(int fd, void *buffer, size_t n, size_t room, int flags,
                       struct sockaddr *from, socklen_t *length)
{
    if (n > room)
        abort();
    return recvfrom(fd, buffer, n, flags, from, length);
}

ssize_t read(int fd, void *buffer, size_t n)
{
    REAL(ssize_t, read, int, void *, size_t);
    int error;
    struct call_record *record;

    if (!inside_socket(fd))
        return real(fd, buffer, n);
    record = receiving(fd, &n, &error);
    FINISH(ssize_t, real(fd, buffer, n));
}

ssize_t __read_chk(int fd, void *buffer, size_t n, size_t room)
{
    if (n > room)
        abort();
    return read(fd, buffer, n);
}

/* --- sending ---------------------------------------------------------------*/

static struct call_record *sending(int fd, size_t *n, int *error)
{
    struct call_record *record = inside_begin(CALL_SEND, fd, (int64_t)*n,
                                              error);

    *n = inside_shorten(record, *n);
    return record;
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    REAL(ssize_t, send, int, const void *, size_t, int);
    int error;
    struct call_record *record = sending(fd, &n, &error);

    FINISH(ssize_t, real(fd, bytes, n, flags));
}

ssize_t sendto(int fd, const void *bytes, size_t n, int flags,
               const struct sockaddr *to, socklen_t length)
{
    REAL(ssize_t, sendto, int, const void *, size_t, int,
         const struct sockaddr *, socklen_t);
    int error;
    struct call_record *record = sending(fd, &n, &error);

    FINISH(ssize_t, real(fd, bytes, n, flags, to, length));
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    REAL(ssize_t, write, int, const void *, size_t);
    int error;
    struct call_record *record;

    if (!inside_socket(fd))
        return real(fd, bytes, n);
    record = sending(fd, &n, &error);
    FINISH(ssize_t, real(fd, bytes, n));
}

/* --- several buffers at once: shortened to half of the first ---------------*/

static size_t total(const struct iovec *part, size_t parts)
{
    size_t n = 0;

    for (size_t i = 0; i < parts; i++)
        n += part[i].iov_len;
    return n;
}

/* The message to really move: `first` holds the shortened first part. */
static struct msghdr shortened(struct call_record *record,
                               const struct msghdr *message,
                               struct iovec *first)
{
    struct msghdr copy = *message;
    size_t n;

    if (copy.msg_iovlen == 0)
        return copy;
    *first = copy.msg_iov[0];
    n = inside_shorten(record, first->iov_len);
    if (n != first->iov_len) {
        first->iov_len = n;
        copy.msg_iov = first;
        copy.msg_iovlen = 1;
    }
    return copy;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    REAL(ssize_t, recvmsg, int, struct msghdr *, int);
    struct iovec first, *parts = message->msg_iov;
    size_t count = message->msg_iovlen;
    int error;
    struct call_record *record = inside_begin(
        CALL_RECV, fd, (int64_t)total(parts, count), &error);
    int64_t done = -1;

    if (!error) {
        struct msghdr copy = shortened(record, message, &first);

        done = real(fd, &copy, flags);
        error = errno;
        *message = copy; /* lengths and flags that the kernel filled */
        message->msg_iov = parts;
        message->msg_iovlen = count;
    }
    errno = error;
    return (ssize_t)inside_end(record, done, error);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(ssize_t, sendmsg, int, const struct msghdr *, int);
    struct iovec first;
    int error;
    struct call_record *record = inside_begin(
        CALL_SEND, fd, (int64_t)total(message->msg_iov, message->msg_iovlen),
        &error);
    struct msghdr copy = shortened(record, message, &first);

    FINISH(ssize_t, real(fd, &copy, flags));
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    REAL(ssize_t, readv, int, const struct iovec *, int);
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                             .msg_iovlen = count > 0 ? (size_t)count : 0};

    return inside_socket(fd) ? recvmsg(fd, &message, 0)
                             : real(fd, parts, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(ssize_t, writev, int, const struct iovec *, int);
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                             .msg_iovlen = count > 0 ? (size_t)count : 0};

    return inside_socket(fd) ? sendmsg(fd, &message, 0)
                             : real(fd, parts, count);
}
