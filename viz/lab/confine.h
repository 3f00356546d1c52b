/*
 * The last lock: once capture, sockets and keeper are open, viz needs to read
 * what comes, to draw and to keep files, and nothing else. A seccomp(2) filter
 * leaves it the calls for that. Whoever took viz over by a hostile packet
 * could then start no program, open no socket, trace or join no other process,
 * and put no byte into a terminal's input.
 */
#ifndef VIZ_LAB_CONFINE_H
#define VIZ_LAB_CONFINE_H

/* Confine the calling process, which has no_new_privs already, for good: a
 * call that is not on the list fails with ENOSYS, socket(2), the starting of
 * programs and their like with EPERM. 0, also where the kernel has no seccomp
 * (or this is not Linux): the capabilities are gone all the same; -1 with
 * errno. */
int confine(void);

#endif
