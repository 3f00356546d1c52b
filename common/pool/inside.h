/*
 * The inside of a pool, for the files of common/pool/ only: what a socket and
 * a pool are, and who does what.
 *
 *   mechanism ──► loop.c ──► listener.c connector.c stream.c datagram.c
 *                   │             receive.c ──► your callbacks ──► output.c
 *                   ├── wheel.c   deadlines of sockets: lazy, coarse, cheap
 *                   ├── timers.c  timers of yours: exact
 *                   └── ready     what is owed later: `sent`, `closed`, ...
 *
 * A turn is one socket's share of one wake-up: its callbacks, then what they
 * sent, joined. A socket that closes is marked CLOSED and skipped from then on;
 * its slot is given back after its last callback, never within the batch.
 */
#ifndef COMMON_POOL_INSIDE_H
#define COMMON_POOL_INSIDE_H

#include <stdatomic.h>
#include <string.h>

#include "common/clock.h"
#include "common/pool.h"
#include "common/pool/mechanism.h"
#include "common/pool/transport.h"
#include "common/workers.h"

#define unlikely(x) __builtin_expect(!!(x), 0)
/* Kept out of the short way of nearly every message. */
#define seldom __attribute__((noinline, cold))

enum socket_kind { LISTENER, STREAM, DATAGRAM, WAKER };

enum socket_state {
    UNUSED,     /* the slot is free */
    CONNECTING, /* no connection yet; what is sent is kept */
    OPEN,
    FLUSHING, /* pool_close(): the output leaves; no callback but `closed` */
    DRAINING, /* our FIN is out; what comes is thrown away until theirs */
    CLOSED,   /* the descriptor is closed; the last callback is owed */
};

enum receive_mode { RECEIVE_SOME, RECEIVE_LINE, RECEIVE_EXACT };

/* A function of the user's, whatever it takes: only to be named. */
typedef void callback_fn(void);

/* What a socket is owed from the ready list, in the order it is given. */
enum owed {
    OWE_CONNECTED = 1, /* the callbacks of these names */
    OWE_SENT = 2,
    OWE_DRAINED = 4,
    OWE_SERVE = 8,  /* bytes that are here already, for a receive armed later */
    OWE_FLUSH = 16, /* send what others' turns left in its output */
    OWE_CLOSING = 32, /* the next step of pool_close() */
};

enum { NO_SLOT = UINT32_MAX };

/* Bytes that came and were not asked for yet, or are part of a line. */
struct input {
    size_t begin, end; /* of data */
    size_t room;
    char data[];
};

/* sent(stream, arg) is owed once the kernel has taken byte number `at`. */
struct output_mark {
    uint64_t at;
    void (*sent)(struct pool_socket *stream, void *arg);
    void *arg;
};

/* Bytes the kernel would not take yet; NULL while there is none. */
struct output {
    char *data;
    size_t begin, end, room;
    uint64_t taken; /* by the kernel, since this struct was made */
    struct output_mark *marks;
    size_t mark_begin, mark_end, mark_room;
};

/* 176 bytes: what an idle connection costs. What each message touches comes
 * first. */
struct pool_socket {
    struct pool *pool;
    int64_t active_at; /* when bytes last came or left */
    int64_t wheel_due; /* tick it is linked at; CLOCK_NEVER: it is not */
    uint32_t idle_ms;  /* 0: none */
    /* These four bytes are looked at as one in calm.c. */
    uint8_t kind, state, mode;
    bool listed : 1;      /* it is on the ready list */
    bool ended : 1;       /* the peer's FIN was read */
    bool shut : 1;        /* pool_shutdown(): FIN after the output */
    bool fin_sent : 1;    /* and it is out */
    bool full : 1;        /* pool_send() said EAGAIN: `drained` is owed */
    bool held : 1;        /* too much is unsent: receives wait */
    bool coded : 1;       /* its transport is not the plain one */
    pool_data_fn receive; /* NULL: none is armed */
    void *receive_arg;
    int64_t receive_at; /* when it was armed (or the grace began) */
    struct input *in;
    struct output *out;
    int fd;
    uint32_t receive_ms; /* 0: no deadline */
    uint32_t want; /* longest line, or exact size; draining: thrown away */
    uint32_t output_limit;
    uint32_t joined_most; /* half of it, or SCRATCH */
    uint32_t scanned;     /* so much of the line holds no LF */
    const struct transport *transport;
    void *transport_state;

