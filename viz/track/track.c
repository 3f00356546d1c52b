/*
 * One packet's way: find its flow or begin one, say what is to be said of it,
 * take over its numbers, move the states. See track.h for the contract.
 */
#include "viz/track/track.h"

#include <stdlib.h>
#include <string.h>

#include "viz/decode/decode.h"
#include "viz/track/fragments.h"
#include "viz/track/icmp_errno.h"
#include "viz/track/segment.h"
#include "viz/track/udp.h"

struct track {
    struct table table;
    struct fragments fragments;
    struct losses losses;
    struct resent resent;
    bool lose_next;
};

struct track *track_new(uint32_t most_flows)
{
    struct track *track = calloc(1, sizeof(*track));

    if (track == NULL)
        return NULL;
    if (table_init(&track->table, most_flows) < 0) {
        free(track);
        return NULL;
    }
    return track;
}

void track_free(struct track *track)
{
    if (track == NULL)
        return;
    table_fini(&track->table);
    free(track);
}

struct flow *track_next(struct track *track, size_t *at)
{
    return table_next(&track->table, at);
}

struct flow *track_lost(struct track *track, const struct lost_packet *lost,
                        int64_t time_ns)
{
    return losses_lost(&track->losses, lost, time_ns);
}

void track_lose_next(struct track *track)
{
    track->lose_next = true;
}

uint64_t track_forgotten(const struct track *track)
{
    return track->table.forgotten;
}

struct track_totals track_totals(struct track *track)
{
    struct track_totals totals = track->table.gone;
    const struct flow *flow;
    size_t at = 0;

    while ((flow = track_next(track, &at)) != NULL)
        table_sum(&totals, flow);
    return totals;
}

/* --- which flow ---------------------------------------------------------- */

/* The client of a flow that begins with this packet: who sends the SYN, who is
 * sent the SYN,ACK; from the middle the higher port, for servers choose low
 * ones. */
static enum flow_side first_side(const struct packet *packet)
{
    uint8_t syn;

    if (packet->protocol != PROTO_TCP)
        return FLOW_CLIENT;
    syn = packet->tcp.flags & (TCP_SYN | TCP_ACK);
    if (syn == TCP_SYN)
        return FLOW_CLIENT;
    if (syn == (TCP_SYN | TCP_ACK))
        return FLOW_SERVER;
    return packet->source.port >= packet->destination.port ? FLOW_CLIENT
                                                           : FLOW_SERVER;
}

static bool is_open(const struct tracked *tracked)
{
    for (int side = 0; side < 2; side++) {
        const struct flow_end *end = &tracked->flow.end[side];

        switch (end->state) {
        case TCP_SYN_RECV:
        case TCP_ESTABLISHED:
        case TCP_CLOSE_WAIT:
        case TCP_FIN_WAIT1:
        case TCP_FIN_WAIT2:
            if (!end->assumed || !tracked->flow.midstream)
                break;
            return false;
        default:
            return false;
        }
    }
    return true;
}

/* Whether this SYN begins another connection between the same endpoints. In an
 * open one it does not, until it is answered: a stray SYN is refused with a
 * challenge ACK (RFC 5961 4). */
static bool is_reuse(struct tracked *tracked, enum flow_side from,
                     const struct tcp_header *tcp)
{
    const struct flow_end *sender = &tracked->flow.end[from];

    if ((tcp->flags & TCP_SYN) == 0 || (tcp->flags & TCP_RST))
        return false;
    if (tcp->flags & TCP_ACK) {
        if (tracked->stray_syn && tracked->stray_from != from &&
            tcp->ack == tracked->stray_seq + 1)
            return true;
        return sender->state == TCP_TIME_WAIT && tcp->seq != sender->isn;
    }
    if (!sender->has_isn || tcp->seq == sender->isn ||
        sender->state == TCP_LISTEN)
        return false;
    if (!is_open(tracked))
        return true;
    tracked->stray_syn = true;
    tracked->stray_from = from;
    tracked->stray_seq = tcp->seq;
    return false;
}

/* The flow of the packet, new or known; NULL with errno ENOMEM. */
static struct tracked *flow_of(struct track *track, const struct packet *packet,
                               struct note *note)
{
    struct table *table = &track->table;
    struct table_key key = table_key(table, packet->protocol, packet->vlan,
                                     &packet->source, &packet->destination);
    enum flow_side from;
    struct tracked *before = table_find(table, &key, &from), *tracked;
    bool reuse = before != NULL && packet->protocol == PROTO_TCP &&
                 is_reuse(before, from, &packet->tcp);
    uint32_t before_id = 0;

