/*
 * TCP beside UDP: one connection and one conversation, and what each needed to
 * carry its bytes. The busiest of both, until others are chosen.
 */
#include "viz/views/view.h"

#include <stdio.h>

#include "viz/views/lines.h"
#include "viz/views/tally.h"
#include "viz/views/words.h"

enum { LINE = 0x2500, BAR = 0x2588, LABEL = 20, SPARK = 0x2581, SPARKS = 8 };

/* --- which ----------------------------------------------------------------- */

static uint64_t weight(const struct flow *flow)
{
    return flow->end[0].bytes + flow->end[1].bytes + flow->packets;
}

/* Whether the reader's filter lets it pass: one of its packets does. */
static bool passes(const struct viewer *viewer, const struct flow *flow)
{
    return viewer->filter.count == 0 ||
           matches_flow(&viewer->matches, flow->id);
}

/* The chosen flow of that protocol, or the busiest. */
static const struct flow *choose(const struct viewer *viewer, uint8_t protocol,
                                 int64_t chosen)
{
    const struct flow *flow = viewer_flow(viewer, chosen), *best = NULL;

    if (flow && flow->protocol == protocol && passes(viewer, flow))
        return flow;
    for (size_t n = 0; n < store_flows(viewer->store); n++) {
        flow = store_flow(viewer->store, n);
        if (flow->protocol == protocol && passes(viewer, flow) &&
            (!best || weight(flow) > weight(best)))
            best = flow;
    }
    return best;
}

static void next_flow(struct viewer *viewer, uint8_t protocol, int64_t *chosen)
{
    const struct flow *now = choose(viewer, protocol, *chosen), *first = NULL;

    for (size_t n = 0; n < store_flows(viewer->store); n++) {
        const struct flow *flow = store_flow(viewer->store, n);

        if (flow->protocol != protocol || !passes(viewer, flow))
            continue;
        if (!first)
            first = flow;
        if (now && flow->id > now->id) {
            *chosen = flow->id;
            return;
        }
    }
    if (first)
        *chosen = first->id; /* round again */
}

/* --- the table ------------------------------------------------------------- */

/* A line: what it counts, and the words where a protocol has no such thing. */
struct measure {
    const char *label;
    uint64_t (*value)(const struct tally *tally);
    bool bytes;
    const char *never[2]; /* TCP, UDP: said instead of a number */
};

static uint64_t packets(const struct tally *tally)
{
    return tally->packets;
}

static uint64_t payload(const struct tally *tally)
{
    return tally->payload;
}

static uint64_t headers(const struct tally *tally)
{
    return tally->wire - tally->payload;
}

static uint64_t opening(const struct tally *tally)
{
    return tally->opening;
}

static uint64_t only_acks(const struct tally *tally)
{
    return tally->only_acks;
}

static uint64_t closing(const struct tally *tally)
{
    return tally->closing;
}

static uint64_t trips(const struct tally *tally)
{
    return (tally->turns + 1) / 2;
}

static uint64_t again(const struct tally *tally)
{
    return tally->again;
}

/* Requests of the client that nothing came back for. */
static uint64_t unanswered(const struct tally *tally)
{
    return tally->sent[0] > tally->sent[1] ? tally->sent[0] - tally->sent[1]
                                           : 0;
}

static uint64_t reordered(const struct tally *tally)
{
    return tally->reordered;
}

static const struct measure measures[] = {
    {"packets", packets, false, {NULL, NULL}},
    {"bytes of yours", payload, true, {NULL, NULL}},
    {"bytes of headers", headers, true, {NULL, NULL}},
    {"before your first", opening, false, {NULL, NULL}},
    {"only to say: got it", only_acks, false, {NULL, "nobody says so"}},
    {"to close", closing, false, {NULL, "nothing is closed"}},
    {"there and back", trips, false, {NULL, NULL}},
    {"sent again", again, false, {NULL, "your program's job"}},
    {"without an answer", unanswered, false, {"acknowledged or again", NULL}},
    {"came out of order", reordered, false, {NULL, NULL}},
};

enum { MEASURES = sizeof measures / sizeof measures[0] };

static char *value_text(const struct measure *measure, uint64_t value,
                        char text[WORDS])
{
    return measure->bytes ? bytes_text(value, text) : amount_text(value, text);
}

