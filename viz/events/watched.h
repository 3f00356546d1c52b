/*
 * The connections to watched ports, and both ends' states as the wire has them:
 * each port knows how many of its connections are in which state. Pure C.
 */
#ifndef VIZ_EVENTS_WATCHED_H
#define VIZ_EVENTS_WATCHED_H

#include "viz/events/event.h"

struct watched_port {
    uint8_t protocol;
    uint16_t port;
    uint64_t bytes[2];     /* TCP payload since observed_open(), each once */
    uint64_t datagrams[2]; /* since observed_open() */
    size_t flows;
    size_t answered;          /* connections whose server took part */
    size_t in[2][TCP_STATES]; /* connections by an end's state */
    size_t established;       /* both ends */
    uint64_t lost[2];         /* UDP, since observed_open(): on the wire, and
                                  for a full buffer */
    bool refused;             /* since observed_open() */
    bool outside;             /* a listener outside the lab network */
};

/* A connection to a watched port. Index 0 is the client, the end that is not
 * at the port (whatever track took it for when it came in the middle). */
struct watched {
    uint32_t flow;
    struct watched_port *port; /* borrowed */
    struct endpoint end[2];
    enum tcp_state state[2];
    bool waited[2]; /* in TIME_WAIT, until a RST came: the kernel may ignore
                     * that (RFC 1337, sysctl net.ipv4.tcp_rfc1337) */
    bool answered;  /* the server's end has taken part */
    /* Of each side's stream, from its first packet on: */
    bool stream[2];
    uint64_t bytes[2];    /* as track has counted them */
    uint32_t next_seq[2]; /* behind the highest byte */
    bool closed[2];       /* its FIN was seen */
};

/* Zeroed is empty. */
struct watched_list {
    struct watched *items; /* by flow and port, ascending */
    size_t count, room;
};

void watched_fini(struct watched_list *list);
/* The connection of this note, brought up to date; `port` must stay where it
 * is. `flipped`: track's client is the end at the port. NULL when memory is
 * short; valid until the next. */
struct watched *watched_update(struct watched_list *list,
                               struct watched_port *port,
                               const struct note *note, bool flipped);
/* The newest connection to the port, NULL for none. */
const struct watched *watched_newest(const struct watched_list *list,
                                     const struct watched_port *port);
/* Whether the wire knows the kernel's socket as that end of a connection to the
 * port, in its state. After a RST in TIME_WAIT the wire cannot know, so the
 * kernel's word is enough. */
bool watched_agrees(const struct watched_list *list,
                    const struct watched_port *port, enum flow_side side,
                    const struct socket_sample *socket);

#endif
