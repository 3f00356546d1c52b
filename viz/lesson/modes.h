/*
 * The ways to go through a lesson, over the same player and feed: live on a
 * screen, live line by line, by itself, and as one picture. Each runs to its end and
 * returns the status for main: 0, 1 (an observation did not come true), 2.
 */
#ifndef VIZ_LESSON_MODES_H
#define VIZ_LESSON_MODES_H

#include <signal.h>

#include "viz/lesson/feed.h"
#include "viz/options.h"

struct lesson {
    struct player *player;
    struct feed *feed;
    const char *path;      /* of the document */
    const char *network;   /* "private network", "this machine's loopback" */
    const char *refusal;   /* why it is a replay or not private; "" */
    const char *progress;  /* the progress file; NULL: nothing is kept */
    const char *recording; /* its packets; NULL: live */
    bool resumed;          /* an earlier run was left in the open step */
    bool ascii;
    const volatile sig_atomic_t *stop; /* set by a signal: leave */
};

int play_run(struct lesson *lesson);
int textmode_run(struct lesson *lesson);
int live_run(struct lesson *lesson);
/* The recording, as --dump, --svg and --keys of the options say. */
int shot_run(struct lesson *lesson, const struct options *options);

enum { LESSON_SAID = 240 };

/* Keep the progress. "", or what a person must be told: that it failed, or
 * that a broken file was set aside. */
const char *lesson_save(const struct lesson *lesson, char said[LESSON_SAID]);

#endif
