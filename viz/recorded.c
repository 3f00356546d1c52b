/* See recorded.h. */
#include "viz/recorded.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "viz/events/call.h"
#include "viz/lesson/record.h"

struct recorded {
    struct replay *replay;
    size_t next;
    struct call_flows flows;
};

struct recorded *recorded_open(const char *pcap, struct replay_error *error)
{
    struct recorded *recorded;
    char path[PATH_MAX];

    error->text[0] = '\0';
    if (strcmp(pcap, "-") == 0 ||
        record_name_beside(pcap, path, sizeof path) < 0 ||
        access(path, F_OK) < 0)
        return NULL;
    recorded = calloc(1, sizeof *recorded);
    if (!recorded)
        return NULL;
    recorded->replay = replay_open_events(path, error);
    if (recorded->replay)
        return recorded;
    free(recorded);
    return NULL;
}

void recorded_close(struct recorded *recorded)
{
    if (recorded)
        replay_close(recorded->replay);
    free(recorded);
}

static void give(struct recorded *recorded, const struct replay_item *item,
                 event_sink_fn *sink, void *self)
{
    struct event event = item->event;

    switch (event.kind) {
    case EVENT_CALL:
        call_flows_find(&recorded->flows, &event.made);
        break;
    case EVENT_SOCKET:
    case EVENT_GONE:
    case EVENT_LOOKED:
    case EVENT_LOST:
        break;
    default: /* terminals and their like are a lesson's */
        return;
    }
    sink(self, &event);
}

void recorded_before(struct recorded *recorded, int64_t time_ns,
                     event_sink_fn *sink, void *self)
{
    const struct replay_item *item;

    while ((item = replay_item(recorded->replay, recorded->next)) &&
           item->time_ns <= time_ns) {
        recorded->next++;
        give(recorded, item, sink, self);
    }
}

void recorded_packet(struct recorded *recorded, const struct note *note)
{
    call_flows_packet(&recorded->flows, note);
}

void recorded_rest(struct recorded *recorded, event_sink_fn *sink, void *self)
{
    recorded_before(recorded, INT64_MAX, sink, self);
}
