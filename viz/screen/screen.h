/*
 * The terminal, through ncursesw, which no other file includes: keys in, a
 * canvas out. Survives resizing, a hang-up, NO_COLOR and poor terminals; gives
 * the terminal back as it was on every way out.
 */
#ifndef VIZ_SCREEN_SCREEN_H
#define VIZ_SCREEN_SCREEN_H

#include "viz/screen/canvas.h"

/* Keys beyond ASCII. A printable key is its own code point. */
enum input {
    INPUT_NONE = 0,
    INPUT_TAB = 9,
    INPUT_ENTER = 13,
    INPUT_ESCAPE = 27,
    INPUT_BACKSPACE = 127,
    INPUT_UP = 0x110000, /* above every code point */
    INPUT_DOWN,
    INPUT_LEFT,
    INPUT_RIGHT,
    INPUT_PAGE_UP,
    INPUT_PAGE_DOWN,
    INPUT_HOME,
    INPUT_END,
    INPUT_RESIZED,
    INPUT_HUNG_UP, /* the terminal is gone: leave */
    INPUT_WHEEL_UP,
    INPUT_WHEEL_DOWN,
    /* + row * CANVAS_MOST_COLUMNS + column, both from 0: clicked there */
    INPUT_CLICK = 0x200000
};

struct screen;

/* Whether the user's locale has no UTF-8: for canvas.ascii (nl_langinfo(3)). */
bool screen_ascii(void);

/* NULL with errno: ENOTTY when stdout or stdin is no terminal, ENXIO when
 * TERM is unknown to this machine. */
struct screen *screen_open(void);
void screen_close(struct screen *screen);
/* Ask the terminal for wheel and clicks, where it has a mouse. Selecting text
 * then needs Shift in most terminals. */
void screen_mouse(struct screen *screen);
void screen_size(struct screen *screen, int *rows, int *columns);
/* An enum input or code point that waits, else INPUT_NONE; never blocks:
 * poll(2) standard input. A request to end (SIGINT, SIGTERM, SIGHUP) comes as
 * INPUT_HUNG_UP, a resize as INPUT_RESIZED. Signals interrupt poll(2); so that
 * one that came just before it is not missed, poll for SCREEN_PATIENCE_MS at
 * most. */
enum { SCREEN_PATIENCE_MS = 250 };
int screen_key(struct screen *screen);

/* Show it: only what changed is sent. */
void screen_show(struct screen *screen, const struct canvas *canvas);

#endif
