/*
 * The inside of struct expect, shared by expect.c, which takes the lines in
 * their order, lines.c, which knows what fact each waits for, and reason.c,
 * which says why one is not true yet. Nobody else includes this.
 */
#ifndef VIZ_EVENTS_LINES_H
#define VIZ_EVENTS_LINES_H

#include "viz/events/expect.h"
#include "viz/events/fact_log.h"
#include "viz/events/observed.h"
#include "viz/events/term.h"

/* How much of a line's text stands at the end of one connection's stream. */
struct partial {
    uint32_t flow;
    uint16_t matched;
};

struct line {
    char *text; /* as it is shown: expect_line() */
    char *path; /* `listen unix`; else NULL */
    struct term term;
    enum expect_status status; /* a `not` line: BROKEN or still WAITING */
    uint32_t seen;             /* of the `times` that it wants */
    struct partial *partials;  /* by flow, ascending; none is 0 */
    size_t partial_count, partial_room;
    uint16_t *failure; /* Knuth-Morris-Pratt's, of term.text */
};

struct expect {
    struct line *lines;
    size_t count;
    /* Lines [first, next) are the `not` lines in force, next is the line that
     * is awaited; next == count: no positive line is left. */
    size_t first, next;
    bool opened;
    bool looked_back; /* the lines in force have been shown the log */
    struct observed observed;
    struct fact_log log;
    uint64_t number;            /* of the newest fact */
    uint64_t consumed[SOURCES]; /* facts up to here belong to lines before */
    char reason[320];
};

/* Make ready what its search needs; 0, or -1 with errno ENOMEM. */
int line_prepare(struct line *line);
/* Whether the fact is of the kind that line n is about. */
bool expect_concerns(const struct expect *expect, size_t n,
                     const struct fact *fact);
/* A fact that concerns the line: whether the line is true with it. */
bool line_fulfils(struct line *line, const struct fact *fact);

/* The port that a `waits` line is about: its own, or that of the nearest line
 * above, else below; 0 when no line has one. */
uint16_t expect_waits_port(const struct expect *expect, size_t n);

#endif
