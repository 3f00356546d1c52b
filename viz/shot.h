/*
 * One picture of a screen instead of the screen itself: --dump WxH as text,
 * --svg FILE as a picture, after the keys of --keys. The views and the lesson
 * player have it from here.
 */
#ifndef VIZ_SHOT_H
#define VIZ_SHOT_H

#include "viz/options.h"
#include "viz/screen/canvas.h"

/* What is pictured. */
struct shot {
    void (*draw)(void *self, struct canvas *canvas);
    /* A key is pressed; false: with that the reader has left. */
    bool (*press)(void *self, int key);
    void *self;
    const char *title; /* of the picture */
    bool ascii;
};

/* Draws, presses the keys one by one, and writes what is there then where the
 * options say. Status 0; or 2 after a message on stderr. */
int shot_take(const struct shot *shot, const struct options *options);

#endif
