/*
 * See excerpt.h. A quote is compared line by line, tabs and trailing blanks
 * included; the file's best match says where the two part.
 */
#include "viz/lesson/excerpt.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 1 << 20 };

/* Text cut into lines, in place. */
struct lines {
    char *text;
    char **line;
    size_t count;
};

static void lines_fini(struct lines *lines)
{
    free(lines->text);
    free(lines->line);
    memset(lines, 0, sizeof *lines);
}

/* Takes `text`, also on failure. */
static int lines_cut(struct lines *lines, char *text)
{
    size_t most = 1;

    lines->text = text;
    lines->count = 0;
    for (const char *p = text; *p; p++)
        most += *p == '\n';
    lines->line = calloc(most, sizeof *lines->line);
    if (!lines->line) {
        lines_fini(lines);
        return -1;
    }
    while (*text) {
        char *end = text + strcspn(text, "\n");

        lines->line[lines->count++] = text;
        text = *end ? end + 1 : end;
        *end = '\0';
    }
    return 0;
}

/* Beside the lesson, or in a neighbour's folder. */
static bool name_ok(const char *name)
{
    if (strncmp(name, "../", 3) == 0)
        name += 3;
    return *name && *name != '/' && !strstr(name, "..");
}

static int lines_read(struct lines *lines, const char *document,
                      const char *name)
{
    char path[PATH_MAX];
    const char *slash = strrchr(document, '/');
    int folder = slash ? (int)(slash - document) + 1 : 0;
    FILE *file;
    char *text;
    size_t length;

    if (!name_ok(name)) {
        errno = EACCES;
        return -1;
    }
    if (snprintf(path, sizeof path, "%.*s%s", folder, document, name) >=
        (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    file = fopen(path, "re");
    if (!file)
        return -1;
    text = malloc(FILE_MOST + 1);
    length = text ? fread(text, 1, FILE_MOST, file) : 0;
    fclose(file);
    if (!text)
        return -1;
    text[length] = '\0';
    return lines_cut(lines, text);
}

/* Where the `count` quoted lines stand in `file`, at or after line `from`; -1
 * when they do not, and then *agreed is how many agree at the best place. */
static long find_run(const struct lines *file, size_t from, char **quoted,
                     size_t count, size_t *agreed)
{
    *agreed = 0;
    for (size_t at = from; at < file->count; at++) {
        size_t n = 0;

        while (n < count && at + n < file->count &&
               strcmp(file->line[at + n], quoted[n]) == 0)
            n++;
        if (n == count)
            return (long)at;
        if (n > *agreed)
            *agreed = n;
    }
    return count == 0 ? (long)from : -1;
}

static int cannot_read(struct document_error *error, const char *path, int line,
                       const char *name)
{
    return document_fault(error, path, line,
                          "quotes %s, which cannot be "
                          "read: %s",
                          name,
                          errno == EACCES && !name_ok(name)
                              ? "a quoted file stands beside the lesson, or "
                                "is ../NAME/FILE"
                              : strerror(errno));
}

static int check_code(const struct block *block, const char *path,
                      struct document_error *error)
{
    const char *name = block->info + 2;
    struct lines file = {0}, quote = {0};
    char *copy = strdup(block->text);
    size_t agreed;
    int done = -1;

    if (lines_read(&file, path, name) < 0) {
        cannot_read(error, path, block->line, name);
    } else if (!copy || lines_cut(&quote, copy) < 0) {
        copy = NULL; /* taken */
        document_fault(error, path, block->line, "out of memory");
    } else if (find_run(&file, 0, quote.line, quote.count, &agreed) < 0) {
        document_fault(error, path, block->line + 1 + (int)agreed,
                       "%s does not say this: \"%.100s\"", name,
                       quote.line[agreed]);
    } else {
        done = 0;
    }
    if (!quote.text)
        free(copy);
    lines_fini(&file);
    lines_fini(&quote);
    return done;
}

/* --- diffs ------------------------------------------------------------- */

/* A diff under way: its two files, and the hunk that is being gathered. */
struct diff {
    const struct block *block;
    const char *path;
    struct document_error *error;
    struct side {
        char sign; /* '-' or '+' */
        char name[256];
        struct lines file;
        char **hunk; /* borrowed lines of the quote, without their sign */
        int *number; /* the line of the document each stands on */
        size_t count, from;
    } side[2];
};

static int hunk_done(struct diff *diff)
{
    for (int i = 0; i < 2; i++) {
        struct side *side = &diff->side[i];
        size_t agreed;
        long at;

        if (side->count == 0)
            continue;
        if (!side->file.text)
            return document_fault(diff->error, diff->path, diff->block->line,
                                  "a diff names its files first: --- FILE "
                                  "and +++ FILE");
        at = find_run(&side->file, side->from, side->hunk, side->count,
                      &agreed);
        if (at < 0)
            return document_fault(diff->error, diff->path, side->number[agreed],
                                  "%s does not say this here: \"%.100s\"",
                                  side->name, side->hunk[agreed]);
        side->from = (size_t)at + side->count;
        side->count = 0;
    }
    return 0;
}

static int name_side(struct diff *diff, struct side *side, const char *text,
                     int number)
{
    snprintf(side->name, sizeof side->name, "%.*s", (int)strcspn(text, "\t "),
             text);
    lines_fini(&side->file);
    side->from = 0;
    if (lines_read(&side->file, diff->path, side->name) < 0)
        return cannot_read(diff->error, diff->path, number, side->name);
    return 0;
}

static int diff_line(struct diff *diff, char *line, int number)
{
    if (strncmp(line, "--- ", 4) == 0)
        return hunk_done(diff) < 0
                   ? -1
                   : name_side(diff, &diff->side[0], line + 4, number);
    if (strncmp(line, "+++ ", 4) == 0)
        return name_side(diff, &diff->side[1], line + 4, number);
    if (strncmp(line, "@@", 2) == 0)
        return hunk_done(diff);
    if (*line && !strchr(" -+", *line))
        return document_fault(diff->error, diff->path, number,
                              "no line of a diff: \"%.60s\" (it begins with "
                              "a blank, -, + or @@)",
                              line);
    for (int i = 0; i < 2; i++) {
        struct side *side = &diff->side[i];

        if (*line && *line != ' ' && *line != side->sign)
            continue;
        side->hunk[side->count] = *line ? line + 1 : line;
        side->number[side->count++] = number;
    }
    return 0;
}

static int check_diff(const struct block *block, const char *path,
                      struct document_error *error)
{
    struct diff diff = {.block = block, .path = path, .error = error};
    struct lines quote = {0};
    char *copy = strdup(block->text);
    int failed;

    if (!copy || lines_cut(&quote, copy) < 0)
        return document_fault(error, path, block->line, "out of memory");
    failed = 0;
    for (int i = 0; i < 2; i++) {
        struct side *side = &diff.side[i];

        side->sign = "-+"[i];
        side->hunk = calloc(quote.count + 1, sizeof *side->hunk);
        side->number = calloc(quote.count + 1, sizeof *side->number);
        if (!side->hunk || !side->number)
            failed = document_fault(error, path, block->line, "out of memory");
    }
    for (size_t i = 0; i < quote.count && !failed; i++)
        failed = diff_line(&diff, quote.line[i], block->line + 1 + (int)i);
    if (!failed)
        failed = hunk_done(&diff);
    for (int i = 0; i < 2; i++) {
        lines_fini(&diff.side[i].file);
        free(diff.side[i].hunk);
        free(diff.side[i].number);
    }
    lines_fini(&quote);
    return failed;
}

int excerpt_check(const struct document *document, const char *path,
                  struct document_error *error)
{
    for (size_t i = 0; i < document->block_count; i++) {
        const struct block *block = &document->blocks[i];
        int failed = 0;

        if (block->kind != BLOCK_CODE)
            continue;
        if (strcmp(block->info, "diff") == 0)
            failed = check_diff(block, path, error);
        else if (strncmp(block->info, "c ", 2) == 0)
            failed = check_code(block, path, error);
        if (failed)
            return -1;
    }
    return 0;
}
