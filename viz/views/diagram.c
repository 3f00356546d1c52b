/*
 * The state diagram with both ends in it: where they are after the selected
 * packet, which way they came, and what moved them. Goes from packet to packet
 * as the ladder does, and with the newest while it follows.
 */
#include "viz/views/view.h"

#include <stdio.h>

#include "viz/explain/explain.h"
#include "viz/views/automaton.h"
#include "viz/views/label.h"
#include "viz/views/lines.h"
#include "viz/views/place.h"

enum {
    LINE = 0x2500,
    PANEL_ROWS = 4,
    WIDE = 120,
    PANEL_COLUMNS = 42,
    MOVE = 2 * WORDS + 16
};

static const char *const names[] = {"client", "server"};
static const enum style styles[] = {STYLE_CLIENT, STYLE_SERVER};

/* A place is looked at: the connection, its rows up to there. */
struct sight {
    const struct flow *flow;
    const struct store_row *packet; /* the newest of the connection by then */
    bool selected;                  /* and that is the selected one */
    struct automaton_way ways[2];
};

/* The connection of the selected packet, or under the cursor. */
static const struct flow *shown_flow(const struct viewer *viewer, size_t place)
{
    const struct store_row *row = store_row(viewer->store, place);

    if (viewer->only_flow >= 0)
        return viewer_flow(viewer, viewer->only_flow);
    if (row && row->note.flow)
        return row->note.flow;
    return viewer_flow(viewer, viewer->connection);
}

static void look(struct sight *sight, const struct viewer *viewer, size_t place)
{
    const struct store_row *selected = store_row(viewer->store, place);

    *sight = (struct sight){.flow = shown_flow(viewer, place)};
    if (!sight->flow || sight->flow->protocol != PROTO_TCP)
        return;
    for (size_t n = 0; n <= place && n < viewer_rows(viewer); n++) {
        const struct store_row *row = store_row(viewer->store, n);

        if (row->note.flow != sight->flow)
            continue;
        sight->packet = row;
        for (int side = 0; side < 2; side++) {
            struct automaton_way *way = &sight->ways[side];

            way->newest = 0;
            automaton_go(way, row->note.before[side], row->note.after[side],
                         true);
            way->assumed = row->note.assumed[side];
        }
    }
    sight->selected = sight->packet == selected;
}

/* --- beside the picture ---------------------------------------------------- */

/* "ESTABLISHED > CLOSE_WAIT" or "stays ESTABLISHED". */
static const struct explain_change *move_text(const struct note *note, int side,
                                              char text[MOVE])
{
    char before[WORDS], after[WORDS];

    state_text(note->after[side], note->assumed[side], 13, after);
    if (note->before[side] == note->after[side]) {
        snprintf(text, MOVE, "stays %s", after);
        return NULL;
    }
    state_before_text(note, side, 12, before);
    snprintf(text, MOVE, "%s \xE2\x86\x92 %s", before, after);
    return explain_change(note->before[side], note->after[side]);
}

static void draw_title(struct area area, const struct sight *sight)
{
    area_fill(area, 0, 0, area.columns, STYLE_DIM, LINE);
    area_printf(area, 0, 2, STYLE_DIM, " connection %u, packet %llu ",
                sight->flow->id,
                (unsigned long long)sight->packet->packet.number);
}

/* Below the picture, where columns are few. */
static void draw_below(struct area area, const struct sight *sight)
{
    char text[MOVE];

    draw_title(area, sight);
    area_text(area, 1, 1, STYLE_PLAIN,
              packet_text(sight->packet, area.columns - 2, text));
    for (int side = 0; side < 2; side++) {
        const struct explain_change *change = move_text(&sight->packet->note,
                                                        side, text);
        int column = 8;

        area_text(area, 2 + side, 1, styles[side], names[side]);
        column += area_text(area, 2 + side, column,
                            change ? STYLE_STRONG : STYLE_DIM, text);
        if (change && column + 2 + text_width(change->cause) <= area.columns)
            area_printf(area, 2 + side, column, STYLE_PLAIN, ": %s",
                        change->cause);
    }
}

