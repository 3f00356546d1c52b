/*
 * The connections: one row a flow (columns.c), what is selected in full below,
 * and who listens.
 */
#include "viz/views/view.h"

#include <stdio.h>
#include <stdlib.h>

#include "viz/decode/decode.h"
#include "viz/views/columns.h"
#include "viz/views/lasting.h"
#include "viz/views/lines.h"
#include "viz/views/listeners.h"
#include "viz/views/numbers.h"
#include "viz/views/words.h"

enum {
    MARK = 0x25BA,
    LINE = 0x2500,
    DETAIL_ROWS = 4,
    ROOMY = 72 /* columns from which words need not be short */
};

/* --- the list -------------------------------------------------------------- */

static uint64_t flow_bytes(const struct flow *flow)
{
    return flow->end[FLOW_CLIENT].bytes + flow->end[FLOW_SERVER].bytes;
}

static uint64_t flow_recent(const struct flow *flow)
{
    return (uint64_t)flow->last_ns;
}

static uint64_t flow_again(const struct flow *flow)
{
    return flow->retransmissions;
}

static const struct {
    const char *words;
    uint64_t (*rank)(const struct flow *flow); /* the most comes first; NULL:
                                                  as they began */
} sorts[SORTS] = {
    [SORT_START] = {"in the order they began", NULL},
    [SORT_RECENT] = {"the last one active first", flow_recent},
    [SORT_BYTES] = {"most bytes first", flow_bytes},
    [SORT_AGAIN] = {"most sent again first", flow_again},
};

/* What a flow is sorted by, taken out of it once: of many, each lies in a
 * place of its own, and to look there for each comparison takes long. */
struct ranked {
    uint64_t rank;
    size_t place; /* as they began */
    const struct flow *flow;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->rank != y->rank)
        return x->rank > y->rank ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* Without memory they stay as they began. */
static void sort_flows(struct viewer *viewer)
{
    size_t count = viewer->list_count;
    struct ranked *ranked = NULL;

    if (count > 1 && sorts[viewer->sort].rank)
        ranked = malloc(count * sizeof *ranked);
    if (!ranked)
        return;
    for (size_t n = 0; n < count; n++)
        ranked[n] = (struct ranked){sorts[viewer->sort].rank(viewer->list[n]),
                                    n, viewer->list[n]};
    qsort(ranked, count, sizeof *ranked, by_rank);
    for (size_t n = 0; n < count; n++)
        viewer->list[n] = ranked[n].flow;
    free(ranked);
}

/* Flows as the store has them now: pointers do not outlive an event, so this
 * comes before each drawing and each key. A list that is still right stays. */
static void list_flows(struct viewer *viewer)
{
    size_t count = store_flows(viewer->store);

    if (viewer->list_version == store_version(viewer->store) &&
        viewer->list_sort == viewer->sort && viewer->filter.count == 0)
        return;

    if (count > viewer->list_room) {
        size_t room = count + count / 2 + 16;
        const struct flow **list = realloc(viewer->list,
                                           room * sizeof(*viewer->list));

        if (list) {
            viewer->list = list;
            viewer->list_room = room;
        } else {
            count = viewer->list_room; /* show what there is room for */
        }
    }
    if (viewer->filter.count > 0)
        matches_update(&viewer->matches, viewer->store, &viewer->filter);
    viewer->list_count = 0;
    for (size_t n = 0; n < store_flows(viewer->store); n++) {
        const struct flow *flow = store_flow(viewer->store, n);

        if (viewer->list_count < count &&
            (viewer->filter.count == 0 ||
             matches_flow(&viewer->matches, flow->id)))
            viewer->list[viewer->list_count++] = flow;
    }
    sort_flows(viewer);
    viewer->list_sort = viewer->sort;
    viewer->list_version = viewer->filter.count > 0
                               ? 0
                               : store_version(viewer->store);
}

/* Where the cursor stands in the list: on its flow, wherever that moved. */
static size_t cursor_place(struct viewer *viewer)
{
    if (viewer->follow && viewer->live && viewer->list_count > 0) {
        size_t place = viewer->sort == SORT_START ? viewer->list_count - 1 : 0;

        viewer->connection = viewer->list[place]->id;
        return place;
    }
    for (size_t n = 0; n < viewer->list_count; n++) {
        if (viewer->list[n]->id == viewer->connection)
            return n;
    }
    if (viewer->list_count > 0)
        viewer->connection = viewer->list[0]->id;
    return 0;
}

/* --- what is selected ------------------------------------------------------ */

