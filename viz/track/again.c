/*
 * Sent again, or only late? Sequence numbers alone cannot tell. The IP ID can:
 * hosts count it upwards, so that the lower number with the *newer* ID was
 * sent again and with the *older* one was overtaken. Where IDs do not count,
 * the timestamp option says it; then where the capture was made, for nothing
 * is overtaken before it has left; and at last how much time went by.
 *
 * Why it was sent again (its kind) is read from what the other end had said
 * before: a report of a hole makes a fast retransmission, silence a time-out.
 */
#include "viz/track/segment.h"

enum { ID_STEP = 4096 }; /* more between two segments: IDs drawn by lot */

static const int64_t least_time_out_ns = 150000000; /* Linux: 200 ms */
static const int64_t late_ns = 3000000;     /* without a known round trip */
static const int64_t ts_clock_ns = 2000000; /* Linux: 1 ms, with some room */

/* --- the order in which two were sent ------------------------------------ */

enum order { ORDER_UNKNOWN, ORDER_NEWER, ORDER_OLDER, ORDER_SAME };

/* Linux writes 0 in a SYN,ACK, some hosts in every packet. */
static bool has_id(const struct segment *segment)
{
    const struct packet *packet = segment->packet;

    if (!packet->has_ip_id || segment->sent->ids_useless)
        return false;
    return packet->ip_id != 0 ||
           (!has_flags(segment, TCP_SYN | TCP_ACK) &&
            (segment->sent->edge_id != 0 || segment->sent->ids_good));
}

static enum order order_by_id(const struct segment *segment)
{
    const struct memory *sent = segment->sent;
    int32_t way;

    if (!sent->has_edge_id || !has_id(segment))
        return ORDER_UNKNOWN;
    way = (int16_t)(uint16_t)(segment->packet->ip_id - sent->edge_id);
    return way > 0 ? ORDER_NEWER : way < 0 ? ORDER_OLDER : ORDER_SAME;
}

static enum order order_by_timestamp(const struct segment *segment)
{
    const struct tcp_options *options = &segment->packet->tcp.options;
    int32_t way;

    if ((options->has & OPT_TIMESTAMP) == 0 || !segment->sent->has_edge_ts)
        return ORDER_UNKNOWN;
    way = seq_from(options->ts_value, segment->sent->edge_ts);
    if (way == 0 && segment->packet->tcp.seq == segment->sent->edge_seq &&
        segment->end == segment->sender->next_seq &&
        segment->packet->time_ns - segment->sent->heard_ns < least_time_out_ns)
        return ORDER_SAME; /* the newest: only a timer would send it again */
    return way > 0 ? ORDER_NEWER : way < 0 ? ORDER_OLDER : ORDER_UNKNOWN;
}

static struct sent sending(const struct segment *segment)
{
    const struct packet *packet = segment->packet;

    return (struct sent){.seq = packet->tcp.seq,
                         .end = segment->end,
                         .times = 1,
                         .ip_id = packet->has_ip_id ? (uint16_t)packet->ip_id
                                                    : 0,
                         .ts = packet->tcp.options.ts_value,
                         .ttl = packet->ttl,
                         .number = packet->number,
                         .time_ns = packet->time_ns};
}

/* Captured before and behind a router: what is sent again begins with the TTL
 * of the original. Or doubled on the way: never two sendings have one
 * timestamp where a round trip takes longer than its clock. */
static bool is_copy_of(const struct segment *segment, const struct sent *before)
{
    const struct packet *packet = segment->packet;

    if (packet->time_ns - before->time_ns >= least_time_out_ns)
        return false;
    if (packet->ttl != before->ttl)
        return packet->ttl < before->ttl;
    return !at_sender(segment) &&
           segment->tracked->flow.initial_rtt_ns >= ts_clock_ns &&
           (packet->tcp.options.has & OPT_TIMESTAMP) != 0 &&
           packet->tcp.options.ts_value == before->ts &&
           (!packet->has_ip_id || packet->ip_id == before->ip_id);
}

static bool is_copy(const struct segment *segment)
{
    uint32_t seq = segment->packet->tcp.seq, end = segment->end;
    const struct sent *again = &segment->sent->again;
    const struct sent *before = sent_find(segment->pool, &segment->sent->list,
                                          seq, end);

    return (before != NULL && is_copy_of(segment, before)) ||
           (again->times > 0 && again->seq == seq && again->end == end &&
            is_copy_of(segment, again));
}

