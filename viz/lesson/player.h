/*
 * Where a student is in a lesson: which step is open, which of its lines have
 * come true, what was predicted. Events and choices in, state out; the screen
 * (views/lesson.c), text mode and play mode all show this. No clock, no I/O
 * but the progress file.
 *
 * A step is what lies between two stops: prose and code, then at most one
 * predict block, or one or more terminal blocks with their observe block. The
 * student goes on with a key; a step with an observe block is finished when
 * all its lines have come true (or is skipped, and says so).
 */
#ifndef VIZ_LESSON_PLAYER_H
#define VIZ_LESSON_PLAYER_H

#include "viz/events/expect.h"
#include "viz/lesson/document.h"

struct step {
    size_t first, last;    /* blocks [first, last) of the document */
    struct block *predict; /* or NULL */
    struct block *observe; /* or NULL */
    struct expect *expect; /* of `observe`; NULL without */
    int answer;            /* chosen in this or an earlier run, -1: not yet */
    bool done, skipped;
};

struct player {
    struct document *document;
    const char *name; /* "01-blocking", the key in the progress file */
    struct step *steps;
    size_t step_count;
    size_t at; /* the step that is open */
    bool kernel;
};

/* Takes the document. -1 with errno EINVAL and *error when an observe line
 * cannot be understood; ENOMEM. */
int player_init(struct player *player, struct document *document,
                const char *name, bool kernel, struct document_error *error);
void player_fini(struct player *player);

void player_event(void *player, const struct event *event); /* event_sink_fn */
/* Open the next or the one before; false at the ends. Opening a step opens its
 * observations. */
bool player_next(struct player *player);
bool player_back(struct player *player);
void player_answer(struct player *player, int answer);

/* How many lines of observe blocks there are, and how many have come true. */
void player_ticks(const struct player *player, size_t *done, size_t *all);

#endif
