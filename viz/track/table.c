/*
 * See table.h. Open addressing with linear probing; a slot keeps the whole
 * hash, so that probing and growing never touch the flows themselves. Removal
 * shifts the following slots back, so there are no tombstones.
 */
#include "viz/track/table.h"

#include <stdlib.h>
#include <string.h>

#include "viz/decode/decode.h"

enum { FIRST_SLOTS = 64, FIRST_ORDER = 32, DEFAULT_MOST = 1 << 17 };

static struct tracked *at_index(const struct table *table, uint32_t index)
{
    return &table->chunks[index / TABLE_CHUNK][index % TABLE_CHUNK];
}

int table_init(struct table *table, uint32_t most)
{
    *table = (struct table){.most = most > 0 ? most : DEFAULT_MOST};
    table->slot_count = FIRST_SLOTS;
    table->slots = calloc(table->slot_count, sizeof(*table->slots));
    if (table->slots == NULL)
        return -1;
    table->seed = (uintptr_t)table->slots * UINT64_C(0x9e3779b97f4a7c15);
    return 0;
}

void table_fini(struct table *table)
{
    for (uint32_t n = 0; n < table->places / TABLE_CHUNK; n++)
        free(table->chunks[n]);
    free(table->chunks);
    free(table->links);
    free(table->slots);
    free(table->order);
    holes_fini(&table->holes);
    sent_fini(&table->sent);
}

/* --- finding ------------------------------------------------------------- */

static uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    return value ^ value >> 32;
}

static uint64_t endpoint_hash(uint64_t seed, const struct endpoint *end)
{
    uint64_t half[2];

    memcpy(half, end->address, sizeof(half));
    return mix(mix(half[0] ^ seed) + half[1] + ((uint64_t)end->port << 48));
}

struct table_key table_key(const struct table *table, uint8_t protocol,
                           uint16_t vlan, const struct endpoint *source,
                           const struct endpoint *destination)
{
    /* a sum, so that both directions give the same */
    uint64_t sum = endpoint_hash(table->seed, source) +
                   endpoint_hash(table->seed, destination);

    return (struct table_key){
        source, destination, protocol, vlan,
        (uint32_t)mix(sum + protocol + ((uint64_t)vlan << 16))};
}

static bool matches(const struct tracked *tracked, const struct table_key *key,
                    enum flow_side *from)
{
    const struct flow_end *end = tracked->flow.end;

    if (tracked->flow.protocol != key->protocol || tracked->vlan != key->vlan)
        return false;
    *from = endpoint_equal(&end[FLOW_CLIENT].at, key->source) ? FLOW_CLIENT
                                                              : FLOW_SERVER;
    return endpoint_equal(&end[*from].at, key->source) &&
           endpoint_equal(&end[!*from].at, key->destination);
}

struct tracked *table_find(const struct table *table,
                           const struct table_key *key, enum flow_side *from)
{
    uint32_t mask = table->slot_count - 1;

    for (uint32_t s = key->hash & mask; table->slots[s].index != 0;
         s = (s + 1) & mask) {
        struct tracked *tracked;

        if (table->slots[s].hash != key->hash)
            continue;
        tracked = at_index(table, table->slots[s].index - 1);
        if (matches(tracked, key, from))
            return tracked;
    }
    return NULL;
}

/* --- slots --------------------------------------------------------------- */

static void slot_put(struct table *table, uint32_t hash, uint32_t index)
{
    uint32_t mask = table->slot_count - 1, s = hash & mask;

    while (table->slots[s].index != 0)
        s = (s + 1) & mask;
    table->slots[s] = (struct table_slot){hash, index + 1};
    table->used++;
}

/* Where the slot of this flow is; it must have one. */
static uint32_t slot_of(const struct table *table,
                        const struct tracked *tracked)
{
    uint32_t mask = table->slot_count - 1, s = tracked->hash & mask;

    while (table->slots[s].index != tracked->index + 1)
        s = (s + 1) & mask;
    return s;
}

static void slot_remove(struct table *table, uint32_t s)
{
    uint32_t mask = table->slot_count - 1;

    /* move back whatever could not have its own place because of this one */
    for (uint32_t next = (s + 1) & mask; table->slots[next].index != 0;
         next = (next + 1) & mask) {
        uint32_t home = table->slots[next].hash & mask;

        if (((next - home) & mask) >= ((next - s) & mask)) {
            table->slots[s] = table->slots[next];
            s = next;
        }
    }
    table->slots[s].index = 0;
    table->used--;
}

static int slots_grow(struct table *table)
{
    uint32_t old_count = table->slot_count;
    struct table_slot *old = table->slots, *slots;

    if (table->used < old_count / 2)
        return 0;
    slots = calloc((size_t)old_count * 2, sizeof(*slots));
    if (slots == NULL)
        return -1;
    table->slots = slots;
    table->slot_count = old_count * 2;
    table->used = 0;
    for (uint32_t s = 0; s < old_count; s++)
        if (old[s].index != 0)
            slot_put(table, old[s].hash, old[s].index - 1);
    free(old);
    return 0;
}

/* --- the order of last packets ------------------------------------------- */

