/*
 * Where a run of viz gets its packets: opens what the options name (an
 * interface or a file, the kernel's tables beside it, the file to keep), and
 * then gives up every right that opening took.
 */
#ifndef VIZ_SOURCE_H
#define VIZ_SOURCE_H

#include "viz/options.h"
#include "viz/session.h"

/* Fill *session; `kernel`: look at this machine's sockets too, when it is live.
 * 0; or -1 with error->text for a person. */
int source_open(struct session *session, const struct options *options,
                bool kernel, struct capture_error *error);

/* For a session that is open: -w keeps beside the packets what the kernel says
 * (not as root still), and -r shows on a screen what was kept so. */
void source_beside(struct session *session, const struct options *options);

#endif
