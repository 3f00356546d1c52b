/*
 * The last steps inside a cell before a student's program (or the compiler) is
 * run: limits, Landlock, seccomp, descriptors. The grader's own program is
 * executed again in the cell, by descriptor, with SHIM_WORD first; nothing of
 * it remains once the program runs.
 */
#ifndef TESTS_GRADER_SHIM_H
#define TESTS_GRADER_SHIM_H

#include <stdbool.h>
#include <stddef.h>

#define SHIM_WORD    "--inside-the-cell"
#define SHIM_REFUSED 125 /* exit status: the shim itself could not */

struct shim_plan {
    int cpu_seconds, processes, descriptors, file_mb;
    int address_mb;    /* RLIMIT_AS, 0: none (sanitizers need terabytes) */
    bool private_pids; /* in a pid namespace: ptrace is harmless there */
    bool landlock;     /* the kernel has scopes (ABI 6) */
    const char
        *folder; /* reduced isolation: all that may be written, or NULL */
    int keep;    /* a descriptor that the program inherits; 0: none */
    const char *preload; /* LD_PRELOAD for the program, or NULL */
    const char *calls;   /* CALLS_VARIABLE=..., or NULL */
};

enum { SHIM_ARGUMENTS = 16, SHIM_TEXT = 600 };

/* Write the plan as arguments, which start at argv[0] = SHIM_WORD, into
 * `words` using `text` for their bytes; returns how many. "--" is the last:
 * the program's path and its argv[] follow. */
size_t shim_arguments(const struct shim_plan *plan, char *text, size_t size,
                      const char **words);

/* main's arm: argv[0] is SHIM_WORD. Returns only to say why it could not:
 * SHIM_REFUSED, with one line on stderr that begins "cell: ". With nothing
 * after "--" it returns 0: a trial. */
int shim_run(int argc, char **argv);

/* seccomp.c and landlock.c; 0 or -1 with errno. */
int shim_seccomp(bool allow_ptrace);
/* `folder` NULL: scopes alone; else only it may be written and only the
 * system's programs and libraries read. */
int shim_landlock(const char *folder);
int shim_landlock_abi(void); /* 0: none */

#endif
