/* See report.h: the score, and the table of formats. */
#include "tests/grader/report.h"

#include <string.h>

struct score report_score(const struct report *report)
{
    struct score score = {0};

    for (size_t i = 0; i < report->lab->check_count; i++) {
        if (!report->which[i])
            continue;
        score.max += report->lab->checks[i].points;
        score.points += report->result[i].points;
        if (report->result[i].grade == GRADE_SKIP)
            score.not_gradable += report->lab->checks[i].points;
        score.errors += report->result[i].grade == GRADE_ERROR;
    }
    return score;
}

int report_status(const struct report *report)
{
    struct score score = report_score(report);

    if (score.errors || score.max == 0)
        return 2;
    return score.points + score.not_gradable == score.max ? 0 : 1;
}

static const struct format formats[] = {
    {"--json", json_report}, {"--tap", NULL},         {"--junit", NULL},
    {"--gradescope", NULL},  {"--classroom50", NULL}, {"--autolab", NULL},
};

const struct format *format_by_option(const char *option)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].option, option) == 0)
            return &formats[i];
    return NULL;
}
