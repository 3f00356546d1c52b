/* See export.h. */
#include "viz/export.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "viz/events/summary.h"

/* Packets that wait: that one was lost, or which connection a call belongs to,
 * is told after it came. */
enum { COLUMNS = 100, WAITING = 256 };

int export_init(struct export_file *export, enum export_form form,
                uint32_t connection, bool ascii)
{
    memset(export, 0, sizeof *export);
    export->form = form;
    export->connection = connection;
    export->ascii = ascii;
    export->store = store_new(2 * WAITING);
    if (export->store)
        return 0;
    errno = ENOMEM;
    return -1;
}

void export_fini(struct export_file *export)
{
    if (export->out)
        fclose(export->out);
    store_free(export->store);
    roll_fini(&export->roll);
}

bool export_wants(const struct export_file *export, const struct event *event)
{
    return event->kind == EVENT_PACKET && event->note->flow &&
           event->note->flow->id == export->connection;
}

int export_to(struct export_file *export, FILE *out)
{
    if (roll_init(&export->roll, export->form == EXPORT_SVG ? NULL : out,
                  COLUMNS, export->ascii) < 0) {
        fclose(out);
        errno = ENOMEM;
        return -1;
    }
    export->out = out;
    if (export->form == EXPORT_MARKDOWN)
        fprintf(out, "# Connection %u\n\n```text\n",
                (unsigned)export->connection);
    return 0;
}

static struct choice choice_of(const struct export_file *export)
{
    return (struct choice){.flow = export->connection, .calls = true};
}

/* `previous` NULL: it is the first. */
static void draw(struct export_file *export, const struct store *store,
                 const struct store_row *row, const struct store_row *previous)
{
    if (!previous) {
        roll_header(&export->roll, row->note.flow, store);
        export->roll.start_ns = row->packet.time_ns;
    }
    roll_calls(&export->roll, store, choice_of(export), row->packet.time_ns,
               INT_MAX);
    roll_packet(&export->roll, row, previous);
}

/* Of those that wait, all but the newest `but`. */
static void draw_waiting(struct export_file *export, size_t but)
{
    struct store *store = export->store;
    uint64_t forgotten = store_forgotten(store);
    size_t rows = store_rows(store);

    while (export->drawn + but < forgotten + rows) {
        size_t n = (size_t)(export->drawn++ - forgotten);

        draw(export, store, store_row(store, n),
             n > 0 ? store_row(store, n - 1) : NULL);
    }
}

void export_event(struct export_file *export, const struct event *event)
{
    bool wanted = export_wants(export, event);

    export->packets += wanted;
    if (wanted ? !export->out
               : event->kind != EVENT_CALL && event->kind != EVENT_LOST)
        return;
    if (store_rows(export->store) == 2 * WAITING)
        draw_waiting(export, WAITING);
    store_event(export->store, event);
}

void export_store(struct export_file *export, const struct store *store)
{
    const struct choice choice = choice_of(export);
    const struct store_row *previous = NULL;

    for (size_t n = 0; n < store_rows(store); n++) {
        const struct store_row *row = store_row(store, n);

        if (!ladder_shows(row, choice))
            continue;
        draw(export, store, row, previous);
        previous = row;
        export->packets++;
    }
    roll_calls(&export->roll, store, choice, INT64_MAX, INT_MAX);
}

static void finish_picture(struct export_file *export)
{
    struct canvas picture = export->roll.canvas;
    char words[64];

    if (export->roll.left_out > 0) {
        snprintf(words, sizeof words, "and %llu packets more",
                 (unsigned long long)export->roll.left_out);
        roll_words(&export->roll, words);
    }
    snprintf(words, sizeof words, "viz: connection %u",
             (unsigned)export->connection);
    picture.rows = export->roll.rows;
    canvas_svg(&picture, words, export->out);
}

int export_end(struct export_file *export, const struct flow *flow)
{
    bool failed;

    if (!export->out)
        return 0;
    draw_waiting(export, 0);
    roll_calls(&export->roll, export->store, choice_of(export), INT64_MAX,
               INT_MAX);
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