    uint32_t slot;
    uint8_t watched;     /* what for, in the mechanism */
    uint8_t owed;        /* enum owed */
    uint8_t reason;      /* enum closed_reason, from FLUSHING on */
    bool starved : 1;    /* a listener out of descriptors */
    bool unreached : 1;  /* no address answered: `failed` is owed, too */
    bool reads_late : 1; /* its transport can read once it can write */
    bool sends_late : 1; /* its transport can send once it can read */
    uint32_t ready_next; /* slot; of the free list when it is UNUSED */
    uint32_t wheel_next, wheel_before; /* slots */
    uint32_t generation;               /* upper half of the id */
    int error;                         /* errno of the reason */
    const struct pool_handler *handler;
    struct pool_timer *timers; /* those it owns */
    void *user;
    union {
        uint64_t parent; /* STREAM: id of the listener it came from, or 0 */
        struct connecting *connecting; /* STREAM that is CONNECTING */
        struct listener *listener;
        struct datagrams *datagrams;
    };
};

enum { SLOTS_A_BLOCK = 64, EVENTS = 256, WHEEL_TICKS = 4096 };
enum { SCRATCH = 16 * 1024, PREFIX = 4 * 1024 };

struct table {
    struct pool_socket **blocks; /* of SLOTS_A_BLOCK; they never move */
    uint32_t block_count;
    uint32_t used;  /* slots ever given */
    uint32_t free;  /* head of the free list */
    uint32_t count; /* sockets whose `closed` has not returned */
};

/* Deadlines of sockets, looked at once a tick of 2^22 ns (4.2 ms): one list of
 * sockets a tick; what lies beyond the last tick is linked there and looked at
 * again. A deadline that moves on costs nothing: it is found out when the
 * socket's tick comes up. */
enum { WHEEL_SHIFT = 22 };
struct wheel {
    uint32_t heads[WHEEL_TICKS];
    uint64_t bits[WHEEL_TICKS / 64]; /* which heads are in use */
    int64_t done;                    /* ticks up to this one were looked at */
    int64_t next; /* no socket is due before; CLOCK_NEVER: none at all */
};

struct timers { /* a binary heap, the nearest first */
    struct pool_timer **heap;
    size_t count, room;
    struct pool_timer *running; /* its function runs now */
};

struct post {
    struct post *next;
    void (*fn)(void *arg);
    void *arg;
};

struct pool {
    const struct mechanism *mechanism;
    void *set;                   /* the mechanism's */
    int64_t now;                 /* clock_now() of this wake-up */
    struct pool_socket *turn;    /* whose turn it is */
    struct pool_socket *joins;   /* the same, while nothing forbids to join */
    struct pool_socket *serving; /* whose bytes lie in its own input */
    struct iovec joined; /* what `turn` has sent: the start of SCRATCH bytes */
    unsigned wants;      /* what a transport waits for */
    struct {
        char *at, *end; /* what is left of before; the next byte goes to end */
        size_t room;
    } reading;    /* the receive of this turn */
    char *buffer; /* PREFIX + turn_bytes + 1: one receive */
    bool debug;
    bool running, stopping;
    struct table table;
    uint32_t ready_head, ready_tail;
    uint32_t starved; /* listeners that wait for a descriptor */
    size_t turn_bytes;
    uint32_t output_limit, grace_ms;
    int64_t stop_by;
    struct timers timers;
    struct wheel wheel;
    struct workers *workers; /* NULL until they are needed */
    unsigned worker_threads, worker_queue;
    struct net_message *messages; /* datagram batches; NULL until needed */

    /* Touched by other threads and signal handlers, too. */
    int wake_read, wake_write; /* an eventfd, twice; or a pipe */
    struct pool_socket waker;  /* what wake_read is watched for */
    atomic_bool woken;         /* a byte is in it already */
    atomic_bool stop;
    atomic_bool finished;         /* a worker's job has */
    _Atomic(struct post *) posts; /* the latest first */
    atomic_ullong signals;        /* bit n: signal n came */
    struct signal_watch *signal_watches;
    struct loops *loops; /* pool_run_loops(): the others */

    unsigned listeners; /* made so far: the k-th shares the k-th's port */

