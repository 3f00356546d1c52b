/* See talk.h. */
#include "viz/views/talk.h"

#include <stdio.h>
#include <string.h>

#include "viz/views/words.h"

/* Where things stand in a row: time, who, text, and the end of an open line. */
enum { TIME = 9, NAME = 10, TEXT = 17, OPEN = 8, ESCAPE = 4 };

static const char open_line[] = " (no \\n)";

void talk_init(struct talk *talk, int columns, bool datagrams, talk_row_fn *row,
               void *self)
{
    memset(talk, 0, sizeof *talk);
    if (columns < TALK_LEAST)
        columns = TALK_LEAST;
    talk->columns = columns - TEXT - OPEN;
    if (talk->columns > TALK_TEXT / ESCAPE - 1) /* a character: 4 bytes */
        talk->columns = TALK_TEXT / ESCAPE - 1;
    talk->datagrams = datagrams;
    talk->row = row;
    talk->self = self;
}

/* --- rows --------------------------------------------------------------------- */

/* The next character of the line as it is shown, into `text`; how many bytes of
 * the line it is. */
static size_t character(const uint8_t *bytes, size_t left, char text[8])
{
    const char *at = (const char *)bytes;
    uint32_t code = utf8_next(&at, &left);
    size_t length = (size_t)(at - (const char *)bytes);
    bool broken = code == 0xFFFD && length == 1;

    if (*bytes == '\\')
        snprintf(text, 8, "\\\\");
    else if (*bytes == '\r')
        snprintf(text, 8, "\\r");
    else if (*bytes == '\t')
        snprintf(text, 8, "\\t");
    else if (broken || code_width(code) < 1) {
        snprintf(text, 8, "\\x%02X", *bytes);
        return 1;
    } else
        snprintf(text, 8, "%.*s", (int)length, (const char *)bytes);
    return length;
}

/* Gives the row away; it is empty then. */
static void give(struct talk *talk, struct talk_row *row)
{
    row->goes_on = talk->any && talk->last_from == row->from &&
                   talk->last_ns == row->time_ns;
    talk->any = true;
    talk->last_from = row->from;
    talk->last_ns = row->time_ns;
    talk->row(talk->self, row);
    row->text[0] = '\0';
}

/* What is of the line so far; `open`: its end is left open. */
static void give_line(struct talk *talk, bool open)
{
    struct talk_row row = {.from = talk->from, .time_ns = talk->time_ns};
    size_t used = 0;
    int columns = 0;

    for (size_t at = 0; at < talk->length;) {
        char text[8];
        size_t bytes = character(talk->line + at, talk->length - at, text);
        int width = text_width(text);

        if (columns + width > talk->columns) {
            give(talk, &row);
            used = 0;
            columns = 0;
        }
        memcpy(row.text + used, text, strlen(text) + 1);
        used += strlen(text);
        columns += width;
        at += bytes;
    }
    row.open = open;
    give(talk, &row);
    talk->goes_on = true;
    talk->length = 0;
}

/* --- pieces ------------------------------------------------------------------- */

static void end_line(struct talk *talk, bool open)
{
    if (talk->length > 0 || talk->goes_on)
        give_line(talk, open);
    talk->goes_on = false;
}

static void take_bytes(struct talk *talk, const struct piece *piece)
{
    if (talk->from != piece->from)
        end_line(talk, true);
    for (uint32_t i = 0; i < piece->length; i++) {
        uint8_t byte = piece->bytes[i];

        if (talk->length == 0 && !talk->goes_on) {
            talk->from = piece->from;
            talk->time_ns = piece->time_ns;
        }
        if (byte == '\n') {
            give_line(talk, false);
            talk->goes_on = false;
            continue;
        }
        talk->line[talk->length++] = byte;
        if (talk->length == TALK_LINE)
            give_line(talk, false);
    }
    if (talk->datagrams)
        end_line(talk, false);
}

static void take_note(struct talk *talk, const struct piece *piece)
{
    struct talk_row row = {
        .from = piece->from, .time_ns = piece->time_ns, .note = true};
    const char *what = piece->kind == PIECE_CUT    ? "more, not kept"
                       : piece->kind == PIECE_GAP  ? "that were not captured"
                       : piece->kind == PIECE_LOST ? "lost by the wire"
                                                   : "sent again";

    end_line(talk, piece->kind == PIECE_FIN || piece->kind == PIECE_RESET);
    if (piece->kind == PIECE_FIN)
        snprintf(row.text, sizeof row.text, "has said all: FIN");
    else if (piece->kind == PIECE_RESET)
        snprintf(row.text, sizeof row.text, "breaks off: RST");
    else if (piece->kind == PIECE_BYTES)
        snprintf(row.text, sizeof row.text, "an empty datagram");
    else
        snprintf(row.text, sizeof row.text, "%u byte%s %s", piece->length,
                 piece->length == 1 ? "" : "s", what);
    give(talk, &row);
}

void talk_piece(void *self, const struct piece *piece)
{
    if (piece->kind == PIECE_BYTES && piece->length > 0)
        take_bytes(self, piece);
    else
        take_note(self, piece);
}

void talk_end(struct talk *talk)
{
    end_line(talk, !talk->datagrams);
}

/* --- drawn -------------------------------------------------------------------- */

void talk_draw(struct area area, int row, const struct talk_row *what,
               int64_t start_ns)
{
    enum style style = what->from == FLOW_CLIENT ? STYLE_CLIENT : STYLE_SERVER;
    char time[WORDS];
    int width;

    if (!what->goes_on) {
        seconds_text(what->time_ns - start_ns, TIME - 1, time);
        area_text(area, row, TIME - text_width(time), STYLE_DIM, time);
        area_text(area, row, NAME, style,
                  what->from == FLOW_CLIENT ? "client" : "server");
    }
    if (what->note)
        area_printf(area, row, TEXT, STYLE_DIM, "(%s)", what->text);
    else
        area_text(area, row, TEXT, style, what->text);
    width = text_width(what->text);
    if (what->open)
        area_text(area, row, TEXT + width, STYLE_DIM, open_line);
}
