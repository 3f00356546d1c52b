/*
 * How a program ended, and what it said: signals by name, a sanitizer's page
 * reduced to its headline and the first line of the student's own code, and
 * its words with their times.
 */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/grader/evidence.h"
#include "tests/grader/probe.h"

enum {
    FIRST_WORDS = 10, /* lines of stderr that are told: these and the last */
    LAST_WORDS = 4,
    WIDE = 56 /* of each, what fits beside the steps */
};

void ending_describe(struct probe *p, char *text, size_t size)
{
    const struct cell *cell = &p->cell;
    const char *name;

    if (cell->killer == CELL_KILLED_FOR_MEMORY) {
        snprintf(text, size, "used more than %d MiB of memory and was stopped",
                 cell->plan.limits.memory_mb);
        return;
    }
    if (cell->killer == CELL_KILLED_FOR_PROCESSES) {
        snprintf(text, size, "had %d processes or more and was stopped",
                 cell->plan.limits.processes - 4);
        return;
    }
    if (cell->signal) {
        name = sigabbrev_np(cell->signal);
        snprintf(text, size, "was killed by SIG%s%s", name ? name : "?",
                 cell->killer == CELL_KILLED_BY_US ? " (ours)" : "");
        return;
    }
    snprintf(text, size, "ended with status %d", cell->exit_status);
}

/* --- sanitizers ------------------------------------------------------------*/

/* What a headline says, and the sign it leaves. */
static const struct {
    const char *words, *sign;
} headline[] = {
    {"heap-use-after-free", "use-after-free"},
    {"stack-use-after", "use-after-free"},
    {"double-free", "double-free"},
    {"LeakSanitizer", "memory-leak"},
    {"data race", "data-race"},
    {"runtime error:", "undefined-behaviour"},
    {"buffer-overflow", "overflow"},
    {"buffer-underflow", "overflow"},
    {"out-of-bounds", "overflow"},
    {"SEGV", "bad-address"},
};

static const char *line_with(const char *text, const char *words)
{
    const char *at = strstr(text, words);

    while (at && at > text && at[-1] != '\n')
        at--;
    return at;
}

/* UndefinedBehaviorSanitizer begins its line with the place: "wcd.c:12:5: ". */
static bool leading_place(const struct probe *p, const char *line, char *text,
                          size_t size)
{
    size_t n = strcspn(line, ":\n"), end;
    char key[SUBMISSION_NAME + 4];

    snprintf(key, sizeof key, " %.*s ", (int)n, line);
    if (n >= SUBMISSION_NAME || line[n] != ':' || !strstr(p->own_names, key))
        return false;
    end = n + 1 + strspn(line + n + 1, "0123456789");
    snprintf(text, size, "%.*s", (int)end, line);
    return true;
}

/* The first frame in the student's own code: "in main /box/wcd.c:12:5". */
static bool own_frame(const struct probe *p, const char *report, char *text,
                      size_t size)
{
    const char *at = report;

    while ((at = strstr(at, "/box/")) != NULL) {
        const char *name = at + strlen("/box/");
        size_t n = strcspn(name, ": \n");
        char key[SUBMISSION_NAME + 4];

        snprintf(key, sizeof key, " %.*s ", (int)n, name);
        if (n < SUBMISSION_NAME && strstr(p->own_names, key) &&
            name[n] == ':') {
            size_t end = n + 1 + strspn(name + n + 1, "0123456789");
            const char *in = at;

            while (in > report && in[-1] != '\n' && strncmp(in, " in ", 4) != 0)
                in--;
            if (strncmp(in, " in ", 4) == 0)
                snprintf(text, size, "%.*s, in %.*s()", (int)end, name,
                         (int)strcspn(in + 4, " ("), in + 4);
            else
                snprintf(text, size, "%.*s", (int)end, name);
            return true;
        }
        at = name;
    }
    return false;
}

static void tell_headline(struct probe *p, const char *line)
{
    const char *said = strstr(line, "ERROR: ");
    size_t n;

    if (!said)
        said = strstr(line, "WARNING: ");
    if (!said)
        said = strstr(line, "runtime error: ");
    if (!said)
        said = line;
    n = strcspn(said, "\n");
    lines_add(&p->result.autopsy, "%.*s", (int)(n > 150 ? 150 : n), said);
}

