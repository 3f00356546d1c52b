/* See links.h. */
#include "viz/views/links.h"

#include <stdlib.h>
#include <string.h>

void links_fini(struct links *links)
{
    free(links->items);
    *links = (struct links){0};
}

enum { FURTHEST = 4096 }; /* links back in which a copy is looked for */

/* The newest link to this original, NULL for none. */
static struct link *newest_link(struct links *links, uint64_t original)
{
    size_t stop = links->count > FURTHEST ? links->count - FURTHEST : 0;

    for (size_t i = links->count; i-- > stop;)
        if (links->items[i].original == original && !links->items[i].report)
            return &links->items[i];
    return NULL;
}

/* What the note of this row says was sent before it. */
static bool find_link(struct links *links, struct link *link,
                      const struct store_row *row)
{
    const struct verdict *again = note_again(&row->note);
    const struct link *before;

    if (!again || again->packet == 0)
        return false;
    before = newest_link(links, again->packet);
    *link = (struct link){.original = again->packet,
                          .again = row->packet.number,
                          .previous = before ? before->again : again->packet,
                          .lost = again->kind == NULL ||
                                  strcmp(again->kind, "spurious") != 0};
    return true;
}

/* Both copies had arrived, then: nothing of them was lost. */
static void not_lost(struct links *links, uint64_t original)
{
    struct link *link = newest_link(links, original);

    if (link)
        link->lost = false;
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
        const struct store_row *row = store_row(
            store, (size_t)(links->upto - forgotten));
        const struct verdict *vain = note_in_vain(&row->note);
        struct link link;

        if (find_link(links, &link, row))
            add(links, &link);
        if (!vain)
            continue;
        not_lost(links, vain->packet);
        link = (struct link){.original = vain->packet,
                             .again = row->packet.number,
                             .report = true};
        add(links, &link);
    }
}

const struct link *links_of(const struct links *links, uint64_t again)
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
               ? &links->items[low]
               : NULL;
}

uint64_t links_again(const struct links *links, uint64_t original)
{
    for (size_t i = 0; i < links->count; i++)
        if (links->items[i].original == original && !links->items[i].report)
            return links->items[i].again;
    return 0;
}

uint64_t links_lost(const struct links *links, uint64_t original, uint64_t upto)
{
    for (size_t i = 0; i < links->count && links->items[i].again <= upto; i++)
        if (links->items[i].previous == original && links->items[i].lost)
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
