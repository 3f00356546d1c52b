/*
 * The connections: one row a flow, what is selected in full below, and who
 * listens. Columns come from one table; each appears from a width on.
 */
#include "viz/views/view.h"

#include <stdio.h>
#include <stdlib.h>

#include "viz/decode/decode.h"
#include "viz/views/listeners.h"
#include "viz/views/words.h"

enum { MARK = 0x25BA, LINE = 0x2500, DETAIL_ROWS = 4 };

/* --- the list -------------------------------------------------------------- */

static uint64_t flow_bytes(const struct flow *flow)
{
    return flow->end[FLOW_CLIENT].bytes + flow->end[FLOW_SERVER].bytes;
}

static int compare(uint64_t a, uint64_t b)
{
    return a > b ? -1 : a < b; /* the most first */
}

static int by_id(const struct flow *a, const struct flow *b)
{
    return a->id < b->id ? -1 : a->id > b->id;
}

static int by_recent(const void *a, const void *b)
{
    const struct flow *x = *(const struct flow *const *)a;
    const struct flow *y = *(const struct flow *const *)b;
    int order = compare((uint64_t)x->last_ns, (uint64_t)y->last_ns);

    return order ? order : by_id(x, y);
}

static int by_bytes(const void *a, const void *b)
{
    const struct flow *x = *(const struct flow *const *)a;
    const struct flow *y = *(const struct flow *const *)b;
    int order = compare(flow_bytes(x), flow_bytes(y));

    return order ? order : by_id(x, y);
}

static int by_again(const void *a, const void *b)
{
    const struct flow *x = *(const struct flow *const *)a;
    const struct flow *y = *(const struct flow *const *)b;
    int order = compare(x->retransmissions, y->retransmissions);

    return order ? order : by_id(x, y);
}

static const struct {
    const char *words;
    int (*order)(const void *a, const void *b); /* NULL: as they began */
} sorts[SORTS] = {
    [SORT_START] = {"in the order they began", NULL},
    [SORT_RECENT] = {"the last one active first", by_recent},
    [SORT_BYTES] = {"most bytes first", by_bytes},
    [SORT_AGAIN] = {"most sent again first", by_again},
};

/* Flows as the store has them now: pointers do not outlive an event, so this
 * comes before each drawing and each key. */
