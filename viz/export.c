/* See export.h. */
#include "viz/export.h"

#include <errno.h>
#include <string.h>

#include "viz/events/summary.h"
#include "viz/views/ladder.h"

enum { COLUMNS = 100 };

int export_init(struct export_file *export, enum export_form form,
                uint32_t connection, bool ascii)
{
    int rows = form == EXPORT_SVG ? CANVAS_MOST_ROWS : LADDER_HEADER_ROWS;

    memset(export, 0, sizeof *export);
    export->form = form;
    export->connection = connection;
    export->store = store_new(2);
    if (export->store && canvas_init(&export->canvas, rows, COLUMNS) == 0) {
        export->canvas.ascii = ascii;
        return 0;
    }
    store_free(export->store);
    errno = ENOMEM;
    return -1;
}

void export_fini(struct export_file *export)
{
    if (export->out)
        fclose(export->out);
    store_free(export->store);
    canvas_fini(&export->canvas);
}

bool export_wants(const struct export_file *export, const struct event *event)
{
    return event->kind == EVENT_PACKET && event->note->flow &&
           event->note->flow->id == export->connection;
}

void export_to(struct export_file *export, FILE *out)
{
    export->out = out;
    if (export->form == EXPORT_MARKDOWN)
        fprintf(out, "# Connection %u\n\n```text\n",
                (unsigned)export->connection);
}

/* What was drawn on `rows` rows goes to the file, or stays in the picture. */
static void take_rows(struct export_file *export, int rows)
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

static void draw_newest(struct export_file *export, bool lost)
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
    } else if (ladder_gap(before->packet.time_ns, row->packet.time_ns)) {
        ladder_gap_row(area, export->rows,
                       row->packet.time_ns - before->packet.time_ns);
        take_rows(export, 1);
    }
    if (lost)
        ladder_lost_row(area, export->rows, row, before,
                        store_start(export->store));
    else
        ladder_row(area, export->rows, row, before, store_start(export->store));
    take_rows(export, 1);
}

void export_packet(struct export_file *export, const struct event *event,
                   bool lost)
{
    export->packets++;
    if (!export->out)
        return;
    store_event(export->store, event);
    draw_newest(export, lost);
}

static void finish_picture(struct export_file *export)
{
    char title[40];

    if (export->left_out > 0) {
        area_printf(canvas_area(&export->canvas), export->rows, 1, STYLE_DIM,
                    "and %llu packets more",
                    (unsigned long long)export->left_out);
        export->rows++;
    }
    snprintf(title, sizeof title, "viz: connection %u",
             (unsigned)export->connection);
    export->canvas.rows = export->rows;
    canvas_svg(&export->canvas, title, export->out);
    export->canvas.rows = CANVAS_MOST_ROWS;
}

int export_end(struct export_file *export, const struct flow *flow)
{
    bool failed;

    if (!export->out)
        return 0;
    if (export->form == EXPORT_SVG) {
        finish_picture(export);
    } else {
        fputs(export->form == EXPORT_MARKDOWN ? "```\n\n```text\n" : "\n",
              export->out);
        if (flow) /* not so many came after it that it was forgotten */
            summary_flow(export->out, flow);
        if (export->form == EXPORT_MARKDOWN)
            fputs("```\n", export->out);
    }
    failed = ferror(export->out);
    failed |= fclose(export->out) != 0;
    export->out = NULL;
    return failed ? -1 : 0;
}
