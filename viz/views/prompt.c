/* See prompt.h. */
#include "viz/views/prompt.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "viz/views/place.h"
#include "viz/views/tape.h"
#include "viz/views/view.h"

enum prompt_key prompt_edit(struct prompt *prompt, int key)
{
    size_t length = strlen(prompt->text);

    switch (key) {
    case INPUT_ENTER:
        return PROMPT_ENTER;
    case INPUT_ESCAPE:
    case 3: /* ^C */
        prompt->sign = 0;
        return PROMPT_LEFT;
    case INPUT_BACKSPACE:
        if (length > 0)
            prompt->text[length - 1] = '\0';
        break;
    case 'u' & 0x1F:
        prompt->text[0] = '\0';
        break;
    default:
        if (key < ' ' || key > '~' || length + 1 >= PROMPT)
            break;
        prompt->text[length] = (char)key;
        prompt->text[length + 1] = '\0';
    }
    return PROMPT_TYPED;
}

/* What was typed, and the cursor; the column from which there is room. */
static int draw_typed(const struct prompt *prompt, struct area bar, int column)
{
    column += area_text(bar, 0, column, STYLE_PLAIN, prompt->text);
    area_fill(bar, 0, column, 1, STYLE_CURSOR, ' ');
    return column + 3;
}

/* What the reader is told, beside what was typed; where there is no room for
 * both, alone, until the next key. */
static void draw_said(struct area bar, int column, const char *said)
{
    if (column + text_width(said) > bar.columns) {
        area_fill(bar, 0, 0, bar.columns, STYLE_PLAIN, ' ');
        column = 1;
    }
    area_text(bar, 0, column, STYLE_WARN, said);
}

/* --- the key x ------------------------------------------------------------- */

void saving_open(struct saving *saving, struct prompt *prompt,
                 uint32_t connection)
{
    *prompt = (struct prompt){.sign = 'x'};
    saving->connection = connection;
    saving->name(connection, prompt->text, PROMPT);
}

void saving_write(const struct saving *saving, struct prompt *prompt,
                  char *said, size_t size)
{
    if (saving->write(saving->self, saving->connection, prompt->text, said,
                      size))
        prompt->sign = 0;
}

void saving_draw(const struct saving *saving, const struct prompt *prompt,
                 const char *said, struct area bar)
{
    int column = 1;

    column += area_printf(bar, 0, column, STYLE_KEY, "connection %u into ",
                          (unsigned)saving->connection);
    column = draw_typed(prompt, bar, column);
    if (*said)
        draw_said(bar, column, said);
    else
        area_text(bar, 0, column, STYLE_DIM,
                  "or .md .svg .pcap. Enter: write it");
}

/* --- in the viewer --------------------------------------------------------- */

void prompt_open(struct viewer *viewer, char sign)
{
    viewer->prompt = (struct prompt){.sign = sign};
    if (sign == '/')
        memcpy(viewer->prompt.text, viewer->filter.text, FILTER_TEXT);
}

void prompt_save(struct viewer *viewer)
{
    uint32_t connection;

    if (viewer->saving.write && viewer_connection(viewer, &connection))
        saving_open(&viewer->saving, &viewer->prompt, connection);
    else
        snprintf(viewer->message, sizeof viewer->message,
                 "There is no connection here to export.");
}

/* A bad filter changes nothing: it says why, and may be mended. */
static void set_filter(struct viewer *viewer)
{
    if (filter_read(&viewer->filter, viewer->prompt.text, viewer->message,
                    sizeof viewer->message) < 0)
        return;
    matches_forget(&viewer->matches);
    viewer->prompt.sign = 0;
    if (viewer->filter.count == 0)
        snprintf(viewer->message, sizeof viewer->message,
                 "No filter: all packets are shown.");
}

void prompt_key(struct viewer *viewer, int key)
{
    struct prompt *prompt = &viewer->prompt;

    if (prompt_edit(prompt, key) != PROMPT_ENTER)
        return;
    if (prompt->sign == '/') {
        set_filter(viewer);
    } else if (prompt->sign == 'x') {
        saving_write(&viewer->saving, prompt, viewer->message,
                     sizeof viewer->message);
    } else {
        prompt->sign = 0;
        tape_go(viewer, prompt->text);
    }
}

void prompt_draw(const struct viewer *viewer, struct area bar)
{
    static const char hint[] = "Enter: use it  Esc: leave it  ^U: empty";
    int column = 1;

    if (viewer->prompt.sign == 'x') {
        saving_draw(&viewer->saving, &viewer->prompt, viewer->message, bar);
        return;
    }
    column += area_printf(bar, 0, column, STYLE_KEY, "%c", viewer->prompt.sign);
    column = draw_typed(&viewer->prompt, bar, column);
    if (viewer->message[0])
        draw_said(bar, column, viewer->message);
    else if (viewer->prompt.text[0])
        area_text(bar, 0, column, STYLE_DIM, hint);
    else if (viewer->prompt.sign == ':')
        area_text(bar, 0, column, STYLE_DIM,
                  "a packet's number, or a time such as 3.5s");
    else
        area_text(bar, 0, column, STYLE_DIM,
                  "tcp udp icmp data, port N, host A, state:X, flag:R, or, "
                  "not");
}
