/*
 * A terminal that nobody looks at: takes what a program writes to its pty and
 * keeps what it would show, as far as ncurses with TERM=xterm goes. So a
 * benchmark can read the screen, and count pictures: ncurses draws each from
 * the top down, so the cursor goes up only when the next one begins.
 */
#ifndef TESTS_BENCH_VIZ_TERMINAL_H
#define TESTS_BENCH_VIZ_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROWS = 24, COLUMNS = 80, PARAMETERS = 4 };

struct terminal {
    char cells[ROWS][COLUMNS + 1]; /* ASCII; '#' for all else */
    int row, column;
    int drawn_row;     /* where this picture was drawn last */
    uint64_t pictures; /* begun */
    uint64_t bytes;
    enum { TEXT, ESCAPE, PARAMETER, SKIP_ONE } state;
    unsigned parameters[PARAMETERS];
    int parameter_count;
    bool private; /* ESC [ ? */
};

void terminal_init(struct terminal *terminal);
void terminal_take(struct terminal *terminal, const uint8_t *bytes,
                   size_t length);
/* Whether some row holds this text. */
bool terminal_shows(const struct terminal *terminal, const char *text);
/* The number that stands before `word` on the first row that has both, 0
 * without one. */
uint64_t terminal_number(const struct terminal *terminal, const char *word);

#endif
