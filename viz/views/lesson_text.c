/* See lesson_text.h. */
#include "viz/views/lesson_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/lesson/wire.h"
#include "viz/lesson/wrap.h"

enum { LINE = 0x2500 };

/* The window's row for the strip's next one, -1 when it is not seen. */
static int seen_row(const struct strip *strip)
{
    int row = strip->row - strip->from;

    return row >= 0 && row < strip->area.rows ? row : -1;
}

static void put(struct strip *strip, int column, enum style style,
                const char *text)
{
    int row = seen_row(strip);

    if (row >= 0)
        area_text(strip->area, row, column, style, text);
}

/* One line of prose; `strong` tells whether it begins inside backticks. */
static void put_prose(struct strip *strip, int column, enum style style,
                      const char *line, size_t length, bool *strong)
{
    int row = seen_row(strip);

    while (length > 0) {
        const char *mark = memchr(line, '`', length);
        size_t n = mark ? (size_t)(mark - line) : length;

        if (row >= 0 && n > 0)
            column += area_textn(strip->area, row, column,
                                 *strong ? STYLE_STRONG : style, line, n);
        if (mark) {
            *strong = !*strong;
            n++;
        }
        line += n;
        length -= n;
    }
}

void strip_prose(struct strip *strip, int column, enum style style,
                 const char *text)
{
    bool strong = false;
    const char *line;
    size_t length;

    while (
        wrap_line(&text, strip->area.columns - column, true, &line, &length)) {
        put_prose(strip, column, style, line, length, &strong);
        strip->row++;
    }
}

/* Lines as they are, cut at the edge of the window. */
static void put_lines(struct strip *strip, int column, enum style style,
                      const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        int row = seen_row(strip);

        if (row >= 0)
            area_textn(strip->area, row, column, style, text, n);
        strip->row++;
        text += n + (text[n] == '\n');
    }
}

static void put_table(struct strip *strip, const char *table)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return;
    table_print(out, table, strip->area.columns);
    if (fclose(out) == 0)
        put_lines(strip, 0, STYLE_PLAIN, text);
    free(text);
}

static void put_heading(struct strip *strip, const struct block *block)
{
    int row;

    strip_prose(strip, 0, STYLE_STRONG, block->text);
    row = seen_row(strip);
    if (block->level > 2)
        return;
    if (row >= 0)
        area_fill(strip->area, row, 0, strip->area.columns, STYLE_DIM, LINE);
    strip->row++;
}

static void put_item(struct strip *strip, const struct block *block)
{
    int depth = block->level > 6 ? 6 : block->level;
    int column = 2 * depth - (block->marker && depth > 0 ? 2 : 0);
    char marker[24];

    if (block->marker) {
        snprintf(marker, sizeof marker, "%.*s", block->marker, block->text);
        put(strip, column, STYLE_PLAIN, marker);
        column += block->marker;
    }
    strip_prose(strip, column, STYLE_PLAIN, block->text + block->marker);
}

void strip_typed(struct strip *strip, const struct block *block, bool compact)
{
    char text[DOCUMENT_LINE + 40];

    if (!compact) {
        snprintf(text, sizeof text, "In terminal %c:", block->terminal);
        put(strip, 0, STYLE_DIM, text);
        strip->row++;
    }
    for (size_t i = 0; i < block->typed_count; i++) {
        const struct typed *typed = &block->typed[i];

        snprintf(text, sizeof text, "%c", block->terminal);
        put(strip, 0, STYLE_STRONG, compact ? text : "");
        if (typed->kind == TYPED_KEY) {
            put(strip, 2, STYLE_DIM, "press");
            snprintf(text, sizeof text, "Ctrl-%s", typed->text);
            put(strip, 8, STYLE_KEY, text);
            strip->row++;
            continue;
        }
        put(strip, 2, STYLE_DIM, typed->kind == TYPED_COMMAND ? "$" : ">");
        if (typed->text[0] == '\0') {
            put(strip, 4, STYLE_KEY, "Enter");
            strip->row++;
            continue;
        }
        strip_prose(strip, 4, STYLE_KEY, typed->text);
    }
}

static void put_predict(struct strip *strip, const struct step *step)
{
    const struct block *block = step->predict;
    char letter[4];

    strip_prose(strip, 0, STYLE_STRONG, block->text);
    for (size_t i = 0; i < block->line_count; i++) {
        bool chosen = step->answer == (int)i;
        bool right = step->answer >= 0 && block->right == (int)i;
        enum style style = right    ? STYLE_GOOD
                           : chosen ? STYLE_WARN
                                    : STYLE_PLAIN;

        snprintf(letter, sizeof letter, "%c", (char)('a' + (int)i));
        put(strip, 0, STYLE_DIM, right ? "\u2713" : chosen ? ">" : "");
        put(strip, 2, STYLE_KEY, letter);
        strip_prose(strip, 4, style, block->lines[i]);
    }
    strip->row++;
    if (step->answer < 0)
        return;
    strip_prose(strip, 0,
                step->answer == block->right ? STYLE_GOOD : STYLE_WARN,
                step->answer == block->right ? "Yes."
                                             : "Not quite, and worth knowing:");
    strip_prose(strip, 0, STYLE_PLAIN, block->reply);
}

static void put_wire(struct strip *strip, const struct block *block)
{
    struct loss loss = wire_of(block);
    char text[WIRE_SENTENCE];

    strip_prose(strip, 0, STYLE_STRONG, wire_sentence(&loss, text));
}

static void put_block(struct strip *strip, const struct step *step,
                      const struct block *block)
{
    switch (block->kind) {
    case BLOCK_HEADING:
        put_heading(strip, block);
        break;
    case BLOCK_PROSE:
        put_item(strip, block);
        break;
    case BLOCK_TABLE:
        put_table(strip, block->text);
        break;
    case BLOCK_CODE:
        put_lines(strip, 1, STYLE_PLAIN, block->text);
        break;
    case BLOCK_PREDICT:
        put_predict(strip, step);
        break;
    case BLOCK_TERMINAL:
    case BLOCK_OBSERVE:
        break;
    case BLOCK_WIRE:
        put_wire(strip, block);
        break;
    }
}

/* Items of one list stand together, all else has a row of air between. */
static bool wants_air(const struct block *before, const struct block *block)
{
    if (before->kind == BLOCK_HEADING)
        return false;
    return !(before->kind == BLOCK_PROSE && block->kind == BLOCK_PROSE &&
             before->marker && block->marker);
}

/* The lesson's own title stands in the title bar already. */
static bool is_title(const struct player *player, const struct block *block)
{
    return block == player->document->blocks && block->kind == BLOCK_HEADING;
}

void strip_step(struct strip *strip, const struct player *player,
                const struct step *step)
{
    const struct block *before = NULL;

    for (size_t i = step->first; i < step->last; i++) {
        const struct block *block = &player->document->blocks[i];

        if (block->kind == BLOCK_TERMINAL || block->kind == BLOCK_OBSERVE ||
            is_title(player, block))
            continue;
        if (before && wants_air(before, block))
            strip->row++;
        put_block(strip, step, block);
        before = block;
    }
}
