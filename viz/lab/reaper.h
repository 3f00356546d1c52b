/*
 * Ending what the lab started: every descendant of the caller (a subreaper,
 * prctl(2)), and everybody in a network namespace. With SIGKILL, waiting for
 * each by pidfd, at most REAPER_SECONDS in all.
 */
#ifndef VIZ_LAB_REAPER_H
#define VIZ_LAB_REAPER_H

#include <stdbool.h>
#include <sys/types.h>

enum { REAPER_SECONDS = 5 };

/* Whether `process` is in the network namespace of this descriptor. false also
 * when it is gone or may not be looked at. */
bool reaper_in_network(pid_t process, int net_fd);

/* Kill and reap the caller's children until it has none; orphans come to it
 * and are killed in turn. */
void reaper_end_children(void);

/* Kill everybody in the network but the caller, and `spared` if that is still
 * the caller's parent. */
void reaper_end_network(int net_fd, pid_t spared);

#endif