    struct { /* debug mode: the callback that runs */
        const char *role;
        callback_fn *function;
        uint32_t slot;
        int64_t began;
    } call;
    bool others; /* who is not in `events` was given the time of this batch */
    int batch;   /* so many of */
    struct mechanism_event events[EVENTS];
};

/* --- table.c ------------------------------------------------------------------- */

static inline struct pool_socket *socket_at(const struct pool *pool,
                                            uint32_t slot)
{
    return &pool->table.blocks[slot / SLOTS_A_BLOCK][slot % SLOTS_A_BLOCK];
}

/* Makes sure that the next socket_new() succeeds: 0 or -1 with ENOMEM. */
int socket_reserve(struct pool *pool);
struct pool_socket *socket_new(struct pool *pool, enum socket_kind kind, int fd,
                               const struct pool_handler *handler, void *user);
void socket_release(struct pool_socket *socket); /* after `closed` */
void table_free(struct pool *pool);

/* --- loop.c -------------------------------------------------------------------- */

/* The socket gets what `owed` says after this batch, before the loop waits. */
void owe(struct pool_socket *socket, unsigned owed);
int socket_watch(struct pool_socket *socket, unsigned interest);
/* As socket_watch(); out of memory, the socket is closed: reason error. */
void socket_must_watch(struct pool_socket *socket, unsigned interest);
/* pool_stop() was called: no callback but `closed` from here on. */
static inline bool stop_asked(const struct pool *pool)
{
    return unlikely(atomic_load_explicit(&pool->stop, memory_order_relaxed));
}
void hear_stop(struct pool *pool);
/* One event of a batch, whatever it is. */
void dispatch(struct pool *pool, struct pool_socket *socket, unsigned ready);

/* --- wake.c -------------------------------------------------------------------- */

int wake_open(struct pool *pool);
void wake_close(struct pool *pool);
void wake_event(struct pool *pool);
void pool_wake(struct pool *pool); /* from anywhere */

/* --- calm.c -------------------------------------------------------------------- */

/* The first `count` of pool->events. */
void calm_turns(struct pool *pool, int count);

/* --- closing.c ------------------------------------------------------------------ */

/* Output first, then FIN, then the peer's FIN; the reason is kept. */
void closing_begin(struct pool_socket *socket, enum closed_reason reason,
                   int error);
void closing_step(struct pool_socket *socket);
void closing_readable(struct pool_socket *socket); /* DRAINING */
/* The descriptor goes now; `closed` is owed. A reason given before stays. */
void close_now(struct pool_socket *socket, enum closed_reason reason,
               int error);
void close_all(struct pool *pool); /* pool_stop(), first step */

/* --- stream.c, receive.c, output.c ------------------------------------------------- */

struct pool_socket *stream_new(struct pool *pool, int fd,
                               const struct pool_handler *handler, void *user);
void stream_event(struct pool_socket *stream, unsigned ready);
/* From here on its bytes go through `transport`, which owns `state`. EBUSY:
 * bytes of before wait to be sent, or came and were not asked for. */
int stream_set_transport(struct pool_socket *stream,
                         const struct transport *transport, void *state);

void receive_some(struct pool_socket *stream); /* one recv, then callbacks */
/* The same, once recv into an empty buffer has given `got`. */
void receive_got(struct pool_socket *stream, ssize_t got);
void receive_serve(struct pool_socket *stream); /* what is here already */
/* Reading goes on once half of the output has left. */
void receive_resume(struct pool_socket *stream);
void input_drop(struct pool_socket *stream);

void output_set_limit(struct pool_socket *stream, uint32_t limit);
/* More than half of the limit is unsent: receives wait until it is not. */
bool output_holds(struct pool_socket *stream);
void output_join(struct pool_socket *stream); /* the scratch leaves */
/* Not all of the scratch has left, or somebody is owed something. */
void output_rest(struct pool_socket *stream, ssize_t taken);
void output_flush(struct pool_socket *stream);
void output_told(struct pool_socket *stream); /* calls `sent` */
void output_drop(struct pool_socket *stream);

/* One socket's turn: callbacks in between, then what it sent leaves. */
static inline void turn_begin(struct pool *pool, struct pool_socket *socket)
{
    pool->turn = socket;
    pool->joins = NULL;
    pool->serving = NULL;
    if (socket->state == OPEN && socket->kind == STREAM && !socket->out &&
        !socket->shut)
        pool->joins = socket;
}

