/*
 * The ladder on the whole screen: scrolls, follows the newest packet or keeps
 * the selected one, and says below what is selected and how both ends are now.
 */
#include "viz/views/view.h"

#include <stdio.h>
#include <string.h>

#include "viz/views/explain_pane.h"
#include "viz/views/label.h"
#include "viz/views/lasting.h"
#include "viz/views/lines.h"
#include "viz/views/marks.h"
#include "viz/views/numbers.h"
#include "viz/views/place.h"

enum {
    MARK = 0x25BA,
    LINE = 0x2500,
    DETAIL_ROWS = 2,
    WIDE = 120,        /* from here on the pane stands beside the ladder */
    PANE_COLUMNS = 46, /* then */
    LEAST_LADDER = 7,  /* rows that a pane below leaves to it */
    NUMBERS_FROM = 20  /* rows from which the kernel's numbers have one */
};

/* --- drawing --------------------------------------------------------------- */

static bool stands_on(const struct ladder_line *line,
                      const struct store_row *packet)
{
    uint64_t number = packet->packet.number;

    return !line->gap && number >= line->packet->packet.number &&
           number <= line->last->packet.number;
}

static bool holds(const struct ladder_lines *lines,
                  const struct store_row *packet)
{
    for (int i = 0; i < lines->count; i++) {
        if (stands_on(&lines->line[i], packet))
            return true;
    }
    return false;
}

/* A paused view ends at the packet that was the newest. */
static void cut_at(struct ladder_lines *lines, const struct viewer *viewer)
{
    const struct store_row *end = store_row(viewer->store, viewer_rows(viewer));

    for (int i = 0; end && i < lines->count; i++) {
        if (lines->line[i].packet->packet.number >= end->packet.number)
            lines->count = i;
    }
}

/* The window of `rows` lines that shows the selected place and moves as little
 * as it can from where it was. */
static void choose_lines(struct viewer *viewer, struct ladder_lines *lines,
                         size_t selected, int rows)
{
    const struct store *store = viewer->store;
    struct choice choice = viewer_choice(viewer);
    size_t top = place_of(viewer, viewer->top);

    choice.calls = choice.calls && rows >= LEAST_LADDER + 1;
    if (!viewer->follow && top != SIZE_MAX && selected < top)
        top = selected;
    if (!viewer->follow && top != SIZE_MAX) {
        lines_down(lines, store, choice, top, rows);
        cut_at(lines, viewer);
        if (holds(lines, store_row(store, selected)) && lines->count == rows)
            return;
    }
    lines_up(lines, store, choice,
             !viewer->follow && top != SIZE_MAX &&
                     holds(lines, store_row(store, selected))
                 ? place_newest(viewer)
                 : selected,
             rows);
    if (lines->count < rows) {
        lines_down(lines, store, choice, 0, rows);
        cut_at(lines, viewer);
    }
}

/* "client ESTABLISHED > FIN_WAIT1   R sent again (rto)"; the column after. */
static int draw_what_moved(struct area area, const struct store_row *row)
{
    static const char *const names[] = {"client", "server"};
    int column = 1;
    char before[WORDS], after[WORDS];

    for (int side = 0; side < 2 && row->note.flow; side++) {
        if (row->note.before[side] == row->note.after[side] ||
            row->note.flow->protocol != PROTO_TCP)
            continue;
        column += area_printf(area, 0, column, STYLE_STRONG,
                              "%s %s \xE2\x86\x92 %s   ", names[side],
                              state_before_text(&row->note, side, 11, before),
                              state_text(row->note.after[side],
                                         row->note.assumed[side], 12, after));
    }
    for (int i = 0; i < row->note.verdict_count; i++) {
        const struct verdict *verdict = &row->note.verdicts[i];
        const struct verdict_word *word = verdict_word_of(verdict);

        column += area_printf(area, 0, column, word->style, "%c %s",
                              word->letter, word->words);
        if (verdict->kind && word != &verdict_report)
            column += area_printf(area, 0, column, STYLE_DIM, " (%s)",
                                  verdict->kind);
        column += 3;
    }
    return column;
}

