/*
 * `viz --join WHO`: a second viz in a network that runs already, that of a
 * lesson or of `viz --private`, by any process in it.
 */
#ifndef VIZ_LAB_JOIN_H
#define VIZ_LAB_JOIN_H

#include <stddef.h>

/* Move this process (it must have one thread) into the network of the process
 * `who`: a pid, or the name of a program as ps shows it, looked for in networks
 * other than ours. Afterwards it has the rights there that a capture takes;
 * give them up with keeper_drop_rights(). 0; or -1 with errno and what to do
 * instead in `why`, for a person, at most 4 lines of 80 columns. */
int join_network(const char *who, char *why, size_t size);

#endif
