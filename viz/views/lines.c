/* See lines.h. */
#include "viz/views/lines.h"

size_t lines_before(const struct store *store, struct choice choice,
                    size_t from)
{
    size_t rows = store_rows(store);

    if (rows == 0)
        return 0;
    for (size_t n = from < rows ? from + 1 : rows; n-- > 0;) {
        if (ladder_shows(store_row(store, n), choice))
            return n;
    }
    return rows;
}

size_t lines_after(const struct store *store, struct choice choice, size_t from)
{
    size_t rows = store_rows(store), n = from;

    while (n < rows && !ladder_shows(store_row(store, n), choice))
        n++;
    return n < rows ? n : rows;
}

/* The row before place `n` in this ladder; its place in *before. */
static const struct store_row *previous_of(const struct store *store,
                                           struct choice choice, size_t n,
                                           size_t *before)
{
    *before = n > 0 ? lines_before(store, choice, n - 1) : store_rows(store);
    return store_row(store, *before);
}

/* --- folds ----------------------------------------------------------------- */

enum { LEAST_FOLD = 3 };

/* Packets [first, last] of the ladder that stand on one line. */
struct run {
    size_t first, last;
    int count;
};

static bool is_duplicate(const struct store_row *row)
{
    for (int i = 0; row && i < row->note.verdict_count; i++)
        if (row->note.verdicts[i].name == VERDICT_DUPLICATE_ACK)
            return true;
    return false;
}

static bool goes_on(const struct store_row *a, const struct store_row *b)
{
    return is_duplicate(b) && a->note.flow == b->note.flow &&
           a->note.from == b->note.from &&
           a->packet.tcp.ack == b->packet.tcp.ack;
}

/* The line on which the row at place `n` stands. */
static struct run run_at(const struct store *store, struct choice choice,
                         size_t n)
{
    const struct store_row *row = store_row(store, n);
    struct run run = {n, n, 1};
    size_t at;

    if (!choice.fold || !is_duplicate(row))
        return run;
    while (run.first > 0 &&
           (at = lines_before(store, choice, run.first - 1)) < run.first &&
           goes_on(row, store_row(store, at))) {
        run.first = at;
        run.count++;
    }
    while ((at = lines_after(store, choice, run.last + 1)) <
               store_rows(store) &&
           goes_on(row, store_row(store, at))) {
        run.last = at;
        run.count++;
    }
    return run.count < LEAST_FOLD ? (struct run){n, n, 1} : run;
}

size_t lines_first(const struct store *store, struct choice choice, size_t n)
{
    return run_at(store, choice, n).first;
}

size_t lines_last(const struct store *store, struct choice choice, size_t n)
{
    return run_at(store, choice, n).last;
}

/* A call that waited has a row of its own: that it did is worth telling. */
static bool waited(const struct program_call *call)
{
    return call->ended_ns - call->began_ns >= CALL_LONG_NS;
}

static int64_t moved(const struct program_call *call)
{
    bool moves = call->function >= CALLED_RECV &&
                 call->function <= CALLED_WRITEV;

    return moves && call->result > 0 ? call->result : 0;
}

static bool alike(const struct program_call *a, const struct program_call *b)
{
    return a->function == b->function && a->pid == b->pid && a->fd == b->fd &&
           a->flow == b->flow && !waited(a) && !waited(b) &&
           !ladder_gap(a->ended_ns, b->ended_ns) &&
           ((moved(a) > 0 && moved(b) > 0) ||
            (a->result == b->result && a->error == b->error));
}

/* The row on which the n-th call stands, with those like it before it, but
 * for those before the place `from`. In *n the place of the oldest. */
static struct call_run calls_at(const struct store *store, struct choice choice,
                                size_t from, size_t *n)
{
    const struct program_call *call = store_call(store, *n);
    struct call_run one = {call, call, 1, moved(call), 0}, run = one;

    for (size_t at = *n; choice.fold && at-- > from;) {
        call = store_call(store, at);
        if (!ladder_shows_call(call, store, choice))
            continue;
        if (!alike(call, run.oldest))
            break;
        run.oldest = call;
        run.moved += moved(call);
        run.count++;
    }
    if (run.count < LEAST_FOLD)
        return one;
    while (store_call(store, *n) != run.oldest)
        --*n;
    return run;
}

