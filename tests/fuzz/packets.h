/*
 * Packets from a few bytes each, for the targets that come after decode: two
 * ends that mostly behave, with every field within the fuzzer's reach, so that
 * it finds handshakes, holes, wraps and closes quickly.
 */
#ifndef TESTS_FUZZ_PACKETS_H
#define TESTS_FUZZ_PACKETS_H

#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "viz/track/track.h"

enum { PACKETS_CONNECTIONS = 4, PACKETS_PAYLOAD = 256, PACKETS_RECENT = 4 };

struct packets {
    bool far; /* the ends are two machines, captured here or there */
    uint64_t number;
    int64_t now_ns;
    uint32_t next[PACKETS_CONNECTIONS][2]; /* sequence numbers */
    uint16_t ip_id[PACKETS_CONNECTIONS][2];
    uint32_t ts[PACKETS_CONNECTIONS][2];
    struct lost_packet recent[PACKETS_RECENT]; /* what names them */
    uint8_t payload[PACKETS_PAYLOAD];
};

static inline struct endpoint packets_end(const struct packets *packets,
                                          int connection, int side)
{
    struct endpoint end = {.family = 4, .address = {127, 0, 0, 1}};

    if (connection == 3) { /* both ends one socket */
        end.port = 7001;
        return end;
    }
    if (connection == 2) {
        end.family = 6;
        memset(end.address, 0xab, sizeof end.address);
    }
    if (packets->far) {
        end.address[0] = 10;
        end.address[3] = (uint8_t)(1 + side);
    }
    end.port = side == 1 ? 7001 : (uint16_t)(40000 + connection);
    return end;
}

/* A step away from the honest number: -127..127, or anywhere. */
static inline uint32_t packets_off(struct input *input, uint32_t honest)
{
    int8_t off = (int8_t)input_u8(input);

    return off == -128 ? input_u32(input) : honest + (uint32_t)(int32_t)off;
}

static inline void packets_options(struct packets *packets, struct input *input,
                                   struct packet *packet, int connection,
                                   int side)
{
    struct tcp_options *options = &packet->tcp.options;
    uint8_t which = input_u8(input);

    if (which & 1) {
        options->has |= OPT_TIMESTAMP;
        options->ts_value = packets_off(input, packets->ts[connection][side]);
        options->ts_echo = packets->ts[connection][!side];
        packets->ts[connection][side] = options->ts_value;
    }
    if (which & 2) {
        options->has |= OPT_WSCALE;
        options->window_scale = input_u8(input) % 15;
    }
    if (which & 4) {
        options->has |= OPT_SACK;
        options->sack_count = (uint8_t)(1 + (which >> 6));
        for (int i = 0; i < options->sack_count; i++) {
            options->sack[i].left = packets_off(
                input, packets->next[connection][!side]);
            options->sack[i].right = options->sack[i].left + input_u8(input);
        }
    }
    if (which & 8) {
        options->has |= OPT_MSS | OPT_SACK_OK;
        options->mss = input_u16(input);
    }
    if (which & 16)
        options->has |= OPT_FASTOPEN;
}

static inline void packets_tcp(struct packets *packets, struct input *input,
                               struct packet *packet, int connection, int side)
{
    struct tcp_header *tcp = &packet->tcp;
    uint32_t *next = &packets->next[connection][side];

    tcp->flags = input_u8(input);
    tcp->seq = packets_off(input, *next);
    tcp->ack = packets_off(input, packets->next[connection][!side]);
    tcp->window = (uint16_t)(input_u8(input) << 4);
    if (tcp->flags & TCP_CWR) /* rare: options follow */
        packets_options(packets, input, packet, connection, side);
    if ((int32_t)(tcp->seq - *next) >= 0)
        *next = tcp->seq + packet->payload_length +
                ((tcp->flags & TCP_SYN) != 0) + ((tcp->flags & TCP_FIN) != 0);
}

