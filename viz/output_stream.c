/*
 * viz --stream: what was said on one connection, both ends, as it comes; each
 * byte once and in order. It is the first connection, or --connection N.
 */
#include "viz/output.h"

#include <stdio.h>
#include <stdlib.h>

#include "viz/decode/decode.h"
#include "viz/views/talk.h"
#include "viz/views/words.h"

enum { STATUS_CANNOT = 2, REMEMBERED = 512 };

struct streamed {
    uint32_t connection;
    uint64_t packets;
    struct store *store;  /* the newest packets, for one to be told lost */
    struct canvas canvas; /* one row */
    struct stream stream;
    struct talk talk;
};

static void close_it(void *self)
{
    struct streamed *streamed = self;

    stream_fini(&streamed->stream);
    store_free(streamed->store);
    canvas_fini(&streamed->canvas);
    free(streamed);
}

static void print_row(void *self, const struct talk_row *row)
{
    struct streamed *streamed = self;

    talk_draw(canvas_area(&streamed->canvas), 0, row,
              store_start(streamed->store));
    canvas_print(&streamed->canvas, stdout);
    canvas_clear(&streamed->canvas);
}

static void *open_it(const struct options *options,
                     const struct session *session)
{
    struct streamed *streamed = calloc(1, sizeof *streamed);

    (void)session;
    if (streamed)
        streamed->store = store_new(REMEMBERED);
    if (!streamed || !streamed->store ||
        canvas_init(&streamed->canvas, 1, output_columns()) < 0) {
        fputs("viz: there is no memory left\n", stderr);
        if (streamed)
            store_free(streamed->store);
        free(streamed);
        return NULL;
    }
    streamed->canvas.ascii = output_ascii(options);
    streamed->connection = options->connection;
    return streamed;
}

static void begin(struct streamed *streamed, const struct flow *flow)
{
    char client[64], server[64], protocol[WORDS];

    printf("connection %u  %s  %s -> %s\n\n", (unsigned)flow->id,
           protocol_text(flow->protocol, protocol),
           endpoint_text(&flow->end[FLOW_CLIENT].at, client, sizeof client),
           endpoint_text(&flow->end[FLOW_SERVER].at, server, sizeof server));
    talk_init(&streamed->talk, streamed->canvas.columns,
              flow->protocol != PROTO_TCP, print_row, streamed);
    stream_init(&streamed->stream, talk_piece, &streamed->talk);
}

/* The wire lost what was said already; it will be sent again. */
static void tell_lost(struct streamed *streamed)
{
    const struct store_row *row = store_newest_lost(streamed->store);
    struct piece piece = {.kind = PIECE_LOST};

    if (!row || !row->note.flow || row->note.flow->id != streamed->connection ||
        row->packet.payload_length == 0)
        return;
    piece.from = row->note.from;
    piece.time_ns = row->packet.time_ns;
    piece.length = row->packet.payload_length;
    talk_piece(&streamed->talk, &piece);
}

static void take_event(void *self, const struct event *event)
{
    struct streamed *streamed = self;
    const struct flow *flow;

    store_event(streamed->store, event);
    if (event->kind == EVENT_LOST)
        tell_lost(streamed);
    if (event->kind != EVENT_PACKET)
        return;
    flow = event->note->flow;
    if (!flow || flow->id != streamed->connection)
        return;
    if (streamed->packets++ == 0)
        begin(streamed, flow);
    stream_packet(
        &streamed->stream, event->packet, event->note,
        store_row(streamed->store, store_rows(streamed->store) - 1)->lost);
}

static int finish(void *self, struct session *session)
{
    struct streamed *streamed = self;

    (void)session;
    if (streamed->packets == 0) {
        fprintf(stderr,
                "viz: there is no connection %u in what was seen; viz "
                "--summary numbers them\n",
                (unsigned)streamed->connection);
        return STATUS_CANNOT;
    }
    stream_end(&streamed->stream);
    talk_end(&streamed->talk);
    return 0;
}

const struct output output_stream = {
    .open = open_it, .event = take_event, .end = finish, .close = close_it};
