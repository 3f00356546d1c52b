/* See prompt.h. */
#include "viz/views/prompt.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "viz/views/place.h"
#include "viz/views/tape.h"

void prompt_open(struct viewer *viewer, char sign)
{
    viewer->prompt = (struct prompt){.sign = sign};
    if (sign == '/')
        memcpy(viewer->prompt.text, viewer->filter.text, FILTER_TEXT);
}

/* The connection under the cursor; false: there is none. */
static bool find_connection(struct viewer *viewer, uint32_t *id)
{
    const struct store_row *row = NULL;
    size_t place;

    if (viewer->view != &view_connections && viewer->only_flow < 0) {
        place = place_select(viewer);
        row = place == SIZE_MAX ? NULL : store_row(viewer->store, place);
    }
    if (row && row->note.flow)
        *id = row->note.flow->id;
    else if (viewer->view != &view_connections && viewer->only_flow >= 0)
        *id = (uint32_t)viewer->only_flow;
    else
        *id = viewer->connection;
    return viewer_flow(viewer, *id) != NULL;
}

void prompt_save(struct viewer *viewer)
{
    struct saving *saving = &viewer->saving;

    if (!saving->write || !find_connection(viewer, &saving->connection)) {
        snprintf(viewer->message, sizeof viewer->message,
                 "There is no connection here to export.");
        return;
    }
    prompt_open(viewer, 'x');
    saving->name(saving->connection, viewer->prompt.text, PROMPT);
}

/* A name that will not do may be mended. */
static void save(struct viewer *viewer)
{
    const struct saving *saving = &viewer->saving;

    if (saving->write(saving->self, saving->connection, viewer->prompt.text,
                      viewer->message, sizeof viewer->message))
        viewer->prompt.sign = 0;
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
    char *text = viewer->prompt.text;
    size_t length = strlen(text);

    switch (key) {
    case INPUT_ENTER:
        if (viewer->prompt.sign == '/') {
            set_filter(viewer);
        } else if (viewer->prompt.sign == 'x') {
            save(viewer);
        } else {
            viewer->prompt.sign = 0;
            tape_go(viewer, text);
        }
        break;
    case INPUT_ESCAPE:
    case 3: /* ^C */
        viewer->prompt.sign = 0;
        break;
    case INPUT_BACKSPACE:
        if (length > 0)
            text[length - 1] = '\0';
        break;
    case 'u' & 0x1F:
        text[0] = '\0';
        break;
    default:
        if (key < ' ' || key > '~' || length + 1 >= PROMPT)
            break;
        text[length] = (char)key;
        text[length + 1] = '\0';
    }
}

void prompt_draw(const struct viewer *viewer, struct area bar)
{
    static const char hint[] = "Enter: use it  Esc: leave it  ^U: empty";
    int column = 1;

    if (viewer->prompt.sign == 'x')
        column += area_printf(bar, 0, column, STYLE_KEY, "connection %u into ",
                              (unsigned)viewer->saving.connection);
    else
        column += area_printf(bar, 0, column, STYLE_KEY, "%c",
                              viewer->prompt.sign);
    column += area_text(bar, 0, column, STYLE_PLAIN, viewer->prompt.text);
    area_fill(bar, 0, column, 1, STYLE_CURSOR, ' ');
    column += 3;
    if (viewer->message[0])
        area_text(bar, 0, column, STYLE_WARN, viewer->message);
    else if (viewer->prompt.sign == 'x')
        area_text(bar, 0, column, STYLE_DIM,
                  "or .md .svg .pcap. Enter: write it");
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
