/*
 * Packets in, connections out: which flow a packet belongs to, and in which
 * RFC 9293 state each end is after it. Both ends are inferred from the wire
 * alone; what packets cannot prove is marked as assumed. Pure C.
 */
#ifndef VIZ_TRACK_TRACK_H
#define VIZ_TRACK_TRACK_H

#include "viz/decode/packet.h"

/* Numbered as the kernel does (net/tcp_states.h), so that sock_diag's states
 * need no table. Names on screen are netstat's: FIN_WAIT1, SYN_RECV, CLOSED. */
enum tcp_state {
    TCP_UNKNOWN = 0, /* not seen yet */
    TCP_ESTABLISHED = 1,
    TCP_SYN_SENT = 2,
    TCP_SYN_RECV = 3,
    TCP_FIN_WAIT1 = 4,
    TCP_FIN_WAIT2 = 5,
    TCP_TIME_WAIT = 6,
    TCP_CLOSED = 7,
    TCP_CLOSE_WAIT = 8,
    TCP_LAST_ACK = 9,
    TCP_LISTEN = 10,
    TCP_CLOSING = 11,
    TCP_STATES = 12
};

/* "ESTABLISHED"; "?" for TCP_UNKNOWN and numbers outside the table. */
const char *tcp_state_name(enum tcp_state state);
/* The reverse; TCP_UNKNOWN for a word that is no state. */
enum tcp_state tcp_state_from_name(const char *name);

/* The client is the end that sent the first SYN; seen from the middle, the
 * end with the higher port. UDP: the sender of the first datagram. */
enum flow_side { FLOW_CLIENT = 0, FLOW_SERVER = 1 };

enum flow_closed_by {
    CLOSED_OPEN,      /* not closed yet */
    CLOSED_BY_CLIENT, /* sent the first FIN */
    CLOSED_BY_SERVER,
    CLOSED_BY_BOTH, /* FINs crossed */
    CLOSED_BY_RESET
};

enum { FLOW_STATES = 16 };

/* What is known of one end of a flow. Sequence numbers are raw. */
struct flow_end {
    struct endpoint at;
    enum tcp_state state;
    uint32_t isn;        /* sequence number that counts as 0 */
    uint32_t next_seq;   /* highest sequence number sent, plus one */
    uint32_t acked;      /* highest acknowledgement this end has sent */
    uint32_t window;     /* last advertised, scaled, bytes */
    uint32_t fin_seq;    /* sequence number of the FIN itself */
    int8_t window_scale; /* shift that applies now; -1 unknown */
    bool assumed;        /* `state` is not proved by a packet */
    bool has_isn;        /* `isn` and `next_seq` are set */
    bool has_acked;      /* `acked` and `window` are set */
    bool fin_sent;       /* `fin_seq` is set */
    uint64_t packets;
    uint64_t bytes;       /* payload, each byte once (TCP), all (UDP) */
    uint16_t states_seen; /* bit n: has been in enum tcp_state n */
    uint8_t state_count;
    uint8_t states[FLOW_STATES]; /* enum tcp_state, those gone through in
                                    order; past the last place only the newest
                                    is kept */
};

struct flow {
    uint32_t id; /* from 0, in order of the first packet; never reused */
    uint8_t protocol;
    bool midstream;    /* the handshake was not seen */
    bool refused;      /* SYN answered with RST, or ICMP says unreachable */
    bool simultaneous; /* the SYNs crossed */
    enum flow_closed_by closed_by;
    struct flow_end end[2]; /* by enum flow_side */
    uint64_t packets, retransmissions;
    int64_t first_ns, last_ns;
};

enum verdict_name {
    VERDICT_RETRANSMISSION,
    VERDICT_REORDERED,
    VERDICT_DUPLICATE_ACK,
    VERDICT_LOST_SEGMENT,
    VERDICT_ACKED_UNSEEN,
    VERDICT_ZERO_WINDOW,
    VERDICT_ZERO_WINDOW_PROBE,
    VERDICT_WINDOW_UPDATE,
    VERDICT_WINDOW_FULL,
    VERDICT_KEEP_ALIVE,
    VERDICT_KEEP_ALIVE_ACK,
    VERDICT_PORT_REUSE,
    VERDICT_SIMULTANEOUS_OPEN,
    VERDICT_REFUSED,
    VERDICT_UNREACHABLE,
    VERDICT_NAMES
};

/* One conclusion about one packet. `kind` and `evidence` are words of the JSON
 * schema, NULL where the verdict has none. */
struct verdict {
    enum verdict_name name;
    const char *kind;
    const char *evidence;
};

enum { NOTE_VERDICTS = 4 };

/* What track concluded about one packet. flow is NULL for packets without one:
 * neither TCP nor UDP, cut within that header, fragments after the first. An
 * ICMP error has the flow that it quotes, and `from` is the end whose packet
 * it is *not* about. Relative numbers count from the SYN, as tshark's do. */
struct note {
    struct flow *flow; /* borrowed from the table */
    enum flow_side from;
    uint32_t relative_seq, relative_ack;
    uint32_t window;                    /* scaled, bytes */
    enum tcp_state before[2], after[2]; /* by enum flow_side */
    bool assumed[2];                    /* after[] is not proved */
    bool handshake_done; /* this packet completed the handshake */
    uint8_t verdict_count;
    struct verdict verdicts[NOTE_VERDICTS];
};

struct track;

/* NULL with errno ENOMEM. `most_flows` bounds memory: past it the flow whose
 * last packet is oldest is forgotten and counted. 0 means the default. */
struct track *track_new(uint32_t most_flows);
void track_free(struct track *track);

/* Take one packet in capture order; fills *note. 0, or -1 with errno ENOMEM,
 * and then the packet was not counted. */
int track_feed(struct track *track, const struct packet *packet,
               struct note *note);

/* All flows still known, in order of id, through *at (start with 0; feeding in
 * between is allowed); NULL at the end. Pointers live until the flow is
 * forgotten, at the earliest by the next track_feed(), or track_free(). */
struct flow *track_next(struct track *track, size_t *at);
uint64_t track_forgotten(const struct track *track);

/* "refused" and the like, as JSON has them. */
const char *verdict_text(enum verdict_name name);
const char *closed_by_text(enum flow_closed_by closed_by);

#endif