/* One end in the panel; the rows that it took. */
static int draw_end(struct area area, const struct sight *sight, int side)
{
    const struct note *note = &sight->packet->note;
    char text[MOVE];
    const struct explain_change *change = move_text(note, side, text);
    const struct explanation *state = explain_state(note->after[side]);
    int row = 0;

    area_text(area, row, 0, styles[side], names[side]);
    area_text(area, row++, 7, change ? STYLE_STRONG : STYLE_DIM, text);
    if (change) {
        row += area_wrap(area, row, 2, STYLE_PLAIN, change->cause);
        row += area_wrap(area, row, 2, STYLE_DIM, change->call);
    }
    row += area_wrap(area, row, 2, STYLE_PLAIN, state->what);
    row += area_wrap(area, row, 2, STYLE_DIM, state->call);
    area_text(area, row++, 2, STYLE_DIM, change ? change->rfc : state->rfc);
    return row + 1;
}

static void draw_beside(struct area area, const struct sight *sight)
{
    char text[WORDS];
    int row = 2;

    draw_title(area, sight);
    area_text(area, row, 0, STYLE_PLAIN,
              packet_text(sight->packet, area.columns, text));
    row += 2;
    for (int side = 0; side < 2; side++)
        row += draw_end(area_part(area, row, 0, area.rows, area.columns), sight,
                        side);
    area_wrap(area_part(area, row, 0, area.rows, area.columns), 0, 0, STYLE_DIM,
              "Heavy lines: the way that was gone. Beside a line: what came or "
              "was called / what is sent.");
}

/* --- where there is little room -------------------------------------------- */

static void draw_small(struct area area, const struct sight *sight)
{
    area_wrap(area_part(area, 0, 1, 3, area.columns - 2), 0, 0, STYLE_DIM,
              "The picture needs 80 columns and 24 rows. In words:");
    draw_below(area_part(area, 3, 0, PANEL_ROWS, area.columns), sight);
    for (int side = 0; side < 2; side++) {
        area_text(area, 8 + 2 * side, 1, styles[side], names[side]);
        area_wrap(area_part(area, 8 + 2 * side, 8, 2, area.columns - 9), 0, 0,
                  STYLE_PLAIN,
                  explain_state(sight->packet->note.after[side])->what);
    }
}

static void draw_nothing(const struct viewer *viewer, struct area area,
                         const struct sight *sight)
{
    const char *text = NULL;
    char why[WORDS];

    if (sight->flow)
        text = "This is a UDP conversation: datagrams have no states. "
               "\xE2\x86\x90 \xE2\x86\x92 go to another connection.";
    else
        text = viewer_nothing(viewer, "No packet passes the filter.",
                              "Both ends of the first connection will appear "
                              "here and move with every packet.",
                              "There is no connection here.", why, sizeof why);
    area_wrap(area_part(area, 1, 3, area.rows, area.columns - 6), 0, 0,
              STYLE_DIM, text);
}

static void draw(struct viewer *viewer, struct area area)
{
    size_t place = place_select(viewer);
    bool wide = area.columns >= WIDE;
    struct area picture = area;
    struct sight sight = {0};

    viewer->page = 10;
    if (place != SIZE_MAX)
        look(&sight, viewer, place);
    if (!sight.packet) {
        draw_nothing(viewer, area, &sight);
        return;
    }
    if (wide)
        picture.columns -= PANEL_COLUMNS + 2;
    else
        picture.rows -= PANEL_ROWS;
    if (picture.rows < AUTOMATON_ROWS || picture.columns < AUTOMATON_COLUMNS) {
        draw_small(area, &sight);
        return;
    }
    automaton_draw(picture, sight.ways);
    if (wide)
        draw_beside(
            area_part(area, 0, picture.columns + 1, area.rows, PANEL_COLUMNS),
            &sight);
    else
        draw_below(area_part(area, picture.rows, 0, PANEL_ROWS, area.columns),
                   &sight);
}

/* From the list: the connection under the cursor, with the whole of its way. */
static void open(struct viewer *viewer)
{
    size_t newest;

    if (viewer->view != &view_connections)
        return;
    viewer->only_flow = viewer->connection;
    newest = place_newest(viewer);
    if (newest != SIZE_MAX)
        viewer->selected = place_number(viewer, newest);
}

static const struct view_help help[] = {
    {"\xE2\x86\x91 \xE2\x86\x93 k j", "one packet back or on", "packet"},
    {"\xE2\x86\x90 \xE2\x86\x92", "the connection before, after; also h l",
     "connection"},
    {"Home End", "the first packet, the newest; also g G", NULL},
    {"Esc q", "back to the connections", "back"},
    {NULL, NULL, NULL},
};

const struct view view_diagram = {
    .name = "states",
    .key = '3',
    .open = open,
    .draw = draw,
    .on_key = place_key,
    .help = help,
};
