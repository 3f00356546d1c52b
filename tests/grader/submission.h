/*
 * What a student hands in, read once into memory: the files that the
 * assignment names, and every other .c and .h beside them. Regular files only,
 * never through a symbolic link, bounded; nothing is executed or unpacked.
 */
#ifndef TESTS_GRADER_SUBMISSION_H
#define TESTS_GRADER_SUBMISSION_H

#include <stddef.h>

enum {
    SUBMISSION_FILES = 64,
    SUBMISSION_NAME = 100,
    SUBMISSION_FILE_BYTES = 1 << 20, /* one file */
    SUBMISSION_BYTES = 8 << 20       /* all of them */
};

struct submission_file {
    char name[SUBMISSION_NAME]; /* without a folder */
    char *bytes;                /* not a string: may hold zero bytes */
    size_t length;
};

struct submission {
    struct submission_file file[SUBMISSION_FILES]; /* sorted by name */
    size_t count;
    size_t bytes;
};

/* Read the folder. 0; or -1 with errno and in `why` what is wrong with which
 * file and what to type. *submission is then empty. */
int submission_read(struct submission *submission, const char *folder,
                    const char *const *needed, char *why, size_t size);
void submission_fini(struct submission *submission);

#endif