/* --- windows --------------------------------------------------------------- */

static struct ladder_line line_of(const struct store *store,
                                  const struct run *run,
                                  const struct store_row *above)
{
    return (struct ladder_line){.packet = store_row(store, run->first),
                                .previous = above,
                                .last = store_row(store, run->last),
                                .folded = run->count};
}

/* How many calls may stand between two packets, in a window of so many rows. */
enum { CALLS_MOST = 12, CALLS_FEW = 6, BETWEEN_MOST = 2 * CALLS_MOST + 1 };

static int calls_between(int rows)
{
    return rows < 20 ? CALLS_FEW : CALLS_MOST;
}

/* What stands between two packets, in its order. */
struct between {
    const struct store_row *above, *below;
    int64_t before_ns; /* of what came last, INT64_MAX: nothing did */
    int count;
    struct ladder_line line[BETWEEN_MOST];
};

/* A long pause before what comes at `time_ns` has a line of its own. */
static struct ladder_line *add_line(struct between *between, int64_t time_ns)
{
    struct ladder_line line = {.packet = between->below ? between->below
                                                        : between->above,
                               .previous = between->above,
                               .gap = true};

    if (between->before_ns != INT64_MAX &&
        ladder_gap(between->before_ns, time_ns)) {
        line.span_ns = time_ns - between->before_ns;
        between->line[between->count++] = line;
        line.span_ns = 0;
    }
    between->before_ns = time_ns;
    between->line[between->count] = line;
    return &between->line[between->count];
}

/* The calls that returned there, the newest `most` of them. */
static void add_calls(struct between *between, const struct store *store,
                      struct choice choice, int most)
{
    const struct store_row *above = between->above, *below = between->below;
    size_t from = above ? store_calls_from(store, above->packet.time_ns) : 0;
    size_t to = below ? store_calls_from(store, below->packet.time_ns)
                      : store_calls(store);
    struct call_run kept[CALLS_MOST];
    int count = 0, more = 0;

    for (size_t n = to; n-- > from && more < 999;) {
        const struct program_call *call = store_call(store, n);

        if (!ladder_shows_call(call, store, choice))
            continue;
        if (count < most)
            kept[count++] = calls_at(store, choice, from, &n);
        else if (more++ == 0)
            between->before_ns = call->ended_ns;
    }
    for (int i = count; i-- > 0;) {
        struct ladder_line *line = add_line(between, kept[i].oldest->ended_ns);

        line->calls = kept[i];
        line->calls.more = i + 1 == count ? more : 0;
        between->before_ns = kept[i].newest->ended_ns;
        between->count++;
    }
}

/* What stands between two packets of the ladder (NULL: before the first, after
 * the last): calls, and long pauses. No more than there is room for, the newest
 * of it. Returns how many lines were put. */
static int put_between(struct ladder_line *line, int room, int most,
                       const struct store *store, struct choice choice,
                       const struct store_row *above,
                       const struct store_row *below)
{
    struct between between = {.above = above,
                              .below = below,
                              .before_ns = above ? above->packet.time_ns
                                                 : INT64_MAX};
    int cut, more = 0;

    if (choice.calls)
        add_calls(&between, store, choice, most);
    if (below)
        add_line(&between, below->packet.time_ns); /* but for its pause */
    cut = between.count > room ? between.count - room : 0;
    if (cut > 0 && room > 0 && !between.line[cut].calls.newest)
        cut++; /* a pause after nothing */
    for (int i = 0; i < cut; i++)
        if (between.line[i].calls.newest)
            more += between.line[i].calls.count + between.line[i].calls.more;
    for (int i = cut; i < between.count; i++) {
        if (between.line[i].calls.newest) {
            between.line[i].calls.more += more;
            more = 0;
        }
        line[i - cut] = between.line[i];
    }
    return between.count - cut;
}

