/*
 * Bytes as evidence: C-escaped, with their length, the offset of the first
 * difference and a caret under it; what is cut is said outside the quotes. Two
 * byte strings that differ are never shown alike.
 */
#ifndef TESTS_GRADER_EVIDENCE_H
#define TESTS_GRADER_EVIDENCE_H

#include "tests/grader/verdict.h"

/* `bytes` as the inside of a C string literal into text (size at least 5):
 * \n \t \r \0 \" \\ \xNN, all else printable ASCII. Stops before the first
 * byte that does not fit and returns how many were written out. */
size_t evidence_escape(const void *bytes, size_t length, char *text,
                       size_t size);

/* Fill `expected` and `actual` so that they can stand one under the other.
 * `end` says what came after the actual bytes: "then EOF", "then RST", "and
 * nothing more", or NULL. */
void evidence_differ(struct lines *expected, struct lines *actual,
                     const void *want, size_t want_length, const void *got,
                     size_t got_length, const char *end);

/* Printable UTF-8 out of anything: control bytes become \xNN, wrong UTF-8 too;
 * newlines stay when `newlines`. Returns text. */
char *evidence_clean(const void *bytes, size_t length, char *text, size_t size,
                     int newlines);

#endif
