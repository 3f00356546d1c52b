/*
 * Starting a program in a child process: what the child does until its exec is
 * the caller's affair, and why it failed is known to the parent at once.
 */
#ifndef VIZ_LAB_SPAWN_H
#define VIZ_LAB_SPAWN_H

#include <sys/types.h>

/* What the child does; ends in an exec, and returns only when something
 * failed, with errno. */
typedef void spawn_fn(void *self);

/* Fork, and wait until the child has become its program: its errno comes
 * through a pipe that the exec closes. The pid; -1 with errno, then no child
 * is left. */
pid_t spawn(spawn_fn *become, void *self);

#endif
