/*
 * What was said on one connection, as rows: who, when, and the text line by
 * line. What a terminal would obey, and what is no text, is written \r, \x1B;
 * a backslash is \\. A line that one end left open, without a newline, says so.
 */
#ifndef VIZ_VIEWS_TALK_H
#define VIZ_VIEWS_TALK_H

#include "viz/events/stream.h"
#include "viz/screen/canvas.h"

enum { TALK_LINE = 1024, TALK_TEXT = 512, TALK_LEAST = 40 };

struct talk_row {
    enum flow_side from;
    int64_t time_ns;
    bool goes_on; /* by the same end at the same time as the row above */
    bool note;    /* not what was said, but what became of it */
    bool open;    /* its line has no newline */
    char text[TALK_TEXT];
};

typedef void talk_row_fn(void *self, const struct talk_row *row);

struct talk {
    talk_row_fn *row;
    void *self;
    int columns;    /* of the text of a row */
    bool datagrams; /* each piece ends its line */
    enum flow_side from;
    int64_t time_ns; /* of the first byte of the line */
    bool goes_on;    /* the line has rows already */
    bool any;        /* rows were given: the last one was by, and at: */
    enum flow_side last_from;
    int64_t last_ns;
    size_t length;
    uint8_t line[TALK_LINE];
};

/* Rows for an area so many columns wide (TALK_LEAST at least, else as if). */
void talk_init(struct talk *talk, int columns, bool datagrams, talk_row_fn *row,
               void *self);
void talk_piece(void *talk, const struct piece *piece); /* piece_fn */
/* The line that is open. */
void talk_end(struct talk *talk);

void talk_draw(struct area area, int row, const struct talk_row *what,
               int64_t start_ns);

#endif
