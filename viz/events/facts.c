/* See facts.h. */
#include "viz/events/facts.h"

#include "viz/track/serial.h"

static enum fact_source source_of(enum fact_kind kind, enum flow_side side)
{
    switch (kind) {
    case FACT_RETRANSMIT:
    case FACT_ZERO_WINDOW:
    case FACT_DATA:
    case FACT_DATAGRAM:
    case FACT_CLOSE:
    case FACT_RESET:
        return side == FLOW_CLIENT ? SOURCE_CLIENT : SOURCE_SERVER;
    default:
        return SOURCE_WIRE;
    }
}

static struct fact fact_of(const struct sight *sight, enum fact_kind kind)
{
    enum flow_side side = (enum flow_side)(sight->note->from ^ sight->flipped);

    return (struct fact){
        .kind = kind,
        .source = source_of(kind, side),
        .protocol = sight->port->protocol,
        .port = sight->port->port,
        .flow = sight->note->flow->id,
        .side = side,
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

/* How many bytes of a segment are new: track counts each byte once, so that
 * what was sent again and probes add nothing. What fills a hole counts as it
 * comes. */
static uint32_t fresh_bytes(const struct sight *sight, enum flow_side side)
{
    const struct flow_end *sender = &sight->note->flow->end[sight->note->from];
    struct watched *watched = sight->watched;
    uint32_t length = sight->packet->payload_length;
    uint64_t fresh = watched->stream[side]
                         ? sender->bytes - watched->bytes[side]
                         : length; /* the first of this side that we see */

    watched->bytes[side] = sender->bytes;
    return fresh < length ? (uint32_t)fresh : length;
}

/* Where in the stream the segment lies: the fact's gaps. */
static void place_segment(const struct sight *sight, struct fact *fact,
                          uint32_t fresh)
{
    const struct packet *packet = sight->packet;
    struct watched *watched = sight->watched;
    uint32_t syn = (packet->tcp.flags & TCP_SYN) ? 1 : 0;
    uint32_t end = packet->tcp.seq + syn + packet->payload_length;
    uint32_t *next = &watched->next_seq[fact->side];

    fact->gap_after = packet->payload_captured < packet->payload_length;
    if (!watched->stream[fact->side] || syn) {
        *next = end;
    } else if (fresh > 0 && seq_after(end, *next)) {
        fact->gap_before = end - fresh != *next;
        *next = end;
    } else { /* it fills a hole: what stands before and behind is gone */
        fact->gap_before = fact->gap_after = true;
    }
    watched->stream[fact->side] = true;
}

static void emit_data(const struct sight *sight)
{
    const struct packet *packet = sight->packet;
    struct fact fact = fact_of(sight, FACT_DATA);
    uint32_t fresh = fresh_bytes(sight, fact.side);
    uint32_t old = packet->payload_length - fresh;

    place_segment(sight, &fact, fresh);
    if (fresh == 0)
        return;
    sight->port->bytes[fact.side] += fresh;
    fact.total = sight->port->bytes[fact.side];
    if (packet->payload_captured > old) {
        fact.bytes = packet->payload + old;
        fact.length_held = packet->payload_captured - old;
    }
    sight->sink(sight->self, &fact);
}

static void emit_close(const struct sight *sight)
{
    struct fact fact = fact_of(sight, FACT_CLOSE);

    if (!sight->watched->closed[fact.side])
        sight->sink(sight->self, &fact);
    sight->watched->closed[fact.side] = true;
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

    if (note->handshake_done)
        emit(sight, FACT_HANDSHAKE);
    if (refused) {
        sight->port->refused = true;
        emit(sight, FACT_REFUSED);
    }
    if (note_again(note)) {
        struct fact fact = fact_of(sight, FACT_RETRANSMIT);

        fact.syn = (packet->tcp.flags & TCP_SYN) != 0;
        sight->sink(sight->self, &fact);
    }
    if (has_verdict(note, VERDICT_ZERO_WINDOW))
        emit(sight, FACT_ZERO_WINDOW);
    if (packet->protocol == PROTO_TCP) { /* and not ICMP about it */
        emit_data(sight);
        if (packet->tcp.flags & TCP_FIN)
            emit_close(sight);
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
