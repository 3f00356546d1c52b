/*
 * From link to transport, one header after the other. See decode.h for the
 * contract; each header's layout is drawn in the file that reads it.
 */
#include "viz/decode/decode.h"

#include "viz/decode/layers.h"

bool decode_link_known(int link)
{
    switch (link) {
    case LINK_NULL:
    case LINK_ETHERNET:
    case LINK_PPP:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_RAW:
    case LINK_LOOP:
    case LINK_LINUX_SLL:
    case LINK_IPV4:
    case LINK_IPV6:
    case LINK_LINUX_SLL2:
        return true;
    default:
        return false;
    }
}

static enum decode_status transport_read(struct rd *rd, struct packet *packet)
{
    if (packet->fragment_offset != 0) { /* the header went with the first */
        packet->payload = rd->at;
        packet->payload_length = rd->sent;
        packet->payload_captured = rd->captured;
        return DECODE_OK;
    }
    switch (packet->protocol) {
    case PROTO_TCP:
        return tcp_read(rd, packet);
    case PROTO_UDP:
        return udp_read(rd, packet);
    case PROTO_ICMP:
    case PROTO_ICMP6:
        return icmp_read(rd, packet);
    default:
        return DECODE_UNKNOWN;
    }
}

static enum decode_status layers_read(int link, struct rd *rd,
                                      struct packet *packet)
{
    enum decode_status status, above;
    uint16_t next;

    status = link_read(link, rd, packet, &next);
    if (status != DECODE_OK)
        return status;
    if (next == NEXT_OTHER) {
        if (packet->type == TYPE_ARP)
            arp_read(rd, packet);
        return DECODE_UNKNOWN;
    }
    status = next == NEXT_IPV4 ? ip4_read(rd, packet) : ip6_read(rd, packet);
    /* fewer bytes than IP promises is no reason not to read those */
    if (status != DECODE_OK && (status != DECODE_SHORT || rd->failed))
        return status;
    above = transport_read(rd, packet);
    return above != DECODE_OK ? above : status;
}

enum decode_status decode_packet(int link, const uint8_t *bytes,
                                 uint32_t captured, struct packet *packet)
{
    struct rd rd = rd_over(bytes, captured, packet->length);

    /* in place: a copy of what was just written piece by piece is slow */
    memset(&packet->status, 0,
           sizeof *packet - offsetof(struct packet, status));
    packet->captured = captured;
    packet->status = layers_read(link, &rd, packet);
    return packet->status;
}
