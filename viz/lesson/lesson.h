/*
 * `viz --lesson FILE`: opens the network, the wire and the document, and runs
 * the mode that was asked for: the player on the screen, line by line, or by
 * itself (also where there is no terminal). Where the system refuses, it says
 * what refused and shows the stored replay.
 */
#ifndef VIZ_LESSON_LESSON_H
#define VIZ_LESSON_LESSON_H

#include "viz/options.h"

/* As main's arm: prints, and returns main's status: 0; 1 when an observation
 * did not come true in play mode; 2 when it cannot. */
int lesson_run(const struct options *options);

#endif
