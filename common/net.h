/*
 * Addresses and sockets, blocking or not: one shape of address for IPv4, IPv6
 * and Unix-domain, and every socket closed on exec, told its options, made and
 * connected the same way on each system. Nothing here prints or exits: 0, a
 * count or a descriptor, or -1 with errno. A deadline is a value of
 * clock_now(), or CLOCK_NEVER; when it passes: ETIMEDOUT.
 *
 *     struct net_address address;
 *     net_address_parse(&address, "127.0.0.1:7001");
 *     int listener = net_listen(&address, 0, 0);
 *     int client = net_accept(listener, NULL, CLOCK_NEVER);
 */
#ifndef COMMON_NET_H
#define COMMON_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/* --- addresses --------------------------------------------------------------- */

struct net_address {
    socklen_t length; /* of the member in use, as bind(2) takes it; 0: none */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
};

/* "127.0.0.1:7001", "[::1]:7001", "*:7001" (every IPv4 address), ":7001" (the
 * loopback of IPv4), "unix:PATH". Numbers only: no name is looked up. Port 0
 * asks the kernel for a free one. EINVAL: not such a text; ENAMETOOLONG. An
 * abstract name is never meant by accident: "unix:@x" is EINVAL, and a file of
 * that name is "unix:./@x". */
int net_address_parse(struct net_address *address, const char *text);

/* As net_address_parse() reads it; cut to fit. Bytes of a path that do not
 * print are shown as `?`; an abstract name begins with `@`. Returns `text`. */
enum { NET_ADDRESS_TEXT = 128 };
const char *net_address_text(const struct net_address *address,
                             char text[NET_ADDRESS_TEXT]);

unsigned net_address_port(const struct net_address *address); /* 0: none */
/* The same family, address, port, scope; or the same path. */
bool net_address_equal(const struct net_address *a,
                       const struct net_address *b);

int net_local(int fd, struct net_address *address); /* getsockname(2) */
int net_peer(int fd, struct net_address *address);  /* getpeername(2) */

/* --- names ----------------------------------------------------------------------
 * What getaddrinfo(3) knows, which may take many seconds: a loop has a worker
 * ask (net_lookup_start). Its errors as errno: ENXIO no such name, EHOSTDOWN the
 * name servers do not answer, EPROTO they refuse, EPROTONOSUPPORT no such
 * service. */

enum { NET_ADDRESSES = 16 }; /* more than this of one name are never tried */

/* The addresses of `host` in the order to try them (RFC 6724), each once; `host`
 * may be a number, with or without [], NULL (the loopback) or "unix:PATH" (then
 * `service` is not looked at). `service` is a port or its name; `type`
 * SOCK_STREAM or SOCK_DGRAM. How many there are, 1 to `room`; or -1. A look-up
 * that has a deadline and needs to ask is made in a thread of its own, which a
 * deadline that passes leaves behind; one that has passed asks nobody, and only
 * numbers and paths are known: ETIMEDOUT. */
int net_resolve(const char *host, const char *service, int type,
                struct net_address *addresses, unsigned room, int64_t deadline);

/* What an errno of net_ and io_ calls means, in a few words, without full stop:
 * "no such name", "nobody listens there"; for any other strerror(3). */
const char *net_error_text(int error);

/* The same on a worker. done(arg, 0, addresses, count), or done(arg, errno,
 * NULL, 0), in the thread that calls workers_collect(), never in this call;
 * exactly once, unless it was cancelled. ECANCELED: the workers were freed
 * first. NULL with errno: EINVAL, ENOMEM, or as workers_add(). */
struct workers;
struct net_lookup;
typedef void net_lookup_fn(void *arg, int error,
                           const struct net_address *addresses, unsigned count);
struct net_lookup *net_lookup_start(struct workers *workers, const char *host,
                                    const char *service, int type,
                                    net_lookup_fn *done, void *arg);
/* `done` is not called any more. The getaddrinfo(3) that runs is left to end by
 * itself, also when the workers are freed, and what it has is freed then. From
 * the thread that collects. `lookup` is gone after this, and once `done` has
 * been called. NULL is none. */
void net_lookup_cancel(struct net_lookup *lookup);

/* --- listening and accepting --------------------------------------------------- */

enum {
    NET_NO_REUSE = 1,   /* leave SO_REUSEADDR off (streams have it on) */
    NET_REUSE_PORT = 2, /* SO_REUSEPORT: several sockets share the port */
    NET_BROADCAST = 4,  /* SO_BROADCAST, for datagrams */
};
enum { NET_BACKLOG = 256 };

