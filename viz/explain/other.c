/* What is no TCP segment: datagrams, ICMP, fragments and the rest. */
#include "viz/explain/explain.h"

#include <stddef.h>

static const struct explanation datagram = {
    "A datagram: one message, whole or not at all.",
    "A program sent it. There was no handshake before it and nothing will "
    "acknowledge it.",
    "sendto() or send() sent it and returned at once. recvfrom() at the other "
    "end gets just these bytes, once.",
    "It may be lost, doubled or overtaken and nobody is told. A buffer that is "
    "too small cuts it: the rest is gone.",
    "RFC 768"};

static const struct explanation empty_datagram = {
    "A datagram without a byte, which is allowed.",
    "A program sent nothing on purpose: a sign of life, or the end of "
    "something.",
    "sendto() with length 0. recvfrom() returns 0: with UDP that is no end of "
    "file.",
    "Only the 8 bytes of the UDP header travel. A program that takes 0 for the "
    "end stops here wrongly.",
    "RFC 768"};

static const struct explanation first_fragment = {
    "The first piece of a datagram that was too long for one packet.",
    "The datagram is larger than the MTU, so IP has cut it.",
    "One sendto() made all pieces; recvfrom() returns when the last one is "
    "there.",
    "If one piece is lost all are thrown away after 30 s. Only the first piece "
    "has ports.",
    "RFC 791 3.2"};

static const struct explanation fragment = {
    "A further piece of a datagram that was too long for one packet.",
    "IP has cut the datagram; this piece has no ports, only an offset.",
    "One sendto() made all pieces; recvfrom() returns when the last one is "
    "there.",
    "Pieces belong together by the IP ID. Firewalls often drop them, since "
    "they cannot see the ports.",
    "RFC 791 3.2"};

static const struct {
    uint8_t protocol, type;
    int code; /* -1: any */
    struct explanation text;
} icmp[] = {
    {PROTO_ICMP,
     3,
     3,
     {"Port unreachable: nobody has a socket on that port.",
      "The other machine's kernel got a datagram and had nobody to give it to.",
      "The next send() or recv() on a connected UDP socket fails with "
      "ECONNREFUSED; an unconnected one is not told.",
      "It quotes the start of the datagram, by which the kernel finds the "
      "socket. TCP says the same with a RST.",
      "RFC 1122 4.1.3.3"}},
    {PROTO_ICMP,
     3,
     4,
     {"Fragmentation needed: too big for the next link, and it may not be cut.",
      "A router on the way has a smaller MTU.",
      "No call fails: TCP sends smaller segments; a UDP send() may fail with "
      "EMSGSIZE.",
      "Path MTU discovery lives on these. Where a firewall drops them "
      "connections hang as soon as much is sent.",
      "RFC 1191 3"}},
    {PROTO_ICMP,
     3,
     -1,
     {"Unreachable: no way to that machine or network, or it is forbidden.",
      "A router or the machine itself says that the packet went no further.",
      "connect() fails with EHOSTUNREACH or ENETUNREACH; an open TCP "
      "connection lives on.",
      "For an open connection it is only a hint (a soft error): routes come "
      "back.",
      "RFC 1122 4.2.3.9"}},
    {PROTO_ICMP,
     11,
     -1,
     {"Time exceeded: the packet passed too many routers.",
      "Each router takes one from the TTL; at 0 the packet is dropped and this "
      "is sent.",
      "connect() fails with EHOSTUNREACH; others are not told. traceroute "
      "lives on it.",
      "A loop between routers shows in the same way.", "RFC 792"}},
    {PROTO_ICMP6,
     1,
     4,
     {"Port unreachable (IPv6): nobody has a socket on that port.",
      "The other machine's kernel got a datagram and had nobody to give it to.",
      "The next send() or recv() on a connected UDP socket fails with "
      "ECONNREFUSED.",
      "It quotes the start of the datagram, by which the kernel finds the "
      "socket.",
      "RFC 4443 3.1"}},
    {PROTO_ICMP6,
     1,
     -1,
     {"Unreachable (IPv6): no way there, or it is forbidden.",
      "A router or the machine itself says that the packet went no further.",
      "connect() fails with EHOSTUNREACH, ENETUNREACH or EACCES.",
      "For an open connection it is only a hint.", "RFC 4443 3.1"}},
    {PROTO_ICMP6,
     2,
     -1,
     {"Packet too big (IPv6): routers never cut, they say so.",
      "A link on the way has a smaller MTU.",
      "No call fails: TCP sends smaller segments; a UDP send() may fail with "
      "EMSGSIZE.",
      "IPv6 cannot work without these messages.", "RFC 4443 3.2"}},
    {0,
     0,
     -1,
     {"A message of the network itself (ICMP).",
      "Kernels and routers talk to one another: echo, neighbours, errors.",
      "No TCP or UDP socket sent it; ping uses a socket of its own kind.",
      "ICMP stands beside TCP and UDP on IP, without ports.", "RFC 792"}},
};

static const struct explanation cut = {
    "A packet whose header was cut off: what it said is not known.",
    "The capture kept too few bytes of it, or it was sent so.",
    "No call can be told from it.",
    "viz -s sets how many bytes of a packet are kept.", "RFC 791 3.1"};

static const struct explanation arp = {
    .what = "ARP: which network card has this IPv4 address?",
    .why = "IP finds the network, but a card sends to a card. The kernel asks "
           "everybody on the link before its first packet to a neighbour, and "
           "remembers the answer (ip neighbour).",
    .call = "No call asks it. connect() or send() wait in vain when nobody "
            "answers: EHOSTUNREACH after some seconds.",
    .deeper = "The loopback interface needs none. IPv6 has neighbour "
              "solicitations for it, which are ICMPv6.",
    .rfc = "RFC 826",
};

static const struct explanation arp_reply = {
    .what = "ARP: the answer, on which network card that IPv4 address is.",
    .why = "The kernel that has the address says so to who has asked, or to "
           "all when the address is new.",
    .call = "No call sent it. What waited for it is sent now.",
    .deeper = "Nobody proves that it is true: any machine on the link may "
              "answer. ip neighbour shows what the kernel believes.",
    .rfc = "RFC 826",
};

static const struct explanation stranger = {
    "A packet of a protocol that viz does not read.",
    "Other programs and kernels use the wire too.",
    "No TCP or UDP socket is part of this.",
    "It is counted and shown, and takes part in no connection.", "RFC 791 3.1"};

static const struct explanation *explain_icmp(const struct packet *packet)
{
    size_t i = 0, last = sizeof icmp / sizeof icmp[0] - 1;

    while (i < last &&
           (icmp[i].protocol != packet->protocol ||
            icmp[i].type != packet->icmp.type ||
            (icmp[i].code >= 0 && icmp[i].code != packet->icmp.code)))
        i++;
    return &icmp[i].text;
}

const struct explanation *explain_other(const struct packet *packet)
{
    bool known = packet->protocol == PROTO_UDP ||
                 packet->protocol == PROTO_TCP ||
                 packet->protocol == PROTO_ICMP ||
                 packet->protocol == PROTO_ICMP6;

    if (packet->source.family == 0 && packet->type == TYPE_ARP)
        return packet->arp.operation == ARP_REPLY ? &arp_reply : &arp;
    if (packet->source.family == 0 || !known)
        return &stranger;
    if (packet->fragment_offset > 0)
        return &fragment;
    if (!packet->has_transport)
        return &cut;
    if (packet->protocol == PROTO_UDP)
        return packet->more_fragments        ? &first_fragment
               : packet->payload_length == 0 ? &empty_datagram
                                             : &datagram;
    return explain_icmp(packet);
}
