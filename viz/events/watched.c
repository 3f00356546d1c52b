/* See watched.h. Only connections to watched ports are kept, so that a line
 * about one port costs little on a busy capture. */
#include "viz/events/watched.h"

#include <stdlib.h>
#include <string.h>

#include "viz/events/samples.h"

enum { MOST = 16384 };

void watched_fini(struct watched_list *list)
{
    free(list->items);
    *list = (struct watched_list){0};
}

/* The place of the first connection not below this one. */
static size_t place(const struct watched_list *list, uint32_t flow,
                    uint16_t port)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct watched *at = &list->items[middle];

        if (at->flow < flow || (at->flow == flow && at->port->port < port))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void count(const struct watched *watched, int step)
{
    struct watched_port *port = watched->port;
    size_t by = (size_t)step; /* -1 wraps round, and adds right */

    port->flows += by;
    port->in[0][watched->state[0]] += by;
    port->in[1][watched->state[1]] += by;
    if (watched->answered)
        port->answered += by;
    if (watched->state[0] == TCP_ESTABLISHED &&
        watched->state[1] == TCP_ESTABLISHED)
        port->established += by;
}

/* The oldest quarter, once there are too many. */
static void forget_oldest(struct watched_list *list)
{
    size_t gone = list->count / 4;

    for (size_t i = 0; i < gone; i++)
        count(&list->items[i], -1);
    list->count -= gone;
    memmove(list->items, list->items + gone, list->count * sizeof *list->items);
}

static struct watched *add(struct watched_list *list, struct watched_port *port,
                           const struct flow *flow, bool flipped)
{
    struct watched *watched;
    size_t at;

    if (list->count == MOST)
        forget_oldest(list);
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 16;

        watched = realloc(list->items, room * sizeof *watched);
        if (!watched)
            return NULL;
        list->items = watched;
        list->room = room;
    }
    at = place(list, flow->id, port->port);
    watched = &list->items[at];
    memmove(watched + 1, watched, (list->count - at) * sizeof *watched);
    list->count++;
    *watched = (struct watched){
        .flow = flow->id,
        .port = port,
        .end = {flow->end[flipped].at, flow->end[!flipped].at}};
    return watched;
}

static void enter(struct watched *watched, int side, enum tcp_state state)
{
    if (state != TCP_CLOSED)
        watched->waited[side] = false;
    else if (watched->state[side] == TCP_TIME_WAIT)
        watched->waited[side] = true;
    watched->state[side] = state;
}

struct watched *watched_update(struct watched_list *list,
                               struct watched_port *port,
                               const struct note *note, bool flipped)
{
    size_t at = place(list, note->flow->id, port->port);
    enum tcp_state server = note->after[!flipped];
    struct watched *watched;

    if (at < list->count && list->items[at].flow == note->flow->id &&
        list->items[at].port == port) {
        watched = &list->items[at];
        count(watched, -1);
    } else {
        watched = add(list, port, note->flow, flipped);
        if (!watched)
            return NULL;
    }
    enter(watched, 0, note->after[flipped]);
    enter(watched, 1, server);
    if (port->protocol == PROTO_UDP)
        watched->answered |= note->from == (enum flow_side) !flipped;
    else if (server != TCP_UNKNOWN && server != TCP_LISTEN &&
             server != TCP_CLOSED)
        watched->answered = true;
    count(watched, 1);
    return watched;
}

const struct watched *watched_newest(const struct watched_list *list,
                                     const struct watched_port *port)
{
    for (size_t i = list->count; i-- > 0;)
        if (list->items[i].port == port)
            return &list->items[i];
    return NULL;
}

bool watched_agrees(const struct watched_list *list,
                    const struct watched_port *port, enum flow_side side,
                    const struct socket_sample *socket)
{
    for (size_t i = list->count; i-- > 0;) {
        const struct watched *watched = &list->items[i];

        if (watched->port == port &&
            (watched->state[side] == socket->state ||
             (watched->waited[side] && socket->state == TCP_TIME_WAIT)) &&
            samples_same_end(&watched->end[side], &socket->local) &&
            samples_same_end(&watched->end[!side], &socket->remote))
            return true;
    }
    return false;
}
