/* See listeners.h. */
#include "viz/views/listeners.h"

#include <string.h>

static bool listens(const struct socket_sample *socket, bool udp)
{
    if (socket->protocol == PROTO_TCP)
        return socket->state == TCP_LISTEN;
    return udp && socket->protocol == PROTO_UDP && socket->remote.port == 0;
}

/* Below 0: a comes first. */
static int order(const struct socket_sample *a, const struct socket_sample *b)
{
    if (a->local.port != b->local.port)
        return a->local.port < b->local.port ? -1 : 1;
    if (a->protocol != b->protocol)
        return a->protocol < b->protocol ? -1 : 1;
    if (a->local.family != b->local.family)
        return a->local.family < b->local.family ? -1 : 1;
    return memcmp(a->local.address, b->local.address, sizeof a->local.address);
}

int listeners_find(const struct store *store, bool udp,
                   const struct socket_sample *found[LISTENERS], int most)
{
    int count = 0;

    for (size_t n = 0; n < store_sockets(store); n++) {
        const struct socket_sample *socket = store_socket(store, n);
        int at;

        if (!listens(socket, udp))
            continue;
        if (count < most)
            count++;
        else if (most == 0 || order(socket, found[count - 1]) >= 0)
            continue;
        for (at = count - 1; at > 0 && order(socket, found[at - 1]) < 0; at--)
            found[at] = found[at - 1];
        found[at] = socket;
    }
    return count;
}
