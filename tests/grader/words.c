/* The report for a person. See report.h; the form is docs/grading.md's. */
#include "tests/grader/words.h"

#include <stdint.h>
#include <string.h>

#include "tests/grader/misconceptions.h"

enum { COLUMNS = 80, INDENT = 12, TITLE = 64 };

enum paint { PLAIN, GOOD, BAD, DIM, BOLD };

static const char *on(bool colour, enum paint paint)
{
    static const char *const code[] = {"", "\033[32m", "\033[31m", "\033[2m",
                                       "\033[1m"};

    return colour ? code[paint] : "";
}

static const char *off(bool colour)
{
    return colour ? "\033[0m" : "";
}

/* Columns of UTF-8 text that lines_add() has made safe: one a character. */
static int columns(const char *text, size_t bytes)
{
    int n = 0;

    for (size_t i = 0; i < bytes; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

/* Prose after a label, wrapped at words; continued under its first letter. */
static void wrap_at(FILE *out, const char *margin, const char *label,
                    const char *text)
{
    int used = 0;

    fprintf(out, "%s%-*s", margin, INDENT - (int)strlen(margin), label);
    while (*text) {
        size_t n = strcspn(text, " ");
        int wide = columns(text, n);

        if (used > 0 && INDENT + used + 1 + wide > COLUMNS) {
            fprintf(out, "\n%*s", INDENT, "");
            used = 0;
        }
        fprintf(out, "%s%.*s", used ? " " : "", (int)n, text);
        used += wide + (used > 0);
        text += n;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

void words_wrap(FILE *out, const char *label, const char *text)
{
    wrap_at(out, "  ", label, text);
}

/* Bytes of `text` that fit into `room` columns, cut at a blank if there is
 * one. */
static size_t fitting(const char *text, int room)
{
    size_t n = 0, blank = 0;

    while (text[n] && (columns(text, n + 1) <= room ||
                       ((unsigned char)text[n] & 0xc0) == 0x80)) {
        if (text[n] == ' ')
            blank = n;
        n++;
    }
    return text[n] && text[n] != ' ' && blank ? blank : n;
}

/* Lines as they stand: quoted evidence is not wrapped by words; what is too
 * long is cut at the edge and goes on below. A sentence is folded. */
static void block(FILE *out, const char *label, const struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        const char *text = lines->line[i];
        bool quoted = text[0] == ' ' || strchr(text, '"') != NULL;

        do {
            size_t n = 0;

            while (quoted && text[n] &&
                   (columns(text, n + 1) <= COLUMNS - INDENT ||
                    ((unsigned char)text[n] & 0xc0) == 0x80))
                n++;
            if (!quoted)
                n = fitting(text, COLUMNS - INDENT);
            fprintf(out, "  %-*s%.*s\n", INDENT - 2, label, (int)n, text);
            label = "";
            text += n;
            text += quoted ? 0 : strspn(text, " ");
        } while (*text);
    }
    if (lines->dropped)
        fprintf(out, "%*s(%zu lines more)\n", INDENT, "", lines->dropped);
}

/* Sentences that may begin with blanks: folded at words, under themselves. */
static void prose(FILE *out, const char *label, const struct lines *lines)
{
    char first[INDENT + 8], text[256];

    for (size_t i = 0; i < lines->count; i++) {
        size_t blanks = strspn(lines->line[i], " ");
        const char *at = lines->line[i] + blanks;

        blanks = blanks > 6 ? 6 : blanks;
        snprintf(first, sizeof first, "  %-*s%*s", INDENT - 2,
                 i == 0 ? label : "", (int)blanks, "");
        do {
            size_t n = fitting(at, COLUMNS - INDENT - (int)blanks);

            snprintf(text, sizeof text, "%.*s", (int)n, at);
            fprintf(out, "%s%s\n", first, text);
            snprintf(first, sizeof first, "%*s", INDENT + (int)blanks, "");
            at += n;
            at += strspn(at, " ");
        } while (*at);
    }
}

/* Sentences of several lines; one with a command in it stands as it is. */
static void why_not(FILE *out, const char *why)
{
    char line[sizeof((struct isolation *)0)->why];

    while (*why) {
        size_t n = strcspn(why, "\n");

        snprintf(line, sizeof line, "%.*s", (int)n, why);
        if (columns(line, n) > COLUMNS)
            wrap_at(out, "", "", line);
        else
            fprintf(out, "%s\n", line);
        why += n + (why[n] == '\n');
    }
}

void words_isolation(FILE *out, const struct report *report)
{
    const struct isolation *isolation = report->isolation;

    wrap_at(out, "", "isolation:", isolation_sentence(isolation->level));
    if (isolation->level != ISOLATION_FULL && isolation->why[0])
        why_not(out, isolation->why);
}

static const char *mark(enum grade grade)
{
    static const char *const text[] = {"✓", "✗", "-", "!"};

    return text[grade];
}

void words_ended(FILE *out, const struct report *report, size_t i, bool colour)
{
    const struct check *check = &report->lab->checks[i];
    const struct result *result = &report->result[i];
    enum paint paint = result->grade == GRADE_PASS   ? GOOD
                       : result->grade == GRADE_SKIP ? DIM
                                                     : BAD;
    int wide = columns(check->title, strlen(check->title));

    fprintf(out, "%s%s %s%s  %s%*s %3d/%d\n", on(colour, paint),
            mark(result->grade), grade_word(result->grade), off(colour),
            check->title, wide < TITLE ? TITLE - wide : 1, "", result->points,
            check->points);
    fflush(out);
}

/* How to run just this check again, with the same chance. */
static void again(FILE *out, const struct report *report,
                  const struct check *check)
{
    fprintf(out, "  %-*smake grade-%d CHECK=%s SEED=%llu\n", INDENT - 2,
            "Again", report->number, check->id,
            (unsigned long long)report->seed);
}

static void wire_line(FILE *out, const struct report *report,
                      const struct check *check, const struct result *result)
{
    block(out, "Wire", &result->wire);
    if (result->captured && result->wire.count)
        fprintf(out, "%*sreplay: make viz ARGS='-r .lab/runs/%02d-%s.pcap'\n",
                INDENT, "", report->number, check->id);
}

/* What stops a program before any question can be asked: told once, for the
 * first check that met it, and where to look then. */
static const struct root {
    const char *sign, *look;
} roots[] = {
    {"exited-early", "why it ended: what it said, if anything, stands in the "
                     "steps; start it yourself and look"},
    {"never-listened", "socket(), bind(), listen(): which of them is never "
                       "reached? (listen(2))"},
    {"port-swapped", "the byte order of the port (htons(3))"},
    {"port-other", "where the port comes from: argv[1]"},
    {"address-other", "the address given to bind() (ip(7))"},
};

static const struct root *root_of(const struct result *result)
{
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (result->grade == GRADE_FAIL &&
            result_has_sign(result, roots[i].sign))
            return &roots[i];
    return NULL;
}

const char *words_root(const struct result *result)
{
    const struct root *root = root_of(result);

    return root ? root->sign : NULL;
}

static void diagnosis(FILE *out, const struct report *report,
                      const struct check *check, const struct result *result)
{
    const struct misconception *m =
        result->misconception ? misconception_by_id(result->misconception)
                              : NULL;

    if (m) {
        words_wrap(out, "Likely", m->likely);
        for (size_t i = 0; i < result->also_count; i++)
            words_wrap(out, i ? "" : "Also", result->also[i]);
        words_wrap(out, "Read", m->read);
    } else if (result->explained_by) {
        words_wrap(out, "Likely", result->explained_by);
    } else if (root_of(result)) {
        words_wrap(out, "Look at", root_of(result)->look);
    } else if (check->hint) {
        words_wrap(out, "Look at", check->hint);
    }
    fprintf(out, "  %-*smake hint-%d\n", INDENT - 2, "Hint", report->number);
    again(out, report, check);
}

static bool has_ended(const struct result *result)
{
    for (size_t i = 0; i < result->sign_count; i++)
        if (strncmp(result->sign[i], "exited-", 7) == 0 ||
            strncmp(result->sign[i], "killed-", 7) == 0)
            return true;
    return false;
}

/* Something was awaited of it and did not come. */
static bool is_stuck(const struct result *result)
{
    static const char *const signs[] = {
        "no-reply", "no-eof",        "short-reply",    "spins",
        "refused",  "stuck-connect", "never-listened", "never-ended"};

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (result_has_sign(result, signs[i]))
            return true;
    return false;
}

/* The name, the title, the points; the title below where they do not fit. */
static void headline(FILE *out, const struct check *check,
                     const struct result *result, const char *name, bool colour)
{
    char points[40];
    int wide = snprintf(points, sizeof points, "%d/%d pts", result->points,
                        check->points);

    wide += columns(name, strlen(name)) +
            columns(check->title, strlen(check->title)) + 7;
    fprintf(out, "%s%s [%s]%s",
            on(colour, result->grade == GRADE_SKIP ? DIM : BAD),
            mark(result->grade), name, off(colour));
    if (wide > COLUMNS)
        fprintf(out, "  %s\n  %s\n", points, check->title);
    else
        fprintf(out, " %s  %s\n", check->title, points);
}

void words_check(FILE *out, const struct report *report, size_t i, bool colour)
{
    const struct check *check = &report->lab->checks[i];
    const struct result *result = &report->result[i];
    const char *name = result->misconception ? result->misconception
                                             : check->id;

    headline(out, check, result, name, colour);
    if (result->grade == GRADE_SKIP || result->grade == GRADE_ERROR) {
        words_wrap(out, result->grade == GRADE_SKIP ? "Skipped" : "Error",
                   result->reason ? result->reason : "no reason was given");
        again(out, report, check);
        return;
    }
    words_wrap(out, "Required", check->required);
    block(out, "Steps", &result->steps);
    block(out, "Expected", &result->expected);
    block(out, "Actual", &result->actual);
    prose(out,
          has_ended(result)  ? "Ended"
          : is_stuck(result) ? "Stuck"
                             : "Now",
          &result->autopsy);
    wire_line(out, report, check, result);
    if (result->log)
        fprintf(out, "  %-*s.lab/runs/%02d-%s.txt\n", INDENT - 2, "Its words",
                report->number, check->id);
    diagnosis(out, report, check, result);
}

/* A line of the compiler, folded at words: the first row goes on at column
 * `at` (of which `used` are written), the next below it. Code and its caret
 * begin with a blank: they are cut, or the caret would point at nothing. */
static void compiler_line(FILE *out, const char *line, int at, int used)
{
    bool code = line[0] == ' ' && strchr(line, '|');

    do {
        int room = COLUMNS - at;
        size_t n = fitting(line, room), cut = 0;

        while (code && line[cut] &&
               (columns(line, cut + 1) <= room ||
                ((unsigned char)line[cut] & 0xc0) == 0x80))
            cut++;
        n = code ? cut : n;
        fprintf(out, "%*s%.*s\n", at - used, "", (int)n, line);
        line += code ? strlen(line) : n;
        line += strspn(line, code ? "" : " ");
        used = 0;
    } while (*line);
}

static void compiler_words(FILE *out, const struct lines *lines,
                           const char *margin)
{
    for (size_t i = 0; i < lines->count; i++)
        compiler_line(out, lines->line[i], (int)strlen(margin), 0);
}

void words_compile(FILE *out, const struct report *report, bool colour)
{
    const struct build_result *plain = &report->build[BUILD_PLAIN];

    if (plain->errors.count) {
        fprintf(out, "\n%s✗ it does not compile%s\n\n", on(colour, BAD),
                off(colour));
        compiler_words(out, &plain->errors, "  ");
        fprintf(out,
                "\nMend this one first: the others often follow from it.\n"
                "All of them, as the compiler says them:\n"
                "  cc -std=c11 -D_GNU_SOURCE -pthread -Wall -Wextra \\\n"
                "    %s/*.c\n"
                "Then again:  make grade-%d\n",
                report->folder, report->number);
        return;
    }
    for (size_t i = 0; i < plain->warnings.count; i++) {
        fprintf(out, "%sremark%s", on(colour, DIM), off(colour));
        compiler_line(out, plain->warnings.line[i], 8, 6);
    }
}
