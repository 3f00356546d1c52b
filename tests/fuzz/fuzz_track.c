/*
 * Any sequence of packets. Promises: counters only grow, states are states
 * (one may be taken back, when its packet turns out to have been lost, but
 * what is listed agrees with what is said), what is closed stays closed, at
 * most so many flows live, and two trackers conclude the same from the same
 * packets (their hash seeds differ), as do two that say what Wireshark would.
 *
 *   how many flows may live (bit 7: twins, bit 6: packets are a byte each,
 *   bit 4: Wireshark's words, bit 3: two machines), then packets as in packets.h
 */
#include "tests/fuzz/packets.h"
#include "viz/track/track.h"
#include "viz/track/wireshark.h"

enum { REMEMBERED = 16, MOST_PACKETS = 400 };

/* What was known of a flow after its last packet, in that execution. */
struct memory {
    uint64_t execution;
    struct flow flow;
};

static uint64_t execution; /* so that memories need no wiping */

JUDGE static void check_end(const struct flow_end *end,
                            const struct flow_end *old, bool known)
{
    must(end->state < TCP_STATES);
    must(end->state_count <= FLOW_STATES);
    for (int i = 0; i < end->state_count; i++) {
        must(end->states[i] < TCP_STATES);
        must(end->states_seen & 1u << end->states[i]);
    }
    if (end->state_count > 0)
        must(end->states[end->state_count - 1] == end->state);
    if (!known)
        return;
    must(end->packets >= old->packets);
    must(end->bytes >= old->bytes);
}

JUDGE static void check_flow(const struct note *note, struct memory *memory)
{
    const struct flow *flow = note->flow, *old = &memory->flow;
    bool known = memory->execution == execution && old->id == flow->id;

    for (int side = 0; side < 2; side++) {
        check_end(&flow->end[side], &old->end[side], known);
        must(note->before[side] < TCP_STATES && note->after[side] < TCP_STATES);
        if (flow->protocol != PROTO_TCP)
            continue;
        must(note->after[side] == flow->end[side].state);
        if (known)
            must(note->before[side] == old->end[side].state);
        if (flow->end[side].state != TCP_UNKNOWN)
            must(flow->end[side].states_seen & 1u << flow->end[side].state);
    }
    must(flow->closed_by <= CLOSED_BY_RESET);
    if (known) {
        must(flow->packets >= old->packets);
        must(flow->retransmissions >= old->retransmissions);
        /* a RST may turn out not to have been believed */
        must(flow->closed_by != CLOSED_OPEN || old->closed_by == CLOSED_OPEN ||
             old->closed_by == CLOSED_BY_RESET);
        /* the kernel may go on after an ICMP error */
        must(flow->refused || !old->refused ||
             note->after[note->from] == TCP_SYN_SENT);
    }
    must(flow->refused || flow->unreached == NULL);
    *memory = (struct memory){execution, *flow};
}

JUDGE static void check_note(const struct note *note)
{
    must(note->from == FLOW_CLIENT || note->from == FLOW_SERVER);
    must(note->verdict_count <= NOTE_VERDICTS);
    for (int i = 0; i < note->verdict_count; i++) {
        must(note->verdicts[i].name < VERDICT_NAMES);
        must(verdict_text(note->verdicts[i].name) != NULL);
    }
}

/* Two trackers' words on one packet. */
JUDGE static void check_same(const struct note *a, const struct note *b)
{
    must((a->flow == NULL) == (b->flow == NULL));
    if (a->flow != NULL)
        must(a->flow->id == b->flow->id);
    must(a->verdict_count == b->verdict_count && a->from == b->from);
    for (int i = 0; i < a->verdict_count; i++) {
        must(a->verdicts[i].name == b->verdicts[i].name);
        must(a->verdicts[i].kind == b->verdicts[i].kind);
        must(a->verdicts[i].evidence == b->verdicts[i].evidence);
    }
    must(a->relative_seq == b->relative_seq && a->window == b->window);
    must(memcmp(a->after, b->after, sizeof a->after) == 0);
}

JUDGE static void check_all(struct track *track, uint32_t most)
{
    const struct flow *flow;
    size_t at = 0;
    uint32_t count = 0, last = 0;

    while ((flow = track_next(track, &at)) != NULL) {
        must(count == 0 || flow->id > last);
        must(flow->packets > 0);
        last = flow->id;
        count++;
    }
    must(count <= most);
}

/* What is remembered of the flow no longer holds. */
static void take_back(struct track *track, struct track *twin,
                      const struct lost_packet *lost, int64_t now_ns,
                      struct memory *memories)
{
    const struct flow *flow = track_lost(track, lost, now_ns), *other;

    if (flow != NULL) {
        for (int side = 0; side < 2; side++)
            check_end(&flow->end[side], NULL, false);
        memories[flow->id % REMEMBERED].execution = 0;
    }
    if (twin == NULL)
        return;
    other = track_lost(twin, lost, now_ns);
    must((flow == NULL) == (other == NULL));
    must(flow == NULL || flow->id == other->id);
}

/* Wireshark's words on one packet; NULL: nobody asked. */
static void check_wireshark(struct wireshark *const wireshark[2],
                            const struct packet *packet,
                            const struct note *note)
{
    unsigned flags;

    if (wireshark[0] == NULL)
        return;
    flags = wireshark_feed(wireshark[0], packet, note);
    must(flags < 2 * WIRESHARK_REUSED_PORTS);
    must(packet->protocol == PROTO_TCP || flags == 0);
    must(flags == wireshark_feed(wireshark[1], packet, note));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint8_t first = input_u8(&input);
    uint32_t most = 1u + first % 8;
    struct packets packets = {.far = first & 8, .now_ns = 1000};
    static struct memory memories[REMEMBERED];
    struct track *track = track_new(most), *twin = NULL;

    struct wireshark *wireshark[2] = {NULL, NULL};

    if (first & 0x80)
        twin = track_new(most);
    for (int i = 0; i < 2 && first & 0x10; i++) {
        wireshark[i] = wireshark_new();
        must(wireshark[i] != NULL);
    }
    must(track != NULL);
    execution++;
    while (input.left > 0 && packets.number < MOST_PACKETS) {
        struct packet packet;
        struct note note = {0}, again = {0};
        struct lost_packet lost;
        struct input step, *from = &input;
        uint8_t bytes[PACKETS_STEP];

        if (first & 0x40) {
            step = packets_step(input_u8(&input), bytes);
            from = &step;
        }
        if (packets_lost(&packets, from, &lost)) {
            take_back(track, twin, &lost, packets.now_ns, memories);
            continue;
        }
        packet = packets_next(&packets, from);
        must(track_feed(track, &packet, &note) == 0);
        check_note(&note);
        if (note.flow != NULL)
            check_flow(&note, &memories[note.flow->id % REMEMBERED]);
        else if (note.fragment_of > 0)
            execution++; /* it may have moved its flow: nothing is known now */
        check_wireshark(wireshark, &packet, &note);
        if (twin != NULL) {
            must(track_feed(twin, &packet, &again) == 0);
            check_same(&note, &again);
        }
    }
    check_all(track, most);
    for (int i = 0; i < 2; i++)
        wireshark_free(wireshark[i]);
    track_free(twin);
    track_free(track);
    return 0;
}
