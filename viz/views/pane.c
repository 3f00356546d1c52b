/*
 * ladder_pane(): the ladder as a lesson shows it beside its text, 38 to 60
 * columns wide. Newest rows at the bottom, and under them what the kernel
 * says, in the same columns, of the connections that moved last.
 */
#include "viz/views/ladder.h"

#include "viz/views/lines.h"
#include "viz/views/listeners.h"

enum { FOOT_FLOWS = 3, FOOT_LISTENERS = 2 };

/* What the foot tells of. */
struct foot {
    const struct flow *flows[FOOT_FLOWS]; /* in order of id */
    int flow_count;
    const struct socket_sample *listeners[LISTENERS];
    int listener_count;
};

static bool worth_a_row(const struct store *store, const struct flow *flow)
{
    return flow->protocol == PROTO_TCP &&
           (store_socket_of(store, flow, FLOW_CLIENT) ||
            store_socket_of(store, flow, FLOW_SERVER));
}

/* The newest flows that the kernel still knows. */
static void find_flows(struct foot *foot, const struct store *store,
                       int64_t only)
{
    size_t n = store_flows(store);

    while (n-- > 0 && foot->flow_count < FOOT_FLOWS) {
        const struct flow *flow = store_flow(store, n);

        if ((only >= 0 && flow->id != only) || !worth_a_row(store, flow))
            continue;
        for (int i = foot->flow_count; i > 0; i--)
            foot->flows[i] = foot->flows[i - 1];
        foot->flows[0] = flow;
        foot->flow_count++;
    }
}

static const struct flow *pane_flow(const struct store *store, int64_t id)
{
    for (size_t n = 0; n < store_flows(store); n++) {
        const struct flow *flow = store_flow(store, n);

        if (id < 0 || flow->id == id)
            return flow;
    }
    return NULL;
}

static void draw_foot(struct area area, const struct foot *foot,
                      const struct store *store)
{
    int row = 0;

    ladder_rule(area, row++, false, "the kernel");
    for (int i = 0; i < foot->listener_count; i++)
        ladder_listener_row(area, row++, foot->listeners[i]);
    for (int i = 0; i < foot->flow_count; i++)
        ladder_kernel_row(area, row++, foot->flows[i], store, "");
}

void ladder_pane(struct area area, const struct store *store, int64_t flow,
                 bool calls)
{
    const struct flow *one = NULL;
    struct ladder_lines lines;
    struct foot foot = {0};
    int foot_rows = 0, rows;

    if (flow >= 0 || store_flows(store) == 1)
        one = pane_flow(store, flow);
    find_flows(&foot, store, flow);
    foot.listener_count = listeners_find(store, false, foot.listeners,
                                         FOOT_LISTENERS);
    if (foot.flow_count + foot.listener_count > 0)
        foot_rows = 1 + foot.flow_count + foot.listener_count;
    if (foot_rows > area.rows / 2)
        foot_rows = 0;
    rows = area.rows - LADDER_HEADER_ROWS - foot_rows;
    ladder_header(area_part(area, 0, 0, LADDER_HEADER_ROWS, area.columns), 0,
                  one, store);
    lines_up(&lines, store, (struct choice){.flow = flow, .calls = calls},
             SIZE_MAX, rows);
    lines_draw(&lines,
               area_part(area, LADDER_HEADER_ROWS, 0, rows, area.columns),
               store_start(store));
    if (lines.count == 0 && rows > 2)
        area_wrap(area_part(area, LADDER_HEADER_ROWS + 1, 2, rows - 1,
                            area.columns - 4),
                  0, 0, STYLE_DIM,
                  "The wire is quiet. Every packet will appear here as it "
                  "passes.");
    if (foot_rows > 0)
        draw_foot(
            area_part(area, area.rows - foot_rows, 0, foot_rows, area.columns),
            &foot, store);
}