/* Whether the segment was sent after the one with the highest number, and what
 * says so. ORDER_SAME: it is that segment, captured twice. IDs that have not
 * been seen to count yet are asked after the timestamp. */
static enum order sent_order(const struct segment *segment,
                             const char **evidence)
{
    enum order by_id = order_by_id(segment), by_time;

    *evidence = "ipid";
    if (is_copy(segment))
        return ORDER_SAME;
    if (by_id != ORDER_UNKNOWN && segment->sent->ids_good)
        return by_id;
    by_time = order_by_timestamp(segment);
    if (by_time != ORDER_UNKNOWN) {
        *evidence = "tsval";
        return by_time;
    }
    if (at_sender(segment)) {
        *evidence = "vantage";
        return ORDER_NEWER;
    }
    return by_id;
}

static void remember_id(struct segment *segment, bool data)
{
    struct memory *sent = segment->sent;
    uint16_t id = (uint16_t)segment->packet->ip_id;
    int32_t way = (int16_t)(uint16_t)(id - sent->edge_id);

    if (!has_id(segment))
        return;
    if (sent->has_edge_id) {
        if (!data && (way <= 0 || way > ID_STEP))
            return; /* an ACK may have been overtaken */
        if (way <= 0 || way > ID_STEP)
            sent->ids_useless = true; /* constant, or random */
        else
            sent->ids_good = true;
    }
    sent->edge_id = id;
    sent->has_edge_id = true;
}

/* The segment with the highest number so far: what later ones are compared
 * with. */
static void remember_edge(struct segment *segment)
{
    const struct tcp_options *options = &segment->packet->tcp.options;
    struct memory *sent = segment->sent;

    sent->edge_seq = segment->packet->tcp.seq;
    remember_id(segment, true);
    if (options->has & OPT_TIMESTAMP) {
        sent->edge_ts = options->ts_value;
        sent->has_edge_ts = true;
    }
}

/* What is new of it goes on the list. */
static void remember_sent(struct segment *segment)
{
    const struct flow_end *sender = segment->sender;
    struct sent sent = sending(segment);

    remember_edge(segment);
    if (sender->has_isn && seq_before(sent.seq, sender->next_seq) &&
        !has_any_flag(segment, TCP_SYN))
        sent.seq = sender->next_seq;
    sent_add(segment->pool, &segment->sent->list, &sent);
}

/* --- why it was sent again ----------------------------------------------- */

/* Bytes that one segment of this sender carries; 0 not known. */
static uint32_t segment_size(const struct segment *segment)
{
    uint32_t mss = segment->sent->mss, other = segment->received->mss;
    bool timestamps = segment->sent->timestamps &&
                      segment->received->timestamps;

    if (mss == 0 || other == 0)
        return 0;
    mss = other < mss ? other : mss;
    return timestamps && mss > 12 ? mss - 12 : mss;
}

static uint32_t segments_in(const struct segment *segment)
{
    uint32_t size = segment_size(segment);

    if (size == 0 || segment->payload <= size)
        return 1;
    return (segment->payload + size - 1) / size;
}

static bool was_silent(const struct segment *segment, const struct sent *before)
{
    int64_t now = segment->packet->time_ns;

    return before != NULL && now - before->time_ns >= least_time_out_ns &&
           now - segment->received->heard_ns >= least_time_out_ns;
}

/* A tail loss probe (RFC 8985 7) repeats the last segment, once, when nothing
 * has been reported missing. */
static bool is_tail_probe(const struct segment *segment)
{
    const struct memory *sent = segment->sent, *received = segment->received;

    return segment->end == segment->sender->next_seq && !sent->tlp_sent &&
           sent->time_outs == 0 && sent->recovery == RECOVERY_NONE &&
           sent->sack_ok && received->sack_ok && !received->reports_hole &&
           received->dup_acks == 0;
}

static const char *recover(struct segment *segment, enum recovery recovery)
{
    segment->sent->recovery = (uint8_t)recovery;
    segment->sent->recover_to = segment->sender->next_seq;
    return recovery == RECOVERY_FAST ? "fast" : "rto";
}

