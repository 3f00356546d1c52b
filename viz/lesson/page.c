/* See page.h. */
#include "viz/lesson/page.h"

#include <stdlib.h>
#include <string.h>

#include "viz/lesson/wire.h"
#include "viz/lesson/wrap.h"
#include "viz/screen/canvas.h"
#include "viz/views/ladder.h"

enum { LADDER_MOST = 40 };

void page_prose(FILE *out, const char *indent, const char *text)
{
    int columns = PAGE_COLUMNS - (int)strlen(indent);
    const char *line;
    size_t length;

    while (wrap_line(&text, columns, false, &line, &length))
        fprintf(out, "%s%.*s\n", indent, (int)length, line);
}

/* A list item hangs behind its mark. */
static void print_item(FILE *out, const struct block *block)
{
    int indent = 2 * (block->level > 8 ? 8 : block->level);
    const char *text = block->text + block->marker, *line;
    size_t length;
    bool first = true;

    if (block->marker)
        indent -= 2;
    while (wrap_line(&text, PAGE_COLUMNS - indent - block->marker, false, &line,
                     &length)) {
        fprintf(out, "%*s%-*.*s%.*s\n", indent, "", block->marker,
                first ? block->marker : 0, block->text, (int)length, line);
        first = false;
    }
}

static void print_code(FILE *out, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        int column = 0;

        fputs("    ", out);
        for (size_t i = 0; i < n; i++) {
            if (text[i] == '\t')
                column += fprintf(out, "%*s", 4 - column % 4, "");
            else
                column += fputc(text[i], out) != EOF;
        }
        fputc('\n', out);
        text += n + (text[n] == '\n');
    }
}

static void print_typed(FILE *out, const struct block *block)
{
    for (size_t i = 0; i < block->typed_count; i++) {
        const struct typed *typed = &block->typed[i];

        fprintf(out, "    %c %s%s\n", block->terminal,
                typed->kind == TYPED_COMMAND ? "$ "
                : typed->kind == TYPED_INPUT ? "> "
                                             : "^",
                typed->text);
    }
}

static void print_wire(FILE *out, const struct block *block)
{
    struct loss loss = wire_of(block);
    char text[WIRE_SENTENCE];

    page_prose(out, "  ~ ", wire_sentence(&loss, text));
}

void page_block(FILE *out, const struct block *block)
{
    switch (block->kind) {
    case BLOCK_HEADING:
        fprintf(out, "\n%s\n", block->text);
        for (int n = text_width(block->text); block->level <= 2 && n > 0; n--)
            fputc(block->level == 1 ? '=' : '-', out);
        fputs(block->level <= 2 ? "\n" : "", out);
        return;
    case BLOCK_PROSE:
        fputc('\n', out);
        print_item(out, block);
        return;
    case BLOCK_TABLE:
        fputc('\n', out);
        table_print(out, block->text, PAGE_COLUMNS);
        return;
    case BLOCK_CODE:
        fputc('\n', out);
        print_code(out, block->text);
        return;
    case BLOCK_TERMINAL:
        fputc('\n', out);
        print_typed(out, block);
        return;
    case BLOCK_PREDICT:
        fputc('\n', out);
        page_prose(out, "  ? ", block->text);
        for (size_t i = 0; i < block->line_count; i++)
            fprintf(out, "    %c) %s\n", (char)('a' + (int)i), block->lines[i]);
        return;
    case BLOCK_WIRE:
        fputc('\n', out);
        print_wire(out, block);
        return;
    case BLOCK_OBSERVE:
        return;
    }
}

void page_reply(FILE *out, const struct block *predict, int chosen)
{
    if (chosen >= 0)
        fprintf(out, "    You said %c: %s.\n", (char)('a' + chosen),
                chosen == predict->right ? "yes" : "not quite");
    fprintf(out, "    Answer: %c) %s\n", (char)('a' + predict->right),
            predict->lines[predict->right]);
    page_prose(out, "    ", predict->reply);
}

void page_tick(FILE *out, const char *line, const struct tick *tick)
{
    if (tick->status == EXPECT_TRUE)
        fprintf(out, "  [x] %s\n", line);
    else if (tick->status == EXPECT_BROKEN)
        fprintf(out, "  [!] %s -- this happened after all\n", line);
    else
        fprintf(out, "  [ ] %s\n", line);
    if (tick->evidence[0])
        fprintf(out, "        %s\n", tick->evidence);
}

size_t page_ladder(FILE *out, const struct store *store, size_t from,
                   bool ascii)
{
    size_t end = store_rows(store), first = from;
    struct canvas canvas;
    struct area area;
    int rows, skipped = 0;

    if (from >= end)
        return end;
    if (end - first > LADDER_MOST) {
        skipped = (int)(end - first) - LADDER_MOST;
        first = end - LADDER_MOST;
    }
    rows = (int)(end - first) + LADDER_HEADER_ROWS;
    if (canvas_init(&canvas, rows, PAGE_COLUMNS) < 0)
        return end;
    canvas.ascii = ascii;
    canvas_clear(&canvas);
    area = canvas_area(&canvas);
    ladder_header(area, 0, NULL, store);
    for (size_t i = first; i < end; i++)
        ladder_row(
            area, LADDER_HEADER_ROWS + (int)(i - first), store_row(store, i),
            i > first ? store_row(store, i - 1) : NULL, store_start(store));
    fputc('\n', out);
    if (skipped > 0)
        fprintf(out, "(%d packets before these)\n", skipped);
    canvas_print(&canvas, out);
    canvas_fini(&canvas);
    return end;
}
