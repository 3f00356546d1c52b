/*
 * viz without a screen: --text, --json, --summary and --expect, live or from a
 * file. Everything goes to standard output as it comes; what is wrong goes to
 * standard error. As main's arm these functions print, and return the status
 * that main ends with: 0, 1 (an expectation stayed untrue), 2 (cannot).
 */
#ifndef VIZ_HEADLESS_H
#define VIZ_HEADLESS_H

#include <stdbool.h>

#include "viz/options.h"
#include "viz/session.h"

/* Whether what the session watches has come to its end (the command of
 * `--private -- CMD`): asked at least 20 times a second; once it is true the
 * packets still on the ring are taken, and the run ends. */
typedef bool headless_ended_fn(void *self);

/* Open what the options ask for and run it. */
int headless_run(const struct options *options);

/* Run a session that is open already (in a private network, say). The session
 * stays the caller's, with this run's sinks taken off again. `ended` may be
 * NULL. options->private_network tells that all sockets are this session's. */
int headless_run_session(struct session *session, const struct options *options,
                         headless_ended_fn *ended, void *self);

#endif