/* A number and a bar of its share of the larger one. */
static void draw_cell(struct area area, int row, const struct measure *measure,
                      const struct tally *tally, uint64_t most, int which)
{
    enum { NUMBER = 8 };
    uint64_t value = measure->value(tally);
    int room = area.columns - NUMBER - 2;
    enum style style = which == 0 ? STYLE_CLIENT : STYLE_SERVER;
    char text[WORDS];

    if (measure->never[which]) {
        area_text(area, row, 0, STYLE_DIM, measure->never[which]);
        return;
    }
    value_text(measure, value, text);
    area_text(area, row, NUMBER - text_width(text), STYLE_PLAIN, text);
    if (most > 0 && value > 0 && room > 0) {
        int bar = (int)((double)value * room / (double)most);

        area_fill(area, row, NUMBER + 1, bar > 0 ? bar : 1, style, BAR);
    }
}

static void draw_share(struct area area, int row, const struct tally *tally)
{
    double share = tally->wire > 0
                       ? 100.0 * (double)(tally->wire - tally->payload) /
                             (double)tally->wire
                       : 0;

    area_printf(area, row, 0, STYLE_PLAIN, "%6.1f %%", share);
}

/* Bytes over time, each flow from its own beginning, at the same scale. */
static void draw_spark(struct area area, int row, const struct tally *tally,
                       uint64_t most, int which)
{
    int bins = area.columns - 1 < TALLY_BINS ? area.columns - 1 : TALLY_BINS;

    for (int i = 0; i < bins; i++) {
        uint64_t sum = 0;
        int level;

        for (int b = i * TALLY_BINS / bins; b < (i + 1) * TALLY_BINS / bins;
             b++)
            sum = tally->bins[b] > sum ? tally->bins[b] : sum;
        level = most > 0 ? (int)((double)sum * (SPARKS - 1) / (double)most) : 0;
        if (sum > 0)
            area_fill(area, row, i, 1, which == 0 ? STYLE_CLIENT : STYLE_SERVER,
                      (uint32_t)(SPARK + level));
        else
            area_fill(area, row, i, 1, STYLE_DIM, 0xB7);
    }
}

static uint64_t highest_bin(const struct tally tallies[2])
{
    uint64_t most = 0;

    for (int which = 0; which < 2; which++)
        for (int i = 0; i < TALLY_BINS; i++)
            if (tallies[which].bins[i] > most)
                most = tallies[which].bins[i];
    return most;
}

/* Returns the rows used. */
static int draw_table(struct area area, const struct tally tallies[2])
{
    int half = (area.columns - LABEL - 1) / 2, row = 0;
    struct area cells[2] = {
        area_part(area, 0, LABEL, area.rows, half),
        area_part(area, 0, LABEL + half + 1, area.rows, half)};
    uint64_t highest = highest_bin(tallies);
    char text[WORDS];

    for (int i = 0; i < MEASURES; i++, row++) {
        uint64_t a = measures[i].value(&tallies[0]);
        uint64_t b = measures[i].value(&tallies[1]);

        area_text(area, row, 1, STYLE_DIM, measures[i].label);
        for (int which = 0; which < 2; which++)
            draw_cell(cells[which], row, &measures[i], &tallies[which],
                      a > b ? a : b, which);
        if (measures[i].value != headers)
            continue;
        row++;
        area_text(area, row, 1, STYLE_DIM, "share of headers");
        for (int which = 0; which < 2; which++)
            draw_share(cells[which], row, &tallies[which]);
    }
    area_text(area, row, 1, STYLE_DIM, "lasted");
    area_text(area, row + 1, 1, STYLE_DIM, "bytes over time");
    for (int which = 0; which < 2; which++) {
        const struct tally *tally = &tallies[which];

        span_text(tally->last_ns - tally->first_ns, text);
        area_text(cells[which], row, 8 - text_width(text), STYLE_PLAIN, text);
        draw_spark(cells[which], row + 1, tally, highest, which);
    }
    return row + 2;
}

/* --- the view -------------------------------------------------------------- */

static void draw_titles(struct area area, const struct tally tallies[2])
{
    static const char *const names[] = {"TCP", "UDP"};
    int half = (area.columns - LABEL - 1) / 2;
    char end[WORDS];

    for (int which = 0; which < 2; which++)
        area_printf(
            area_part(area, 0, LABEL + which * (half + 1), 1, half), 0, 0,
            which == 0 ? STYLE_CLIENT : STYLE_SERVER, "%s %u  %s", names[which],
            tallies[which].flow->id,
            end_text(&tallies[which].flow->end[FLOW_SERVER].at, half - 9, end));
}