/* What became of it: "= packet 12 again", "not answered: sent again as 30". */
static void draw_link(const struct viewer *viewer, struct area area, int column,
                      const struct store_row *row)
{
    uint64_t newest = store_forgotten(viewer->store) + viewer_rows(viewer);
    const struct link *link = links_of(&viewer->links, row->packet.number);
    uint64_t again = links_lost(&viewer->links, row->packet.number, newest);

    if (link)
        column += area_printf(area, 1, column, STYLE_DIM,
                              link->report ? "of packet %llu (o)   "
                                           : "repeats packet %llu (o)   ",
                              (unsigned long long)link->original);
    if (row->lost)
        column += area_text(area, 1, column, STYLE_WARN,
                            "dropped on the wire: the kernel says so   ");
    if (again != 0)
        area_printf(area, 1, column, STYLE_WARN,
                    "not answered: sent again as packet %llu (o)",
                    (unsigned long long)again);
}

static void draw_detail(const struct viewer *viewer, struct area area,
                        const struct store_row *row)
{
    char text[WORDS];
    int column = 1;

    column += area_printf(area, 0, column, STYLE_DIM, "packet %llu  ",
                          (unsigned long long)row->packet.number);
    area_text(area, 0, column, STYLE_PLAIN,
              packet_text(row, area.columns - column - 1, text));
    column = draw_what_moved(area_part(area, 1, 0, 1, area.columns), row);
    draw_link(viewer, area, column, row);
}

/* From the bottom up; how many rows it took. */
static int draw_foot(const struct viewer *viewer, struct area area,
                     const struct flow *flow, const struct store_row *selected)
{
    bool states = flow && flow->protocol == PROTO_TCP;
    bool numbers = states && area.rows >= NUMBERS_FROM &&
                   numbers_has(viewer->store, flow);
    int rows = 1 + DETAIL_ROWS;
    char lasting[WORDS] = "";
    enum style style = STYLE_DIM;

    if (states)
        rows += 1 + store_kernel(viewer->store) + numbers;
    if (flow)
        style = lasting_flow(viewer->store, flow, lasting);
    if (lasting[0])
        rows++;
    area = area_part(area, area.rows - rows, 0, rows, area.columns);
    ladder_rule(area, 0, false, "");
    if (states)
        ladder_wire_row(area, 1, flow, viewer->store, "by the wire");
    if (states && store_kernel(viewer->store))
        ladder_kernel_row(area, 2, flow, viewer->store, "by the kernel");
    if (numbers)
        numbers_draw(area, 3, viewer->store, flow);
    if (lasting[0])
        area_text(area, rows - DETAIL_ROWS - 1, 1, style, lasting);
    if (selected)
        draw_detail(
            viewer,
            area_part(area, rows - DETAIL_ROWS, 0, DETAIL_ROWS, area.columns),
            selected);
    return rows;
}

/* Signs in the first column; which arrows break off. */
static void draw_marks(const struct viewer *viewer, struct area area,
                       const struct ladder_lines *lines)
{
    for (int i = 0; viewer->mark_count > 0 && i < lines->count; i++)
        if (!lines->line[i].gap &&
            marks_has(viewer, lines->line[i].packet->packet.number))
            area_text(area, i, 0, STYLE_KEY, "m");
}

static void find_lost(const struct viewer *viewer, struct ladder_lines *lines)
{
    uint64_t newest = store_forgotten(viewer->store) + viewer_rows(viewer);

    for (int i = 0; i < lines->count; i++)
        lines->line[i].lost = links_lost(&viewer->links,
                                         lines->line[i].packet->packet.number,
                                         newest) != 0;
}

static void draw_selected(struct area area, const struct ladder_lines *lines,
                          const struct store_row *selected)
{
    for (int i = 0; i < lines->count; i++) {
        if (!stands_on(&lines->line[i], selected))
            continue;
        area_fill(area, i, 0, 1, STYLE_CURSOR, MARK);
        area_style(area, i, 0, area.columns, STYLE_CURSOR);
    }
}

/* --- the pane -------------------------------------------------------------- */

