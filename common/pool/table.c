/* Slots of sockets: given again when their socket is gone, under a new number.
 * They lie in blocks that never move, so a pointer stays good. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/pool/inside.h"

int socket_reserve(struct pool *pool)
{
    struct table *table = &pool->table;
    struct pool_socket **blocks, *block;

    if (pool->stopping) {
        errno = ECANCELED;
        return -1;
    }
    if (table->free != NO_SLOT ||
        table->used < table->block_count * SLOTS_A_BLOCK)
        return 0;
    if (table->used > UINT32_MAX / 2) {
        errno = ENOMEM;
        return -1;
    }
    if ((table->block_count & (table->block_count - 1)) == 0) {
        size_t room = table->block_count ? table->block_count * 2 : 1;

        blocks = realloc(table->blocks, room * sizeof *blocks);
        if (!blocks)
            return -1;
        table->blocks = blocks;
    }
    block = calloc(SLOTS_A_BLOCK, sizeof *block);
    if (!block)
        return -1;
    table->blocks[table->block_count++] = block;
    return 0;
}

struct pool_socket *socket_new(struct pool *pool, enum socket_kind kind, int fd,
                               const struct pool_handler *handler, void *user)
{
    static const struct pool_handler nothing;
    struct table *table = &pool->table;
    struct pool_socket *socket;
    uint32_t slot, generation;

    if (socket_reserve(pool) < 0)
        return NULL;
    slot = table->free != NO_SLOT ? table->free : table->used;
    socket = socket_at(pool, slot);
    if (slot == table->free)
        table->free = socket->ready_next;
    else
        table->used++;
    table->count++;
    pool->others = true;
    generation = socket->generation + 1;
    *socket = (struct pool_socket){
        .pool = pool,
        .handler = handler ? handler : &nothing,
        .fd = fd,
        .slot = slot,
        .kind = (uint8_t)kind,
        .state = OPEN,
        .ready_next = NO_SLOT,
        .wheel_due = CLOCK_NEVER,
        .active_at = pool->now,
        .generation = generation,
        .user = user,
    };
    output_set_limit(socket, pool->output_limit);
    return socket;
}

void socket_release(struct pool_socket *socket)
{
    struct table *table = &socket->pool->table;

    socket->state = UNUSED;
    table->count--;
    if (socket->generation == UINT32_MAX)
        return; /* its numbers are used up: this slot is never given again */
    socket->ready_next = table->free;
    table->free = socket->slot;
}

void table_free(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->table.block_count; i++)
        free(pool->table.blocks[i]);
    free(pool->table.blocks);
}

/* --- for the user ---------------------------------------------------------- */

size_t pool_count(const struct pool *pool)
{
    return pool->table.count;
}

struct pool_socket *pool_next(struct pool *pool, struct pool_socket *before)
{
    for (uint32_t i = before ? before->slot + 1 : 0; i < pool->table.used; i++)
        if (socket_at(pool, i)->state != UNUSED)
            return socket_at(pool, i);
    return NULL;
}

struct pool_socket *pool_find(struct pool *pool, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    struct pool_socket *socket;

    if (slot >= pool->table.used)
        return NULL;
    socket = socket_at(pool, slot);
    return socket->state != UNUSED && socket->generation == id >> 32 ? socket
                                                                     : NULL;
}

uint64_t pool_id(const struct pool_socket *socket)
{
    return (uint64_t)socket->generation << 32 | socket->slot;
}
