/*
 * Under the ladder, in its columns: how both ends are now, by the wire and by
 * the kernel, and who listens.
 */
#include "viz/views/ladder.h"

#include <stdio.h>

#include "viz/views/layout.h"
#include "viz/views/words.h"

static void foot_states(struct area area, const struct layout *l, int row,
                        const char *client, const char *server,
                        enum style client_style, enum style server_style)
{
    if (l->state_columns == 0)
        return;
    text_right(area, row, l->client, l->state_columns, client_style, client);
    area_text(area_part(area, row, l->server, 1, l->state_columns), 0, 0,
              server_style, server);
}

void ladder_wire_row(struct area area, int row, const struct flow *flow,
                     const struct store *store, const char *words)
{
    struct layout l = lay_out(area.columns);
    char client[WORDS], server[WORDS];
    enum style left, right;

    left = wire_word(store, flow, FLOW_CLIENT, l.state_columns, client);
    right = wire_word(store, flow, FLOW_SERVER, l.state_columns, server);
    ladder_id(area, row, flow);
    foot_states(area, &l, row, client, server, left, right);
    text_middle(area, row, l.lane, l.lane_columns, STYLE_DIM, words);
}

/* "6 B unread" beside the end whose program has not called recv() yet. The
 * kernel counts a FIN that waits to be read as one byte more: it is the end of
 * file that recv() will tell as 0. */
static int unread(struct area lane, const struct flow *flow,
                  const struct store *store, enum flow_side side)
{
    const struct socket_sample *socket = store_socket_of(store, flow, side);
    char text[WORDS], amount[WORDS];
    bool end;

    if (!socket || socket->state == TCP_LISTEN || socket->receive_queue == 0)
        return 0;
    end = socket->state == TCP_CLOSE_WAIT || socket->state == TCP_LAST_ACK ||
          socket->state == TCP_CLOSING;
    if (end && socket->receive_queue == 1)
        snprintf(text, sizeof text, "EOF unread");
    else
        snprintf(text, sizeof text, "%s unread",
                 bytes_text(socket->receive_queue - end, amount));
    if (side == FLOW_CLIENT)
        area_text(lane, 0, 1, STYLE_WARN, text);
    else
        text_right(lane, 0, 0, lane.columns - 1, STYLE_WARN, text);
    return text_width(text) + 2;
}

void ladder_kernel_row(struct area area, int row, const struct flow *flow,
                       const struct store *store, const char *words)
{
    struct layout l = lay_out(area.columns);
    struct area lane = area_part(area, row, l.lane, 1, l.lane_columns);
    char client[WORDS], server[WORDS];
    enum style left, right;
    int used, both;

    left = kernel_word(store, flow, FLOW_CLIENT, l.state_columns, client);
    right = kernel_word(store, flow, FLOW_SERVER, l.state_columns, server);
    ladder_id(area, row, flow);
    foot_states(area, &l, row, client, server, left, right);
    used = unread(lane, flow, store, FLOW_CLIENT);
    both = used + unread(lane, flow, store, FLOW_SERVER);
    if (lane.columns - both >= text_width(words))
        text_middle(lane, 0, both > 0 ? used : 0, lane.columns - both,
                    STYLE_DIM, words);
}

void ladder_listener_row(struct area area, int row,
                         const struct socket_sample *listener)
{
    static const char *const words[] = {" wait for accept()", " wait", ""};
    struct layout l = lay_out(area.columns);
    int room = l.right - l.client - 1;
    char end[WORDS], text[2 * WORDS] = "";
    bool waits = listener->receive_queue > 0;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        end_text(&listener->local, i < 2 ? 21 : room - 10, end);
        snprintf(text, sizeof text, "%s  %u of %u%s", end,
                 listener->receive_queue, listener->send_queue, words[i]);
        if (text_width(text) <= room)
            break;
    }
    text_right(area, row, l.client, room, waits ? STYLE_WARN : STYLE_DIM, text);
    if (l.state_columns > 0)
        area_text(area, row, l.server, STYLE_GOOD, "LISTEN");
}
