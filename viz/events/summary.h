/* `viz --summary`: one block of plain text a connection, then totals. */
#ifndef VIZ_EVENTS_SUMMARY_H
#define VIZ_EVENTS_SUMMARY_H

#include <stdio.h>

#include "viz/track/track.h"

void summary_flow(FILE *out, const struct flow *flow);
void summary_totals(FILE *out, struct track *track, uint64_t packets,
                    uint64_t dropped);

#endif
