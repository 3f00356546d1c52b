/*
 * Link headers: what lies in front of IP. Ethernet with VLAN tags (IEEE 802.3,
 * 802.1Q, 802.1ad), BSD loopback, raw IP, Linux "cooked" captures (what the
 * interface `any` gives), PPP (RFC 1661). Layouts: tcpdump.org/linktypes.html.
 */
#include "viz/decode/decode.h"
#include "viz/decode/layers.h"

enum { MOST_VLAN_TAGS = 4 }; /* QinQ has two */

enum { TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8, TYPE_QINQ_OLD = 0x9100 };

static uint16_t next_of(uint16_t type)
{
    return type == NEXT_IPV4 || type == NEXT_IPV6 ? type : NEXT_OTHER;
}

/*
 *   type 0x8100, 0x88a8 or 0x9100 has led here
 *  +-----+-+------------+----------------+
 *  | PCP |D|  VLAN id   |  type of next  |
 *  +-----+-+------------+----------------+
 *     3   1     12              16         bits
 */
static enum decode_status vlan_read(struct rd *rd, struct packet *packet,
                                    uint16_t *type)
{
    for (int tags = 0;
         *type == TYPE_VLAN || *type == TYPE_QINQ || *type == TYPE_QINQ_OLD;
         tags++) {
        uint16_t id;

        if (tags == MOST_VLAN_TAGS)
            return DECODE_UNKNOWN;
        id = rd_u16(rd) & 0x0fff;
        *type = rd_u16(rd);
        if (rd->failed)
            return DECODE_SHORT;
        if (tags == 0)
            packet->vlan = id;
    }
    return DECODE_OK;
}

/*
 *  +------------------+-------------+----------+
 *  | destination (48) | source (48) | type(16) |
 *  +------------------+-------------+----------+
 * A type up to 1500 is a length (802.3 with LLC), which carries no IP.
 */
static enum decode_status ethernet_read(struct rd *rd, struct packet *packet,
                                        uint16_t *next)
{
    enum decode_status status;
    uint16_t type;

    rd_skip(rd, 12);
    type = rd_u16(rd);
    if (rd->failed)
        return DECODE_SHORT;
    status = vlan_read(rd, packet, &type);
    *next = next_of(type);
    packet->type = *next == NEXT_OTHER ? type : 0;
    return status;
}

/*
 * Four bytes: the address family, whose number depends on the system that
 * captured and, for LINK_NULL, on its byte order. LINK_LOOP (OpenBSD) is in
 * network order.
 */
static enum decode_status loopback_read(struct rd *rd, uint16_t *next)
{
    uint32_t family = rd_u32(rd);

    if (rd->failed)
        return DECODE_SHORT;
    if (family > 0xffff) /* the other byte order */
        family = family >> 24 | (family >> 8 & 0xff00);
    switch (family) {
    case 2: /* AF_INET everywhere */
        *next = NEXT_IPV4;
        break;
    case 10: /* AF_INET6: Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        *next = NEXT_IPV6;
        break;
    default:
        *next = NEXT_OTHER;
    }
    return DECODE_OK;
}

/* No link header: the version in the first four bits tells. */
static enum decode_status raw_read(struct rd *rd, uint16_t *next)
{
    int first = rd_peek(rd);

    if (first < 0)
        return DECODE_SHORT;
    *next = first >> 4 == 4   ? NEXT_IPV4
            : first >> 4 == 6 ? NEXT_IPV6
                              : NEXT_OTHER;
    return DECODE_OK;
}

/*
 * LINK_LINUX_SLL, 16 bytes:
 *  +-----------+-------------+----------------+------------+----------+
 *  | from/to   | device type | address length | address    | type     |
 *  |    (16)   |    (16)     |     (16)       |    (64)    |   (16)   |
 *  +-----------+-------------+----------------+------------+----------+
 * LINK_LINUX_SLL2, 20 bytes:
 *  +------+----------+-----------+--------+---------+--------+---------+
 *  | type | reserved | interface | device | from/to | length | address |
 *  | (16) |   (16)   |   (32)    |  (16)  |   (8)   |  (8)   |  (64)   |
 *  +------+----------+-----------+--------+---------+--------+---------+
 */
static enum decode_status cooked_read(int link, struct rd *rd,
                                      struct packet *packet, uint16_t *next)
{
    enum decode_status status;
    uint16_t type;

    if (link == LINK_LINUX_SLL) {
        rd_skip(rd, 14);
        type = rd_u16(rd);
    } else {
        type = rd_u16(rd);
        rd_skip(rd, 18);
    }
    if (rd->failed)
        return DECODE_SHORT;
    status = vlan_read(rd, packet, &type);
    *next = next_of(type);
    packet->type = *next == NEXT_OTHER ? type : 0;
    return status;
}

/*
 *  [ff 03] [00] 21     0x0021 IPv4, 0x0057 IPv6
 * The address and control bytes and the leading zero may have been left out
 * (RFC 1661 6.5 and 6.6); the last byte of a protocol number is odd.
 */
static enum decode_status ppp_read(struct rd *rd, uint16_t *next)
{
    uint16_t protocol;

    if (rd_peek(rd) == 0xff)
        rd_skip(rd, 2);
    protocol = rd_u8(rd);
    if ((protocol & 1) == 0)
        protocol = (uint16_t)(protocol << 8 | rd_u8(rd));
    if (rd->failed)
        return DECODE_SHORT;
    *next = protocol == 0x0021   ? NEXT_IPV4
            : protocol == 0x0057 ? NEXT_IPV6
                                 : NEXT_OTHER;
    return DECODE_OK;
}

enum decode_status link_read(int link, struct rd *rd, struct packet *packet,
                             uint16_t *next)
{
    switch (link) {
    case LINK_ETHERNET:
        return ethernet_read(rd, packet, next);
    case LINK_NULL:
    case LINK_LOOP:
        return loopback_read(rd, next);
    case LINK_LINUX_SLL:
    case LINK_LINUX_SLL2:
        return cooked_read(link, rd, packet, next);
    case LINK_PPP:
        return ppp_read(rd, next);
    case LINK_IPV4:
        *next = NEXT_IPV4;
        return DECODE_OK;
    case LINK_IPV6:
        *next = NEXT_IPV6;
        return DECODE_OK;
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
        return raw_read(rd, next);
    default:
        *next = NEXT_OTHER;
        return DECODE_UNKNOWN;
    }
}
