/*
 * The ideas that can be wrong, one table: a name, what it looks like from
 * outside, the sentence that a good tutor would say, what to read. A name is
 * given only when all conditions of one of its rules hold over all the checks
 * that were run; otherwise the evidence stands without a name.
 */
#ifndef TESTS_GRADER_MISCONCEPTIONS_H
#define TESTS_GRADER_MISCONCEPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "tests/grader/check.h"
#include "tests/grader/verdict.h"

enum { RULE_CONDITIONS = 6, MISCONCEPTION_RULES = 3 };

/* One condition on one check. A check that did not run meets none of them,
 * except MUST_NOT_FAIL and MUST_NOT_SIGN, which let `--check ID` diagnose. */
struct condition {
    enum {
        ALWAYS, /* the end of the list */
        MUST_FAIL,
        MUST_SIGN,     /* it left the sign `sign` */
        MUST_NOT_FAIL, /* passed, or was not run */
        MUST_NOT_SIGN
    } kind;
    const char *check;
    const char *sign;
};

struct misconception {
    const char *id;    /* kebab-case */
    const char *lab;   /* "01-blocking": where its rules apply */
    const char *place; /* "1.1" of the ladder */
    /* How a reader meets it: "check half-close" (diagnosed) or "lesson
     * 01-blocking, Break it" (shown). */
    const char *met;
    const char *likely; /* to the student, one to three sentences */
    const char *read;   /* man pages, RFC, the lesson's part */
    /* Checks that fail along with it, so that they are not told in full: ids
     * with a blank before and after each, or "*". */
    const char *explains;
    int rank; /* higher is more specific: named first */
    /* Any one rule will do; the first condition's check carries the name. */
    struct condition rule[MISCONCEPTION_RULES][RULE_CONDITIONS];
};

const struct misconception *misconception_by_id(const char *id);
/* All of them in the order of the ladder; NULL past the end. */
const struct misconception *misconception_at(size_t n);

/* The table as a page of Markdown: docs/misconceptions.md. */
void misconceptions_page(FILE *out);

/* Whether a failure of `check` follows from this misconception. */
bool misconception_explains(const struct misconception *m, const char *check);

/* Fill misconception, also[] and explained_by of the results (one a check of the lab, NULL
 * for one that was not run). */
void misconceptions_diagnose(const struct lab *lab,
                             struct result *const *results);

#endif
