/*
 * See lesson.h. From 100 columns on the text takes 55 of 100, from 76 on 42
 * columns, and the ladder the rest; below that it goes under the text. The foot under the text holds what changes: the
 * ticks, a hint, a warning; it is always in sight.
 */
#include "viz/views/lesson.h"

#include <stdio.h>
#include <string.h>

#include "viz/screen/screen.h"
#include "viz/views/lesson_text.h"
#include "viz/views/lines.h"
#include "viz/views/view.h"

enum {
    LEAST_ROWS = 15,
    LEAST_COLUMNS = 60,
    WIDE = 100,  /* columns from which there is room for longer lines, */
    NARROW = 76, /* and below which there is none for a ladder beside them */
    TEXT_COLUMNS = 42,
    TEXT_MOST = 78, /* longer lines tire the eye */
    LINE = 0x2500,
    UPRIGHT = 0x2502,
    OUTSIDE_NS = 3 * 1000 * 1000 * 1000LL /* a warning is as old as this */
};

/* Those with a third field stand in the key bar, the first ones first. */
static const struct view_help keys[] = {
    {"Enter", "read on; at the end of the text, the next step", "on"},
    {"a b c", "answer the question", "answer"},
    {"h", "hint: what the open line waits for", "hint"},
    {"r", "this step's observations again", "again"},
    {"\u2190", "back to the step before (also b)", "back"},
    {"?", "all keys, and back", "keys"},
    {"q", "leave; the next start goes on here", "quit"},
    {"PgDn PgUp", "scroll the text (also the arrows)", "text"},
    {"s", "your programs' socket calls in the ladder, or not", "calls"},
    {"k j", "scroll the ladder up, down", "ladder"},
    {"\u2192 n", "the next step at once (Space: as Enter)", NULL},
    {NULL, NULL, NULL},
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
    char right[96];
    int width;

    player_ticks(player, &done, &all);
    snprintf(right, sizeof right, " step %zu of %zu \u2502 %zu/%zu ticks ",
             player->at + 1, player->step_count, done, all);
    width = text_width(right);
    area_fill(bar, 0, 0, bar.columns, STYLE_BAR, ' ');
    area_printf(area_part(bar, 0, 0, 1, bar.columns - width), 0, 0, STYLE_BAR,
                " %s%s%s \u2502 %s", view->network,
                view->dropped ? " \u2502 NOT ALL CAPTURED" : "",
                *view->calls_lost ? " \u2502 NOT ALL CALLS" : "",
                player->document->title);
    area_text(bar, 0, bar.columns - width, STYLE_BAR, right);
}

static bool has_use(const struct lesson_view *view, const char *word)
{
    const struct step *step = player_step(view->player);

    if (strcmp(word, "calls") == 0)
        return store_calls(view->store) > 0;

    if (strcmp(word, "answer") == 0)
        return step->predict != NULL;
    if (strcmp(word, "hint") == 0 || strcmp(word, "again") == 0)
        return step->observe != NULL;
    if (strcmp(word, "back") == 0)
        return view->player->at > 0;
    if (strcmp(word, "text") == 0)
        return view->scroll_most > 0;
    return true;
}

static void draw_keys(const struct lesson_view *view, struct area bar)
{
    int column = 1;

    for (const struct view_help *key = keys; key->keys; key++) {
        int width;

        if (!key->bar || !has_use(view, key->bar))
            continue;
        width = text_width(key->keys) + 1 + text_width(key->bar) + 2;
        if (column + width > bar.columns)
            continue;
        column += area_text(bar, 0, column, STYLE_KEY, key->keys) + 1;
        column += area_text(bar, 0, column, STYLE_DIM, key->bar) + 2;
    }
}

