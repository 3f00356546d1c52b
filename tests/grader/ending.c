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
    FIRST_WORDS = 6, /* lines of a stream that are told: these and the last */
    LAST_WORDS = 3,
    ROWS = 3, /* of one line; of a sanitizer's 1: its page is reduced below */
    WIDE = 46 /* columns of a row, beside the steps */
};

void ending_describe(struct probe *p, char *text, size_t size)
{
    const struct cell *cell = &p->cell;
    const char *name;
    int n;

    if (cell->killer == CELL_KILLED_FOR_MEMORY) {
        snprintf(text, size, "used more than %d MiB of memory and was stopped",
                 cell->plan.limits.memory_mb);
        return;
    }
    if (cell->killer == CELL_KILLED_FOR_PROCESSES) {
        n = snprintf(text, size, "had %d processes or more and was stopped",
                     cell->plan.limits.processes - 4);
        if (cell->unwaited > 0)
            snprintf(text + n, size - (size_t)n,
                     " (%d of them had ended, and it had not waited for them: "
                     "waitpid(2))",
                     cell->unwaited);
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
    {"negative-size-param", "overflow"},
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

/* The first frame in the student's own code: "#1 0x55d in serve /box/wcd.c:12:5"
 * or, from the thread sanitizer, "#0 serve /box/wcd.c:12 (wcd+0x11c7)". */
static bool own_frame(const struct probe *p, const char *report, char *text,
                      size_t size)
{
    /* Reduced isolation compiles in a folder of another name (launch.c). */
    const char *box = p->cell.reduced ? "/two-terminals-" : "/box";
    const size_t more = p->cell.reduced ? strlen("XXXXXX") : 0;
    const char *at = report;

    while ((at = strstr(at, box)) != NULL) {
        const char *name = at + strcspn(at + 1, "/\n") + 2, *word = at;
        bool inside = name[-1] == '/' &&
                      (size_t)(name - at) == strlen(box) + more + 1;
        size_t n = inside ? strcspn(name, ": \n") : 0, end;
        char key[SUBMISSION_NAME + 4];

        snprintf(key, sizeof key, " %.*s ", (int)n, name);
        if (n == 0 || n >= SUBMISSION_NAME || !strstr(p->own_names, key) ||
            name[n] != ':') {
            at += strlen(box);
            continue;
        }
        end = n + 1 + strspn(name + n + 1, "0123456789");
        while (word > report && !isspace((unsigned char)word[-1]))
            word--; /* "/tmp" of the path itself */
        while (word > report && word[-1] == ' ')
            word--;
        while (word > report && !isspace((unsigned char)word[-1]))
            word--;
        if (isalpha((unsigned char)*word) || *word == '_')
            snprintf(text, size, "%.*s, in %.*s()", (int)end, name,
                     (int)strcspn(word, " ("), word);
        else
            snprintf(text, size, "%.*s", (int)end, name);
        return true;
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

/* "index 64 out of bounds for type 'char [64]'": the byte after the end, or the
 * one before the start. */
static bool beside_an_array(const char *line)
{
    const char *at = strstr(line, "error: index ");
    long index, size;

    return at &&
           sscanf(at, "error: index %ld out of bounds for type '%*[^[][%ld",
                  &index, &size) == 2 &&
           (index == -1 || index == size);
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
    if (beside_an_array(report))
        probe_sign(p, "beside-array");
    line = strstr(report, "WRITE of size");
    if (line) {
        probe_sign(p, "write-overflow");
        lines_add(&p->result.autopsy, "  a %.*s",
                  (int)strcspn(line, "\n") > 60 ? 60 : (int)strcspn(line, "\n"),
                  line);
    } else if (strstr(report, "READ of size") ||
               strstr(report, "load of address") ||
               strstr(report, "negative-size-param")) {
        probe_sign(p, "read-overflow");
    }
    if (leading_place(p, report, place, sizeof place) ||
        own_frame(p, report, place, sizeof place))
        lines_add(&p->result.autopsy, "  at %s", place);
    return true;
}

/* All that was kept of a stream, printable; NULL when there is nothing. */
static char *stream_log(const struct cell_stream *stream)
{
    const size_t half = sizeof stream->head;
    uint64_t in_tail = stream->bytes > half ? stream->bytes - half : 0;
    size_t size = 4 * CELL_OUTPUT + 200, used, from;
    char *text = stream->bytes ? malloc(size) : NULL;

    if (!text)
        return NULL;
    evidence_clean(stream->head, in_tail ? half : (size_t)stream->bytes, text,
                   size, 1);
    if (!in_tail)
        return text;
    used = strlen(text);
    from = in_tail > half ? (size_t)(stream->bytes % half) : 0;
    if (in_tail > half)
        used += (size_t)snprintf(text + used, size - used,
                                 "\n(%llu bytes are left out here)\n",
                                 (unsigned long long)(in_tail - half));
    if (from)
        evidence_clean(stream->tail + from, half - from, text + used,
                       size - used, 1);
    used += strlen(text + used);
    evidence_clean(stream->tail,
                   in_tail > half && from ? from
                   : in_tail > half       ? half
                                          : (size_t)in_tail,
                   text + used, size - used, 1);
    return text;
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
    char *log = stream_log(&p->cell.err);
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
    free(log);
}

/* --- its words -------------------------------------------------------------*/

char *ending_log(struct probe *p)
{
    char *err = stream_log(&p->cell.err), *out = stream_log(&p->cell.out);
    char *both = NULL;
    size_t size = 0;
    /* "ready PORT" and no more stands among the steps already. */
    FILE *to = err || p->cell.out.bytes > WIDE ? open_memstream(&both, &size)
                                               : NULL;

    if (to && out)
        fprintf(to, "--- its stdout ---\n%s\n", out);
    if (to && err)
        fprintf(to, "--- its stderr ---\n%s\n", err);
    if (to)
        fclose(to);
    free(err);
    free(out);
    return both;
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

/* As many bytes as make one row when they are printable: not through the
 * middle of a character, and cut after a blank if there is one. */
static size_t one_row(const char *bytes, size_t length, char *text, size_t size)
{
    size_t n = length < WIDE ? length : WIDE, blank;

    while (n > 1 && ((n < length && ((unsigned char)bytes[n] & 0xc0) == 0x80) ||
                     strlen(evidence_clean(bytes, n, text, size, 0)) > WIDE))
        n--;
    for (blank = n; n < length && blank > WIDE / 2; blank--)
        if (bytes[blank - 1] == ' ') {
            n = blank;
            break;
        }
    evidence_clean(bytes, n, text, size, 0);
    return n;
}

/* The lines between the first and the last ones, as their number. */
static bool left_out(struct ending_words *words, size_t kept, char *text,
                     size_t size)
{
    const char *head = words->stream->head;
    size_t lines = 0;

    for (size_t i = 0; i < kept; i++)
        lines += head[i] == '\n';
    if (words->line != FIRST_WORDS || lines <= FIRST_WORDS + LAST_WORDS)
        return false;
    snprintf(text, size, "(%zu lines more)", lines - FIRST_WORDS - LAST_WORDS);
    while (words->line < lines - LAST_WORDS && words->at < kept)
        words->line += head[words->at++] == '\n';
    return true;
}

bool ending_words_next(struct ending_words *words, char *text, size_t size)
{
    const struct cell_stream *stream = words->stream;
    size_t kept = stream->bytes < sizeof stream->head ? (size_t)stream->bytes
                                                      : sizeof stream->head;
    const char *from = stream->head + words->at, *end;
    size_t left, n;

    if (words->at >= kept) {
        if (words->at > stream->bytes || stream->bytes <= kept)
            return false;
        snprintf(text, size, "(%llu bytes more)",
                 (unsigned long long)(stream->bytes - kept));
        words->at = (size_t)stream->bytes + 1; /* told */
        return true;
    }
    words->time_ns = came(stream, words->at);
    if (words->row == 0 && left_out(words, kept, text, size))
        return true;
    end = memchr(from, '\n', kept - words->at);
    left = end ? (size_t)(end - from) : kept - words->at;
    n = one_row(from, left, text, size);
    if (n < left && ++words->row < words->rows) {
        words->at += n;
        return true;
    }
    if (n < left && strlen(text) + 4 <= size) {
        n = strlen(text);
        snprintf(text + (n < 3 ? 0 : n - 3), 4, "...");
    }
    words->at += left + 1;
    words->line++;
    words->row = 0;
    return true;
}

void ending_words_begin(const struct probe *p, const struct cell_stream *stream,
                        struct ending_words *words)
{
    *words = (struct ending_words){.stream = stream,
                                   .rows = p->build == BUILD_PLAIN ? ROWS : 1};
}
