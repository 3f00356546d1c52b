/* See facts.h. */
#include "viz/events/facts.h"

static struct fact fact_of(const struct sight *sight, enum fact_kind kind)
{
    return (struct fact){
        .kind = kind,
        .source = SOURCE_WIRE,
        .protocol = sight->port->protocol,
        .port = sight->port->port,
        .flow = sight->note->flow->id,
        .side = (enum flow_side)(sight->note->from ^ sight->flipped),
    };
}

static void emit(const struct sight *sight, enum fact_kind kind)
{
    struct fact fact = fact_of(sight, kind);

    sight->sink(sight->self, &fact);
}

static bool has_verdict(const struct note *note, enum verdict_name name)
{
    for (int i = 0; i < note->verdict_count && i < NOTE_VERDICTS; i++)
        if (note->verdicts[i].name == name)
            return true;
    return false;
}

/* The part of a segment that is new to the stream: how many bytes before it
 * are old, and whether bytes are missing before it. What is all old is a
 * retransmission or a probe; what fills a hole counts, as it came. */
static bool new_part(struct watched *watched, enum flow_side side,
                     const struct packet *packet, bool reordered, uint32_t *old,
                     bool *gap)
{
    uint32_t syn = (packet->tcp.flags & TCP_SYN) ? 1 : 0;
    uint32_t start = packet->tcp.seq + syn;
    uint32_t end = start + packet->payload_length;
    uint32_t next = watched->next_seq[side];

    *old = 0;
    *gap = false;
    if (!watched->stream[side] || syn) {
        watched->stream[side] = true;
        watched->next_seq[side] = end;
        return packet->payload_length > 0;
    }
    if (packet->payload_length == 0)
        return false;
    if ((int32_t)(end - next) <= 0) {
        *gap = true;
        return reordered;
    }
    watched->next_seq[side] = end;
    if ((int32_t)(start - next) < 0)
        *old = next - start;
    *gap = (int32_t)(start - next) > 0;
    return true;
}

static void emit_data(const struct sight *sight)
{
    const struct packet *packet = sight->packet;
    struct fact fact = fact_of(sight, FACT_DATA);
    bool reordered = has_verdict(sight->note, VERDICT_REORDERED);
    uint32_t old;

    if (!new_part(sight->watched, fact.side, packet, reordered, &old,
                  &fact.gap_before))
        return;
    sight->port->bytes[fact.side] += packet->payload_length - old;
    fact.total = sight->port->bytes[fact.side];
    if (packet->payload_captured > old) {
        fact.bytes = packet->payload + old;
        fact.length_held = packet->payload_captured - old;
    }
    fact.gap_after = packet->payload_captured < packet->payload_length;
    sight->sink(sight->self, &fact);
}

static void emit_entered(const struct sight *sight)
{
    for (int side = 0; side < 2; side++) {
        enum tcp_state state = sight->note->after[side ^ sight->flipped];
        struct fact fact = fact_of(sight, FACT_ENTERED);

        if (state == sight->note->before[side ^ sight->flipped])
            continue;
        fact.side = (enum flow_side)side;
        fact.state = state;
        sight->sink(sight->self, &fact);
    }
}

static void emit_tcp(const struct sight *sight)
{
    const struct packet *packet = sight->packet;
    const struct note *note = sight->note;
    bool refused = has_verdict(note, VERDICT_REFUSED);
    bool again = has_verdict(note, VERDICT_RETRANSMISSION);

    if (note->handshake_done)
        emit(sight, FACT_HANDSHAKE);
    if (refused) {
        sight->port->refused = true;
        emit(sight, FACT_REFUSED);
    }
    if (again) {
        struct fact fact = fact_of(sight, FACT_RETRANSMIT);

        fact.syn = (packet->tcp.flags & TCP_SYN) != 0;
        sight->sink(sight->self, &fact);
    }
    if (has_verdict(note, VERDICT_ZERO_WINDOW))
        emit(sight, FACT_ZERO_WINDOW);
    if (packet->protocol == PROTO_TCP) { /* and not ICMP about it */
        emit_data(sight);
        if ((packet->tcp.flags & TCP_FIN) && !again)
            emit(sight, FACT_CLOSE);
        if ((packet->tcp.flags & TCP_RST) && !refused)
            emit(sight, FACT_RESET);
    }
    emit_entered(sight);
}

static void emit_udp(const struct sight *sight)
{
    struct fact fact = fact_of(sight, FACT_DATAGRAM);

    if (has_verdict(sight->note, VERDICT_UNREACHABLE))
        emit(sight, FACT_UNREACHABLE);
    if (sight->packet->protocol != PROTO_UDP)
        return;
    sight->port->datagrams[fact.side]++;
    fact.length = sight->packet->payload_length;
    sight->sink(sight->self, &fact);
}

void facts_of_packet(const struct sight *sight)
{
    if (sight->port->protocol == PROTO_TCP)
        emit_tcp(sight);
    else
        emit_udp(sight);
}
