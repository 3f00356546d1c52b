/*
 * A view is a const table of functions that draw what the store knows into an
 * area and answer keys. Views keep their own small state (cursor, scroll) in
 * `struct viewer`; they never touch the terminal, the wire or the clock.
 */
#ifndef VIZ_VIEWS_VIEW_H
#define VIZ_VIEWS_VIEW_H

#include "viz/events/store.h"
#include "viz/screen/canvas.h"
#include "viz/screen/screen.h"

/* What all views share: what to show and where the reader is in it. */
struct viewer {
    const struct store *store;
    const char *source; /* "lo", "private network", "s01.pcap" */
    bool live;          /* packets still come */
    bool replay;        /* headed REPLAY */
    uint64_t dropped;
    const struct view *view;
    const struct view *before_help;
    bool follow;       /* keep the newest in sight */
    uint64_t selected; /* packet number, 0: none */
    size_t connection; /* cursor in the connections view */
    int64_t only_flow; /* ladder of this flow's id, -1: all */
    char message[160]; /* one line for the reader, "" without */
    bool quit;
};

enum view_key { VIEW_HANDLED, VIEW_NOT_HANDLED };

/* One line of a view's help; the table is also what `?` prints. */
struct view_help {
    const char *keys;
    const char *does;
};

struct view {
    const char *name;
    char key; /* '1' ... that opens it */
    void (*draw)(struct viewer *viewer, struct area area);
    enum view_key (*on_key)(struct viewer *viewer, int key);
    const struct view_help *help; /* ends with {NULL, NULL} */
};

extern const struct view view_connections, view_ladder, view_help;

void viewer_init(struct viewer *viewer, const struct store *store);
/* The whole screen: title bar, the view, the key bar. Says "terminal too
 * small" below 60x15. */
void viewer_draw(struct viewer *viewer, struct canvas *canvas);
void viewer_key(struct viewer *viewer, int key);
/* Keys from text: "j", "<Enter>", "<Down>", "<Esc>": for --keys and tests.
 * The next one at *text, moved on; INPUT_NONE at the end or for an unknown name. */
int viewer_key_from_text(const char **text);

#endif
