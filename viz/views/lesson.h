/*
 * The lesson on the screen: prose and what to type on the left, its ticks
 * under them, the live ladder on the right. Draws what the player and the
 * store know, and turns keys into wishes; who runs the lesson grants them.
 */
#ifndef VIZ_VIEWS_LESSON_H
#define VIZ_VIEWS_LESSON_H

#include "viz/events/store.h"
#include "viz/lesson/player.h"
#include "viz/screen/canvas.h"
#include "viz/views/prompt.h"

/* The programs' calls between the packets: where there is room, or as the
 * reader has said. */
enum lesson_calls { LESSON_CALLS_FIT, LESSON_CALLS_SHOWN, LESSON_CALLS_HIDDEN };

struct lesson_view {
    struct player *player;
    const struct store *store;
    const char *title;   /* "lesson 1" */
    const char *network; /* "private network", "REPLAY" */
    uint64_t dropped;    /* packets that the capture missed */
    bool replay;
    const char *calls_lost; /* some are missing, in words; "" */
    enum lesson_calls calls;
    bool calls_shown; /* as last drawn */
    bool help, hint;  /* shown now */
    bool compact;     /* the foot has little room: as last drawn */
    bool sure;        /* asked whether to leave with open ticks */
    int scroll;       /* rows of the prose above the window, */
    int scroll_most;  /* and at most so many: as last drawn */
    int page;         /* rows of the window */
    size_t step;      /* that `scroll` belongs to */
    int ladder_up;    /* packets between the newest and the last one shown */
    struct prompt prompt; /* for the name of a file; open after x */
    struct saving saving; /* .write NULL: nothing can be saved */
    char message[240];    /* for the reader, "" without */
};

enum lesson_wish {
    LESSON_NOTHING,
    LESSON_NEXT,
    LESSON_BACK,
    LESSON_AGAIN,
    LESSON_QUIT
};

void lesson_view_init(struct lesson_view *view, struct player *player,
                      const struct store *store);
void lesson_view_draw(struct lesson_view *view, struct canvas *canvas);
enum lesson_wish lesson_view_key(struct lesson_view *view, int key);

#endif
