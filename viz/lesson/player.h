/*
 * Where a student is in a lesson: which step is open, which of its lines have
 * come true, what was predicted. Events and choices in, state out; the screen
 * (views/lesson.c), text mode and play mode all show this. No clock, no I/O
 * but the progress file.
 *
 * A step is what lies between two stops: prose and code, then at most one
 * predict block, or a terminal block with its observe block; a heading of
 * level 1 or 2 begins one, too. The student goes on with a key; a step with an
 * observe block is finished when all its lines have come true (or is skipped,
 * and says so).
 */
#ifndef VIZ_LESSON_PLAYER_H
#define VIZ_LESSON_PLAYER_H

#include "viz/events/expect.h"
#include "viz/lesson/document.h"

enum { TICK_EVIDENCE = 200 };

/* One observe line: what became of it, and by what. Once true it stays ticked,
 * also when the state it told of has passed. */
struct tick {
    enum expect_status status;
    char evidence[TICK_EVIDENCE]; /* "" when it was true already */
};

struct step {
    size_t first, last;    /* blocks [first, last) of the document */
    struct block *predict; /* or NULL */
    struct block *observe; /* or NULL */
    struct expect *expect; /* of `observe`; NULL without */
    struct tick *ticks;    /* observe->line_count of them */
    int answer;            /* chosen in this run, -1: not yet */
    enum { BEFORE_NEVER, BEFORE_RIGHT, BEFORE_WRONG } before; /* earlier runs */
    bool done, skipped;
    bool early; /* hears events already, though an earlier step is open */
};

/* What is known of the terminals 'A' to 'C'. */
struct player_terminal {
    bool open;
    bool busy; /* a command runs there */
    char command[DOCUMENT_LINE + 1];
};

struct player {
    struct document *document;
    const char *name; /* "01-blocking", the key in the progress file */
    const char *path; /* of the document, for faults */
    struct step *steps;
    size_t step_count;
    size_t at; /* the step that is open */
    bool kernel;
    bool eager; /* what a quick student does early counts: the steps after
                   the open one hear events as soon as those before ask for no
                   more */
    bool quiet; /* events tell what is, but tick nothing */
    struct player_terminal terminals[3];
    int64_t outside_ns; /* of the last EVENT_OUTSIDE, 0: none */
    uint16_t outside_port;
    uint64_t changes; /* counts what a screen must show: ticks, terminals */
    char nudge[240];
};

/* Takes the document, also on failure. -1 with errno EINVAL and *error when an
 * observe line cannot be understood; ENOMEM. The first step is open. */
int player_init(struct player *player, struct document *document,
                const char *path, const char *name, bool kernel,
                struct document_error *error);
void player_fini(struct player *player);

void player_event(void *player, const struct event *event); /* event_sink_fn */
/* Open the next or the one before; false at the ends. Opening a step opens its
 * observations; leaving one whose lines are not all true skips it. */
bool player_next(struct player *player);
bool player_back(struct player *player);
/* Open this step's observations again: its ticks wait once more. */
void player_again(struct player *player);
void player_answer(struct player *player, int answer);
/* Forget what the events told, as if none had come; ticks and answers stay.
 * For a replay that begins anew. -1 with errno ENOMEM. */
int player_forget(struct player *player);

struct step *player_step(const struct player *player); /* the open one */
/* The one whose observations are awaited: the open one, or one after it. */
struct step *player_heard(const struct player *player);
/* The first line of the open step that is not true yet; -1 when all are. */
long player_awaited(const struct player *player);
/* The terminal block of the open step, or NULL. */
const struct block *player_typed(const struct player *player);
/* What the student may do next for it, from what the terminals are known to
 * do; "" when there is nothing to add to expect_reason(). */
const char *player_nudge(struct player *player);
/* How many lines of observe blocks there are, and how many have come true. */
void player_ticks(const struct player *player, size_t *done, size_t *all);
/* The last step is open and every line has come true. */
bool player_finished(const struct player *player);

/* From and to the progress file. Loading opens the step that was left; false
 * and the first step when there is none, or the lesson has changed. *kept as
 * progress_set(). Saving: 0, or -1 with errno. */
bool player_load(struct player *player, const char *progress);
int player_save(const struct player *player, const char *progress, int *kept);

#endif
