/*
 * A managed pool of sockets: one loop that waits for all of them and calls you
 * back, never from inside the call that you made. Every socket ends with
 * exactly one `closed`, after its last other callback, with the reason.
 *
 *     static void echo(struct pool_socket *s, char *data, size_t n, void *arg)
 *     {
 *         pool_send(s, data, n);
 *         pool_recv_some(s, 60000, echo, arg);
 *     }
 *     static void accepted(struct pool_socket *listener, struct pool_socket *s)
 *     {
 *         pool_recv_some(s, 60000, echo, NULL);
 *     }
 *     static const struct pool_handler server = {.accepted = accepted};
 *
 *     struct net_address address;
 *     struct pool *pool = pool_new(NULL);
 *     net_address_parse(&address, "127.0.0.1:7007");
 *     pool_listen(pool, &address, NULL, &server, NULL);
 *     pool_run(pool);
 *     pool_free(pool);
 *
 * A call that returns int returns 0, one that returns a pointer not NULL; or -1,
 * or NULL, with errno and nothing changed. All of a pool belongs to the thread
 * that runs it; pool_stop() and pool_post() alone may be called from elsewhere.
 * SIGPIPE is never raised. docs/common.md has the drawing.
 */
#ifndef COMMON_POOL_H
#define COMMON_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net.h"

struct pool;
struct pool_socket; /* a listener, a stream or a datagram socket */
struct pool_timer;

/* --- the pool --------------------------------------------------------------- */

struct pool_options {      /* 0 and NULL: the default */
    const char *mechanism; /* select, poll, epoll; $POOL_BACKEND, or the best */
    unsigned workers;    /* threads for pool_work(): 4, started at first use */
    unsigned work_queue; /* jobs that may wait for one: 1024 */
    size_t turn_bytes;   /* what one socket may read in one turn: 64 KiB */
    size_t output_limit; /* unsent bytes a stream may have: 1 MiB */
    unsigned grace_ms;   /* what pool_stop() gives unsent bytes: 2000 */
    bool debug;          /* tell every callback on stderr; or $POOL_DEBUG=1 */
};

/* NULL with errno: EINVAL (no such mechanism), EMFILE, ENOMEM. */
struct pool *pool_new(const struct pool_options *options);
/* Closes what is left, reason host; what was posted and has not run never will.
 * Not from a callback. NULL is none. */
void pool_free(struct pool *pool);

/* Until pool_stop(), or until no socket, timer or job is left; may be called
 * again then. EBUSY: from a callback of its own. */
int pool_run(struct pool *pool);

/* From any thread, from a signal handler, from a callback: no more accepting;
 * what is unsent has grace_ms to leave; then all is closed, reason host. */
void pool_stop(struct pool *pool);

/* `setup` for each of `loops` pools (1 to 256), each in a thread of its own,
 * the first in the caller's. Listeners made in `setup` share their port by
 * SO_REUSEPORT, or their path; datagram sockets share nothing. pool_stop() of one
 * stops all. -1: the first setup that failed. */
int pool_run_loops(unsigned loops, const struct pool_options *options,
                   int (*setup)(struct pool *pool, void *user), void *user);

/* `fn(arg)` on the loop, soon; from any thread. ENOMEM; ECANCELED: stopped. */
int pool_post(struct pool *pool, void (*fn)(void *arg), void *arg);

/* `fn` on the loop when the process gets that signal, until pool_free(). EBUSY:
 * somebody has it already (of pool_run_loops() the first hears it for all). */
int pool_signal(struct pool *pool, int signal,
                void (*fn)(struct pool *pool, int signal, void *arg),
                void *arg);

const char *pool_mechanism(const struct pool *pool);
size_t pool_count(const struct pool *pool); /* sockets not yet closed */
/* All sockets: NULL gives the first, NULL is the end. The one before may have
 * been closed by its callback meanwhile. */
struct pool_socket *pool_next(struct pool *pool, struct pool_socket *before);
/* By number; NULL: closed, or never given. Numbers are never given twice. */
struct pool_socket *pool_find(struct pool *pool, uint64_t id);

/* --- what every socket has ----------------------------------------------------
 * A pointer to a socket is good until its `closed` has returned. */

