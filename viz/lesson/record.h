/*
 * Writes what replay.h reads: an event sink that keeps all that is no packet
 * (capture_keep() keeps those). Of the kernel's sockets only changes are
 * written. The files get their names when all went well, so that a failed run
 * spoils no good recording.
 */
#ifndef VIZ_LESSON_RECORD_H
#define VIZ_LESSON_RECORD_H

#include "viz/events/event.h"

struct record;

/* Into `folder`, for a lesson of `steps` steps. NULL with errno. */
struct record *record_open(const char *folder, size_t steps);
/* Beside a capture file of its own: FILE.events for FILE.pcap; what is no
 * recording there is left alone. NULL with errno (EEXIST: it is none). */
struct record *record_open_beside(const char *pcap);
/* "capture.events" of "capture.pcap"; -1 with errno ENAMETOOLONG. */
int record_name_beside(const char *pcap, char *path, size_t size);
/* Where capture_keep() puts the packets meanwhile. */
const char *record_pcap(const struct record *record);

void record_step(struct record *record, size_t step, int64_t time_ns);
void record_event(void *record, const struct event *event); /* event_sink_fn */

/* `good`: give both files their names, else remove them; after
 * capture_close(). 0, or -1 with errno. Frees in each case. */
int record_close(struct record *record, bool good);

#endif
