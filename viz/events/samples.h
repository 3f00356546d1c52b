/*
 * The kernel's sockets as of the last look: EVENT_SOCKET puts one in or brings
 * it up to date, EVENT_GONE takes it out. A sample is known by its cookie.
 * The store and the expectations each keep one. Pure C.
 */
#ifndef VIZ_EVENTS_SAMPLES_H
#define VIZ_EVENTS_SAMPLES_H

#include "viz/events/event.h"

struct sample {
    struct socket_sample socket;
    uint64_t update; /* the higher, the newer */
};

/* Zeroed is empty. Items move when one is removed: keep no pointer. */
struct samples {
    struct sample *items;
    size_t count, room;
    uint32_t *slots; /* hash of cookie -> item + 1; 0 free */
    size_t slot_count;
    uint64_t updates;
};

/* A kernel with more sockets than this on one view is cut there. */
enum { SAMPLES_MOST = 65536 };

void samples_fini(struct samples *samples);
/* As seen at `time_ns`; what is kept knows since when it is in its state. 0, or
 * -1 with errno ENOMEM: then it is not in. */
int samples_put(struct samples *samples, const struct socket_sample *socket,
                int64_t time_ns);
/* Whether it says something else of a socket than `old` did. */
bool samples_news(const struct socket_sample *old,
                  const struct socket_sample *socket);
void samples_remove(struct samples *samples,
                    const struct socket_sample *socket);

/* The same address and port, an IPv4 one also as mapped into IPv6. */
bool samples_same_end(const struct endpoint *a, const struct endpoint *b);
/* What was put in for the same socket last, NULL for nothing. */
const struct socket_sample *samples_find(const struct samples *samples,
                                         const struct socket_sample *socket);
/* The newest socket of `protocol` between these two ends, NULL for none. */
const struct socket_sample *samples_between(const struct samples *samples,
                                            uint8_t protocol,
                                            const struct endpoint *local,
                                            const struct endpoint *remote);
/* A TCP listener, or a UDP socket without a peer, that gets what is sent to
 * `local`; an address family of 0 asks for the port alone. NULL for none. */
const struct socket_sample *samples_bound(const struct samples *samples,
                                          uint8_t protocol,
                                          const struct endpoint *local);

#endif