/* The text, its scroll kept within it, under a rule that says how to go on. */
static void draw_pane(struct viewer *viewer, struct area area,
                      const struct store_row *row)
{
    struct area text = area_part(area, 1, 1, area.rows - 1, area.columns - 2);
    int lines = explain_pane(area_part(text, 0, 0, 0, text.columns), row,
                             viewer->explain, 0);
    int most = lines > text.rows ? lines - text.rows : 0;

    if (viewer->explain_top > most)
        viewer->explain_top = most;
    area_fill(area, 0, 0, area.columns, STYLE_DIM, LINE);
    area_printf(area, 0, 2, STYLE_DIM, " packet %llu, %d of %d%s%s ",
                (unsigned long long)row->packet.number, viewer->explain,
                EXPLAIN_LEVELS, viewer->explain < EXPLAIN_LEVELS ? ": e" : "",
                viewer->explain_top < most ? "  more: J" : "");
    explain_pane(text, row, viewer->explain, viewer->explain_top);
}

/* Takes its part of *area, and draws there. Whether the foot has room too. */
static bool take_pane(struct viewer *viewer, struct area *area,
                      const struct store_row *row)
{
    int rows;

    if (area->columns >= WIDE) {
        struct area pane = area_part(*area, 0, area->columns - PANE_COLUMNS,
                                     area->rows, PANE_COLUMNS);

        area->columns -= PANE_COLUMNS + 1;
        draw_pane(viewer, pane, row);
        return true;
    }
    rows = 1 + explain_pane(area_part(*area, 0, 0, 0, area->columns - 2), row,
                            viewer->explain, 0);
    if (rows > area->rows - LEAST_LADDER)
        rows = area->rows - LEAST_LADDER;
    area->rows -= rows;
    draw_pane(viewer,
              (struct area){area->canvas, area->row + area->rows, area->column,
                            rows, area->columns},
              row);
    return false;
}

static void draw(struct viewer *viewer, struct area area)
{
    const struct flow *flow = viewer->only_flow < 0 &&
                                      store_flows(viewer->store) == 1
                                  ? store_flow(viewer->store, 0)
                                  : viewer_flow(viewer, viewer->only_flow);
    size_t place = place_select(viewer);
    const struct store_row *selected = place == SIZE_MAX
                                           ? NULL
                                           : store_row(viewer->store, place);
    struct ladder_lines lines;
    char why[WORDS];
    bool has_foot = true;
    int foot = 0;

    links_update(&viewer->links, viewer->store);
    if (selected && viewer->explained != selected->packet.number)
        viewer->explain_top = 0;
    viewer->explained = selected ? selected->packet.number : 0;
    if (selected && viewer->explain > 0)
        has_foot = take_pane(viewer, &area, selected);
    if (has_foot)
        foot = draw_foot(viewer, area, flow, selected);
    ladder_header(area, 0, flow, viewer->store);
    area = area_part(area, LADDER_HEADER_ROWS, 0,
                     area.rows - foot - LADDER_HEADER_ROWS, area.columns);
    viewer->page = area.rows;
    if (!selected) {
        area_wrap(area_part(area, 1, 3, area.rows, area.columns - 6), 0, 0,
                  STYLE_DIM,
                  viewer_nothing(viewer, "No packet here passes the filter.",
                                 "Every packet will appear here as it passes.",
                                 "There is no packet here.", why, sizeof why));
        return;
    }
    choose_lines(viewer, &lines, place, area.rows);
    if (lines.count > 0)
        viewer->top = lines.line[0].packet->packet.number;
    find_lost(viewer, &lines);
    lines_draw(&lines, area, store_start(viewer->store));
    draw_marks(viewer, area, &lines);
    draw_selected(area, &lines, selected);
}

/* --- keys ------------------------------------------------------------------ */

static void all_or_one(struct viewer *viewer, const struct store_row *selected)
{
    if (viewer->only_flow >= 0) {
        viewer->only_flow = -1;
    } else if (selected && selected->note.flow) {
        viewer->only_flow = selected->note.flow->id;
        viewer->connection = selected->note.flow->id;
    }
}

/* Keys of the pane. */
static bool explain_key(struct viewer *viewer, int key)
{
    switch (key) {
    case INPUT_ENTER:
        viewer->explain = viewer->explain == 0;
        break;
    case 'e':
        viewer->explain = (viewer->explain + 1) % (EXPLAIN_LEVELS + 1);
        break;
    case 'J':
        viewer->explain_top++; /* drawing knows where it ends */
        return viewer->explain > 0;
    case 'K':
        viewer->explain_top -= viewer->explain_top > 0;
        return viewer->explain > 0;
    case INPUT_ESCAPE:
        if (viewer->explain == 0)
            return false;
        viewer->explain = 0;
        break;
    default:
        return false;
    }
    viewer->explain_top = 0;
    return true;
}

