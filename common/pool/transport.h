/*
 * What lies between a stream and its socket: plain here, TLS in common/tls.
 * A stream changes its transport in mid-stream without any caller noticing.
 */
#ifndef COMMON_POOL_TRANSPORT_H
#define COMMON_POOL_TRANSPORT_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* recv and send are as recv(2) and writev(2) on a socket that does not block:
 * -1 with EAGAIN, and *wants (WATCH_READ or WATCH_WRITE) when it is not the
 * obvious direction that must become ready. */
struct transport {
    const char *name;
    ssize_t (*recv)(int fd, void *state, void *data, size_t room,
                    unsigned *wants);
    ssize_t (*send)(int fd, void *state, const struct iovec *data, int count,
                    unsigned *wants);
    int (*shutdown)(int fd, void *state); /* our side has finished */
    size_t (*pending)(void *state); /* decoded bytes the kernel knows not of */
    void (*free)(void *state);
};

extern const struct transport transport_plain;

#endif
