/*
 * Who the student is, and becoming no more than that: the person who typed
 * the command, also behind sudo, without any capability.
 */
#ifndef VIZ_LAB_STUDENT_H
#define VIZ_LAB_STUDENT_H

#include <stdbool.h>
#include <sys/types.h>

struct student {
    uid_t uid;
    gid_t gid;
    bool behind_sudo; /* root only on the student's behalf: give it back */
};

/* The caller's own ids, or those of SUDO_UID and SUDO_GID when it is root. */
void student_read(struct student *student);

/* Become the student for good: their ids and groups, no capability, no way
 * back (netns_drop()). 0 or -1 with errno. */
int student_become(const struct student *student);

#endif