static void unlink_place(struct table *table, uint32_t index)
{
    struct table_links *links = table->links, here = links[index];

    if (here.older != 0)
        links[here.older - 1].newer = here.newer;
    else
        table->oldest = here.newer;
    if (here.newer != 0)
        links[here.newer - 1].older = here.older;
    else
        table->newest = here.older;
}

static void link_newest(struct table *table, uint32_t index)
{
    table->links[index] = (struct table_links){.older = table->newest};
    if (table->newest != 0)
        table->links[table->newest - 1].newer = index + 1;
    else
        table->oldest = index + 1;
    table->newest = index + 1;
}

void table_touch(struct table *table, struct tracked *tracked)
{
    if (table->newest == tracked->index + 1)
        return;
    unlink_place(table, tracked->index);
    link_newest(table, tracked->index);
}

/* --- places -------------------------------------------------------------- */

void table_sum(struct track_totals *totals, const struct flow *flow)
{
    if (flow->protocol == PROTO_TCP)
        totals->tcp++;
    else
        totals->udp++;
    totals->retransmissions += flow->retransmissions;
}

static void forget(struct table *table, struct tracked *tracked)
{
    uint32_t index = tracked->index;

    if (tracked->found_by_key)
        slot_remove(table, slot_of(table, tracked));
    for (int side = 0; side < 2; side++) {
        holes_clear(&table->holes, &tracked->memory[side].holes);
        sent_clear(&table->sent, &tracked->memory[side].list);
    }
    unlink_place(table, index);
    tracked->live = false;
    table->links[index].older = table->free_place;
    table->free_place = index + 1;
    table->live--;
    table->forgotten++;
    table_sum(&table->gone, &tracked->flow);
}

/* Room for pointers and links doubles: what grows a chunk at a time is copied
 * too often. */
static int room_grow(struct table *table)
{
    uint32_t room = table->room == 0 ? TABLE_CHUNK : table->room * 2;
    struct tracked **chunks;
    struct table_links *links;

    chunks = realloc(table->chunks,
                     room / TABLE_CHUNK * sizeof(struct tracked *));
    if (chunks == NULL)
        return -1;
    table->chunks = chunks;
    links = realloc(table->links, room * sizeof(*links));
    if (links == NULL)
        return -1;
    table->links = links;
    table->room = room;
    return 0;
}

static int places_grow(struct table *table)
{
    struct tracked *chunk;

    if (table->places == table->room && room_grow(table) < 0)
        return -1;
    chunk = malloc(TABLE_CHUNK * sizeof(*chunk));
    if (chunk == NULL)
        return -1;
    table->chunks[table->places / TABLE_CHUNK] = chunk;
    table->places += TABLE_CHUNK;
    return 0;
}

/* Room for one more entry: the forgotten ones go, or the list grows. */
static int order_grow(struct table *table)
{
    struct table_order *order;
    uint32_t kept = 0, size;

    if (table->order_count < table->order_size)
        return 0;
    for (uint32_t n = 0; n < table->order_count; n++) {
        struct tracked *tracked = at_index(table, table->order[n].index);

        if (tracked->live && tracked->flow.id == table->order[n].id)
            table->order[kept++] = table->order[n];
    }
    table->order_count = kept;
    if (kept < table->order_size / 2)
        return 0;
    size = table->order_size == 0 ? FIRST_ORDER : table->order_size * 2;
    order = realloc(table->order, size * sizeof(*order));
    if (order == NULL)
        return -1;
    table->order = order;
    table->order_size = size;
    return 0;
}

static uint32_t place_take(struct table *table)
{
    uint32_t index;

    if (table->free_place == 0)
        return table->taken++;
    index = table->free_place - 1;
    table->free_place = table->links[index].older;
    return index;
}

struct tracked *table_add(struct table *table, const struct table_key *key,
                          enum flow_side from, struct tracked *before)
{
    struct tracked *tracked;
    uint32_t index;

    if (slots_grow(table) < 0 || order_grow(table) < 0)
        return NULL;
    if (table->live < table->most && table->free_place == 0 &&
        table->taken == table->places && places_grow(table) < 0)
        return NULL;
    if (before != NULL) {
        slot_remove(table, slot_of(table, before));
        before->found_by_key = false;
    }
    if (table->live == table->most)
        forget(table, at_index(table, table->oldest - 1));

    index = place_take(table);
    tracked = at_index(table, index);
    *tracked = (struct tracked){.index = index,
                                .hash = key->hash,
                                .vlan = key->vlan,
                                .found_by_key = true,
                                .live = true};
    tracked->flow.id = table->next_id++;
    tracked->flow.protocol = key->protocol;
    tracked->flow.end[from].at = *key->source;
    tracked->flow.end[!from].at = *key->destination;
    slot_put(table, key->hash, index);
    link_newest(table, index);
    table->order[table->order_count++] = (struct table_order){tracked->flow.id,
                                                              index};
    table->live++;
    return tracked;
}

struct flow *table_next(struct table *table, size_t *at)
{
    uint32_t low = 0, high = table->order_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (table->order[middle].id < *at)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < table->order_count; low++) {
        struct tracked *tracked = at_index(table, table->order[low].index);

        if (!tracked->live || tracked->flow.id != table->order[low].id)
            continue;
        *at = (size_t)tracked->flow.id + 1;
        return &tracked->flow;
    }
    return NULL;
}
