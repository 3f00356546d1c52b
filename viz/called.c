/* See called.h. */
#include "viz/called.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "viz/events/call.h"

enum {
    WAITING = 4096,
    HOLD_MS = 20, /* longer than the kernel keeps a frame back from the ring */
    LOOK_MS = 50,
    LOOK_AT_REST_MS = 200, /* after a second without a call; packets ask, too */
    REST_MS = 1000
};

struct called {
    struct call_feed *feed;
    struct call_flows flows;
    int64_t read_ns;  /* wall clock: calls until then have been read */
    int64_t heard_ns; /* monotonic: when there was last a call */
    size_t count;     /* in order of their return */
    struct program_call waiting[WAITING];
};

struct called *called_new(struct call_feed *feed)
{
    struct called *called = calloc(1, sizeof *called);

    if (called)
        called->feed = feed;
    else
        call_feed_close(feed);
    return called;
}

void called_free(struct called *called)
{
    if (called)
        call_feed_close(called->feed);
    free(called);
}

/* Hand on those that returned until `until_ns`. */
static void hand_on(struct called *called, int64_t until_ns,
                    event_sink_fn *sink, void *self)
{
    size_t n = 0;

    while (n < called->count && called->waiting[n].ended_ns <= until_ns) {
        struct event event = {.kind = EVENT_CALL,
                              .time_ns = called->waiting[n].ended_ns};

        event.made = called->waiting[n++];
        call_flows_find(&called->flows, &event.made);
        sink(self, &event);
    }
    if (n == 0)
        return;
    called->count -= n;
    memmove(called->waiting, called->waiting + n,
            called->count * sizeof called->waiting[0]);
}

struct putting {
    struct called *called;
    event_sink_fn *sink;
    void *self;
};

static void put(void *self, const struct event *event)
{
    struct putting *putting = self;
    struct called *called = putting->called;
    size_t at;

    if (called->count == WAITING)
        hand_on(called, called->waiting[WAITING / 4].ended_ns, putting->sink,
                putting->self);
    at = called->count;
    while (at > 0 && called->waiting[at - 1].ended_ns > event->made.ended_ns)
        at--;
    memmove(called->waiting + at + 1, called->waiting + at,
            (called->count - at) * sizeof called->waiting[0]);
    called->heard_ns = clock_now();
    called->waiting[at] = event->made;
    called->count++;
}

static void read_feed(struct called *called, event_sink_fn *sink, void *self)
{
    struct putting putting = {called, sink, self};
    int64_t now = clock_wall();

    call_feed_read(called->feed, put, &putting);
    called->read_ns = now;
}

void called_before(struct called *called, int64_t time_ns, event_sink_fn *sink,
                   void *self)
{
    if (time_ns >= called->read_ns)
        read_feed(called, sink, self);
    hand_on(called, time_ns, sink, self);
}

void called_packet(struct called *called, const struct note *note)
{
    call_flows_packet(&called->flows, note);
}

void called_rest(struct called *called, bool end, event_sink_fn *sink,
                 void *self)
{
    read_feed(called, sink, self);
    hand_on(called,
            end ? INT64_MAX : called->read_ns - (int64_t)HOLD_MS * CLOCK_MS,
            sink, self);
}

int called_timeout(const struct called *called)
{
    if (called->count > 0)
        return HOLD_MS;
    return clock_now() - called->heard_ns > (int64_t)REST_MS * CLOCK_MS
               ? LOOK_AT_REST_MS
               : LOOK_MS;
}

const char *called_lost(const struct called *called, char text[CALLED_TEXT])
{
    uint64_t lost = call_feed_lost(called->feed);

    text[0] = '\0';
    if (lost > 0)
        snprintf(text, CALLED_TEXT,
                 "%" PRIu64 " calls came faster than they could be taken and "
                 "are missing",
                 lost);
    return text;
}