enum closed_reason {
    CLOSED_BY_HOST,    /* this program: pool_close(), pool_stop() */
    CLOSED_BY_PEER,    /* the other end finished: FIN */
    CLOSED_BY_TIMEOUT, /* a deadline passed */
    CLOSED_BY_ERROR,   /* errno says which: ECONNRESET, EMSGSIZE, ... */
};
const char *closed_reason_word(enum closed_reason reason);

/* What a socket tells; any of them may be NULL. Kept by the pool as a pointer:
 * make it static. `data` is yours to change, and good until you return. */
struct pool_handler {
    /* A listener has a new stream, with its handler and its user unless you set
     * others. Receive, send, or close it. NULL: it is closed. */
    void (*accepted)(struct pool_socket *listener, struct pool_socket *stream);
    /* pool_connect() came through, or to nothing (then `closed` follows). */
    void (*connected)(struct pool_socket *stream);
    void (*failed)(struct pool_socket *stream, int error);
    /* The peer has finished sending. `data`: what came and made no whole line
     * or size. You may still send; close it when done, or pool_shutdown():
     * once both have finished it is closed. Without this function the stream
     * is closed once its output has left. Both: reason peer. */
    void (*ended)(struct pool_socket *stream, char *data, size_t length);
    /* After pool_send() said EAGAIN: there is room again. */
    void (*drained)(struct pool_socket *stream);
    /* A datagram; 0 bytes are one too. */
    void (*datagram)(struct pool_socket *socket, char *data, size_t length,
                     const struct net_address *from);
    /* A datagram that was queued could not be sent, or an earlier one was
     * answered by ICMP (then `to` is NULL). The socket stays open. */
    void (*unsent)(struct pool_socket *socket, int error,
                   const struct net_address *to);
    /* The last callback. `error` is errno for CLOSED_BY_ERROR, else 0. */
    void (*closed)(struct pool_socket *socket, enum closed_reason reason,
                   int error);
};

struct pool *pool_of(const struct pool_socket *socket);
uint64_t pool_id(const struct pool_socket *socket);
int pool_fd(
    const struct pool_socket *socket); /* -1 while names are looked up */
void *pool_user(const struct pool_socket *socket);
void pool_set_user(struct pool_socket *socket, void *user);
void pool_set_handler(struct pool_socket *socket,
                      const struct pool_handler *handler);
int pool_local(const struct pool_socket *socket, struct net_address *address);
int pool_peer(const struct pool_socket *socket, struct net_address *address);
bool pool_is_tls(const struct pool_socket *socket);

/* No byte in either direction for so long: closed, reason timeout. 0: never. */
void pool_idle(struct pool_socket *socket, unsigned ms);

/* Unsent bytes leave first, as long as the peer takes some within grace_ms; then
 * FIN; what still comes is thrown away until the peer's FIN, at most grace_ms, so
 * that no reset overtakes the reply. No other callback than `closed` comes. */
void pool_close(struct pool_socket *socket);
void pool_abort(struct pool_socket *socket); /* at once, with a reset */

/* --- streams ------------------------------------------------------------------
 * TCP_NODELAY is on: what one turn sends is joined, and leaves at its end. */

struct pool_listen_options { /* NULL: all default */
    int backlog;             /* 256 */
    bool no_reuse;           /* leave SO_REUSEADDR off */
    unsigned max_clients; /* accept no more while so many are there; 0: any */
};

/* A Unix-domain path is made, and removed when the listener closes. */
struct pool_socket *pool_listen(struct pool *pool,
                                const struct net_address *address,
                                const struct pool_listen_options *options,
                                const struct pool_handler *handler, void *user);

/* Every address of `host` is tried in turn within `timeout_ms` in all (0:
 * 5000): a number, NULL (the loopback), "unix:PATH", or a name, which is looked
 * up by a worker, never on the loop. EAGAIN: so many look-ups wait already. */
struct pool_socket *pool_connect(struct pool *pool, const char *host,
                                 const char *service, unsigned timeout_ms,
                                 const struct pool_handler *handler,
                                 void *user);
struct pool_socket *pool_connect_to(struct pool *pool,
                                    const struct net_address *address,
                                    unsigned timeout_ms,
                                    const struct pool_handler *handler,
                                    void *user);
/* A connected stream socket of your own; the pool owns it from here, and it does
 * not block any more. */
