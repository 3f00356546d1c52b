/*
 * See wireshark.h. The names of the checks and their order are those of the
 * Wireshark user's guide, "TCP Analysis"; where guide and program differ, as
 * with the full window, the program is followed.
 */
#include "viz/track/wireshark.h"

#include <stdlib.h>

#include "viz/track/holes.h"

enum { SYN_FIN_RST = TCP_SYN | TCP_FIN | TCP_RST };

static const int64_t fast_ns = 20000000; /* after the last duplicate ACK */
static const int64_t near_ns = 3000000;  /* out of order, without a known RTT */

/* One direction. 0 stands for "not seen", as it does there. */
struct way {
    uint32_t next_seq;  /* highest seen */
    uint32_t max_acked; /* highest seen without a gap before it */
    uint32_t last_ack;
    uint32_t window; /* raw */
    uint32_t dup_acks;
    unsigned last_flags;
    int64_t next_seq_ns, last_ack_ns;
    int scale; /* -1 not known, -2 not used */
};

struct talk {
    uint64_t id; /* of the flow, plus one; 0: free */
    struct way way[2];
    int64_t syn_ns, first_rtt_ns; /* 0 none */
};

struct wireshark {
    struct talk *talks; /* hashed by id, probed linearly */
    size_t size, used;
};

static const char *const names[] = {
    "retransmission",
    "fast_retransmission",
    "spurious_retransmission",
    "out_of_order",
    "duplicate_ack",
    "lost_segment",
    "ack_lost_segment",
    "zero_window",
    "zero_window_probe",
    "zero_window_probe_ack",
    "window_update",
    "window_full",
    "keep_alive",
    "keep_alive_ack",
    "reused_ports",
};

const char *wireshark_flag_name(unsigned n)
{
    return n < sizeof names / sizeof *names ? names[n] : NULL;
}

struct wireshark *wireshark_new(void)
{
    return calloc(1, sizeof(struct wireshark));
}

void wireshark_free(struct wireshark *wireshark)
{
    if (wireshark != NULL)
        free(wireshark->talks);
    free(wireshark);
}

/* --- one state a connection ---------------------------------------------- */

static struct talk *place_of(struct talk *talks, size_t size, uint64_t id)
{
    size_t n = (id * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (size - 1);

    while (talks[n].id != 0 && talks[n].id != id)
        n = (n + 1) & (size - 1);
    return &talks[n];
}

static int grow(struct wireshark *wireshark)
{
    size_t size = wireshark->size == 0 ? 64 : wireshark->size * 2;
    struct talk *talks = calloc(size, sizeof(*talks));

    if (talks == NULL)
        return -1;
    for (size_t n = 0; n < wireshark->size; n++)
        if (wireshark->talks[n].id != 0)
            *place_of(talks, size,
                      wireshark->talks[n].id) = wireshark->talks[n];
    free(wireshark->talks);
    wireshark->talks = talks;
    wireshark->size = size;
    return 0;
}

static struct talk *talk_of(struct wireshark *wireshark, uint32_t flow)
{
    struct talk *talk;

