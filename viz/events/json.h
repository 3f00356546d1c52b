/*
 * `viz --json`: packets and connections, one JSON object a line; the schema is
 * docs/viz-json.md. The same file gives the same bytes. Every string in it is
 * an address or a word of ours, never a byte of payload, so that lines are
 * printed directly; the tests parse all of them with a JSON library.
 */
#ifndef VIZ_EVENTS_JSON_H
#define VIZ_EVENTS_JSON_H

#include <stdio.h>

#include "viz/events/samples.h"
#include "viz/track/wireshark.h"

struct json_writer {
    FILE *out;
    int64_t start_ns; /* of the first packet or call: `t` counts from it */
    bool started;
    struct wireshark *wireshark; /* owned by who began; NULL: its flags are
                                    not told */
    struct samples sockets;      /* as the lines have them so far */
};

/* Errors are those of `out`: ask ferror() when it is done. */
void json_begin(struct json_writer *json, FILE *out); /* the "viz" line */
/* An event_sink_fn: writes packets, losses, calls, and sockets that are not as
 * their last line had them. */
void json_event(void *json, const struct event *event);
/* The line of a connection, when the capture has ended. */
void json_flow(struct json_writer *json, const struct flow *flow);
void json_fini(struct json_writer *json);

#endif
