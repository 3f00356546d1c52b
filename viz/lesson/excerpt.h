/*
 * What a lesson quotes must be what the files say: checks its `c FILE` and
 * `diff` blocks against the files beside it. Reads files, changes nothing.
 */
#ifndef VIZ_LESSON_EXCERPT_H
#define VIZ_LESSON_EXCERPT_H

#include "viz/lesson/document.h"

/* `path` is the document's own: FILE is relative to its folder, and may step
 * into a neighbour's (../NAME/FILE). A `c FILE` block is a run of whole lines
 * of FILE, a diff's hunks are runs of its two files in order. 0; or -1 with
 * *error naming the first line that differs. */
int excerpt_check(const struct document *document, const char *path,
                  struct document_error *error);

#endif