static void list_flows(struct viewer *viewer)
{
    size_t count = store_flows(viewer->store);

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
    for (size_t n = 0; n < count; n++)
        viewer->list[n] = store_flow(viewer->store, n);
    viewer->list_count = count;
    if (count > 1 && sorts[viewer->sort].order)
        qsort(viewer->list, count, sizeof(*viewer->list),
              sorts[viewer->sort].order);
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

/* --- cells ----------------------------------------------------------------- */

/* What a cell shows: its text, and its style returned. */
typedef enum style cell_fn(const struct viewer *viewer, const struct flow *flow,
                           int columns, char text[WORDS]);

static enum style cell_id(const struct viewer *viewer, const struct flow *flow,
                          int columns, char text[WORDS])
{
    (void)viewer;
    (void)columns;
    snprintf(text, WORDS, "%u", flow->id);
    return STYLE_DIM;
}

static enum style cell_protocol(const struct viewer *viewer,
                                const struct flow *flow, int columns,
                                char text[WORDS])
{
    (void)viewer;
    (void)columns;
    protocol_text(flow->protocol, text);
    return STYLE_PLAIN;
}

static enum style cell_client(const struct viewer *viewer,
                              const struct flow *flow, int columns,
                              char text[WORDS])
{
    (void)viewer;
    end_text(&flow->end[FLOW_CLIENT].at, columns, text);
    return STYLE_CLIENT;
}

static enum style cell_server(const struct viewer *viewer,
                              const struct flow *flow, int columns,
                              char text[WORDS])
{
    (void)viewer;
    end_text(&flow->end[FLOW_SERVER].at, columns, text);
    return STYLE_SERVER;
}

static enum style state_style(enum tcp_state state, bool assumed)
{
    if (assumed)
        return STYLE_DIM;
    switch (state) {
    case TCP_ESTABLISHED:
        return STYLE_GOOD;
    case TCP_CLOSED:
        return STYLE_DIM;
    default:
        return STYLE_STRONG;
    }
}

static enum style cell_state(const struct viewer *viewer,
                             const struct flow *flow, enum flow_side side,
                             int columns, char text[WORDS])
{
    const struct flow_end *end = &flow->end[side];
    bool differs = kernel_differs(viewer->store, flow, side);
    char state[WORDS];

    text[0] = '\0';
    if (flow->protocol != PROTO_TCP)
        return STYLE_DIM;
    state_text(end->state, end->assumed, columns - differs, state);
    snprintf(text, WORDS, "%s%.*s", differs ? "\xE2\x89\xA0" : "", WORDS - 4,
             state);
    return differs ? STYLE_BAD : state_style(end->state, end->assumed);
}

static enum style cell_client_state(const struct viewer *viewer,
                                    const struct flow *flow, int columns,
                                    char text[WORDS])
{
    return cell_state(viewer, flow, FLOW_CLIENT, columns, text);
}

static enum style cell_server_state(const struct viewer *viewer,
                                    const struct flow *flow, int columns,
                                    char text[WORDS])
{
    return cell_state(viewer, flow, FLOW_SERVER, columns, text);
}

static enum style cell_kernel(const struct viewer *viewer,
                              const struct flow *flow, enum flow_side side,
                              int columns, char text[WORDS])
{
    const struct socket_sample *socket = store_socket_of(viewer->store, flow,
                                                         side);

    text[0] = '\0';
    if (flow->protocol != PROTO_TCP || !store_kernel(viewer->store))
        return STYLE_DIM;
    if (!socket) {
        snprintf(text, WORDS, "-");
        return STYLE_DIM;
    }
    state_text(socket->state, false, columns, text);
    return kernel_differs(viewer->store, flow, side)
               ? STYLE_BAD
               : state_style(socket->state, false);
}

static enum style cell_client_kernel(const struct viewer *viewer,
                                     const struct flow *flow, int columns,
                                     char text[WORDS])
{
    return cell_kernel(viewer, flow, FLOW_CLIENT, columns, text);
}

static enum style cell_server_kernel(const struct viewer *viewer,
                                     const struct flow *flow, int columns,
                                     char text[WORDS])
{
    return cell_kernel(viewer, flow, FLOW_SERVER, columns, text);
}

static enum style cell_packets(const struct viewer *viewer,
                               const struct flow *flow, int columns,
                               char text[WORDS])
{
    (void)viewer;
    (void)columns;
    amount_text(flow->packets, text);
    return STYLE_PLAIN;
}

static enum style cell_sent(const struct viewer *viewer,
                            const struct flow *flow, int columns,
                            char text[WORDS])
{
    (void)viewer;
    (void)columns;
    amount_text(flow->end[FLOW_CLIENT].bytes, text);
    return STYLE_CLIENT;
}

static enum style cell_answered(const struct viewer *viewer,
                                const struct flow *flow, int columns,
                                char text[WORDS])
{
    (void)viewer;
    (void)columns;
    amount_text(flow->end[FLOW_SERVER].bytes, text);
    return STYLE_SERVER;
}

static enum style cell_again(const struct viewer *viewer,
                             const struct flow *flow, int columns,
                             char text[WORDS])
{
    (void)viewer;
    (void)columns;
    amount_text(flow->retransmissions, text);
    return flow->retransmissions > 0 ? STYLE_WARN : STYLE_DIM;
}

static enum style cell_lasted(const struct viewer *viewer,
                              const struct flow *flow, int columns,
                              char text[WORDS])
{
    (void)viewer;
    (void)columns;
    span_text(flow->last_ns - flow->first_ns, text);
    return STYLE_PLAIN;
}

static enum style cell_closed(const struct viewer *viewer,
                              const struct flow *flow, int columns,
                              char text[WORDS])
{
    (void)viewer;
    (void)columns;
    if (flow->refused) {
        snprintf(text, WORDS, "refused");
        return STYLE_BAD;
    }
    if (flow->protocol != PROTO_TCP) {
        text[0] = '\0';
        return STYLE_DIM;
    }
    snprintf(text, WORDS, "%s", closed_by_text(flow->closed_by));
    return flow->closed_by == CLOSED_BY_RESET ? STYLE_BAD
           : flow->closed_by == CLOSED_OPEN   ? STYLE_DIM
                                              : STYLE_PLAIN;
}

static const struct column {
    const char *title;
    int columns; /* 0: shares what is left */
    int from;    /* width of the area from which it is there */
    bool right;  /* numbers */
    cell_fn *cell;
} table[] = {
    {"#", 3, 0, true, cell_id},
    {"proto", 5, 0, false, cell_protocol},
    {"client", 0, 0, false, cell_client},
    {"server", 0, 0, false, cell_server},
    {"client is", 11, 0, false, cell_client_state},
    {"in kernel", 11, 132, false, cell_client_kernel},
    {"server is", 11, 0, false, cell_server_state},
    {"in kernel", 11, 132, false, cell_server_kernel},
    {"pkts", 4, 0, true, cell_packets},
    {"sent", 5, 92, true, cell_sent},
    {"back", 5, 92, true, cell_answered},
    {"again", 5, 98, true, cell_again},
    {"lasted", 7, 106, true, cell_lasted},
    {"closed", 7, 72, false, cell_closed},
};

enum { TABLE = sizeof table / sizeof table[0] };

/* Columns of an address: two share what the others leave. */
static int address_columns(int columns)
{
    int left = columns - 1; /* the cursor's mark */

    for (size_t i = 0; i < TABLE; i++) {
        if (columns >= table[i].from)
            left -= table[i].columns + 1;
    }
    left /= 2;
    return left > 47 ? 47 : left < 0 ? 0 : left;
}

static void draw_cell(struct area area, int row, int column, int columns,
                      bool right, enum style style, const char *text)
{
    int width = text_width(text);

    area_text(area_part(area, row, column, 1, columns), 0,
              right && width < columns ? columns - width : 0, style, text);
}

/* One row; NULL draws the titles. */
static void draw_row(const struct viewer *viewer, struct area area, int row,
                     const struct flow *flow)
{
    int shared = address_columns(area.columns), column = 1;
    char text[WORDS];

    for (size_t i = 0; i < TABLE; i++) {
        int columns = table[i].columns ? table[i].columns : shared;

        if (area.columns < table[i].from)
            continue;
        if (flow) {
            enum style style = table[i].cell(viewer, flow, columns, text);

            draw_cell(area, row, column, columns, table[i].right, style, text);
        } else {
            draw_cell(area, row, column, columns, table[i].right, STYLE_DIM,
                      table[i].title);
        }
        column += columns + 1;
    }
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
    int column = 1, wide = area.columns >= 100 ? 50 : 30;
    char text[WORDS];

    area_text(area, row, column, style, name);
    area_text(area, row, column + 7, style,
              end_text(&flow->end[side].at, wide - 9, text));
    if (flow->protocol != PROTO_TCP)
        return;
    column += wide;
    column += area_text(area, row, column, STYLE_DIM, "wire ");
    style = cell_state(viewer, flow, side, 13, text);
    area_text(area, row, column, style, text);
    if (!store_kernel(viewer->store))
        return;
    column += 14;
    column += area_text(area, row, column, STYLE_DIM, "kernel ");
    style = cell_kernel(viewer, flow, side, 13, text);
    area_text(area, row, column, style, text);
}

static const char *ending(const struct flow *flow)
{
    if (flow->refused)
        return flow->protocol == PROTO_TCP
                   ? "Refused: nobody listens on that port."
                   : "Unreachable: no socket is bound to that port.";
    if (flow->protocol != PROTO_TCP)
        return "";
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

static void draw_detail(const struct viewer *viewer, struct area area,
                        const struct flow *flow)
{
    char title[WORDS], sent[WORDS], back[WORDS], span[WORDS];

    snprintf(title, sizeof title, "connection %u", flow->id);
    rule(area, 0, title);
    draw_end(viewer, area, 1, flow, FLOW_CLIENT);
    draw_end(viewer, area, 2, flow, FLOW_SERVER);
    area_printf(area, 3, 1, STYLE_PLAIN,
                "%llu packet%s in %s, %s B sent, %s B back, %llu again. %s",
                (unsigned long long)flow->packets,
                flow->packets == 1 ? "" : "s",
                span_text(flow->last_ns - flow->first_ns, span),
                amount_text(flow->end[FLOW_CLIENT].bytes, sent),
                amount_text(flow->end[FLOW_SERVER].bytes, back),
                (unsigned long long)flow->retransmissions, ending(flow));
}

static void draw_listener(struct area area, int row,
                          const struct socket_sample *socket)
{
    char end[WORDS], protocol[WORDS];

    area_text(area, row, 5, STYLE_PLAIN,
              protocol_text(socket->protocol, protocol));
    area_text(area, row, 11, STYLE_SERVER, end_text(&socket->local, 47, end));
    if (socket->protocol == PROTO_UDP) {
        area_printf(area, row, area.columns >= 100 ? 60 : 40, STYLE_DIM,
                    "bound, %u B unread", socket->receive_queue);
        return;
    }
    area_printf(area, row, area.columns >= 100 ? 60 : 40,
                socket->receive_queue > 0 ? STYLE_WARN : STYLE_GOOD,
                "LISTEN, %u of %u wait for accept()", socket->receive_queue,
                socket->send_queue);
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
        draw_row(viewer, area, (int)i, viewer->list[n]);
        if (n == cursor) {
            area_fill(area, (int)i, 0, 1, STYLE_CURSOR, MARK);
            area_style(area, (int)i, 0, area.columns, STYLE_CURSOR);
        }
    }
}

static void draw(struct viewer *viewer, struct area area)
{
    size_t cursor;
    int foot;

    list_flows(viewer);
    cursor = cursor_place(viewer);
    foot = draw_listeners(viewer, area);
    area = area_part(area, 0, 0, area.rows - foot, area.columns);
    if (viewer->list_count == 0) {
        viewer->page = 1;
        area_wrap(
            area_part(area, 2, 3, area.rows, area.columns - 6), 0, 0, STYLE_DIM,
            viewer->live ? "The wire is quiet. A connection appears here with "
                           "its first packet."
                         : "This capture holds no connection.");
        return;
    }
    draw_row(viewer, area, 0, NULL);
    viewer->page = area.rows - DETAIL_ROWS - 1;
    draw_list(viewer, area_part(area, 1, 0, viewer->page, area.columns),
              cursor);
    draw_detail(
        viewer,
        area_part(area, area.rows - DETAIL_ROWS, 0, DETAIL_ROWS, area.columns),
        viewer->list[cursor]);
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

static const struct view_help help[] = {
    {"\xE2\x86\x91 \xE2\x86\x93 k j", "one connection up or down", NULL},
    {"PgUp PgDn", "one screen up or down; also ^U ^D", NULL},
    {"Home End", "the first, the last; also g G", NULL},
    {"Enter", "open the ladder of this connection; also \xE2\x86\x92 l",
     "ladder"},
    {"s", "sort: as they began, recent, bytes, sent again", "sort"},
    {NULL, NULL, NULL},
};

const struct view view_connections = {
    .name = "connections",
    .key = '1',
    .draw = draw,
    .on_key = on_key,
    .help = help,
};
