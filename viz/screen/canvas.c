/*
 * The cells of a screen and everything that may be written into them. All
 * text passes put(): decoded as UTF-8 byte by byte, measured, clipped, and
 * with '.' in place of what a terminal would obey instead of show. So a view
 * may draw bytes from the wire without a thought.
 */
#include "viz/screen/canvas.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { TAB = 8 }; /* columns between tab stops, from where the text starts */

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

int canvas_init(struct canvas *canvas, int rows, int columns)
{
    *canvas = (struct canvas){0};
    if (rows < 1 || rows > CANVAS_MOST_ROWS || columns < 1 ||
        columns > CANVAS_MOST_COLUMNS) {
        errno = EINVAL;
        return -1;
    }
    canvas->cells = calloc((size_t)rows * (size_t)columns, sizeof(struct cell));
    if (!canvas->cells)
        return -1;
    canvas->rows = rows;
    canvas->columns = columns;
    canvas_clear(canvas);
    return 0;
}

void canvas_fini(struct canvas *canvas)
{
    free(canvas->cells);
    *canvas = (struct canvas){0};
}

void canvas_clear(struct canvas *canvas)
{
    size_t count = (size_t)canvas->rows * (size_t)canvas->columns;

    for (size_t i = 0; i < count; i++)
        canvas->cells[i] = (struct cell){' ', STYLE_PLAIN};
}

struct area canvas_area(struct canvas *canvas)
{
    return (struct area){canvas, 0, 0, canvas->rows, canvas->columns};
}

struct area area_part(struct area area, int row, int column, int rows,
                      int columns)
{
    int top = larger(0, smaller(row, area.rows));
    int left = larger(0, smaller(column, area.columns));
    /* In long long: row + rows may pass INT_MAX when the caller says "all". */
    long long bottom = (long long)row + larger(rows, 0);
    long long right = (long long)column + larger(columns, 0);

    if (bottom > area.rows)
        bottom = area.rows;
    if (right > area.columns)
        right = area.columns;
    return (struct area){area.canvas, area.row + top, area.column + left,
                         larger(0, (int)bottom - top),
                         larger(0, (int)right - left)};
}

/* --- code points ----------------------------------------------------------- */

uint32_t utf8_next(const char **text, size_t *left)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *byte = (const unsigned char *)*text;
    uint32_t code = byte[0];
    size_t more;

    if (code < 0x80)
        more = 0;
    else if (code >= 0xC2 && code < 0xE0)
        more = 1, code &= 0x1F;
    else if (code >= 0xE0 && code < 0xF0)
        more = 2, code &= 0x0F;
    else if (code >= 0xF0 && code < 0xF5)
        more = 3, code &= 0x07;
    else
        goto broken;
    if (more >= *left)
        goto broken;
    for (size_t i = 1; i <= more; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            goto broken;
        code = code << 6 | (byte[i] & 0x3F);
    }
    if (code < least[more] || code > 0x10FFFF ||
        (code >= 0xD800 && code <= 0xDFFF))
        goto broken;
    *text += more + 1;
    *left -= more + 1;
    return code;

broken:
    ++*text;
    --*left;
    return 0xFFFD;
}

/* What stands for a code point where only ASCII can be shown. */
static uint32_t ascii_for(uint32_t code)
{
    static const struct {
        uint32_t code;
        char ascii;
    } table[] = {
        {0xA0, ' '},    {0xB7, '.'},   {0xD7, 'x'},   {0x2010, '-'},
        {0x2011, '-'},  {0x2013, '-'}, {0x2014, '-'}, {0x2018, '\''},
        {0x2019, '\''}, {0x201C, '"'}, {0x201D, '"'}, {0x2022, '*'},
        {0x2026, '~'},  {0x2190, '<'}, {0x2191, '^'}, {0x2192, '>'},
        {0x2193, 'v'},  {0x2260, '!'}, {0x2264, '<'}, {0x2265, '>'},
        {0x2500, '-'},  {0x2501, '='}, {0x2503, '#'}, {0x2502, '|'},
        {0x2508, '-'},  {0x2550, '='}, {0x2573, 'X'}, {0x2551, '|'},
        {0x254C, '-'},  {0x2588, '#'}, {0x2591, '.'}, {0x2592, ':'},
        {0x2593, '#'},  {0x25B6, '>'}, {0x25B8, '>'}, {0x25BA, '>'},
        {0x25C0, '<'},  {0x25C4, '<'}, {0x25CB, 'o'}, {0x25CF, '*'},
        {0x2713, 'x'},  {0x2714, 'x'}, {0x2717, 'X'}, {0x25B2, '^'},
        {0x25BC, 'v'},  {0x221A, 'x'},
    };

    if (code < 0x80)
        return code;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].code == code)
            return (uint32_t)table[i].ascii;
    }
    if (code > 0x2580 && code < 0x2588) /* an eighth to seven of a block */
        return (uint32_t)("_.-=+*o"[code - 0x2581]);
    if (code >= 0x2500 && code < 0x2580) /* corners, tees, crossings */
        return '+';
    return '?';
}

/* What a code point becomes on this canvas, and how wide: 0 for a mark that
 * is left out. */
static uint32_t shown(const struct canvas *canvas, uint32_t code, int *width)
{
    *width = code_width(code);
    if (*width < 0 || code == 0xFFFD) {
        *width = 1;
        return '.';
    }
    if (canvas->ascii && code >= 0x80 && *width > 0) {
        *width = 1;
        return ascii_for(code);
    }
    return code;
}

/* --- cells ----------------------------------------------------------------- */

/* The cell at a place of the area, NULL outside it. */
static struct cell *cell_at(struct area area, int row, int column)
{
    if (row < 0 || row >= area.rows || column < 0 || column >= area.columns)
        return NULL;
    return &area.canvas->cells[(size_t)(area.row + row) *
                                   (size_t)area.canvas->columns +
                               (size_t)(area.column + column)];
}

