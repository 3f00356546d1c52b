/*
 * What was found, told: in words while it runs and at the end, or in one of
 * the formats, one file each behind one table. 80 columns; colour only on a
 * terminal, and never alone.
 */
#ifndef TESTS_GRADER_REPORT_H
#define TESTS_GRADER_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "tests/grader/build.h"
#include "tests/grader/check.h"
#include "tests/grader/isolation.h"
#include "tests/grader/verdict.h"

struct report {
    const struct lab *lab;
    int number;         /* the lab's */
    const char *folder; /* of the submission, as it is shown */
    uint64_t seed;
    const struct isolation *isolation;
    const bool *which;                /* the checks that were run, by index */
    struct result *result;            /* by index */
    const struct build_result *build; /* by enum build */
    bool untouched;                   /* the starter as it was given */
    bool one_check;                   /* --check ID */
    int flaky;
};

/* Points: earned, at most, and not gradable, of the checks that were run. */
struct score {
    int points, max, not_gradable, errors;
};
struct score report_score(const struct report *report);
/* 0 all points, 1 fewer, 2 could not grade. */
int report_status(const struct report *report);

struct format {
    const char *option; /* "--json" */
    /* NULL: the option exists, and a later version will write it. */
    int (*write)(FILE *out, const struct report *report);
};
const struct format *format_by_option(const char *option);

/* words.c: the report for a person. `colour` for a terminal. */
void words_isolation(FILE *out, const struct report *report);
void words_ended(FILE *out, const struct report *report, size_t check,
                 bool colour);
void words_compile(FILE *out, const struct report *report, bool colour);
void words_summary(FILE *out, const struct report *report, bool colour);
/* One check's whole message, also the text of the other formats. */
void words_check(FILE *out, const struct report *report, size_t check,
                 bool colour);

/* json.c: the native format, version 1, docs/grading.md. 0 or -1/errno. */
int json_report(FILE *out, const struct report *report);

#endif
