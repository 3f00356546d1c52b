/*
 * The states of both ends (RFC 9293 3.3.2 and 3.10), inferred from the wire.
 * A segment says two things: what its sender must have been through to send
 * it, and what it makes of its receiver when it arrives. The first is certain.
 * The second is taken back when the receiver then behaves as if it had never
 * arrived, for a captured segment may still be lost.
 */
#include "viz/track/segment.h"

/* --- one end ------------------------------------------------------------- */

/* No packet shows LISTEN or CLOSED, and seen from the middle an end may have
 * got a FIN before we looked: certain only once both have sent data. */
static bool is_assumed(const struct flow *flow, enum tcp_state state)
{
    const struct flow_end *a = &flow->end[0], *b = &flow->end[1];

    if (state == TCP_LISTEN || state == TCP_CLOSED)
        return true;
    return flow->midstream && !(a->bytes > 0 && b->bytes > 0) &&
           !(a->fin_sent && b->fin_sent);
}

static void enter(const struct flow *flow, struct flow_end *end,
                  enum tcp_state state)
{
    end->assumed = is_assumed(flow, state);
    if (end->state == state)
        return;
    end->state = state;
    end->since_ns = flow->last_ns;
    end->states_seen |= (uint16_t)(1u << state);
    if (end->state_count < FLOW_STATES)
        end->state_count++;
    end->states[end->state_count - 1] = (uint8_t)state;
}

static enum tcp_state state_before(const struct flow_end *end)
{
    return end->state_count > 1
               ? (enum tcp_state)end->states[end->state_count - 2]
               : TCP_UNKNOWN;
}

/* The newest state was never true: back to the one before it. */
static void take_back(const struct flow *flow, struct flow_end *end)
{
    enum tcp_state wrong = end->state;

    if (end->state_count == 0)
        return;
    end->state = state_before(end);
    end->since_ns = flow->last_ns;
    end->state_count--;
    end->states_seen &= (uint16_t) ~(1u << wrong);
    for (int n = 0; n < end->state_count; n++)
        end->states_seen |= (uint16_t)(1u << end->states[n]);
    end->assumed = is_assumed(flow, end->state);
}

static bool is_synchronized(const struct flow_end *end)
{
    switch (end->state) {
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
    case TCP_CLOSE_WAIT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT:
        return true;
    default:
        return false;
    }
}

/* The other end's FIN has arrived at this one. */
static void receive_fin(const struct flow *flow, struct flow_end *end,
                        struct memory *memory)
{
    switch (end->state) {
    case TCP_SYN_RECV:
    case TCP_ESTABLISHED:
        enter(flow, end, TCP_CLOSE_WAIT);
        break;
    case TCP_FIN_WAIT1:
        enter(flow, end, TCP_CLOSING);
        break;
    case TCP_FIN_WAIT2:
        enter(flow, end, TCP_TIME_WAIT);
        break;
    default:
        return;
    }
    memory->fin_received = true;
}

/* --- what sending it proves of the sender -------------------------------- */

/* A SYN sent again by an end that has sent nothing else: what we took for the
 * end of its handshake was lost on the way to it. */
static void still_opening(struct segment *segment, enum tcp_state state)
{
    struct flow *flow = &segment->tracked->flow;
    struct flow_end *sender = segment->sender;

    if (!segment->again || segment->sent->spoke || !is_synchronized(sender))
        return;
    while (sender->state != state && sender->state_count > 1)
        take_back(flow, sender);
    enter(flow, sender, state);
    segment->sent->fin_received = false;
}

/* The sender does not acknowledge a FIN that we took to have arrived: it is
 * still on its way, or lost. */
static void await_fin(struct segment *segment)
{
    const struct flow *flow = &segment->tracked->flow;
    struct flow_end *sender = segment->sender;

    if (sender->state != TCP_CLOSE_WAIT && sender->state != TCP_CLOSING &&
        (sender->state != TCP_TIME_WAIT ||
         state_before(sender) != TCP_FIN_WAIT2))
        return;
    take_back(flow, sender);
    segment->sent->fin_received = false;
}

/* A FIN sent again: the acknowledgement that we saw has not reached it. */
static void still_closing(struct segment *segment)
{
    const struct flow *flow = &segment->tracked->flow;
    struct flow_end *sender = segment->sender;

    if (sender->state == TCP_FIN_WAIT2 ||
        (sender->state == TCP_CLOSED && state_before(sender) == TCP_LAST_ACK) ||
        (sender->state == TCP_TIME_WAIT && state_before(sender) == TCP_CLOSING))
        take_back(flow, sender);
}

