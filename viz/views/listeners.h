/*
 * Who waits for connections or datagrams, as the kernel shows it: in order of
 * port, so that the list does not dance between two looks.
 */
#ifndef VIZ_VIEWS_LISTENERS_H
#define VIZ_VIEWS_LISTENERS_H

#include "viz/events/store.h"

enum { LISTENERS = 64 };

/* The first `most` (at most LISTENERS) TCP listeners and, with `udp`, bound
 * UDP sockets without a peer; valid until the next event. */
int listeners_find(const struct store *store, bool udp,
                   const struct socket_sample *found[LISTENERS], int most);

#endif