    if (wireshark->used * 2 >= wireshark->size && grow(wireshark) < 0)
        return NULL;
    talk = place_of(wireshark->talks, wireshark->size, (uint64_t)flow + 1);
    if (talk->id == 0) {
        talk->id = (uint64_t)flow + 1;
        talk->way[0].scale = talk->way[1].scale = -1;
        talk->way[0].window = talk->way[1].window = UINT32_MAX;
        wireshark->used++;
    }
    return talk;
}

/* --- the checks ---------------------------------------------------------- */

struct look {
    const struct talk *talk;
    const struct tcp_header *tcp;
    uint32_t length;
    int64_t now;
    struct way *forward, *reverse;
    unsigned flags;
};

static bool plain(const struct look *look)
{
    return (look->tcp->flags & SYN_FIN_RST) == 0;
}

/* Without data, with the numbers of the last one in this direction. */
static bool repeats(const struct look *look)
{
    return look->length == 0 && plain(look) &&
           look->tcp->seq == look->forward->next_seq &&
           look->tcp->ack == look->forward->last_ack;
}

static bool fills_window(const struct look *look)
{
    const struct way *reverse = look->reverse;

    return look->length > 0 && reverse->scale != -1 && plain(look) &&
           look->tcp->seq + look->length ==
               reverse->last_ack +
                   (reverse->window
                    << (reverse->scale > 0 ? reverse->scale : 0));
}

/* The acknowledgement that says nothing new. */
static void check_repeated(struct look *look)
{
    bool same = look->tcp->window == look->forward->window;
    unsigned before = look->reverse->last_flags;

    if (!repeats(look) || !same)
        return;
    if (look->tcp->window != 0 && (before & WIRESHARK_KEEP_ALIVE)) {
        look->flags |= WIRESHARK_KEEP_ALIVE_ACK;
    } else if (look->tcp->window == 0) {
        if (before & WIRESHARK_ZERO_WINDOW_PROBE)
            look->flags |= WIRESHARK_ZERO_WINDOW_PROBE_ACK;
    } else {
        look->forward->dup_acks++;
        look->flags |= WIRESHARK_DUPLICATE_ACK;
    }
}

static void check_forward(struct look *look)
{
    const struct tcp_header *tcp = look->tcp;
    const struct way *forward = look->forward;

    if (look->length == 1 && tcp->seq == forward->next_seq &&
        look->reverse->window == 0) {
        look->flags |= WIRESHARK_ZERO_WINDOW_PROBE;
        return;
    }
    if (tcp->window == 0 && plain(look))
        look->flags |= WIRESHARK_ZERO_WINDOW;
    if (forward->next_seq != 0 && seq_after(tcp->seq, forward->next_seq) &&
        (tcp->flags & TCP_RST) == 0)
        look->flags |= WIRESHARK_LOST_SEGMENT;
    if (look->length <= 1 && tcp->seq == forward->next_seq - 1 && plain(look))
        look->flags |= WIRESHARK_KEEP_ALIVE;
    if (repeats(look) && tcp->window != 0 && tcp->window != forward->window)
        look->flags |= WIRESHARK_WINDOW_UPDATE;
    if (fills_window(look))
        look->flags |= WIRESHARK_WINDOW_FULL;
    check_repeated(look);
}

static void check_ack(struct look *look)
{
    uint32_t ack = look->tcp->ack;

    if (ack != look->forward->last_ack)
        look->forward->dup_acks = 0;
    if (look->reverse->max_acked != 0 && (look->tcp->flags & TCP_ACK) &&
        seq_after(ack, look->reverse->max_acked)) {
        look->flags |= WIRESHARK_ACK_LOST_SEGMENT;
        look->reverse->max_acked = look->reverse->next_seq;
    }
}

static bool is_out_of_order(const struct look *look)
{
    int64_t limit = look->talk->first_rtt_ns != 0 ? look->talk->first_rtt_ns
                                                  : near_ns;
    uint32_t end = look->tcp->seq + look->length;

    if (look->tcp->flags & (TCP_SYN | TCP_FIN))
        end++;
    return look->now - look->forward->next_seq_ns < limit &&
           look->forward->next_seq != end;
}

static void check_again(struct look *look)
{
    const struct tcp_header *tcp = look->tcp;
    const struct way *forward = look->forward, *reverse = look->reverse;
    bool behind = forward->next_seq != 0 &&
                  seq_before(tcp->seq, forward->next_seq);

    if ((look->length == 0 && (tcp->flags & (TCP_SYN | TCP_FIN)) == 0) ||
        (look->flags & WIRESHARK_KEEP_ALIVE))
        return;
    if (look->length > 1 && forward->next_seq - 1 == tcp->seq)
        behind = false; /* the byte before was a probe */
    if (look->length > 0 && reverse->last_ack != 0 &&
        !seq_after(tcp->seq + look->length, reverse->last_ack))
        look->flags |= WIRESHARK_SPURIOUS_RETRANSMISSION |
                       WIRESHARK_RETRANSMISSION;
    else if (!behind)
        return;
    else if (reverse->dup_acks >= 2 && reverse->last_ack == tcp->seq &&
             look->now - reverse->last_ack_ns < fast_ns)
        look->flags |= WIRESHARK_FAST_RETRANSMISSION | WIRESHARK_RETRANSMISSION;
    else if (is_out_of_order(look))
        look->flags |= WIRESHARK_OUT_OF_ORDER;
    else
        look->flags |= WIRESHARK_RETRANSMISSION;
}

/* --- what is remembered -------------------------------------------------- */

static void remember(struct look *look)
{
    const struct tcp_header *tcp = look->tcp;
    struct way *forward = look->forward;
    uint32_t next = tcp->seq + look->length;
    bool probe = look->flags & WIRESHARK_ZERO_WINDOW_PROBE;

    if (tcp->flags & (TCP_SYN | TCP_FIN))
        next++;
    if (!probe &&
        (seq_after(next, forward->next_seq) || forward->next_seq == 0)) {
        forward->next_seq = next;
        forward->next_seq_ns = look->now;
    }
    if (!probe && (tcp->seq == forward->max_acked || forward->max_acked == 0))
        forward->max_acked = forward->next_seq;
    forward->window = tcp->window;
    forward->last_ack = tcp->ack;
    forward->last_ack_ns = look->now;
    forward->last_flags = look->flags;
}

/* Scaling holds when both SYNs have the option. */
static void handshake(struct talk *talk, struct look *look)
{
    const struct tcp_header *tcp = look->tcp;

    if (tcp->flags & TCP_SYN) {
        look->forward->scale = tcp->options.has & OPT_WSCALE
                                   ? tcp->options.window_scale
                                   : -2;
        if ((tcp->flags & TCP_ACK) == 0)
            talk->syn_ns = look->now;
        else if (look->forward->scale == -2 || look->reverse->scale == -2)
            look->forward->scale = look->reverse->scale = -2;
    } else if ((tcp->flags & TCP_ACK) && talk->syn_ns != 0 &&
               talk->first_rtt_ns == 0) {
        talk->first_rtt_ns = look->now - talk->syn_ns;
    }
}

static bool reuses_ports(const struct packet *packet, const struct note *note)
{
    if ((packet->tcp.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return false;
    for (int n = 0; n < note->verdict_count; n++)
        if (note->verdicts[n].name == VERDICT_PORT_REUSE)
            return true;
    return false;
}

unsigned wireshark_feed(struct wireshark *wireshark,
                        const struct packet *packet, const struct note *note)
{
    struct look look = {.tcp = &packet->tcp,
                        .length = packet->payload_length,
                        .now = packet->time_ns};
    struct talk *talk;

    if (packet->protocol != PROTO_TCP || note->flow == NULL)
        return 0;
    talk = talk_of(wireshark, note->flow->id);
    if (talk == NULL)
        return 0;
    look.talk = talk;
    look.forward = &talk->way[note->from];
    look.reverse = &talk->way[!note->from];
    if (reuses_ports(packet, note))
        look.flags |= WIRESHARK_REUSED_PORTS;
    handshake(talk, &look);
    check_forward(&look);
    check_ack(&look);
    check_again(&look);
    remember(&look);
    return look.flags;
}