static void draw_help(struct area area)
{
    int row = 1;

    area_text(area, row++, 2, STYLE_STRONG, "Keys of the lesson");
    row++;
    for (const struct view_help *key = keys; key->keys; key++) {
        area_text(area, row, 2, STYLE_KEY, key->keys);
        row += area_wrap(area, row, 14, STYLE_PLAIN, key->does);
    }
    row++;
    area_wrap(area_part(area, row, 2, area.rows - row, area.columns - 4), 0, 0,
              STYLE_DIM,
              "The terminals are yours: open two more windows in this folder "
              "and type make shell in each. Nothing you press here is typed "
              "there.");
}

/* --- the foot ---------------------------------------------------------- */

static void put_tick(struct strip *strip, const char *line,
                     const struct tick *tick, bool awaited)
{
    int row = strip->row - strip->from;
    const char *mark = tick->status == EXPECT_TRUE     ? "\u2713"
                       : tick->status == EXPECT_BROKEN ? "\u2717"
                       : awaited                       ? "\u25BA"
                                                       : "\u00B7";
    enum style style = tick->status == EXPECT_TRUE     ? STYLE_GOOD
                       : tick->status == EXPECT_BROKEN ? STYLE_BAD
                       : awaited                       ? STYLE_PLAIN
                                                       : STYLE_DIM;

    if (row >= 0 && row < strip->area.rows)
        area_text(strip->area, row, 0, style, mark);
    strip_prose(strip, 2, style, line);
}

/* The ticks; returns the row of the one that is awaited, so that it can be
 * kept in sight. */
static int put_ticks(struct strip *strip, const struct lesson_view *view)
{
    const struct step *step = player_step(view->player);
    long awaited = player_awaited(view->player);
    int row = strip->row;

    for (size_t i = 0; i < step->observe->line_count; i++) {
        if ((long)i == awaited)
            row = strip->row;
        put_tick(strip, step->observe->lines[i], &step->ticks[i],
                 (long)i == awaited);
    }
    return awaited < 0 ? strip->row - 1 : row;
}

static void put_hint(struct strip *strip, const struct lesson_view *view)
{
    struct step *step = player_step(view->player);
    long awaited = player_awaited(view->player);
    const char *reason, *nudge;

    if (awaited < 0)
        return;
    reason = expect_reason(step->expect, (size_t)awaited);
    if (*reason)
        strip_prose(strip, 2, STYLE_WARN, reason);
    nudge = player_nudge(view->player);
    if (*nudge)
        strip_prose(strip, 2, STYLE_WARN, nudge);
}

static bool is_outside(const struct lesson_view *view)
{
    const struct player *player = view->player;

    return player->outside_ns != 0 &&
           store_now(view->store) - player->outside_ns < OUTSIDE_NS;
}

/* What stands last: what to do now. */
static void put_prompt(struct strip *strip, const struct lesson_view *view)
{
    const struct player *player = view->player;
    const struct step *step = player_step(player);
    bool last = player->at + 1 == player->step_count;

    if (is_outside(view)) {
        strip_prose(strip, 0, STYLE_BAD,
                    "Your server is running, but outside the lab network: "
                    "stop it, type make shell, start it there.");
        return;
    }
    if (view->message[0]) {
        strip_prose(strip, 0, STYLE_WARN, view->message);
        return;
    }
    if (view->sure && step->observe && !step->done) {
        strip_prose(strip, 0, STYLE_WARN,
                    "Not all of it came true yet. h says what is missing; "
                    "Enter again skips this step.");
        return;
    }
    if (step->predict && step->answer < 0)
        strip_prose(strip, 0, STYLE_DIM,
                    step->before == BEFORE_RIGHT
                        ? "What do you say? (Last time you were right.)"
                    : step->before == BEFORE_WRONG
                        ? "What do you say this time?"
                        : "What do you say? Press its letter.");
    else if (last && player_finished(player))
        strip_prose(strip, 0, STYLE_GOOD,
                    "The lesson is done: everything came true. q leaves.");
    else if (last && !step->observe)
        strip_prose(strip, 0, STYLE_DIM, "This is the end. q leaves.");
    else if (step->observe && step->done)
        strip_prose(strip, 0, STYLE_GOOD, "All true. Enter goes on.");
    else if (!step->observe)
        strip_prose(strip, 0, STYLE_DIM,
                    view->scroll < view->scroll_most ? "Enter reads on."
                                                     : "Enter goes on.");
}

