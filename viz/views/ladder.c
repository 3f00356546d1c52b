/* Rows of the ladder: its header, packets, pauses, calls. */
#include "viz/views/ladder.h"

#include <stdio.h>
#include <string.h>

#include "viz/decode/decode.h"
#include "viz/explain/explain.h"
#include "viz/views/label.h"
#include "viz/views/layout.h"
#include "viz/views/words.h"

enum {
    GAP_NS = 500 * 1000 * 1000, /* a pause that a learner notices */
    CALL_AND_MORE = 32, /* columns for "(12 more before)" behind a call */
    LINE = 0x2500,
    LIFELINE = 0x2502,
    DOT = 0xB7,
    CROSS = 0x2573,
    HEAD_RIGHT = 0x25BA,
    HEAD_LEFT = 0x25C4
};

/* --- header ---------------------------------------------------------------- */

void ladder_rule(struct area area, int row, bool above, const char *title)
{
    struct layout l = lay_out(area.columns);

    area_fill(area, row, 0, area.columns, STYLE_DIM, LINE);
    area_fill(area, row, l.left, 1, STYLE_DIM, above ? 0x252C : 0x2534);
    area_fill(area, row, l.right, 1, STYLE_DIM, above ? 0x252C : 0x2534);
    if (title[0] && l.lane_columns > text_width(title) + 2) {
        char text[WORDS];

        snprintf(text, sizeof text, " %s ", title);
        text_middle(area, row, l.lane, l.lane_columns, STYLE_DIM, text);
    }
}

/* The server that all flows of late have in common, or NULL. */
static const struct endpoint *common_server(const struct store *store)
{
    enum { LATE = 32 };
    size_t n = store_flows(store), stop = n > LATE ? n - LATE : 0;
    const struct endpoint *server = NULL;

    while (n-- > stop) {
        const struct endpoint *end = &store_flow(store, n)->end[FLOW_SERVER].at;

        if (server && !endpoint_equal(server, end))
            return NULL;
        server = end;
    }
    return server;
}

/* Returns the columns that it took. */
static int header_end(struct area area, const struct layout *l, int row,
                      enum flow_side side, const struct endpoint *at)
{
    int room = (l->server + l->state_columns - l->client - 1) / 2;
    const char *name = side == FLOW_CLIENT ? "client" : "server";
    char end[WORDS] = "", text[WORDS + 16];

    if (at && room >= 13)
        end_text(at, room - 7, end);
    if (side == FLOW_CLIENT) {
        snprintf(text, sizeof text, "%s%s%s", name, end[0] ? " " : "", end);
        return area_text(area_part(area, row, l->client, 1, room), 0, 0,
                         STYLE_CLIENT, text);
    }
    snprintf(text, sizeof text, "%s%s%s", end, end[0] ? " " : "", name);
    text_right(area, row, l->server + l->state_columns - room, room,
               STYLE_SERVER, text);
    return text_width(text);
}

void ladder_header(struct area area, int row, const struct flow *flow,
                   const struct store *store)
{
    struct layout l = lay_out(area.columns);
    size_t flows = store_flows(store);
    int from, to;

    if (l.time_columns > 0)
        text_right(area, row, l.time, l.time_columns, STYLE_DIM, "time");
    if (l.since_columns > 0)
        text_right(area, row, l.since, l.since_columns, STYLE_DIM, "since");
    if (l.id_columns > 0 && l.time_columns > 0)
        text_right(area, row, l.id, l.id_columns, STYLE_DIM, "#");
    from = l.client + header_end(area, &l, row, FLOW_CLIENT,
                                 flow ? &flow->end[FLOW_CLIENT].at : NULL);
    to = l.server + l.state_columns -
         header_end(area, &l, row, FLOW_SERVER,
                    flow ? &flow->end[FLOW_SERVER].at : common_server(store));
    if (!flow && flows > 1) {
        char text[WORDS];

        snprintf(text, sizeof text, "%zu connections", flows);
        if (text_width(text) + 4 <= to - from)
            text_middle(area, row, from, to - from, STYLE_DIM, text);
    }
    /* On loopback it needs no word; where it is not known there is none. */
    ladder_rule(area, row + 1, true,
                flow && flow->protocol == PROTO_TCP &&
                        flow->vantage != VANTAGE_UNKNOWN &&
                        flow->vantage != VANTAGE_BOTH
                    ? explain_vantage(flow->vantage)
                    : "");
}