/* A wide character that is half overwritten loses its other half too. */
static void part_from_neighbours(struct area area, int row, int column)
{
    struct canvas *canvas = area.canvas;
    int at = area.column + column;
    struct cell *cell = cell_at(area, row, column);

    if (cell->code == 0 && at > 0)
        cell[-1].code = ' ';
    if (cell->code != 0 && at + 1 < canvas->columns && cell[1].code == 0)
        cell[1].code = ' ';
}

static void put(struct area area, int row, int column, enum style style,
                uint32_t code, int width)
{
    struct cell *cell = cell_at(area, row, column);

    if (!cell)
        return;
    part_from_neighbours(area, row, column);
    if (width == 2) {
        if (column + 1 >= area.columns) {
            code = '.'; /* no room for its right half */
        } else {
            part_from_neighbours(area, row, column + 1);
            cell[1] = (struct cell){0, (uint8_t)style};
        }
    }
    *cell = (struct cell){code, (uint8_t)style};
}

/* --- text ------------------------------------------------------------------ */

int area_textn(struct area area, int row, int column, enum style style,
               const char *bytes, size_t length)
{
    int at = column;

    while (length > 0 && at < area.columns) {
        int width;
        uint32_t code = shown(area.canvas, utf8_next(&bytes, &length), &width);

        if (code == '.' && bytes[-1] == '\t') {
            int stop = at + TAB - (at - column) % TAB;

            while (at < stop && at < area.columns)
                put(area, row, at++, style, ' ', 1);
            continue;
        }
        if (width == 0)
            continue;
        put(area, row, at, style, code, width);
        at += width;
    }
    return smaller(at, larger(area.columns, column)) - column;
}

int area_text(struct area area, int row, int column, enum style style,
              const char *text)
{
    return area_textn(area, row, column, style, text, strlen(text));
}

int area_printf(struct area area, int row, int column, enum style style,
                const char *format, ...)
{
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return area_text(area, row, column, style, text);
}

int text_width(const char *text)
{
    size_t length = strlen(text);
    int total = 0;

    while (length > 0) {
        uint32_t code = utf8_next(&text, &length);
        int width = code_width(code);

        if (code == '\t')
            width = TAB - total % TAB;
        total += width < 0 ? 1 : width;
    }
    return total;
}

/* How many bytes of `text` fill one row of `columns`: up to the last space
 * that fits, or as many characters as fit (at least one) in a longer word.
 * *skip: bytes of the space or newline after it. */
static size_t wrap_row(const struct canvas *canvas, const char *text,
                       int columns, size_t *skip)
{
    const char *at = text, *space = NULL;
    size_t left = strlen(text);
    int used = 0;

    *skip = 0;
    while (left > 0) {
        const char *here = at;
        int width;

        if (*at == '\n') {
            *skip = 1;
            return (size_t)(at - text);
        }
        if (*at == ' ')
            space = at;
        shown(canvas, utf8_next(&at, &left), &width);
        used += width;
        if (used <= columns)
            continue;
        if (space) {
            *skip = 1;
            return (size_t)(space - text);
        }
        return (size_t)((here > text ? here : at) - text);
    }
    return (size_t)(at - text);
}

int area_wrap(struct area area, int row, int column, enum style style,
              const char *text)
{
    int rows = 0, columns = larger(1, area.columns - column);

    while (*text) {
        size_t skip, length = wrap_row(area.canvas, text, columns, &skip);

        area_textn(area, row + rows, column, style, text, length);
        rows++;
        text += length + skip;
    }
    return rows;
}

/* --- shapes ---------------------------------------------------------------- */

void area_fill(struct area area, int row, int column, int columns,
               enum style style, uint32_t code)
{
    int width;
    long long end = (long long)column + columns;

    code = shown(area.canvas, code, &width);
    if (width != 1)
        code = ' ';
    if (end > area.columns)
        end = area.columns;
    for (int at = larger(column, 0); at < end; at++)
        put(area, row, at, style, code, 1);
}

void area_style(struct area area, int row, int column, int columns,
                enum style style)
{
    long long end = (long long)column + columns;

    if (end > area.columns)
        end = area.columns;
    for (int at = larger(column, 0); at < end; at++) {
        struct cell *cell = cell_at(area, row, at);

        if (cell)
            cell->style = (uint8_t)style;
    }
}

void area_box(struct area area, const char *title)
{
    int right = area.columns - 1, bottom = area.rows - 1;

    if (area.rows < 2 || area.columns < 2)
        return;
    area_fill(area, 0, 0, area.columns, STYLE_DIM, 0x2500);
    area_fill(area, bottom, 0, area.columns, STYLE_DIM, 0x2500);
    for (int row = 1; row < bottom; row++) {
        area_fill(area, row, 0, 1, STYLE_DIM, 0x2502);
        area_fill(area, row, right, 1, STYLE_DIM, 0x2502);
    }
    area_fill(area, 0, 0, 1, STYLE_DIM, 0x250C);
    area_fill(area, 0, right, 1, STYLE_DIM, 0x2510);
    area_fill(area, bottom, 0, 1, STYLE_DIM, 0x2514);
    area_fill(area, bottom, right, 1, STYLE_DIM, 0x2518);
    if (title && *title && area.columns > 6) {
        struct area top = area_part(area, 0, 2, 1, area.columns - 4);
        int used = area_text(top, 0, 1, STYLE_STRONG, title);

        area_fill(top, 0, 0, 1, STYLE_PLAIN, ' ');
        area_fill(top, 0, used + 1, 1, STYLE_PLAIN, ' ');
    }
}
