/*
 * A lab terminal: bash on a pty of its own, as the student, without any
 * capability, at the lesson's programs, with our prompt and its marks (see
 * terminal.h). The keeper starts those of play mode, `make shell` its own.
 */
#ifndef VIZ_LAB_BASH_H
#define VIZ_LAB_BASH_H

#include <stdbool.h>
#include <sys/types.h>

#include "viz/lab/student.h"

/* The environment variable that says "inside a lab terminal", and which. */
#define BASH_LETTER "TWO_TERMINALS_SHELL"

struct bash_options {
    char letter;          /* 'A', 'B', 'C' */
    const char *title;    /* "lesson 1", for the greeting */
    const char *calls;    /* its programs tell their calls into this file, see
                          call_feed.h; NULL: they do not */
    bool private_network; /* for the greeting too */
    int directory;        /* where it starts, a descriptor */
    int user_fd;          /* namespaces to join first, or -1 each */
    int net_fd;
    bool play; /* typed into by the player: known TERM, locale and keys */
    int rows, columns;
    const struct student *student;
};

/* Start it. Its pid, and in *master the pty's own side (close-on-exec, the
 * caller's to close); -1 with errno (ENOENT: there is no bash here). */
pid_t bash_start(const struct bash_options *options, int *master);

#endif
