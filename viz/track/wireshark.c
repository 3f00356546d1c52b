/*
 * See wireshark.h. The names of the checks and their order are those of the
 * Wireshark user's guide, "TCP Analysis"; where guide and program differ, as
 * with the full window, the program is followed.
 */
#include "viz/track/wireshark.h"

#include <stdlib.h>
#include <string.h>

#include "viz/track/serial.h"

enum { SYN_FIN_RST = TCP_SYN | TCP_FIN | TCP_RST };

static const int64_t fast_ns = 20000000; /* after the last duplicate ACK */
static const int64_t near_ns = 3000000;  /* out of order, without a known RTT */

/* What of one direction is not known, or not used. */
enum { SCALE_UNKNOWN = -1, SCALE_NONE = -2 };

/* way.dup_acks when data that nobody has seen was acknowledged: more than any
 * count of duplicates. */
static const uint32_t ACKED_UNSEEN = UINT32_MAX;

/* One direction. 0 stands for "not seen", as it does there. */
struct way {
    bool has_base;
    uint32_t base;      /* number of the SYN, seen or concluded */
    uint32_t next_seq;  /* highest seen */
    uint32_t max_acked; /* highest seen without a gap before it */
    uint32_t last_ack;
    uint32_t window; /* raw */
    uint32_t dup_acks;
    unsigned last_flags;
    int64_t next_seq_ns, last_ack_ns;
    int scale;
    bool only_syn; /* its last SYN was not followed by an ACK yet */
};

struct talk {
    uint64_t id;                  /* of the flow, plus one; 0: free */
    struct way way[2];            /* by direction_of() */
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

static void begin(struct talk *talk, uint64_t id)
{
    *talk = (struct talk){.id = id};
    for (int n = 0; n < 2; n++) {
        talk->way[n].scale = SCALE_UNKNOWN;
        talk->way[n].window = UINT32_MAX;
    }
}

/* What Wireshark takes for one connection may be several flows to track: those
 * with the same endpoints go on with what there was. */
static struct talk *talk_of(struct wireshark *wireshark,
                            const struct flow *flow)
{
    uint64_t id = (uint64_t)flow->id + 1;
    const struct talk *before = NULL;
    struct talk *talk;

    if (wireshark->used * 2 >= wireshark->size && grow(wireshark) < 0)
        return NULL;
    talk = place_of(wireshark->talks, wireshark->size, id);
    if (talk->id != 0)
        return talk;
    if (flow->reuses)
        before = place_of(wireshark->talks, wireshark->size,
                          (uint64_t)flow->before + 1);
    if (before != NULL && before->id != 0) {
        *talk = *before;
        talk->id = id;
    } else {
        begin(talk, id);
    }
    wireshark->used++;
    return talk;
}

/* The same for all packets of one way between two endpoints. */
static int direction_of(const struct packet *packet)
{
    const struct endpoint *from = &packet->source, *to = &packet->destination;
    int order = memcmp(from->address, to->address, sizeof from->address);

    return order > 0 || (order == 0 && from->port > to->port);
}

/* --- the checks ---------------------------------------------------------- */

struct look {
    struct talk *talk;
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
    int scale = reverse->scale > 0 && !reverse->only_syn ? reverse->scale : 0;