static inline void packets_icmp(const struct packets *packets,
                                struct packet *packet, int connection, int side,
                                struct input *input)
{
    static const uint8_t types[] = {3, 11, 12, 4}, types6[] = {1, 2, 3, 4};
    uint8_t code = input_u8(input);

    packet->icmp.type = packets->far ? types[code >> 4 & 3] : 3;
    packet->icmp.code = code % 16;
    if (packets->far && packet->source.family == 6) {
        packet->protocol = PROTO_ICMP6;
        packet->icmp.type = types6[code >> 4 & 3];
    }
    packet->icmp.quotes = true;
    packet->icmp.quoted_protocol = input_u8(input) % 2 ? PROTO_TCP : PROTO_UDP;
    packet->icmp.quoted_source = packets_end(packets, connection, !side);
    packet->icmp.quoted_destination = packets_end(packets, connection, side);
    packet->source.port = packet->destination.port = 0;
}

/* A piece of a datagram: the first, which has the ports, or a later one, as
 * decode gives it. */
static inline void packets_fragment(struct packets *packets,
                                    struct input *input, struct packet *packet,
                                    int connection, int side)
{
    uint8_t which = input_u8(input);

    packet->has_ip_id = true;
    packet->ip_id = packets->ip_id[connection][side] -= which >> 2 & 3;
    packet->more_fragments = which & 1;
    if ((which & 2) == 0)
        return;
    packet->fragment_offset = 1480;
    packet->has_transport = false;
    packet->source.port = packet->destination.port = 0;
}

/* The next packet; its payload lives in *packets until the next call. */
static inline struct packet packets_next(struct packets *packets,
                                         struct input *input)
{
    static const uint8_t protocols[] = {PROTO_TCP, PROTO_TCP, PROTO_UDP,
                                        PROTO_ICMP};
    /* 64: captured there; both are: the pauses of the handshake tell */
    static const uint8_t ttls[PACKETS_CONNECTIONS][2] = {
        {64, 64}, {64, 50}, {50, 50}, {50, 64}};
    uint8_t who = input_u8(input), length = input_u8(input);
    int side = who & 1, connection = who >> 1 & 3;
    struct packet packet = {.number = ++packets->number,
                            .status = DECODE_OK,
                            .protocol = protocols[who >> 3 & 3],
                            .has_transport = true};

    packets->now_ns += (int64_t)(int8_t)input_u8(input) * 1000000;
    packet.time_ns = packets->now_ns;
    packet.source = packets_end(packets, connection, side);
    packet.destination = packets_end(packets, connection, !side);
    if (packets->far)
        packet.ttl = ttls[connection][side];
    packet.has_ip_id = (who & 32) == 0;
    packet.ip_id = packets->ip_id[connection][side] += who & 64 ? -1 : 1;
    packet.vlan = who & 128 ? 5 : 0;
    packet.payload_length = length;
    packet.payload_captured = length;
    packet.payload = packets->payload;
    memset(packets->payload, 'a' + length % 4, length);
    packet.length = packet.captured = 54u + length;
    if (packet.protocol == PROTO_TCP)
        packets_tcp(packets, input, &packet, connection, side);
    else if (packet.protocol == PROTO_UDP && who & 32)
        packets_fragment(packets, input, &packet, connection, side);
    else if (packet.protocol == PROTO_ICMP)
        packets_icmp(packets, &packet, connection, side, input);
    packets->recent[packet.number % PACKETS_RECENT] = lost_packet_of(&packet);
    return packet;
}

/* Whether the input says next that a packet was lost: one of the last, or one
 * that is still to come, or none that ever was. */
static inline bool packets_lost(struct packets *packets, struct input *input,
                                struct lost_packet *lost)
{
    uint8_t how;

