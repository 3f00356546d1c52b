/*
 * Any bytes drawn anywhere: the last gate between the wire and the reader's
 * terminal. Promises: every cell is printable, no character is half, nothing
 * leaves its area, and text and SVG hold no byte that a terminal or a browser
 * would obey.
 *
 *   rows, columns, ASCII?, then what to draw: what, where, how long, the bytes
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "viz/screen/canvas.h"

enum { MOST_DRAWN = 64, MOST_PRINTED = 1 << 17 };

static void draw(struct area area, struct input *input)
{
    uint8_t what = input_u8(input);
    int row = (int8_t)input_u8(input), column = (int8_t)input_u8(input);
    enum style style = input_u8(input) % STYLES;
    struct input part = input_part(input, input_u8(input));
    char text[256];

    memcpy(text, part.at, part.left);
    text[part.left] = '\0';
    if (what & 8)
        area = area_part(area, row / 2, column / 2, 3, 9);
    switch (what % 7) {
    case 0:
        must(area_text(area, row, column, style, text) >= 0 || column < 0 ||
             column > area.columns);
        break;
    case 1:
        area_textn(area, row, column, style, (const char *)part.at, part.left);
        break;
    case 2:
        must(area_wrap(area, row, column, style, text) >= 0);
        break;
    case 3:
        area_fill(area, row, column, (int)part.left, style,
                  part.left >= 4 ? (uint32_t)part.at[0] << 16 |
                                       part.at[1] << 8 | part.at[2]
                                 : '-');
        break;
    case 4:
        area_style(area, row, column, (int)part.left, style);
        break;
    case 5:
        area_box(area, text);
        break;
    default:
        must(text_width(text) >= 0);
    }
}

JUDGE static void check_cells(const struct canvas *canvas)
{
    const struct cell *cell = canvas->cells;

    for (int row = 0; row < canvas->rows; row++) {
        for (int column = 0; column < canvas->columns; column++, cell++) {
            must(cell->style < STYLES);
            if (cell->code == 0) { /* the right half */
                must(column > 0 && code_width(cell[-1].code) == 2);
                continue;
            }
            must(!canvas->ascii || (cell->code >= 0x20 && cell->code < 0x7f));
            must(code_width(cell->code) >= 1);
            if (code_width(cell->code) == 2)
                must(column + 1 < canvas->columns && cell[1].code == 0);
        }
    }
}

/* The style sheet is the same in every picture: looked at once, then stepped
 * over. */
JUDGE static const char *behind_sheet(const char *at)
{
    static bool looked;
    const char *end = strstr(at, "</style>");

    must(end != NULL);
    must(looked || is_printable(at, (size_t)(end - at), "\n"));
    looked = true;
    return end;
}

/* Tags close in their order, what is between them is no markup, and all of it
 * is printable. */
JUDGE static void check_markup(const char *at)
{
    const char *from = at;
    int depth = 0, sheets = 0;

    must(strncmp(at, "<svg ", 5) == 0);
    for (at += strcspn(at, "<&"); *at != '\0'; at += strcspn(at, "<&")) {
        if (*at == '&') {
            must(strncmp(at, "&amp;", 5) == 0 || strncmp(at, "&lt;", 4) == 0 ||
                 strncmp(at, "&gt;", 4) == 0 || strncmp(at, "&quot;", 6) == 0);
            at++;
            continue;
        }
        if (strncmp(at, "<style>", 7) == 0) {
            must(is_printable(from, (size_t)(at - from), "\n"));
            must(sheets++ == 0);
            depth++;
            at = from = behind_sheet(at);
            continue;
        }
        must(at[1] == '/' || (at[1] >= 'a' && at[1] <= 'z'));
        depth += at[1] == '/' ? -1 : 1;
        must(depth >= 0);
        at += strcspn(at, ">");
        must(*at == '>');
        depth -= at[-1] == '/';
    }
    must(depth == 0 && sheets == 1);
    must(is_printable(from, (size_t)(at - from), "\n"));
}

/* Everything drawn since the last rewind(); valid until the next. The file is
 * opened once: that costs more than to draw. */
static const char *printed(FILE *out, const char *bytes)
{
    long size = ftell(out);

    putc('\0', out); /* what the execution before has left goes on behind it */
    must(fflush(out) == 0 && size >= 0 && size < MOST_PRINTED - 1);
    must(strlen(bytes) == (size_t)size);
    rewind(out);
    return bytes;
}

static void check_output(const struct canvas *canvas, const char *title)
{
    static char bytes[MOST_PRINTED];
    static FILE *out;
    const char *text;

    if (out == NULL)
        out = fmemopen(bytes, sizeof bytes, "w");
    must(out != NULL);
    canvas_print(canvas, out);
    text = printed(out, bytes);
    must(is_printable(text, strlen(text), "\n"));
    canvas_svg(canvas, title, out);
    check_markup(printed(out, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct canvas canvas;
    int rows = 1 + input_u8(&input) % 8, columns = 1 + input_u8(&input) % 32;
    char title[32];
    struct input name;

    must(canvas_init(&canvas, rows, columns) == 0);
    canvas.ascii = input_u8(&input) & 1;
    name = input_part(&input, input_u8(&input) % sizeof title);
    memcpy(title, name.at, name.left);
    title[name.left] = '\0';
    for (int i = 0; i < MOST_DRAWN && input.left > 0; i++)
        draw(canvas_area(&canvas), &input);
    check_cells(&canvas);
    check_output(&canvas, title);
    canvas_fini(&canvas);
    return 0;
}
