/*
 * Between the files of decode: each reads one header, moves the reader behind
 * it and fills its part of the packet. A packet arrives zeroed and with status
 * DECODE_OK. Whatever is not DECODE_OK ends the packet there.
 */
#ifndef VIZ_DECODE_LAYERS_H
#define VIZ_DECODE_LAYERS_H

#include "viz/decode/packet.h"
#include "viz/decode/read.h"

/* What a link header says comes next, as an EtherType. */
enum { NEXT_IPV4 = 0x0800, NEXT_IPV6 = 0x86dd, NEXT_OTHER = 0 };

enum decode_status link_read(int link, struct rd *rd, struct packet *packet,
                             uint16_t *next);

enum decode_status ip4_read(struct rd *rd, struct packet *packet);
enum decode_status ip6_read(struct rd *rd, struct packet *packet);

enum decode_status tcp_read(struct rd *rd, struct packet *packet);
enum decode_status udp_read(struct rd *rd, struct packet *packet);
/* Not above IP: packet->arp, where it is of IPv4 addresses and whole. */
void arp_read(struct rd *rd, struct packet *packet);
/* ICMP of IPv4 and of IPv6: packet->protocol says which. */
enum decode_status icmp_read(struct rd *rd, struct packet *packet);

#endif
