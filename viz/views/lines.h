/*
 * Which rows of the store stand in a window of the ladder: packets of one flow
 * or of all, with a line of its own for each long pause.
 */
#ifndef VIZ_VIEWS_LINES_H
#define VIZ_VIEWS_LINES_H

#include "viz/views/ladder.h"

struct ladder_line {
    const struct store_row *packet;   /* NULL: a call before any packet */
    const struct store_row *previous; /* of the same ladder, NULL: the first */
    const struct store_row *last;     /* `packet`, or the last of a fold */
    int folded;                       /* packets that this line stands for */
    bool gap;                         /* no packet, but something near it: */
    int64_t span_ns;                  /* a pause, so long, or: */
    struct call_run calls;            /* a call, or some */
    bool lost;                        /* `packet` did not arrive */
};

struct ladder_lines {
    int count;
    struct ladder_line line[CANVAS_MOST_ROWS];
};

/* The place in the store of the nearest chosen row at `from` or
 * before it, after it; store_rows() when there is none. */
size_t lines_before(const struct store *store, struct choice choice,
                    size_t from);
size_t lines_after(const struct store *store, struct choice choice,
                   size_t from);

/* The first and the last place of the line on which place `n` stands: `n`, but
 * for a fold. */
size_t lines_first(const struct store *store, struct choice choice, size_t n);
size_t lines_last(const struct store *store, struct choice choice, size_t n);

/* The last `rows` lines down to place `last`; or the first from place
 * `first` on. */
void lines_up(struct ladder_lines *lines, const struct store *store,
              struct choice choice, size_t last, int rows);
void lines_down(struct ladder_lines *lines, const struct store *store,
                struct choice choice, size_t first, int rows);

/* Draw them from the top of the area. */
void lines_draw(const struct ladder_lines *lines, struct area area,
                int64_t start_ns);

#endif