/* --- one packet ------------------------------------------------------------ */

static void draw_state(struct area area, const struct layout *l, int row,
                       const struct store_row *packet, enum flow_side side)
{
    const struct note *note = &packet->note;
    enum tcp_state state = note->after[side];
    enum style style = STYLE_DIM;
    char text[WORDS];

    if (!note->flow || note->flow->protocol != PROTO_TCP ||
        l->state_columns == 0)
        return;
    if (note->before[side] != state) {
        style = state == TCP_ESTABLISHED ? STYLE_GOOD : STYLE_STRONG;
        if (packet_is_tcp(&packet->packet) &&
            packet->packet.tcp.flags & TCP_RST)
            style = STYLE_BAD;
    }
    state_text(state, note->assumed[side], l->state_columns, text);
    if (side == FLOW_CLIENT)
        text_right(area, row, l->client, l->state_columns, style, text);
    else
        area_text(area_part(area, row, l->server, 1, l->state_columns), 0, 0,
                  style, text);
}

static enum style arrow_style(const struct store_row *packet)
{
    enum style style;
    char letter = packet_letter(packet, &style);

    if (letter != ' ' && (style == STYLE_BAD || style == STYLE_WARN))
        return style;
    if (packet->packet.protocol == PROTO_ICMP ||
        packet->packet.protocol == PROTO_ICMP6)
        return STYLE_WARN;
    return packet->note.from == FLOW_CLIENT ? STYLE_CLIENT : STYLE_SERVER;
}

/* Takes the last part of the arrow away, beyond `used` columns. */
static void break_arrow(struct area lane, bool to_server, int used)
{
    int length = lane.columns * 3 / 4;

    if (length < used)
        length = used;
    if (length > lane.columns - 2)
        length = lane.columns - 2;
    if (to_server)
        area_fill(lane, 0, length, lane.columns - length, STYLE_PLAIN, ' ');
    else
        area_fill(lane, 0, 0, lane.columns - length, STYLE_PLAIN, ' ');
    area_fill(lane, 0, to_server ? length : lane.columns - length - 1, 1,
              STYLE_BAD, CROSS);
}

/* The arrow with its label near the end that sent it. TCP is drawn as a line,
 * a datagram as dots: nothing holds them together. */
static void draw_arrow(struct area area, const struct layout *l, int row,
                       const struct store_row *packet, bool lost)
{
    struct area lane = area_part(area, row, l->lane, 1, l->lane_columns);
    bool to_server = packet->note.from == FLOW_CLIENT;
    uint32_t line = packet->packet.protocol == PROTO_TCP ? LINE : DOT;
    enum style style = arrow_style(packet);
    int lead = lane.columns >= 30 ? 2 : 1;
    char text[WORDS];
    int width;

    if (lane.columns < 1)
        return;
    area_fill(lane, 0, 0, lane.columns, style, line);
    if (to_server)
        area_fill(lane, 0, lane.columns - 1, 1, style, HEAD_RIGHT);
    else
        area_fill(lane, 0, 0, 1, style, HEAD_LEFT);
    /* the lead, a space on both sides, one of line, the head */
    width = text_width(packet_text(packet, lane.columns - lead - 4, text));
    if (width > 0) {
        int at = to_server ? lead : lane.columns - lead - width - 2;

        area_fill(lane, 0, at, width + 2, style, ' ');
        area_text(lane, 0, at + 1, style, text);
    }
    if (lost || packet->lost)
        break_arrow(lane, to_server, lead + width + 2);
}

