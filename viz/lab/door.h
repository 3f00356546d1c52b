/*
 * The door where shells knock: the Unix socket KEEPER_SOCKET of the running
 * lesson. One lesson a checkout at a time: whoever holds the lock on its
 * folder (flock(2), let go by the kernel whatever happens) is the lesson that
 * runs, so a socket that is there without the lock is a dead lesson's.
 */
#ifndef VIZ_LAB_DOOR_H
#define VIZ_LAB_DOOR_H

#include <stddef.h>

#include "viz/lab/student.h"

struct door {
    int folder;   /* .lab, locked */
    int listener; /* SOCK_SEQPACKET, not blocking */
};

/* Open it for this student, making the folder when needed. 0; or -1 with errno
 * and a message for a person in `why` (EADDRINUSE: a lesson runs already). */
int door_open(struct door *door, const struct student *student, char *why,
              size_t size);
/* Close the descriptors; the socket file stays. */
void door_leave(struct door *door);
/* Remove the socket file, then close. */
void door_close(struct door *door);

/* Who knocked: a connected socket, not blocking, close-on-exec, and the other
 * end's uid (SO_PEERCRED). -1 with errno. */
int door_accept(const struct door *door, uid_t *uid);

/* From a shell: connect to the running lesson. -1 with errno (ENOENT or
 * ECONNREFUSED: none runs; EACCES: another user's). */
int door_knock(void);

#endif