static void rule(struct area area, int row, const char *title)
{
    area_fill(area, row, 0, area.columns, STYLE_DIM, LINE);
    area_printf(area, row, 2, STYLE_DIM, " %s ", title);
}

static void draw_end(const struct viewer *viewer, struct area area, int row,
                     const struct flow *flow, enum flow_side side)
{
    const char *name = side == FLOW_CLIENT ? "client" : "server";
    enum style style = side == FLOW_CLIENT ? STYLE_CLIENT : STYLE_SERVER;
    int column = 1, state = area.columns < ROOMY ? 10 : 13;
    int wide = area.columns >= 100 ? 50 : area.columns < ROOMY ? 24 : 30;
    char text[WORDS];

    area_text(area, row, column, style, name);
    area_text(area, row, column + 7, style,
              end_text(&flow->end[side].at, wide - 9, text));
    if (flow->protocol != PROTO_TCP)
        return;
    column += wide;
    column += area_text(area, row, column, STYLE_DIM, "wire ");
    style = wire_word(viewer->store, flow, side, state, text);
    area_text(area, row, column, style, text);
    if (!store_kernel(viewer->store))
        return;
    column += state + 1;
    column += area_text(area, row, column, STYLE_DIM, "kernel ");
    style = kernel_word(viewer->store, flow, side, state, text);
    area_text(area, row, column, style, text);
}

static const char *ending(const struct flow *flow)
{
    if (flow->refused && !flow_has_nobody(flow))
        return "Unreachable: an ICMP error said so.";
    if (flow->refused)
        return flow->protocol == PROTO_TCP
                   ? "Refused: nobody listens on that port."
                   : "Unreachable: no socket has that port.";
    if (flow->protocol != PROTO_TCP)
        return flow->udp.unanswered > 0 && flow->udp.answered == 0
                   ? "Nobody has answered."
                   : "";
    if (flow_is_opening(flow))
        return flow->end[FLOW_SERVER].state == TCP_SYN_RECV
                   ? "The handshake is not done yet."
                   : "No answer to its SYN yet.";
    switch (flow->closed_by) {
    case CLOSED_BY_CLIENT:
        return "The client closed first.";
    case CLOSED_BY_SERVER:
        return "The server closed first.";
    case CLOSED_BY_BOTH:
        return "Both closed at the same time.";
    case CLOSED_BY_RESET:
        return "Ended by a reset (RST).";
    default:
        return flow->midstream ? "Open; seen from the middle." : "Open.";
    }
}

/* Below that, while the kernel has more to say of it; how many rows. */
static int draw_kernel(const struct viewer *viewer, struct area area,
                       const struct flow *flow)
{
    int row = DETAIL_ROWS;
    char text[WORDS];
    enum style style;

    row += numbers_draw(area, row, viewer->store, flow);
    style = lasting_flow(viewer->store, flow, text);
    area_text(area, row, 1, style, text);
    return row + (text[0] != '\0') - DETAIL_ROWS;
}

/* In one sentence what became of it; where that does not fit, a shorter one,
 * without the time, at last without what did not happen. */
static void draw_story(struct area area, int row, const struct flow *flow)
{
    static const char *const joints[] = {" in ", ", ", NULL, NULL};
    size_t last = sizeof joints / sizeof *joints - 1;
    const char *end = ending(flow), *gap = end[0] ? " " : "";
    char text[4 * WORDS], packets[WORDS], span[WORDS], sent[WORDS], back[WORDS];
    int length;

    amount_text(flow->packets, packets);
    span_text(flow->last_ns - flow->first_ns, span);
    bytes_text(flow->end[FLOW_CLIENT].bytes, sent);
    bytes_text(flow->end[FLOW_SERVER].bytes, back);
    for (size_t i = 0; i <= last; i++) {
        length = snprintf(text, sizeof text, "%s%s%s packet%s%s%s", end, gap,
                          packets, flow->packets == 1 ? "" : "s",
                          joints[i] ? joints[i] : "", joints[i] ? span : "");
        if (!flow->refused)
            length += snprintf(text + length, sizeof text - (size_t)length,
                               ", %s sent, %s back", sent, back);
        if (!flow->refused && flow->protocol == PROTO_TCP &&
            (i < last || flow->retransmissions > 0))
            length += snprintf(text + length, sizeof text - (size_t)length,
                               ", %llu resent",
                               (unsigned long long)flow->retransmissions);
        if (length < area.columns)
            break;
    }
    area_text(area, row, 1, STYLE_PLAIN, text);
}

