/*
 * A lesson that was played once, kept to be shown where nothing live is
 * allowed: `replay.pcap` (the packets) and `replay.events` (what the kernel
 * and the terminals said meanwhile, and when each step was opened), merged by
 * their times. Format: docs/replay.md. Both files are hostile input.
 */
#ifndef VIZ_LESSON_REPLAY_H
#define VIZ_LESSON_REPLAY_H

#include "viz/events/event.h"

struct replay;

struct replay_error {
    char text[400]; /* "lessons/01-blocking/replay.events:7: ..." */
};

/* One thing that was recorded. Borrowed from the replay; a packet is raw. */
struct replay_item {
    int64_t time_ns;
    size_t order; /* place in its file, for equal times */
    size_t step;  /* from 0: the step that was open */
    bool is_packet;
    const uint8_t *bytes; /* of a packet */
    uint32_t captured, length;
    struct event event; /* else; its text lives as long as the replay */
};

/* The two files of `folder`, for a lesson of `steps` steps; a recording of
 * another number of steps is refused. NULL with *error filled. */
struct replay *replay_open(const char *folder, size_t steps,
                           struct replay_error *error);
/* Such a file of events alone, whatever its steps. */
struct replay *replay_open_events(const char *path, struct replay_error *error);
void replay_close(struct replay *replay);

int replay_link(const struct replay *replay); /* of its packets */
size_t replay_count(const struct replay *replay);
const struct replay_item *replay_item(const struct replay *replay, size_t n);

#endif
