/*
 * TCP (RFC 9293 3.1) and the options that a learner meets: MSS, window scale
 * and timestamps (RFC 7323), SACK (RFC 2018), Fast Open (RFC 7413).
 */
#include "viz/decode/layers.h"

enum {
    KIND_END = 0,
    KIND_NOP = 1,
    KIND_MSS = 2,
    KIND_WINDOW_SCALE = 3,
    KIND_SACK_OK = 4,
    KIND_SACK = 5,
    KIND_TIMESTAMP = 8,
    KIND_FASTOPEN = 34,
    KIND_EXPERIMENT = 254
};

enum { MOST_WINDOW_SCALE = 14, FASTOPEN_MAGIC = 0xf989 };

/* Pairs of sequence numbers, (left, right] of what has arrived out of order. */
static void sack_read(struct rd *value, struct tcp_options *options)
{
    options->sack_count = 0;
    while (value->captured >= 8 && options->sack_count < TCP_SACK_BLOCKS) {
        options->sack[options->sack_count].left = rd_u32(value);
        options->sack[options->sack_count].right = rd_u32(value);
        options->sack_count++;
    }
    options->has |= OPT_SACK;
}

/* One option; false when its length is wrong for its kind. */
static bool option_read(uint8_t kind, struct rd value,
                        struct tcp_options *options)
{
    uint32_t length = value.captured;

    switch (kind) {
    case KIND_MSS:
        if (length != 2)
            return false;
        options->mss = rd_u16(&value);
        options->has |= OPT_MSS;
        return true;
    case KIND_WINDOW_SCALE:
        if (length != 1)
            return false;
        options->window_scale = rd_u8(&value);
        if (options->window_scale > MOST_WINDOW_SCALE) /* RFC 7323 2.3 */
            options->window_scale = MOST_WINDOW_SCALE;
        options->has |= OPT_WSCALE;
        return true;
    case KIND_SACK_OK:
        if (length != 0)
            return false;
        options->has |= OPT_SACK_OK;
        return true;
    case KIND_SACK:
        if (length == 0 || length % 8 != 0)
            return false;
        sack_read(&value, options);
        return true;
    case KIND_TIMESTAMP:
        if (length != 8)
            return false;
        options->ts_value = rd_u32(&value);
        options->ts_echo = rd_u32(&value);
        options->has |= OPT_TIMESTAMP;
        return true;
    case KIND_FASTOPEN:
        options->has |= OPT_FASTOPEN;
        return true;
    case KIND_EXPERIMENT: /* RFC 6994: Fast Open before it had a number */
        if (length >= 2 && rd_u16(&value) == FASTOPEN_MAGIC)
            options->has |= OPT_FASTOPEN;
        return true;
    default:
        return true; /* not known to us, which is no fault */
    }
}

/*
 *  kind 0: end, kind 1: padding, else
 *  +------+--------+-----------------+
 *  | kind | length | length - 2 bytes|
 *  +------+--------+-----------------+
 * A length that cannot be ends the options, one that is wrong for its kind only
 * that option, as in the kernel; the others stand.
 */
static enum decode_status options_read(struct rd *rd,
                                       struct tcp_options *options)
{
    enum decode_status status = DECODE_OK;

    while (rd->captured > 0) {
        uint8_t kind = rd_u8(rd), length;
        struct rd value;

        if (kind == KIND_END)
            break;
        if (kind == KIND_NOP)
            continue;
        length = rd_u8(rd);
        if (rd->failed || length < 2)
            return DECODE_BAD;
        value = rd_take(rd, length - 2u);
        if (rd->failed)
            return DECODE_BAD;
        if (!option_read(kind, value, options))
            status = DECODE_BAD;
    }
    return status;
}

/*
 *   0      4       8              16                            31
 *  +-----------------------------+-----------------------------+
 *  |        source port          |      destination port       |
 *  +-----------------------------+-----------------------------+
 *  |                      sequence number                      |
 *  |                   acknowledgement number                  |
 *  +------+-------+--------------+-----------------------------+
 *  | len/4|reservd|CEUAPRSF flags|           window            |
 *  +------+-------+--------------+-----------------------------+
 *  |          checksum           |       urgent pointer        |
 *  +-----------------------------+-----------------------------+
 *  |            options, then the data at len bytes            |
 */
enum decode_status tcp_read(struct rd *rd, struct packet *packet)
{
    struct tcp_header *header = &packet->tcp;
    enum decode_status status;
    uint32_t length;
    struct rd options;

    packet->source.port = rd_u16(rd);
    packet->destination.port = rd_u16(rd);
    header->seq = rd_u32(rd);
    header->ack = rd_u32(rd);
    length = (rd_u8(rd) >> 4) * 4u;
    header->flags = rd_u8(rd);
    header->window = rd_u16(rd);
    rd_skip(rd, 4);
    if (rd->failed || length < 20 || length - 20 > rd->sent) {
        *header = (struct tcp_header){0};
        return rd->failed ? DECODE_SHORT : DECODE_BAD;
    }
    packet->has_transport = true;
    if (length - 20 > rd->captured) { /* the options were cut off */
        packet->payload_length = rd->sent - (length - 20);
        rd->sent = rd->captured = 0;
        return DECODE_SHORT;
    }
    options = rd_take(rd, length - 20);
    status = options_read(&options, &header->options);
    packet->payload_length = rd->sent;
    packet->payload_captured = rd->captured;
    packet->payload = rd->at;
    return status;
}
