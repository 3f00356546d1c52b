/* See viz_terminal.h; sequences by ECMA-48 and xterm's ctlseqs. */
#include "tests/bench/viz_terminal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void terminal_init(struct terminal *terminal)
{
    memset(terminal, 0, sizeof *terminal);
    for (int row = 0; row < ROWS; row++)
        memset(terminal->cells[row], ' ', COLUMNS);
}

static int clamp(int value, int most)
{
    return value < 0 ? 0 : value < most ? value : most - 1;
}

static void blank(struct terminal *terminal, int row, int from, int to)
{
    if (from < to)
        memset(&terminal->cells[row][from], ' ', (size_t)(to - from));
}

/* Something changes at the cursor: is it a new picture? */
static void draw_here(struct terminal *terminal)
{
    if (terminal->pictures == 0 || terminal->row < terminal->drawn_row)
        terminal->pictures++;
    terminal->drawn_row = terminal->row;
}

static void put(struct terminal *terminal, char character)
{
    draw_here(terminal);
    if (terminal->column >= COLUMNS) /* the last column keeps the cursor */
        terminal->column = COLUMNS - 1;
    terminal->cells[terminal->row][terminal->column++] = character;
}

static int parameter(const struct terminal *terminal, int n, int without)
{
    if (n >= terminal->parameter_count || terminal->parameters[n] == 0)
        return without;
    return (int)terminal->parameters[n];
}

/* Insert (count above 0) or delete characters at the cursor. */
static void shift(struct terminal *terminal, int count)
{
    char *row = terminal->cells[terminal->row];
    int at = terminal->column, n = clamp(abs(count), COLUMNS - at + 1);
    size_t rest = (size_t)(COLUMNS - at - n);

    draw_here(terminal);
    if (count > 0) {
        memmove(row + at + n, row + at, rest);
        blank(terminal, terminal->row, at, at + n);
    } else {
        memmove(row + at, row + at + n, rest);
        blank(terminal, terminal->row, COLUMNS - n, COLUMNS);
    }
}

static void erase_screen(struct terminal *terminal, int which)
{
    int first = which == 2 ? 0 : terminal->row + 1;

    for (int row = first; row < ROWS; row++)
        blank(terminal, row, 0, COLUMNS);
    if (which != 2)
        blank(terminal, terminal->row, terminal->column, COLUMNS);
}

static void repeat_last(struct terminal *terminal, int count)
{
    char last =
        terminal->cells[terminal->row][clamp(terminal->column - 1, COLUMNS)];

    while (count-- > 0)
        put(terminal, last);
}

static void move(struct terminal *terminal, int row, int column)
{
    terminal->row = clamp(row, ROWS);
    terminal->column = clamp(column, COLUMNS);
}

/* ESC [ ... `final` */
static void control(struct terminal *terminal, char final)
{
    int n = parameter(terminal, 0, 1);
    int row = terminal->row, column = terminal->column;

    if (terminal->private)
        return;
    switch (final) {
    case 'A':
        move(terminal, row - n, column);
        break;
    case 'B':
        move(terminal, row + n, column);
        break;
    case 'C':
        move(terminal, row, column + n);
        break;
    case 'D':
        move(terminal, row, column - n);
        break;
    case 'G':
        move(terminal, row, n - 1);
        break;
    case 'd':
        move(terminal, n - 1, column);
        break;
    case 'H':
        move(terminal, n - 1, parameter(terminal, 1, 1) - 1);
        break;
    case 'J':
        draw_here(terminal);
        erase_screen(terminal, parameter(terminal, 0, 0));
        break;
    case 'K':
        draw_here(terminal);
        if (parameter(terminal, 0, 0) == 1)
            blank(terminal, row, 0, column + 1);
        else
            blank(terminal, row, column, COLUMNS);
        break;
    case 'X':
        draw_here(terminal);
        blank(terminal, row, column, clamp(column + n, COLUMNS + 1));
        break;
    case '@':
        shift(terminal, n);
        break;
    case 'P':
        shift(terminal, -n);
        break;
    case 'b':
        repeat_last(terminal, n);
        break;
    }
}

static void take_text(struct terminal *terminal, uint8_t byte)
{
    switch (byte) {
    case '\033':
        terminal->state = ESCAPE;
        break;
    case '\r':
        terminal->column = 0;
        break;
    case '\n':
        terminal->row = clamp(terminal->row + 1, ROWS);
        break;
    case '\b':
        terminal->column = clamp(terminal->column - 1, COLUMNS);
        break;
    case '\t':
        terminal->column = clamp((terminal->column / 8 + 1) * 8, COLUMNS);
        break;
    default:
        if (byte >= ' ' && byte < 0x7f)
            put(terminal, (char)byte);
        else if (byte >= 0xc0) /* the first of a character in UTF-8 */
            put(terminal, '#');
    }
}

static void take_escape(struct terminal *terminal, uint8_t byte)
{
    terminal->state = byte == '['                    ? PARAMETER
                      : strchr("()*+", byte) != NULL ? SKIP_ONE
                                                     : TEXT;
    terminal->parameter_count = 1;
    memset(terminal->parameters, 0, sizeof terminal->parameters);
    terminal->private = false;
    if (byte == 'M') /* reverse index */
        terminal->row = clamp(terminal->row - 1, ROWS);
}

static void take_parameter(struct terminal *terminal, uint8_t byte)
{
    unsigned *last = &terminal->parameters[terminal->parameter_count - 1];

    if (isdigit(byte)) {
        *last = *last % 10000 * 10 + (byte - '0');
    } else if (byte == ';') {
        if (terminal->parameter_count < PARAMETERS)
            terminal->parameter_count++;
    } else if (byte >= 0x40) {
        control(terminal, (char)byte);
        terminal->state = TEXT;
    } else {
        terminal->private = true;
    }
}

void terminal_take(struct terminal *terminal, const uint8_t *bytes,
                   size_t length)
{
    terminal->bytes += length;
    for (size_t i = 0; i < length; i++) {
        switch (terminal->state) {
        case TEXT:
            take_text(terminal, bytes[i]);
            break;
        case ESCAPE:
            take_escape(terminal, bytes[i]);
            break;
        case PARAMETER:
            take_parameter(terminal, bytes[i]);
            break;
        case SKIP_ONE:
            terminal->state = TEXT;
            break;
        }
    }
}

bool terminal_shows(const struct terminal *terminal, const char *text)
{
    for (int row = 0; row < ROWS; row++)
        if (strstr(terminal->cells[row], text) != NULL)
            return true;
    return false;
}

uint64_t terminal_number(const struct terminal *terminal, const char *word)
{
    for (int row = 0; row < ROWS; row++) {
        const char *cells = terminal->cells[row], *at = strstr(cells, word);

        if (at == NULL)
            continue;
        while (at > cells && !isdigit((unsigned char)at[-1]))
            at--;
        while (at > cells && isdigit((unsigned char)at[-1]))
            at--;
        return strtoull(at, NULL, 10);
    }
    return 0;
}
