/* See links.h. */
#include "viz/views/links.h"

#include <stdlib.h>
#include <string.h>

#include "viz/views/words.h"

enum { FURTHEST = 20000 }; /* rows back in which an original is looked for */

void links_fini(struct links *links)
{
    free(links->items);
    *links = (struct links){0};
}

static uint32_t segment_end(const struct packet *packet)
{
    return packet->tcp.seq + packet->payload_length +
           !!(packet->tcp.flags & TCP_SYN) + !!(packet->tcp.flags & TCP_FIN);
}

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static bool is_again(const struct store_row *row)
{
    for (int i = 0; i < row->note.verdict_count; i++)
        if (row->note.verdicts[i].name == VERDICT_RETRANSMISSION)
            return row->note.flow && packet_is_tcp(&row->packet);
    return false;
}

/* Going back from place `n`: the segment that began where this one does, or
 * held its first byte; and whether anybody acknowledged that in between. */
static bool find_original(struct link *link, const struct store *store,
                          size_t n)
{
    const struct store_row *again = store_row(store, n);
    uint32_t seq = again->packet.tcp.seq, acked = seq;
    size_t stop = n > FURTHEST ? n - FURTHEST : 0;

    while (n-- > stop) {
        const struct store_row *row = store_row(store, n);

        if (row->note.flow != again->note.flow || !packet_is_tcp(&row->packet))
            continue;
        if (row->note.from != again->note.from) {
            if (row->packet.tcp.flags & TCP_ACK &&
                before(acked, row->packet.tcp.ack))
                acked = row->packet.tcp.ack;
            continue;
        }
        if (before(seq, row->packet.tcp.seq) ||
            !before(seq, segment_end(&row->packet)))
            continue;
        link->original = row->packet.number;
        link->again = again->packet.number;
        link->lost = before(acked, segment_end(&row->packet));
        return true;
    }
    return false;
}

static void add(struct links *links, const struct link *link)
{
    if (links->count == links->room) {
        size_t room = links->room ? links->room * 2 : 64;
        struct link *items = realloc(links->items, room * sizeof *items);

        if (!items)
            return; /* one jump less */
        links->items = items;
        links->room = room;
    }
    links->items[links->count++] = *link;
}

void links_update(struct links *links, const struct store *store)
{
    uint64_t forgotten = store_forgotten(store);
    uint64_t end = forgotten + store_rows(store);

    if (links->store != store || links->upto > end) {
        links->count = 0;
        links->upto = 0;
        links->store = store;
    }
    if (links->upto < forgotten)
        links->upto = forgotten;
    for (; links->upto < end; links->upto++) {
        size_t n = (size_t)(links->upto - forgotten);
        struct link link;

        if (is_again(store_row(store, n)) && find_original(&link, store, n))
            add(links, &link);
    }
}

uint64_t links_original(const struct links *links, uint64_t again)
{
    size_t low = 0, high = links->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (links->items[middle].again < again)
            low = middle + 1;
        else
            high = middle;
    }
    return low < links->count && links->items[low].again == again
               ? links->items[low].original
               : 0;
}

uint64_t links_lost(const struct links *links, uint64_t original, uint64_t upto)
{
    for (size_t i = 0; i < links->count && links->items[i].again <= upto; i++)
        if (links->items[i].original == original && links->items[i].lost)
            return links->items[i].again;
    return 0;
}

/* --- connections that pass the filter -------------------------------------- */

void matches_fini(struct matches *matches)
{
    free(matches->bits);
    *matches = (struct matches){0};
}

void matches_forget(struct matches *matches)
{
    matches->upto = 0;
    if (matches->room > 0)
        memset(matches->bits, 0, matches->room);
}

static void set_bit(struct matches *matches, uint32_t id)
{
    if (id / 8 >= matches->room) {
        size_t room = id / 8 * 2 + 64;
        uint8_t *bits = realloc(matches->bits, room);

        if (!bits)
            return;
        memset(bits + matches->room, 0, room - matches->room);
        matches->bits = bits;
        matches->room = room;
    }
    matches->bits[id / 8] |= (uint8_t)(1u << id % 8);
}

void matches_update(struct matches *matches, const struct store *store,
                    const struct filter *filter)
{
    uint64_t forgotten = store_forgotten(store);
    uint64_t end = forgotten + store_rows(store);

    if (matches->store != store || matches->upto > end)
        matches_forget(matches);
    matches->store = store;
    if (matches->upto < forgotten)
        matches->upto = forgotten;
    for (; matches->upto < end; matches->upto++) {
        const struct store_row *row = store_row(
            store, (size_t)(matches->upto - forgotten));

        if (row->note.flow && filter_passes(filter, &row->packet, &row->note))
            set_bit(matches, row->note.flow->id);
    }
}

bool matches_flow(const struct matches *matches, uint32_t id)
{
    return id / 8 < matches->room && matches->bits[id / 8] >> id % 8 & 1;
}
