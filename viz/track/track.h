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

/* Where the capture was made, as far as the packets tell. */
enum flow_vantage {
    VANTAGE_UNKNOWN,
    VANTAGE_CLIENT, /* on the client's machine, or near it */
    VANTAGE_SERVER,
    VANTAGE_BOTH,  /* both ends are on this machine */
    VANTAGE_MIDDLE /* on the way */
};

/* What a RST means. */
enum reset_kind {
    RESET_NONE,
    RESET_REFUSED,  /* the answer to a SYN: nobody listens */
    RESET_UNREAD,   /* close() or exit with bytes unread (RFC 2525 2.17) */
    RESET_ABORT,    /* close() with SO_LINGER 0: no FIN, an end at once */
    RESET_GAVE_UP,  /* keep-alives were not answered */
    RESET_NO_SOCKET /* the answer to a segment of a connection that this end
                       does not know, or no longer */
};

/* What is known of one end of a flow. Sequence numbers are raw. */
struct flow_end {
    struct endpoint at;
    enum tcp_state state;
    int64_t since_ns;    /* when a packet moved it into `state`; 0 none has */
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

/* What of a UDP flow goes beyond one datagram. A request is what the client
 * sends, its answer the next that the server sends. */
struct flow_udp {
    uint64_t answered;   /* requests */
    uint64_t unanswered; /* requests, so far */
    uint64_t unasked;    /* sent by the server while no request waited */
    uint64_t empty[2];   /* datagrams of 0 bytes, by side */
    uint64_t fragments;  /* packets beyond the first of their datagram; they
                            are not counted in `packets` */
};

struct flow {
    uint32_t id; /* from 0, in order of the first packet; never reused */
    uint8_t protocol;
    bool midstream;    /* the handshake was not seen */
    bool refused;      /* SYN answered with RST, or ended by an ICMP error */
    bool simultaneous; /* the SYNs crossed */
    bool reuses;       /* the endpoints of flow `before`, which gets no more
                          packets */
    bool replaced;     /* by another with the same endpoints */
    uint32_t before;
    const char *unreached; /* refused: the errno that ICMP brought; NULL: it was
                              a RST */
    enum flow_closed_by closed_by;
    struct flow_end end[2]; /* by enum flow_side */
    uint64_t packets;
    uint64_t retransmissions; /* segments, as the kernel counts them */
    uint64_t spurious;        /* of which the other end said, by D-SACK, that
                                 they were in vain */
    uint64_t lost[2];         /* sent again since lost before the capture, and
                                 after it */
    struct flow_udp udp;
    int64_t first_ns, last_ns;
    int64_t initial_rtt_ns; /* from the SYN to the ACK that ends the handshake;
                               0 not seen */
    enum flow_vantage vantage;
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
 * schema, NULL where the verdict has none; numbers are 0 where they have
 * nothing to say. */
struct verdict {
    enum verdict_name name;
    uint32_t count; /* duplicate-ack: the n-th. retransmission: the n-th time
                         that the same is sent again, of kind rto the n-th
                         time-out in a row. lost-segment: bytes missing */
    const char *kind;
    const char *evidence;
    uint64_t packet;   /* retransmission: number of the original */
    int64_t gap_ns;    /* retransmission: since it was sent last */
    uint32_t segments; /* retransmission: as many as the card makes of it */
    const char *lost;  /* retransmission: "before" or "after": where the first
                          copy, or its acknowledgement, was lost, seen from the
                          capture; NULL: nothing was, as far as is known */
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
    uint64_t answers;     /* UDP: the packet that this one answers, where only
                             one waited for an answer; else 0 */
    uint64_t fragment_of; /* a later fragment: the packet of the first one, 0
                             when that is not known */
    bool handshake_done;  /* this packet completed the handshake */
    bool dsack;           /* its D-SACK block says: this came twice */
    bool super_segment;   /* more than fits into one segment of this connection:
                            cut later, by the card (TSO, GSO), or put together
                            before the capture (GRO) */
    enum reset_kind reset;
    uint32_t flight;    /* the sender's bytes that are not acknowledged */
    int64_t ack_rtt_ns; /* since what it acknowledges was sent; 0 unknown */
    uint32_t pieces;    /* super_segment: it becomes so many */
    const char *error; /* ICMP, RST: the errno that the program gets, or NULL */
    bool error_now;    /* else only when the program has asked for it
                           (IP_RECVERR), or as the reason of a time-out */
    uint8_t verdict_count;
    struct verdict verdicts[NOTE_VERDICTS];
};

/* What names a packet that was lost. */
struct lost_packet {
    uint8_t protocol; /* PROTO_TCP, PROTO_UDP */
    struct endpoint source, destination;
    uint32_t ip_id;  /* IPv4; else 0 */
    uint32_t seq;    /* TCP; else 0 */
    uint32_t length; /* payload bytes */
};

/* What it would be called if it were lost. */
struct lost_packet lost_packet_of(const struct packet *packet);
/* Whether the packet may be this one, which was lost at `time_ns`. */
bool lost_packet_may_be(const struct lost_packet *lost, int64_t time_ns,
                        const struct packet *packet);

struct track;

/* NULL with errno ENOMEM. `most_flows` bounds memory: past it the flow whose
 * last packet is oldest is forgotten and counted. 0 means the default. */
struct track *track_new(uint32_t most_flows);
void track_free(struct track *track);

/* Take one packet in capture order; fills *note. 0, or -1 with errno ENOMEM,
 * and then the packet was not counted. */
int track_feed(struct track *track, const struct packet *packet,
               struct note *note);

/* A packet was lost at `time_ns`, after it had been captured, as who lost it
 * says: it never reached its receiver. It may have been fed, or be still to
 * come. The flow, when it had moved the receiver, which is now as it was
 * before; else NULL. */
struct flow *track_lost(struct track *track, const struct lost_packet *lost,
                        int64_t time_ns);

/* The packet that is fed next was lost. */
void track_lose_next(struct track *track);

/* All flows still known, in order of id, through *at (start with 0; feeding in
 * between is allowed); NULL at the end. Pointers live until the flow is
 * forgotten, at the earliest by the next track_feed(), or track_free(). */
struct flow *track_next(struct track *track, size_t *at);
uint64_t track_forgotten(const struct track *track);

/* Sums over all flows that ever were, the forgotten ones included. */
struct track_totals {
    uint64_t tcp, udp; /* flows */
    uint64_t retransmissions;
};
struct track_totals track_totals(struct track *track);

/* The verdict that this packet itself was sent before; NULL: it was not. And
 * the one that it reports, by D-SACK, another packet that was sent again in
 * vain (a retransmission too, of kind "spurious", with evidence "dsack"). */
const struct verdict *note_again(const struct note *note);
const struct verdict *note_in_vain(const struct note *note);

/* "refused" and the like, as JSON has them. */
const char *verdict_text(enum verdict_name name);
const char *closed_by_text(enum flow_closed_by closed_by);
/* "client", "both"; "unknown". "refused", "unread", "abort", "gave-up",
 * "no-socket";
 * NULL for RESET_NONE. */
const char *vantage_text(enum flow_vantage vantage);
const char *reset_text(enum reset_kind reset);

#endif