static void send_syn(struct segment *segment)
{
    struct flow *flow = &segment->tracked->flow;
    struct flow_end *sender = segment->sender;

    switch (sender->state) {
    case TCP_LISTEN: /* not a listener, then */
        take_back(flow, sender);
        enter(flow, sender, TCP_SYN_SENT);
        if (segment->receiver->state == TCP_SYN_SENT) {
            flow->simultaneous = true;
            note_verdict(segment->note, VERDICT_SIMULTANEOUS_OPEN, NULL, NULL);
        }
        break;
    case TCP_UNKNOWN:
    case TCP_CLOSED: /* refused, and tries again with the same number: the
                        kernel has not given up */
        flow->refused = false;
        flow->unreached = NULL;
        enter(flow, sender, TCP_SYN_SENT);
        if (segment->receiver->state == TCP_UNKNOWN ||
            segment->receiver->state == TCP_CLOSED)
            enter(flow, segment->receiver, TCP_LISTEN);
        break;
    default:
        still_opening(segment, TCP_SYN_SENT);
    }
    segment->sent->syn_sent = true;
    if (segment->payload > 0)
        segment->tracked->fast_open = true;
}

static void send_syn_ack(struct segment *segment)
{
    struct flow *flow = &segment->tracked->flow;
    struct flow_end *sender = segment->sender;

    if (!acknowledges(segment, segment->receiver->isn))
        return;
    switch (sender->state) {
    case TCP_UNKNOWN: /* the SYN was not captured, but is proved by this */
        if (segment->receiver->state == TCP_UNKNOWN)
            enter(flow, segment->receiver, TCP_SYN_SENT);
        enter(flow, sender, TCP_SYN_RECV);
        break;
    case TCP_LISTEN:
        enter(flow, sender, TCP_SYN_RECV);
        break;
    case TCP_SYN_SENT:
        if (!flow->simultaneous)
            note_verdict(segment->note, VERDICT_SIMULTANEOUS_OPEN, NULL, NULL);
        flow->simultaneous = true;
        enter(flow, sender, TCP_SYN_RECV);
        break;
    default:
        still_opening(segment, TCP_SYN_RECV);
    }
    segment->sent->syn_ack_sent = true;
}

/* Whether the sender has acknowledged the receiver's FIN. */
static bool knows_fin(const struct segment *segment)
{
    return segment->receiver->fin_sent && segment->sender->has_acked &&
           seq_after(segment->sender->acked, segment->receiver->fin_seq);
}

/* It was reset and goes on: the RST was not believed, but asked about by a
 * challenge ACK (RFC 5961 3). */
static void live_on(struct tracked *tracked)
{
    struct flow *flow = &tracked->flow;

    tracked->doubtful = false;
    flow->closed_by = tracked->closed_before;
    for (int side = 0; side < 2; side++)
        if (tracked->reset_end[side] && flow->end[side].state == TCP_CLOSED)
            take_back(flow, &flow->end[side]);
}

/* Anything without SYN and RST. */
static void send_ack(struct segment *segment)
{
    struct flow *flow = &segment->tracked->flow;
    struct flow_end *sender = segment->sender, *receiver = segment->receiver;
    bool knows_peer = acknowledges(segment, receiver->isn);

    if (segment->tracked->doubtful &&
        segment->from != segment->tracked->reset_from)
        live_on(segment->tracked);
    switch (sender->state) {
    case TCP_UNKNOWN:
        enter(flow, sender, TCP_ESTABLISHED);
        if (receiver->state == TCP_UNKNOWN)
            enter(flow, receiver, TCP_ESTABLISHED);
        break;
    case TCP_LISTEN: /* its SYN,ACK was not captured; else an old one's ACK */
        if (knows_peer && segment->payload > 0)
            enter(flow, sender, TCP_ESTABLISHED);
        break;
    case TCP_SYN_SENT:
        if (knows_peer &&
            (segment->received->syn_sent || segment->received->syn_ack_sent))
            enter(flow, sender, TCP_ESTABLISHED);
        break;
    case TCP_SYN_RECV: /* with Fast Open data may come before the last ACK */
        if (segment->payload > 0 && !segment->tracked->fast_open)
            enter(flow, sender, TCP_ESTABLISHED);
        break;
    default:
        break;
    }
    if (is_synchronized(sender))
        segment->sent->spoke = true;
    if (!receiver->fin_sent)
        return;
    if (knows_fin(segment) && !segment->sent->fin_received)
        receive_fin(flow, sender, segment->sent);
    else if (!knows_fin(segment) && segment->sent->fin_received)
        await_fin(segment);
}

