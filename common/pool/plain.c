/* The transport of a stream that is nothing but its socket. */
#include <sys/socket.h>

#include "common/pool/transport.h"

static ssize_t plain_recv(int fd, void *state, void *data, size_t room,
                          unsigned *wants)
{
    (void)state, (void)wants;
    return recv(fd, data, room, 0);
}

__attribute__((noinline)) static ssize_t send_parts(int fd,
                                                    const struct iovec *parts,
                                                    int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)parts,
                             .msg_iovlen = (size_t)count};

    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static ssize_t plain_send(int fd, void *state, const struct iovec *data,
                          int count, unsigned *wants)
{
    (void)state, (void)wants;
    if (count > 1)
        return send_parts(fd, data, count);
    return send(fd, data->iov_base, data->iov_len, MSG_NOSIGNAL);
}

static int plain_shutdown(int fd, void *state)
{
    (void)state;
    return shutdown(fd, SHUT_WR);
}

static size_t plain_pending(void *state)
{
    (void)state;
    return 0;
}

static void plain_free(void *state)
{
    (void)state;
}

const struct transport transport_plain = {
    .name = "plain",
    .recv = plain_recv,
    .send = plain_send,
    .shutdown = plain_shutdown,
    .pending = plain_pending,
    .free = plain_free,
};
