/*
 * `viz --private -- CMD`: run a command in a fresh private network on the
 * caller's own stdio, and watch the wire there from its first packet.
 */
#ifndef VIZ_LAB_PRIVATE_H
#define VIZ_LAB_PRIVATE_H

#include "viz/options.h"

/* As main's arm it prints, and returns the status for main: that of the output
 * chosen, or 2 when there is no private network or the command could not be
 * started. A command that ends with another status than 0 is told on stderr.
 * With the screen the command has no stdin, and what it prints is not shown. */
int private_run(const struct options *options);

#endif
