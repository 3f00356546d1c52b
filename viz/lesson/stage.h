/*
 * The terminals of play mode: opened through the keeper, typed into as a
 * person would, line by line. Nothing is typed before it can be read: a
 * command waits for the prompt, input until the program reads, a key until
 * the program is in a call. No pause decides anything.
 */
#ifndef VIZ_LESSON_STAGE_H
#define VIZ_LESSON_STAGE_H

#include "viz/lab/terminal.h"
#include "viz/lesson/feed.h"

enum { STAGE_TERMINALS = 3, STAGE_SHOWN = 8, STAGE_SHOWN_LINE = 160 };

struct stage_terminal {
    int fd; /* the pty's master, -1: not open */
    struct terminal parser;
    pid_t shell;              /* bash's process group */
    unsigned commands;        /* how many were started, */
    unsigned commands_before; /* and when the last one was typed */
    char shown[STAGE_SHOWN][STAGE_SHOWN_LINE]; /* the last lines, a ring */
    unsigned shown_count;
};

struct stage {
    struct feed *feed; /* the caller's */
    struct stage_terminal terminals[STAGE_TERMINALS];
    double slowness; /* by how much a busy machine stretches each patience */
    char why[320];   /* after a failure: what could not be done */
};

/* Patience for what a person would see at once, in seconds. */
enum { STAGE_PATIENCE = 10 };

void stage_init(struct stage *stage, struct feed *feed);
void stage_fini(struct stage *stage); /* closes the ptys */

/* Poll everything once, for at most `ms` milliseconds, and take what came. -1
 * with errno, or with EIO and the capture's words in stage->why. */
int stage_turn(struct stage *stage, int ms);

/* Type one line of a terminal block; `make shell` opens the terminal. 0; or -1
 * with stage->why: what was waited for. */
int stage_type(struct stage *stage, char letter, const struct typed *typed);

/* Whether all that was written to a pty's master has been read by now. */
bool stage_input_taken(int master);

/* What the terminal showed last, oldest first; NULL past the end. */
const char *stage_shown(const struct stage *stage, char letter, unsigned n);

/* A deadline so many seconds away, as long as this machine needs them. */
int64_t stage_deadline(const struct stage *stage, double seconds);

#endif
