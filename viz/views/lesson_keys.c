/* See lesson_keys.h. */
#include "viz/views/lesson_keys.h"

#include <stdio.h>
#include <string.h>

#include "viz/screen/screen.h"
#include "viz/views/view.h"

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
    {"x", "export the connection of the newest packet in sight", "export"},
    {"\u2192 n", "the next step at once (Space: as Enter)", NULL},
    {NULL, NULL, NULL},
};

/* --- on the screen ---------------------------------------------------------- */

static bool has_use(const struct lesson_view *view, const char *word)
{
    const struct step *step = player_step(view->player);

    if (strcmp(word, "calls") == 0)
        return store_calls(view->store) > 0;
    if (strcmp(word, "export") == 0)
        return view->saving.write && store_flows(view->store) > 0;
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

void lesson_keys_draw(const struct lesson_view *view, struct area bar)
{
    int column = 1;

    if (view->prompt.sign) { /* what it is told stands in the foot */
        saving_draw(&view->saving, &view->prompt, "", bar);
        return;
    }
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

void lesson_keys_help(struct area area)
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

/* --- pressed -------------------------------------------------------------- */

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

/* The connection that the last row of the ladder is about. */
static void save(struct lesson_view *view)
{
    size_t rows = store_rows(view->store), up = (size_t)view->ladder_up;
    const struct store_row *row = NULL;

    for (size_t n = rows > up ? rows - up : 0; n-- > 0;) {
        row = store_row(view->store, n);
        if (row->note.flow)
            break;
    }
    if (view->saving.write && row && row->note.flow)
        saving_open(&view->saving, &view->prompt, row->note.flow->id);
    else
        snprintf(view->message, sizeof view->message,
                 "There is no connection here to export.");
}

static void prompt(struct lesson_view *view, int key)
{
    if (prompt_edit(&view->prompt, key) == PROMPT_ENTER)
        saving_write(&view->saving, &view->prompt, view->message,
                     sizeof view->message);
}

enum lesson_wish lesson_view_key(struct lesson_view *view, int key)
{
    bool sure = view->sure;

    if (key != INPUT_RESIZED)
        view->message[0] = '\0';
    if (view->prompt.sign && key != INPUT_HUNG_UP) {
        prompt(view, key);
        return LESSON_NOTHING;
    }
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
    case 'x':
        save(view);
        return LESSON_NOTHING;
    case 'q':
    case INPUT_HUNG_UP:
        return LESSON_QUIT;
    default:
        return move(view, key);
    }
}
