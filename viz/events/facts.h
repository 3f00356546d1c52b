/*
 * One packet, seen from one watched port, in facts: "data from the client", "a
 * FIN by the server". Their order is that of teaching: what opens, what flows,
 * what closes, and last the states that the ends came into. Pure C.
 */
#ifndef VIZ_EVENTS_FACTS_H
#define VIZ_EVENTS_FACTS_H

#include "viz/events/observed.h"

struct sight {
    struct watched_port *port;
    struct watched *watched; /* brought up to date before */
    const struct packet *packet;
    const struct note *note;
    bool flipped; /* track's client is the end at the port */
    fact_sink_fn *sink;
    void *self;
};

void facts_of_packet(const struct sight *sight);

#endif
