/*
 * A canvas as SVG: text stays text (it can be selected, searched and read
 * aloud), each run of one style set on its columns whatever the font's width
 * is. Colours follow the reader's light or dark scheme, and only whole numbers
 * are written, so the same canvas gives the same bytes.
 */
#include "viz/screen/canvas.h"

#include <string.h>

enum {
    CELL_WIDTH = 9, /* of a monospace font of 15 px */
    CELL_HEIGHT = 17,
    BASELINE = 13, /* below a row's top */
    MARGIN = 9
};

static const char sheet[] =
    "text{font:15px 'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',"
    "monospace;white-space:pre;fill:#1f2328}\n"
    ".back{fill:#fff}.barred{fill:#0b4f79}.cursor{fill:#d4e4f2}\n"
    "text.d{fill:#656d76}text.s{font-weight:bold}"
    "text.k{fill:#0a6b6b;font-weight:bold}text.c{fill:#0550ae}"
    "text.v{fill:#8250df}text.g{fill:#1a7f37}"
    "text.w{fill:#8a5a00;font-weight:bold}"
    "text.b{fill:#cf222e;font-weight:bold}text.r{fill:#fff}\n"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}"
    ".back{fill:#0d1117}.cursor{fill:#2d3f55}"
    "text.d{fill:#8d96a0}text.k{fill:#56d4dd}text.c{fill:#79c0ff}"
    "text.v{fill:#d2a8ff}text.g{fill:#56d364}text.w{fill:#e3b341}"
    "text.b{fill:#ff7b72}}\n";

/* The class of a style's text, and of the bar behind it. */
static const struct {
    const char *text, *behind;
} looks[STYLES] = {
    [STYLE_PLAIN] = {NULL, NULL},      [STYLE_DIM] = {"d", NULL},
    [STYLE_STRONG] = {"s", NULL},      [STYLE_KEY] = {"k", NULL},
    [STYLE_CLIENT] = {"c", NULL},      [STYLE_SERVER] = {"v", NULL},
    [STYLE_GOOD] = {"g", NULL},        [STYLE_WARN] = {"w", NULL},
    [STYLE_BAD] = {"b", NULL},         [STYLE_BAR] = {"r", "barred"},
    [STYLE_CURSOR] = {NULL, "cursor"},
};

static void escaped(uint32_t code, FILE *out)
{
    switch (code) {
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '&':
        fputs("&amp;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    default:
        code_print(code, out);
    }
}

/* Text from outside the canvas, made as safe as what is in it. */
static void escaped_text(const char *text, FILE *out)
{
    size_t left = strlen(text);

    while (left > 0) {
        uint32_t code = utf8_next(&text, &left);

        if (code_width(code) >= 0 && code != 0xFFFD)
            escaped(code, out);
    }
}

/* Columns [from, to) of a row, all of one style. */
static void run(const struct cell *row, int from, int to, int top, FILE *out)
{
    const char *behind = looks[row[from].style].behind;
    const char *name = looks[row[from].style].text;

    if (behind)
        fprintf(out,
                "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" "
                "height=\"%d\"/>\n",
                behind, MARGIN + from * CELL_WIDTH, top,
                (to - from) * CELL_WIDTH, CELL_HEIGHT);
    while (to > from && row[to - 1].code == ' ')
        to--;
    while (from < to && row[from].code == ' ')
        from++;
    if (from == to)
        return;
    fputs("<text", out);
    if (name)
        fprintf(out, " class=\"%s\"", name);
    fprintf(out, " x=\"%d\" y=\"%d\" textLength=\"%d\" xml:space=\"preserve\">",
            MARGIN + from * CELL_WIDTH, top + BASELINE,
            (to - from) * CELL_WIDTH);
    for (; from < to; from++)
        if (row[from].code != 0) /* the right half of a wide one */
            escaped(row[from].code, out);
    fputs("</text>\n", out);
}

static void print_row(const struct cell *row, int columns, int top, FILE *out)
{
    int from = 0;

    for (int column = 1; column <= columns; column++) {
        if (column < columns && row[column].style == row[from].style)
            continue;
        run(row, from, column, top, out);
        from = column;
    }
}

void canvas_svg(const struct canvas *canvas, const char *title, FILE *out)
{
    int width = canvas->columns * CELL_WIDTH + 2 * MARGIN;
    int height = canvas->rows * CELL_HEIGHT + 2 * MARGIN;

    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
            "height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n<title>",
            width, height, width, height);
    escaped_text(title, out);
    fprintf(out,
            "</title>\n<style>\n%s</style>\n<rect class=\"back\" "
            "width=\"%d\" height=\"%d\" rx=\"6\"/>\n",
            sheet, width, height);
    for (int row = 0; row < canvas->rows; row++)
        print_row(canvas->cells + (size_t)row * (size_t)canvas->columns,
                  canvas->columns, MARGIN + row * CELL_HEIGHT, out);
    fputs("</svg>\n", out);
}
