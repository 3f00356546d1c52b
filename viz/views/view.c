/*
 * The frame around every view: title bar, message, key bar, the keys that mean
 * the same everywhere. What a view draws and what its own keys do is in its
 * table.
 */
#include "viz/views/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/views/predict.h"
#include "viz/views/prompt.h"
#include "viz/views/tape.h"
#include "viz/views/words.h"

enum { LEAST_ROWS = 15, LEAST_COLUMNS = 60 };

const struct view *const views[] = {
    &view_connections, &view_ladder, &view_diagram, &view_beside,
    &view_sockets,     &view_stream, NULL};

const struct view_help viewer_keys[] = {
    {"?", "this help, and back", "help"}, /* first: always in the key bar */
    {"1 2 3", "connections, ladder, states", NULL},
    {"4 5 6", "TCP beside UDP, sockets, stream: what was said", NULL},
    {"/", "show only what passes a filter: tcp port 7001 flag:R", "filter"},
    {"p", "replay from the first packet; p again: all that there is", "replay"},
    {", .", "replay: one packet back, one on", NULL},
    {"< >", "replay: slower, faster: 0.1 to 100 times", NULL},
    {":", "replay: go to a packet, or a time such as 3.5s", NULL},
    {"P", "predict: say what comes next, and keep score", NULL},
    {"x", "export this connection: as .txt, .md, .svg or .pcap", NULL},
    {"f", "follow: keep the newest in sight", "follow"},
    {"Space", "pause what is shown; a file, a replay: play, pause", "pause"},
    {"L", "lose packets (private network): 1/10, 1/3, 1/2, none", NULL},
    {"mouse", "the wheel scrolls, a click selects, a second one opens", NULL},
    {"^L", "draw the screen anew, when something wrote over it", NULL},
    {"^C", "quit", NULL},
    {NULL, NULL, NULL},
};

void viewer_init(struct viewer *viewer, const struct store *store)
{
    *viewer = (struct viewer){.store = store,
                              .all = store,
                              .source = "",
                              .view = &view_connections,
                              .follow = true,
                              .only_flow = -1,
                              .beside = {-1, -1}};
}

void viewer_fini(struct viewer *viewer)
{
    moment_fini(&viewer->tape.moment);
    matches_fini(&viewer->matches);
    links_fini(&viewer->links);
    free(viewer->talked.rows);
    viewer->talked = (struct talked){.rows = NULL};
    free(viewer->list);
    viewer->list = NULL;
    viewer->list_room = viewer->list_count = 0;
}

size_t viewer_rows(const struct viewer *viewer)
{
    uint64_t forgotten = store_forgotten(viewer->store);
    size_t rows = store_rows(viewer->store);

    if (!viewer->paused || viewer->paused_at >= forgotten + rows)
        return rows;
    return viewer->paused_at > forgotten
               ? (size_t)(viewer->paused_at - forgotten)
               : 0;
}

struct choice viewer_choice(const struct viewer *viewer)
{
    return (struct choice){.flow = viewer->only_flow,
                           .filter = viewer->filter.count > 0 ? &viewer->filter
                                                              : NULL,
                           .fold = !viewer->unfold,
                           .calls = !viewer->hide_calls};
}

