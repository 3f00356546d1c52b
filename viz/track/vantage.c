/*
 * Where the capture was made. A TTL that is still what systems begin with
 * (64, 128, 255) was not passed on by a router yet. Else the handshake tells:
 * each end answers at once, so that the pause before an answer is the way to
 * that end and back. On loopback both ends are here.
 */
#include "viz/track/segment.h"

#include <string.h>

enum { LEAST_RTT_NS = 1000000 }; /* below, a busy machine tells lies */

static bool is_loopback(const struct packet *packet)
{
    const struct endpoint *from = &packet->source, *to = &packet->destination;

    if (from->family == 4 && from->address[0] == 127)
        return to->address[0] == 127;
    return memcmp(from->address, to->address, sizeof from->address) == 0;
}

static bool is_first_ttl(uint8_t ttl)
{
    return ttl == 64 || ttl == 128 || ttl == 255;
}

static enum flow_vantage from_ttl(uint8_t client, uint8_t server)
{
    if (is_first_ttl(client) && is_first_ttl(server))
        return VANTAGE_UNKNOWN;
    if (is_first_ttl(client))
        return VANTAGE_CLIENT;
    return is_first_ttl(server) ? VANTAGE_SERVER : VANTAGE_MIDDLE;
}

/* `there`: from the SYN to the SYN,ACK; `back`: from it to the ACK. */
static enum flow_vantage from_pauses(int64_t there, int64_t back)
{
    if (there < 0 || back < 0 || there + back < LEAST_RTT_NS)
        return VANTAGE_UNKNOWN;
    if (back < (there + back) / 5)
        return VANTAGE_CLIENT;
    return there < (there + back) / 5 ? VANTAGE_SERVER : VANTAGE_MIDDLE;
}

static void end_of_handshake(struct segment *segment)
{
    struct tracked *tracked = segment->tracked;
    struct flow *flow = &tracked->flow;
    int64_t now = segment->packet->time_ns;

    if (tracked->syn_ns == 0 || flow->initial_rtt_ns != 0)
        return;
    flow->initial_rtt_ns = now > tracked->syn_ns ? now - tracked->syn_ns : 1;
    if (flow->vantage != VANTAGE_UNKNOWN || flow->simultaneous ||
        tracked->syn_ack_ns == 0)
        return;
    flow->vantage = from_ttl(tracked->memory[FLOW_CLIENT].ttl,
                             tracked->memory[FLOW_SERVER].ttl);
    if (flow->vantage == VANTAGE_UNKNOWN)
        flow->vantage = from_pauses(tracked->syn_ack_ns - tracked->syn_ns,
                                    now - tracked->syn_ack_ns);
}

void vantage_segment(struct segment *segment)
{
    const struct packet *packet = segment->packet;
    struct tracked *tracked = segment->tracked;

    if (tracked->flow.packets == 0 && is_loopback(packet))
        tracked->flow.vantage = VANTAGE_BOTH;
    /* On all interfaces of a router each is seen before it and behind it. */
    if (segment->sent->ttl == 0 || packet->ttl < segment->sent->ttl)
        segment->sent->ttl = packet->ttl;
    if (packet->ttl > segment->sent->ttl_most)
        segment->sent->ttl_most = packet->ttl;
    if (!segment->plausible || has_any_flag(segment, TCP_RST))
        return;
    if (has_flags(segment, TCP_SYN | TCP_ACK))
        tracked->syn_ack_ns = packet->time_ns;
    else if (has_flags(segment, TCP_SYN))
        tracked->syn_ns = packet->time_ns;
    else if (has_flags(segment, TCP_ACK) && segment->from == FLOW_CLIENT)
        end_of_handshake(segment);
}

bool at_sender(const struct segment *segment)
{
    switch (segment->tracked->flow.vantage) {
    case VANTAGE_BOTH:
        return true;
    case VANTAGE_CLIENT:
        return segment->from == FLOW_CLIENT;
    case VANTAGE_SERVER:
        return segment->from == FLOW_SERVER;
    default:
        return false;
    }
}
