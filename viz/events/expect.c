/*
 * See expect.h. One line is awaited at a time. Its event may lie a moment
 * back (states are seen late), so facts are logged, and each source (the wire,
 * a terminal) has a mark up to which its facts belong to lines that are true.
 * A line takes the first fact behind the mark that fits, and moves the mark.
 */
#include "viz/events/expect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/events/lines.h"
#include "viz/events/quote.h"

enum { MOST_LINES = 256 };

struct expect *expect_new(bool kernel)
{
    struct expect *expect = calloc(1, sizeof *expect);

    if (expect)
        expect->observed.kernel = kernel;
    return expect;
}

static void free_line(struct line *line)
{
    free(line->text);
    free(line->path);
    free(line->partials);
    free(line->failure);
}

void expect_free(struct expect *expect)
{
    if (!expect)
        return;
    for (size_t i = 0; i < expect->count; i++)
        free_line(&expect->lines[i]);
    free(expect->lines);
    fact_log_fini(&expect->log);
    observed_fini(&expect->observed);
    free(expect);
}

/* --- lines ----------------------------------------------------------------- */

static int no_memory(char *why, size_t size)
{
    snprintf(why, size, "there is no memory left");
    errno = EINVAL;
    return -1;
}

static int too_many(char *why, size_t size)
{
    snprintf(why, size,
             "one block holds at most %d lines about %d ports and %d paths",
             MOST_LINES, OBSERVED_PORTS, OBSERVED_PATHS);
    errno = EINVAL;
    return -1;
}

/* The line as a person sees it: its words, with nothing a terminal obeys. */
static char *shown(const char *text)
{
    static const char space[] = " \t\r\n";
    char *copy = strdup(text + strspn(text, space));
    size_t length = copy ? strlen(copy) : 0;

    if (!copy)
        return NULL;
    while (length > 0 && strchr(space, copy[length - 1]))
        length--;
    copy[length] = '\0';
    quote(copy, length + 1, copy);
    return copy;
}

/* What the line needs beside its term; 0, or -1 with errno. */
static int prepare(struct expect *expect, struct line *line, const char *text)
{
    const struct term *term = &line->term;

    if (term->protocol != 0 &&
        observed_watch(&expect->observed, term->protocol, term->port) < 0)
        return -1;
    line->text = shown(text);
    if (!line->text || line_prepare(line) < 0)
        return -1;
    if (term->kind != TERM_LISTEN_UNIX)
        return 0;
    line->path = strdup((const char *)term->text);
    return line->path ? observed_watch_path(&expect->observed, line->path) : -1;
}

int expect_add(struct expect *expect, const char *text, char *why, size_t size)
{
    struct line line = {.status = EXPECT_WAITING}, *lines;

    if (term_read(&line.term, text, why, size) < 0)
        return -1;
    if (expect->count == MOST_LINES)
        return too_many(why, size);
    lines = realloc(expect->lines, (expect->count + 1) * sizeof line);
    if (!lines)
        return no_memory(why, size);
    expect->lines = lines;
    if (prepare(expect, &line, text) < 0) {
        bool full = errno == ENOSPC;

        free_line(&line);
        return full ? too_many(why, size) : no_memory(why, size);
    }
    expect->lines[expect->count++] = line;
    return 0;
}

/* --- one line after the other ---------------------------------------------- */

static bool holds(const struct expect *expect, const struct term *term)
{
    const struct observed *observed = &expect->observed;

    switch (term->kind) {
    case TERM_LISTEN:
        return observed_listens(observed, term->protocol, term->port);
    case TERM_LISTEN_UNIX:
        return observed_listens_unix(observed, (const char *)term->text);
    case TERM_STATE:
        return observed_in_state(observed, term->port, term->side, term->state);
    case TERM_ESTABLISHED:
        return observed_established(observed, term->port) == term->times;
    case TERM_SHELL:
        return observed->terminals[term->terminal - 'A'].opened;
    default:
        return false;
    }
}

/* The lines from `first` to the next positive one come into force. */
static void come_into_force(struct expect *expect, size_t first)
{
    expect->first = first;
    expect->looked_back = false;
    for (size_t n = first;; n++) {
        expect->next = n;
        if (n == expect->count)
            return;
        expect->lines[n].seen = 0;
        expect->lines[n].partial_count = 0;
        if (!expect->lines[n].term.negative)
            return;
    }
}

static void come_true(struct expect *expect)
{
    expect->lines[expect->next].status = EXPECT_TRUE;
    come_into_force(expect, expect->next + 1);
}

/* Whether lines that are true have passed this fact by. */
static bool passed(const struct expect *expect, const struct fact *fact)
{
    const uint64_t *consumed = expect->consumed;

    if (fact->source == SOURCE_WIRE &&
        (fact->number <= consumed[SOURCE_CLIENT] ||
         fact->number <= consumed[SOURCE_SERVER]))
        return true;
    return fact->number <= consumed[fact->source];
}

static void consume(struct expect *expect, const struct fact *fact)
{
    uint64_t *consumed = expect->consumed;

    consumed[fact->source] = fact->number;
    if (fact->source != SOURCE_WIRE)
        return;
    for (int end = SOURCE_CLIENT; end <= SOURCE_SERVER; end++)
        if (consumed[end] < fact->number)
            consumed[end] = fact->number;
}