/* A listening stream socket that does not block; `backlog` 0: NET_BACKLOG. An
 * IPv6 address takes IPv6 only, on every system. A Unix-domain path is made; one
 * that a dead server left behind is replaced, one where a server lives, or that
 * is no socket, is EADDRINUSE. Whether it lives is seen by connecting to it. */
int net_listen(const struct net_address *address, int backlog, unsigned flags);
/* Closes it; its Unix-domain path is removed if nobody listens there now. */
void net_listen_close(int listener);

/* The next client, as a blocking descriptor; `peer` may be NULL. A client that
 * left again before is passed over. EMFILE, ENFILE, ENOMEM: it still waits. */
int net_accept(int listener, struct net_address *peer, int64_t deadline);
/* The same without waiting, as a descriptor that does not block: EAGAIN. */
int net_accept_now(int listener, struct net_address *peer);

/* --- connecting ----------------------------------------------------------------- */

/* A blocking descriptor, connected. Each address of the name is tried in turn;
 * one that does not answer uses up its share of the time, not all of it. */
int net_connect(const char *host, const char *service, int64_t deadline);
int net_connect_to(const struct net_address *address, int64_t deadline);

/* For a loop: a descriptor that does not block, on its way. *connected: it is
 * there already (Unix-domain). Else wait until it can be written, then call
 * net_connect_finish(): 0; EINPROGRESS: not yet; else why not: close it. EAGAIN
 * from the start: the backlog of a Unix-domain listener is full. A socket that
 * TCP connected to itself is ECONNREFUSED. */
int net_connect_start(const struct net_address *address, bool *connected);
int net_connect_finish(int fd);
/* The deadline of one address when `left` of them, this one included, share
 * `deadline`: equal parts, at least 2 s. */
int64_t net_connect_share(int64_t deadline, unsigned left);
/* Which of two errors of two addresses to tell: the first, unless it says only
 * that this family has no way here. `before` 0: none yet. */
int net_connect_error(int before, int now);

/* --- datagrams ------------------------------------------------------------------ */

/* A datagram socket that does not block, bound to `local` (NULL: when it first
 * sends; then `family`). Flags: NET_REUSE_PORT, NET_BROADCAST. A Unix-domain
 * path as with net_listen(). net_listen_close() closes it, too. */
int net_datagram(const struct net_address *local, int family, unsigned flags);

struct net_message {
    void *data;
    size_t room;   /* receive: of data */
    size_t length; /* bytes received, or to send; 0 is a datagram too */
    bool cut;      /* receive: it was longer than room, the rest is lost */
    struct net_address address; /* from; to (length 0: the connected peer) */
};
enum { NET_BATCH = 64 }; /* at most so many a call */

/* Never wait. How many were received or sent, 1 to `count`; -1 with the errno
 * of the first one: EAGAIN, ECONNREFUSED (an ICMP answer to an earlier one),
 * EMSGSIZE. recvmmsg(2), sendmmsg(2) where there are such. */
int net_recv_batch(int fd, struct net_message *messages, unsigned count);
int net_send_batch(int fd, const struct net_message *messages, unsigned count);

/* --- one thing about a descriptor ------------------------------------------------- */

/* Closed on exec, blocking; never raises SIGPIPE where a socket can be told so. */
int net_socket(int family, int type);
int net_set_nonblock(int fd, bool on); /* keeps the other flags (fcntl(2)) */
int net_set_cloexec(int fd, bool on);
int net_set_nodelay(int fd, bool on);    /* TCP_NODELAY, tcp(7) */
int net_set_reuse(int fd, bool on);      /* SO_REUSEADDR, before bind(2) */
int net_set_reuse_port(int fd, bool on); /* SO_REUSEPORT; ENOPROTOOPT */
int net_set_broadcast(int fd, bool on);
int net_set_linger(int fd, int seconds); /* 0: close(2) resets; -1: off */
int net_set_buffers(int fd, int receive, int send); /* bytes; 0: leave it */
/* SO_ERROR: the pending error, which this takes away; 0: none; or -1. */
int net_error(int fd);

/* Until poll(2) says one of `events` (or an error): 0; ETIMEDOUT. EINTR goes on
 * waiting. */
int net_wait(int fd, short events, int64_t deadline);

#endif
