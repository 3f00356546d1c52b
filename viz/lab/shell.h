/*
 * `make shell`: a terminal inside the private network of the running lesson.
 * Joins by the keeper's socket, starts bash on a pty at the lesson's programs,
 * relays between it and the student's own terminal, and sends the lesson a
 * copy of what is shown.
 */
#ifndef VIZ_LAB_SHELL_H
#define VIZ_LAB_SHELL_H

/* Runs until the shell ends; returns the status for main: 0, or 2 after one
 * message when there is no terminal to type into, no lesson to join or the
 * machine refused. Prints to stderr, as main's arm. */
int shell_run(void);

#endif
