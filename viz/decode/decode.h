/*
 * Bytes in, struct packet out. Ethernet (VLAN, QinQ), BSD loopback, raw IP,
 * Linux SLL and SLL2; IPv4, IPv6, TCP, UDP, ICMP, ICMPv6. Every byte is read
 * through decode/read.h, which cannot pass the end of what was captured.
 */
#ifndef VIZ_DECODE_DECODE_H
#define VIZ_DECODE_DECODE_H

#include "viz/decode/packet.h"

/* Link types, numbered as in pcap files (tcpdump.org/linktypes.html), so that
 * decode needs no pcap.h. */
enum link_type {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW_BSD = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276
};

/* Whether `link` is one of the above. */
bool decode_link_known(int link);

/* Fill *packet from `captured` bytes at `bytes`; number, time_ns and length
 * are the caller's and stay as they are, as does `bytes`, which must live as
 * long as packet->payload is used. Never reads past bytes[captured - 1].
 * Returns packet->status. */
enum decode_status decode_packet(int link, const uint8_t *bytes,
                                 uint32_t captured, struct packet *packet);

/* "127.0.0.1" or "::1" into `text`, at least 46 bytes; returns text. */
char *endpoint_address(const struct endpoint *end, char *text, size_t size);
/* "127.0.0.1:7001" or "[::1]:7001" into `text`, at least 54 bytes. */
char *endpoint_text(const struct endpoint *end, char *text, size_t size);
/* "SYN", "SYN,ACK", "FIN,ACK" ... in the order users say them; at least 40
 * bytes. */
char *tcp_flags_text(uint8_t flags, char *text, size_t size);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

#endif
