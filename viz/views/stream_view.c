/*
 * The stream: what was said on the connection under the cursor, until now or
 * until the replay's packet. The store keeps the beginning of each payload: the
 * view says where more was said, and viz --stream has all that was captured.
 */
#include "viz/views/view.h"

#include <stdio.h>
#include <stdlib.h>

#include "viz/views/talk.h"
#include "viz/views/words.h"

enum { LINE = 0x2500, HEADER_ROWS = 2, ROWS_MOST = 4096 };

/* --- the rows ------------------------------------------------------------------ */

/* The newest ROWS_MOST; without memory those that there is room for. */
static void keep_row(void *self, const struct talk_row *row)
{
    struct talked *talked = self;

    if (talked->count == talked->room && talked->room < ROWS_MOST) {
        size_t room = talked->room ? 2 * talked->room : 64;
        struct talk_row *rows = realloc(talked->rows, room * sizeof *rows);

        if (rows) {
            talked->rows = rows;
            talked->room = room;
        }
    }
    if (talked->room > 0)
        talked->rows[talked->count++ % talked->room] = *row;
}

/* Of all packets that the reader may see; rows that are still right stay. */
static void read_rows(struct viewer *viewer, const struct flow *flow,
                      int columns)
{
    struct talked *talked = &viewer->talked;
    size_t rows = viewer_rows(viewer);
    struct stream stream;
    struct talk talk;

    if (talked->version == store_version(viewer->store) &&
        talked->packets == rows && talked->flow == flow->id &&
        talked->columns == columns)
        return;
    talked->count = 0;
    talked->cut = false;
    talk_init(&talk, columns, flow->protocol != PROTO_TCP, keep_row, talked);
    stream_init(&stream, talk_piece, &talk);
    for (size_t n = 0; n < rows; n++) {
        const struct store_row *row = store_row(viewer->store, n);

        if (row->note.flow != flow)
            continue;
        stream_packet(&stream, &row->packet, &row->note, row->lost);
        talked->cut |= row->packet.payload_captured == STORE_PAYLOAD &&
                       row->packet.payload_length > STORE_PAYLOAD;
    }
    stream_end(&stream);
    stream_fini(&stream);
    talk_end(&talk);
    talked->version = store_version(viewer->store);
    talked->packets = rows;
    talked->flow = flow->id;
    talked->columns = columns;
}

/* Rows are numbered from the first that there was; those before are forgotten. */
static size_t first_row(const struct talked *talked)
{
    return talked->count > talked->room ? talked->count - talked->room : 0;
}

/* --- drawing ------------------------------------------------------------------- */

static void draw_header(struct area area, const struct flow *flow, bool cut)
{
    static const char more[] = " viz --stream has more of it ";
    char end[WORDS], sent[WORDS], back[WORDS], text[2 * WORDS];
    int half = area.columns / 2 - 10, used;

    area_printf(area, 0, 1, STYLE_CLIENT, "client %s",
                end_text(&flow->end[FLOW_CLIENT].at, half, end));
    snprintf(text, sizeof text, "%s server",
             end_text(&flow->end[FLOW_SERVER].at, half, end));
    area_text(area, 0, area.columns - 1 - text_width(text), STYLE_SERVER, text);
    area_fill(area, 1, 0, area.columns, STYLE_DIM, LINE);
    used = 2 + area_printf(area, 1, 2, STYLE_DIM,
                           " connection %u: %s sent, %s back ", flow->id,
                           bytes_text(flow->end[FLOW_CLIENT].bytes, sent),
                           bytes_text(flow->end[FLOW_SERVER].bytes, back));
    if (cut && used + (int)sizeof more < area.columns)
        area_text(area, 1, area.columns - 1 - (int)sizeof more, STYLE_DIM,
                  more);
}

