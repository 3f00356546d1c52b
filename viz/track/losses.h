/*
 * Packets that were captured and then lost on the way, as who lost them says:
 * what their arrival did to the receiver is taken back, or left out when the
 * word came first. A few of each are remembered; the oldest give way.
 */
#ifndef VIZ_TRACK_LOSSES_H
#define VIZ_TRACK_LOSSES_H

#include "viz/track/table.h"

struct segment;

/* The part of an end that an arriving segment moves. */
struct standing {
    int64_t since_ns;
    uint8_t states[FLOW_STATES];
    enum tcp_state state;
    uint16_t states_seen;
    uint8_t state_count;
    bool assumed, fin_received;
    bool refused; /* the flow */
};

enum { LOSSES_MOST = 64 };

/* Zeroed is empty. */
struct losses {
    struct arrival { /* a segment that moved its receiver */
        struct lost_packet packet;
        int64_t time_ns;         /* 0: free */
        struct tracked *tracked; /* while its flow has this id: */
        uint32_t flow;
        enum flow_side to;
        bool fin;
        struct standing before, after;
    } arrivals[LOSSES_MOST];
    struct awaited { /* told before it was captured */
        struct lost_packet packet;
        int64_t time_ns; /* 0: free */
    } awaited[LOSSES_MOST];
    size_t next_arrival, next_awaited;
};

/* Whether the packet, which comes now, is one that was told lost before. */
bool losses_awaited(struct losses *losses, const struct packet *packet);

void standing_take(struct standing *standing, const struct flow *flow,
                   enum flow_side side, const struct memory *memory);
/* The segment has arrived, and its receiver was `before` until then. */
void losses_arrived(struct losses *losses, const struct segment *segment,
                    const struct standing *before);

/* The segment has just arrived. If its arrival alone would have moved the
 * receiver as the one before it did, that one may be lost without harm.
 * `arrive` does what arriving does to segment->receiver. */
void losses_confirm(struct losses *losses, struct segment *segment,
                    void (*arrive)(struct segment *segment));

/* This packet was lost at that time. The flow whose receiver was taken back;
 * NULL when nothing had moved, or the packet is not there yet. */
struct flow *losses_lost(struct losses *losses, const struct lost_packet *lost,
                         int64_t time_ns);

#endif
