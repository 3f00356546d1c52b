/*
 * What was known at packet n, until the next one came: a second store, fed with
 * the rows of the first up to n through a track of its own, and with what the
 * kernel and the programs said meanwhile. So a moment is the same whichever way
 * one came to it, and every view shows it without knowing. Pure C.
 */
#ifndef VIZ_EVENTS_MOMENT_H
#define VIZ_EVENTS_MOMENT_H

#include "viz/events/store.h"

/* Zeroed is before the first packet. */
struct moment {
    struct store *store; /* owned; NULL before the first seek */
    struct track *track;
    uint64_t at;     /* the newest packet that is known */
    int64_t told_ns; /* what the kernel and the programs said before then is
                        known too: up to the next packet */
};

void moment_fini(struct moment *moment);
/* To packet `number` of `all`, at most its newest. Going on costs a packet
 * each, going back all from the first. What the ring of `all` has forgotten
 * stays forgotten: connections then begin in the middle. 0; -1 with errno
 * ENOMEM, and then the moment is as zeroed. */
int moment_seek(struct moment *moment, const struct store *all,
                uint64_t number);

#endif
