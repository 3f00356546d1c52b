/*
 * viz --export FILE: one connection by itself, in the form that FILE's name
 * ends in: a ladder as text (.txt), with its facts as Markdown (.md), as a
 * picture (.svg), or its packets (.pcap). The same capture, the same bytes.
 */
#include "viz/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/events/summary.h"
#include "viz/screen/canvas.h"
#include "viz/views/ladder.h"

enum { COLUMNS = 100, STATUS_CANNOT = 2 };

struct exported {
    const char *path;
    enum export_form form;
    uint32_t connection;
    struct capture *capture; /* borrowed */
    struct store *store;     /* of this connection: its two newest packets */
    struct canvas canvas;    /* the rows to come; of a picture: all of them */
    int rows;                /* of a picture, so far */
    uint64_t packets, left_out;
    FILE *out; /* opened at the first packet */
    bool failed;
    struct capture_error error;
};

static void export_close(void *self)
{
    struct exported *export = self;

    if (export->out)
        fclose(export->out);
    store_free(export->store);
    canvas_fini(&export->canvas);
    free(export);
}

static void *export_open(const struct options *options,
                         const struct session *session)
{
    struct exported *export = calloc(1, sizeof *export);
    int rows = options->export_form == EXPORT_SVG ? CANVAS_MOST_ROWS
                                                  : LADDER_HEADER_ROWS;

    if (export)
        export->store = store_new(2);
    if (!export || !export->store ||
        canvas_init(&export->canvas, rows, COLUMNS) < 0) {
        fputs("viz: there is no memory left\n", stderr);
        if (export)
            export_close(export);
        return NULL;
    }
    export->path = options->export_path;
    export->form = options->export_form;
    export->connection = options->connection;
    export->capture = session->capture;
    export->canvas.ascii = options->ascii;
    if (export->form == EXPORT_PCAP &&
        capture_keep_chosen(export->capture, export->path, &export->error) <
            0) {
        fprintf(stderr, "viz: %s", export->error.text);
        export_close(export);
        return NULL;
    }
    return export;
}

/* --- the ladder ------------------------------------------------------------ */

/* What was drawn on `rows` rows goes to the file, or stays in the picture. */
static void take_rows(struct exported *export, int rows)
{
    struct canvas part = export->canvas;

    if (export->form == EXPORT_SVG) {
        export->rows += rows;
        return;
    }
    part.rows = rows;
    canvas_print(&part, export->out);
    canvas_clear(&export->canvas);
}

static void draw_packet(struct exported *export)
{
    struct area area = canvas_area(&export->canvas);
    size_t rows = store_rows(export->store);
    const struct store_row *row = store_row(export->store, rows - 1);
    const struct store_row *before = rows > 1
                                         ? store_row(export->store, rows - 2)
                                         : NULL;

    if (export->rows + 3 > CANVAS_MOST_ROWS) { /* one is kept for the rest */
        export->left_out++;
        return;
    }
    if (!before) {
        ladder_header(area, export->rows, row->note.flow, export->store);
        take_rows(export, LADDER_HEADER_ROWS);
    } else if (ladder_gap(row, before)) {
        ladder_gap_row(area, export->rows, row, before);
        take_rows(export, 1);
    }
    ladder_row(area, export->rows, row, before, store_start(export->store));
    take_rows(export, 1);
}

static bool begin(struct exported *export)
{
    if (export->out || export->form == EXPORT_PCAP)
        return true;
    export->out = export->failed ? NULL : fopen(export->path, "we");
    export->failed = !export->out;
    if (export->out && export->form == EXPORT_MARKDOWN)
        fprintf(export->out, "# Connection %u\n\n```text\n",
                (unsigned)export->connection);
    if (export->failed && export->packets == 1)
        fprintf(stderr, "viz: %s cannot be written: %s\n", export->path,
                strerror(errno));
    return !export->failed;
}

static void export_event(void *self, const struct event *event)
{
    struct exported *export = self;

    if (event->kind != EVENT_PACKET || !event->note->flow ||
        event->note->flow->id != export->connection)
        return;
    export->packets++;
    if (!begin(export))
        return;
    if (export->form == EXPORT_PCAP) {
        capture_keep_this(export->capture);
        return;
    }
    store_event(export->store, event);
    draw_packet(export);
}

/* --- the end --------------------------------------------------------------- */

static const struct flow *flow_of(const struct exported *export,
                                  struct session *session)
{
    const struct flow *flow;
    size_t at = 0;

    while ((flow = track_next(session->track, &at)) != NULL)
        if (flow->id == export->connection)
            return flow;
    return NULL;
}

static void finish(struct exported *export, struct session *session)
{
    const struct flow *flow = flow_of(export, session);
    char title[40];

    if (export->form == EXPORT_SVG) {
        if (export->left_out > 0) {
            area_printf(canvas_area(&export->canvas), export->rows, 1,
                        STYLE_DIM, "and %llu packets more",
                        (unsigned long long)export->left_out);
            export->rows++;
        }
        snprintf(title, sizeof title, "viz: connection %u",
                 (unsigned)export->connection);
        export->canvas.rows = export->rows;
        canvas_svg(&export->canvas, title, export->out);
        export->canvas.rows = CANVAS_MOST_ROWS;
        return;
    }
    if (export->form == EXPORT_MARKDOWN)
        fputs("```\n\n```text\n", export->out);
    else
        fputc('\n', export->out);
    if (flow) /* not so many came after it that it was forgotten */
        summary_flow(export->out, flow);
    if (export->form == EXPORT_MARKDOWN)
        fputs("```\n", export->out);
}

static int export_end(void *self, struct session *session)
{
    struct exported *export = self;
    bool failed;

    if (export->packets == 0) {
        fprintf(stderr,
                "viz: there is no connection %u in what was seen; viz "
                "--summary numbers them\n",
                (unsigned)export->connection);
        return STATUS_CANNOT;
    }
    if (export->failed)
        return STATUS_CANNOT;
    if (export->form != EXPORT_PCAP) {
        finish(export, session);
        failed = ferror(export->out);
        failed |= fclose(export->out) != 0;
        export->out = NULL;
        if (failed) {
            fprintf(stderr, "viz: %s cannot be written: %s\n", export->path,
                    strerror(errno));
            return STATUS_CANNOT;
        }
    }
    printf("connection %u, %llu packets: %s\n", (unsigned)export->connection,
           (unsigned long long)export->packets, export->path);
    return 0;
}

const struct output output_export = {.open = export_open,
                                     .event = export_event,
                                     .end = export_end,
                                     .close = export_close};
