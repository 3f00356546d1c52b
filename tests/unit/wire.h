/*
 * A small wire for unit tests: segments and datagrams between a client and a
 * server on loopback, numbered as a kernel would, through the real tracker, to
 * any sink of events. Only for tests/unit/check_*.c.
 */
#ifndef TESTS_UNIT_WIRE_H
#define TESTS_UNIT_WIRE_H

#include <check.h>
#include <string.h>

#include "viz/decode/packet.h"
#include "viz/events/event.h"
#include "viz/track/track.h"

struct wire {
    struct track *track;
    event_sink_fn *sink;
    void *self;
    uint64_t packets;
    int64_t now_ns;
};

/* One connection on it. */
struct link {
    struct wire *wire;
    struct endpoint end[2]; /* client, server */
    uint32_t next[2], seen[2];
    uint16_t ids[2];
};

static inline void wire_init(struct wire *wire, event_sink_fn *sink, void *self)
{
    *wire = (struct wire){.track = track_new(0),
                          .sink = sink,
                          .self = self,
                          .now_ns = INT64_C(1700000000000000000)};
    ck_assert_ptr_nonnull(wire->track);
}

static inline void wire_fini(struct wire *wire)
{
    track_free(wire->track);
}

static inline void wire_send(struct wire *wire, struct packet *packet)
{
    struct note note = {0};
    struct event event = {.kind = EVENT_PACKET};

    wire->now_ns += 1000;
    packet->number = ++wire->packets;
    packet->time_ns = event.time_ns = wire->now_ns;
    packet->length = packet->captured = 54 + packet->payload_length;
    if (track_feed(wire->track, packet, &note) < 0)
        ck_abort_msg("the tracker has no memory");
    event.packet = packet;
    event.note = &note;
    wire->sink(wire->self, &event);
}

static inline struct link link_make(struct wire *wire, uint16_t client,
                                    uint16_t server)
{
    struct endpoint loopback = {.family = 4, .address = {127, 0, 0, 1}};
    struct link link = {.wire = wire,
                        .end = {loopback, loopback},
                        .next = {1000, 5000},
                        .ids = {100, 900}};

    link.end[0].port = client;
    link.end[1].port = server;
    return link;
}

/* The packet that `from` would send now, its numbers not yet used up. */
static inline struct packet link_packet(struct link *link, enum flow_side from,
                                        uint8_t flags, const char *payload)
{
    size_t length = strlen(payload);

    return (struct packet){
        .status = DECODE_OK,
        .has_transport = true,
        .source = link->end[from],
        .destination = link->end[!from],
        .protocol = PROTO_TCP,
        .ip_id = link->ids[from]++,
        .has_ip_id = true,
        .tcp = {.seq = link->next[from],
                .ack = (flags & TCP_ACK) ? link->next[!from] : 0,
                .window = 65535,
                .flags = flags},
        .payload_length = (uint32_t)length,
        .payload_captured = (uint32_t)length,
        .payload = (const uint8_t *)payload,
    };
}

static inline void link_send(struct link *link, enum flow_side from,
                             uint8_t flags, const char *payload)
{
    struct packet packet = link_packet(link, from, flags, payload);

    wire_send(link->wire, &packet);
    link->next[from] += packet.payload_length + ((flags & TCP_SYN) != 0) +
                        ((flags & TCP_FIN) != 0);
}

/* Once more what was sent last with so many bytes. */
static inline void link_resend(struct link *link, enum flow_side from,
                               uint8_t flags, const char *payload)
{
    uint32_t next = link->next[from];

    link->next[from] -= (uint32_t)strlen(payload) + ((flags & TCP_SYN) != 0) +
                        ((flags & TCP_FIN) != 0);
    link_send(link, from, flags, payload);
    link->next[from] = next;
}

static inline void link_open(struct link *link)
{
    link_send(link, FLOW_CLIENT, TCP_SYN, "");
    link_send(link, FLOW_SERVER, TCP_SYN | TCP_ACK, "");
    link_send(link, FLOW_CLIENT, TCP_ACK, "");
}

static inline void link_data(struct link *link, enum flow_side from,
                             const char *payload)
{
    link_send(link, from, TCP_PSH | TCP_ACK, payload);
    link_send(link, !from, TCP_ACK, "");
}

/* `from` closes first, the other end after it. */
static inline void link_close(struct link *link, enum flow_side from)
{
    link_send(link, from, TCP_FIN | TCP_ACK, "");
    link_send(link, !from, TCP_ACK, "");
    link_send(link, !from, TCP_FIN | TCP_ACK, "");
    link_send(link, from, TCP_ACK, "");
}

static inline void link_datagram(struct link *link, enum flow_side from,
                                 const char *payload)
{
    struct packet packet = link_packet(link, from, 0, payload);

    packet.protocol = PROTO_UDP;
    wire_send(link->wire, &packet);
}

/* ICMP port unreachable, about a datagram from `about`. */
static inline void link_unreachable(struct link *link, enum flow_side about)
{
    struct packet packet = link_packet(link, !about, 0, "");

    packet.protocol = PROTO_ICMP;
    memset(&packet.tcp, 0, sizeof packet.tcp);
    packet.source.port = packet.destination.port = 0;
    packet.icmp = (struct icmp_header){.type = 3,
                                       .code = 3,
                                       .quotes = true,
                                       .quoted_protocol = PROTO_UDP,
                                       .quoted_source = link->end[about],
                                       .quoted_destination = link->end[!about]};
    wire_send(link->wire, &packet);
}

/* What the kernel says of the socket at one end. */
static inline struct socket_sample link_socket(const struct link *link,
                                               enum flow_side side,
                                               enum tcp_state state)
{
    struct socket_sample socket = {
        .protocol = PROTO_TCP,
        .state = state,
        .local = link->end[side],
        .cookie = link->end[0].port * UINT64_C(100) + side * 50 + state,
        .inode = 1,
    };

    if (state != TCP_LISTEN)
        socket.remote = link->end[!side];
    return socket;
}

static inline void wire_socket(struct wire *wire, enum event_kind kind,
                               const struct socket_sample *socket)
{
    struct event event = {.kind = kind, .time_ns = wire->now_ns};

    event.socket = *socket;
    wire->sink(wire->self, &event);
}

static inline void wire_looked(struct wire *wire)
{
    struct event event = {.kind = EVENT_LOOKED, .time_ns = wire->now_ns};

    wire->sink(wire->self, &event);
}

#endif