    if (before != NULL && !reuse) {
        note->from = from;
        table_touch(table, before);
        return before;
    }
    if (reuse) {
        before_id = before->flow.id;
        before->flow.replaced = true;
    }
    note->from = first_side(packet);
    tracked = table_add(table, &key, note->from, before);
    if (tracked == NULL)
        return NULL;
    tracked->flow.first_ns = packet->time_ns;
    tracked->flow.end[0].window_scale = tracked->flow.end[1].window_scale = -1;
    if (!reuse)
        return tracked;
    note_verdict(note, VERDICT_PORT_REUSE, NULL, NULL);
    tracked->flow.reuses = true;
    tracked->flow.before = before_id;
    return tracked;
}

/* --- TCP ----------------------------------------------------------------- */

/* The state of an end that has had no packet yet: before the SYN one end is
 * CLOSED and the other listens; from the middle we cannot know. */
static void note_before(const struct tracked *tracked,
                        const struct packet *packet, struct note *note)
{
    const struct flow *flow = &tracked->flow;
    bool opens = (packet->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

    for (int side = 0; side < 2; side++)
        note->before[side] = flow->end[side].state;
    if (flow->packets == 0 && opens) {
        note->before[FLOW_CLIENT] = TCP_CLOSED;
        note->before[FLOW_SERVER] = TCP_LISTEN;
    }
}

/* One socket is both ends: it has been through the same states as itself. */
static void mirror(const struct flow_end *end, struct flow_end *other)
{
    other->state = end->state;
    other->assumed = end->assumed;
    other->since_ns = end->since_ns;
    other->states_seen = end->states_seen;
    other->state_count = end->state_count;
    memcpy(other->states, end->states, sizeof other->states);
}

static void note_flight(const struct segment *segment)
{
    const struct flow_end *sender = segment->sender;
    uint32_t flight = sender->next_seq - segment->receiver->acked;

    if (segment->receiver->has_acked && segment->payload > 0 &&
        seq_after(sender->next_seq, segment->receiver->acked))
        segment->note->flight = flight - (segment->received->sacked < flight
                                              ? segment->received->sacked
                                              : 0);
}

static struct segment segment_of(struct track *track, struct tracked *tracked,
                                 const struct packet *packet, struct note *note)
{
    struct flow *flow = &tracked->flow;
    bool self = endpoint_equal(&packet->source, &packet->destination);
    enum flow_side to = self ? note->from : !note->from;
    struct segment segment = {
        .tracked = tracked,
        .holes = &track->table.holes,
        .pool = &track->table.sent,
        .packet = packet,
        .note = note,
        .sender = &flow->end[note->from],
        .receiver = &flow->end[to],
        .sent = &tracked->memory[note->from],
        .received = &tracked->memory[to],
        .from = note->from,
        .losses = &track->losses,
        .resent = &track->resent,
    };
    uint8_t flags = packet->tcp.flags;

    if ((flags & TCP_RST) == 0)
        segment.payload = packet->payload_length;
    segment.end = packet->tcp.seq + segment.payload + ((flags & TCP_SYN) != 0) +
                  ((flags & TCP_FIN) != 0);
    segment.plausible = sequence_plausible(&segment);
    return segment;
}

static void feed_tcp(struct track *track, struct tracked *tracked,
                     const struct packet *packet, struct note *note)
{
    struct flow *flow = &tracked->flow;
    struct segment segment = segment_of(track, tracked, packet, note);

    if (flow->packets == 0)
        flow->midstream = (packet->tcp.flags & TCP_SYN) == 0;
    segment.lost = track->lose_next || losses_awaited(&track->losses, packet);
    note_before(tracked, packet, note);
    vantage_segment(&segment);
    verdict_segment(&segment);
    sequence_segment(&segment);
    tcp_state_segment(&segment);
    segment.sent->heard_ns = packet->time_ns;
    note_flight(&segment);
    if (segment.sender == segment.receiver)
        mirror(segment.sender, &flow->end[!note->from]);
}

/* --- fragments ----------------------------------------------------------- */

/* The first piece of a segment; a FIN comes with the last. */
static void feed_first_piece(struct track *track, struct tracked *tracked,
                             const struct packet *packet, struct note *note)
{
    struct packet first = *packet;

    first.tcp.flags &= (uint8_t)~TCP_FIN;
    feed_tcp(track, tracked, &first, note);
}

/* A later piece: its numbers count, and what it moves; there is nothing to be
 * said of it but whose it is. 0, or -1 with errno ENOMEM. */
static int feed_piece(struct track *track, const struct packet *piece,
                      struct note *note)
{
    struct fragment *fragment = fragments_find(&track->fragments, piece);
    struct tracked *tracked;
    struct packet packet;

    if (fragment == NULL)
        return 0;
    note->fragment_of = fragment->first.number;
    tracked = fragment_flow(fragment, &track->table);
    if (tracked == NULL)
        return 0;
    tracked->flow.last_ns = piece->time_ns;
    if (piece->protocol == PROTO_UDP) {
        tracked->flow.udp.fragments++;
    } else if (fragment_segment(fragment, piece, &packet)) {
        struct note of_all = {.flow = &tracked->flow, .from = fragment->from};
        struct segment segment;

        if (holes_reserve(&track->table.holes) < 0)
            return -1;
        segment = segment_of(track, tracked, &packet, &of_all);
        sequence_segment(&segment);
        tcp_state_segment(&segment);
    }
    return 0;
}

/* --- ICMP ---------------------------------------------------------------- */

static bool is_unreachable(const struct packet *packet)
{
    if (packet->protocol == PROTO_ICMP6)
        return packet->icmp.type == 1;
    return packet->icmp.type == 3 && packet->icmp.code != 4; /* 4: the MTU */
}

/* What the program gets to see: TCP asks at once only while it connects (RFC
 * 1122 4.2.3.9), and handles a path's MTU by itself. */
static void note_errno(const struct packet *packet, const struct flow *flow,
                       enum flow_side about, struct note *note)
{
    struct icmp_errno got = icmp_errno(packet->protocol, packet->icmp.type,
                                       packet->icmp.code);
    bool tcp = flow->protocol == PROTO_TCP;

    if (got.name == NULL || (tcp && got.name[1] == 'M')) /* EMSGSIZE */
        return;
    note->error = got.name;
    note->error_now = tcp ? flow->end[about].state == TCP_SYN_SENT : got.hard;
}

/* An error belongs to the flow that it quotes. */
static void feed_icmp(struct track *track, const struct packet *packet,
                      struct note *note)
{
    const struct icmp_header *icmp = &packet->icmp;
    struct table *table = &track->table;
    struct table_key key;
    struct tracked *tracked;
    enum flow_side about;
    bool tcp;

    if (!icmp->quotes)
        return;
    key = table_key(table, icmp->quoted_protocol, packet->vlan,
                    &icmp->quoted_source, &icmp->quoted_destination);
    tracked = table_find(table, &key, &about);
    if (tracked == NULL)
        return;
    tcp = tracked->flow.protocol == PROTO_TCP;
    note->flow = &tracked->flow;
    note->from = !about;
    for (int side = 0; side < 2; side++)
        note->before[side] = tracked->flow.end[side].state;
    tracked->flow.last_ns = packet->time_ns;
    table_touch(table, tracked);
    note_errno(packet, &tracked->flow, about, note);
    if (is_unreachable(packet))
        note_verdict(note, VERDICT_UNREACHABLE, NULL, NULL);
    if (tcp ? !note->error_now : !is_unreachable(packet))
        return;
    tracked->flow.refused = true;
    tracked->flow.unreached = note->error;
    if (tcp)
        tcp_state_unreachable(&tracked->flow, about);
}

/* --- together ------------------------------------------------------------ */

static void feed_udp(struct tracked *tracked, const struct packet *packet,
                     struct note *note)
{
    tracked->flow.end[note->from].bytes += packet->payload_length;
    udp_datagram(tracked, packet, note);
}

static int feed_flow(struct track *track, const struct packet *packet,
                     struct note *note)
{
    struct tracked *tracked;
    struct flow *flow;

    if (holes_reserve(&track->table.holes) < 0 ||
        sent_reserve(&track->table.sent) < 0)
        return -1;
    tracked = flow_of(track, packet, note);
    if (tracked == NULL)
        return -1;
    flow = note->flow = &tracked->flow;
    flow->last_ns = packet->time_ns;
    if (packet->protocol == PROTO_UDP)
        feed_udp(tracked, packet, note);
    else if (packet->more_fragments)
        feed_first_piece(track, tracked, packet, note);
    else
        feed_tcp(track, tracked, packet, note);
    if (packet->more_fragments)
        fragments_begin(&track->fragments, tracked, note->from, packet);
    flow->packets++;
    flow->end[note->from].packets++;
    return 0;
}

int track_feed(struct track *track, const struct packet *packet,
               struct note *note)
{
    *note = (struct note){0};
    if (packet->fragment_offset > 0 && feed_piece(track, packet, note) < 0)
        return -1;
    if (!packet->has_transport)
        return 0;
    switch (packet->protocol) {
    case PROTO_TCP:
    case PROTO_UDP:
        if (feed_flow(track, packet, note) < 0)
            return -1;
        break;
    case PROTO_ICMP:
    case PROTO_ICMP6:
        feed_icmp(track, packet, note);
        break;
    }
    track->lose_next = false;
    if (note->flow == NULL)
        return 0;
    for (int side = 0; side < 2; side++) {
        note->after[side] = note->flow->end[side].state;
        note->assumed[side] = note->flow->end[side].assumed;
    }
    return 0;
}
