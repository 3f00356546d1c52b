/*
 * The kernel's own socket tables through NETLINK_SOCK_DIAG (sock_diag(7),
 * libmnl): all TCP and UDP sockets of the network namespace in which it was
 * opened, with states, queues and timers. Needs no privilege. States are
 * samples: short ones (SYN_RECV, LAST_ACK) are often missed.
 */
#ifndef VIZ_KERNEL_SOCKETS_H
#define VIZ_KERNEL_SOCKETS_H

#include "viz/events/event.h"

struct sockets;

/* For the namespace of the caller now, also after it has moved to another.
 * NULL with errno. */
struct sockets *sockets_open(void);
void sockets_close(struct sockets *sockets);

/* From the next look on also tell of Unix-domain sockets, by EVENT_UNIX: of
 * those in this network namespace that listen, or are bound and take
 * datagrams. */
void sockets_also_unix(struct sockets *sockets, bool also);

/* Look once: EVENT_SOCKET for every socket, then EVENT_GONE for each that was
 * there at the last look and is not now, then EVENT_LOOKED. 0, or -1 with errno
 * and nothing told. About 1 us a socket. */
int sockets_look(struct sockets *sockets, event_sink_fn *sink, void *self);

/* The inode of the TCP listener (state LISTEN) or bound UDP socket on `port`,
 * 0 when there is none; *found is filled when not NULL. Looks anew. */
uint32_t sockets_listener(struct sockets *sockets, uint8_t protocol,
                          uint16_t port, struct socket_sample *found);

/* The one TCP socket with these two ends, asked for by name (a look at all of
 * them costs a walk through the kernel's table). 0; -1 with errno ENOENT. */
int sockets_find(struct sockets *sockets, uint8_t protocol,
                 const struct endpoint *local, const struct endpoint *remote,
                 struct socket_sample *found);

#endif
