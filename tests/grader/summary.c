/*
 * The end of a report for a person: the failure that explains most comes
 * first and whole, what follows from it is one line each, and then what to do.
 */
#include <stdint.h>
#include <string.h>

#include "tests/grader/misconceptions.h"
#include "tests/grader/words.h"

enum { WHOLE = 3, /* unexplained failures that are told whole */ NONE = -1 };

/* How each check is told. */
enum telling { NOT, FULL, FOLLOWS, SAME, SHORT };

static int rank_of(const struct result *result)
{
    const struct misconception *m =
        result->misconception ? misconception_by_id(result->misconception)
                              : NULL;

    return m ? m->rank : NONE;
}

/* An earlier check was stopped by the same thing. */
static bool stopped_before(const struct report *report, size_t i)
{
    const char *root = words_root(&report->result[i]);

    for (size_t n = 0; root && n < i; n++)
        if (report->which[n] && words_root(&report->result[n]) == root)
            return true;
    return false;
}

static enum telling telling_of(const struct report *report, size_t i,
                               int *whole)
{
    const struct result *result = &report->result[i];

    if (!report->which[i] || result->grade == GRADE_PASS)
        return NOT;
    if (report->one_check || result->grade != GRADE_FAIL ||
        rank_of(result) != NONE)
        return FULL;
    if (result->explained_by)
        return FOLLOWS;
    if (stopped_before(report, i))
        return SAME;
    if (*whole >= (report->untouched ? 1 : WHOLE))
        return SHORT;
    ++*whole;
    return FULL;
}

/* The place of the named failure that is to be mended first; NONE. */
static int first_of(const struct report *report)
{
    int first = NONE, rank = NONE;

    for (size_t i = 0; i < report->lab->check_count; i++)
        if (report->which[i] && rank_of(&report->result[i]) > rank) {
            rank = rank_of(&report->result[i]);
            first = (int)i;
        }
    return first;
}

static void tell_whole(FILE *out, const struct report *report, size_t i,
                       bool colour)
{
    fputc('\n', out);
    words_check(out, report, i, colour);
}

static void tell_short(FILE *out, const struct report *report, size_t i,
                       enum telling telling)
{
    const struct check *check = &report->lab->checks[i];

    if (telling == FOLLOWS)
        fprintf(out, "  %-14s follows from %s, most likely\n", check->id,
                report->result[i].explained_by);
    else if (telling == SAME)
        fprintf(out, "  %-14s for the same reason\n", check->id);
    else
        fprintf(out, "  %-14s see it: make grade-%d CHECK=%s\n", check->id,
                report->number, check->id);
}

static void failures(FILE *out, const struct report *report, bool colour)
{
    const size_t count = report->lab->check_count;
    int first = first_of(report), whole = 0, shorts = 0;
    enum telling telling[MOST_CHECKS];

    for (size_t i = 0; i < count; i++)
        telling[i] = telling_of(report, i, &whole);
    if (first != NONE)
        tell_whole(out, report, (size_t)first, colour);
    for (size_t i = 0; i < count; i++)
        if (telling[i] == FULL && (int)i != first)
            tell_whole(out, report, i, colour);
    for (size_t i = 0; i < count; i++) {
        if (telling[i] == NOT || telling[i] == FULL)
            continue;
        if (shorts++ == 0)
            fprintf(out, "\nAlso failed:\n");
        tell_short(out, report, i, telling[i]);
    }
}

static void remarks(FILE *out, const struct report *report)
{
    for (size_t i = 0; i < report->lab->check_count; i++)
        for (size_t n = 0;
             report->which[i] && n < report->result[i].remarks.count; n++)
            words_wrap(out, "Remark", report->result[i].remarks.line[n]);
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

static void next_step(FILE *out, const struct report *report)
{
    int first = first_of(report), follow = 0;

    for (size_t i = 0; i < report->lab->check_count; i++)
        follow += first != NONE && report->which[i] &&
                  report->result[i].explained_by &&
                  strcmp(report->result[i].explained_by,
                         report->result[first].misconception) == 0;
    if (first == NONE)
        fprintf(out, "Next: mend the first of them, then  make grade-%d\n",
                report->number);
    else if (follow == 0)
        fprintf(out, "Next: mend %s, then  make grade-%d\n",
                report->result[first].misconception, report->number);
    else
        fprintf(out,
                "Next: mend %s first: %d more check%s on it.\n"
                "      Then  make grade-%d\n",
                report->result[first].misconception, follow,
                follow == 1 ? " hangs" : "s hang", report->number);
}

void words_summary(FILE *out, const struct report *report, bool colour)
{
    struct score score = report_score(report);

    failures(out, report, colour);
    remarks(out, report);
    if (report->untouched)
        starter_words(out, report);
    fprintf(out, "\n%s%s: %d of %d points%s", colour ? "\033[1m" : "",
            report->lab->name, score.points, score.max,
            colour ? "\033[0m" : "");
    if (score.not_gradable)
        fprintf(out, ", and %d that could not be graded here",
                score.not_gradable);
    fprintf(out, "   (seed %llu)\n", (unsigned long long)report->seed);
    if (score.errors)
        fprintf(out,
                "%d of the checks could not be made: this is no verdict "
                "on your program.\n",
                score.errors);
    else if (report_status(report) != 0 && !report->untouched)
        next_step(out, report);
    else if (report_status(report) == 0 && report->one_check)
        fprintf(out, "This check passes. All of them:  make grade-%d\n",
                report->number);
    else if (report_status(report) == 0)
        fprintf(out,
                "All of it. Compare with another way to write it:  make "
                "solution-%d\n",
                report->number);
}
