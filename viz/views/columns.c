/*
 * The columns of the connections view: one table of titles, widths and what a
 * cell shows; each appears from a width of the screen on.
 */
#include "viz/views/columns.h"

#include <stdio.h>

#include "viz/views/words.h"

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

/* Without columns of its own the kernel's doubt is marked on the wire's word. */
static enum style cell_state(const struct viewer *viewer,
                             const struct flow *flow, enum flow_side side,
                             int columns, char text[WORDS])
{
    char state[WORDS];
    enum style style;

    if (!kernel_differs(viewer->store, flow, side))
        return wire_word(viewer->store, flow, side, columns, text);
    style = wire_word(viewer->store, flow, side, columns - 1, state);
    snprintf(text, WORDS, "\xE2\x89\xA0%.*s", WORDS - 4, state);
    return style == STYLE_DIM ? style : STYLE_BAD;
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

static enum style cell_client_kernel(const struct viewer *viewer,
                                     const struct flow *flow, int columns,
                                     char text[WORDS])
{
    return kernel_word(viewer->store, flow, FLOW_CLIENT, columns, text);
}

static enum style cell_server_kernel(const struct viewer *viewer,
                                     const struct flow *flow, int columns,
                                     char text[WORDS])
{
    return kernel_word(viewer->store, flow, FLOW_SERVER, columns, text);
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
        snprintf(text, WORDS, flow_has_nobody(flow) ? "refused" : "by ICMP");
        return STYLE_BAD;
    }
    if (flow->protocol != PROTO_TCP) {
        bool silent = flow->udp.unanswered > 0 && flow->udp.answered == 0;

        snprintf(text, WORDS, "%s", silent ? "silent" : "");
        return STYLE_WARN;
    }
    if (flow_is_opening(flow)) {
        snprintf(text, WORDS, "opening");
        return STYLE_DIM;
    }
    snprintf(text, WORDS, "%s", closed_by_text(flow->closed_by));
    return flow->closed_by == CLOSED_BY_RESET ? STYLE_BAD
           : flow->closed_by == CLOSED_OPEN   ? STYLE_DIM
                                              : STYLE_PLAIN;
}

/* RIGHT and ID: numbers. KERNEL: only when it is asked. */
enum kind { LEFT, RIGHT, ID, KERNEL };

static const struct column {
    const char *title;
    int columns; /* 0: shares what is left */
    int from;    /* width of the area from which it is there */
    enum kind kind;
    cell_fn *cell;
} table[] = {
    {"#", 0, 0, ID, cell_id},
    {"proto", 5, 0, LEFT, cell_protocol},
    {"client", 0, 0, LEFT, cell_client},
    {"server", 0, 0, LEFT, cell_server},
    {"client is", 11, 0, LEFT, cell_client_state},
    {"in kernel", 11, 132, KERNEL, cell_client_kernel},
    {"server is", 11, 0, LEFT, cell_server_state},
    {"in kernel", 11, 132, KERNEL, cell_server_kernel},
    {"pkts", 4, 0, RIGHT, cell_packets},
    {"sent", 5, 92, RIGHT, cell_sent},
    {"back", 5, 92, RIGHT, cell_answered},
    {"again", 5, 98, RIGHT, cell_again},
    {"lasted", 7, 106, RIGHT, cell_lasted},
    {"closed", 7, 72, LEFT, cell_closed},
};

enum { TABLE = sizeof table / sizeof table[0] };

static bool is_there(const struct store *store, const struct column *column,
                     int columns)
{
    return columns >= column->from &&
           (column->kind != KERNEL || store_kernel(store));
}

/* Numbers of connections grow; there is no point in cutting them. */
static int id_columns(const struct store *store)
{
    size_t flows = store_flows(store);
    uint32_t id = flows > 0 ? store_flow(store, flows - 1)->id : 0;
    int digits = 3;

    for (uint32_t rest = id / 1000; rest > 0; rest /= 10)
        digits++;
    return digits;
}

/* Columns of an address: two share what the others leave. */
static int address_columns(const struct store *store, int columns)
{
    int left = columns - 1 - id_columns(store); /* the cursor's mark */

    for (size_t i = 0; i < TABLE; i++) {
        if (is_there(store, &table[i], columns))
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

void columns_draw(const struct viewer *viewer, struct area area, int row,
                  const struct flow *flow)
{
    int shared = address_columns(viewer->store, area.columns), column = 1;

    for (size_t i = 0; i < TABLE; i++) {
        bool right = table[i].kind == RIGHT || table[i].kind == ID;
        int columns = table[i].columns;
        enum style style = STYLE_DIM;
        char text[WORDS];

        if (!is_there(viewer->store, &table[i], area.columns))
            continue;
        if (columns == 0)
            columns = table[i].kind == ID ? id_columns(viewer->store) : shared;
        if (flow)
            style = table[i].cell(viewer, flow, columns, text);
        else
            snprintf(text, sizeof text, "%s", table[i].title);
        draw_cell(area, row, column, columns, right, style, text);
        column += columns + 1;
    }
}
