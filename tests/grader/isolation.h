/*
 * How well this machine can contain a program, measured once by trying it,
 * and the uid that student programs run as.
 */
#ifndef TESTS_GRADER_ISOLATION_H
#define TESTS_GRADER_ISOLATION_H

#include <stdbool.h>
#include <sys/types.h>

enum isolation_level {
    ISOLATION_FULL,    /* namespaces, bubblewrap, seccomp, limits */
    ISOLATION_REDUCED, /* a uid of its own or Landlock scopes, seccomp, limits */
    ISOLATION_NONE     /* limits only */
};

struct isolation {
    enum isolation_level level;
    bool drop; /* we are root: cells run as `uid` */
    uid_t uid; /* 0 only where there is no other */
    gid_t gid;
    int landlock;  /* its ABI, 0 when the kernel has none */
    int self;      /* this program, opened: re-executed as the cell's shim */
    int calls;     /* build/lib/calls.so, opened; -1 when it is not built */
    char why[640]; /* why the level is not full, and what helps; "" */
    double scale;  /* of deadlines: 1 on an idle machine, at most 10 */
};

/* Measure. 0; -1 with errno when not even a child could be started. */
int isolation_open(struct isolation *isolation);
void isolation_close(struct isolation *isolation);

/* In a forked child: become isolation->uid where we are root. 0 or -1/errno. */
int isolation_drop(const struct isolation *isolation);

/* Measure the load again: scale = clamp(time of fork, exec and exit against an
 * idle machine's, 1, 10). */
void isolation_rescale(struct isolation *isolation);

const char *isolation_word(enum isolation_level level); /* "full" ... */
/* The sentence for the report, without "isolation: ". */
const char *isolation_sentence(enum isolation_level level);

#endif