static const char *kind_of(struct segment *segment, const struct sent *before)
{
    struct memory *sent = segment->sent;
    const struct memory *received = segment->received;

    if (has_flags(segment, TCP_SYN))
        return "syn";
    if (segment->receiver->has_acked &&
        !seq_after(segment->end, segment->receiver->acked))
        return "spurious";
    if (is_tail_probe(segment)) {
        sent->tlp_sent = true;
        return "tlp";
    }
    if (was_silent(segment, before)) {
        sent->time_outs++;
        return recover(segment, RECOVERY_TIME_OUT);
    }
    if (sent->recovery != RECOVERY_NONE &&
        seq_before(segment->packet->tcp.seq, sent->recover_to))
        return sent->recovery == RECOVERY_FAST ? "fast" : "rto";
    if (received->reports_hole || received->dup_acks > 0)
        return recover(segment, RECOVERY_FAST);
    if (before != NULL &&
        segment->packet->time_ns - before->time_ns >= least_time_out_ns) {
        sent->time_outs++;
        return recover(segment, RECOVERY_TIME_OUT);
    }
    return NULL;
}

static void remember_again(struct segment *segment, const struct sent *before,
                           const char *lost)
{
    struct resent *resent = segment->resent;

    resent->ring[resent->next++ % RESENT_MOST] = (struct resent_one){
        .flow = segment->tracked->flow.id,
        .from = (uint8_t)segment->from,
        .lost = (int8_t)(lost == NULL ? -1 : lost[0] == 'a'),
        .seq = segment->packet->tcp.seq,
        .end = segment->end,
        .times = before->times,
        .original = before->number};
}

void again_in_vain(struct segment *segment, uint32_t left, uint32_t right)
{
    struct resent *resent = segment->resent;

    for (size_t i = 0; i < RESENT_MOST; i++) { /* the newest first */
        struct resent_one *one =
            &resent
                 ->ring[(resent->next + 2 * RESENT_MOST - 1 - i) % RESENT_MOST];
        struct verdict *verdict;

        if (one->original == 0 || one->flow != segment->tracked->flow.id ||
            one->from == (uint8_t)segment->from ||
            !seq_before(left, one->end) || !seq_before(one->seq, right))
            continue;
        if (one->lost >= 0) /* it was not, then */
            segment->tracked->flow.lost[one->lost]--;
        one->lost = -1;
        verdict = note_verdict(segment->note, VERDICT_RETRANSMISSION,
                               "spurious", "dsack");
        if (verdict != NULL) {
            verdict->packet = one->original;
            verdict->count = one->times;
        }
        return;
    }
}

/* Which copy was lost, the capture tells: what it saw got as far as here. */
static const char *where_lost(struct segment *segment, const char *kind,
                              bool seen)
{
    if (kind != NULL && kind[0] == 's' && kind[1] == 'p')
        return NULL; /* spurious */
    segment->tracked->flow.lost[seen]++;
    return seen ? "after" : "before";
}

/* `seen`: the capture has its bytes already. */
static void sent_again(struct segment *segment, const char *evidence, bool seen)
{
    struct sent *before = sent_find(segment->pool, &segment->sent->list,
                                    segment->packet->tcp.seq, segment->end);
    uint32_t segments = segments_in(segment);
    const char *kind = kind_of(segment, before);
    const char *lost = where_lost(segment, kind, seen);
    struct verdict *verdict = note_verdict(
        segment->note, VERDICT_RETRANSMISSION, kind, evidence);

    segment->tracked->flow.retransmissions += segments;
    segment->again = true;
    segment->sent->again = sending(segment);
    if (verdict != NULL) {
        verdict->segments = segments;
        verdict->count = before ? before->times : 1;
        verdict->lost = lost;
        if (kind != NULL && kind[0] == 'r')
            verdict->count = segment->sent->time_outs;
        verdict->packet = before ? before->number : 0;
        verdict->gap_ns = before ? segment->packet->time_ns - before->time_ns
                                 : 0;
    }
    if (before != NULL) {
        remember_again(segment, before, lost);
        before->time_ns = segment->packet->time_ns;
        if (before->times < UINT16_MAX)
            before->times++;
    }
}

/* --- which of the two ---------------------------------------------------- */

/* A SYN of the same number and the same kind: in a simultaneous open the
 * SYN,ACK has the number of the SYN and is none. */
