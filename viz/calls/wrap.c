/*
 * The socket calls of libc, wrapped: each is begun, perhaps failed or
 * shortened as planned, done, and ended; calls.c logs it and trace.c tells viz.
 * Where nothing is planned a call is made just as it was asked for, so that
 * what the kernel refuses, a bad pointer too, is refused. The checked variants
 * (__recv_chk) are what a build with _FORTIFY_SOURCE calls.
 */
#include "viz/calls/inside.h"

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t __recv_chk(int fd, void *buffer, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t n, size_t room, int flags,
                       struct sockaddr *from, socklen_t *length);
ssize_t __read_chk(int fd, void *buffer, size_t n, size_t room);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *limit,
                const sigset_t *mask, size_t room);

/* The next definition of NAME: libc's. Looked for before main(), since a first
 * call may come from a signal handler or from the child of a fork(), where
 * dlsym(3) may wait for a lock for ever. It gives an object pointer, and POSIX
 * lets that be read as a function's. */
#define NEXT(result, name, ...)                                     \
    static result (*next_##name)(__VA_ARGS__);                      \
    __attribute__((constructor(101))) static void find_##name(void) \
    {                                                               \
        if (!next_##name)                                           \
            *(void **)&next_##name = dlsym(RTLD_NEXT, #name);       \
    }                                                               \
    struct next_##name /* takes the semicolon */

/* `real` is that one. Another library's constructor may have been before us. */
#define REAL(name) \
    find_##name(); \
    __typeof__(next_##name) real = next_##name

NEXT(int, socket, int, int, int);
NEXT(int, bind, int, const struct sockaddr *, socklen_t);
NEXT(int, listen, int, int);
NEXT(int, accept, int, struct sockaddr *, socklen_t *);
NEXT(int, accept4, int, struct sockaddr *, socklen_t *, int);
NEXT(int, connect, int, const struct sockaddr *, socklen_t);
NEXT(int, setsockopt, int, int, int, const void *, socklen_t);
NEXT(int, shutdown, int, int);
NEXT(int, close, int);
NEXT(ssize_t, recv, int, void *, size_t, int);
NEXT(ssize_t, read, int, void *, size_t);
NEXT(ssize_t, send, int, const void *, size_t, int);
NEXT(ssize_t, write, int, const void *, size_t);
NEXT(ssize_t, recvfrom, int, void *, size_t, int, struct sockaddr *,
     socklen_t *);
NEXT(ssize_t, sendto, int, const void *, size_t, int, const struct sockaddr *,
     socklen_t);
NEXT(ssize_t, recvmsg, int, struct msghdr *, int);
NEXT(ssize_t, sendmsg, int, const struct msghdr *, int);
NEXT(ssize_t, readv, int, const struct iovec *, int);
NEXT(ssize_t, writev, int, const struct iovec *, int);
NEXT(int, poll, struct pollfd *, nfds_t, int);
NEXT(int, ppoll, struct pollfd *, nfds_t, const struct timespec *,
     const sigset_t *);
NEXT(int, select, int, fd_set *, fd_set *, fd_set *, struct timeval *);
NEXT(int, pselect, int, fd_set *, fd_set *, fd_set *, const struct timespec *,
     const sigset_t *);
NEXT(int, epoll_wait, int, struct epoll_event *, int, int);
NEXT(int, epoll_pwait, int, struct epoll_event *, int, int, const sigset_t *);

/* The common way: fail as planned, or do it, and note how it went. */
#define FINISH(type, call, expression)                 \
    do {                                               \
        int error = inside_begin(&(call));             \
        int64_t done = -1;                             \
        if (!error) {                                  \
            done = (expression);                       \
            error = errno;                             \
        }                                              \
        return (type)inside_end(&(call), done, error); \
    } while (0)

#define CALL(upper, descriptor, amount)                                      \
    {                                                                        \
        .name = CALL_##upper, .function = TRACE_##upper, .fd = (descriptor), \
        .length = (int64_t)(amount)                                          \
    }

/* For viz alone. */
#define TOLD(traced, descriptor, amount)                                   \
    {                                                                      \
        .name = CALL_NONE, .function = TRACE_##traced, .fd = (descriptor), \
        .length = (int64_t)(amount)                                        \
    }

int socket(int domain, int type, int protocol)
{
    REAL(socket);
    struct inside_call call = CALL(SOCKET, -1, type);

    FINISH(int, call, real(domain, type, protocol));
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
    REAL(bind);
    struct inside_call call = CALL(
        BIND, fd, inside_planned() ? bound_to(address, length) : 0);

    call.to = address;
    call.to_length = length;
    FINISH(int, call, real(fd, address, length));
}

int listen(int fd, int backlog)
{
    REAL(listen);
    struct inside_call call = CALL(LISTEN, fd, backlog);

    FINISH(int, call, real(fd, backlog));
}

int accept(int fd, struct sockaddr *restrict from, socklen_t *restrict length)
{
    REAL(accept);
    struct inside_call call = CALL(ACCEPT, fd, 0);

    FINISH(int, call, real(fd, from, length));
}

int accept4(int fd, struct sockaddr *restrict from, socklen_t *restrict length,
            int flags)
{
    REAL(accept4);
    struct inside_call call = CALL(ACCEPT, fd, 0);

    FINISH(int, call, real(fd, from, length, flags));
}

int connect(int fd, const struct sockaddr *to, socklen_t length)
{
    REAL(connect);
    struct inside_call call = CALL(CONNECT, fd, 0);

    call.to = to;
    call.to_length = length;
    FINISH(int, call, real(fd, to, length));
}

int setsockopt(int fd, int level, int option, const void *value,
               socklen_t length)
{
    REAL(setsockopt);
    struct inside_call call = CALL(SETSOCKOPT, fd,
                                   (int64_t)level << 32 | (uint32_t)option);

    FINISH(int, call, real(fd, level, option, value, length));
}

int shutdown(int fd, int how)
{
    REAL(shutdown);
    struct inside_call call = CALL(SHUTDOWN, fd, how);

    FINISH(int, call, real(fd, how));
}

int close(int fd)
{
    REAL(close);
    struct inside_call call = CALL(CLOSE, fd, 0);

    if (!inside_socket(fd))
        return real(fd);
    FINISH(int, call, real(fd));
}

/* --- receiving and sending -------------------------------------------------*/

/* The rest of a call that moves `n` bytes, perhaps shortened. */
#define MOVE(kind, traced, expression)                  \
    do {                                                \
        struct inside_call call = CALL(kind, fd, n);    \
        int error;                                      \
        int64_t done = -1;                              \
        call.function = TRACE_##traced;                 \
        error = inside_begin(&call);                    \
        n = inside_shorten(&call, n);                   \
        if (!error) {                                   \
            done = (expression);                        \
            error = errno;                              \
        }                                               \
        NAMED(call);                                    \
        return (ssize_t)inside_end(&call, done, error); \
    } while (0)
#define NAMED(call) ((void)0)

ssize_t recv(int fd, void *buffer, size_t n, int flags)
{
    REAL(recv);

    MOVE(RECV, RECV, real(fd, buffer, n, flags));
}

ssize_t __recv_chk(int fd, void *buffer, size_t n, size_t room, int flags)
{
    if (n > room)
        abort();
    return recv(fd, buffer, n, flags);
}

ssize_t read(int fd, void *buffer, size_t n)
{
    REAL(read);

    if (!inside_socket(fd))
        return real(fd, buffer, n);
    MOVE(RECV, READ, real(fd, buffer, n));
}

ssize_t __read_chk(int fd, void *buffer, size_t n, size_t room)
{
    if (n > room)
        abort();
    return read(fd, buffer, n);
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    REAL(send);

    MOVE(SEND, SEND, real(fd, bytes, n, flags));
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    REAL(write);

    if (!inside_socket(fd))
        return real(fd, bytes, n);
    MOVE(SEND, WRITE, real(fd, bytes, n));
}

/* Those that name the other end. */
#undef NAMED
#define NAMED(call)                     \
    do {                                \
        if (done >= 0 && length) {      \
            (call).to = from;           \
            (call).to_length = *length; \
        }                               \
    } while (0)

ssize_t recvfrom(int fd, void *restrict buffer, size_t n, int flags,
                 struct sockaddr *restrict from, socklen_t *restrict length)
{
    REAL(recvfrom);

    MOVE(RECV, RECVFROM, real(fd, buffer, n, flags, from, length));
}

ssize_t __recvfrom_chk(int fd, void *buffer, size_t n, size_t room, int flags,
                       struct sockaddr *from, socklen_t *length)
{
    if (n > room)
        abort();
    return recvfrom(fd, buffer, n, flags, from, length);
}

#undef NAMED
#define NAMED(call) ((call).to = to, (call).to_length = length)

ssize_t sendto(int fd, const void *bytes, size_t n, int flags,
               const struct sockaddr *to, socklen_t length)
{
    REAL(sendto);

    MOVE(SEND, SENDTO, real(fd, bytes, n, flags, to, length));
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
static struct msghdr shortened(struct inside_call *call,
                               const struct msghdr *message,
                               struct iovec *first)
{
    struct msghdr copy = *message;
    size_t n;

    if (copy.msg_iovlen == 0)
        return copy;
    *first = copy.msg_iov[0];
    n = inside_shorten(call, first->iov_len);
    if (n != first->iov_len) {
        first->iov_len = n;
        copy.msg_iov = first;
        copy.msg_iovlen = 1;
    }
    return copy;
}

/* With a plan. */
static ssize_t receive_message(int fd, struct msghdr *message, int flags)
{
    REAL(recvmsg);
    struct iovec first, *parts = message->msg_iov;
    size_t count = message->msg_iovlen;
    struct inside_call call = CALL(RECV, fd, total(parts, count));
    int64_t done = -1;
    int error = inside_begin(&call);

    if (!error) {
        struct msghdr copy = shortened(&call, message, &first);

        done = real(fd, &copy, flags);
        error = errno;
        *message = copy; /* lengths and flags that the kernel filled */
        message->msg_iov = parts;
        message->msg_iovlen = count;
    }
    return (ssize_t)inside_end(&call, done, error);
}

static ssize_t send_message(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg);
    struct iovec first;
    struct inside_call call = CALL(
        SEND, fd, total(message->msg_iov, message->msg_iovlen));
    int64_t done = -1;
    int error = inside_begin(&call);
    struct msghdr copy = shortened(&call, message, &first);

    if (!error) {
        done = real(fd, &copy, flags);
        error = errno;
    }
    return (ssize_t)inside_end(&call, done, error);
}

/* Without one. What the parts hold together is known once the kernel has read
 * them, and so is who is named. */
#define TELL(traced, expression, parts, count, name, name_length) \
    do {                                                          \
        struct inside_call call = TOLD(traced, fd, 0);            \
        int64_t done;                                             \
        int error;                                                \
        inside_begin(&call);                                      \
        done = (expression);                                      \
        error = errno;                                            \
        if (done >= 0) {                                          \
            call.length = (int64_t)total(parts, count);           \
            call.to = (name);                                     \
            call.to_length = (name_length);                       \
        }                                                         \
        return (ssize_t)inside_end(&call, done, error);           \
    } while (0)
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    REAL(recvmsg);

    if (inside_planned())
        return receive_message(fd, message, flags);
    TELL(RECVMSG, real(fd, message, flags), message->msg_iov,
         message->msg_iovlen, message->msg_name, message->msg_namelen);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg);

    if (inside_planned())
        return send_message(fd, message, flags);
    TELL(SENDMSG, real(fd, message, flags), message->msg_iov,
         message->msg_iovlen, message->msg_name, message->msg_namelen);
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    REAL(readv);
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                             .msg_iovlen = count > 0 ? (size_t)count : 0};

    if (!inside_socket(fd))
        return real(fd, parts, count);
    if (inside_planned())
        return receive_message(fd, &message, 0);
    TELL(READV, real(fd, parts, count), parts, (size_t)count, NULL, 0);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                             .msg_iovlen = count > 0 ? (size_t)count : 0};

    if (!inside_socket(fd))
        return real(fd, parts, count);
    if (inside_planned())
        return send_message(fd, &message, 0);
    TELL(WRITEV, real(fd, parts, count), parts, (size_t)count, NULL, 0);
}

