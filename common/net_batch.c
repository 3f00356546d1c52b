/*
 * See net.h: many datagrams a system call. Where there is no recvmmsg(2), or
 * with NET_PLAIN, one call each, with the same results.
 */
#include "common/net.h"

#include <errno.h>

#if defined __linux__ && !defined NET_PLAIN
#define HAVE_MMSG 1
#else
#define HAVE_MMSG 0
#endif

static struct msghdr header_of(const struct net_message *message,
                               struct iovec *bytes)
{
    struct msghdr header = {.msg_iov = bytes, .msg_iovlen = 1};

    bytes->iov_base = message->data;
    bytes->iov_len = message->length;
    if (message->address.length) {
        header.msg_name = (void *)&message->address.any;
        header.msg_namelen = message->address.length;
    }
    return header;
}

static struct msghdr header_for(struct net_message *message,
                                struct iovec *bytes)
{
    struct msghdr header = {.msg_iov = bytes, .msg_iovlen = 1};

    bytes->iov_base = message->data;
    bytes->iov_len = message->room;
    header.msg_name = &message->address.any;
    header.msg_namelen = sizeof message->address -
                         offsetof(struct net_address, any);
    return header;
}

static void received(struct net_message *message, const struct msghdr *header,
                     size_t length)
{
    message->length = length;
    message->cut = header->msg_flags & MSG_TRUNC;
    message->address.length = header->msg_namelen;
}

static bool invalid(const struct net_message *messages, unsigned *count)
{
    if (!messages || *count == 0) {
        errno = EINVAL;
        return true;
    }
    if (*count > NET_BATCH)
        *count = NET_BATCH;
    return false;
}

#if HAVE_MMSG

int net_recv_batch(int fd, struct net_message *messages, unsigned count)
{
    struct mmsghdr headers[NET_BATCH];
    struct iovec bytes[NET_BATCH];
    int done;

    if (invalid(messages, &count))
        return -1;
    for (unsigned i = 0; i < count; i++)
        headers[i].msg_hdr = header_for(&messages[i], &bytes[i]);
    do {
        done = recvmmsg(fd, headers, count, MSG_DONTWAIT, NULL);
    } while (done < 0 && errno == EINTR);
    for (int i = 0; i < done; i++)
        received(&messages[i], &headers[i].msg_hdr, headers[i].msg_len);
    return done;
}

int net_send_batch(int fd, const struct net_message *messages, unsigned count)
{
    struct mmsghdr headers[NET_BATCH];
    struct iovec bytes[NET_BATCH];
    int done;

    if (invalid(messages, &count))
        return -1;
    for (unsigned i = 0; i < count; i++)
        headers[i].msg_hdr = header_of(&messages[i], &bytes[i]);
    do {
        done = sendmmsg(fd, headers, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (done < 0 && errno == EINTR);
    return done;
}

#else

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* net_socket() has told the socket */
#endif

int net_recv_batch(int fd, struct net_message *messages, unsigned count)
{
    unsigned i = 0;

    if (invalid(messages, &count))
        return -1;
    while (i < count) {
        struct iovec bytes;
        struct msghdr header = header_for(&messages[i], &bytes);
        ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        received(&messages[i++], &header, (size_t)n);
    }
    return i ? (int)i : -1;
}

int net_send_batch(int fd, const struct net_message *messages, unsigned count)
{
    unsigned i = 0;

    if (invalid(messages, &count))
        return -1;
    while (i < count) {
        struct iovec bytes;
        struct msghdr header = header_of(&messages[i], &bytes);
        ssize_t n = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        i++;
    }
    return i ? (int)i : -1;
}

#endif