/* A report on stderr: its headline, place and signs. */
static bool sanitizer_report(struct probe *p, const char *log)
{
    const char *report = NULL, *line;
    char place[200];

    for (size_t i = 0; !report && i < sizeof headline / sizeof *headline; i++) {
        line = line_with(log, headline[i].words);
        if (!line || (!strstr(log, "Sanitizer") && !strstr(log, "runtime")))
            continue;
        report = line;
        probe_sign(p, headline[i].sign);
    }
    if (!report)
        return false;
    probe_sign(p, "address-error");
    tell_headline(p, report);
    line = strstr(report, "WRITE of size");
    if (line) {
        probe_sign(p, "write-overflow");
        lines_add(&p->result.autopsy, "  a %.*s",
                  (int)strcspn(line, "\n") > 60 ? 60 : (int)strcspn(line, "\n"),
                  line);
    } else if (strstr(report, "READ of size")) {
        probe_sign(p, "read-overflow");
    }
    if (leading_place(p, report, place, sizeof place) ||
        own_frame(p, report, place, sizeof place))
        lines_add(&p->result.autopsy, "  at %s", place);
    return true;
}

/* Whether the evidence says it already. */
static bool told(const struct lines *lines, const char *text)
{
    for (size_t i = 0; i < lines->count; i++)
        if (strstr(lines->line[i], text))
            return true;
    return false;
}

void ending_examine(struct probe *p)
{
    const struct cell *cell = &p->cell;
    char sign[40], text[200];
    char *log = ending_log(p);
    const char *name;

    ending_describe(p, text, sizeof text);
    if (cell->killer == CELL_KILLED_FOR_MEMORY)
        probe_sign(p, "killed-for-memory");
    else if (cell->killer == CELL_KILLED_FOR_PROCESSES)
        probe_sign(p, "killed-for-processes");
    else if (cell->signal) {
        name = sigabbrev_np(cell->signal);
        snprintf(sign, sizeof sign, "killed-by-SIG%s", name ? name : "?");
        probe_sign(p, sign);
    } else {
        snprintf(sign, sizeof sign, "exited-%d", cell->exit_status);
        probe_sign(p, sign);
    }
    if (!told(&p->result.actual, text))
        lines_add(&p->result.autopsy, "%s %s", probe_name(p), text);
    if (log && p->build != BUILD_PLAIN)
        sanitizer_report(p, log);
    if (p->result.log)
        free(log);
    else
        p->result.log = log;
}

/* --- its words -------------------------------------------------------------*/

char *ending_log(struct probe *p)
{
    const struct cell_stream *err = &p->cell.err;
    const size_t half = sizeof err->head;
    uint64_t in_tail = err->bytes > half ? err->bytes - half : 0;
    size_t size = 4 * CELL_OUTPUT + 200, used = 0;
    char *text;

    if (err->bytes == 0)
        return NULL;
    text = malloc(size);
    if (!text)
        return NULL;
    evidence_clean(err->head, err->bytes < half ? (size_t)err->bytes : half,
                   text, size, 1);
    if (in_tail) {
        size_t from = (size_t)(err->bytes % half);

        used = strlen(text);
        if (in_tail > half)
            used += (size_t)snprintf(text + used, size - used,
                                     "\n(%llu bytes are left out here)\n",
                                     (unsigned long long)(in_tail - half));
        else
            from = 0;
        if (from)
            evidence_clean(err->tail + from, half - from, text + used,
                           size - used, 1);
        used = strlen(text);
        evidence_clean(err->tail, in_tail > half ? from : (size_t)in_tail,
                       text + used, size - used, 1);
    }
    return text;
}

/* When the byte at `offset` came. */
static int64_t came(const struct cell_stream *stream, uint64_t offset)
{
    int64_t when = 0;

    for (size_t i = 0; i < stream->marks; i++)
        if (stream->mark[i].offset <= offset)
            when = stream->mark[i].time_ns;
    return when;
}

bool ending_words(struct probe *p, size_t *at, int64_t *time_ns, char *text,
                  size_t size)
{
    const struct cell_stream *err = &p->cell.err;
    size_t kept = err->bytes < sizeof err->head ? (size_t)err->bytes
                                                : sizeof err->head;
    size_t line = 0, lines = 0, from = *at, n;

    if (!p->started || from >= kept)
        return false;
    for (size_t i = 0; i < kept; i++) {
        line += err->head[i] == '\n' && i < from;
        lines += err->head[i] == '\n';
    }
    if (line == FIRST_WORDS && lines > FIRST_WORDS + LAST_WORDS) {
        snprintf(text, size, "(%zu lines more)",
                 lines - FIRST_WORDS - LAST_WORDS);
        *time_ns = came(err, from);
        while (line < lines - LAST_WORDS && *at < kept)
            line += err->head[(*at)++] == '\n';
        return true;
    }
    for (n = 0; from + n < kept && err->head[from + n] != '\n'; n++)
        ;
    evidence_clean(err->head + from, n > WIDE ? WIDE : n, text, size, 0);
    text[WIDE < strlen(text) ? WIDE : strlen(text)] = '\0';
    *time_ns = came(err, from);
    *at = from + n + 1;
    return true;
}
