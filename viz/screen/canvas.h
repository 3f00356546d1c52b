/*
 * A picture made of cells, in memory. Views draw here and nowhere else; a
 * canvas then goes to curses, to text, to SVG. Whatever is drawn is made safe
 * first: no control byte, no escape sequence, no half character reaches it.
 */
#ifndef VIZ_SCREEN_CANVAS_H
#define VIZ_SCREEN_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Colours carry meaning, never alone: a letter or a word says the same. */
enum style {
    STYLE_PLAIN,
    STYLE_DIM,    /* time, hints, what is past */
    STYLE_STRONG, /* headings, the selected state */
    STYLE_KEY,    /* what to type or press */
    STYLE_CLIENT, /* the client's end and its packets */
    STYLE_SERVER, /* the server's */
    STYLE_GOOD,   /* a tick, ESTABLISHED */
    STYLE_WARN,   /* waits, retransmissions, assumed */
    STYLE_BAD,    /* resets, refusals, broken promises */
    STYLE_BAR,    /* the title and key bars */
    STYLE_CURSOR, /* the selected row */
    STYLES
};

struct cell {
    uint32_t
        code; /* a printable Unicode code point; 0: right half of a wide one */
    uint8_t style;
};

struct canvas {
    int rows, columns;
    bool ascii; /* draw arrows and lines in ASCII */
    struct cell *cells;
};

/* A part of a canvas; views get one and draw inside it only. */
struct area {
    struct canvas *canvas;
    int row, column, rows, columns;
};

enum { CANVAS_MOST_ROWS = 1000, CANVAS_MOST_COLUMNS = 1000 };

/* 0, or -1 with errno (EINVAL: not 1..1000 each way, ENOMEM). */
int canvas_init(struct canvas *canvas, int rows, int columns);
void canvas_fini(struct canvas *canvas);
void canvas_clear(struct canvas *canvas);

struct area canvas_area(struct canvas *canvas);
/* Inside `area`, cut to it: may become empty, which is no error. */
struct area area_part(struct area area, int row, int column, int rows,
                      int columns);

/* UTF-8 text at a place of the area, cut at its right edge; returns the
 * columns used. Bytes that are no printable character become '.'. */
int area_text(struct area area, int row, int column, enum style style,
              const char *text);
int area_textn(struct area area, int row, int column, enum style style,
               const char *bytes, size_t length);
int area_printf(struct area area, int row, int column, enum style style,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Prose wrapped at spaces within columns [column, end of area); returns the
 * rows used, drawn or not (so that it also measures: rows below the area are
 * not drawn). */
int area_wrap(struct area area, int row, int column, enum style style,
              const char *text);
void area_fill(struct area area, int row, int column, int columns,
               enum style style, uint32_t code);
void area_style(struct area area, int row, int column, int columns,
                enum style style); /* change the style of what is drawn */
void area_box(struct area area, const char *title);

/* Columns that a code point takes (0 combining, 1, 2; -1: never drawn: control,
 * bidi, zero width, private), by wcwidth's rules but from a table of ours, so
 * that output does not depend on the locale. */
int code_width(uint32_t code);
/* Columns that area_text() would use if there were no edge. */
int text_width(const char *text);
/* The next code point of UTF-8 at *text (length *left): moves on; a broken
 * byte gives 0xFFFD and moves one. */
uint32_t utf8_next(const char **text, size_t *left);

/* A code point as UTF-8. */
void code_print(uint32_t code, FILE *out);
/* The canvas as lines of UTF-8 without trailing spaces. */
void canvas_print(const struct canvas *canvas, FILE *out);
/* The canvas as an SVG document; `title` is what a screen reader says of it. */
void canvas_svg(const struct canvas *canvas, const char *title, FILE *out);

#endif
