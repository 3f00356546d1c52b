/* The report for a person. See report.h; the form is docs/grading.md's. */
#include "tests/grader/report.h"

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

static void wrap(FILE *out, const char *label, const char *text)
{
    wrap_at(out, "  ", label, text);
}

/* Lines as they stand: evidence must not be wrapped by words; what is too
 * long is cut at the edge and goes on below. */
static void block(FILE *out, const char *label, const struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        const char *text = lines->line[i];

        do {
            size_t n = 0;

            while (text[n] && (columns(text, n + 1) <= COLUMNS - INDENT ||
                               ((unsigned char)text[n] & 0xc0) == 0x80))
                n++;
            fprintf(out, "  %-*s%.*s\n", INDENT - 2, label, (int)n, text);
            label = "";
            text += n;
        } while (*text);
    }
    if (lines->dropped)
        fprintf(out, "%*s(%zu lines more)\n", INDENT, "", lines->dropped);
}

void words_isolation(FILE *out, const struct report *report)
{
    const struct isolation *isolation = report->isolation;

    wrap_at(out, "", "isolation:", isolation_sentence(isolation->level));
    if (isolation->level != ISOLATION_FULL && isolation->why[0])
        fprintf(out, "%s\n", isolation->why);
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
    {"exited-early", "why it ended: its own words, if any, stand in the steps; "
                     "start it yourself and look"},
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

static void diagnosis(FILE *out, const struct report *report,
                      const struct check *check, const struct result *result)
{
    const struct misconception *m =
        result->misconception ? misconception_by_id(result->misconception)
                              : NULL;

    if (m) {
        wrap(out, "Likely", m->likely);
        for (size_t i = 0; i < result->also_count; i++)
            wrap(out, i ? "" : "Also", result->also[i]);
        wrap(out, "Read", m->read);
    } else if (root_of(result)) {
        wrap(out, "Look at", root_of(result)->look);
    } else if (check->hint) {
        wrap(out, "Look at", check->hint);
    }
    fprintf(out, "  %-*smake hint-%d\n", INDENT - 2, "Hint", report->number);
    again(out, report, check);
}

void words_check(FILE *out, const struct report *report, size_t i, bool colour)
{
    const struct check *check = &report->lab->checks[i];
    const struct result *result = &report->result[i];
    const char *name = result->misconception ? result->misconception
                                             : check->id;
    const char *program = report->lab->program;
    bool ended = result->autopsy.count > 0 &&
                 strncmp(result->autopsy.line[0], program, strlen(program)) ==
                     0;

    fprintf(out, "%s%s [%s]%s %s  %d/%d pts\n",
            on(colour, result->grade == GRADE_SKIP ? DIM : BAD),
            mark(result->grade), name, off(colour), check->title,
            result->points, check->points);
    if (result->grade == GRADE_SKIP || result->grade == GRADE_ERROR) {
        wrap(out, result->grade == GRADE_SKIP ? "Skipped" : "Error",
             result->reason ? result->reason : "no reason was given");
        again(out, report, check);
        return;
    }
    wrap(out, "Required", check->required);
    block(out, "Steps", &result->steps);
    block(out, "Expected", &result->expected);
    block(out, "Actual", &result->actual);
    block(out, ended ? "Ended" : "Stuck", &result->autopsy);
    wire_line(out, report, check, result);
    if (result->log)
        fprintf(out, "  %-*s.lab/runs/%02d-%s.txt\n", INDENT - 2, "Its words",
                report->number, check->id);
    diagnosis(out, report, check, result);
}

void words_compile(FILE *out, const struct report *report, bool colour)
{
    const struct build_result *plain = &report->build[BUILD_PLAIN];

    if (plain->errors.count) {
        fprintf(out, "\n%s✗ it does not compile%s\n\n", on(colour, BAD),
                off(colour));
        for (size_t i = 0; i < plain->errors.count; i++)
            fprintf(out, "  %s\n", plain->errors.line[i]);
        fprintf(out,
                "\nMend this one first: the others often follow from it.\n"
                "All of them: cc -std=c11 -D_GNU_SOURCE -pthread -Wall -Wextra "
                "%s/*.c\n"
                "Then again:  make grade-%d\n",
                report->folder, report->number);
        return;
    }
    for (size_t i = 0; i < plain->warnings.count; i++)
        fprintf(out, "%sremark%s  %s\n", on(colour, DIM), off(colour),
                plain->warnings.line[i]);
}

static void remarks(FILE *out, const struct report *report)
{
    for (size_t i = 0; i < report->lab->check_count; i++)
        for (size_t n = 0;
             report->which[i] && n < report->result[i].remarks.count; n++)
            wrap(out, "Remark", report->result[i].remarks.line[n]);
}

static void starter_words(FILE *out, const struct report *report)
{
    fprintf(out,
            "\nThis is the starter as it came: that it fails is expected, and "
            "no harm.\nWrite your server in %s/%s, then type:  make "
            "grade-%d\nThe assignment: labs/%s/README.md\n",
            report->folder, report->lab->files[0], report->number,
            report->lab->name);
}

/* An earlier check whose message says the same; SIZE_MAX when there is none. */
static size_t told_before(const struct report *report, size_t i)
{
    const struct root *root = root_of(&report->result[i]);

    for (size_t n = 0; root && n < i; n++)
        if (report->which[n] && root_of(&report->result[n]) == root)
            return n;
    return SIZE_MAX;
}

static void failures(FILE *out, const struct report *report, bool colour)
{
    size_t same = 0;
    int told = 0;

    for (size_t i = 0; i < report->lab->check_count; i++) {
        const struct result *result = &report->result[i];

        if (!report->which[i] || result->grade == GRADE_PASS)
            continue;
        if (told_before(report, i) != SIZE_MAX) {
            same++;
            continue;
        }
        if (report->untouched && told > 0 && result->grade == GRADE_FAIL)
            continue; /* one is enough to see what a message looks like */
        fputc('\n', out);
        words_check(out, report, i, colour);
        told++;
    }
    if (same)
        fprintf(out,
                "\nIn the same way %zu more check%s fail%s: mend this one "
                "first.\n",
                same, same == 1 ? "" : "s", same == 1 ? "s" : "");
}

void words_summary(FILE *out, const struct report *report, bool colour)
{
    struct score score = report_score(report);
    bool all = report_status(report) == 0;

    failures(out, report, colour);
    remarks(out, report);
    if (report->untouched)
        starter_words(out, report);
    fprintf(out, "\n%s%s: %d of %d points%s", on(colour, BOLD),
            report->lab->name, score.points, score.max, off(colour));
    if (score.not_gradable)
        fprintf(out, ", and %d that could not be graded here",
                score.not_gradable);
    fprintf(out, "   (seed %llu)\n", (unsigned long long)report->seed);
    if (score.errors)
        fprintf(out,
                "%d of the checks could not be made: this is no verdict "
                "on your program.\n",
                score.errors);
    else if (all && report->one_check)
        fprintf(out, "This check passes. All of them:  make grade-%d\n",
                report->number);
    else if (all)
        fprintf(out,
                "All of it. Compare with another way to write it:  make "
                "solution-%d\n",
                report->number);
    else if (!report->untouched)
        fprintf(out, "Next: mend the first of them, then  make grade-%d\n",
                report->number);
}
