/*
 * One packet, decoded: what its headers say, in host byte order, and where
 * its payload lies. Nothing here remembers another packet; that is track's.
 * Pure C: no pcap, no sockets, no clock.
 */
#ifndef VIZ_DECODE_PACKET_H
#define VIZ_DECODE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address with its port. IPv4 uses the first four bytes, the rest are 0,
 * so that two of them compare with memcmp(). */
struct endpoint {
    uint8_t family; /* 4, 6, or 0 when the packet has no address */
    uint8_t address[16];
    uint16_t port; /* 0 where the protocol has no ports */
};

enum {
    TCP_FIN = 1,
    TCP_SYN = 2,
    TCP_RST = 4,
    TCP_PSH = 8,
    TCP_ACK = 16,
    TCP_URG = 32,
    TCP_ECE = 64,
    TCP_CWR = 128
};

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

enum { TYPE_ARP = 0x0806 }; /* an EtherType */

enum { TCP_SACK_BLOCKS = 4 };

/* The TCP options that a learner meets; `has` says which were present. */
struct tcp_options {
    enum {
        OPT_MSS = 1,
        OPT_WSCALE = 2,
        OPT_SACK_OK = 4,
        OPT_SACK = 8,
        OPT_TIMESTAMP = 16,
        OPT_FASTOPEN = 32
    } has;
    uint16_t mss;         /* bytes */
    uint8_t window_scale; /* shift, at most 14 (RFC 7323) */
    uint8_t sack_count;   /* blocks in sack[] */
    struct {
        uint32_t left, right;
    } sack[TCP_SACK_BLOCKS];
    uint32_t ts_value, ts_echo;
};

struct tcp_header {
    uint32_t seq, ack;
    uint16_t window; /* as sent: unscaled */
    uint8_t flags;   /* TCP_FIN | ... */
    struct tcp_options options;
};

/* An ICMP error quotes the start of the packet that it is about. */
struct icmp_header {
    uint8_t type, code;
    bool quotes; /* the two below are filled */
    uint8_t quoted_protocol;
    struct endpoint quoted_source, quoted_destination;
    uint32_t mtu; /* of the link for which a packet was too big; else 0 */
};

/* Who has an IPv4 address on this link. */
struct arp_header {
    uint16_t operation; /* ARP_REQUEST, ARP_REPLY; 0: not read */
    uint8_t sender[4], target[4];
    uint8_t card[6]; /* the sender's; zeros where it is no Ethernet */
};

enum { ARP_REQUEST = 1, ARP_REPLY = 2 };

enum decode_status {
    DECODE_OK,    /* every header whole */
    DECODE_SHORT, /* cut by the capture or by the sender: what is set is true */
    DECODE_UNKNOWN, /* not IP, or a protocol we do not read */
    DECODE_BAD      /* contradicts itself (a header length below its minimum) */
};

struct packet {
    uint64_t number; /* place in the capture, from 1; breaks ties of time */
    int64_t time_ns; /* since the Unix epoch */
    uint32_t length; /* on the wire, bytes */
    uint32_t captured;
    enum decode_status status;

    struct endpoint source, destination;
    uint8_t protocol; /* PROTO_*, or what the IP header says */
    uint8_t ttl;
    uint16_t vlan;  /* outermost VLAN id, 0 without one */
    uint16_t type;  /* EtherType of what is not IP; 0: not known */
    uint32_t ip_id; /* IPv4, or the fragment header of IPv6 */
    bool has_ip_id;
    bool dont_fragment, more_fragments;
    uint16_t fragment_offset; /* bytes; not 0: no ports, no TCP header */

    bool has_transport; /* the header above IP was whole but for its options:
                           ports and the union below are set */
    union {
        struct tcp_header tcp;
        struct icmp_header icmp;
        struct arp_header arp; /* where `type` is TYPE_ARP: then no transport */
    };
    uint32_t payload_length;   /* bytes the sender sent above TCP, UDP or ICMP;
                                  first fragment of a datagram: all of it */
    uint32_t payload_captured; /* bytes of them at `payload` */
    const uint8_t *payload;    /* borrowed from the capture's buffer */
};

#endif