const struct flow *viewer_flow(const struct viewer *viewer, int64_t id)
{
    size_t low = 0, high = store_flows(viewer->store);

    while (id >= 0 && low < high) { /* flows are in order of id */
        size_t middle = low + (high - low) / 2;
        const struct flow *flow = store_flow(viewer->store, middle);

        if (flow->id == id)
            return flow;
        if (flow->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- drawing --------------------------------------------------------------- */

/* " 12 packets  3 lost  PAUSED +7 ": right to left, what matters most last.
 * Forgotten are the oldest packets, or all of the oldest connections: memory
 * is bounded. */
static void title_right(const struct viewer *viewer, char *text, size_t size)
{
    uint64_t seen = store_forgotten(viewer->store) + store_rows(viewer->store);
    uint64_t forgotten = store_forgotten(viewer->store);
    char lost[48] = "", mode[48] = "", wire[80] = "", old[48] = "";

    if (forgotten > 0)
        snprintf(old, sizeof old, "  %llu forgotten",
                 (unsigned long long)forgotten);
    if (viewer->dropped > 0)
        snprintf(lost, sizeof lost, "  %llu NOT CAPTURED",
                 (unsigned long long)viewer->dropped);
    if (viewer->wire[0])
        snprintf(wire, sizeof wire, "  %s: %llu lost", viewer->wire,
                 (unsigned long long)store_lost(viewer->store));
    if (viewer->tape.on) {
        tape_text(viewer, text, size);
        return;
    }
    if (viewer->paused)
        snprintf(mode, sizeof mode, "  PAUSED +%llu",
                 (unsigned long long)(seen - viewer->paused_at));
    else if (viewer->replay)
        snprintf(mode, sizeof mode, "  REPLAY");
    else if (viewer->live)
        snprintf(mode, sizeof mode, "  %s", viewer->follow ? "LIVE" : "live");
    snprintf(text, size, " %llu packet%s%s%s%s%s ", (unsigned long long)seen,
             seen == 1 ? "" : "s", old, lost, wire, mode);
}

static void draw_title(const struct viewer *viewer, struct area bar)
{
    char left[4 * WORDS], right[WORDS];
    int room;

    area_fill(bar, 0, 0, bar.columns, STYLE_BAR, ' ');
    title_right(viewer, right, sizeof right);
    room = bar.columns - text_width(right);
    snprintf(left, sizeof left,
             " Two Terminals \xE2\x94\x82 %s \xE2\x94\x82 %s%s%s",
             viewer->view->name, viewer->source,
             viewer->filter.count > 0 ? " \xE2\x94\x82 /" : "",
             viewer->filter.count > 0 ? viewer->filter.text : "");
    area_text(area_part(bar, 0, 0, 1, room), 0, 0, STYLE_BAR, left);
    if (text_width(left) > room)
        area_text(bar, 0, room - 1, STYLE_BAR, "\xE2\x80\xA6");
    area_text(bar, 0, room, STYLE_BAR, right);
}

/* Where the next one goes; the same place when there is no room for it. */
static int draw_key(struct area bar, int column, const struct view_help *key)
{
    int width = text_width(key->keys) + 1 + text_width(key->bar) + 2;

    if (column + width - 2 > bar.columns)
        return column;
    area_text(bar, 0, column, STYLE_KEY, key->keys);
    area_text(bar, 0, column + text_width(key->keys) + 1, STYLE_DIM, key->bar);
    return column + width;
}

/* The entries of a help table that want to stand in the key bar, from
 * `column` on; returns where the next one goes. */
static int draw_keys(struct area bar, int column, const struct view_help *help)
{
    for (; help->keys; help++)
        if (help->bar)
            column = draw_key(bar, column, help);
    return column;
}

/* At the foot, over the last rows of the view when it is long. */
static void draw_message(const struct viewer *viewer, struct area all)
{
    int columns = all.columns - 2;
    int rows = area_wrap(area_part(all, 0, 1, 0, columns), 0, 0, STYLE_WARN,
                         viewer->message);

    for (int row = all.rows - rows; row < all.rows; row++)
        area_fill(all, row, 0, all.columns, STYLE_PLAIN, ' ');
    area_wrap(area_part(all, all.rows - rows, 1, rows, columns), 0, 0,
              STYLE_WARN, viewer->message);
}

/* The view's own keys first; the one that leads to all others always. */
static void draw_foot(const struct viewer *viewer, struct area all)
{
    enum { HELP = 8 };
    struct area bar = area_part(all, all.rows - 1, 0, 1, all.columns);
    struct area most = area_part(bar, 0, 0, 1, bar.columns - HELP);
    int column = 1;

    if (viewer->prompt.sign) {
        prompt_draw(viewer, bar);
        return;
    }
    if (viewer->message[0]) {
        draw_message(viewer, all);
        return;
    }
    column = draw_keys(most, column, viewer->view->help);
    column = draw_keys(most, column, viewer_keys + 1);
    draw_key(bar, column, viewer_keys);
}

bool too_small(struct area all)
{
    char text[WORDS];
    int rows;

    if (all.rows >= LEAST_ROWS && all.columns >= LEAST_COLUMNS)
        return false;
    rows = area_wrap(all, 0, 0, STYLE_STRONG, "terminal too small");
    snprintf(text, sizeof text,
             "It needs 60 columns and 15 rows, and has %d and %d: a larger "
             "window helps, or a smaller font.",
             all.columns, all.rows);
    area_wrap(area_part(all, rows, 0, all.rows, all.columns), 0, 0, STYLE_PLAIN,
              text);
    return true;
}

void viewer_draw(struct viewer *viewer, struct canvas *canvas)
{
    struct area all = canvas_area(canvas);
    int rows;

    canvas_clear(canvas);
    if (too_small(all))
        return;
    draw_title(viewer, area_part(all, 0, 0, 1, all.columns));
    rows = all.rows - 2 - (viewer->predict.on ? PREDICT_ROWS : 0);
    viewer->view->draw(viewer, area_part(all, 1, 0, rows, all.columns));
    if (viewer->predict.on)
        predict_draw(viewer,
                     area_part(all, 1 + rows, 0, PREDICT_ROWS, all.columns));
    draw_foot(viewer, all);
}

char *viewer_nothing(const struct viewer *viewer, const char *filtered,
                     const char *quiet, const char *empty, char *text,
                     size_t size)
{
    if (viewer->predict.on && viewer_rows(viewer) == 0)
        snprintf(text, size, "The first packet is hidden: what will it be?");
    else if (viewer->tape.on && viewer_rows(viewer) == 0)
        snprintf(text, size,
                 "The replay stands before the first packet: Space plays, . "
                 "goes one packet on.");
    else if (viewer->filter.count > 0)
        snprintf(text, size, "%s / changes it, an empty one shows all.",
                 filtered);
    else if (viewer->live)
        snprintf(text, size, "The wire is quiet. %s", quiet);
    else
        snprintf(text, size, "%s", empty);
    return text;
}

/* --- keys ------------------------------------------------------------------ */

static void toggle_pause(struct viewer *viewer)
{
    viewer->paused = !viewer->paused;
    viewer->paused_at = store_forgotten(viewer->store) +
                        store_rows(viewer->store);
}

static void go_back(struct viewer *viewer)
{
    if (viewer->view == &view_keys)
        viewer->view = viewer->before_help;
    else if (viewer->view != &view_connections)
        viewer->view = &view_connections;
    else
        snprintf(viewer->message, sizeof viewer->message,
                 "This is the first view. Press q to quit.");
}

static void common_key(struct viewer *viewer, int key)
{
    switch (key) {
    case 3: /* ^C, where the terminal does not make a signal of it */
        viewer->quit = true;
        return;
    case 'q':
        if (viewer->view == &view_connections)
            viewer->quit = true;
        else
            go_back(viewer);
        return;
    case INPUT_ESCAPE:
    case INPUT_BACKSPACE:
        go_back(viewer);
        return;
    case '?':
        if (viewer->view == &view_keys) {
            go_back(viewer);
            return;
        }
        viewer->before_help = viewer->view;
        viewer->view = &view_keys;
        viewer->help_top = 0;
        return;
    case ' ':
        toggle_pause(viewer);
        return;
    case '/':
    case ':':
        prompt_open(viewer, (char)key);
        return;
    case 'x':
        prompt_save(viewer);
        return;
    case 'P':
        predict_toggle(viewer);
        return;
    case 'L':
        viewer->wire_wanted = true;
        return;
    case 'f':
        viewer->follow = !viewer->follow;
        return;
    default:
        break;
    }
    for (size_t i = 0; views[i]; i++) {
        if (key != views[i]->key)
            continue;
        if (views[i]->open)
            views[i]->open(viewer);
        viewer->view = views[i];
        return;
    }
}

/* The wheel moves as three keys do; a click is the view's. */
static void mouse(struct viewer *viewer, int key)
{
    enum { LINES = 3 };
    int row;

    if (key == INPUT_WHEEL_UP || key == INPUT_WHEEL_DOWN) {
        for (int i = 0; i < LINES; i++)
            viewer->view->on_key(viewer,
                                 key == INPUT_WHEEL_UP ? INPUT_UP : INPUT_DOWN);
        return;
    }
    row = (key - INPUT_CLICK) / CANVAS_MOST_COLUMNS - 1; /* below the title */
    if (row >= 0 && row < CANVAS_MOST_ROWS && viewer->view->on_click)
        viewer->view->on_click(viewer, row);
}

void viewer_key(struct viewer *viewer, int key)
{
    if (key == INPUT_NONE || key == INPUT_RESIZED)
        return;
    if (key == INPUT_HUNG_UP) {
        viewer->quit = true;
        return;
    }
    viewer->message[0] = '\0';
    if (key == INPUT_WHEEL_UP || key == INPUT_WHEEL_DOWN ||
        key >= INPUT_CLICK) {
        mouse(viewer, key);
        return;
    }
    if (viewer->prompt.sign) {
        prompt_key(viewer, key);
        return;
    }
    if (predict_key(viewer, key) || tape_key(viewer, key))
        return;
    if (viewer->view->on_key(viewer, key) == VIEW_NOT_HANDLED)
        common_key(viewer, key);
}

/* "<Click 5,10>" at *text, moved on; INPUT_NONE when it is none. */
static int click_from_text(const char **text)
{
    static const char word[] = "<Click ";
    char *end;
    long row, column;

    if (strncmp(*text, word, sizeof word - 1) != 0)
        return INPUT_NONE;
    row = strtol(*text + sizeof word - 1, &end, 10);
    if (*end != ',')
        return INPUT_NONE;
    column = strtol(end + 1, &end, 10);
    if (*end != '>' || row < 0 || row >= CANVAS_MOST_ROWS || column < 0 ||
        column >= CANVAS_MOST_COLUMNS)
        return INPUT_NONE;
    *text = end + 1;
    return INPUT_CLICK + (int)row * CANVAS_MOST_COLUMNS + (int)column;
}

int viewer_key_from_text(const char **text)
{
    static const struct {
        const char *name;
        int key;
    } names[] = {
        {"<Enter>", INPUT_ENTER},
        {"<Esc>", INPUT_ESCAPE},
        {"<Tab>", INPUT_TAB},
        {"<Space>", ' '},
        {"<Up>", INPUT_UP},
        {"<Down>", INPUT_DOWN},
        {"<Left>", INPUT_LEFT},
        {"<Right>", INPUT_RIGHT},
        {"<PgUp>", INPUT_PAGE_UP},
        {"<PgDn>", INPUT_PAGE_DOWN},
        {"<Home>", INPUT_HOME},
        {"<End>", INPUT_END},
        {"<Backspace>", INPUT_BACKSPACE},
        {"<WheelUp>", INPUT_WHEEL_UP},
        {"<WheelDown>", INPUT_WHEEL_DOWN},
    };
    size_t left = strlen(*text);
    int click;

    if (left == 0)
        return INPUT_NONE;
    click = click_from_text(text);
    if (click != INPUT_NONE)
        return click;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i].name);

        if (strncmp(*text, names[i].name, length) == 0) {
            *text += length;
            return names[i].key;
        }
    }
    if (**text == '<' && strchr(*text, '>'))
        return INPUT_NONE; /* *text stays: it is the name we do not know */
    return (int)utf8_next(text, &left);
}