struct pool_socket *pool_adopt(struct pool *pool, int fd,
                               const struct pool_handler *handler, void *user);

typedef void (*pool_data_fn)(struct pool_socket *stream, char *data,
                             size_t length, void *arg);

/* One receive each: ask again, in the callback or later; until then the peer
 * waits (TCP's own back-pressure), and its FIN is not heard; a reset is. One at
 * a time: EBUSY. ENOTCONN: closed, or the peer has finished. `timeout_ms` (0:
 * none) is for the whole of it; when it passes the stream is closed, reason
 * timeout. Bytes already here are served before the kernel is asked.
 * While more than half of output_limit is unsent no callback comes: who
 * answers each receive with no more than it got never sees a full output. */
int pool_recv_some(struct pool_socket *stream, unsigned timeout_ms,
                   pool_data_fn fn, void *arg);
/* A line without its LF or CR LF, and with a NUL after it. Longer than `limit`
 * bytes (1 to 1 GiB): closed, reason error, EMSGSIZE. */
int pool_recv_line(struct pool_socket *stream, size_t limit,
                   unsigned timeout_ms, pool_data_fn fn, void *arg);
/* Exactly `length` bytes, 1 to 1 GiB, in one piece. */
int pool_recv_exact(struct pool_socket *stream, size_t length,
                    unsigned timeout_ms, pool_data_fn fn, void *arg);
void pool_recv_stop(struct pool_socket *stream); /* takes the receive back */

/* All or nothing: what the kernel does not take now is copied and sent later
 * (is there no memory for it by then, the stream is closed, error ENOMEM).
 * EAGAIN: the output is full, `drained` will come; EMSGSIZE: more than the
 * limit; EPIPE: shut down; ENOTCONN: closed. While it connects, it is kept. */
int pool_send(struct pool_socket *stream, const void *data, size_t length);
/* The same, and sent(stream, arg) once the kernel has taken the last byte. */
int pool_send_then(struct pool_socket *stream, const void *data, size_t length,
                   void (*sent)(struct pool_socket *stream, void *arg),
                   void *arg);
size_t pool_unsent(const struct pool_socket *stream);
int pool_output_limit(struct pool_socket *stream, size_t bytes);
/* FIN once the output has left; receiving goes on. ENOTCONN: closed. */
int pool_shutdown(struct pool_socket *stream);

/* --- datagrams ---------------------------------------------------------------- */

struct pool_datagram_options {      /* NULL: all default */
    const struct net_address *peer; /* connect(2) it: ICMP errors are told */
    bool broadcast;                 /* SO_BROADCAST */
    int receive_buffer;             /* SO_RCVBUF, bytes; 0: the system's */
};

/* `address` NULL: any port, of the peer's family. */
struct pool_socket *pool_datagram(struct pool *pool,
                                  const struct net_address *address,
                                  const struct pool_datagram_options *options,
                                  const struct pool_handler *handler,
                                  void *user);
/* Sent with those of the same turn in one sendmmsg(2). `to` NULL: the peer.
 * EAGAIN: the queue is full (output_limit, of which each takes some 130 bytes
 * more than it has); EMSGSIZE: no datagram is so long, or the limit is not. */
int pool_send_to(struct pool_socket *socket, const void *data, size_t length,
                 const struct net_address *to);

/* --- timers and work --------------------------------------------------------------
 * Milliseconds of the monotonic clock. A timer with an owner dies with it. */

/* First after `ms`, then every `period_ms` of the first deadline, without
 * drift (0: once); calls that a slow handler has missed come as one. The timer
 * is gone after its last call. ENOMEM; ENOTCONN: the owner is closed. */
struct pool_timer *pool_timer_start(struct pool *pool,
                                    struct pool_socket *owner, unsigned ms,
                                    unsigned period_ms, void (*fn)(void *arg),
                                    void *arg);
void pool_timer_stop(struct pool_timer *timer); /* NULL is none */

/* job(arg) on a worker, then done(arg) on the loop. EAGAIN: the queue is full.
 * Each done() comes once: at the latest in pool_free(), which waits for jobs
 * that run and does not begin the others. */
int pool_work(struct pool *pool, void (*job)(void *arg),
              void (*done)(void *arg), void *arg);

#endif
