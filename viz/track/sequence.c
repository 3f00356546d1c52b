/*
 * Sequence numbers, bytes and windows of both ends (RFC 9293 3.4, RFC 7323).
 * A byte counts once however often it is sent; an end that is seen from the
 * middle counts from its first segment, which is number 1 as in tshark.
 */
#include "viz/track/segment.h"

enum {
    WIDEST_WINDOW = 1 << 30, /* RFC 7323 2.3 */
    MOST_PAYLOAD = 1 << 24   /* far above what any stack hands to its card */
};

bool sequence_near(uint32_t a, uint32_t b)
{
    int32_t way = seq_from(a, b);

    return way <= WIDEST_WINDOW && way >= -WIDEST_WINDOW;
}

/* A second SYN with another number in an open connection is not part of it,
 * and neither is what lies beyond any window. */
bool sequence_plausible(const struct segment *segment)
{
    const struct flow_end *sender = segment->sender;
    uint32_t seq = segment->packet->tcp.seq;

    if (segment->payload > MOST_PAYLOAD)
        return false;
    if (!sender->has_isn)
        return true;
    if (has_flags(segment, TCP_SYN))
        return seq == sender->isn || sender->state == TCP_LISTEN ||
               sender->state == TCP_CLOSED || sender->state == TCP_UNKNOWN;
    return sequence_near(seq, sender->next_seq);
}

static void count_from(struct flow_end *end, uint32_t isn)
{
    end->isn = isn;
    end->next_seq = isn + 1;
    end->has_isn = true;
}

/* RFC 7323 2.2: scaling applies when both SYNs had the option. Whoever answers
 * with it has been offered it. */
static void take_scale(struct segment *segment)
{
    const struct tcp_options *options = &segment->packet->tcp.options;
    struct memory *sent = segment->sent, *received = segment->received;
    bool both = received->syn_sent || received->syn_ack_sent;
    bool scaled;

    sent->mss = options->mss;
    sent->sack_ok = (options->has & OPT_SACK_OK) != 0;
    sent->timestamps = (options->has & OPT_TIMESTAMP) != 0;
    sent->syn_scale = options->has & OPT_WSCALE ? (int8_t)options->window_scale
                                                : -1;
    if (!both && !has_flags(segment, TCP_ACK))
        return;
    scaled = sent->syn_scale >= 0 && (!both || received->syn_scale >= 0);
    segment->sender->window_scale = scaled ? sent->syn_scale : 0;
    if (both || !scaled)
        segment->receiver->window_scale = scaled ? received->syn_scale : 0;
}

uint32_t segment_window(const struct segment *segment)
{
    uint32_t window = segment->packet->tcp.window;

    if (has_flags(segment, TCP_SYN) || segment->sender->window_scale < 0)
        return window;
    return window << segment->sender->window_scale;
}

/* Data, and the gap before it when some has not been seen. */
static void take_data(struct segment *segment)
{
    struct flow_end *sender = segment->sender;
    struct holes *holes = &segment->sent->holes;
    uint32_t start = segment->packet->tcp.seq, end, next = sender->next_seq;

    if (has_flags(segment, TCP_SYN))
        start++;
    end = start + segment->payload;
    if (seq_after(start, next)) {
        holes_add(segment->holes, holes, next, start);
        next = start;
    }
    if (seq_after(end, next)) {
        sender->bytes += end - next;
        if (seq_before(start, next))
            sender->bytes += holes_fill(segment->holes, holes, start, next);
        next = end;
    } else if (seq_before(start, end)) {
        sender->bytes += holes_fill(segment->holes, holes, start, end);
    }
    if (has_flags(segment, TCP_FIN) && !has_flags(segment, TCP_SYN) &&
        !sender->fin_sent) {
        sender->fin_sent = segment->new_fin = true;
        sender->fin_seq = end;
    }
    if (sender->fin_sent && seq_after(sender->fin_seq + 1, next))
        next = sender->fin_seq + 1;
    sender->next_seq = next;
    holes_forget(segment->holes, holes, next, WIDEST_WINDOW);
}

/* The acknowledgement, unless it is about numbers that cannot have been sent,
 * and the window with it, unless the segment is an old one. */
static void take_ack(struct segment *segment)
{
    struct flow_end *sender = segment->sender, *receiver = segment->receiver;
    uint32_t ack = segment->packet->tcp.ack, before = sender->acked;

    if (!sequence_near(ack, receiver->next_seq))
        return;
    if (seq_after(ack, receiver->next_seq)) {
        if (!segment->received->spoke)
            return;
        receiver->next_seq = ack; /* sent, but not captured */
        holes_forget(segment->holes, &segment->received->holes, ack,
                     WIDEST_WINDOW);
    }
    if (sender->has_acked && seq_before(ack, sender->acked))
        return;
    if (!sender->has_acked)
        before = ack - 1;
    sender->acked = ack;
    sender->has_acked = true;
    again_acked(segment, before);
    sender->window = segment->note->window;
}

bool segment_reports_hole(const struct segment *segment)
{
    const struct tcp_header *tcp = &segment->packet->tcp;

    for (int n = 0; n < tcp->options.sack_count; n++)
        if (seq_after(tcp->options.sack[n].left, tcp->ack))
            return true; /* else it is a D-SACK (RFC 2883) */
    return false;
}

void sequence_segment(struct segment *segment)
{
    const struct tcp_header *tcp = &segment->packet->tcp;
    struct flow_end *sender = segment->sender, *receiver = segment->receiver;
    bool syn = tcp->flags & TCP_SYN, ack = tcp->flags & TCP_ACK;

    if (!sender->has_isn ||
        (syn && segment->plausible && tcp->seq != sender->isn))
        count_from(sender, syn ? tcp->seq : tcp->seq - 1);
    if (ack && !receiver->has_isn)
        count_from(receiver, tcp->ack - 1);
    if (syn && segment->plausible)
        take_scale(segment);
    segment->note->relative_seq = tcp->seq - sender->isn;
    segment->note->relative_ack = ack ? tcp->ack - receiver->isn : 0;
    segment->note->window = segment_window(segment);
    if (!segment->plausible || (tcp->flags & TCP_RST))
        return;
    if (!segment->probe)
        take_data(segment);
    if (ack) {
        take_ack(segment);
        segment->sent->reports_hole = segment_reports_hole(segment);
    } else {
        sender->window = segment->note->window;
    }
}
