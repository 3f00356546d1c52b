/*
 * A lab and the checks that grade it: plain tables, written in
 * tests/checks/NN-name.c. Each check runs in a process and a network of its
 * own (driver.h), starts the student's program in a cell and talks to it with
 * the verbs of probes.h. A verb that is not answered as required ends the
 * check, so that a check reads like the protocol:
 *
 *     static void half_close(struct probe *p)
 *     {
 *         probe_start(p, NULL);
 *         struct peer *client = peer_connect(p);
 *         peer_send(client, "one two\n", 8);
 *         peer_expect_nothing(client, "an answer before the end of input");
 *         peer_half_close(client);
 *         peer_expect(client, "1 2 8 3f4af17a\n", 15);
 *         peer_expect_eof(client);
 *     }
 */
#ifndef TESTS_GRADER_CHECK_H
#define TESTS_GRADER_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/grader/build.h"

struct probe;

enum { MOST_CHECKS = 64 }; /* in one lab */

struct check {
    const char *id;    /* kebab-case, unique in its lab */
    const char *title; /* what the program does when it passes */
    int points;
    const char *required; /* one sentence, with its RFC or man page */
    void (*run)(struct probe *probe);
    unsigned builds;  /* 1 << enum build for each that run() starts; 0: plain */
    int seconds;      /* backstop on an idle machine; 0: 10 */
    bool timing;      /* may be judged by a backstop: re-run once alone */
    const char *hint; /* where to look, when no misconception was named */
};

struct lab {
    const char *name;           /* "01-blocking" */
    const char *program;        /* "wcd": how it is called in messages */
    const char *const *files;   /* what the assignment names; ends with NULL */
    const struct check *checks; /* in the order they are reported */
    size_t check_count;
};

/* The lab with this number, NULL when there is none; labs.c lists them. */
const struct lab *lab_by_number(int number);
const struct check *lab_check(const struct lab *lab, const char *id);
int lab_points(const struct lab *lab); /* the sum: its maximum */

#endif