/* --- waiting: told to viz, never changed -----------------------------------*/

/* The first that is ready; else the first. */
static int first_polled(const struct pollfd *fds, nfds_t count, int64_t done)
{
    if (done < 0 || count == 0)
        return -1;
    for (nfds_t i = 0; done > 0 && i < count; i++)
        if (fds[i].revents)
            return fds[i].fd;
    return fds[0].fd;
}

/* As FINISH, and `which` of the descriptors it was about is known afterwards. */
#define WAITED(call, expression, which)               \
    do {                                              \
        int error;                                    \
        int64_t done;                                 \
        inside_begin(&(call));                        \
        done = (expression);                          \
        error = errno;                                \
        if ((call).began_ns)                          \
            (call).fd = (which);                      \
        return (int)inside_end(&(call), done, error); \
    } while (0)

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    REAL(poll);
    struct inside_call call = TOLD(POLL, -1, count);

    WAITED(call, real(fds, count, timeout), first_polled(fds, count, done));
}

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
    if (room / sizeof *fds < count)
        abort();
    return poll(fds, count, timeout);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit,
          const sigset_t *mask)
{
    REAL(ppoll);
    struct inside_call call = TOLD(POLL, -1, count);

    WAITED(call, real(fds, count, limit, mask), first_polled(fds, count, done));
}

