/*
 * What is to be said of one TCP segment, and on what evidence. Here: zero
 * windows, probes, keep-alives, and what was sent again as opposed to what
 * came late.
 *
 * Sequence numbers alone cannot tell a retransmission from a segment that was
 * overtaken on its way. The IP ID can: hosts count it upwards, so that the
 * lower number with the *newer* ID was sent again and with the *older* one
 * came late. Where IDs do not count, the timestamp option says it; on loopback
 * nothing can be overtaken. Without any of these we say nothing.
 */
#include "viz/track/segment.h"

#include <string.h>

void note_verdict(struct note *note, enum verdict_name name, const char *kind,
                  const char *evidence)
{
    if (note->verdict_count < NOTE_VERDICTS)
        note->verdicts[note->verdict_count++] = (struct verdict){name, kind,
                                                                 evidence};
}

/* --- evidence ------------------------------------------------------------ */

enum order { ORDER_UNKNOWN, ORDER_NEWER, ORDER_OLDER, ORDER_SAME };

static bool is_loopback(const struct packet *packet)
{
    const struct endpoint *from = &packet->source, *to = &packet->destination;

    if (from->family == 4)
        return from->address[0] == 127 && to->address[0] == 127;
    return memcmp(from->address, to->address, sizeof(from->address)) == 0;
}

/* Linux writes 0 in a SYN,ACK, some hosts in every packet. */
static bool has_id(const struct segment *segment)
{
    const struct packet *packet = segment->packet;

    if (!packet->has_ip_id || segment->sent->ids_useless)
        return false;
    return packet->ip_id != 0 || (!has_flags(segment, TCP_SYN | TCP_ACK) &&
                                  segment->sent->edge_id != 0);
}

/* Whether the segment was sent after the one with the highest number, and what
 * says so. ORDER_SAME: it is that segment, captured twice. */
static enum order sent_order(const struct segment *segment,
                             const char **evidence)
{
    const struct packet *packet = segment->packet;
    const struct memory *sent = segment->sent;
    const struct tcp_options *options = &packet->tcp.options;
    int32_t way;

    if (sent->has_edge_id && has_id(segment)) {
        *evidence = "ipid";
        way = (int16_t)(uint16_t)(packet->ip_id - sent->edge_id);
        return way > 0 ? ORDER_NEWER : way < 0 ? ORDER_OLDER : ORDER_SAME;
    }
    if ((options->has & OPT_TIMESTAMP) && sent->has_edge_ts) {
        *evidence = "tsval";
        way = seq_from(options->ts_value, sent->edge_ts);
        if (way != 0)
            return way > 0 ? ORDER_NEWER : ORDER_OLDER;
    }
    if (is_loopback(packet)) {
        *evidence = "vantage";
        return ORDER_NEWER;
    }
    *evidence = NULL;
    return ORDER_UNKNOWN;
}

/* The segment with the highest number so far: what later ones are compared
 * with. */
static void remember_edge(struct segment *segment)
{
    const struct packet *packet = segment->packet;
    const struct tcp_options *options = &packet->tcp.options;
    struct memory *sent = segment->sent;
    uint16_t id = (uint16_t)packet->ip_id;

    sent->edge_seq = packet->tcp.seq;
    if (has_id(segment)) {
        if (sent->has_edge_id && (int16_t)(uint16_t)(id - sent->edge_id) <= 0)
            sent->ids_useless = true; /* constant, or random */
        sent->edge_id = id;
        sent->has_edge_id = true;
    }
    if (options->has & OPT_TIMESTAMP) {
        sent->edge_ts = options->ts_value;
        sent->has_edge_ts = true;
    }
}

/* --- windows and keep-alives --------------------------------------------- */

/* A segment just below what the other end awaits makes it answer, and says
 * nothing new: a keep-alive (RFC 9293 3.8.4), or while its window is closed a
 * probe (3.8.6.1). Linux sends both without data; tshark 4.0 calls them all
 * keep-alives. */