/* All of the foot, from the strip's row on. Returns the row to keep in sight. */
static int put_foot(struct strip *strip, const struct lesson_view *view)
{
    const struct block *typed = player_typed(view->player);
    int row = 0;

    if (typed)
        strip_typed(strip, typed, view->compact);
    if (player_step(view->player)->observe)
        row = put_ticks(strip, view);
    if (view->hint)
        put_hint(strip, view);
    put_prompt(strip, view);
    return row;
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

static void draw_foot(const struct lesson_view *view, struct area area)
{
    struct strip foot = {.area = area};
    int keep = put_foot(&foot, view);

    if (foot.row <= area.rows)
        return;
    /* Too long to show whole: the awaited line, and what stands near it. */
    for (int row = 0; row < area.rows; row++)
        area_fill(area, row, 0, area.columns, STYLE_PLAIN, ' ');
    foot.from = keep - area.rows / 2;
    if (foot.from > foot.row - area.rows)
        foot.from = foot.row - area.rows;
    if (foot.from < 0)
        foot.from = 0;
    foot.row = 0;
    put_foot(&foot, view);
}

/* The rows that the foot needs, at most `most`. */
static int measure_foot(struct lesson_view *view, struct area area, int most)
{
    struct strip foot;

    for (int i = 0; i < 2; i++) {
        foot = (struct strip){.area = area_part(area, 0, 0, 0, area.columns)};
        view->compact = i > 0;
        put_foot(&foot, view);
        if (foot.row <= most)
            return foot.row;
    }
    return most;
}

static void draw_text(struct lesson_view *view, struct area area)
{
    struct strip text = {.area = area};
    int foot_rows, rows;

    foot_rows = measure_foot(
        view, area, area.rows > 12 ? area.rows * 2 / 3 : area.rows - 3);
    rows = measure(view, area, area.rows - foot_rows - 1);
    text.area = area_part(area, 0, 0, rows, area.columns);
    text.from = view->scroll;
    strip_step(&text, view->player, player_step(view->player));
    draw_rule(view, area, rows);
    draw_foot(view,
              area_part(area, rows + 1, 0, area.rows - rows - 1, area.columns));
}

/* --- the wire ---------------------------------------------------------- */

static void draw_terminals(const struct lesson_view *view, struct area area)
{
    int column = 0, room = area.columns / 3;

    for (int i = 0; i < 3; i++) {
        const struct player_terminal *terminal = &view->player->terminals[i];
        struct area part = area_part(area, 0, column, 1, room - 1);

        area_printf(part, 0, 0, terminal->open ? STYLE_STRONG : STYLE_DIM, "%c",
                    (char)('A' + i));
        area_printf(part, 0, 2, STYLE_DIM, "%s",
                    !terminal->open  ? "not open"
                    : terminal->busy ? terminal->command
                                     : "ready");
        column += room;
    }
}

static void draw_wire(struct lesson_view *view, struct area area)
{
    int foot = area.rows < LEAST_ROWS ? 0 : 2; /* packets first */
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

void lesson_view_draw(struct lesson_view *view, struct canvas *canvas)
{
    struct area all = canvas_area(canvas);
    int rows = all.rows - 2, left;

    canvas_clear(canvas);
    if (all.rows < LEAST_ROWS || all.columns < LEAST_COLUMNS) {
        int used = area_wrap(all, 0, 0, STYLE_STRONG, "terminal too small");

        area_wrap(area_part(all, used, 0, all.rows, all.columns), 0, 0,
                  STYLE_PLAIN, "It needs 60 columns and 15 rows.");
        return;
    }
    if (view->step != view->player->at) {
        view->step = view->player->at;
        view->scroll = 0;
        view->scroll_most = INT16_MAX; /* it is not read to its end yet */
        view->hint = view->sure = false;
    }
    draw_title(view, area_part(all, 0, 0, 1, all.columns));
    draw_keys(view, area_part(all, all.rows - 1, 0, 1, all.columns));
    if (view->help) {
        draw_help(area_part(all, 1, 0, rows, all.columns));
        return;
    }
    view->calls_shown = view->calls == LESSON_CALLS_FIT
                            ? all.columns >= WIDE
                            : view->calls == LESSON_CALLS_SHOWN;
    if (all.columns < NARROW) {
        draw_stacked(view, area_part(all, 1, 0, rows, all.columns));
        return;
    }
    left = all.columns >= WIDE ? all.columns * 55 / 100 : TEXT_COLUMNS;
    if (left > TEXT_MOST)
        left = TEXT_MOST;
    draw_text(view, area_part(all, 1, 1, rows, left - 1));
    for (int row = 0; row < rows; row++)
        area_fill(all, 1 + row, left + 1, 1, STYLE_DIM, UPRIGHT);
    draw_wire(view, area_part(all, 1, left + 2, rows, all.columns - left - 2));
}

/* --- keys -------------------------------------------------------------- */

/* Enter: first to the end of the text, then on; with open ticks only when it
 * is pressed again. */
static enum lesson_wish read_on(struct lesson_view *view)
{
    const struct step *step = player_step(view->player);

    if (view->scroll < view->scroll_most) {
        view->scroll += view->page > 2 ? view->page - 1 : 1;
        return LESSON_NOTHING;
    }
    if (step->observe && !step->done && !view->sure) {
        view->sure = true;
        return LESSON_NOTHING;
    }
    return LESSON_NEXT;
}

static bool answer(struct lesson_view *view, int key)
{
    const struct step *step = player_step(view->player);
    int choice = key >= 'a' && key <= 'e'   ? key - 'a'
                 : key >= '1' && key <= '5' ? key - '1'
                                            : -1;

    if (!step->predict || choice < 0 ||
        choice >= (int)step->predict->line_count)
        return false;
    player_answer(view->player, choice);
    view->scroll = INT16_MAX; /* the reply stands at the end */
    return true;
}

static enum lesson_wish move(struct lesson_view *view, int key)
{
    int page = view->page > 2 ? view->page - 1 : 1;

    switch (key) {
    case INPUT_PAGE_DOWN:
        view->scroll += page;
        break;
    case INPUT_PAGE_UP:
        view->scroll -= page;
        break;
    case INPUT_DOWN:
        view->scroll++;
        break;
    case INPUT_UP:
        view->scroll--;
        break;
    case INPUT_HOME:
        view->scroll = 0;
        break;
    case INPUT_END:
        view->scroll = view->scroll_most;
        break;
    case 'k':
        view->ladder_up++;
        break;
    case 'j':
        view->ladder_up -= view->ladder_up > 0;
        break;
    default:
        break;
    }
    return LESSON_NOTHING;
}

enum lesson_wish lesson_view_key(struct lesson_view *view, int key)
{
    bool sure = view->sure;

    if (key != INPUT_RESIZED)
        view->message[0] = '\0';
    if (view->help) {
        view->help = false;
        return key == 'q' ? LESSON_QUIT : LESSON_NOTHING;
    }
    if (answer(view, key))
        return LESSON_NOTHING;
    view->sure = false;
    switch (key) {
    case INPUT_ENTER:
    case ' ':
        view->sure = sure;
        return read_on(view);
    case 'n':
    case INPUT_RIGHT:
        return LESSON_NEXT;
    case 'b':
    case INPUT_LEFT:
        return LESSON_BACK;
    case 'h':
        view->hint = !view->hint;
        return LESSON_NOTHING;
    case 'r':
        return LESSON_AGAIN;
    case '?':
        view->help = true;
        return LESSON_NOTHING;
    case 's':
        view->calls = view->calls_shown ? LESSON_CALLS_HIDDEN
                                        : LESSON_CALLS_SHOWN;
        return LESSON_NOTHING;
    case 'q':
    case INPUT_HUNG_UP:
        return LESSON_QUIT;
    default:
        return move(view, key);
    }
}
