/*
 * The line at the foot of the screen into which the reader types: the filter
 * after `/`, where to go after `:`, a file's name after `x`.
 */
#ifndef VIZ_VIEWS_PROMPT_H
#define VIZ_VIEWS_PROMPT_H

#include "viz/events/filter.h"
#include "viz/screen/canvas.h"

enum { PROMPT = FILTER_TEXT };

struct prompt {
    char sign; /* '/', ':', 'x'; 0: none is open */
    char text[PROMPT];
};

enum prompt_key { PROMPT_TYPED, PROMPT_ENTER, PROMPT_LEFT };

/* A key while it is open: all of them are its own. */
enum prompt_key prompt_edit(struct prompt *prompt, int key);

/* --- the key x ------------------------------------------------------------- */

/* What the key x needs: who runs the viewer writes files, views do not. */
struct saving {
    /* A name for the file, as a proposal. */
    void (*name)(uint32_t connection, char *path, size_t size);
    /* Write it; what the reader is told of that into `said`. False: nothing was
     * written, and another name may help. */
    bool (*write)(void *self, uint32_t connection, const char *path, char *said,
                  size_t size);
    void *self;
    uint32_t connection; /* that the prompt is about */
};

/* Ask for the file of this connection. */
void saving_open(struct saving *saving, struct prompt *prompt,
                 uint32_t connection);
/* Write it; a name that will not do stays, to be mended. What the reader is
 * told of that is in `said`. */
void saving_write(const struct saving *saving, struct prompt *prompt,
                  char *said, size_t size);
/* `said` "": what may be typed. */
void saving_draw(const struct saving *saving, const struct prompt *prompt,
                 const char *said, struct area bar);

/* --- in the viewer --------------------------------------------------------- */

struct viewer;

/* Open it with what is in force now. */
void prompt_open(struct viewer *viewer, char sign);
/* Open it for the name of a file that the connection under the cursor goes
 * into; says so when there is none. */
void prompt_save(struct viewer *viewer);
void prompt_key(struct viewer *viewer, int key);
void prompt_draw(const struct viewer *viewer, struct area bar);

#endif
