/*
 * What the expectations of one block have seen: the connections to their ports
 * and both ends' states, the kernel's sockets there, the terminals; and the
 * facts that an event adds ("data from the client", "a FIN by the server"),
 * which go to a sink in the order in which they happened. Pure C.
 */
#ifndef VIZ_EVENTS_OBSERVED_H
#define VIZ_EVENTS_OBSERVED_H

#include "viz/events/event.h"
#include "viz/events/samples.h"
#include "viz/events/watched.h"

enum fact_kind {
    FACT_NONE,
    FACT_HANDSHAKE,
    FACT_REFUSED,
    FACT_UNREACHABLE,
    FACT_RETRANSMIT,
    FACT_ZERO_WINDOW,
    FACT_DATA,
    FACT_DATAGRAM,
    FACT_LOST, /* a datagram, by the wire or at a full buffer */
    FACT_CLOSE,
    FACT_RESET,
    FACT_ENTERED, /* an end came into a state */
    FACT_PRINTED,
    FACT_EXITED,
    FACT_WAITS
};

/* Facts of one source are in order; between two sources there is none: what
 * the client and the server send crosses on its way. A handshake or a refusal
 * belongs to both ends (SOURCE_WIRE) and is in order with either. */
enum fact_source {
    SOURCE_WIRE,
    SOURCE_CLIENT,
    SOURCE_SERVER,
    SOURCE_A,
    SOURCE_B,
    SOURCE_C,
    SOURCE_KERNEL, /* what it lost, told a moment after the packet */
    SOURCES
};

struct fact {
    uint64_t number; /* from 1, in the order of arrival */
    enum fact_kind kind;
    enum fact_source source;
    uint8_t protocol;
    uint16_t port;        /* the one that was watched for */
    enum flow_side side;  /* whose doing: the server is the end at `port` */
    uint32_t flow;        /* its id */
    enum tcp_state state; /* ENTERED */
    bool syn;             /* RETRANSMIT: of a SYN, else of data */
    uint64_t length;      /* DATAGRAM: payload bytes */
    uint64_t total;       /* DATA: all bytes of this side to this port since
                             observed_open(), these too */
    int status;           /* EXITED */
    enum wait_call call;  /* WAITS */
    const uint8_t *bytes; /* DATA, PRINTED: borrowed for the call; may be NULL
                             when there are none */
    size_t length_held;   /* bytes at `bytes` */
    bool gap_before, gap_after; /* DATA: the stream has a hole there */
};

typedef void fact_sink_fn(void *self, const struct fact *fact);

struct watched_terminal {
    bool opened; /* ever */
    bool typed;  /* since observed_open(), and the two below */
    bool exited;
    int status;
    char last[160]; /* the last line printed, cut */
};

/* A path that `listen unix` waits for. */
struct watched_path {
    const char *path; /* borrowed */
    bool there;       /* as of the last look that is complete */
    bool seen;        /* in the look that is under way */
};

enum { OBSERVED_PORTS = 32, OBSERVED_PATHS = 32 };

struct observed {
    bool kernel; /* EVENT_SOCKETs come: see expect_new() */
    bool looked; /* one look is complete */
    struct watched_port ports[OBSERVED_PORTS];
    size_t port_count;
    struct watched_path paths[OBSERVED_PATHS];
    size_t path_count;
    struct watched_list connections; /* to the ports above */
    struct samples samples;
    struct watched_terminal terminals[3]; /* A B C */
    enum wait_call waits[2]; /* last seen, by side; WAIT_OTHER: not yet */
};

void observed_fini(struct observed *observed);
/* Watch for a port; 0, or -1 with errno ENOSPC (more than OBSERVED_PORTS). */
int observed_watch(struct observed *observed, uint8_t protocol, uint16_t port);
/* The same for a path, which must live as long as *observed. */
int observed_watch_path(struct observed *observed, const char *path);
/* Forget what happened; keep what is. */
void observed_open(struct observed *observed);
/* First brings what is up to date, then gives the facts to the sink. What
 * memory is too short for is left out. */
void observed_event(struct observed *observed, const struct event *event,
                    fact_sink_fn *sink, void *self);

struct watched_port *observed_port(const struct observed *observed,
                                   uint8_t protocol, uint16_t port);
bool observed_listens(const struct observed *observed, uint8_t protocol,
                      uint16_t port);
bool observed_listens_unix(const struct observed *observed, const char *path);
/* How many connections have both ends ESTABLISHED. */
size_t observed_established(const struct observed *observed, uint16_t port);
/* Whether some connection to `port` has that end in that state; lasting states
 * by the wire and the kernel, when the kernel is asked. */
bool observed_in_state(const struct observed *observed, uint16_t port,
                       enum flow_side side, enum tcp_state state);
/* LISTEN, ESTABLISHED, CLOSE_WAIT, FIN_WAIT2, TIME_WAIT: they last long enough
 * for a look to show them. */
bool observed_lasting(enum tcp_state state);
/* The newest connection to the port, NULL for none. */
const struct watched *observed_newest(const struct observed *observed,
                                      uint8_t protocol, uint16_t port);

#endif
