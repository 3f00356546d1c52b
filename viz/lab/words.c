/* See words.h. */
#include "viz/lab/words.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the control message of WORDS_FDS descriptors, aligned. */
union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(WORDS_FDS * sizeof(int))];
};

int words_send(int fd, const void *bytes, size_t length, const int *fds,
               int fd_count)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes,
                         .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union control control = {.bytes = {0}};
    ssize_t n;

    if (fd_count < 0 || fd_count > WORDS_FDS) {
        errno = EINVAL;
        return -1;
    }
    if (fd_count > 0) {
        size_t size = (size_t)fd_count * sizeof *fds;
        struct cmsghdr *header = &control.align;

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), fds, size);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(size);
    }
    do
        n = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (n == -1 && errno == EINTR);
    return n == -1 ? -1 : 0;
}

/* Take the descriptors out of a message: into fds, or closed. */
static int take_fds(struct msghdr *message, int *fds)
{
    int count = 0, fd;

    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        size_t size = header->cmsg_len - CMSG_LEN(0);

        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof fd <= size; at += sizeof fd) {
            memcpy(&fd, CMSG_DATA(header) + at, sizeof fd);
            if (fds != NULL && count < WORDS_FDS)
                fds[count++] = fd;
            else
                close(fd);
        }
    }
    return count;
}

ssize_t words_receive(int fd, void *bytes, size_t size, int *fds, int *fd_count)
{
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    union control control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n;
    int count;

    do
        n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (n == -1 && errno == EINTR);
    if (fd_count != NULL)
        *fd_count = 0;
    if (n == -1)
        return -1;
    count = take_fds(&message, fds);
    if (message.msg_flags & MSG_TRUNC) {
        while (count > 0)
            close(fds[--count]);
        errno = EMSGSIZE;
        return -1;
    }
    if (fd_count != NULL)
        *fd_count = count;
    return n;
}
