/*
 * Runs checks, each as a Check test in a process of its own, with its own
 * user and network namespace; results come back through pipes that were
 * opened before. A check without a final record is an error, whatever its
 * process said when it ended.
 */
#ifndef TESTS_GRADER_DRIVER_H
#define TESTS_GRADER_DRIVER_H

#include <stdint.h>

#include "tests/grader/build.h"
#include "tests/grader/check.h"
#include "tests/grader/isolation.h"
#include "tests/grader/submission.h"

struct driver {
    const struct lab *lab;
    const struct submission *submission;
    struct isolation *isolation;
    const int *programs; /* memfd by enum build, -1: not built */
    uint64_t seed;
    int at_once; /* checks side by side */
    /* Called as each ends, in the order in which they end. */
    void (*ended)(void *self, size_t check, const struct result *result);
    void *self;
};

/* Run the checks whose place in the lab is set in `which` (by index); results
 * by the same index, captures as memfds in `captures` (-1: none). 0, or -1
 * with errno when nothing could be run at all. A check that was decided by a
 * backstop is run once more, alone; *flaky counts those that then passed. */
int driver_run(const struct driver *driver, const bool *which,
               struct result *results, int *captures, int *flaky);

#endif
