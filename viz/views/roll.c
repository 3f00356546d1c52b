/* See roll.h. */
#include "viz/views/roll.h"

#include <errno.h>
#include <string.h>

int roll_init(struct roll *roll, FILE *out, int columns, bool ascii)
{
    memset(roll, 0, sizeof *roll);
    roll->out = out;
    if (canvas_init(&roll->canvas, out ? LADDER_HEADER_ROWS : CANVAS_MOST_ROWS,
                    columns) < 0) {
        errno = ENOMEM;
        return -1;
    }
    roll->canvas.ascii = ascii;
    return 0;
}

void roll_fini(struct roll *roll)
{
    canvas_fini(&roll->canvas);
}

/* Where the next row is drawn. */
static struct area place(struct roll *roll)
{
    struct area all = canvas_area(&roll->canvas);

    return area_part(all, roll->rows, 0, all.rows - roll->rows, all.columns);
}

/* Whether a picture has room for a pause and a row; its last is kept free. */
static bool has_room(const struct roll *roll)
{
    return roll->out || roll->rows + 3 <= CANVAS_MOST_ROWS;
}

/* What was drawn on `rows` rows goes to the file, or stays in the picture. */
static void take_rows(struct roll *roll, int rows)
{
    struct canvas part = roll->canvas;

    if (!roll->out) {
        roll->rows += rows;
        return;
    }
    part.rows = rows;
    canvas_print(&part, roll->out);
    canvas_clear(&roll->canvas);
}

/* A long pause before the row that comes at `time_ns`. */
static void pause_before(struct roll *roll, int64_t time_ns)
{
    if (roll->newest_ns != 0 && ladder_gap(roll->newest_ns, time_ns)) {
        ladder_gap_row(place(roll), 0, time_ns - roll->newest_ns);
        take_rows(roll, 1);
    }
    if (time_ns > roll->newest_ns)
        roll->newest_ns = time_ns;
}

void roll_header(struct roll *roll, const struct flow *flow,
                 const struct store *store)
{
    roll->start_ns = store_start(store);
    ladder_header(place(roll), 0, flow, store);
    take_rows(roll, LADDER_HEADER_ROWS);
}

void roll_packet(struct roll *roll, const struct store_row *packet,
                 const struct store_row *previous)
{
    if (!has_room(roll)) {
        roll->left_out++;
        return;
    }
    pause_before(roll, packet->packet.time_ns);
    ladder_row(place(roll), 0, packet, previous, roll->start_ns);
    take_rows(roll, 1);
}

void roll_call(struct roll *roll, const struct call_run *call)
{
    if (!has_room(roll))
        return;
    pause_before(roll, call->newest->ended_ns);
    ladder_call_row(place(roll), 0, call, roll->start_ns);
    take_rows(roll, 1);
}

void roll_calls(struct roll *roll, const struct store *store,
                struct choice choice, int64_t until_ns, int most)
{
    size_t from = store_calls_from(store, roll->calls_from), n;
    size_t to = store_calls_from(store, until_ns);
    int shown = 0, left_out;

    for (n = from; n < to; n++)
        shown += ladder_shows_call(store_call(store, n), store, choice);
    left_out = shown > most ? shown - most : 0;
    for (n = from, shown = 0; n < to; n++) {
        struct call_run call = {.newest = store_call(store, n),
                                .oldest = store_call(store, n),
                                .count = 1};

        if (!ladder_shows_call(call.newest, store, choice) ||
            ++shown <= left_out)
            continue;
        call.more = shown == left_out + 1 ? left_out : 0;
        roll_call(roll, &call);
        roll->calls_from = call.newest->ended_ns + 1;
    }
}

void roll_words(struct roll *roll, const char *words)
{
    area_text(place(roll), 0, 1, STYLE_DIM, words);
    take_rows(roll, 1);
}