/* Show a fact to the lines in force; whether the awaited one came true. */
static bool show(struct expect *expect, const struct fact *fact)
{
    struct line *line;

    for (size_t n = expect->first; n < expect->next; n++) {
        line = &expect->lines[n];
        if (expect_concerns(expect, n, fact) && line_fulfils(line, fact))
            line->status = EXPECT_BROKEN;
    }
    if (expect->next == expect->count)
        return false;
    line = &expect->lines[expect->next];
    if (!expect_concerns(expect, expect->next, fact) ||
        !line_fulfils(line, fact))
        return false;
    if (!term_is_state(&line->term) && fact->number != 0)
        consume(expect, fact);
    come_true(expect);
    return true;
}

/* Show the lines that have just come into force what was logged; whether the
 * awaited one came true by it. */
static bool look_back(struct expect *expect)
{
    const struct fact *fact;

    expect->looked_back = true;
    for (size_t i = 0; (fact = fact_log_at(&expect->log, i)) != NULL; i++)
        if (!passed(expect, fact) && show(expect, fact))
            return true;
    return false;
}

/* Go as far as what is known allows. */
static void settle(struct expect *expect)
{
    for (;;) {
        if (!expect->looked_back && look_back(expect))
            continue;
        for (size_t n = expect->first; n < expect->next; n++)
            if (holds(expect, &expect->lines[n].term))
                expect->lines[n].status = EXPECT_BROKEN;
        if (expect->next == expect->count ||
            !holds(expect, &expect->lines[expect->next].term))
            return;
        come_true(expect);
    }
}

void expect_open(struct expect *expect)
{
    expect->opened = true;
    fact_log_clear(&expect->log);
    memset(expect->consumed, 0, sizeof expect->consumed);
    observed_open(&expect->observed);
    for (size_t n = 0; n < expect->count; n++)
        expect->lines[n].status = EXPECT_WAITING;
    come_into_force(expect, 0);
    settle(expect);
}

/* A fact_sink_fn. */
static void take_fact(void *self, const struct fact *given)
{
    struct expect *expect = self;
    struct fact fact = *given;
    bool wanted = false;

    if (!expect->opened)
        return;
    for (size_t n = expect->first; n < expect->count && !wanted; n++)
        wanted = expect_concerns(expect, n, &fact);
    if (!wanted)
        return;
    if (fact.kind == FACT_WAITS) { /* a glance, of no use later */
        show(expect, &fact);
        settle(expect);
        return;
    }
    while (expect->log.count > 0) {
        const struct fact *oldest = fact_log_at(&expect->log, 0);

        if (!passed(expect, oldest))
            break;
        fact_log_drop(&expect->log);
    }
    fact.number = ++expect->number;
    show(expect, &fact);
    if (!passed(expect, &fact))
        fact_log_add(&expect->log, &fact);
    settle(expect);
}

void expect_feed(struct expect *expect, const struct event *event)
{
    observed_event(&expect->observed, event, take_fact, expect);
    if (!expect->opened)
        return;
    /* In the middle of a look some samples are new and others are old. */
    if (event->kind != EVENT_SOCKET && event->kind != EVENT_GONE)
        settle(expect);
}

/* --- answers --------------------------------------------------------------- */

size_t expect_count(const struct expect *expect)
{
    return expect->count;
}

const char *expect_line(const struct expect *expect, size_t n)
{
    return n < expect->count ? expect->lines[n].text : "";
}

enum expect_status expect_status(const struct expect *expect, size_t n)
{
    if (n >= expect->count)
        return EXPECT_WAITING;
    if (!expect->lines[n].term.negative || !expect->opened ||
        expect->lines[n].status == EXPECT_BROKEN)
        return expect->lines[n].status;
    /* Held until the line after it; the last ones hold so far. */
    return n < expect->first || expect->next == expect->count ? EXPECT_TRUE
                                                              : EXPECT_WAITING;
}

bool expect_broken(const struct expect *expect)
{
    for (size_t n = 0; n < expect->count; n++)
        if (expect->lines[n].status == EXPECT_BROKEN)
            return true;
    return false;
}

bool expect_done(const struct expect *expect)
{
    return expect->opened && expect->next == expect->count &&
           !expect_broken(expect);
}

unsigned expect_patience(const struct expect *expect, size_t n)
{
    return n < expect->count ? expect->lines[n].term.patience : TERM_PATIENCE;
}

bool expect_timed(const struct expect *expect, size_t n)
{
    return n < expect->count && expect->lines[n].term.timed;
}

size_t expect_awaited(const struct expect *expect)
{
    return expect->next;
}

bool expect_decided(const struct expect *expect, size_t n)
{
    return n < expect->count &&
           (expect->lines[n].status != EXPECT_WAITING ||
            (expect->lines[n].term.negative && n < expect->first));
}

bool expect_needs_lab(const struct expect *expect, size_t n)
{
    enum term_kind kind;

    if (n >= expect->count)
        return false;
    kind = expect->lines[n].term.kind;
    return kind == TERM_WAITS || kind == TERM_PRINTS || kind == TERM_EXITS ||
           kind == TERM_SHELL;
}

bool expect_wants_unix(const struct expect *expect)
{
    return expect->observed.path_count > 0;
}

bool expect_wants_waits(const struct expect *expect, enum flow_side *side,
                        uint16_t *port)
{
    if (!expect->opened)
        return false;
    for (size_t n = expect->first; n <= expect->next && n < expect->count;
         n++) {
        if (expect->lines[n].term.kind != TERM_WAITS)
            continue;
        *side = expect->lines[n].term.side;
        *port = expect_waits_port(expect, n);
        return true;
    }
    return false;
}
