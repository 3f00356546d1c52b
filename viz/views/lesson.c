/*
 * See lesson.h. From 100 columns on the text takes 55 of 100, from 76 on 42
 * columns, and the ladder the rest; below that it goes under the text. The foot
 * under the text holds what changes: the ticks, a hint, a warning; it is always
 * in sight.
 */
#include "viz/views/lesson.h"

#include <stdio.h>
#include <string.h>

#include "viz/screen/screen.h"
#include "viz/views/lesson_foot.h"
#include "viz/views/lesson_keys.h"
#include "viz/views/lesson_text.h"
#include "viz/views/lines.h"
#include "viz/views/view.h"

enum {
    LOW = 15,    /* rows below which the terminals' states are left out */
    WIDE = 100,  /* columns from which there is room for longer lines, */
    NARROW = 76, /* and below which there is none for a ladder beside them */
    TEXT_COLUMNS = 42,
    TEXT_MOST = 78, /* longer lines tire the eye */
    LINE = 0x2500,
    UPRIGHT = 0x2502
};

void lesson_view_init(struct lesson_view *view, struct player *player,
                      const struct store *store)
{
    memset(view, 0, sizeof *view);
    view->step = SIZE_MAX;
    view->player = player;
    view->store = store;
    view->title = view->network = view->calls_lost = "";
}

/* --- bars -------------------------------------------------------------- */

static void draw_title(const struct lesson_view *view, struct area bar)
{
    const struct player *player = view->player;
    size_t done, all;
    char left[200], right[96];
    int room;

    player_ticks(player, &done, &all);
    snprintf(right, sizeof right, " step %zu of %zu \u2502 %zu/%zu ticks ",
             player->at + 1, player->step_count, done, all);
    room = bar.columns - text_width(right);
    snprintf(left, sizeof left, " %s%s%s \u2502 %s", view->network,
             view->dropped ? " \u2502 NOT ALL CAPTURED" : "",
             *view->calls_lost ? " \u2502 NOT ALL CALLS" : "",
             player->document->title);
    area_fill(bar, 0, 0, bar.columns, STYLE_BAR, ' ');
    area_text(area_part(bar, 0, 0, 1, room), 0, 0, STYLE_BAR, left);
    if (text_width(left) > room)
        area_text(bar, 0, room - 1, STYLE_BAR, "\u2026");
    area_text(bar, 0, room, STYLE_BAR, right);
}

/* --- the text ---------------------------------------------------------- */

static void draw_rule(const struct lesson_view *view, struct area area, int row)
{
    int more = view->scroll_most - view->scroll;

    area_fill(area, row, 0, area.columns, STYLE_DIM, LINE);
    if (more > 0)
        area_printf(area, row, area.columns > 30 ? area.columns - 24 : 0,
                    STYLE_KEY, " more: Enter or PgDn ");
    else if (view->scroll > 0)
        area_printf(area, row, area.columns > 30 ? area.columns - 24 : 0,
                    STYLE_DIM, " PgUp: text above ");
}

/* How far down the text can go, and where it stands, with `rows` at most for
 * its window; returns how many of them it needs. */
static int measure(struct lesson_view *view, struct area area, int rows)
{
    struct strip strip = {.area = area_part(area, 0, 0, 0, area.columns)};
    bool at_end = view->scroll >= view->scroll_most;

    strip_step(&strip, view->player, player_step(view->player));
    if (rows > strip.row + 1)
        rows = strip.row + 1;
    view->page = rows;
    view->scroll_most = strip.row > rows ? strip.row - rows : 0;
    if (at_end || view->scroll > view->scroll_most)
        view->scroll = view->scroll_most; /* the foot may have grown */
    if (view->scroll < 0)
        view->scroll = 0;
    return rows;
}

static void draw_text(struct lesson_view *view, struct area area)
{
    struct strip text = {.area = area};
    int foot_rows, rows;

    foot_rows = lesson_foot_rows(
        view, area, area.rows > 12 ? area.rows * 2 / 3 : area.rows - 3);
    rows = measure(view, area, area.rows - foot_rows - 1);
    text.area = area_part(area, 0, 0, rows, area.columns);
    text.from = view->scroll;
    strip_step(&text, view->player, player_step(view->player));
    draw_rule(view, area, rows);
    lesson_foot_draw(
        view, area_part(area, rows + 1, 0, area.rows - rows - 1, area.columns));
}

/* --- the wire ---------------------------------------------------------- */

enum { TERMINALS = 3, LETTER = 2, BETWEEN = 2 };

/* What each needs, and where that is more than there is, the longest less. */
static void share(int widths[TERMINALS], int columns)
{
    for (;;) {
        int sum = 0, longest = 0;

        for (int i = 0; i < TERMINALS; i++) {
            sum += widths[i];
            if (widths[i] > widths[longest])
                longest = i;
        }
        if (sum <= columns || widths[longest] <= LETTER + 1)
            return;
        widths[longest]--;
    }
}

