/*
 * The keeper itself: the forked process behind keeper.h. Reads requests, waits
 * for shells at the door and for its children, and when viz is gone ends all
 * that lives in its network.
 */
#ifndef VIZ_LAB_KEEPER_PROCESS_H
#define VIZ_LAB_KEEPER_PROCESS_H

#include <stdbool.h>

#include "viz/lab/door.h"
#include "viz/lab/student.h"
#include "viz/lab/words.h"

enum { KEEPER_LETTERS = 3 };

/* A terminal's letter, and who has it. */
struct place {
    int shell;   /* the socket of a `make shell`, -1 */
    pid_t child; /* the bash of play mode, 0 */
};

struct keeper_process {
    int requests;     /* from viz; its end is our end */
    int news;         /* to viz */
    struct door door; /* listener -1: no shells */
    int directory;    /* where terminals start */
    int user_fd;      /* our namespaces, for shells; -1: not private */
    int net_fd;
    const char *title;
    const char *calls; /* see keeper.h; NULL */
    bool quiet;        /* see keeper.h */
    pid_t viz;
    struct student student;

    int signals;   /* signalfd: SIGCHLD, SIGTERM */
    pid_t command; /* of WORD_RUN, 0 */
    bool loss_watched;
    struct place places[KEEPER_LETTERS];
};

/* Runs until viz is gone or says WORD_END, cleans up, and ends the process. */
_Noreturn void keeper_process_run(struct keeper_process *keeper);

#endif
