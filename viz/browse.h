/*
 * viz on a screen: views over a live capture or a file, and the same screens
 * as text (`--dump WxH --keys KEYS`). As main's arm these functions print, and
 * return the status that main ends with: 0, or 2 (cannot: says why and what to
 * type).
 */
#ifndef VIZ_BROWSE_H
#define VIZ_BROWSE_H

#include "viz/headless.h"

/* Open what the options ask for and show it until the reader quits. */
int browse_run(const struct options *options);

/* The same over a session that is open already (in a private network, say).
 * The session stays the caller's, with this run's sinks taken off again.
 * `ended` may be NULL; once it is true capturing stops, and what was captured
 * stays on the screen. */
int browse_run_session(struct session *session, const struct options *options,
                       headless_ended_fn *ended, void *self);

#endif