int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *limit,
                const sigset_t *mask, size_t room)
{
    if (room / sizeof *fds < count)
        abort();
    return ppoll(fds, count, limit, mask);
}

/* The lowest that is ready. After a time-out the sets are empty, and nobody
 * can tell. */
static int first_selected(int count, const fd_set *sets[3], int64_t done)
{
    for (int fd = 0; done > 0 && fd < count && fd < FD_SETSIZE; fd++)
        for (int i = 0; i < 3; i++)
            if (sets[i] && FD_ISSET(fd, sets[i]))
                return fd;
    return -1;
}

int select(int count, fd_set *restrict reading, fd_set *restrict writing,
           fd_set *restrict except, struct timeval *restrict limit)
{
    REAL(select);
    struct inside_call call = TOLD(SELECT, -1, count);
    const fd_set *sets[3] = {reading, writing, except};

    WAITED(call, real(count, reading, writing, except, limit),
           first_selected(count, sets, done));
}

int pselect(int count, fd_set *restrict reading, fd_set *restrict writing,
            fd_set *restrict except, const struct timespec *restrict limit,
            const sigset_t *restrict mask)
{
    REAL(pselect);
    struct inside_call call = TOLD(SELECT, -1, count);
    const fd_set *sets[3] = {reading, writing, except};

    WAITED(call, real(count, reading, writing, except, limit, mask),
           first_selected(count, sets, done));
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    REAL(epoll_wait);
    struct inside_call call = TOLD(EPOLL_WAIT, -1, most);

    WAITED(call, real(epoll, events, most, timeout), epoll);
}

int epoll_pwait(int epoll, struct epoll_event *events, int most, int timeout,
                const sigset_t *mask)
{
    REAL(epoll_pwait);
    struct inside_call call = TOLD(EPOLL_WAIT, -1, most);

    WAITED(call, real(epoll, events, most, timeout, mask), epoll);
}
