/*
 * Any bytes as a lesson. Promises: refused with a line number that the text
 * has, or read into blocks that are whole and hold printable UTF-8, newlines
 * and tabs only.
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "viz/lesson/document.h"

JUDGE static void check_text(const char *text)
{
    must(text != NULL);
    must(is_printable(text, strlen(text), "\n\t"));
}

JUDGE static void check_lines(const struct block *block)
{
    must(block->line_count <= DOCUMENT_LINES);
    for (size_t i = 0; i < block->line_count; i++) {
        check_text(block->lines[i]);
        must(strlen(block->lines[i]) <= DOCUMENT_LINE);
    }
}

JUDGE static void check_terminal(const struct block *block)
{
    must(block->terminal >= 'A' && block->terminal <= 'C');
    must(block->typed_count <= DOCUMENT_LINES);
    for (size_t i = 0; i < block->typed_count; i++) {
        const struct typed *typed = &block->typed[i];

        must(typed->kind <= TYPED_KEY);
        check_text(typed->text);
        if (typed->kind == TYPED_KEY)
            must(strchr("CDZ", typed->text[0]) && typed->text[1] == '\0');
    }
}

JUDGE static void check_block(const struct block *block, int lines)
{
    must(block->line >= 1 && block->line <= lines);
    switch (block->kind) {
    case BLOCK_HEADING:
        must(block->level >= 1 && block->level <= 6);
        check_text(block->text);
        break;
    case BLOCK_PROSE:
        check_text(block->text);
        must(block->marker >= 0 &&
             (size_t)block->marker <= strlen(block->text));
        break;
    case BLOCK_TABLE:
    case BLOCK_CODE:
        check_text(block->text);
        check_text(block->info);
        break;
    case BLOCK_TERMINAL:
        check_terminal(block);
        break;
    case BLOCK_PREDICT:
        check_text(block->text);
        check_text(block->info);
        check_text(block->reply);
        must(block->line_count >= 2 && block->line_count <= DOCUMENT_ANSWERS);
        must(block->right >= 0 && (size_t)block->right < block->line_count);
        check_lines(block);
        break;
    case BLOCK_OBSERVE:
    case BLOCK_WIRE:
        check_lines(block);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct document_error error = {0};
    struct document *document = document_parse("lesson.md", (const char *)data,
                                               size, &error);
    int lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    if (document == NULL) {
        must(error.text[0] != '\0');
        must(is_printable(error.text, strnlen(error.text, sizeof error.text),
                          "\n\t"));
        must(error.line >= 0 && error.line <= lines);
        return 0;
    }
    check_text(document->title);
    must(document->block_count <= DOCUMENT_BLOCKS);
    for (size_t i = 0; i < document->block_count; i++)
        check_block(&document->blocks[i], lines);
    document_free(document);
    return 0;
}
