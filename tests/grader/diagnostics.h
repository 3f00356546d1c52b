/* What a compiler says, reduced to what a learner needs first. Pure text. */
#ifndef TESTS_GRADER_DIAGNOSTICS_H
#define TESTS_GRADER_DIAGNOSTICS_H

#include "tests/grader/build.h"

/* Fill result->errors: the first error with its lines of code and caret, and
 * how many more; and result->warnings: one line each, the first few. `shown` is
 * the folder's name, put before the files'. */
void diagnostics_reduce(const char *said, const char *shown,
                        struct build_result *result);

#endif