/* How many rows it took. */
static int draw_detail(const struct viewer *viewer, struct area area,
                       const struct flow *flow)
{
    char title[WORDS];

    snprintf(title, sizeof title, "connection %u", flow->id);
    rule(area, 0, title);
    draw_end(viewer, area, 1, flow, FLOW_CLIENT);
    draw_end(viewer, area, 2, flow, FLOW_SERVER);
    draw_story(area, 3, flow);
    if (flow->refused)
        return DETAIL_ROWS;
    return DETAIL_ROWS + draw_kernel(viewer, area, flow);
}

/* The newest packets of the selected flow, where the list leaves room. */
static void draw_preview(const struct viewer *viewer, struct area area,
                         const struct flow *flow)
{
    struct ladder_lines lines;

    ladder_rule(area, 0, true, "");
    if (viewer_rows(viewer) == 0)
        return;
    lines_up(&lines, viewer->store, (struct choice){.flow = flow->id},
             viewer_rows(viewer) - 1, area.rows - 1);
    lines_draw(&lines, area_part(area, 1, 0, area.rows - 1, area.columns),
               store_start(viewer->store));
}

static void draw_listener(struct area area, int row,
                          const struct socket_sample *socket)
{
    char end[WORDS], protocol[WORDS], text[WORDS];
    int column, at = area.columns >= 100 ? 60 : area.columns < ROOMY ? 32 : 40;
    enum style style;

    area_text(area, row, 5, STYLE_PLAIN,
              protocol_text(socket->protocol, protocol));
    area_text(area, row, 11, STYLE_SERVER,
              end_text(&socket->local, at - 12, end));
    if (socket->protocol == PROTO_UDP) {
        column = area_text(area, row, at, STYLE_DIM, "bound");
        style = lasting_socket(socket, text);
        if (text[0])
            area_printf(area, row, at + column, style, ", datagrams wait");
        return;
    }
    area_printf(
        area, row, at, socket->receive_queue > 0 ? STYLE_WARN : STYLE_GOOD,
        "LISTEN, %u of %u wait%s", socket->receive_queue, socket->send_queue,
        area.columns < ROOMY ? "" : " for accept()");
}

/* From the bottom up; how many rows it took. */
static int draw_listeners(const struct viewer *viewer, struct area area)
{
    const struct socket_sample *found[LISTENERS];
    int count = listeners_find(viewer->store, true, found, LISTENERS);
    int most = viewer->list_count > 0 ? area.rows / 4 : area.rows / 2;
    int shown = count < most ? count : most;
    char title[WORDS];

    if (shown < 1)
        return 0;
    if (shown < count)
        snprintf(title, sizeof title, "listening: %d of %d", shown, count);
    else
        snprintf(title, sizeof title, "listening");
    rule(area, area.rows - shown - 1, title);
    for (int i = 0; i < shown; i++)
        draw_listener(area, area.rows - shown + i, found[i]);
    return shown + 1;
}

/* --- the view -------------------------------------------------------------- */

static void draw_list(struct viewer *viewer, struct area area, size_t cursor)
{
    size_t rows = (size_t)(area.rows > 0 ? area.rows : 0);

    if (cursor < viewer->connection_top)
        viewer->connection_top = cursor;
    if (rows > 0 && cursor >= viewer->connection_top + rows)
        viewer->connection_top = cursor - rows + 1;
    if (viewer->connection_top + rows > viewer->list_count)
        viewer->connection_top = viewer->list_count > rows
                                     ? viewer->list_count - rows
                                     : 0;
    for (size_t i = 0; i < rows; i++) {
        size_t n = viewer->connection_top + i;

        if (n >= viewer->list_count)
            break;
        columns_draw(viewer, area, (int)i, viewer->list[n]);
        if (n == cursor) {
            area_fill(area, (int)i, 0, 1, STYLE_CURSOR, MARK);
            area_style(area, (int)i, 0, area.columns, STYLE_CURSOR);
        }
    }
}

/* Of `rows`, those for the list: all, unless few connections leave room for a
 * preview of the selected one. */
static int list_rows(const struct viewer *viewer, int rows)
{
    enum { PREVIEW = 7 };
    int needed = viewer->list_count < (size_t)rows ? (int)viewer->list_count
                                                   : rows;

    return rows - needed - 1 >= PREVIEW ? needed + 1 : rows;
}

