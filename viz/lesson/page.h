/*
 * A lesson as plain text, line by line: what play mode and text mode print.
 * Everything goes through here, so that both read alike.
 */
#ifndef VIZ_LESSON_PAGE_H
#define VIZ_LESSON_PAGE_H

#include <stdio.h>

#include "viz/events/store.h"
#include "viz/lesson/player.h"

enum { PAGE_COLUMNS = 78 };

/* A block as it is read; a predict block without its answer. Observe and wire
 * blocks print nothing: their ticks do. */
void page_block(FILE *out, const struct block *block);
/* The answer to a predict block: what was chosen (-1: nothing), the right one,
 * the reply. */
void page_reply(FILE *out, const struct block *predict, int chosen);
/* A tick that has come true, or was broken, with its evidence. */
void page_tick(FILE *out, const char *line, const struct tick *tick);
/* Prose, wrapped, each line behind `indent`. */
void page_prose(FILE *out, const char *indent, const char *text);

/* How far the ladder has been shown. */
struct page_place {
    uint64_t packets;   /* that came before */
    int64_t calls_from; /* of the programs' calls those that return from here */
};

/* To the newest: what is there is not shown. */
void page_here(const struct store *store, struct page_place *place);
/* The ladder of what has come since, with the programs' calls, and how far that
 * is. Nothing when nothing has. */
void page_ladder(FILE *out, const struct store *store, struct page_place *place,
                 bool ascii);

#endif
