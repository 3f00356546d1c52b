/* The native report, version 1: docs/grading.md has its fields. */
#include "tests/grader/report.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

enum { VERSION = 1 };

#ifndef KIT /* the Makefile's, from tools/version.sh */
#define KIT "unversioned"
#endif

static json_t *text_array(const struct lines *lines)
{
    json_t *array = json_array();

    for (size_t i = 0; i < lines->count; i++)
        json_array_append_new(array, json_string(lines->line[i]));
    return array;
}

static json_t *message_of(const struct report *report, size_t check)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    json_t *message;

    if (!out)
        return json_null();
    words_check(out, report, check, false);
    fclose(out);
    message = json_stringn(text, size);
    free(text);
    return message;
}

static json_t *check_object(const struct report *report, size_t i)
{
    const struct check *check = &report->lab->checks[i];
    const struct result *result = &report->result[i];
    json_t *object = json_object(), *also = json_array(), *signs = json_array();

    for (size_t n = 0; n < result->also_count; n++)
        json_array_append_new(also, json_string(result->also[n]));
    for (size_t n = 0; n < result->sign_count; n++)
        json_array_append_new(signs, json_string(result->sign[n]));
    json_object_set_new(object, "id", json_string(check->id));
    json_object_set_new(object, "title", json_string(check->title));
    json_object_set_new(object, "points", json_integer(result->points));
    json_object_set_new(object, "max", json_integer(check->points));
    json_object_set_new(object, "verdict",
                        json_string(grade_word(result->grade)));
    json_object_set_new(object, "misconception",
                        result->misconception
                            ? json_string(result->misconception)
                            : json_null());
    json_object_set_new(object, "also", also);
    json_object_set_new(object, "explained_by",
                        result->explained_by ? json_string(result->explained_by)
                                             : json_null());
    json_object_set_new(object, "signs", signs);
    json_object_set_new(object, "remarks", text_array(&result->remarks));
    json_object_set_new(object, "message",
                        result->grade == GRADE_PASS ? json_string("")
                                                    : message_of(report, i));
    return object;
}

int json_report(FILE *out, const struct report *report)
{
    struct score score = report_score(report);
    json_t *object = json_object(), *checks = json_array();
    int done;

    json_object_set_new(object, "version", json_integer(VERSION));
    json_object_set_new(object, "kit", json_string("two-terminals " KIT));
    json_object_set_new(object, "lab", json_string(report->lab->name));
    json_object_set_new(object, "score", json_integer(score.points));
    json_object_set_new(object, "max", json_integer(score.max));
    json_object_set_new(object, "not_gradable",
                        json_integer(score.not_gradable));
    json_object_set_new(object, "isolation",
                        json_string(isolation_word(report->isolation->level)));
    json_object_set_new(object, "seed", json_integer((json_int_t)report->seed));
    json_object_set_new(object, "flaky", json_integer(report->flaky));
    json_object_set_new(object, "compiled",
                        json_boolean(report->build[BUILD_PLAIN].program >= 0));
    json_object_set_new(object, "errors",
                        text_array(&report->build[BUILD_PLAIN].errors));
    json_object_set_new(object, "warnings",
                        text_array(&report->build[BUILD_PLAIN].warnings));
    for (size_t i = 0; i < report->lab->check_count; i++)
        if (report->which[i])
            json_array_append_new(checks, check_object(report, i));
    json_object_set_new(object, "checks", checks);
    done = json_dumpf(object, out, JSON_INDENT(1));
    json_decref(object);
    if (done < 0 || fputc('\n', out) == EOF || fflush(out) == EOF) {
        errno = EIO;
        return -1;
    }
    return 0;
}