    return look->length > 0 && reverse->scale != SCALE_UNKNOWN && plain(look) &&
           look->tcp->seq + look->length ==
               reverse->last_ack + (reverse->window << scale);
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
        if (look->forward->dup_acks == ACKED_UNSEEN)
            look->forward->dup_acks = 0;
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

/* Data that nobody has seen is acknowledged. Where a gap explains it that is
 * said once for the gap; else once until the other way acknowledges something
 * new, which its count of duplicates is used to remember. */
static void check_ack(struct look *look)
{
    uint32_t ack = look->tcp->ack;
    struct way *reverse = look->reverse;

    if (ack != look->forward->last_ack)
        look->forward->dup_acks = 0;
    if (reverse->max_acked == 0 || (look->tcp->flags & TCP_ACK) == 0 ||
        !seq_after(ack, reverse->max_acked))
        return;
    if (seq_after(reverse->next_seq, reverse->max_acked)) {
        look->flags |= WIRESHARK_ACK_LOST_SEGMENT;
        reverse->max_acked = reverse->next_seq;
        return;
    }
    if (reverse->dup_acks == 0)
        look->flags |= WIRESHARK_ACK_LOST_SEGMENT;
    reverse->dup_acks = ACKED_UNSEEN;
}

/* A time before it is very long, when clocks run backwards. */
static bool is_within(const struct look *look, int64_t since_ns,
                      int64_t limit_ns)
{
    return (uint64_t)look->now - (uint64_t)since_ns < (uint64_t)limit_ns;
}

static bool is_out_of_order(const struct look *look)
{
    int64_t limit = look->talk->first_rtt_ns != 0 ? look->talk->first_rtt_ns
                                                  : near_ns;
    uint32_t end = look->tcp->seq + look->length;

    if (look->tcp->flags & (TCP_SYN | TCP_FIN))
        end++;
    return is_within(look, look->forward->next_seq_ns, limit) &&
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
             is_within(look, reverse->last_ack_ns, fast_ns))
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

/* A SYN with another number than before begins a connection, whatever became
 * of the old one; with the same, what comes next is awaited behind what came
 * without a gap. */
static void check_syn(struct look *look)
{
    const struct tcp_header *tcp = look->tcp;
    struct way *forward = look->forward;
    bool ack = tcp->flags & TCP_ACK;

    if ((tcp->flags & TCP_SYN) == 0 || !forward->has_base)
        return;
    if (tcp->seq == forward->base) {
        if (!ack)
            forward->next_seq = forward->max_acked;
        return;
    }
    look->flags |= WIRESHARK_REUSED_PORTS;
    if (ack)
        forward->base = tcp->seq;
    else
        begin(look->talk, look->talk->id);
}

/* The numbers that both directions count from. */
static void remember_base(struct look *look)
{
    const struct tcp_header *tcp = look->tcp;
    struct way *forward = look->forward, *reverse = look->reverse;

    if (!forward->has_base)
        forward->base = tcp->flags & TCP_SYN ? tcp->seq : tcp->seq - 1;
    forward->has_base = true;
    if (reverse->has_base || (tcp->flags & TCP_ACK) == 0)
        return;
    reverse->base = tcp->ack - 1;
    reverse->has_base = true;
}

/* Scaling holds when both SYNs have the option. */
static void remember_scale(struct look *look)
{
    const struct tcp_header *tcp = look->tcp;

    if (tcp->options.has & OPT_WSCALE)
        look->forward->scale = tcp->options.window_scale;
    if ((tcp->flags & TCP_SYN) == 0)
        return;
    if (look->forward->scale == SCALE_UNKNOWN)
        look->forward->scale = look->reverse->scale = SCALE_NONE;
    else if ((tcp->flags & TCP_ACK) && look->reverse->scale == SCALE_NONE)
        look->forward->scale = SCALE_NONE;
}

static void remember_handshake(struct look *look)
{
    struct talk *talk = look->talk;

    remember_scale(look);
    if (look->tcp->flags & TCP_SYN) {
        look->forward->only_syn = true;
        if ((look->tcp->flags & TCP_ACK) == 0)
            talk->syn_ns = look->now;
    } else if (look->tcp->flags & TCP_ACK) {
        look->forward->only_syn = false;
        if (talk->syn_ns != 0 && talk->first_rtt_ns == 0)
            talk->first_rtt_ns = look->now - talk->syn_ns;
    }
}

unsigned wireshark_feed(struct wireshark *wireshark,
                        const struct packet *packet, const struct note *note)
{
    struct look look = {.tcp = &packet->tcp,
                        .length = packet->payload_length,
                        .now = packet->time_ns};
    int direction = direction_of(packet);

    if (packet->protocol != PROTO_TCP || note->flow == NULL)
        return 0;
    look.talk = talk_of(wireshark, note->flow);
    if (look.talk == NULL)
        return 0;
    look.forward = &look.talk->way[direction];
    look.reverse = &look.talk->way[!direction];
    check_syn(&look);
    if (!packet->more_fragments) { /* else its length is not known */
        check_forward(&look);
        check_ack(&look);
        check_again(&look);
        remember(&look);
        remember_base(&look);
    }
    remember_handshake(&look);
    return look.flags;
}
