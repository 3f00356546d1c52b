/* See verdict.h. */
#include "tests/grader/verdict.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/grader/evidence.h"

enum { LINE = 1024 };

const char *grade_word(enum grade grade)
{
    static const char *const word[] = {"pass", "fail", "skip", "error"};

    return word[grade];
}

void lines_fini(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->line[i]);
    *lines = (struct lines){0};
}

void lines_add(struct lines *lines, const char *format, ...)
{
    char raw[LINE], clean[LINE];
    va_list arguments;

    if (lines->count == RESULT_LINES) {
        lines->dropped++;
        return;
    }
    va_start(arguments, format);
    vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    evidence_clean(raw, strlen(raw), clean, sizeof clean, 0);
    lines->line[lines->count] = strdup(clean);
    if (lines->line[lines->count])
        lines->count++;
    else
        lines->dropped++;
}

void result_sign(struct result *result, const char *sign)
{
    if (result->sign_count == RESULT_SIGNS || result_has_sign(result, sign))
        return;
    result->sign[result->sign_count] = strdup(sign);
    if (result->sign[result->sign_count])
        result->sign_count++;
}

bool result_has_sign(const struct result *result, const char *sign)
{
    for (size_t i = 0; i < result->sign_count; i++)
        if (strcmp(result->sign[i], sign) == 0)
            return true;
    return false;
}

/* The lists of a record and their names in JSON, in one place. */
struct named_lines {
    const char *name;
    struct lines *lines;
};

enum { LISTS = 6 };

static void lists(struct result *result, struct named_lines *list)
{
    const struct named_lines all[LISTS] = {
        {"steps", &result->steps},     {"expected", &result->expected},
        {"actual", &result->actual},   {"wire", &result->wire},
        {"autopsy", &result->autopsy}, {"remarks", &result->remarks},
    };

    memcpy(list, all, sizeof all);
}

void result_fini(struct result *result)
{
    struct named_lines list[LISTS];

    lists(result, list);
    for (size_t i = 0; i < LISTS; i++)
        lines_fini(list[i].lines);
    for (size_t i = 0; i < result->sign_count; i++)
        free(result->sign[i]);
    free(result->reason);
    free(result->log);
    *result = (struct result){0};
}

static json_t *strings(char *const *text, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(text[i]));
    return array;
}

char *result_write(const struct result *result)
{
    struct named_lines list[LISTS];
    struct result *reader = (struct result *)(uintptr_t)result;
    json_t *record = json_object();
    char *text;

    lists(reader, list);
    json_object_set_new(record, "grade", json_integer(result->grade));
    json_object_set_new(record, "final", json_boolean(result->final));
    json_object_set_new(record, "points", json_integer(result->points));
    json_object_set_new(record, "captured", json_boolean(result->captured));
    json_object_set_new(record, "timing", json_boolean(result->timing));
    if (result->reason)
        json_object_set_new(record, "reason", json_string(result->reason));
    if (result->log)
        json_object_set_new(record, "log", json_string(result->log));
    json_object_set_new(record, "signs",
                        strings(result->sign, result->sign_count));
    for (size_t i = 0; i < LISTS; i++)
        json_object_set_new(record, list[i].name,
                            strings(list[i].lines->line, list[i].lines->count));
    text = json_dumps(record, JSON_COMPACT);
    json_decref(record);
    if (!text)
        errno = ENOMEM;
    return text;
}

static void read_lines(struct lines *lines, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));

        if (text)
            lines_add(lines, "%s", text);
    }
}

int result_read(struct result *result, const char *line, size_t length)
{
    json_t *record = json_loadb(line, length, 0, NULL);
    struct named_lines list[LISTS];
    const json_t *signs;
    const char *reason, *log;

    *result = (struct result){0};
    if (!json_is_object(record) ||
        !json_is_integer(json_object_get(record, "grade"))) {
        json_decref(record);
        errno = EBADMSG;
        return -1;
    }
    result->grade = (enum grade)json_integer_value(
        json_object_get(record, "grade"));
    if (result->grade < GRADE_PASS || result->grade > GRADE_ERROR)
        result->grade = GRADE_ERROR;
    result->final = json_is_true(json_object_get(record, "final"));
    result->points = (int)json_integer_value(json_object_get(record, "points"));
    result->captured = json_is_true(json_object_get(record, "captured"));
    result->timing = json_is_true(json_object_get(record, "timing"));
    reason = json_string_value(json_object_get(record, "reason"));
    if (reason)
        result->reason = strdup(reason);
    log = json_string_value(json_object_get(record, "log"));
    if (log)
        result->log = strdup(log);
    signs = json_object_get(record, "signs");
    for (size_t i = 0; i < json_array_size(signs); i++)
        result_sign(result, json_string_value(json_array_get(signs, i)));
    lists(result, list);
    for (size_t i = 0; i < LISTS; i++)
        read_lines(list[i].lines, json_object_get(record, list[i].name));
    json_decref(record);
    return 0;
}
