/* See diagnostics.h. gcc and clang write FILE:LINE:COLUMN: error: ..., then
 * the line of code and a caret; the linker: ...: undefined reference to `x'. */
#include "tests/grader/diagnostics.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { CODE_LINES = 5, WARNINGS = 6 };

enum kind { NOTHING, ERROR, WARNING, NOTE };

/* The first of the linker's words that name what is wrong. */
static bool of_linker(const char *line, size_t n)
{
    static const char *const words[] = {
        "undefined reference", "multiple definition", "duplicate symbol",
        "undefined symbol", "No space left"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (memmem(line, n, words[i], strlen(words[i])))
            return true;
    return false;
}

static enum kind kind_of(const char *line, size_t n)
{
    if (memmem(line, n, ": error: ", 9) ||
        memmem(line, n, "fatal error: ", 13) || of_linker(line, n))
        return ERROR;
    if (memmem(line, n, ": warning: ", 11))
        return WARNING;
    return memmem(line, n, ": note: ", 8) ? NOTE : NOTHING;
}

/* "/box/" is what the linker calls the cell's folder; with reduced isolation it
 * is launch.c's under /tmp. */
static void tell(struct lines *lines, const char *shown, const char *line,
                 size_t n)
{
    const char *box = memmem(line, n, "/box/", 5);
    const char *linker = memmem(line, n, ".c:(", 4);

    if (!box) {
        const char *own = memmem(line, n, "/two-terminals-", 15);
        const char *end = own ? memchr(own + 1, '/',
                                       n - (size_t)(own + 1 - line))
                              : NULL;

        box = end ? end - 4 : NULL; /* as if it were called so */
    }
    if (box && linker && box < linker) {
        n -= (size_t)(box + 5 - line);
        line = box + 5;
    }
    lines_add(lines, "%s/%.*s", shown, (int)(n > 300 ? 300 : n), line);
}

void diagnostics_reduce(const char *said, const char *shown,
                        struct build_result *result)
{
    size_t errors = 0, warnings = 0, code = 0;
    bool in_first = false;

    while (*said) {
        size_t n = strcspn(said, "\n");
        enum kind kind = kind_of(said, n);

        if (kind == ERROR) {
            in_first = ++errors == 1;
            if (in_first)
                tell(&result->errors, shown, said, n);
        } else if (kind == WARNING) {
            in_first = false;
            if (++warnings <= WARNINGS)
                tell(&result->warnings, shown, said, n);
        } else if (kind == NOTE) {
            in_first = false;
        } else if (in_first && said[0] == ' ' && code++ < CODE_LINES) {
            lines_add(&result->errors, "%.*s", (int)(n > 200 ? 200 : n), said);
        }
        said += n + (said[n] == '\n');
    }
    if (errors > 1)
        lines_add(&result->errors, "and %zu more error%s after it", errors - 1,
                  errors == 2 ? "" : "s");
    if (warnings > WARNINGS)
        lines_add(&result->warnings, "and %zu more warnings",
                  warnings - WARNINGS);
}