static void syn_segment(struct segment *segment)
{
    bool before = has_flags(segment, TCP_ACK) ? segment->sent->syn_ack_sent
                                              : segment->sent->syn_sent;
    const char *evidence;

    if (!before) {
        remember_sent(segment);
        return;
    }
    if (segment->packet->tcp.seq != segment->sender->isn)
        return;
    switch (sent_order(segment, &evidence)) {
    case ORDER_NEWER:
        sent_again(segment, evidence, true);
        break;
    case ORDER_UNKNOWN: /* nothing sends a SYN twice by accident */
        sent_again(segment, "timing", true);
        break;
    default:
        break;
    }
}

/* Since the other end waits for these bytes there was time for a report of the
 * hole to reach the sender, and for this to come back. */
static bool came_a_round_trip_later(const struct segment *segment)
{
    const struct sent_list *list = &segment->sent->list;
    int64_t round_trip = segment->tracked->flow.initial_rtt_ns, since;

    if (list->last == 0)
        return true;
    since = segment->packet->time_ns - segment->pool->nodes[list->last].time_ns;
    return since >= (round_trip > 0 ? round_trip : late_ns);
}

/* No proof: bytes that were seen before were sent again; those that were not
 * were only late when they came soon. */
static void judge_by_time(struct segment *segment, bool seen)
{
    if (seen || came_a_round_trip_later(segment))
        sent_again(segment, "timing", seen);
    else
        note_verdict(segment->note, VERDICT_REORDERED, NULL, "timing");
}

static void data_segment(struct segment *segment)
{
    const struct flow_end *sender = segment->sender;
    uint32_t seq = segment->packet->tcp.seq, unseen;
    const char *evidence;
    bool seen;

    if (!sender->has_isn || !seq_before(seq, sender->next_seq)) {
        remember_sent(segment);
        return;
    }
    unseen = holes_within(segment->holes, &segment->sent->holes, seq,
                          seq + segment->payload);
    seen = unseen == 0 || unseen < segment->payload;
    switch (sent_order(segment, &evidence)) {
    case ORDER_NEWER:
        sent_again(segment, evidence, seen);
        break;
    case ORDER_OLDER:
        if (!seen)
            note_verdict(segment->note, VERDICT_REORDERED, NULL, evidence);
        break; /* else duplicated on the way */
    case ORDER_UNKNOWN:
        judge_by_time(segment, seen);
        break;
    case ORDER_SAME:
        break;
    }
    if (seq_after(segment->end, sender->next_seq))
        remember_sent(segment);
}

void again_segment(struct segment *segment)
{
    uint32_t size = segment_size(segment);

    segment->note->super_segment = size > 0 && segment->payload > size;
    if (segment->note->super_segment)
        segment->note->pieces = segments_in(segment);
    if (has_any_flag(segment, TCP_SYN))
        syn_segment(segment);
    else if (segment->payload > 0 || has_any_flag(segment, TCP_FIN))
        data_segment(segment);
    else if (segment->sender->has_isn &&
             segment->packet->tcp.seq == segment->sender->next_seq)
        remember_id(segment, false);
}

/* --- acknowledged -------------------------------------------------------- */

/* What a D-SACK tells of is within the block behind it, or acknowledged. */
static uint32_t sacked_bytes(const struct segment *segment)
{
    const struct tcp_header *tcp = &segment->packet->tcp;
    uint32_t bytes = 0;

    for (int n = segment->note->dsack; n < tcp->options.sack_count; n++) {
        uint32_t left = tcp->options.sack[n].left;
        uint32_t right = tcp->options.sack[n].right;

        if (seq_after(left, tcp->ack) && seq_after(right, left) &&
            !seq_after(right, segment->receiver->next_seq))
            bytes += right - left;
    }
    return bytes;
}

void again_acked(struct segment *segment, uint32_t before)
{
    uint32_t ack = segment->packet->tcp.ack;
    struct memory *acked = segment->received;
    const struct sent *newest;

    segment->sent->sacked = segment->packet->tcp.options.sack_count > 0
                                ? sacked_bytes(segment)
                                : 0;
    if (!seq_after(ack, before))
        return;
    segment->sent->dup_acks = 0;
    acked->tlp_sent = false;
    acked->time_outs = 0;
    if (acked->recovery != RECOVERY_NONE && !seq_before(ack, acked->recover_to))
        acked->recovery = RECOVERY_NONE;
    newest = sent_acked(segment->pool, &acked->list, ack);
    if (newest != NULL && newest->times == 1) /* Karn's rule */
        segment->note->ack_rtt_ns = segment->packet->time_ns - newest->time_ns;
}
