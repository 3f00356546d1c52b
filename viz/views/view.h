/*
 * A view is a const table of functions that draw what the store knows into an
 * area and answer keys. Views keep their own small state (cursor, scroll) in
 * `struct viewer`; they never touch the terminal, the wire or the clock.
 */
#ifndef VIZ_VIEWS_VIEW_H
#define VIZ_VIEWS_VIEW_H

#include "viz/events/moment.h"
#include "viz/screen/canvas.h"
#include "viz/screen/screen.h"
#include "viz/views/ladder.h"
#include "viz/views/links.h"
#include "viz/views/prompt.h"

enum { MARKS = 32 };

/* Replay: see tape.h. */
struct tape {
    bool on, playing;
    int speed; /* steps from normal */
    struct moment moment;
    int64_t due_ns; /* when the next packet is; 0: begin to count */
};

/* See predict.h. */
struct predict {
    bool on, asks_state; /* of the packet that was asked for before */
    unsigned right, asked;
    char reply[100]; /* to the last answer */
};

/* The rows of the stream as last drawn. */
struct talked {
    struct talk_row *rows; /* a ring of `room`; owned */
    size_t count, room;
    uint64_t version; /* of the store that they are of, */
    size_t packets;   /* the first so many of it, */
    uint32_t flow;
    int columns; /* for a view so wide */
    bool cut;    /* more was captured than the store keeps */
};

enum viewer_sort { SORT_START, SORT_RECENT, SORT_BYTES, SORT_AGAIN, SORTS };

/* Who holds a socket, as "server 1234", into `text`; false: cannot be told. */
typedef bool viewer_owner_fn(void *self, const struct socket_sample *socket,
                             char *text, size_t size);

/* What all views share: what to show and where the reader is in it. */
struct viewer {
    const struct store *store; /* what is shown: all, or a moment of it */
    const struct store *all;
    struct tape tape;
    struct predict predict;
    const char *source; /* "lo", "private network", "s01.pcap" */
    bool live;          /* packets still come */
    bool replay;        /* headed REPLAY */
    uint64_t dropped;
    const struct view *view;
    const struct view *before_help;
    bool follow;           /* keep the newest in sight */
    bool paused;           /* show no packet after paused_at */
    uint64_t paused_at;    /* packet number */
    uint64_t selected;     /* packet number, 0: none */
    uint64_t top;          /* packet number of the ladder's first row */
    uint32_t connection;   /* id of the flow under the cursor */
    size_t connection_top; /* place in the list of its first row */
    struct talked talked;
    size_t stream_top; /* its first row on the screen; SIZE_MAX: the newest */
    enum viewer_sort sort;
    int64_t beside[2];    /* ids of the flows side by side, -1: the busiest */
    int64_t only_flow;    /* ladder of this flow's id, -1: all */
    struct filter filter; /* of the packets and connections shown */
    struct matches matches;
    struct links links;
    struct prompt prompt;
    uint64_t marks[MARKS]; /* packet numbers, ascending */
    int mark_count;
    bool unfold;        /* show each of a run of duplicate ACKs */
    bool hide_calls;    /* no calls between the packets of the ladder */
    int explain;        /* level of the pane, 0: not shown */
    int explain_top;    /* its first line on the screen, */
    uint64_t explained; /* of this packet */
    int help_top;
    int page;          /* rows that the list on screen has */
    char message[160]; /* one line for the reader, "" without */
    char wire[32];     /* "loss 1/3"; "" while nothing is lost on purpose */
    bool wire_wanted;  /* L was pressed: who runs the viewer turns it on */
    bool quit;

    uint64_t socket;        /* cookie of the socket under the cursor */
    size_t socket_top;      /* place in the list of its first row */
    struct saving saving;   /* .write NULL: nothing can be saved */
    viewer_owner_fn *owner; /* NULL: nobody can tell */
    void *owner_self;

    const struct flow **list; /* the connections view's rows, in order */
    size_t list_count, list_room;
    uint64_t
        list_version; /* of the store that it is of; 0: none, or filtered */
    enum viewer_sort list_sort;
};

enum view_key { VIEW_HANDLED, VIEW_NOT_HANDLED };

/* One line of a view's help; the table is also what `?` prints, and those with
 * a `bar` stand in the key bar. */
struct view_help {
    const char *keys;
    const char *does;
    const char *bar;
};

struct view {
    const char *name;
    char key;                            /* '1' ... that opens it; 0: none */
    void (*open)(struct viewer *viewer); /* before it is shown; may be NULL */
    void (*draw)(struct viewer *viewer, struct area area);
    enum view_key (*on_key)(struct viewer *viewer, int key);
    /* A click on this row of its area; NULL: clicks do nothing there. */
    void (*on_click)(struct viewer *viewer, int row);
    const struct view_help *help; /* ends with {NULL, NULL, NULL} */
};

extern const struct view view_connections, view_ladder, view_diagram,
    view_beside, view_sockets, view_stream, view_keys;
/* In the order of their keys; ends with NULL. */
extern const struct view *const views[];
/* The keys that work in every view. */
extern const struct view_help viewer_keys[];

void viewer_init(struct viewer *viewer, const struct store *store);
void viewer_fini(struct viewer *viewer);
/* Below 60 columns and 15 rows: says so there, and what helps. */
bool too_small(struct area all);
/* The whole screen: title bar, the view, the key bar. */
void viewer_draw(struct viewer *viewer, struct canvas *canvas);
void viewer_key(struct viewer *viewer, int key);
/* The places in the store that the reader may see: one past the newest. */
size_t viewer_rows(const struct viewer *viewer);
/* Why nothing is shown: `filtered` where the filter hides all, `quiet` live,
 * `empty` in a file, each with what helps; or a replay has not begun. */
char *viewer_nothing(const struct viewer *viewer, const char *filtered,
                     const char *quiet, const char *empty, char *text,
                     size_t size);
/* Which packets the ladder shows now. */
struct choice viewer_choice(const struct viewer *viewer);
/* The connection under the cursor; false: there is none. */
bool viewer_connection(struct viewer *viewer, uint32_t *id);
/* The flow of that id, NULL when it is unknown or forgotten. */
const struct flow *viewer_flow(const struct viewer *viewer, int64_t id);

/* Keys from text: "j", "<Enter>", "<Down>", "<Esc>", "<WheelDown>", and
 * "<Click R,C>" for a click on that row and column: for --keys and tests.
 * The next one at *text, moved on; INPUT_NONE at the end or for an unknown name. */
int viewer_key_from_text(const char **text);

#endif
