/*
 * Start one contained process: bubblewrap around the shim around a program, or
 * (reduced isolation) the shim alone in a folder of its own. Used for the
 * compiler and for the student's program; only cell.c and build.c know it.
 */
#ifndef TESTS_GRADER_LAUNCH_H
#define TESTS_GRADER_LAUNCH_H

#include <sys/types.h>

#include "tests/grader/isolation.h"
#include "tests/grader/shim.h"
#include "tests/grader/submission.h"

enum { LAUNCH_FILES = SUBMISSION_FILES + 4, LAUNCH_ENVIRONMENT = 6 };

struct launch_file { /* put into the cell's folder, /box */
    const char *name;
    const void *bytes; /* or, when NULL, all of the file `fd` */
    size_t length;
    int fd;
};

struct launch {
    const struct isolation *isolation;
    struct shim_plan shim; /* folder and private_pids are filled in */
    struct launch_file file[LAUNCH_FILES];
    size_t files;
    const char *environment[LAUNCH_ENVIRONMENT][2];
    size_t environments;
    const char *path;        /* to execute, absolute or in /box as "./x" */
    const char *const *argv; /* argv[0] and on; NULL after the last */
    int box_mb;              /* size of /box */
    int in, out, err;        /* become 0, 1, 2 */
    char folder[64];         /* reduced: made here; launch_clean() removes it */
    int lock;                /* reduced: on the folder; goes with its owner */
};

/* The child's pid, or -1 with errno. Owns none of the descriptors. With full
 * isolation the caller is in a user and network namespace of its own
 * (common/netns.h) and holds its rights; when the child is dead, nothing of
 * the cell is left. */
pid_t launch(struct launch *launch);
/* For a caller in no such namespace: a child enters one and stands around the
 * cell; its status is the cell's. Killing it kills the cell. */
pid_t launch_alone(struct launch *launch);
void launch_clean(struct launch *launch);
/* Remove what graders that were killed have left: folders that nobody locks. */
void launch_clean_stale(void);

/* A sealed copy of bytes in memory, executable; -1 with errno. */
int launch_memory(const char *name, const void *bytes, size_t length);

#endif