static void turn_round(struct ladder_line *line, int count)
{
    for (int i = 0; i < count / 2; i++) {
        struct ladder_line swap = line[i];

        line[i] = line[count - 1 - i];
        line[count - 1 - i] = swap;
    }
}

static bool is_newest(const struct store *store, struct choice choice, size_t n)
{
    return lines_after(store, choice, n + 1) >= store_rows(store);
}

/* From the last to the first, for a window that is filled upwards. */
static void add_between_up(struct ladder_lines *lines, int rows, int most,
                           const struct store *store, struct choice choice,
                           const struct store_row *above,
                           const struct store_row *below)
{
    struct ladder_line *line = &lines->line[lines->count];
    int count = put_between(line, rows - lines->count, most, store, choice,
                            above, below);

    turn_round(line, count);
    lines->count += count;
}

void lines_up(struct ladder_lines *lines, const struct store *store,
              struct choice choice, size_t last, int rows)
{
    size_t n = lines_before(store, choice, last), before;
    int most = calls_between(rows);

    if (rows > CANVAS_MOST_ROWS)
        rows = CANVAS_MOST_ROWS;
    lines->count = 0;
    if (!store_row(store, n)) /* no packet yet */
        add_between_up(lines, rows, most, store, choice, NULL, NULL);
    else if (choice.calls && is_newest(store, choice, n))
        add_between_up(lines, rows - 1, most, store, choice,
                       store_row(store, n), NULL);
    while (store_row(store, n) && lines->count < rows) {
        struct run run = run_at(store, choice, n);
        const struct store_row *above = previous_of(store, choice, run.first,
                                                    &before);

        lines->line[lines->count] = line_of(store, &run, above);
        lines->count++;
        add_between_up(lines, rows, most, store, choice, above,
                       store_row(store, run.first));
        n = before;
    }
    turn_round(lines->line, lines->count);
}

void lines_down(struct ladder_lines *lines, const struct store *store,
                struct choice choice, size_t first, int rows)
{
    size_t n = lines_after(store, choice, first), before;
    const struct store_row *above = NULL;
    int most = calls_between(rows);

    if (store_row(store, n))
        above = previous_of(store, choice, run_at(store, choice, n).first,
                            &before);
    if (rows > CANVAS_MOST_ROWS)
        rows = CANVAS_MOST_ROWS;
    lines->count = 0;
    while (store_row(store, n) && lines->count < rows) {
        struct run run = run_at(store, choice, n);
        struct ladder_line line = line_of(store, &run, above);

        if (lines->count > 0 || !above)
            lines->count += put_between(&lines->line[lines->count],
                                        rows - lines->count, most, store,
                                        choice, above, line.packet);
        if (lines->count == rows)
            break;
        lines->line[lines->count++] = line;
        above = line.last;
        n = lines_after(store, choice, run.last + 1);
    }
    if (choice.calls && above && n >= store_rows(store))
        lines->count += put_between(&lines->line[lines->count],
                                    rows - lines->count, most, store, choice,
                                    above, NULL);
}

void lines_draw(const struct ladder_lines *lines, struct area area,
                int64_t start_ns)
{
    for (int i = 0; i < lines->count; i++) {
        const struct ladder_line *line = &lines->line[i];

        if (line->calls.newest)
            ladder_call_row(area, i, &line->calls, start_ns);
        else if (line->gap)
            ladder_gap_row(area, i, line->span_ns);
        else if (line->folded > 1)
            ladder_fold_row(area, i, line->packet, line->previous, line->folded,
                            start_ns);
        else if (line->lost)
            ladder_lost_row(area, i, line->packet, line->previous, start_ns);
        else
            ladder_row(area, i, line->packet, line->previous, start_ns);
        if (i == 0 && !line->gap && line->packet->note.flow)
            ladder_id(area, i, line->packet->note.flow);
    }
}
