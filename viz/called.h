/*
 * The socket calls of a session's programs, handed on between its packets: each
 * after the packets that were before its return, with the connection that it
 * belongs to. A call that is told late is handed on late, not lost.
 */
#ifndef VIZ_CALLED_H
#define VIZ_CALLED_H

#include "viz/events/event.h"
#include "viz/lab/call_feed.h"

struct called;

/* Takes the feed, also on failure. NULL with errno ENOMEM. */
struct called *called_new(struct call_feed *feed);
void called_free(struct called *called); /* NULL is fine */

/* A packet of that time is about to be handed on: calls before it first. */
void called_before(struct called *called, int64_t time_ns, event_sink_fn *sink,
                   void *self);
/* It was. */
void called_packet(struct called *called, const struct note *note);
/* Those that no packet can come before any more; at the end: all. */
void called_rest(struct called *called, bool end, event_sink_fn *sink,
                 void *self);
/* Milliseconds until called_rest() has something to do. */
int called_timeout(const struct called *called);
/* "12 calls came faster than they could be taken and are missing"; "" while
 * none is. */
enum { CALLED_TEXT = 96 };
const char *called_lost(const struct called *called, char text[CALLED_TEXT]);

#endif
