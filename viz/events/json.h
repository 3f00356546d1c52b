/*
 * `viz --json`: the event stream as one JSON object a line, schema in
 * docs/viz-json.md. The same file gives the same bytes. Packet lines are
 * printed directly; the tests parse all of them with jansson.
 */
#ifndef VIZ_EVENTS_JSON_H
#define VIZ_EVENTS_JSON_H

#include <stdio.h>

#include "viz/events/event.h"

struct json_writer {
    FILE *out;
    int64_t start_ns; /* time of the first packet; `t` counts from it */
    bool started;
};

void json_begin(struct json_writer *json, FILE *out); /* the "viz" line */
void json_event(void *json, const struct event *event); /* event_sink_fn */
void json_flow(struct json_writer *json, const struct flow *flow);

#endif