static inline void turn_end(struct pool *pool, struct pool_socket *socket)
{
    if (pool->joined.iov_len)
        output_join(socket);
    pool->joins = pool->turn = NULL;
}

/* --- listener.c, connector.c, datagram.c -------------------------------------------- */

void listener_event(struct pool_socket *listener);
void listener_resume(struct pool_socket *listener);
void listener_child_gone(struct pool *pool, uint64_t parent);
void listener_descriptor_free(struct pool *pool); /* starved ones go on */
void listener_free(struct pool_socket *listener);

void connector_event(struct pool_socket *stream);
void connector_expired(struct pool_socket *stream);
int64_t connector_deadline(const struct pool_socket *stream);
void connector_connected(struct pool_socket *stream); /* calls `connected` */
void connector_failed(struct pool_socket *stream);    /* calls `failed` */
void connector_free(struct pool_socket *stream);

void datagram_event(struct pool_socket *socket, unsigned ready);
void datagram_flush(struct pool_socket *socket);
size_t datagram_unsent(const struct pool_socket *socket);
void datagram_free(struct pool_socket *socket);

/* --- wheel.c, timers.c --------------------------------------------------------------- */

void wheel_init(struct wheel *wheel, int64_t now);
void wheel_link(struct pool_socket *socket, int64_t due);
void wheel_unlink(struct pool_socket *socket);
void wheel_run(struct pool *pool);
/* A batch kept the loop so long that what began in it would end too early:
 * it is counted from `now`. */
void wheel_slow(struct pool *pool, int64_t now);

/* The tick at which a deadline has passed: the next but one, for a deadline is
 * counted from the start of its batch, which may last a tick (wheel_slow). */
static inline int64_t wheel_tick(int64_t deadline)
{
    return (deadline >> WHEEL_SHIFT) + 2;
}

/* The socket will be looked at when `at` + `ms` has passed. */
static inline void wheel_note(struct pool_socket *socket, int64_t at,
                              uint32_t ms)
{
    int64_t due = wheel_tick(at + (int64_t)ms * CLOCK_MS);

    if (due < socket->wheel_due)
        wheel_link(socket, due);
}

void timers_run(struct pool *pool, int64_t now);
int64_t timers_next(const struct pool *pool); /* CLOCK_NEVER: none */
void timers_drop(struct pool_socket *owner);
void timers_free(struct pool *pool);

/* --- posts.c, signals.c, work.c, loops.c ------------------------------------------------ */

void posts_run(struct pool *pool);
void posts_free(struct pool *pool);
void signals_run(struct pool *pool);
void signals_free(struct pool *pool);
bool work_open(const struct pool *pool);
void work_collect(struct pool *pool);
void work_free(struct pool *pool);
struct workers *work_workers(struct pool *pool); /* made at first use */
/* The k-th listener of a loop with port 0 gets the port of the first loop's; one
 * on a path is the first loop's itself: its descriptor, to be duplicated. -1. */
int loops_share(struct pool *pool, struct net_address *address);
bool loops_share_port(const struct pool *pool,
                      const struct net_address *address);
bool loops_is_first(const struct pool *pool);
void loops_shared(struct pool *pool, int fd);
void loops_stop(struct loops *loops);

/* --- trace.c, names.c ------------------------------------------------------------------- */

void trace_say(struct pool_socket *socket, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void trace_call_begins(struct pool *pool, const struct pool_socket *socket,
                       const char *role, callback_fn *function);
void trace_call_ended(struct pool *pool);
/* false: nobody knows. */
bool name_of_function(callback_fn *function, char *name, size_t room);

/* In plain words on stderr, in debug mode only. */
#define say(socket, ...)                     \
    do {                                     \
        if (unlikely((socket)->pool->debug)) \
            trace_say(socket, __VA_ARGS__);  \
    } while (0)

/* Around each call of the user's: what it is to us, for a warning, and which. */
#define call_begins(pool, socket, role, function)                             \
    do {                                                                      \
        if (unlikely((pool)->debug))                                          \
            trace_call_begins(pool, socket, role, (callback_fn *)(function)); \
    } while (0)

static inline void call_ended(struct pool *pool)
{
    if (unlikely(pool->debug))
        trace_call_ended(pool);
}

#endif