static void draw_times(struct area area, const struct layout *l, int row,
                       const struct store_row *packet,
                       const struct store_row *previous, int64_t start_ns)
{
    int64_t now = packet->packet.time_ns;
    char text[WORDS], span[WORDS];

    if (l->time_columns > 0)
        text_right(area, row, l->time, l->time_columns, STYLE_DIM,
                   seconds_text(now - start_ns, l->time_columns, text));
    if (l->since_columns > 0 && previous) {
        snprintf(text, sizeof text, "+%s",
                 span_text(now - previous->packet.time_ns, span));
        text_right(area, row, l->since, l->since_columns, STYLE_DIM, text);
    }
}

static void draw_lifelines(struct area area, const struct layout *l, int row)
{
    area_fill(area, row, l->left, 1, STYLE_DIM, LIFELINE);
    area_fill(area, row, l->right, 1, STYLE_DIM, LIFELINE);
}

void ladder_id(struct area area, int row, const struct flow *flow)
{
    struct layout l = lay_out(area.columns);
    char text[WORDS];
    int columns = snprintf(text, sizeof text, "%u", flow->id);

    if (columns <= l.id_columns) {
        text_right(area, row, l.id, l.id_columns, STYLE_DIM, text);
        return;
    }
    /* A large number takes the place of the time's last digits. */
    snprintf(text, sizeof text, " %u", flow->id);
    columns++;
    if (l.time_columns > 0 && columns < l.time_columns)
        area_text(area, row, l.id + l.id_columns - columns, STYLE_DIM, text);
}

static void draw_row(struct area area, int row, const struct store_row *packet,
                     const struct store_row *previous, int64_t start_ns,
                     bool lost)
{
    struct layout l = lay_out(area.columns);
    const struct flow *flow = packet->note.flow;
    enum style style;
    char text[WORDS];
    char letter[2] = {packet_letter(packet, &style), '\0'};

    draw_times(area, &l, row, packet, previous, start_ns);
    draw_lifelines(area, &l, row);
    if (!flow) {
        packet_text(packet, l.lane_columns - 2, text);
        text_middle(area, row, l.lane, l.lane_columns, STYLE_DIM, text);
        return;
    }
    if (!previous || previous->note.flow != flow)
        ladder_id(area, row, flow);
    draw_state(area, &l, row, packet, FLOW_CLIENT);
    draw_state(area, &l, row, packet, FLOW_SERVER);
    draw_arrow(area, &l, row, packet, lost || packet->lost);
    area_text(area, row, l.letter, style, letter);
}

void ladder_row(struct area area, int row, const struct store_row *packet,
                const struct store_row *previous, int64_t start_ns)
{
    draw_row(area, row, packet, previous, start_ns, false);
}

void ladder_lost_row(struct area area, int row, const struct store_row *packet,
                     const struct store_row *previous, int64_t start_ns)
{
    draw_row(area, row, packet, previous, start_ns, true);
}

void ladder_fold_row(struct area area, int row, const struct store_row *packet,
                     const struct store_row *previous, int count,
                     int64_t start_ns)
{
    struct layout l = lay_out(area.columns);
    bool to_server = packet->note.from == FLOW_CLIENT;
    char text[WORDS];

    draw_row(area, row, packet, previous, start_ns, false);
    area_fill(area, row, l.lane, l.lane_columns, STYLE_WARN, LINE);
    area_fill(area, row, to_server ? l.right - 1 : l.lane, 1, STYLE_WARN,
              to_server ? HEAD_RIGHT : HEAD_LEFT);
    snprintf(text, sizeof text, " %d duplicate ACKs, all ack=%u ", count,
             packet->note.relative_ack);
    if (text_width(text) > l.lane_columns - 2)
        snprintf(text, sizeof text, " %d dup ACKs ", count);
    text_middle(area, row, l.lane, l.lane_columns, STYLE_WARN, text);
}

