/* See losses.h. A packet is known by its ends, its IP ID, its number and its
 * length; sent again it is the same but for the ID, and IPv6 has none: then
 * the time tells, for what is lost was captured just before. */
#include "viz/track/losses.h"

#include <string.h>

#include "viz/decode/decode.h"
#include "viz/track/segment.h"

/* Between capture and loss at most; how much their clocks may differ. */
static const int64_t takes_ns = 50000000, differ_ns = 1000;

struct lost_packet lost_packet_of(const struct packet *packet)
{
    struct lost_packet lost = {.protocol = packet->protocol,
                               .source = packet->source,
                               .destination = packet->destination,
                               .length = packet->payload_length};

    if (packet->has_ip_id)
        lost.ip_id = packet->ip_id;
    if (packet->protocol == PROTO_TCP)
        lost.seq = packet->tcp.seq;
    return lost;
}

static bool is_same(const struct lost_packet *a, const struct lost_packet *b)
{
    return a->protocol == b->protocol && a->ip_id == b->ip_id &&
           a->seq == b->seq && a->length == b->length &&
           endpoint_equal(&a->source, &b->source) &&
           endpoint_equal(&a->destination, &b->destination);
}

static bool is_time(int64_t captured_ns, int64_t lost_ns)
{
    return captured_ns <= lost_ns + differ_ns &&
           captured_ns >= lost_ns - takes_ns;
}

bool lost_packet_may_be(const struct lost_packet *lost, int64_t time_ns,
                        const struct packet *packet)
{
    struct lost_packet it;

    if (!is_time(packet->time_ns, time_ns))
        return false;
    it = lost_packet_of(packet);
    return is_same(&it, lost);
}

bool losses_awaited(struct losses *losses, const struct packet *packet)
{
    if (losses->next_awaited == 0)
        return false;
    for (size_t i = 0; i < LOSSES_MOST; i++) {
        struct awaited *awaited = &losses->awaited[i];

        if (awaited->time_ns == 0 ||
            !lost_packet_may_be(&awaited->packet, awaited->time_ns, packet))
            continue;
        awaited->time_ns = 0;
        return true;
    }
    return false;
}

/* --- what arrived ---------------------------------------------------------- */

/* Written where it stays, the largest first: this is done for each segment. */
void standing_take(struct standing *standing, const struct flow *flow,
                   enum flow_side side, const struct memory *memory)
{
    const struct flow_end *end = &flow->end[side];

    standing->since_ns = end->since_ns;
    memcpy(standing->states, end->states, sizeof standing->states);
    standing->state = end->state;
    standing->states_seen = end->states_seen;
    standing->state_count = end->state_count;
    standing->assumed = end->assumed;
    standing->fin_received = memory->fin_received;
    standing->refused = flow->refused;
}

/* Whether the end no longer stands there. */
static bool is_moved(const struct standing *standing, const struct flow *flow,
                     enum flow_side side, const struct memory *memory)
{
    return standing->state != flow->end[side].state ||
           standing->state_count != flow->end[side].state_count ||
           standing->fin_received != memory->fin_received;
}

void losses_arrived(struct losses *losses, const struct segment *segment,
                    const struct standing *before)
{
    enum flow_side to = (enum flow_side) !segment->from;
    const struct flow *flow = &segment->tracked->flow;
    struct standing after;

    /* A socket that speaks to itself is one end, and loses nothing. */
    if (segment->sender == segment->receiver ||
        !is_moved(before, flow, to, segment->received))
        return;
    standing_take(&after, flow, to, segment->received);
    segment->received->arrival = (uint8_t)(losses->next_arrival % LOSSES_MOST +
                                           1);
    losses->arrivals[losses->next_arrival++ % LOSSES_MOST] = (struct arrival){
        .packet = lost_packet_of(segment->packet),
        .time_ns = segment->packet->time_ns,
        .tracked = segment->tracked,
        .flow = flow->id,
        .to = to,
        .fin = has_flags(segment, TCP_FIN),
        .before = *before,
        .after = after};
}

static void stand(struct flow *flow, enum flow_side side, struct memory *memory,
                  const struct standing *standing)
{
    struct flow_end *end = &flow->end[side];

    end->state = standing->state;
    end->assumed = standing->assumed;
    end->since_ns = standing->since_ns;
    end->states_seen = standing->states_seen;
    end->state_count = standing->state_count;
    memcpy(end->states, standing->states, sizeof end->states);
    memory->fin_received = standing->fin_received;
    flow->refused = standing->refused;
}

void losses_confirm(struct losses *losses, struct segment *segment,
                    void (*arrive)(struct segment *segment))
{
    enum flow_side to = (enum flow_side) !segment->from;
    struct flow *flow = &segment->tracked->flow;
    struct memory *memory = segment->received;
    struct arrival *arrival;
    struct standing now;
    bool also;

    if (memory->arrival == 0)
        return;
    arrival = &losses->arrivals[memory->arrival - 1];
    if (arrival->time_ns == 0 || arrival->tracked != segment->tracked ||
        arrival->flow != flow->id || arrival->to != to ||
        segment->packet->time_ns - arrival->time_ns > takes_ns ||
        is_moved(&arrival->after, flow, to, memory)) {
        memory->arrival = 0;
        return;
    }
    if (arrival->fin && !has_flags(segment, TCP_FIN))
        return;
    standing_take(&now, flow, to, memory);
    stand(flow, to, memory, &arrival->before);
    arrive(segment);
    also = !is_moved(&arrival->after, flow, to, memory);
    stand(flow, to, memory, &now);
    if (!also)
        return;
    arrival->time_ns = 0;
    memory->arrival = 0;
}

/* Only while the receiver is still as this arrival left it: what came after
 * has its own proof. */
static struct flow *take_back(struct arrival *arrival)
{
    struct tracked *tracked = arrival->tracked;
    struct flow *flow = &tracked->flow;
    struct memory *memory = &tracked->memory[arrival->to];

    arrival->time_ns = 0;
    if (!tracked->live || flow->id != arrival->flow)
        return NULL;
    if (is_moved(&arrival->after, flow, arrival->to, memory))
        return NULL;
    stand(flow, arrival->to, memory, &arrival->before);
    tracked->memory[!arrival->to].fin_lost |= arrival->fin;
    return flow;
}

struct flow *losses_lost(struct losses *losses, const struct lost_packet *lost,
                         int64_t time_ns)
{
    struct awaited awaited = {.packet = *lost, .time_ns = time_ns};

    for (size_t i = 0; i < LOSSES_MOST; i++) { /* the newest first */
        size_t n = losses->next_arrival + 2 * LOSSES_MOST - 1 - i;
        struct arrival *arrival = &losses->arrivals[n % LOSSES_MOST];

        if (arrival->time_ns != 0 && is_time(arrival->time_ns, time_ns) &&
            is_same(&arrival->packet, lost))
            return take_back(arrival);
    }
    losses->awaited[losses->next_awaited++ % LOSSES_MOST] = awaited;
    return NULL;
}
