/*
 * The learner's progress: a text file of `key value` lines, one a line, keys
 * like lesson.01-blocking.ticks, `#` for comments; format in docs/progress.md.
 * Written whole beside the old one and renamed over it, so that it is never
 * half. Keys are names, not numbers: lessons may be added and reordered.
 */
#ifndef COMMON_PROGRESS_H
#define COMMON_PROGRESS_H

#include <stddef.h>

#define PROGRESS_FILE ".lab/progress"

/* The value of `key` into `value`: 0; -1 with errno ENOENT when there is no
 * such key or no file, EBADMSG when the file is no progress file. */
int progress_get(const char *path, const char *key, char *value, size_t size);

/* Set it, keeping all other lines. A file that cannot be read as one is first
 * kept as PATH.broken-N; then *kept (when not NULL) is 1. Key: letters, digits
 * and . - _, at most 120; value: one printable line, at most 200. 0 or -1 with
 * errno (EINVAL: bad key or value). */
int progress_set(const char *path, const char *key, const char *value,
                 int *kept);

/* The same for several lines at once, at most PROGRESS_LINES, keys all
 * different: the file is written once, with all of them or none. */
struct progress_line {
    char key[128];
    char value[204];
};
enum { PROGRESS_LINES = 64 };
int progress_set_all(const char *path, const struct progress_line *lines,
                     size_t count, int *kept);

#endif
