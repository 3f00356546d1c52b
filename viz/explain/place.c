/* Where the capture was made and what can be known there; and what is special
 * about a packet beside its flags. */
#include "viz/explain/explain.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *where, *more;
} vantages[] = {
    [VANTAGE_UNKNOWN] = {"captured, the packets do not tell where",
                         "TTLs and the handshake's pauses tell it, when they "
                         "are seen."},
    [VANTAGE_CLIENT] =
        {"captured near the client",
         "What the client sends is seen before it can be lost; what the server "
         "sends may be lost before it comes here."},
    [VANTAGE_SERVER] =
        {"captured near the server",
         "What the server sends is seen before it can be lost; what the client "
         "sends may be lost before it comes here."},
    [VANTAGE_BOTH] = {"captured where both ends are",
                      "Every packet is seen as it is sent; what is lost is "
                      "lost after that."},
    [VANTAGE_MIDDLE] = {"captured on the way between both ends",
                        "Packets may be lost before they come here, and "
                        "after."},
};

const char *explain_vantage(enum flow_vantage vantage)
{
    return (size_t)vantage < sizeof vantages / sizeof *vantages
               ? vantages[vantage].where
               : vantages[VANTAGE_UNKNOWN].where;
}

const char *explain_vantage_more(enum flow_vantage vantage)
{
    return (size_t)vantage < sizeof vantages / sizeof *vantages
               ? vantages[vantage].more
               : vantages[VANTAGE_UNKNOWN].more;
}

const char *explain_lost(const char *lost)
{
    if (lost && strcmp(lost, "before") == 0)
        return "The first copy never came by here: it was lost between its "
               "sender and the place of this capture.";
    if (lost && strcmp(lost, "after") == 0)
        return "The first copy came by here: it was lost or dropped after this "
               "place, or its acknowledgement was, on the way back.";
    return NULL;
}

/* --- remarks --------------------------------------------------------------- */

static bool is_fast_open(const struct packet *packet, uint8_t syn)
{
    return packet->tcp.options.has & OPT_FASTOPEN &&
           (packet->tcp.flags & (TCP_SYN | TCP_ACK)) == syn;
}

static bool asks_fast_open(const struct packet *packet, const struct note *note)
{
    (void)note;
    return is_fast_open(packet, TCP_SYN) && packet->payload_length == 0;
}

static bool uses_fast_open(const struct packet *packet, const struct note *note)
{
    (void)note;
    return is_fast_open(packet, TCP_SYN) && packet->payload_length > 0;
}

static bool offers_fast_open(const struct packet *packet,
                             const struct note *note)
{
    (void)note;
    return is_fast_open(packet, TCP_SYN | TCP_ACK);
}

static bool is_super(const struct packet *packet, const struct note *note)
{
    (void)packet;
    return note->super_segment;
}

/* More than any Ethernet carries, and yet one segment here. */
static bool is_loopback_size(const struct packet *packet,
                             const struct note *note)
{
    enum { JUMBO = 9000 };

    return !note->super_segment && packet->payload_length > JUMBO;
}

static bool came_twice(const struct packet *packet, const struct note *note)
{
    (void)packet;
    return note->dsack && note_in_vain(note) == NULL;
}

/* By more than the shortest delayed ACK, 40 ms on Linux, may be off. */
static bool is_late_ack(const struct packet *packet, const struct note *note)
{
    enum { LEAST_NS = 30000000 };

    return packet->tcp.flags == TCP_ACK && packet->payload_length == 0 &&
           note->flow && note->flow->initial_rtt_ns > 0 &&
           note->ack_rtt_ns - note->flow->initial_rtt_ns >= LEAST_NS;
}

static const struct {
    bool (*is)(const struct packet *packet, const struct note *note);
    const char *text;
} remarks[] = {
    {is_super,
     "More than one packet holds: the kernel handed these bytes down at once, "
     "and the card, or loopback's other end, cuts them (TSO, GSO, GRO). viz "
     "--private --mtu 1500 shows each packet by itself."},
    {is_loopback_size,
     "So many bytes fit into one packet on loopback only, which takes up to 64 "
     "KB; on Ethernet it would be one for each 1448 bytes. viz --private --mtu "
     "1500 shows them so."},
    {asks_fast_open,
     "It asks for a Fast Open cookie: with it the next connection can carry "
     "data in its SYN (RFC 7413)."},
    {uses_fast_open,
     "Fast Open: the cookie of an earlier connection lets the server's program "
     "have these bytes before the handshake is over (RFC 7413)."},
    {offers_fast_open,
     "It brings a Fast Open cookie, for the client's next connections (RFC "
     "7413)."},
    {is_late_ack,
     "It came much later than a round trip takes. Where much is on its way "
     "that "
     "is a queue; else its sender waited for data that could carry it (delayed "
     "ACK), and little data behind little data waits for this ACK (Nagle): two "
     "small send() in a row stall so. One send() for both does not, nor "
     "TCP_NODELAY."},
    {came_twice,
     "Its D-SACK block says that something came twice: doubled on the way, or "
     "sent again out of our sight (RFC 2883)."},
};

const char *explain_remark(const struct packet *packet, const struct note *note,
                           int n)
{
    if (packet->protocol != PROTO_TCP || !packet->has_transport)
        return NULL;
    for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++)
        if (remarks[i].is(packet, note) && n-- == 0)
            return remarks[i].text;
    return NULL;
}