static void send_fin(struct segment *segment)
{
    struct flow *flow = &segment->tracked->flow;
    struct flow_end *sender = segment->sender;

    if (flow->closed_by == CLOSED_OPEN)
        flow->closed_by = segment->from == FLOW_CLIENT ? CLOSED_BY_CLIENT
                                                       : CLOSED_BY_SERVER;
    else if (!knows_fin(segment) && flow->closed_by != CLOSED_BY_RESET)
        flow->closed_by = CLOSED_BY_BOTH; /* on their way at the same time */
    switch (sender->state) {
    case TCP_SYN_RECV:
    case TCP_ESTABLISHED:
        enter(flow, sender, TCP_FIN_WAIT1);
        break;
    case TCP_CLOSE_WAIT:
        enter(flow, sender, TCP_LAST_ACK);
        break;
    default:
        break;
    }
}

/* --- what arriving makes of the receiver --------------------------------- */

static void arrive_ack(struct segment *segment)
{
    struct flow *flow = &segment->tracked->flow;
    struct flow_end *end = segment->receiver;
    bool fin_acked = end->fin_sent && acknowledges(segment, end->fin_seq);

    switch (end->state) {
    case TCP_SYN_SENT: /* in a simultaneous open the other SYN came first */
        if (has_flags(segment, TCP_SYN) && !flow->simultaneous &&
            acknowledges(segment, end->isn))
            enter(flow, end, TCP_ESTABLISHED);
        break;
    case TCP_SYN_RECV:
        if (acknowledges(segment, end->isn))
            enter(flow, end, TCP_ESTABLISHED);
        break;
    case TCP_FIN_WAIT1:
        if (fin_acked)
            enter(flow, end, TCP_FIN_WAIT2);
        break;
    case TCP_CLOSING:
        if (fin_acked)
            enter(flow, end, TCP_TIME_WAIT);
        break;
    case TCP_LAST_ACK:
        if (fin_acked)
            enter(flow, end, TCP_CLOSED);
        break;
    default:
        break;
    }
}

/* A FIN only takes effect when all before it has arrived: not while the
 * receiver reports a hole, nor while we see one ourselves. */
static bool fin_in_order(const struct segment *segment)
{
    return segment->sender->fin_sent && !segment->received->fin_received &&
           !segment->sent->fin_lost && segment->sent->holes.count == 0 &&
           !segment->received->reports_hole;
}

static void arrive(struct segment *segment)
{
    struct flow *flow = &segment->tracked->flow;
    bool fin = has_flags(segment, TCP_FIN) && !has_flags(segment, TCP_SYN);

    if (!fin && fin_in_order(segment) &&
        seq_after(segment->packet->tcp.seq, segment->sender->fin_seq))
        receive_fin(flow, segment->receiver, segment->received);
    if (has_flags(segment, TCP_ACK))
        arrive_ack(segment);
    if (fin && fin_in_order(segment))
        receive_fin(flow, segment->receiver, segment->received);
}

/* --- reset --------------------------------------------------------------- */

/* RFC 5961 3: a RST counts when it carries the next number that is awaited. */
static bool is_awaited(const struct segment *segment)
{
    const struct flow_end *receiver = segment->receiver;
    uint32_t seq = segment->packet->tcp.seq;

    return !receiver->has_acked || seq == segment->sender->next_seq ||
           seq == receiver->acked;
}

/* We allow the whole window, for we may have missed the last ACK; whether it
 * was believed shows in what comes after. */
static bool in_window(const struct segment *segment)
{
    const struct flow_end *receiver = segment->receiver;
    uint32_t seq = segment->packet->tcp.seq, window = receiver->window;

    if (receiver->window_scale < 0)
        window <<= 14;
    return !seq_before(seq, receiver->acked) && seq - receiver->acked < window;
}

/* Both ends are over, as far as the RST is believed. */
static void end_by_reset(struct segment *segment)
{
    struct tracked *tracked = segment->tracked;
    struct flow *flow = &tracked->flow;

    tracked->doubtful = !is_awaited(segment);
    tracked->reset_from = segment->from;
    tracked->closed_before = flow->closed_by;
    for (int side = 0; side < 2; side++) {
        struct flow_end *end = &flow->end[side];

        tracked->reset_end[side] = end->state != TCP_CLOSED &&
                                   (end == segment->sender || !segment->lost);
        if (tracked->reset_end[side] || end == segment->sender)
            enter(flow, end, TCP_CLOSED);
    }
    if (!(segment->sender->fin_sent && segment->receiver->fin_sent))
        flow->closed_by = CLOSED_BY_RESET;
}

/* A kernel that answers what it has no socket for sends no ACK with the RST
 * (RFC 9293 3.5.2); one whose program ends a connection does. Which of the
 * ways to end it so it was, the wire tells only likely: with SO_LINGER 0, with
 * bytes unread that had come last, or because keep-alives stayed unanswered. */
