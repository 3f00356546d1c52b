/*
 * IPv4 (RFC 791) and IPv6 (RFC 8200) with its extension headers. Bounds the
 * reader by the length that the sender wrote, so that Ethernet's padding is
 * never taken for payload. Fragments after the first have no ports.
 */
#include "viz/decode/layers.h"

enum { MOST_EXTENSIONS = 8 };

/* Bound the reader to the `length` bytes that the header says follow it. Fewer
 * on the wire: cut by the sender, or a lie. */
static enum decode_status bound(struct rd *rd, uint32_t length)
{
    bool missing = length > rd->sent;

    rd_bound(rd, length);
    return missing ? DECODE_SHORT : DECODE_OK;
}

/*
 *   0      4      8            16    19                     31
 *  +------+------+------------+---------------------------+
 *  |  4   | IHL  |  DSCP,ECN  |      total length         |
 *  +------+------+------------+-----+---------------------+
 *  |      identification      |0|D|M|  fragment offset / 8|
 *  +-------------+------------+-----+---------------------+
 *  |     TTL     |  protocol  |      checksum             |
 *  +-------------+------------+---------------------------+
 *  |                    source address                    |
 *  |                  destination address                 |
 *  |              options, up to IHL 32-bit words         |
 *  +------------------------------------------------------+
 * The checksum is not looked at: on loopback it is often not computed.
 */
enum decode_status ip4_read(struct rd *rd, struct packet *packet)
{
    uint8_t first = rd_u8(rd);
    uint32_t header = (first & 15u) * 4, total;
    uint16_t fragment;

    rd_skip(rd, 1);
    total = rd_u16(rd);
    packet->ip_id = rd_u16(rd);
    fragment = rd_u16(rd);
    packet->ttl = rd_u8(rd);
    packet->protocol = rd_u8(rd);
    rd_skip(rd, 2);
    rd_copy(rd, packet->source.address, 4);
    rd_copy(rd, packet->destination.address, 4);
    if (rd->failed)
        return DECODE_SHORT;
    packet->source.family = packet->destination.family = 4;
    packet->has_ip_id = true;
    packet->dont_fragment = fragment & 0x4000;
    packet->more_fragments = fragment & 0x2000;
    packet->fragment_offset = (uint16_t)((fragment & 0x1fff) * 8);
    if (first >> 4 != 4 || header < 20)
        return DECODE_BAD;
    rd_skip(rd, header - 20);
    if (rd->failed)
        return DECODE_SHORT;
    if (total == 0) /* longer than 16 bits can say: cut up by the card (TSO) */
        return DECODE_OK;
    if (total < header)
        return DECODE_BAD;
    return bound(rd, total - header);
}

/* Numbers of extension headers, RFC 8200 4 and the IANA registry. */
enum {
    NEXT_HOP_BY_HOP = 0,
    NEXT_ROUTING = 43,
    NEXT_FRAGMENT = 44,
    NEXT_AUTHENTICATION = 51,
    NEXT_NONE = 59,
    NEXT_DESTINATION = 60,
    NEXT_MOBILITY = 135,
    NEXT_HIP = 139,
    NEXT_SHIM6 = 140
};

/*
 *  +-------------+-------------+------------------------+-+-+
 *  | next header |  reserved   |  fragment offset / 8   |0|M|
 *  +-------------+-------------+------------------------+-+-+
 *  |                    identification                      |
 *  +--------------------------------------------------------+
 */
static void fragment_read(struct rd *rd, struct packet *packet)
{
    uint16_t field;

    packet->protocol = rd_u8(rd);
    rd_skip(rd, 1);
    field = rd_u16(rd);
    packet->ip_id = rd_u32(rd);
    if (rd->failed)
        return;
    packet->has_ip_id = true;
    packet->fragment_offset = field & 0xfff8;
    packet->more_fragments = field & 1;
}

/* All others begin with the next header's number and their own length, in
 * units of 8 bytes beyond the first 8 (authentication, RFC 4302: of 4). */
static void extension_read(struct rd *rd, struct packet *packet)
{
    uint8_t kind = packet->protocol, length;

    packet->protocol = rd_u8(rd);
    length = rd_u8(rd);
    if (kind == NEXT_AUTHENTICATION)
        rd_skip(rd, (length + 2u) * 4 - 2);
    else
        rd_skip(rd, (length + 1u) * 8 - 2);
}

static enum decode_status extensions_read(struct rd *rd, struct packet *packet)
{
    for (int n = 0; n < MOST_EXTENSIONS; n++) {
        switch (packet->protocol) {
        case NEXT_FRAGMENT:
            fragment_read(rd, packet);
            break;
        case NEXT_HOP_BY_HOP:
        case NEXT_ROUTING:
        case NEXT_AUTHENTICATION:
        case NEXT_DESTINATION:
        case NEXT_MOBILITY:
        case NEXT_HIP:
        case NEXT_SHIM6:
            extension_read(rd, packet);
            break;
        default:
            return DECODE_OK;
        }
        if (rd->failed)
            return DECODE_SHORT;
        if (packet->fragment_offset != 0)
            return DECODE_OK; /* what follows belongs to the first fragment */
    }
    return DECODE_UNKNOWN;
}

/*
 *  +------+---------------+-------------------------------+
 *  |  6   | traffic class |          flow label           |
 *  +------+---------------+-------+-------------+---------+
 *  |       payload length         | next header | hop lim.|
 *  +------------------------------+-------------+---------+
 *  |                 source address (128)                 |
 *  |              destination address (128)               |
 *  +------------------------------------------------------+
 */
enum decode_status ip6_read(struct rd *rd, struct packet *packet)
{
    uint8_t version = rd_u8(rd) >> 4;
    enum decode_status status = DECODE_OK, extensions;
    uint32_t length;

    rd_skip(rd, 3);
    length = rd_u16(rd);
    packet->protocol = rd_u8(rd);
    packet->ttl = rd_u8(rd);
    rd_copy(rd, packet->source.address, 16);
    rd_copy(rd, packet->destination.address, 16);
    if (rd->failed)
        return DECODE_SHORT;
    packet->source.family = packet->destination.family = 6;
    if (version != 6)
        return DECODE_BAD;
    /* 0: a jumbogram (RFC 2675) or a segment that the card cuts up, unless
     * there is nothing to follow */
    if (length != 0 || packet->protocol == NEXT_NONE)
        status = bound(rd, length);
    extensions = extensions_read(rd, packet);
    return extensions != DECODE_OK ? extensions : status;
}
