/*
 * The flows of a track: found by their two endpoints in a hash table, kept in
 * chunks that never move, at most so many; past that the one whose last packet
 * is oldest is forgotten. Finding one costs one probe and one comparison.
 */
#ifndef VIZ_TRACK_TABLE_H
#define VIZ_TRACK_TABLE_H

#include "viz/track/holes.h"
#include "viz/track/sent.h"
#include "viz/track/serial.h"
#include "viz/track/track.h"

/* What is remembered of one end beyond what others may see. */
struct memory {
    struct holes holes; /* sequence numbers not seen yet, below next_seq */
    uint32_t edge_seq;  /* where the segment with the highest number begins, */
    uint32_t edge_ts;   /* its TSval */
    uint16_t edge_id;   /* its IP ID */
    int8_t syn_scale;   /* window scale offered in the SYN, -1 none */
    bool syn_sent;      /* a SYN without ACK */
    bool syn_ack_sent;  /* a SYN with ACK */
    bool spoke;         /* anything without SYN: the handshake is behind it */
    bool fin_received;  /* the other end's FIN has reached it */
    bool fin_lost;      /* its FIN was lost, and has not come since */
    bool reports_hole;  /* its last ACK had SACK blocks above the ACK */
    bool probed;        /* its last segment was a keep-alive */
    bool window_probed; /* its last segment asked about a closed window */
    bool has_edge_ts, has_edge_id;
    bool ids_useless; /* its IP IDs do not count upwards */
    bool ids_good;    /* they have been seen to */
    bool data_last;   /* the last data of the connection came from it */
    bool sack_ok;     /* offered in its SYN */
    bool timestamps;  /* likewise */
    bool tlp_sent;    /* since the last new acknowledgement */
    uint8_t recovery; /* enum recovery: why it sends again, up to recover_to */
    uint8_t arrival;  /* place in losses.arrivals of what moved it last, plus
                         one */
    uint8_t ttl, ttl_most; /* the lowest and the highest of its packets */
    uint16_t mss;          /* offered in its SYN, bytes; 0 none */
    uint16_t time_outs;    /* since the last new acknowledgement */
    uint32_t dup_acks;     /* that it has sent in a row */
    uint32_t recover_to;
    uint32_t sacked;       /* bytes above `acked` that its last ACK reported */
    int64_t heard_ns;      /* when it sent anything last */
    struct sent_list list; /* what it has sent */
    struct sent again;     /* what it sent again last */
};

struct tracked {
    struct flow flow;
    struct memory memory[2]; /* by enum flow_side */
    uint64_t request;        /* UDP: the client's newest packet */
    uint32_t hash;
    uint32_t index; /* of its place in the table */
    uint16_t vlan;
    bool found_by_key;  /* false: a newer flow has taken its endpoints */
    bool live;          /* false: this place is free */
    bool established;   /* both ends have been */
    bool fast_open;     /* a SYN carried data (RFC 7413) */
    bool stray_syn;     /* an open connection saw a SYN with another number: */
    uint32_t stray_seq; /* should it be answered, it was a new one */
    enum flow_side stray_from;
    bool doubtful; /* it was reset by a number that may not be believed: */
    enum flow_side reset_from;
    enum flow_closed_by closed_before;
    bool reset_end[2];          /* was moved by it */
    int64_t syn_ns, syn_ack_ns; /* when the newest came; 0 none */
};

/* What was sent again last, of all flows: for a D-SACK, which comes when the
 * segment has long been acknowledged. Zeroed is empty. */
enum { RESENT_MOST = 256 };
struct resent {
    struct resent_one {
        uint32_t flow; /* its id */
        uint8_t from;  /* enum flow_side */
        int8_t lost;   /* flow.lost[] counts it here; -1: nowhere */
        uint32_t seq, end;
        uint32_t times;
        uint64_t original; /* packet; 0: free */
    } ring[RESENT_MOST];
    size_t next;
};

struct table_slot {
    uint32_t hash;
    uint32_t index; /* of the flow, plus one; 0: empty */
};

struct table_links {
    uint32_t older, newer; /* indices plus one, in the order of last packets */
};

struct table_order {
    uint32_t id, index;
};

enum { TABLE_CHUNK = 16 };

struct table {
    struct table_slot *slots; /* a power of two of them */
    uint32_t slot_count, used;
    struct tracked **chunks; /* of TABLE_CHUNK flows each */
    struct table_links *links;
    uint32_t places; /* flows in all chunks */
    uint32_t room;   /* flows that chunks[] and links[] have room for */
    uint32_t most;   /* that may live */
    uint32_t live;
    uint32_t taken;      /* places used so far, from 0 */
    uint32_t free_place; /* linked through links[].older, plus one */
    uint32_t oldest, newest;
    struct table_order *order; /* by id; some are forgotten */
    uint32_t order_count, order_size;
    uint32_t next_id;
    uint64_t forgotten;
    struct track_totals gone; /* of the forgotten ones */
    uint64_t seed;            /* so that nobody can prepare collisions */
    struct hole_pool holes;
    struct sent_pool sent;
};

/* 0, or -1 with errno ENOMEM. */
int table_init(struct table *table, uint32_t most);
void table_fini(struct table *table);

/* What a flow is found by. */
struct table_key {
    const struct endpoint *source, *destination; /* borrowed */
    uint8_t protocol;
    uint16_t vlan;
    uint32_t hash; /* the same for both directions */
};

struct table_key table_key(const struct table *table, uint8_t protocol,
                           uint16_t vlan, const struct endpoint *source,
                           const struct endpoint *destination);

/* The newest flow with this key, or NULL; *from is the side of the source. */
struct tracked *table_find(const struct table *table,
                           const struct table_key *key, enum flow_side *from);

/* A new flow, zeroed but for its id, protocol and ends; `from` is the side of
 * the source. From now on it is found by the key, and `before`, which was
 * found by it, no more. May forget another flow. NULL with errno ENOMEM. */
struct tracked *table_add(struct table *table, const struct table_key *key,
                          enum flow_side from, struct tracked *before);

/* It has just had a packet. */
void table_touch(struct table *table, struct tracked *tracked);

/* Add the flow to the sums. */
void table_sum(struct track_totals *totals, const struct flow *flow);

struct flow *table_next(struct table *table, size_t *at);

#endif
