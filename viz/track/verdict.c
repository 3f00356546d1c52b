/*
 * What is to be said of one TCP segment: windows, probes, keep-alives,
 * duplicate acknowledgements, what is missing. What was sent again is in
 * again.c.
 */
#include "viz/track/segment.h"

struct verdict *note_verdict(struct note *note, enum verdict_name name,
                             const char *kind, const char *evidence)
{
    struct verdict *verdict;

    if (note->verdict_count == NOTE_VERDICTS)
        return NULL;
    verdict = &note->verdicts[note->verdict_count++];
    *verdict = (struct verdict){
        .name = name, .kind = kind, .evidence = evidence};
    return verdict;
}

static bool is_plain(const struct segment *segment)
{
    return !has_any_flag(segment, TCP_SYN | TCP_FIN | TCP_RST);
}

/* --- probes and keep-alives ---------------------------------------------- */

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

    segment->sent->probed = segment->sent->window_probed = false;
    if (segment->payload > 1 || !receiver->has_acked || !sender->has_isn ||
        !is_plain(segment))
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
    segment->sent->window_probed = segment->probe && closed;
}

/* --- acknowledgements ---------------------------------------------------- */

/* RFC 2883: the first block tells of what came twice when it lies below the
 * acknowledgement, or within the second block. */
static bool is_dsack(const struct tcp_header *tcp)
{
    const struct tcp_options *options = &tcp->options;

    if (options->sack_count == 0)
        return false;
    if (!seq_after(options->sack[0].right, tcp->ack))
        return true;
    return options->sack_count > 1 &&
           !seq_before(options->sack[0].left, options->sack[1].left) &&
           !seq_after(options->sack[0].right, options->sack[1].right);
}

/* RFC 5681 2: no data, the same number again while data is on its way, the
 * same window; where SACK is used, what counts is that it reports a hole. */
static bool is_duplicate(const struct segment *segment, bool same_window)
{
    const struct tcp_options *options = &segment->packet->tcp.options;

    if (!seq_after(segment->receiver->next_seq, segment->sender->acked))
        return false;
    if (options->sack_count > 0)
        return segment_reports_hole(segment);
    return same_window && segment->packet->tcp.window != 0 &&
           segment->sent->spoke;
}

/* The same acknowledgement as the last: there is a reason for it. The first
 * after a SYN has none: it only ends the handshake. */
static void repeated_ack(struct segment *segment)
{
    uint32_t window = segment_window(segment), last = segment->sender->window;
    struct verdict *verdict;

    if (segment->received->probed) {
        note_verdict(segment->note, VERDICT_KEEP_ALIVE_ACK, NULL, NULL);
    } else if (segment->packet->ttl < segment->sent->ttl_most) {
        return; /* captured once more, behind a router */
    } else if (is_duplicate(segment, window == last)) {
        segment->sent->dup_acks++;
        verdict = note_verdict(segment->note, VERDICT_DUPLICATE_ACK, NULL,
                               NULL);
        if (verdict != NULL)
            verdict->count = segment->sent->dup_acks;
    } else if (window > last && segment->sent->spoke && !segment->note->dsack) {
        note_verdict(segment->note, VERDICT_WINDOW_UPDATE, NULL, NULL);
    }
}

static void ack_verdict(struct segment *segment)
{
    const struct tcp_header *tcp = &segment->packet->tcp;
    const struct flow_end *sender = segment->sender;
    const struct flow_end *receiver = segment->receiver;

    if (is_dsack(tcp)) {
        segment->note->dsack = true;
        if (!segment->received->probed)
            segment->tracked->flow.spurious++;
        again_in_vain(segment, tcp->options.sack[0].left,
                      tcp->options.sack[0].right);
    }
    if (receiver->has_isn && segment->received->spoke &&
        seq_after(tcp->ack, receiver->next_seq) &&
        sequence_near(tcp->ack, receiver->next_seq))
        note_verdict(segment->note, VERDICT_ACKED_UNSEEN, NULL, NULL);
    if (segment->payload == 0 && is_plain(segment) && sender->has_acked &&
        tcp->ack == sender->acked && tcp->seq == sender->next_seq &&
        sender != receiver)
        repeated_ack(segment);
}

/* --- windows and what is missing ----------------------------------------- */

static void zero_verdict(struct segment *segment)
{
    if (segment->packet->tcp.window == 0 &&
        !has_any_flag(segment, TCP_SYN | TCP_FIN))
        note_verdict(segment->note, VERDICT_ZERO_WINDOW,
                     segment->received->window_probed ? "answer" : NULL, NULL);
}

static void full_verdict(struct segment *segment)
{
    const struct flow_end *receiver = segment->receiver;

    if (segment->payload > 0 && is_plain(segment) && receiver->has_acked &&
        receiver->window_scale >= 0 &&
        segment->end == receiver->acked + receiver->window)
        note_verdict(segment->note, VERDICT_WINDOW_FULL, NULL, NULL);
}

static void gap_verdict(struct segment *segment)
{
    const struct flow_end *sender = segment->sender;
    struct verdict *verdict;

    if (!sender->has_isn || has_any_flag(segment, TCP_SYN) ||
        !seq_after(segment->packet->tcp.seq, sender->next_seq))
        return;
    verdict = note_verdict(segment->note, VERDICT_LOST_SEGMENT, NULL, NULL);
    if (verdict != NULL)
        verdict->count = segment->packet->tcp.seq - sender->next_seq;
}

void verdict_segment(struct segment *segment)
{
    if (!segment->plausible || has_any_flag(segment, TCP_RST))
        return;
    zero_verdict(segment);
    if (has_flags(segment, TCP_ACK))
        ack_verdict(segment);
    probe_verdict(segment);
    if (segment->probe)
        return;
    gap_verdict(segment);
    again_segment(segment);
    full_verdict(segment);
}
