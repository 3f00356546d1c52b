/*
 * The socket calls of programs that the lab starts: makes the file that the
 * preload library (viz/calls) writes to, and reads it. The programs can write
 * anything into it, cut it or remove it; they are only read, record by record,
 * and never mapped.
 */
#ifndef VIZ_LAB_CALL_FEED_H
#define VIZ_LAB_CALL_FEED_H

#include "viz/calls/trace.h"
#include "viz/events/event.h"

struct call_feed;

/* The file, for programs of the student's. NULL with errno: no library beside
 * this program (ENOENT), or no place for the file. Before any rights are given
 * up. */
struct call_feed *call_feed_open(enum trace_whose whose);
/* NULL is fine; removes the file. */
void call_feed_close(struct call_feed *feed);
const char *call_feed_path(const struct call_feed *feed);

enum { CALL_FEED_PATH = 64 };
/* Set the variables that what is started then will inherit, so that it tells
 * its calls into the file of that path; and take them out of our own
 * environment again. 0 or -1 with errno. */
int call_feed_offer(const char *path);
void call_feed_withdraw(void);
/* The library, which wants to be in LD_PRELOAD. 0 or -1 with errno. */
int call_feed_library(char *path, size_t size);

/* Hand on the calls that have been written since the last time, at most one
 * ring of them, as EVENT_CALL without a flow. How many. */
int call_feed_read(struct call_feed *feed, event_sink_fn *sink, void *self);
/* Records that were overtaken, never finished, or said nonsense. */
uint64_t call_feed_lost(const struct call_feed *feed);

/* The decoder: false for a record that cannot be of a call that returned
 * between `start_ns` and `now_ns`. Pure. */
bool call_record_read(const struct trace_record *record, int64_t start_ns,
                      int64_t now_ns, struct program_call *call);

#endif
