/* See fragments.h. */
#include "viz/track/fragments.h"

#include <string.h>

/* An identification comes round again: RFC 8200 waits 60 s for the rest. */
static const int64_t patience_ns = INT64_C(60000000000);

void fragments_begin(struct fragments *fragments, const struct tracked *tracked,
                     enum flow_side from, const struct packet *packet)
{
    struct fragment *fragment = &fragments->at[fragments->next];

    *fragment = (struct fragment){.first = *packet,
                                  .flow = tracked->flow.id,
                                  .index = tracked->index,
                                  .from = from,
                                  .length = packet->payload_length};
    if (packet->protocol == PROTO_TCP)
        fragment->behind = packet->tcp.seq + packet->payload_length +
                           ((packet->tcp.flags & TCP_SYN) != 0);
    fragment->first.payload = NULL;
    fragments->next = (fragments->next + 1) % FRAGMENTS_MOST;
}

static bool same_address(const struct endpoint *a, const struct endpoint *b)
{
    return a->family == b->family &&
           memcmp(a->address, b->address, sizeof a->address) == 0;
}

static bool belongs(const struct packet *first, const struct packet *packet)
{
    int64_t apart = packet->time_ns - first->time_ns;

    return first->number != 0 && first->ip_id == packet->ip_id &&
           first->protocol == packet->protocol && apart > -patience_ns &&
           apart < patience_ns &&
           same_address(&first->source, &packet->source) &&
           same_address(&first->destination, &packet->destination);
}

struct fragment *fragments_find(struct fragments *fragments,
                                const struct packet *packet)
{
    for (size_t i = 1; i <= FRAGMENTS_MOST; i++) { /* the newest first */
        size_t n = (fragments->next + FRAGMENTS_MOST - i) % FRAGMENTS_MOST;

        if (belongs(&fragments->at[n].first, packet))
            return &fragments->at[n];
    }
    return NULL;
}

struct tracked *fragment_flow(const struct fragment *fragment,
                              const struct table *table)
{
    struct tracked *tracked = &table->chunks[fragment->index / TABLE_CHUNK]
                                            [fragment->index % TABLE_CHUNK];

    return tracked->live && tracked->flow.id == fragment->flow ? tracked : NULL;
}

/* The first piece has a TCP header too, of 20 to 60 bytes. */
static bool follows(const struct fragment *fragment, const struct packet *piece)
{
    uint32_t header = piece->fragment_offset - fragment->offset -
                      fragment->length;

    return fragment->offset > 0 ? header == 0 : header >= 20 && header <= 60;
}

bool fragment_segment(struct fragment *fragment, const struct packet *piece,
                      struct packet *segment)
{
    if (!follows(fragment, piece) || (fragment->first.tcp.flags & TCP_RST))
        return false;
    *segment = fragment->first;
    segment->number = piece->number;
    segment->time_ns = piece->time_ns;
    segment->tcp.seq = fragment->behind;
    segment->tcp.flags &= (uint8_t)~TCP_SYN;
    if (piece->more_fragments)
        segment->tcp.flags &= (uint8_t)~TCP_FIN;
    segment->payload_length = piece->payload_length;
    segment->payload_captured = 0;
    segment->more_fragments = piece->more_fragments;
    fragment->behind += piece->payload_length;
    fragment->offset = piece->fragment_offset;
    fragment->length = piece->payload_length;
    return true;
}