static void draw(struct viewer *viewer, struct area area)
{
    const struct flow *flow = viewer_flow(viewer, viewer->connection);
    struct talked *talked = &viewer->talked;
    size_t first, last;
    char why[WORDS];

    viewer->page = area.rows - HEADER_ROWS;
    if (flow) {
        read_rows(viewer, flow, area.columns);
        draw_header(area, flow, talked->cut);
    }
    area = area_part(area, HEADER_ROWS, 0, viewer->page, area.columns);
    if (!flow || talked->count == 0) {
        area_wrap(area_part(area, 1, 3, area.rows, area.columns - 6), 0, 0,
                  STYLE_DIM,
                  viewer_nothing(viewer, "There is nothing to show.",
                                 "What both ends say will appear here.",
                                 "Nothing was said here.", why, sizeof why));
        return;
    }
    first = first_row(talked);
    last = talked->count > (size_t)area.rows ? talked->count - (size_t)area.rows
                                             : 0;
    if (last < first)
        last = first;
    if (viewer->stream_top < first)
        viewer->stream_top = first;
    if (viewer->stream_top >= last) /* and stays with the newest */
        viewer->stream_top = viewer->live ? SIZE_MAX : last;
    first = viewer->stream_top > last ? last : viewer->stream_top;
    for (int row = 0; row < area.rows && first < talked->count;
         row++, first++) {
        struct talk_row what = talked->rows[first % talked->room];

        if (row == 0)
            what.goes_on = false; /* who speaks is always told */
        talk_draw(area, row, &what, store_start(viewer->store));
    }
}

/* --- keys ---------------------------------------------------------------------- */

static void open(struct viewer *viewer)
{
    uint32_t connection;

    if (viewer_connection(viewer, &connection))
        viewer->connection = connection;
    viewer->stream_top = viewer->live ? SIZE_MAX : 0;
}

/* The connection before (-1) or after (1). */
static void other_flow(struct viewer *viewer, int by)
{
    for (size_t n = 0; n < store_flows(viewer->store); n++) {
        const struct flow *flow;

        if (store_flow(viewer->store, n)->id != viewer->connection)
            continue;
        flow = by < 0 && n == 0
                   ? NULL
                   : store_flow(viewer->store, by < 0 ? n - 1 : n + 1);
        if (!flow)
            return;
        viewer->connection = flow->id;
        if (viewer->only_flow >= 0)
            viewer->only_flow = flow->id;
        viewer->selected = 0;
        viewer->stream_top = viewer->live ? SIZE_MAX : 0;
        return;
    }
}

static void move(struct viewer *viewer, long by)
{
    size_t page = (size_t)(viewer->page > 0 ? viewer->page : 0);
    size_t count = viewer->talked.count;
    size_t last = count > page ? count - page : 0, top = viewer->stream_top;

    if (top > last)
        top = last;
    if (by < 0)
        viewer->stream_top = top > (size_t)-by ? top - (size_t)-by : 0;
    else
        viewer->stream_top = top + (size_t)by;
}

static enum view_key on_key(struct viewer *viewer, int key)
{
    long page = viewer->page > 1 ? viewer->page - 1 : 1;

    switch (key) {
    case 'j':
    case INPUT_DOWN:
        move(viewer, 1);
        break;
    case 'k':
    case INPUT_UP:
        move(viewer, -1);
        break;
    case INPUT_PAGE_DOWN:
    case 'd' & 0x1F:
        move(viewer, page);
        break;
    case INPUT_PAGE_UP:
    case 'u' & 0x1F:
        move(viewer, -page);
        break;
    case 'g':
    case INPUT_HOME:
        viewer->stream_top = 0;
        break;
    case 'G':
    case INPUT_END:
        viewer->stream_top = SIZE_MAX - 1; /* drawing knows where that is */
        break;
    case 'h':
    case INPUT_LEFT:
        other_flow(viewer, -1);
        break;
    case 'l':
    case INPUT_RIGHT:
        other_flow(viewer, 1);
        break;
    default:
        return VIEW_NOT_HANDLED;
    }
    return VIEW_HANDLED;
}

static const struct view_help help[] = {
    {"\xE2\x86\x91 \xE2\x86\x93 k j", "one line up or down", "line"},
    {"PgUp PgDn", "one screen up or down; also ^U ^D", NULL},
    {"Home End", "the first, the newest; also g G", NULL},
    {"\xE2\x86\x90 \xE2\x86\x92", "the connection before, after; also h l",
     "connection"},
    {"Esc q", "back to the connections", "back"},
    {NULL, NULL, NULL},
};

const struct view view_stream = {
    .name = "stream",
    .key = '6',
    .open = open,
    .draw = draw,
    .on_key = on_key,
    .help = help,
};
