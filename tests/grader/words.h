/*
 * Between words.c (one check in words) and summary.c (all of them).
 */
#ifndef TESTS_GRADER_WORDS_H
#define TESTS_GRADER_WORDS_H

#include "tests/grader/report.h"

/* Prose after a label, wrapped at words; continued under its first letter. */
void words_wrap(FILE *out, const char *label, const char *text);
/* What stopped the program before any question could be asked: a sign, equal
 * for checks that met the same; NULL when it got further. */
const char *words_root(const struct result *result);

#endif
