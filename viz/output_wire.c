/* viz --json and viz --summary: what the wire alone says. */
#include "viz/output.h"

#include <stdio.h>
#include <stdlib.h>

#include "viz/events/json.h"
#include "viz/events/summary.h"

static void *json_open(const struct options *options,
                       const struct session *session)
{
    struct json_writer *json = malloc(sizeof *json);

    struct wireshark *wireshark = NULL;

    (void)session;
    if (options->wireshark)
        wireshark = wireshark_new();
    if (!json || (options->wireshark && !wireshark)) {
        fputs("viz: there is no memory left\n", stderr);
        wireshark_free(wireshark);
        free(json);
        return NULL;
    }
    json_begin(json, stdout);
    json->wireshark = wireshark;
    return json;
}

static void json_close(void *self)
{
    struct json_writer *json = self;

    wireshark_free(json->wireshark);
    json_fini(json);
    free(json);
}

static int json_end(void *self, struct session *session)
{
    const struct flow *flow;
    size_t at = 0;

    while ((flow = track_next(session->track, &at)) != NULL)
        json_flow(self, flow);
    return 0;
}

const struct output output_json = {.open = json_open,
                                   .event = json_event,
                                   .end = json_end,
                                   .close = json_close};

/* The summary reads the connections at the end, and needs nothing before. */
static void *summary_open(const struct options *options,
                          const struct session *session)
{
    static int nothing;

    (void)options;
    (void)session;
    return &nothing;
}

static void summary_event(void *self, const struct event *event)
{
    (void)self;
    (void)event;
}

static int summary_end(void *self, struct session *session)
{
    const struct flow *flow;
    size_t at = 0;

    (void)self;
    while ((flow = track_next(session->track, &at)) != NULL)
        summary_flow(stdout, flow);
    summary_totals(stdout, session->track, session->packets,
                   capture_dropped(session->capture));
    return 0;
}

static void summary_close(void *self)
{
    (void)self;
}

const struct output output_summary = {.open = summary_open,
                                      .event = summary_event,
                                      .end = summary_end,
                                      .close = summary_close};