    if (input->left < 3 || (input->at[0] >> 3 & 3) != 3 ||
        (input->at[1] & 1) == 0)
        return false;
    input_u16(input);
    how = input_u8(input);
    *lost = packets->recent[how % PACKETS_RECENT];
    if (how & 4)
        lost->ip_id++;
    if (how & 8)
        lost->seq += lost->length;
    return true;
}

/* As a byte each: what connections do, so that the fuzzer finds what it means
 * in any order. The bytes of that packet, or loss, for the two above. */
enum { PACKETS_STEP = 16 };

static inline struct input packets_step(uint8_t byte,
                                        uint8_t bytes[PACKETS_STEP])
{
    enum { TCP = 0, UDP = 16, ICMP = 24, NO_ID = 32, OLD_ID = 64, A = TCP_ACK };
    enum { OPTIONS = TCP_CWR, LONG = 127, SACKS = 4 };
    /* who, length, ms later, then flags, seq, ack, window / 16, options */
    static const int16_t steps[32][PACKETS_STEP] = {
        {TCP, 0, 1, TCP_SYN, 0, 0, -1},
        {TCP, 0, 1, TCP_SYN | OPTIONS, 0, 0, -1, 11, 1, 7, 5, 0},
        {TCP, 0, LONG, TCP_SYN, -1, 0, -1}, /* again */
        {TCP, 0, 1, TCP_SYN, 100, 0, -1},   /* another one, of those ports */
        {TCP, 0, 1, TCP_SYN | A, 0, 0, -1},
        {TCP, 0, 1, TCP_SYN | A | OPTIONS, 0, 0, -1, 11, 1, 7, 5, 0},
        {TCP, 0, LONG, TCP_SYN | A, -1, 0, -1},
        {TCP, 0, 1, A, 0, 0, -1},
        {TCP, 10, 1, A | TCP_PSH, 0, 0, -1},
        {TCP, 10, LONG, A | TCP_PSH, -10, 0, -1}, /* again */
        {TCP, 10, 1, A | TCP_PSH, -10, 0, -1},
        {TCP, 10, 1, A, 10, 0, -1},  /* behind a hole */
        {TCP, 10, 1, A, -20, 0, -1}, /* the hole */
        {TCP, 10, 1, OPTIONS | A, 0, 0, -1, 1, 1},
        {TCP | OLD_ID, 10, LONG, A, -10, 0, -1}, /* the same packet */
        {TCP, 0, 1, A, 0, -10, -1},
        {TCP, 0, 1, OPTIONS | A, 0, -10, -1, SACKS, 0, 10},
        {TCP, 0, 1, A, 0, 100, -1}, /* of what was not seen */
        {TCP, 0, 1, A, 0, 0, 0},    /* a full window, */
        {TCP, 1, LONG, A, 0, 0, -1},
        {TCP, 0, LONG, A, -1, 0, -1}, /* and who asks */
        {TCP, 0, 1, A, 0, 0, 1},
        {TCP, 0, 1, TCP_FIN | A, 0, 0, -1},
        {TCP, 0, LONG, TCP_FIN | A, -1, 0, -1},
        {TCP, 0, 1, TCP_RST, 0, 0, 0},
        {TCP, 0, 1, TCP_RST | A, 0, 0, 0},
        {UDP, 10, 1},
        {UDP, 0, 1},
        {UDP | NO_ID, 100, 1, 1}, /* its first piece, and a later one */
        {UDP | NO_ID, 100, 1, 2},
        {ICMP, 0, 1, 3, 0},
        {ICMP, 1, 0}, /* the last packet was lost */
    };

    for (int i = 0; i < PACKETS_STEP; i++)
        bytes[i] = (uint8_t)steps[byte & 31][i];
    if (bytes[0] == ICMP && bytes[1] == 1)
        bytes[2] = byte >> 5; /* or another one */
    else
        bytes[0] |= (uint8_t)(byte >> 5 & 7);
    return (struct input){bytes, PACKETS_STEP};
}

#endif
