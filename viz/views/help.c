/*
 * `?`: every key and every letter, made from the tables that define them, so
 * that help cannot go stale.
 */
#include "viz/views/view.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "viz/views/words.h"

/* Lines are numbered from the top of the text; those in the window are drawn. */
struct page {
    struct area area;
    int line, top;
};

static void next_line(struct page *page)
{
    page->line++;
}

static int row_of(const struct page *page)
{
    return page->line - page->top; /* outside the area it is not drawn */
}

static void heading(struct page *page, const char *text)
{
    if (page->line > 0)
        next_line(page);
    area_text(page->area, row_of(page), 2, STYLE_STRONG, text);
    next_line(page);
}

static void entry(struct page *page, const char *keys, const char *does)
{
    area_text(page->area, row_of(page), 4, STYLE_KEY, keys);
    area_text(page->area, row_of(page), 16, STYLE_PLAIN, does);
    next_line(page);
}

static void keys_of(struct page *page, const char *title,
                    const struct view_help *help)
{
    heading(page, title);
    for (; help->keys; help++)
        entry(page, help->keys, help->does);
}

static void letters(struct page *page)
{
    heading(page, "Letters beside an arrow");
    for (int name = 0; name < VERDICT_NAMES; name++) {
        const struct verdict_word *word = verdict_word((enum verdict_name)name);
        char letter[2] = {word->letter, '\0'};

        area_text(page->area, row_of(page), 4, word->style, letter);
        area_text(page->area, row_of(page), 16, STYLE_PLAIN, word->words);
        next_line(page);
    }
    entry(page, "V", "reports that something came twice (D-SACK)");
    entry(page, "X", "also: a reset (RST)");
    entry(page, "!", "lost by the lab's wire: its arrow is broken");
}

static void reading(struct page *page)
{
    static const struct view_help signs[] = {
        {"\xE2\x94\x80\xE2\x94\x80\xE2\x96\xBA",
         "a TCP segment; its numbers count from the SYN", NULL},
        {"\xC2\xB7\xC2\xB7\xE2\x96\xBA",
         "a datagram: UDP or ICMP, nothing holds them together", NULL},
        {"\xE2\x94\x80\xE2\x94\x80\xE2\x95\xB3",
         "it did not arrive, or was not answered: sent again later", NULL},
        {"CLOSED?", "likely, but no packet proves it", NULL},
        {"\xE2\x89\xA0", "the kernel says otherwise than the wire", NULL},
        {"unread", "bytes that came and wait for recv()", NULL},
        {NULL, NULL, NULL},
    };

    keys_of(page, "How to read the ladder", signs);
}

static void all_keys(struct page *page)
{
    for (size_t i = 0; views[i]; i++) {
        char title[64];

        snprintf(title, sizeof title, "%c%s",
                 views[i]->name[0] - (views[i]->name[0] >= 'a' ? 'a' - 'A' : 0),
                 views[i]->name + 1);
        keys_of(page, title, views[i]->help);
    }
    keys_of(page, "Everywhere", viewer_keys);
}

/* From line `top` on; side by side where there is room. How many lines there
 * are. */
static int draw_page(struct area area, int top)
{
    bool wide = area.columns >= 120;
    struct page left = {area, 0, top}, right = {area, 0, top};

    if (wide)
        left.area = area_part(area, 0, 0, area.rows, area.columns / 2);
    all_keys(&left);
    if (wide)
        right.area = area_part(area, 0, area.columns / 2, area.rows,
                               area.columns);
    else
        right.line = left.line;
    reading(&right);
    letters(&right);
    return right.line > left.line ? right.line : left.line;
}

static void draw(struct viewer *viewer, struct area area)
{
    /* An area without rows only counts. */
    int lines = draw_page(area_part(area, 0, 0, 0, area.columns), 0);
    int most = lines > area.rows ? lines - area.rows : 0;

    if (viewer->help_top > most)
        viewer->help_top = most;
    viewer->page = area.rows;
    draw_page(area, viewer->help_top);
    if (viewer->help_top < most)
        area_text(area, area.rows - 1, area.columns - 7, STYLE_DIM,
                  "more \xE2\x86\x93");
}

static enum view_key on_key(struct viewer *viewer, int key)
{
    int top = viewer->help_top;

    switch (key) {
    case 'j':
    case INPUT_DOWN:
        top++;
        break;
    case 'k':
    case INPUT_UP:
        top--;
        break;
    case INPUT_PAGE_DOWN:
    case ' ':
        top += viewer->page - 1;
        break;
    case INPUT_PAGE_UP:
        top -= viewer->page - 1;
        break;
    case 'g':
    case INPUT_HOME:
        top = 0;
        break;
    case 'G':
    case INPUT_END:
        top = INT_MAX / 2; /* draw() knows the last one */
        break;
    default:
        return VIEW_NOT_HANDLED;
    }
    viewer->help_top = top < 0 ? 0 : top;
    return VIEW_HANDLED;
}

static const struct view_help help[] = {
    {"\xE2\x86\x91 \xE2\x86\x93", "scroll", "scroll"},
    {"Esc q", "back", "back"},
    {NULL, NULL, NULL},
};

const struct view view_keys = {
    .name = "help",
    .draw = draw,
    .on_key = on_key,
    .help = help,
};
