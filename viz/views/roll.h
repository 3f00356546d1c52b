/*
 * The ladder on paper, which is as long as it has to be: row under row into a
 * file, or down one picture. What the lessons print, viz --text and all exports
 * come from here, so that they show the same as the screen: pauses, and the
 * programs' calls where they returned.
 */
#ifndef VIZ_VIEWS_ROLL_H
#define VIZ_VIEWS_ROLL_H

#include <stdio.h>

#include "viz/views/ladder.h"

struct roll {
    FILE *out; /* borrowed; NULL: a picture, all of it on the canvas */
    struct canvas canvas;
    int rows;           /* of the picture, so far */
    uint64_t left_out;  /* packets that had no place in it */
    int64_t start_ns;   /* that times count from: the store's first packet */
    int64_t newest_ns;  /* of the last row; 0: there is none */
    int64_t calls_from; /* those that returned before are not shown */
};

/* So many columns wide; `out` NULL: a picture, at most CANVAS_MOST_ROWS high.
 * -1 with errno ENOMEM. */
int roll_init(struct roll *roll, FILE *out, int columns, bool ascii);
void roll_fini(struct roll *roll);

void roll_header(struct roll *roll, const struct flow *flow,
                 const struct store *store);
/* A packet, after `previous` of the same ladder (or NULL); before it, and
 * before a call, a pause that was long. */
void roll_packet(struct roll *roll, const struct store_row *packet,
                 const struct store_row *previous);
void roll_call(struct roll *roll, const struct call_run *call);
/* The store's calls that returned before `until_ns` and have not been shown;
 * of more than `most` only the newest, and how many there were. */
void roll_calls(struct roll *roll, const struct store *store,
                struct choice choice, int64_t until_ns, int most);
/* A last row in words. */
void roll_words(struct roll *roll, const char *words);

#endif
