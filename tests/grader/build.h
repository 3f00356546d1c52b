/*
 * From a submission to a program: the compiler runs in a cell of its own that
 * sees /usr and the submission and nothing else, with limits; the program
 * comes back through a pipe, capped, and is kept in memory.
 */
#ifndef TESTS_GRADER_BUILD_H
#define TESTS_GRADER_BUILD_H

#include "tests/grader/isolation.h"
#include "tests/grader/submission.h"
#include "tests/grader/verdict.h"

enum build {
    BUILD_PLAIN,   /* -O1 -g */
    BUILD_ADDRESS, /* AddressSanitizer and UndefinedBehaviorSanitizer */
    BUILD_THREAD,  /* ThreadSanitizer */
    BUILDS
};

struct build_result {
    int program; /* a sealed memfd with the program; -1: it did not compile */
    struct lines errors;   /* the first error with its place and caret, how
                              many more, the command that shows all */
    struct lines warnings; /* "wcd.c:12: unused variable 'n'" */
    char *refused;         /* why the compiler itself could not run, or NULL */
};

void build_result_fini(struct build_result *result);

/* Compile; `shown` is the folder's name in messages. 0 when the compiler ran,
 * whatever it said; -1 with result->refused when it could not. */
int build_program(const struct submission *submission, enum build build,
                  const struct isolation *isolation, const char *shown,
                  struct build_result *result);

const char *build_name(enum build build); /* "plain" "address" "thread" */

#endif
