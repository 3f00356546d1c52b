/* See lines.h. */
#include "viz/views/lines.h"

size_t lines_before(const struct store *store, int64_t flow, size_t from)
{
    size_t rows = store_rows(store);

    if (rows == 0)
        return 0;
    for (size_t n = from < rows ? from + 1 : rows; n-- > 0;) {
        if (ladder_shows(store_row(store, n), flow))
            return n;
    }
    return rows;
}

size_t lines_after(const struct store *store, int64_t flow, size_t from)
{
    size_t rows = store_rows(store), n = from;

    while (n < rows && !ladder_shows(store_row(store, n), flow))
        n++;
    return n < rows ? n : rows;
}

/* The row before place `n` in this ladder; its place in *before. */
static const struct store_row *previous_of(const struct store *store,
                                           int64_t flow, size_t n,
                                           size_t *before)
{
    *before = n > 0 ? lines_before(store, flow, n - 1) : store_rows(store);
    return store_row(store, *before);
}

void lines_up(struct ladder_lines *lines, const struct store *store,
              int64_t flow, size_t last, int rows)
{
    size_t n = lines_before(store, flow, last), before;
    const struct store_row *packet = store_row(store, n);

    if (rows > CANVAS_MOST_ROWS)
        rows = CANVAS_MOST_ROWS;
    lines->count = 0;
    while (packet && lines->count < rows) {
        const struct store_row *above = previous_of(store, flow, n, &before);

        lines->line[lines->count++] = (struct ladder_line){packet, above,
                                                           false};
        if (ladder_gap(packet, above) && lines->count < rows)
            lines->line[lines->count++] = (struct ladder_line){packet, above,
                                                               true};
        packet = above;
        n = before;
    }
    for (int i = 0; i < lines->count / 2; i++) {
        struct ladder_line swap = lines->line[i];

        lines->line[i] = lines->line[lines->count - 1 - i];
        lines->line[lines->count - 1 - i] = swap;
    }
}

void lines_down(struct ladder_lines *lines, const struct store *store,
                int64_t flow, size_t first, int rows)
{
    size_t n = lines_after(store, flow, first), before;
    const struct store_row *packet = store_row(store, n);
    const struct store_row *above = packet
                                        ? previous_of(store, flow, n, &before)
                                        : NULL;

    if (rows > CANVAS_MOST_ROWS)
        rows = CANVAS_MOST_ROWS;
    lines->count = 0;
    while (packet && lines->count < rows) {
        if (lines->count > 0 && ladder_gap(packet, above)) {
            lines->line[lines->count++] = (struct ladder_line){packet, above,
                                                               true};
            if (lines->count == rows)
                break;
        }
        lines->line[lines->count++] = (struct ladder_line){packet, above,
                                                           false};
        above = packet;
        n = lines_after(store, flow, n + 1);
        packet = store_row(store, n);
    }
}

void lines_draw(const struct ladder_lines *lines, struct area area,
                int64_t start_ns)
{
    for (int i = 0; i < lines->count; i++) {
        const struct ladder_line *line = &lines->line[i];

        if (line->gap)
            ladder_gap_row(area, i, line->packet, line->previous);
        else
            ladder_row(area, i, line->packet, line->previous, start_ns);
        if (i == 0 && !line->gap && line->packet->note.flow)
            ladder_id(area, i, line->packet->note.flow);
    }
}