static void draw_sum(struct area area, int row, const struct tally tallies[2])
{
    const struct tally *tcp = &tallies[0], *udp = &tallies[1];
    char yours[WORDS], other[WORDS];

    if (tcp->payload == udp->payload)
        area_printf(area, row, 1, STYLE_STRONG,
                    "The same %s of yours: %llu packets by TCP, %llu by UDP.",
                    bytes_text(tcp->payload, yours),
                    (unsigned long long)tcp->packets,
                    (unsigned long long)udp->packets);
    else
        area_printf(area, row, 1, STYLE_PLAIN,
                    "Not the same bytes: %s by TCP, %s by UDP. t and u choose "
                    "others.",
                    bytes_text(tcp->payload, yours),
                    bytes_text(udp->payload, other));
}

/* The newest packets of both, where there is room. */
static void draw_ladders(const struct viewer *viewer, struct area area,
                         const struct tally tallies[2])
{
    int half = (area.columns - 1) / 2;

    if (area.rows < 4 || viewer_rows(viewer) == 0)
        return;
    for (int which = 0; which < 2; which++) {
        struct area part = area_part(area, 0, which * (half + 1), area.rows,
                                     half);
        struct ladder_lines lines;

        ladder_rule(part, 0, true, "");
        lines_up(&lines, viewer->store,
                 (struct choice){.flow = tallies[which].flow->id},
                 viewer_rows(viewer) - 1, part.rows - 1);
        lines_draw(&lines, area_part(part, 1, 0, part.rows - 1, half),
                   store_start(viewer->store));
    }
}

static void draw_missing(const struct viewer *viewer, struct area area,
                         const struct flow *tcp, const struct flow *udp)
{
    const char *what = tcp   ? "There is a TCP connection, and no UDP yet."
                       : udp ? "There is UDP here, and no TCP connection yet."
                             : "There is neither TCP nor UDP here yet.";
    int row = area_wrap(area_part(area, 1, 3, area.rows, area.columns - 6), 0,
                        0, STYLE_PLAIN, what);

    area_wrap(area_part(area, 2 + row, 3, area.rows, area.columns - 6), 0, 0,
              STYLE_DIM,
              viewer->filter.count > 0
                  ? "The filter may hide it: / changes it, an empty one shows "
                    "all."
              : viewer->live
                  ? "Send the same bytes both ways, and see here what "
                    "each of them costs."
                  : "A capture with both shows here what each of them "
                    "costs.");
}

static void draw(struct viewer *viewer, struct area area)
{
    const struct flow *tcp, *udp;
    size_t rows = viewer_rows(viewer);
    struct tally tallies[2];
    int64_t span;
    int used;

    if (viewer->filter.count > 0)
        matches_update(&viewer->matches, viewer->store, &viewer->filter);
    tcp = choose(viewer, PROTO_TCP, viewer->beside[0]);
    udp = choose(viewer, PROTO_UDP, viewer->beside[1]);

    if (!tcp || !udp) {
        draw_missing(viewer, area, tcp, udp);
        return;
    }
    span = tcp->last_ns - tcp->first_ns;
    if (udp->last_ns - udp->first_ns > span)
        span = udp->last_ns - udp->first_ns;
    tally_flow(&tallies[0], viewer->store, rows, tcp, span);
    tally_flow(&tallies[1], viewer->store, rows, udp, span);
    draw_titles(area, tallies);
    area_fill(area, 1, 0, area.columns, STYLE_DIM, LINE);
    used = 2 +
           draw_table(area_part(area, 2, 0, area.rows, area.columns), tallies);
    draw_sum(area, used, tallies);
    draw_ladders(viewer, area_part(area, used + 1, 0, area.rows, area.columns),
                 tallies);
}

static enum view_key on_key(struct viewer *viewer, int key)
{
    if (key == 't')
        next_flow(viewer, PROTO_TCP, &viewer->beside[0]);
    else if (key == 'u')
        next_flow(viewer, PROTO_UDP, &viewer->beside[1]);
    else
        return VIEW_NOT_HANDLED;
    return VIEW_HANDLED;
}

static const struct view_help help[] = {
    {"t", "another TCP connection", "TCP"},
    {"u", "another UDP conversation", "UDP"},
    {"Esc q", "back to the connections", "back"},
    {NULL, NULL, NULL},
};

const struct view view_beside = {
    .name = "TCP beside UDP",
    .key = '4',
    .draw = draw,
    .on_key = on_key,
    .help = help,
};
