/* UDP (RFC 768): ports, a length, and a datagram that may be in fragments. */
#include "viz/decode/layers.h"

/*
 *  +-----------------------------+-----------------------------+
 *  |        source port          |      destination port       |
 *  +-----------------------------+-----------------------------+
 *  |   length, these 8 too       |          checksum           |
 *  +-----------------------------+-----------------------------+
 */
enum decode_status udp_read(struct rd *rd, struct packet *packet)
{
    uint32_t length;

    packet->source.port = rd_u16(rd);
    packet->destination.port = rd_u16(rd);
    length = rd_u16(rd);
    rd_skip(rd, 2);
    if (rd->failed)
        return DECODE_SHORT;
    if (length == 0) /* longer than 16 bits can say (RFC 2675, and GSO) */
        length = 8 + rd->sent;
    if (length < 8)
        return DECODE_BAD;
    length -= 8;
    packet->has_transport = true;
    packet->payload = rd->at;
    packet->payload_captured = length < rd->captured ? length : rd->captured;
    packet->payload_length = length;
    if (length <= rd->sent || packet->more_fragments)
        return DECODE_OK; /* the first fragment tells of the whole datagram */
    packet->payload_length = rd->sent;
    return DECODE_SHORT;
}
