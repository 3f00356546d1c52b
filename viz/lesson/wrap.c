/* See wrap.h. */
#include "viz/lesson/wrap.h"

#include <string.h>

#include "viz/screen/canvas.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t';
}

/* Columns of one character at *s; moves on. */
static int step(const char **s, size_t *left, bool quiet_marks)
{
    int width;

    if (**s == '`' && quiet_marks) {
        (*s)++;
        (*left)--;
        return 0;
    }
    width = code_width(utf8_next(s, left));
    return width < 0 ? 1 : width;
}

bool wrap_line(const char **text, int columns, bool quiet_marks,
               const char **line, size_t *length)
{
    const char *s, *fits = NULL;
    size_t left;
    int used = 0;

    while (is_blank(**text))
        (*text)++;
    if (**text == '\0')
        return false;
    if (columns < 1)
        columns = 1;
    *line = s = *text;
    left = strlen(s);
    while (left > 0) {
        const char *before = s;

        if (is_blank(*s)) {
            fits = s;
            s++;
            left--;
            used++;
            continue;
        }
        used += step(&s, &left, quiet_marks);
        if (used > columns && before > *line) {
            s = fits ? fits : before;
            break;
        }
    }
    *text = s;
    while (s > *line && is_blank(s[-1]))
        s--;
    *length = (size_t)(s - *line);
    return true;
}

/* --- tables ------------------------------------------------------------ */

enum { CELLS = 12, CELL = 512 };

/* The next row's cells, trimmed, without backticks; their number, 0 for the
 * rule under the header, -1 at the end. */
static int next_row(const char **table, char cells[CELLS][CELL])
{
    const char *s = *table, *end;
    bool rule = true;
    int count = 0;

    if (*s == '\0')
        return -1;
    end = s + strcspn(s, "\n");
    *table = *end ? end + 1 : end;
    if (*s == '|')
        s++;
    while (s < end && count < CELLS) {
        size_t n = strcspn(s, "|\n"), used = 0;

        while (n > 0 && is_blank(*s)) {
            s++;
            n--;
        }
        for (size_t i = 0; i < n && used + 1 < CELL; i++) {
            rule &= strchr("-: ", s[i]) != NULL;
            if (s[i] != '`')
                cells[count][used++] = s[i];
        }
        while (used + 1 == CELL && (cells[count][used - 1] & 0xc0) == 0x80)
            used--; /* no half character where a cell is cut */
        while (used > 0 && is_blank(cells[count][used - 1]))
            used--;
        cells[count][used] = '\0';
        s += n + 1;
        if (s <= end || used > 0)
            count++;
    }
    return rule ? 0 : count;
}

static void print_aligned(FILE *out, const char *table, const int *width)
{
    static const char rule[] = "----------------------------------------"
                               "----------------------------------------";
    char cells[CELLS][CELL];
    bool header = true;
    int count;

    while ((count = next_row(&table, cells)) >= 0) {
        for (int i = 0; i < count; i++) {
            int gap = i + 1 < count ? width[i] - text_width(cells[i]) + 2 : 0;

            fprintf(out, "%s%*s", cells[i], gap, "");
        }
        if (count > 0)
            fputc('\n', out);
        for (int i = 0; header && i < count; i++)
            fprintf(out, "%.*s%s", width[i] > 80 ? 80 : width[i], rule,
                    i + 1 < count ? "  " : "\n");
        header &= count == 0;
    }
}

/* A row in a narrow place: its first cell, then the others under it. */
static void print_record(FILE *out, char head[CELLS][CELL], int heads,
                         char cells[CELLS][CELL], int count, int columns)
{
    for (int i = 0; i < count; i++) {
        char text[2 * CELL + 4];
        const char *at = text, *line;
        size_t length;
        bool first = true;

        if (cells[i][0] == '\0')
            continue;
        if (i > 0 && i < heads && head[i][0])
            snprintf(text, sizeof text, "%.*s: %.*s", CELL - 1, head[i],
                     CELL - 1, cells[i]);
        else
            snprintf(text, sizeof text, "%.*s", CELL - 1, cells[i]);
        while (
            wrap_line(&at, columns - (i > 0 ? 4 : 0), false, &line, &length)) {
            fprintf(out, "%s%.*s\n",
                    i == 0  ? ""
                    : first ? "  "
                            : "    ",
                    (int)length, line);
            first = false;
        }
    }
}

void table_print(FILE *out, const char *table, int columns)
{
    char head[CELLS][CELL], cells[CELLS][CELL];
    int width[CELLS] = {0}, total = 0, count, heads = 0, rows = 0;

    for (const char *at = table; (count = next_row(&at, cells)) >= 0;) {
        for (int i = 0; i < count; i++) {
            if (text_width(cells[i]) > width[i])
                width[i] = text_width(cells[i]);
        }
    }
    for (int i = 0; i < CELLS; i++)
        total += width[i] > 0 ? width[i] + 2 : 0;
    if (total - 2 <= columns) {
        print_aligned(out, table, width);
        return;
    }
    while ((count = next_row(&table, cells)) >= 0) {
        if (count == 0)
            continue;
        if (rows++ == 0) {
            memcpy(head, cells, sizeof head);
            heads = count;
        } else {
            print_record(out, head, heads, cells, count, columns);
        }
    }
}
