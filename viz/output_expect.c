/*
 * viz --expect: ticks off the observations in their order, a line each as soon
 * as it is decided, and at the end says of the rest what was there instead.
 */
#include "viz/output.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "viz/events/expect.h"

struct report {
    struct expect *expect;
    size_t printed;     /* lines told so far */
    size_t awaited;     /* and since when, for `within Ns` */
    int64_t awaited_ns; /* monotonic; 0: a file, where waiting means nothing */
};

static void report_close(void *self)
{
    struct report *report = self;

    expect_free(report->expect);
    free(report);
}

static int add_terms(struct expect *expect, const struct options *options)
{
    char why[320];

    for (size_t n = 0; n < options->term_count; n++) {
        const char *term = options->terms[n];

        if (expect_add(expect, term, why, sizeof why) < 0) {
            fprintf(stderr, "viz: cannot expect '%s': %s\n", term, why);
            return -1;
        }
        if (expect_needs_lab(expect, n)) {
            fprintf(stderr,
                    "viz: cannot expect '%s': it is about a terminal or a "
                    "waiting program of a lesson, which only viz --lesson "
                    "sees\n",
                    term);
            return -1;
        }
    }
    return 0;
}

static void *report_open(const struct options *options,
                         const struct session *session)
{
    struct report *report = calloc(1, sizeof *report);

    if (report)
        report->expect = expect_new(session->sockets != NULL);
    if (!report || !report->expect) {
        fputs("viz: there is no memory left\n", stderr);
        free(report);
        return NULL;
    }
    if (add_terms(report->expect, options) < 0) {
        report_close(report);
        return NULL;
    }
    if (session->sockets)
        sockets_also_unix(session->sockets, expect_wants_unix(report->expect));
    expect_open(report->expect);
    if (capture_fd(session->capture) >= 0)
        report->awaited_ns = clock_now();
    return report;
}

/* Tell of every line that is decided, in order; at the end, of all. Then a
 * `not` line in force has held as long as there was something to see. */
static void print_decided(struct report *report, bool ended)
{
    struct expect *expect = report->expect;

    for (; report->printed < expect_count(expect); report->printed++) {
        size_t n = report->printed;
        bool untrue = expect_status(expect, n) == EXPECT_BROKEN ||
                      (expect_status(expect, n) == EXPECT_WAITING &&
                       n >= expect_awaited(expect));

        if (!ended && !expect_decided(expect, n))
            return;
        printf("%-7s %s\n", untrue ? "untrue" : "true", expect_line(expect, n));
        if (untrue)
            printf("        %s\n", expect_reason(expect, n));
    }
}

static void report_event(void *self, const struct event *event)
{
    struct report *report = self;

    expect_feed(report->expect, event);
    if (expect_decided(report->expect, report->printed))
        print_decided(report, false);
}

static bool out_of_patience(struct report *report)
{
    size_t awaited = expect_awaited(report->expect);
    int64_t now;

    if (report->awaited_ns == 0)
        return false;
    now = clock_now();
    if (awaited != report->awaited) {
        report->awaited = awaited;
        report->awaited_ns = now;
    }
    return expect_timed(report->expect, awaited) &&
           now - report->awaited_ns >
               expect_patience(report->expect, awaited) * CLOCK_SECOND;
}

/* Everything is decided: a `not` line behind the last positive one is not. */
static bool report_settled(void *self)
{
    struct report *report = self;
    size_t count = expect_count(report->expect);

    return expect_broken(report->expect) || out_of_patience(report) ||
           (expect_done(report->expect) &&
            expect_decided(report->expect, count - 1));
}

static int report_end(void *self, struct session *session)
{
    struct report *report = self;

    (void)session;
    print_decided(report, true);
    return expect_done(report->expect) ? 0 : 1;
}

const struct output output_expect = {.open = report_open,
                                     .event = report_event,
                                     .settled = report_settled,
                                     .end = report_end,
                                     .close = report_close};