bool ladder_gap(int64_t from_ns, int64_t to_ns)
{
    return to_ns - from_ns >= GAP_NS;
}

void ladder_gap_row(struct area area, int row, int64_t span_ns)
{
    struct layout l = lay_out(area.columns);
    char text[WORDS], span[WORDS];

    draw_lifelines(area, &l, row);
    snprintf(text, sizeof text, "%s later", span_text(span_ns, span));
    text_middle(area, row, l.lane, l.lane_columns, STYLE_DIM, text);
}

bool ladder_shows(const struct store_row *packet, struct choice choice)
{
    if (choice.flow >= 0 &&
        (!packet->note.flow || packet->note.flow->id != choice.flow))
        return false;
    return !choice.filter ||
           filter_passes(choice.filter, &packet->packet, &packet->note);
}

/* --- one call -------------------------------------------------------------- */

/* poll() and the like that waited in vain: nothing of it is on the wire, and an
 * idle server's, twice a second, would hide all that is. */
static bool waited_in_vain(const struct program_call *call)
{
    return call->function >= CALLED_POLL && call->result == 0;
}

bool ladder_shows_call(const struct program_call *call,
                       const struct store *store, struct choice choice)
{
    if (!choice.calls || choice.filter || !call->has_side ||
        waited_in_vain(call))
        return false;
    if (choice.flow < 0 || call->flow == choice.flow)
        return true;
    if (call->flow >= 0 || call->side != FLOW_SERVER)
        return false;
    for (size_t n = store_flows(store); n-- > 0;) { /* its listener's */
        const struct flow *flow = store_flow(store, n);

        if (flow->id == choice.flow)
            return flow->protocol == call->protocol &&
                   flow->end[FLOW_SERVER].at.port == call->local_port;
    }
    return false;
}

/* What stands behind the words of the call: " in 12 calls", " 4 times", and how
 * many before have no row of their own. */
static void call_counts(const struct call_run *run, int room, char text[64])
{
    bool narrow = room < CALL_AND_MORE;
    int n = 0;

    text[0] = '\0';
    if (run->count > 1)
        n = snprintf(text, 64,
                     narrow           ? " x%d"
                     : run->moved > 0 ? " in %d calls"
                                      : ", %d times",
                     run->count);
    if (run->more > 0)
        snprintf(text + n, 64 - (size_t)n,
                 narrow ? " (+%d)" : "  (%d more before)", run->more);
}

void ladder_call_row(struct area area, int row, const struct call_run *run,
                     int64_t start_ns)
{
    struct layout l = lay_out(area.columns);
    struct program_call call = *run->newest;
    enum style style = call.result == -1          ? STYLE_WARN
                       : call.side == FLOW_CLIENT ? STYLE_CLIENT
                                                  : STYLE_SERVER;
    char text[CALL_TEXT + 64], words[CALL_TEXT], time[WORDS], counts[64];
    int64_t returned_ns = run->oldest->ended_ns;
    int room = l.lane_columns - 2;

    if (run->count > 1 && run->moved > 0)
        call.result = run->moved;
    draw_lifelines(area, &l, row);
    if (l.time_columns > 0 && start_ns != 0 && returned_ns >= start_ns)
        text_right(area, row, l.time, l.time_columns, STYLE_DIM,
                   seconds_text(returned_ns - start_ns, l.time_columns, time));
    call_counts(run, room, counts);
    call_text_within(&call, room - (int)strlen(counts), words);
    snprintf(text, sizeof text, "%s%s", words, counts);
    if (call.side == FLOW_CLIENT) {
        area_fill(area, row, l.left, 1, style, 0x251C);
        area_text(area_part(area, row, l.lane, 1, l.lane_columns), 0, 1, style,
                  text);
    } else {
        area_fill(area, row, l.right, 1, style, 0x2524);
        text_right(area, row, l.lane, l.lane_columns - 1, style, text);
    }
}