static enum reset_kind reset_kind_of(const struct segment *segment)
{
    const struct flow_end *receiver = segment->receiver;

    if (receiver->state == TCP_SYN_SENT)
        return RESET_REFUSED;
    if (!has_flags(segment, TCP_ACK))
        return RESET_NO_SOCKET;
    if (segment->sent->probed)
        return RESET_GAVE_UP;
    return receiver->bytes > 0 && segment->received->data_last ? RESET_UNREAD
                                                               : RESET_ABORT;
}

/* What the receiver's program is told (tcp_reset() in Linux). One that has
 * closed the socket, and a connection that nobody has accepted yet, are told
 * nothing. */
static const char *reset_errno(enum tcp_state state)
{
    switch (state) {
    case TCP_SYN_SENT:
        return "ECONNREFUSED";
    case TCP_CLOSE_WAIT:
        return "EPIPE";
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT1: /* after shutdown(SHUT_WR) it may still read */
    case TCP_FIN_WAIT2:
        return "ECONNRESET";
    default:
        return NULL;
    }
}

static void reset(struct segment *segment)
{
    struct flow *flow = &segment->tracked->flow;
    struct flow_end *sender = segment->sender, *receiver = segment->receiver;

    if (receiver->state == TCP_SYN_SENT) {
        if (!acknowledges(segment, receiver->isn))
            return;
        if (sender->state == TCP_LISTEN) {
            take_back(flow, sender); /* nobody has listened there */
            flow->refused = !segment->lost;
            note_verdict(segment->note, VERDICT_REFUSED, NULL, NULL);
        }
    } else if (!is_awaited(segment) && !in_window(segment)) {
        return;
    }
    segment->note->reset = reset_kind_of(segment);
    if (!segment->lost)
        segment->note->error = reset_errno(receiver->state);
    segment->note->error_now = segment->note->error != NULL;
    end_by_reset(segment);
}

void tcp_state_unreachable(struct flow *flow, enum flow_side sender)
{
    struct flow_end *end = &flow->end[sender], *other = &flow->end[!sender];

    if (other->state == TCP_LISTEN)
        take_back(flow, other);
    enter(flow, end, TCP_CLOSED);
    enter(flow, other, TCP_CLOSED);
}

/* --- together ------------------------------------------------------------ */

/* A capture that was not made at the receiver sees what is still on its way: it
 * may arrive, and only the receiver's next segment proves that it has. */
static bool is_on_its_way(const struct segment *segment)
{
    switch (segment->tracked->flow.vantage) {
    case VANTAGE_CLIENT:
        return segment->from == FLOW_CLIENT;
    case VANTAGE_SERVER:
        return segment->from == FLOW_SERVER;
    case VANTAGE_MIDDLE:
        return true;
    default:
        return false;
    }
}

void tcp_state_segment(struct segment *segment)
{
    struct flow *flow = &segment->tracked->flow;
    enum flow_side to = (enum flow_side) !segment->from;
    struct standing before;

    if (!segment->plausible)
        return;
    if (has_flags(segment, TCP_RST)) {
        standing_take(&before, flow, to, segment->received);
        reset(segment);
        losses_arrived(segment->losses, segment, &before);
        return;
    }
    if (has_flags(segment, TCP_SYN | TCP_ACK))
        send_syn_ack(segment);
    else if (has_flags(segment, TCP_SYN))
        send_syn(segment);
    else
        send_ack(segment);
    if (segment->sender->assumed) /* it has got what moved it, and goes on */
        segment->sender->assumed = is_assumed(flow, segment->sender->state);
    if (segment->payload > 0) {
        segment->sent->data_last = true;
        segment->received->data_last = false;
    }
    if (segment->new_fin)
        send_fin(segment);
    else if (segment->again && has_flags(segment, TCP_FIN))
        still_closing(segment);
    if (has_flags(segment, TCP_FIN))
        segment->sent->fin_lost = segment->lost;
    if (!segment->lost) {
        standing_take(&before, flow, to, segment->received);
        arrive(segment);
        if (segment->receiver->state != before.state && is_on_its_way(segment))
            segment->receiver->assumed = true;
        losses_confirm(segment->losses, segment, arrive);
        losses_arrived(segment->losses, segment, &before);
    }
    if (flow->midstream)
        for (int side = 0; side < 2; side++)
            flow->end[side].assumed = is_assumed(flow, flow->end[side].state);
    if (!segment->tracked->established && !flow->midstream &&
        is_synchronized(segment->sender) &&
        is_synchronized(segment->receiver)) {
        segment->tracked->established = true;
        segment->note->handshake_done = true;
    }
}
