/*
 * Compressed captures: gzip(1) as a child, without a shell, reads the file and
 * we read its output. The child is found by its pid and always waited for.
 */
#ifndef VIZ_CAPTURE_GUNZIP_H
#define VIZ_CAPTURE_GUNZIP_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct gunzip {
    pid_t child; /* 0: none */
    bool ended;  /* it was waited for */
    bool failed; /* and said that the file is broken */
};

/* Whether the stream begins with gzip's magic; it is left at its start. What
 * cannot be rewound (a pipe) is taken as it is. */
bool gunzip_wanted(FILE *stream);

/* Put the decompressed stream in place of *stream, which is closed in any
 * case. 0, or -1 with errno. */
int gunzip_open(struct gunzip *gunzip, FILE **stream);

/* At the end of the stream: whether gzip could not decompress all of it. */
bool gunzip_failed(struct gunzip *gunzip);

/* After the stream is closed; ends the child when it still runs. */
void gunzip_close(struct gunzip *gunzip);

#endif
