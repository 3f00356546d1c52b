/*
 * ICMP (RFC 792) and ICMPv6 (RFC 4443). An error message quotes the start of
 * the packet that it is about: its IP header and at least the ports.
 */
#include "viz/decode/layers.h"

/* Types whose body is a quoted packet. */
static bool is_error(uint8_t protocol, uint8_t type)
{
    if (protocol == PROTO_ICMP6)
        return type < 128;
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* The quote is always cut, so a failure means only "not this far". */
static void quote_read(struct rd quote, struct packet *packet)
{
    struct icmp_header *icmp = &packet->icmp;
    struct packet quoted = {0};
    enum decode_status status = packet->protocol == PROTO_ICMP6
                                    ? ip6_read(&quote, &quoted)
                                    : ip4_read(&quote, &quoted);

    if (quote.failed || status == DECODE_BAD || quoted.fragment_offset != 0)
        return;
    if (quoted.protocol == PROTO_TCP || quoted.protocol == PROTO_UDP) {
        quoted.source.port = rd_u16(&quote);
        quoted.destination.port = rd_u16(&quote);
        if (quote.failed)
            return;
    }
    icmp->quotes = true;
    icmp->quoted_protocol = quoted.protocol;
    icmp->quoted_source = quoted.source;
    icmp->quoted_destination = quoted.destination;
}

/*
 *  +-------------+-------------+-----------------------------+
 *  |    type     |    code     |          checksum           |
 *  +-------------+-------------+-----------------------------+
 *  |          depends on the type (an id, an MTU, 0)         |
 *  +---------------------------------------------------------+
 *  |      an error: the start of the packet it is about      |
 */
enum decode_status icmp_read(struct rd *rd, struct packet *packet)
{
    uint32_t rest;

    packet->icmp.type = rd_u8(rd);
    packet->icmp.code = rd_u8(rd);
    rd_skip(rd, 2);
    rest = rd_u32(rd);
    if (rd->failed) {
        packet->icmp = (struct icmp_header){0};
        return DECODE_SHORT;
    }
    if (packet->protocol == PROTO_ICMP && packet->icmp.type == 3 &&
        packet->icmp.code == 4)
        packet->icmp.mtu = rest & 0xFFFF; /* RFC 1191 4 */
    else if (packet->protocol == PROTO_ICMP6 && packet->icmp.type == 2)
        packet->icmp.mtu = rest;
    packet->has_transport = true;
    packet->payload = rd->at;
    packet->payload_length = rd->sent;
    packet->payload_captured = rd->captured;
    if (is_error(packet->protocol, packet->icmp.type))
        quote_read(*rd, packet);
    return DECODE_OK;
}
