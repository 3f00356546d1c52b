/*
 * Text laid out in columns, for the screen and for plain text alike: prose
 * broken at spaces, and tables. Widths are those of canvas.h. Pure.
 */
#ifndef VIZ_LESSON_WRAP_H
#define VIZ_LESSON_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The next line of `*text` in at most `columns`: *line and *length (bytes, no
 * newline, no blanks at its ends), and *text moves on; false at the end. A
 * word that is wider than the line is cut. `quiet_marks`: `backticks` are not
 * drawn, so they take no column. */
bool wrap_line(const char **text, int columns, bool quiet_marks,
               const char **line, size_t *length);

/* A table of |-lines as CommonMark readers show it: cells under one another
 * where all rows fit into `columns`, else each row as a list of its cells
 * under the header's words. `backticks` are taken out. */
void table_print(FILE *out, const char *table, int columns);

#endif