static void probe_verdict(struct segment *segment)
{
    const struct flow_end *sender = segment->sender;
    const struct flow_end *receiver = segment->receiver;
    uint32_t seq = segment->packet->tcp.seq;
    bool closed = receiver->has_acked && receiver->window == 0;

    segment->sent->probed = false;
    if (segment->payload > 1 || !receiver->has_acked || !sender->has_isn ||
        has_any_flag(segment, TCP_SYN | TCP_FIN | TCP_RST))
        return;
    if (segment->payload == 1 && seq == segment->sent->edge_seq)
        return; /* it had data of one byte, and sends it again */
    if (seq == receiver->acked - 1) {
        segment->probe = true;
        note_verdict(segment->note,
                     closed ? VERDICT_ZERO_WINDOW_PROBE : VERDICT_KEEP_ALIVE,
                     NULL, NULL);
        segment->sent->probed = !closed;
    } else if (closed && segment->payload == 1 && seq == sender->next_seq) {
        segment->probe = true; /* the next byte, which will not be taken */
        note_verdict(segment->note, VERDICT_ZERO_WINDOW_PROBE, NULL, NULL);
    }
}

static void answer_verdict(struct segment *segment)
{
    const struct tcp_header *tcp = &segment->packet->tcp;

    if (segment->received->probed && segment->payload == 0 &&
        !has_any_flag(segment, TCP_SYN | TCP_FIN | TCP_RST) &&
        tcp->seq == segment->sender->next_seq &&
        tcp->ack == segment->sender->acked &&
        segment->sender != segment->receiver)
        note_verdict(segment->note, VERDICT_KEEP_ALIVE_ACK, NULL, NULL);
}

/* --- sent again ---------------------------------------------------------- */

static void sent_again(struct segment *segment, const char *kind)
{
    const char *evidence;

    if (sent_order(segment, &evidence) != ORDER_NEWER)
        return;
    note_verdict(segment->note, VERDICT_RETRANSMISSION, kind, evidence);
    segment->tracked->flow.retransmissions++;
    segment->again = true;
}

/* A SYN of the same number and the same kind: in a simultaneous open the
 * SYN,ACK has the number of the SYN and is none. */
static void syn_verdict(struct segment *segment)
{
    bool before = has_flags(segment, TCP_ACK) ? segment->sent->syn_ack_sent
                                              : segment->sent->syn_sent;

    if (!before)
        remember_edge(segment);
    else if (segment->packet->tcp.seq == segment->sender->isn)
        sent_again(segment, "syn");
}

static void data_verdict(struct segment *segment)
{
    const struct flow_end *sender = segment->sender;
    uint32_t seq = segment->packet->tcp.seq, unseen;
    const char *evidence;

    if (!sender->has_isn || !seq_before(seq, sender->next_seq)) {
        remember_edge(segment);
        return;
    }
    unseen = holes_within(segment->holes, &segment->sent->holes, seq,
                          seq + segment->payload);
    if (unseen == 0 || unseen < segment->payload)
        sent_again(segment, NULL);
    else if (sent_order(segment, &evidence) == ORDER_OLDER)
        note_verdict(segment->note, VERDICT_REORDERED, NULL, evidence);
    else
        sent_again(segment, NULL); /* the first copy was lost before us */
    if (seq_after(segment->end, sender->next_seq))
        remember_edge(segment);
}

void verdict_segment(struct segment *segment)
{
    const struct tcp_header *tcp = &segment->packet->tcp;

    if (!segment->plausible || (tcp->flags & TCP_RST))
        return;
    if (tcp->window == 0 && !has_any_flag(segment, TCP_SYN | TCP_FIN))
        note_verdict(segment->note, VERDICT_ZERO_WINDOW, NULL, NULL);
    answer_verdict(segment);
    probe_verdict(segment);
    if (segment->probe)
        return;
    if (tcp->flags & TCP_SYN)
        syn_verdict(segment);
    else if (segment->payload > 0 || (tcp->flags & TCP_FIN))
        data_verdict(segment);
}
