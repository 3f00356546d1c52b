/*
 * The insides of the fenced blocks that run: lines of text in, the fields of
 * struct block out, or what may stand there instead. For document.c only.
 */
#ifndef VIZ_LESSON_FENCES_H
#define VIZ_LESSON_FENCES_H

#include "viz/lesson/document.h"

/* Which kind a fence's info string asks for; fills the fields that come from
 * it (terminal, info). -1 with *error for an info string that means nothing. */
int fence_kind(struct block *block, const char *info, const char *path,
               struct document_error *error);
/* Read the body of a block of that kind. 0, or -1 with *error. */
int fence_body(struct block *block, const char *body, const char *path,
               struct document_error *error);

#endif
