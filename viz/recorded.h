/*
 * What was seen beside the packets of a capture file (FILE.events, see
 * docs/replay.md), handed on between them: the kernel's sockets, what was lost,
 * the programs' calls. Written by -w, read by -r.
 */
#ifndef VIZ_RECORDED_H
#define VIZ_RECORDED_H

#include "viz/lesson/replay.h"

struct recorded;

/* What stands beside this capture file. NULL when there is nothing, and then
 * error->text is ""; or when it cannot be read. */
struct recorded *recorded_open(const char *pcap, struct replay_error *error);
void recorded_close(struct recorded *recorded); /* NULL is fine */

/* A packet of that time is about to be handed on: what was seen before. */
void recorded_before(struct recorded *recorded, int64_t time_ns,
                     event_sink_fn *sink, void *self);
/* It was. */
void recorded_packet(struct recorded *recorded, const struct note *note);
/* No packet comes any more. */
void recorded_rest(struct recorded *recorded, event_sink_fn *sink, void *self);

#endif
