/* See tally.h. */
#include "viz/views/tally.h"

#include "viz/views/words.h"

/* Whether it came later than a packet of the same end that was sent after it:
 * by track's verdict, or a datagram's IP ID. */
struct order {
    bool seen[2];
    uint16_t newest[2];
};

static bool came_late(struct order *order, const struct store_row *row)
{
    const struct packet *packet = &row->packet;
    enum flow_side from = row->note.from;
    uint16_t id = (uint16_t)packet->ip_id;
    bool late = false;

    for (int i = 0; i < row->note.verdict_count; i++)
        late |= row->note.verdicts[i].name == VERDICT_REORDERED;
    if (packet->protocol != PROTO_UDP || !packet->has_ip_id || id == 0)
        return late;
    late = order->seen[from] &&
           (int16_t)(uint16_t)(id - order->newest[from]) < 0;
    if (!late)
        order->newest[from] = id;
    order->seen[from] = true;
    return late;
}

static void count_segment(struct tally *tally, const struct store_row *row)
{
    uint8_t flags = row->packet.tcp.flags;

    if (row->packet.payload_length == 0 && flags == TCP_ACK)
        tally->only_acks++;
    if (flags & (TCP_FIN | TCP_RST))
        tally->closing++;
    tally->again += note_again(&row->note) != NULL;
}

static void count(struct tally *tally, struct order *order,
                  const struct store_row *row, enum flow_side before)
{
    const struct packet *packet = &row->packet;

    if (tally->packets++ == 0)
        tally->first_ns = packet->time_ns;
    else
        tally->turns += row->note.from != before;
    tally->last_ns = packet->time_ns;
    tally->wire += packet->length;
    if (packet_is_tcp(packet))
        count_segment(tally, row);
    if (packet->protocol == PROTO_ICMP || packet->protocol == PROTO_ICMP6) {
        tally->unreachable++;
        return;
    }
    tally->reordered += came_late(order, row);
    if (packet->payload_length == 0)
        return;
    if (tally->carrying++ == 0) {
        tally->opening = tally->packets - 1;
        tally->opening_ns = packet->time_ns - tally->first_ns;
    }
    tally->payload += packet->payload_length;
    tally->sent[row->note.from]++;
}

static void fill_bins(struct tally *tally, const struct store *store,
                      size_t rows, int64_t span_ns)
{
    for (size_t n = 0; n < rows; n++) {
        const struct store_row *row = store_row(store, n);
        int64_t at = row->packet.time_ns - tally->first_ns;

        if (row->note.flow == tally->flow && at >= 0 && at <= span_ns)
            tally->bins[(size_t)((double)at * (TALLY_BINS - 1) /
                                 (span_ns > 0 ? (double)span_ns : 1))] +=
                row->packet.length;
    }
}

void tally_flow(struct tally *tally, const struct store *store, size_t rows,
                const struct flow *flow, int64_t span_ns)
{
    struct order order = {0};
    enum flow_side before = FLOW_CLIENT;

    *tally = (struct tally){.flow = flow};
    for (size_t n = 0; n < rows; n++) {
        const struct store_row *row = store_row(store, n);

        if (row->note.flow != flow)
            continue;
        count(tally, &order, row, before);
        before = row->note.from;
    }
    if (span_ns == 0)
        span_ns = tally->last_ns - tally->first_ns;
    fill_bins(tally, store, rows, span_ns);
}
