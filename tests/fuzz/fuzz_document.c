/*
 * Any bytes as a lesson. Promises: refused with a line number that the text
 * has, or read into blocks that are whole and hold printable UTF-8, newlines
 * and tabs only.
 *
 *   the text; when it begins with a byte that is never UTF-8 (0xf8-0xff, bit 0:
 *   lines end in CR LF) its lines are a byte each
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

/* Lines that mean something; bit 7: the next one goes on in this line, bit 6: it
 * is quoted. */
static size_t known_lines(struct input *input, char *text, size_t room)
{
    static const char *const lines[64] = {
        "",
        "# T",
        "## T `a` **b**",
        "===",
        "---",
        "```terminal A",
        "```terminal B",
        "```observe",
        "```predict a",
        "```predict b",
        "```wire",
        "```c f.c",
        "```diff",
        "```",
        "````",
        "~~~",
        "~~~ observe",
        "``` \tpredict  a-b ",
        "```c",
        "$ ./server",
        "> hello",
        ">",
        "^C",
        "^X",
        "$",
        "listen tcp 7001",
        "prints A \"a\"",
        "loss 1/3",
        "loss 3/1",
        "clean",
        "- yes",
        "- no *",
        "- *",
        "  goes on",
        "    four",
        "\ttab",
        "text",
        "two words  ",
        "  ",
        "1. one",
        "7) seven",
        "999999999. many",
        "* star",
        "| a | b |",
        "|---|---|",
        "<!--",
        "-->",
        "<b>bold</b>",
        "&#27;[31m",
        "&#10;",
        "&#13;",
        "&#0;",
        "&#x202e;",
        "&lt;&amp;",
        "\\",
        "`code",
        "**bold",
        "[a](b \"c\")",
        "[a]: b",
        "![a]",
        "\xe6\xbc\xa2\xe5\xad\x97",
        "e\xcc\x81",
        "long long long long long long long long long long long long long ",
        "```observe more",
    };
    const char *end = input_u8(input) & 1 ? "\r\n" : "\n";
    size_t length = 0;

    while (input->left > 0) {
        uint8_t byte = input_u8(input);
        int n = snprintf(text + length, room - length, "%s%s%s",
                         byte & 64 ? "> " : "", lines[byte & 63],
                         byte & 128 ? "" : end);

        if (n < 0 || (size_t)n >= room - length)
            break;
        length += (size_t)n;
    }
    return length;
}

JUDGE static int count_lines(const char *text, size_t size)
{
    int lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    return lines;
}

static void check(const char *text, size_t size)
{
    struct document_error error = {0};
    struct document *document = document_parse("lesson.md", text, size, &error);
    int lines = count_lines(text, size);

    if (document == NULL) {
        must(error.text[0] != '\0');
        must(is_printable(error.text, strnlen(error.text, sizeof error.text),
                          "\n\t"));
        must(error.line >= 0 && error.line <= lines);
        return;
    }
    check_text(document->title);
    must(document->block_count <= DOCUMENT_BLOCKS);
    for (size_t i = 0; i < document->block_count; i++)
        check_block(&document->blocks[i], lines);
    document_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST_TEXT = 1 << 16 };
    static char text[MOST_TEXT];
    struct input input = {data, size};
    char *copy;

    if (size == 0 || data[0] < 0xf8) {
        check((const char *)data, size);
        return 0;
    }
    size = known_lines(&input, text, sizeof text);
    copy = malloc(size + 1); /* so that a byte too many is seen */
    must(copy != NULL);
    memcpy(copy, text, size);
    check(copy, size);
    free(copy);
    return 0;
}
