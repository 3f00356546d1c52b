/* See samples.h. An array without holes, and a hash by cookie to find places
 * in it: a look brings up to date every socket, 20 times a second. */
#include "viz/events/samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static struct endpoint unmapped(const struct endpoint *end)
{
    struct endpoint plain = *end;

    if (end->family == 6 && memcmp(end->address, mapped, 12) == 0) {
        memset(&plain, 0, sizeof plain);
        plain.family = 4;
        memcpy(plain.address, end->address + 12, 4);
        plain.port = end->port;
    }
    return plain;
}

bool samples_same_end(const struct endpoint *a, const struct endpoint *b)
{
    struct endpoint x, y;

    if (a->port != b->port)
        return false;
    x = unmapped(a);
    y = unmapped(b);
    return x.family == y.family && memcmp(x.address, y.address, 16) == 0;
}

static bool any_address(const struct endpoint *end)
{
    static const uint8_t zero[16];

    return memcmp(end->address, zero, 16) == 0;
}

/* A socket bound to the IPv6 wildcard also gets IPv4 (unless IPV6_V6ONLY). */
static bool receives(const struct endpoint *bound, const struct endpoint *at)
{
    if (bound->port != at->port)
        return false;
    if (at->family == 0)
        return true;
    if (any_address(bound))
        return bound->family == 6 || bound->family == at->family;
    return samples_same_end(bound, at);
}

static bool same_socket(const struct socket_sample *a,
                        const struct socket_sample *b)
{
    if (a->cookie != b->cookie)
        return false;
    return a->cookie != 0 || (a->protocol == b->protocol &&
                              samples_same_end(&a->local, &b->local) &&
                              samples_same_end(&a->remote, &b->remote));
}

static size_t place(const struct samples *samples,
                    const struct socket_sample *socket)
{
    uint64_t hash = socket->cookie;

    if (hash == 0)
        hash = (uint64_t)socket->local.port << 16 | socket->remote.port;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 32) & (samples->slot_count - 1);
}

/* Its slot, or the free one where it belongs. */
static size_t slot_of(const struct samples *samples,
                      const struct socket_sample *socket)
{
    size_t slot = place(samples, socket);

    while (
        samples->slots[slot] != 0 &&
        !same_socket(&samples->items[samples->slots[slot] - 1].socket, socket))
        slot = (slot + 1) & (samples->slot_count - 1);
    return slot;
}

static int grow(struct samples *samples)
{
    size_t room = samples->room ? samples->room * 2 : 16;
    struct sample *items = realloc(samples->items, room * sizeof *items);
    uint32_t *slots;

    if (!items)
        return -1;
    samples->items = items;
    slots = calloc(room * 2, sizeof *slots);
    if (!slots)
        return -1;
    free(samples->slots);
    samples->slots = slots;
    samples->slot_count = room * 2;
    samples->room = room;
    for (size_t i = 0; i < samples->count; i++)
        slots[slot_of(samples, &samples->items[i].socket)] = (uint32_t)i + 1;
    return 0;
}

void samples_fini(struct samples *samples)
{
    free(samples->items);
    free(samples->slots);
    memset(samples, 0, sizeof *samples);
}

bool samples_news(const struct socket_sample *old,
                  const struct socket_sample *socket)
{
    return old->state != socket->state ||
           old->receive_queue != socket->receive_queue ||
           old->send_queue != socket->send_queue ||
           old->timer != socket->timer || old->drops != socket->drops ||
           (old->inode == 0) != (socket->inode == 0);
}

int samples_put(struct samples *samples, const struct socket_sample *socket,
                int64_t time_ns)
{
    struct sample *sample;
    bool stays = false;
    size_t slot;

    if (samples->count == samples->room) {
        if (samples->count < SAMPLES_MOST && grow(samples) < 0)
            return -1;
    }
    slot = slot_of(samples, socket);
    if (samples->slots[slot] == 0) {
        if (samples->count == SAMPLES_MOST) {
            errno = ENOMEM;
            return -1;
        }
        samples->slots[slot] = (uint32_t)++samples->count;
        sample = &samples->items[samples->count - 1];
    } else {
        sample = &samples->items[samples->slots[slot] - 1];
        stays = sample->socket.state == socket->state;
    }
    if (stays)
        time_ns = sample->socket.since_ns;
    *sample = (struct sample){.socket = *socket, .update = ++samples->updates};
    sample->socket.since_ns = time_ns;
    return 0;
}

/* Free a slot and move up those behind it that had to go past it. */
static void free_slot(struct samples *samples, size_t hole)
{
    size_t mask = samples->slot_count - 1, home, next = hole;

    samples->slots[hole] = 0;
    for (;;) {
        next = (next + 1) & mask;
        if (samples->slots[next] == 0)
            return;
        home = place(samples, &samples->items[samples->slots[next] - 1].socket);
        if (((next - home) & mask) < ((next - hole) & mask))
            continue;
        samples->slots[hole] = samples->slots[next];
        samples->slots[next] = 0;
        hole = next;
    }
}

void samples_remove(struct samples *samples, const struct socket_sample *socket)
{
    size_t slot, item, last;

    if (samples->count == 0)
        return;
    slot = slot_of(samples, socket);
    if (samples->slots[slot] == 0)
        return;
    item = samples->slots[slot] - 1;
    free_slot(samples, slot);
    last = --samples->count;
    if (item != last) {
        slot = slot_of(samples, &samples->items[last].socket);
        samples->items[item] = samples->items[last];
        samples->slots[slot] = (uint32_t)item + 1;
    }
}

const struct socket_sample *samples_find(const struct samples *samples,
                                         const struct socket_sample *socket)
{
    size_t slot;

    if (samples->count == 0)
        return NULL;
    slot = slot_of(samples, socket);
    return samples->slots[slot]
               ? &samples->items[samples->slots[slot] - 1].socket
               : NULL;
}

const struct socket_sample *samples_between(const struct samples *samples,
                                            uint8_t protocol,
                                            const struct endpoint *local,
                                            const struct endpoint *remote)
{
    const struct sample *found = NULL;

    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *item = &samples->items[i];

        if (item->socket.protocol != protocol ||
            !samples_same_end(&item->socket.local, local) ||
            !samples_same_end(&item->socket.remote, remote))
            continue;
        if (!found || item->update > found->update)
            found = item;
    }
    return found ? &found->socket : NULL;
}

/* Whether the address is this machine's, as far as its sockets show: a loopback
 * address, or one that a socket has. */
static bool is_here(const struct samples *samples, const struct endpoint *at)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    struct endpoint one = *at;

    if (at->family == 4 ? at->address[0] == 127
                        : memcmp(at->address, loopback6, 16) == 0)
        return true;
    for (size_t i = 0; i < samples->count; i++) {
        one.port = samples->items[i].socket.local.port;
        if (samples_same_end(&samples->items[i].socket.local, &one))
            return true;
    }
    return false;
}

const struct socket_sample *samples_bound(const struct samples *samples,
                                          uint8_t protocol,
                                          const struct endpoint *local)
{
    const struct sample *found = NULL;

    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *item = &samples->items[i];

        if (item->socket.protocol != protocol ||
            !receives(&item->socket.local, local))
            continue;
        if (protocol == PROTO_TCP ? item->socket.state != TCP_LISTEN
                                  : item->socket.remote.port != 0)
            continue;
        if (!found || item->update > found->update)
            found = item;
    }
    /* Bound to every address, it still gets nothing for another machine's. */
    if (!found || local->family == 0 || !any_address(&found->socket.local) ||
        is_here(samples, local))
        return found ? &found->socket : NULL;
    return NULL;
}
