/* See page.h. */
#include "viz/lesson/page.h"

#include <stdlib.h>
#include <string.h>

#include "viz/lesson/wire.h"
#include "viz/lesson/wrap.h"
#include "viz/views/roll.h"

/* Packets of a step; calls between two of them. */
enum { LADDER_MOST = 40, CALLS_MOST = 12 };

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

void page_here(const struct store *store, struct page_place *place)
{
    size_t calls = store_calls(store);

    place->packets = store_forgotten(store) + store_rows(store);
    if (calls > 0)
        place->calls_from = store_call(store, calls - 1)->ended_ns + 1;
}

static bool is_news(const struct store *store, const struct page_place *from,
                    struct choice choice)
{
    size_t n = store_calls_from(store, from->calls_from);

    if (store_forgotten(store) + store_rows(store) > from->packets)
        return true;
    while (n < store_calls(store))
        if (ladder_shows_call(store_call(store, n++), store, choice))
            return true;
    return false;
}

/* The place in the store of the first packet; those before that have come,
 * too, in *left_out. */
static size_t first_row(const struct store *store,
                        const struct page_place *from, int *left_out)
{
    uint64_t forgotten = store_forgotten(store);
    size_t rows = store_rows(store);
    size_t first = from->packets > forgotten
                       ? (size_t)(from->packets - forgotten)
                       : 0;

    if (first > rows)
        first = rows;
    *left_out = rows - first > LADDER_MOST ? (int)(rows - first - LADDER_MOST)
                                           : 0;
    return first + (size_t)*left_out;
}

void page_ladder(FILE *out, const struct store *store, struct page_place *place,
                 bool ascii)
{
    const struct choice all = {.flow = -1, .calls = true};
    struct page_place from = *place;
    struct roll roll;
    int left_out;
    size_t first;

    page_here(store, place);
    if (!is_news(store, &from, all) ||
        roll_init(&roll, out, PAGE_COLUMNS, ascii) < 0)
        return;
    first = first_row(store, &from, &left_out);
    fputc('\n', out);
    if (left_out > 0)
        fprintf(out, "(%d packets before these)\n", left_out);
    roll_header(&roll, NULL, store);
    roll.calls_from = from.calls_from;
    for (size_t n = first; n < store_rows(store); n++) {
        const struct store_row *row = store_row(store, n);

        roll_calls(&roll, store, all, row->packet.time_ns, CALLS_MOST);
        roll_packet(&roll, row, n > first ? store_row(store, n - 1) : NULL);
    }
    roll_calls(&roll, store, all, INT64_MAX, CALLS_MOST);
    roll_fini(&roll);
}
