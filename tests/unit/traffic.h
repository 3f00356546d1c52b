/*
 * Traffic made by hand for tests of what comes after decode: packets of a few
 * words each, through track into a store.
 */
#ifndef TESTS_UNIT_TRAFFIC_H
#define TESTS_UNIT_TRAFFIC_H

#include <stdlib.h>
#include <string.h>

#include "viz/events/store.h"

struct traffic {
    struct track *track;
    struct store *store;
    uint64_t number;
    int64_t now_ns;
    uint8_t family;
    const enum verdict_name *extra; /* said of each packet too; NULL: nothing */
};

/* Where the tests' time begins: not 0, which stands for "none". */
#define TRAFFIC_START INT64_C(1700000000000000000)

static inline void traffic_init(struct traffic *traffic)
{
    *traffic = (struct traffic){.track = track_new(0),
                                .store = store_new(0),
                                .now_ns = TRAFFIC_START,
                                .family = 4};
}

static inline void traffic_fini(struct traffic *traffic)
{
    store_free(traffic->store);
    track_free(traffic->track);
}

static inline struct endpoint traffic_end(const struct traffic *traffic,
                                          uint16_t port)
{
    struct endpoint end = {.family = traffic->family, .port = port};

    if (traffic->family == 4) {
        memcpy(end.address, "\x7F\0\0\1", 4);
    } else {
        memset(end.address, 0xAB, sizeof end.address);
        end.address[15] = (uint8_t)port;
    }
    return end;
}

/* Give one packet to track and the store, a tenth of a millisecond after the
 * one before it. */
static inline void traffic_take(struct traffic *traffic, struct packet *packet,
                                const void *payload, size_t length)
{
    struct note note = {0};
    struct event event = {.kind = EVENT_PACKET};

    traffic->now_ns += 100000;
    packet->number = ++traffic->number;
    packet->time_ns = traffic->now_ns;
    packet->has_transport = true;
    packet->payload = payload;
    packet->payload_length = packet->payload_captured = (uint32_t)length;
    packet->length = packet->captured = (uint32_t)(54 + length);
    if (track_feed(traffic->track, packet, &note) < 0)
        abort();
    if (traffic->extra && note.verdict_count < NOTE_VERDICTS)
        note.verdicts[note.verdict_count++].name = *traffic->extra;
    event.time_ns = packet->time_ns;
    event.packet = packet;
    event.note = &note;
    store_event(traffic->store, &event);
}

static inline void traffic_tcp(struct traffic *traffic, uint16_t from,
                               uint16_t to, uint8_t flags, uint32_t seq,
                               uint32_t ack, const void *payload, size_t length)
{
    struct packet packet = {.protocol = PROTO_TCP};

    packet.source = traffic_end(traffic, from);
    packet.destination = traffic_end(traffic, to);
    packet.tcp.flags = flags;
    packet.tcp.seq = seq;
    packet.tcp.ack = ack;
    packet.tcp.window = 65000;
    traffic_take(traffic, &packet, payload, length);
}

static inline void traffic_udp(struct traffic *traffic, uint16_t from,
                               uint16_t to, const void *payload, size_t length)
{
    struct packet packet = {.protocol = PROTO_UDP};

    packet.source = traffic_end(traffic, from);
    packet.destination = traffic_end(traffic, to);
    traffic_take(traffic, &packet, payload, length);
}

/* A connection up to its handshake; numbers count from 1000 and 5000. */
static inline void traffic_connect(struct traffic *traffic, uint16_t client,
                                   uint16_t server)
{
    traffic_tcp(traffic, client, server, TCP_SYN, 1000, 0, NULL, 0);
    traffic_tcp(traffic, server, client, TCP_SYN | TCP_ACK, 5000, 1001, NULL,
                0);
    traffic_tcp(traffic, client, server, TCP_ACK, 1001, 5001, NULL, 0);
}

/* The kernel's word: a complete look that shows one socket as it is. */
static inline void traffic_look(struct traffic *traffic,
                                const struct socket_sample *socket)
{
    struct event event = {.kind = EVENT_SOCKET, .time_ns = traffic->now_ns};

    event.socket = *socket;
    store_event(traffic->store, &event);
    event = (struct event){.kind = EVENT_LOOKED, .time_ns = traffic->now_ns};
    store_event(traffic->store, &event);
}

/* The same of a few words; a process holds it. */
static inline void traffic_kernel(struct traffic *traffic, enum tcp_state state,
                                  uint16_t local, uint16_t remote,
                                  uint32_t unread)
{
    struct socket_sample socket = {
        .protocol = PROTO_TCP,
        .state = state,
        .local = traffic_end(traffic, local),
        .receive_queue = unread,
        .inode = 1,
        .cookie = (uint64_t)local << 16 | remote,
    };

    if (remote != 0)
        socket.remote = traffic_end(traffic, remote);
    traffic_look(traffic, &socket);
}

#endif
