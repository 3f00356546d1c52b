/*
 * ARP (RFC 826), of IPv4 addresses only: who asks for whose link address, and
 * the answer. It has no IP header, so the packet keeps no endpoints.
 */
#include "viz/decode/layers.h"

enum { CARDS_LONGEST = 32, ADDRESS = 4 };

/*
 *  +---------------------------+-----------------------------+
 *  |   kind of link address    |    0x0800: IPv4 addresses   |
 *  +-------------+-------------+-----------------------------+
 *  |  length of  |  length: 4  | operation: 1 who has, 2 has |
 *  +-------------+-------------+-----------------------------+
 *  |  sender's link and IP, target's link and IP address     |
 */
void arp_read(struct rd *rd, struct packet *packet)
{
    struct arp_header arp = {0};
    uint8_t card_length, address_length;
    uint16_t type;

    rd_skip(rd, 2);
    type = rd_u16(rd);
    card_length = rd_u8(rd);
    address_length = rd_u8(rd);
    arp.operation = rd_u16(rd);
    if (type != NEXT_IPV4 || address_length != ADDRESS ||
        card_length > CARDS_LONGEST)
        return;
    if (card_length == sizeof arp.card)
        rd_copy(rd, arp.card, sizeof arp.card);
    else
        rd_skip(rd, card_length);
    rd_copy(rd, arp.sender, ADDRESS);
    rd_skip(rd, card_length);
    rd_copy(rd, arp.target, ADDRESS);
    if (!rd->failed)
        packet->arp = arp;
}