/* The first or the last packet among the lines; SIZE_MAX: there is none. */
static size_t packet_among(const struct viewer *viewer,
                           const struct ladder_lines *lines, bool last)
{
    for (int i = 0; i < lines->count; i++) {
        const struct ladder_line *line =
            &lines->line[last ? lines->count - 1 - i : i];

        if (!line->gap)
            return place_of(viewer, line->packet->packet.number);
    }
    return SIZE_MAX;
}

/* A screen down or up, one packet of the old one kept: calls and pauses take
 * rows too, and none is passed over. */
static void turn_page(struct viewer *viewer, size_t place, bool down)
{
    struct choice choice = viewer_choice(viewer);
    struct ladder_lines lines;
    size_t edge, target;

    choose_lines(viewer, &lines, place, viewer->page);
    edge = packet_among(viewer, &lines, down);
    if (edge == SIZE_MAX)
        edge = place;
    choice.calls = choice.calls && viewer->page >= LEAST_LADDER + 1;
    if (down)
        lines_down(&lines, viewer->store, choice, edge, viewer->page);
    else
        lines_up(&lines, viewer->store, choice, edge, viewer->page);
    target = packet_among(viewer, &lines, down);
    if (target == SIZE_MAX || (down ? target <= place : target >= place)) {
        place_move(viewer, place, down ? 1 : -1);
        return;
    }
    viewer->top = place_number(viewer, down ? edge : target);
    place_move(viewer, target, 0);
}

static enum view_key on_key(struct viewer *viewer, int key)
{
    size_t place = place_select(viewer);
    bool down = key == INPUT_PAGE_DOWN || key == ('d' & 0x1F);

    if (place == SIZE_MAX)
        return VIEW_NOT_HANDLED;
    if (explain_key(viewer, key) || marks_key(viewer, key, viewer->selected))
        return VIEW_HANDLED;
    if (key == 'c') {
        viewer->hide_calls = !viewer->hide_calls;
        return VIEW_HANDLED;
    }
    if (key == 'z') {
        viewer->unfold = !viewer->unfold;
        return VIEW_HANDLED;
    }
    if (down || key == INPUT_PAGE_UP || key == ('u' & 0x1F)) {
        turn_page(viewer, place, down);
        return VIEW_HANDLED;
    }
    if (key != 'a')
        return place_key(viewer, key);
    all_or_one(viewer, store_row(viewer->store, place));
    return VIEW_HANDLED;
}

static void on_click(struct viewer *viewer, int row)
{
    size_t place = place_select(viewer);
    struct ladder_lines lines;
    uint64_t number;
    int line = row - LADDER_HEADER_ROWS;

    if (place == SIZE_MAX || line < 0 || line >= viewer->page)
        return;
    choose_lines(viewer, &lines, place, viewer->page);
    if (line >= lines.count || lines.line[line].gap)
        return;
    number = lines.line[line].packet->packet.number;
    if (number == viewer->selected)
        viewer->explain = viewer->explain == 0;
    viewer->selected = number;
    viewer->follow = false;
}

static const struct view_help help[] = {
    {"\xE2\x86\x91 \xE2\x86\x93 k j", "one packet up or down", NULL},
    {"PgUp PgDn", "one screen up or down; also ^U ^D", NULL},
    {"Home End", "the first, the last; also g G", NULL},
    {"\xE2\x86\x90 \xE2\x86\x92", "the connection before, after; also h l",
     "connection"},
    {"Enter", "explain this packet, or close the pane again", "explain"},
    {"e", "explain more: three levels, then none", NULL},
    {"J K", "scroll the explanation", NULL},
    {"a", "all connections, or only this one", "all/one"},
    {"m '", "mark this packet, or not; jump to the next mark", NULL},
    {"o", "sent again: jump to its original, and back", NULL},
    {"c", "the program's calls between the packets, or not", NULL},
    {"z", "fold runs of duplicate ACKs and of like calls, or not", NULL},
    {"Esc q", "back to the connections", "back"},
    {NULL, NULL, NULL},
};

const struct view view_ladder = {
    .name = "ladder",
    .key = '2',
    .draw = draw,
    .on_key = on_key,
    .on_click = on_click,
    .help = help,
};
