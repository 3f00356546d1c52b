/*
 * The `wire` blocks of a lesson: what the lab's network loses from there on.
 * Which words may stand in one is kernel/loss.h's; here is what they come to,
 * step by step, and how it is told.
 */
#ifndef VIZ_LESSON_WIRE_H
#define VIZ_LESSON_WIRE_H

#include "viz/kernel/loss.h"
#include "viz/lesson/document.h"

/* What is lost behind block `last` - 1: by the last wire block before it. */
struct loss wire_at(const struct document *document, size_t last);
/* The same for one block of that kind: its last line counts. */
struct loss wire_of(const struct block *block);

enum { WIRE_SENTENCE = 160 };

/* For a person: "From here on the wire loses every 3rd packet each way." */
char *wire_sentence(const struct loss *loss, char text[WIRE_SENTENCE]);

#endif
