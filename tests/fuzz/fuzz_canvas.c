/*
 * Any bytes drawn anywhere: the last gate between the wire and the reader's
 * terminal. Promises: every cell is printable, no character is half, nothing
 * leaves its area, and text and SVG hold no byte that a terminal or a browser
 * would obey.
 *
 *   rows, columns, bit 0: ASCII?, bit 7: texts are a character a byte, the
 *   title, then what to draw: what, where, how long, the bytes
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "viz/screen/canvas.h"

enum { MOST_DRAWN = 64, MOST_PRINTED = 1 << 17 };

/* As a byte each: what a text may hold that is more, or less, than a letter. */
static size_t known_text(struct input part, char *text, size_t room)
{
    static const char *const texts[] = {
        "a",
        " ",
        "word",
        "\xe6\xbc\xa2", /* two columns */
        "\xef\xbc\xa1",
        "\xf0\x9f\x98\x80",
        "\xcc\x81", /* none: combining */
        "\xe2\x80\x8d",
        "\xef\xb8\x8f",
        "\xe1\x84\x80\xe1\x85\xa0\xe1\x86\xa8",
        "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa",
        "\xc2\xa0",
        "\xe3\x80\x80",
        "\xc2\xad", /* soft hyphen */
        "\xe2\x80\xae",
        "\xe2\x80\xa8",
        "\xef\xbb\xbf",
        "\xe2\x94\x80", /* lines and arrows */
        "\xe2\x96\xb6",
        "\xe2\x86\x92",
        "\xe2\x9c\x93",
        "\xee\x80\x80", /* private */
        "\xef\xbf\xbf",
        "\xf4\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", /* broken */
        "\xed\xa0\x80",
        "\xc0\x80",
        "\xe6\xbc",
        "\xc2",
        "\x80",
        "\xff",
        "\x1b[31m",
        "\xc2\x9b",
        "\x7f",
        "\t",
        "\n",
        "\r",
        "&",
        "<",
        ">",
        "\"",
        "'",
        "</text>",
        "]]>",
        "&lt;",
        "`",
        "**",
    };
    size_t length = 0;

    while (part.left > 0) {
        const char *one =
            texts[input_u8(&part) % (sizeof texts / sizeof *texts)];
        size_t size = strlen(one);

        if (size >= room - length)
            break;
        memcpy(text + length, one, size);
        length += size;
    }
    text[length] = '\0';
    return length;
}

static size_t plain_text(struct input part, char *text)
{
    memcpy(text, part.at, part.left);
    text[part.left] = '\0';
    return part.left;
}

static void draw(struct area area, struct input *input, bool known)
{
    uint8_t what = input_u8(input);
    int row = (int8_t)input_u8(input), column = (int8_t)input_u8(input);
    enum style style = input_u8(input) % STYLES;
    struct input part = input_part(input, input_u8(input));
    char text[256], *exact;
    size_t length = known ? known_text(part, text, sizeof text)
                          : plain_text(part, text);

    if (what & 8)
        area = area_part(area, row / 2, column / 2, 3, 9);
    switch (what % 7) {
    case 0:
        must(area_text(area, row, column, style, text) >= 0 || column < 0 ||
             column > area.columns);
        break;
    case 1:
        exact = malloc(length + 1); /* so that a byte too many is seen */
        must(exact != NULL);
        memcpy(exact, text, length);
        area_textn(area, row, column, style, exact, length);
        free(exact);
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
    uint8_t how;

    must(canvas_init(&canvas, rows, columns) == 0);
    how = input_u8(&input);
    canvas.ascii = how & 1;
    name = input_part(&input, input_u8(&input) % sizeof title);
    if (how & 128)
        known_text(name, title, sizeof title);
    else
        plain_text(name, title);
    for (int i = 0; i < MOST_DRAWN && input.left > 0; i++)
        draw(canvas_area(&canvas), &input, how & 128);
    check_cells(&canvas);
    check_output(&canvas, title);
    canvas_fini(&canvas);
    return 0;
}