static void draw(struct viewer *viewer, struct area area)
{
    char text[WORDS];
    size_t cursor;
    int foot, lasts;

    list_flows(viewer);
    cursor = cursor_place(viewer);
    foot = draw_listeners(viewer, area);
    area = area_part(area, 0, 0, area.rows - foot, area.columns);
    if (viewer->list_count == 0) {
        viewer->page = 1;
        area_wrap(area_part(area, 2, 3, area.rows, area.columns - 6), 0, 0,
                  STYLE_DIM,
                  viewer_nothing(viewer,
                                 "No connection has a packet that passes the "
                                 "filter.",
                                 "A connection appears here with its first "
                                 "packet.",
                                 "This capture holds no connection.", text,
                                 sizeof text));
        return;
    }
    columns_draw(viewer, area, 0, NULL);
    lasts = (lasting_flow(viewer->store, viewer->list[cursor], text) !=
             STYLE_DIM) +
            numbers_has(viewer->store, viewer->list[cursor]);
    viewer->page = list_rows(viewer, area.rows - 1 - DETAIL_ROWS - lasts);
    draw_list(viewer, area_part(area, 1, 0, viewer->page, area.columns),
              cursor);
    area = area_part(area, 1 + viewer->page, 0, area.rows, area.columns);
    foot = draw_detail(viewer, area, viewer->list[cursor]);
    area = area_part(area, foot, 0, area.rows, area.columns);
    if (area.rows > 0)
        draw_preview(viewer, area, viewer->list[cursor]);
}

static void move(struct viewer *viewer, size_t cursor, long by)
{
    size_t last = viewer->list_count - 1;
    size_t to = by < 0
                    ? (cursor > (size_t)-by ? cursor - (size_t)-by : 0)
                    : (last - cursor > (size_t)by ? cursor + (size_t)by : last);

    viewer->connection = viewer->list[to]->id;
    viewer->follow = viewer->live && viewer->sort == SORT_START && to == last;
}

static void open_ladder(struct viewer *viewer)
{
    viewer->only_flow = viewer->connection;
    viewer->selected = 0;
    viewer->view = &view_ladder;
}

static enum view_key on_key(struct viewer *viewer, int key)
{
    size_t cursor;
    long page = viewer->page > 1 ? viewer->page - 1 : 1;

    list_flows(viewer);
    cursor = cursor_place(viewer);
    if (key == 's') {
        viewer->sort = (viewer->sort + 1) % SORTS;
        snprintf(viewer->message, sizeof viewer->message, "Sorted: %s.",
                 sorts[viewer->sort].words);
        return VIEW_HANDLED;
    }
    if (viewer->list_count == 0)
        return VIEW_NOT_HANDLED;
    switch (key) {
    case 'j':
    case INPUT_DOWN:
        move(viewer, cursor, 1);
        break;
    case 'k':
    case INPUT_UP:
        move(viewer, cursor, -1);
        break;
    case INPUT_PAGE_DOWN:
    case 'd' & 0x1F:
        move(viewer, cursor, page);
        break;
    case INPUT_PAGE_UP:
    case 'u' & 0x1F:
        move(viewer, cursor, -page);
        break;
    case 'g':
    case INPUT_HOME:
        move(viewer, cursor, -(long)viewer->list_count);
        break;
    case 'G':
    case INPUT_END:
        move(viewer, cursor, (long)viewer->list_count);
        break;
    case 'l':
    case INPUT_RIGHT:
    case INPUT_ENTER:
        open_ladder(viewer);
        break;
    default:
        return VIEW_NOT_HANDLED;
    }
    return VIEW_HANDLED;
}

static void on_click(struct viewer *viewer, int row)
{
    size_t place = viewer->connection_top + (size_t)row - 1; /* the titles */

    list_flows(viewer);
    if (row < 1 || row > viewer->page || place >= viewer->list_count)
        return;
    if (viewer->list[place]->id == viewer->connection) {
        open_ladder(viewer);
        return;
    }
    viewer->connection = viewer->list[place]->id;
    viewer->follow = false;
}

static const struct view_help help[] = {
    {"\xE2\x86\x91 \xE2\x86\x93 k j", "one connection up or down", NULL},
    {"PgUp PgDn", "one screen up or down; also ^U ^D", NULL},
    {"Home End", "the first, the last; also g G", NULL},
    {"Enter", "open the ladder of this connection; also \xE2\x86\x92 l",
     "ladder"},
    {"s", "sort: oldest, recent, bytes, sent again", "sort"},
    {"q", "quit", "quit"},
    {NULL, NULL, NULL},
};

const struct view view_connections = {
    .name = "connections",
    .key = '1',
    .draw = draw,
    .on_key = on_key,
    .on_click = on_click,
    .help = help,
};
