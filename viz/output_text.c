/* viz --text: the ladder, a line a packet, as they come. */
#include "viz/output.h"

#include <stdio.h>
#include <stdlib.h>

#include "viz/decode/decode.h"
#include "viz/explain/explain.h"
#include "viz/views/label.h"
#include "viz/views/roll.h"
#include "viz/views/words.h"

enum { REMEMBERED = 512 }; /* rows, for the kernel to say that one was lost */

struct text {
    struct store *store; /* the newest rows */
    struct roll roll;
    uint32_t next_flow; /* ids from here on have had no header */
    bool calls;
};

static void *text_open(const struct options *options,
                       const struct session *session)
{
    struct text *text = calloc(1, sizeof *text);

    (void)session;
    if (text)
        text->store = store_new(REMEMBERED);
    if (!text || !text->store ||
        roll_init(&text->roll, stdout, output_columns(),
                  output_ascii(options)) < 0) {
        fputs("viz: there is no memory left\n", stderr);
        if (text)
            store_free(text->store);
        free(text);
        return NULL;
    }
    text->calls = options->calls;
    return text;
}

/* The kernel's word comes after the packet's row was printed, or before: then
 * the row itself is drawn broken. */
static void print_lost(const struct text *text, const struct event *event)
{
    enum { NAME = 28 };
    const struct store_row *row = store_newest_lost(text->store);
    char to[64], time[WORDS], name[WORDS];
    struct store_row bare;

    if (!row)
        return;
    bare = *row;
    bare.packet.payload_captured = 0; /* its numbers name it */
    printf(
        "%9s  lost by the wire: %s did not reach %s",
        seconds_text(row->packet.time_ns - store_start(text->store), 9, time),
        packet_text(&bare, NAME, name),
        endpoint_text(&event->lost.destination, to, sizeof to));
    if (event->flow)
        printf(", which is %s",
               tcp_state_name(event->flow->end[!row->note.from].state));
    fputc('\n', stdout);
}

/* Calls from before the first packet stand above the ladder, without one. */
static void print_call(struct text *text, const struct program_call *call)
{
    const struct choice all = {.flow = -1, .calls = true};
    const struct call_run run = {.newest = call, .oldest = call, .count = 1};

    if (!text->calls || !ladder_shows_call(call, text->store, all))
        return;
    roll_call(&text->roll, &run);
}

/* Once a connection, when the handshake has shown it; on loopback, where both
 * ends are, there is nothing to tell. */
static void print_vantage(const struct flow *flow)
{
    if (flow->vantage != VANTAGE_UNKNOWN && flow->vantage != VANTAGE_BOTH)
        printf("%9s  %s\n", "", explain_vantage(flow->vantage));
}

static void text_event(void *self, const struct event *event)
{
    struct text *text = self;
    const struct store_row *row, *previous;
    const struct flow *flow;
    size_t rows;

    store_event(text->store, event);
    if (event->kind == EVENT_CALL)
        print_call(text, &event->made);
    if (event->kind == EVENT_LOST)
        print_lost(text, event);
    if (event->kind != EVENT_PACKET)
        return;
    rows = store_rows(text->store);
    row = store_row(text->store, rows - 1);
    previous = rows > 1 ? store_row(text->store, rows - 2) : NULL;
    flow = row->note.flow;
    if (flow && flow->id >= text->next_flow) {
        text->next_flow = flow->id + 1;
        if (previous)
            fputc('\n', stdout);
        roll_header(&text->roll, flow, text->store);
    }
    text->roll.start_ns = store_start(text->store); /* also without a flow */
    roll_packet(&text->roll, row, previous);
    if (row->note.handshake_done)
        print_vantage(flow);
}

static int text_end(void *self, struct session *session)
{
    (void)self;
    if (session->packets == 0)
        fputs("no packet was seen\n", stderr);
    return 0;
}

static void text_close(void *self)
{
    struct text *text = self;

    store_free(text->store);
    roll_fini(&text->roll);
    free(text);
}

const struct output output_text = {.open = text_open,
                                   .event = text_event,
                                   .end = text_end,
                                   .close = text_close};