static void draw_terminals(const struct lesson_view *view, struct area area)
{
    int room = area.columns - (TERMINALS - 1) * BETWEEN, column = 0;
    const char *words[TERMINALS];
    int widths[TERMINALS];

    for (int i = 0; i < TERMINALS; i++) {
        const struct player_terminal *terminal = &view->player->terminals[i];

        words[i] = !terminal->open  ? "not open"
                   : terminal->busy ? terminal->command
                                    : "ready";
        widths[i] = LETTER + text_width(words[i]);
    }
    if (widths[0] + widths[1] + widths[2] > room)
        for (int i = 0; i < TERMINALS; i++)
            if (!view->player->terminals[i].open) { /* dim says it, too */
                words[i] = "";
                widths[i] = 1;
            }
    share(widths, room);
    for (int i = 0; i < TERMINALS; i++) {
        struct area part = area_part(area, 0, column, 1, widths[i]);

        area_printf(part, 0, 0,
                    view->player->terminals[i].open ? STYLE_STRONG : STYLE_DIM,
                    "%c", (char)('A' + i));
        area_text(part, 0, LETTER, STYLE_DIM, words[i]);
        if (words[i][0] && LETTER + text_width(words[i]) > widths[i])
            area_text(part, 0, widths[i] - 1, STYLE_DIM, "\u2026");
        column += widths[i] + BETWEEN;
    }
}

static void draw_wire(struct lesson_view *view, struct area area)
{
    int foot = area.rows < LOW ? 0 : 2; /* packets first */
    struct area pane = area_part(area, 0, 0, area.rows - foot, area.columns);
    size_t rows = store_rows(view->store);
    struct ladder_lines lines;

    if (foot > 0) {
        area_fill(area, area.rows - 2, 0, area.columns, STYLE_DIM, LINE);
        draw_terminals(view,
                       area_part(area, area.rows - 1, 0, 1, area.columns));
    }
    if ((size_t)view->ladder_up >= rows)
        view->ladder_up = rows > 0 ? (int)rows - 1 : 0;
    if (view->ladder_up == 0) {
        ladder_pane(pane, view->store, -1, view->calls_shown);
        return;
    }
    ladder_header(area_part(pane, 0, 0, LADDER_HEADER_ROWS, pane.columns), 0,
                  NULL, view->store);
    lines_up(&lines, view->store,
             (struct choice){.flow = -1, .calls = view->calls_shown},
             rows - 1 - (size_t)view->ladder_up,
             pane.rows - LADDER_HEADER_ROWS - 1);
    lines_draw(&lines,
               area_part(pane, LADDER_HEADER_ROWS, 0,
                         pane.rows - LADDER_HEADER_ROWS - 1, pane.columns),
               store_start(view->store));
    area_printf(pane, pane.rows - 1, 0, STYLE_WARN, "%d newer: j",
                view->ladder_up);
}

/* Where the two do not fit beside one another: the newest packets below. */
static void draw_stacked(struct lesson_view *view, struct area area)
{
    int rows = area.rows * 3 / 5;

    draw_text(view, area_part(area, 0, 1, rows, area.columns - 2));
    area_fill(area, rows, 0, area.columns, STYLE_DIM, LINE);
    draw_wire(view,
              area_part(area, rows + 1, 0, area.rows - rows - 1, area.columns));
}

static void draw_body(struct lesson_view *view, struct area area)
{
    int left;

    view->calls_shown = view->calls == LESSON_CALLS_FIT
                            ? area.columns >= WIDE
                            : view->calls == LESSON_CALLS_SHOWN;
    if (area.columns < NARROW) {
        draw_stacked(view, area);
        return;
    }
    left = area.columns >= WIDE ? area.columns * 55 / 100 : TEXT_COLUMNS;
    if (left > TEXT_MOST)
        left = TEXT_MOST;
    draw_text(view, area_part(area, 0, 1, area.rows, left - 1));
    for (int row = 0; row < area.rows; row++)
        area_fill(area, row, left + 1, 1, STYLE_DIM, UPRIGHT);
    draw_wire(view,
              area_part(area, 0, left + 2, area.rows, area.columns - left - 2));
}

void lesson_view_draw(struct lesson_view *view, struct canvas *canvas)
{
    struct area all = canvas_area(canvas);
    int rows = all.rows - 2;

    canvas_clear(canvas);
    if (too_small(all))
        return;
    if (view->step != view->player->at) {
        view->step = view->player->at;
        view->scroll = 0;
        view->scroll_most = INT16_MAX; /* it is not read to its end yet */
        view->hint = view->sure = false;
    }
    draw_title(view, area_part(all, 0, 0, 1, all.columns));
    if (view->help)
        lesson_keys_help(area_part(all, 1, 0, rows, all.columns));
    else
        draw_body(view, area_part(all, 1, 0, rows, all.columns));
    /* last: which keys there are hangs on what had room */
    lesson_keys_draw(view, area_part(all, all.rows - 1, 0, 1, all.columns));
}
