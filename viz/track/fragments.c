/* Fragments of IP datagrams (RFC 791 3.2, RFC 8200 4.5): only the first has the
 * ports, the others have the same addresses and identification. */
#include <string.h>

#include "viz/decode/decode.h"
#include "viz/track/udp.h"

/* An identification comes round again: RFC 8200 waits 60 s for the rest. */
static const int64_t patience_ns = INT64_C(60000000000);

static struct endpoint without_port(const struct endpoint *end)
{
    struct endpoint bare = *end;

    bare.port = 0;
    return bare;
}

void fragments_begin(struct fragments *fragments, const struct tracked *tracked,
                     const struct packet *packet)
{
    fragments->at[fragments->next] = (struct fragment){
        .source = without_port(&packet->source),
        .destination = without_port(&packet->destination),
        .ip_id = packet->ip_id,
        .flow = tracked->flow.id,
        .index = tracked->index,
        .number = packet->number,
        .time_ns = packet->time_ns};
    fragments->next = (fragments->next + 1) % FRAGMENTS_MOST;
}

static bool belongs(const struct fragment *first, const struct packet *packet)
{
    struct endpoint source = without_port(&packet->source);
    struct endpoint destination = without_port(&packet->destination);
    int64_t apart = packet->time_ns - first->time_ns;

    return first->number != 0 && first->ip_id == packet->ip_id &&
           apart > -patience_ns && apart < patience_ns &&
           endpoint_equal(&first->source, &source) &&
           endpoint_equal(&first->destination, &destination);
}

void fragments_follow(struct fragments *fragments, const struct table *table,
                      const struct packet *packet, struct note *note)
{
    /* The newest first. */
    for (size_t i = 1; i <= FRAGMENTS_MOST; i++) {
        const struct fragment *first =
            &fragments
                 ->at[(fragments->next + FRAGMENTS_MOST - i) % FRAGMENTS_MOST];
        struct tracked *tracked;

        if (!belongs(first, packet))
            continue;
        note->fragment_of = first->number;
        tracked = &table->chunks[first->index / TABLE_CHUNK]
                                [first->index % TABLE_CHUNK];
        if (tracked->live && tracked->flow.id == first->flow)
            tracked->flow.udp.fragments++;
        return;
    }
}
