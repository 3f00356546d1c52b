/*
 * One line of the observation language, read: `data tcp 7001 from client "x"`
 * becomes a struct term. The grammar is one table in term.c; whether a term is
 * true is expect.c's. Pure C.
 */
#ifndef VIZ_EVENTS_TERM_H
#define VIZ_EVENTS_TERM_H

#include "viz/events/event.h"

enum term_kind {
    /* True while it holds. */
    TERM_LISTEN,
    TERM_LISTEN_UNIX,
    TERM_STATE,
    TERM_ESTABLISHED,
    TERM_SHELL,
    /* True once it has happened. */
    TERM_HANDSHAKE,
    TERM_REFUSED,
    TERM_DATA,
    TERM_CLOSE,
    TERM_RESET,
    TERM_RETRANSMIT,
    TERM_ZERO_WINDOW,
    TERM_DATAGRAM,
    TERM_UNREACHABLE,
    TERM_WAITS,
    TERM_PRINTS,
    TERM_EXITS,
    TERM_LOST,
    TERM_TLS /* read, but nothing in the event stream shows it yet */
};

enum { TERM_TEXT = 256, TERM_PATIENCE = 10, TERM_MOST_PATIENCE = 3600 };

struct term {
    enum term_kind kind;
    bool negative;    /* `not ...` */
    uint8_t protocol; /* PROTO_TCP, PROTO_UDP; 0: the term has none */
    uint16_t port;    /* 0: none was given */
    enum flow_side side;
    enum tcp_state state;
    enum wait_call call;
    char terminal;  /* 'A', 'B', 'C' */
    bool syn;       /* retransmit syn, else data */
    int status;     /* exits */
    uint32_t times; /* established N; retransmit N and datagram xN, from 1 */
    bool has_bytes; /* N bytes */
    uint64_t bytes;
    uint8_t text[TERM_TEXT]; /* raw: escapes are undone, may hold a 0; of
                                 `listen unix` the path, which holds none */
    size_t text_length;      /* 0: no text was given */
    unsigned patience;       /* seconds */
    bool timed;              /* `within Ns` was written */
};

/* 0; or -1 with errno EINVAL and a sentence for the author in `why`. */
int term_read(struct term *term, const char *line, char *why, size_t size);

/* Whether it is true while something holds, and not once it happened. */
bool term_is_state(const struct term *term);

#endif
