/*
 * See document.h. Three passes: every byte is looked at (so that no later part
 * meets a control byte or half a character), libcmark parses, then its tree is
 * walked once and each leaf becomes a block.
 */
#include "viz/lesson/document.h"

#include <cmark.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/lesson/fences.h"

/* --- the bytes --------------------------------------------------------- */

/* Length of the UTF-8 character at `s` (`left` bytes) and its code point; 0
 * for a broken one (RFC 3629: shortest form, no surrogates, to U+10FFFF). */
static size_t utf8_length(const unsigned char *s, size_t left, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xc2 ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
               : s[0] < 0xf5 ? 4
                             : 0;

    if (n == 0 || n > left)
        return 0;
    *code = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3fu);
    }
    if (*code < least[n] || (*code >= 0xd800 && *code < 0xe000) ||
        *code > 0x10ffff)
        return 0;
    return n;
}

/* A message that quotes the document may have cut a character in two. */
static void drop_halves(char *text)
{
    size_t left = strlen(text), kept = 0;

    for (size_t at = 0, n; at < left; at += n ? n : 1) {
        uint32_t code;

        n = utf8_length((unsigned char *)text + at, left - at, &code);
        if (kept != at)
            memmove(text + kept, text + at, n);
        kept += n;
    }
    text[kept] = '\0';
}

int document_fault(struct document_error *error, const char *path, int line,
                   const char *format, ...)
{
    va_list args;
    int n;

    error->line = line;
    n = line > 0
            ? snprintf(error->text, sizeof error->text, "%s:%d: ", path, line)
            : snprintf(error->text, sizeof error->text, "%s: ", path);
    if (n > 0 && n < (int)sizeof error->text) {
        va_start(args, format);
        vsnprintf(error->text + n, sizeof error->text - (size_t)n, format,
                  args);
        va_end(args);
    }
    drop_halves(error->text);
    return -1;
}

/* Characters that steer a terminal or turn its text around. */
static bool steers(uint32_t code)
{
    return (code < 0x20 && code != '\n' && code != '\t') ||
           (code >= 0x7f && code < 0xa0) ||
           (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

/* `line` is where the text begins in the file, `last` where it ends. */
static int check_bytes(const char *path, const char *text, size_t length,
                       int line, int last, struct document_error *error)
{
    const unsigned char *s = (const unsigned char *)text;

    for (size_t at = 0, n; at < length; at += n) {
        uint32_t code = 0;

        n = utf8_length(s + at, length - at, &code);
        if (n == 0)
            return document_fault(error, path, line,
                                  "byte 0x%02x is no UTF-8 here; save the "
                                  "file as UTF-8",
                                  s[at]);
        if (code == '\r' && at + 1 < length && s[at + 1] == '\n')
            continue; /* lines as Windows ends them: taken out later */
        if (steers(code))
            return document_fault(
                error, path, line,
                "the control character U+%04X may not stand in a lesson", code);
        line += code == '\n' && line < last;
    }
    return 0;
}

/* --- the tree ---------------------------------------------------------- */

enum { DEPTHS = 16 };

struct reader {
    const char *path;
    struct document *document;
    struct document_error *error;
    int depth;           /* lists and quotes that are open */
    int numbers[DEPTHS]; /* of the next item, by depth */
    char marker[16];     /* of the list item that has just begun */
    int terminal_line;   /* of a terminal block without its observe yet, or 0 */
};

static int no_memory(struct reader *reader)
{
    return document_fault(reader->error, reader->path, 0, "out of memory");
}

static struct block *add_block(struct reader *reader, enum block_kind kind,
                               cmark_node *node)
{
    struct document *document = reader->document;
    struct block *more;
    int line = cmark_node_get_start_line(node);

    if (document->block_count == DOCUMENT_BLOCKS) {
        document_fault(reader->error, reader->path, line,
                       "more than %d blocks; split the lesson",
                       DOCUMENT_BLOCKS);
        return NULL;
    }
    if (document->block_count % 64 == 0) {
        more = realloc(document->blocks,
                       (document->block_count + 64) * sizeof *more);
        if (!more) {
            no_memory(reader);
            return NULL;
        }
        document->blocks = more;
    }
    more = &document->blocks[document->block_count++];
    memset(more, 0, sizeof *more);
    more->kind = kind;
    more->line = line;
    return more;
}

static void put_inline(FILE *out, cmark_node *node, const char *soft)
{
    const char *text = cmark_node_get_literal(node);

    switch (cmark_node_get_type(node)) {
    case CMARK_NODE_TEXT:
        fputs(text ? text : "", out);
        break;
    case CMARK_NODE_CODE:
        fprintf(out, "`%s`", text ? text : "");
        break;
    case CMARK_NODE_SOFTBREAK:
    case CMARK_NODE_LINEBREAK:
        fputs(soft, out);
        break;
    default:
        break; /* emphasis and links show their text; HTML shows nothing */
    }
}

/* A character reference (&#27;) may hide what check_bytes() refused, and one
 * for a newline (&#10;) ends no line of the file. */
static int check_again(struct reader *reader, const char *text,
                       cmark_node *node)
{
    int line = cmark_node_get_start_line(node);
    int last = cmark_node_get_type(node) == CMARK_NODE_CODE_BLOCK
                   ? line /* of its fence */
                   : cmark_node_get_end_line(node);

    if (strchr(text, '\r')) /* no end of a line: libcmark has taken those */
        return document_fault(reader->error, reader->path, line,
                              "the control character U+000D may not stand in "
                              "a lesson");
    return check_bytes(reader->path, text, strlen(text), line, last,
                       reader->error);
}

/* The text under a heading or paragraph; malloc'd, NULL without memory. */
static char *inline_text(cmark_node *root, const char *before, const char *soft)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    cmark_iter *iter = out ? cmark_iter_new(root) : NULL;
    bool failed = !iter;

    if (iter) {
        fputs(before, out);
        while (cmark_iter_next(iter) != CMARK_EVENT_DONE) {
            if (cmark_iter_get_event_type(iter) == CMARK_EVENT_ENTER)
                put_inline(out, cmark_iter_get_node(iter), soft);
        }
        cmark_iter_free(iter);
    }
    if (out) {
        failed |= ferror(out) != 0;
        failed |= fclose(out) != 0;
    }
    if (failed) {
        free(text);
        return NULL;
    }
    return text;
}

/* Every line begins with a bar: the table that CommonMark does not have. */
static bool is_table(const char *text)
{
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (*line != '|')
            return false;
    }
    return true;
}

static int add_heading(struct reader *reader, cmark_node *node)
{
    struct block *block = add_block(reader, BLOCK_HEADING, node);

    if (!block)
        return -1;
    block->level = cmark_node_get_heading_level(node);
    block->info = strdup("");
    block->text = inline_text(node, "", " ");
    if (!block->info || !block->text)
        return no_memory(reader);
    if (check_again(reader, block->text, node) < 0)
        return -1;
    if (!reader->document->title) {
        reader->document->title = strdup(block->text);
        if (!reader->document->title)
            return no_memory(reader);
    }
    return 0;
}

static int add_paragraph(struct reader *reader, cmark_node *node)
{
    struct block *block;
    char *text = inline_text(node, "", "\n");

    if (!text)
        return no_memory(reader);
    if (*text == '\0' || check_again(reader, text, node) < 0) {
        bool empty = *text == '\0'; /* nothing but HTML */

        free(text);
        return empty ? 0 : -1;
    }
    block = add_block(reader, is_table(text) ? BLOCK_TABLE : BLOCK_PROSE, node);
    if (block && block->kind == BLOCK_PROSE) {
        free(text);
        text = inline_text(node, reader->marker, " ");
        block->marker = (int)strlen(reader->marker);
    }
    if (!block || !text) {
        free(text);
        return block ? no_memory(reader) : -1;
    }
    reader->marker[0] = '\0';
    block->level = reader->depth;
    block->text = text;
    block->info = strdup("");
    return block->info ? 0 : no_memory(reader);
}

static int same_predict(struct reader *reader, const struct block *block)
{
    const struct document *document = reader->document;

    for (size_t i = 0; i < document->block_count; i++) {
        const struct block *other = &document->blocks[i];

        if (other != block && other->kind == BLOCK_PREDICT &&
            strcmp(other->info, block->info) == 0)
            return document_fault(reader->error, reader->path, block->line,
                                  "there is a predict %s already, in line %d",
                                  block->info, other->line);
    }
    return 0;
}

/* A terminal block is answered by its observe block before anything else that
 * runs. */
static int follow(struct reader *reader, const struct block *block)
{
    bool open = reader->terminal_line != 0;

    if (open && (block->kind == BLOCK_TERMINAL || block->kind == BLOCK_PREDICT))
        return document_fault(reader->error, reader->path, block->line,
                              "the terminal block of line %d needs an observe "
                              "block before this one",
                              reader->terminal_line);
    if (block->kind == BLOCK_TERMINAL)
        reader->terminal_line = block->line;
    else if (block->kind == BLOCK_OBSERVE)
        reader->terminal_line = 0;
    return 0;
}

static int add_code(struct reader *reader, cmark_node *node)
{
    struct block *block = add_block(reader, BLOCK_CODE, node);
    const char *info = cmark_node_get_fence_info(node);
    const char *body = cmark_node_get_literal(node);

    if (!block || check_again(reader, info ? info : "", node) < 0)
        return -1;
    if (fence_kind(block, info ? info : "", reader->path, reader->error) < 0)
        return -1;
    if (fence_body(block, body ? body : "", reader->path, reader->error) < 0)
        return -1;
    if (block->kind == BLOCK_PREDICT && same_predict(reader, block) < 0)
        return -1;
    return follow(reader, block);
}

/* The mark of an item: numbered lists count on from their first number. */
static void enter_item(struct reader *reader, cmark_node *node)
{
    cmark_node *list = cmark_node_parent(node);
    int at = reader->depth;

    if (cmark_node_get_list_type(list) == CMARK_ORDERED_LIST && at < DEPTHS)
        snprintf(reader->marker, sizeof reader->marker, "%d. ",
                 reader->numbers[at]++);
    else
        snprintf(reader->marker, sizeof reader->marker, "- ");
}

static void enter_list(struct reader *reader, cmark_node *node, bool enter)
{
    reader->depth += enter ? 1 : -1;
    if (enter && reader->depth < DEPTHS)
        reader->numbers[reader->depth] = cmark_node_get_list_start(node);
}

static int take_node(struct reader *reader, cmark_node *node, bool enter)
{
    switch (cmark_node_get_type(node)) {
    case CMARK_NODE_ITEM:
        reader->marker[0] = '\0';
        if (enter)
            enter_item(reader, node);
        return 0;
    case CMARK_NODE_LIST:
    case CMARK_NODE_BLOCK_QUOTE:
        enter_list(reader, node, enter);
        return 0;
    case CMARK_NODE_HEADING:
        return enter ? add_heading(reader, node) : 0;
    case CMARK_NODE_PARAGRAPH:
        return enter ? add_paragraph(reader, node) : 0;
    case CMARK_NODE_CODE_BLOCK:
        return enter ? add_code(reader, node) : 0;
    default:
        return 0; /* rules, HTML; inlines were taken with their paragraph */
    }
}

static int take_tree(struct reader *reader, cmark_node *root)
{
    cmark_iter *iter = cmark_iter_new(root);
    cmark_event_type event;
    int failed = 0;

    while (!failed && (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE)
        failed = take_node(reader, cmark_iter_get_node(iter),
                           event == CMARK_EVENT_ENTER);
    cmark_iter_free(iter);
    if (failed)
        return -1;
    if (reader->terminal_line)
        return document_fault(reader->error, reader->path,
                              reader->terminal_line,
                              "this terminal block needs an observe block "
                              "after it");
    if (!reader->document->title)
        return document_fault(reader->error, reader->path, 1,
                              "a lesson begins with a heading: # TITLE");
    return 0;
}

struct document *document_parse(const char *path, const char *text,
                                size_t length, struct document_error *error)
{
    struct reader reader = {.path = path, .error = error};
    cmark_node *root;
    int failed;

    error->line = 0;
    error->text[0] = '\0';
    if (length > DOCUMENT_BYTES) {
        document_fault(error, path, 0, "longer than 1 MiB, no lesson");
        return NULL;
    }
    if (check_bytes(path, text, length, 1, INT_MAX, error) < 0)
        return NULL;
    reader.document = calloc(1, sizeof *reader.document);
    root = cmark_parse_document(text, length, CMARK_OPT_DEFAULT);
    if (!reader.document || !root) {
        no_memory(&reader);
        failed = -1;
    } else {
        failed = take_tree(&reader, root);
    }
    if (root)
        cmark_node_free(root);
    if (failed) {
        document_free(reader.document);
        return NULL;
    }
    return reader.document;
}

/* --- the file ---------------------------------------------------------- */

/* Lines end with \n alone, however the file has them. */
static size_t drop_returns(char *text, size_t length)
{
    size_t kept = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\r' || i + 1 == length || text[i + 1] != '\n')
            text[kept++] = text[i];
    }
    return kept;
}

struct document *document_read(const char *path, struct document_error *error)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(DOCUMENT_BYTES + 1);
    struct document *document = NULL;
    size_t length;

    error->line = 0;
    if (!file) {
        document_fault(error, path, 0, "cannot be opened: %s", strerror(errno));
    } else if (!text) {
        document_fault(error, path, 0, "out of memory");
    } else {
        length = fread(text, 1, DOCUMENT_BYTES + 1, file);
        if (ferror(file))
            document_fault(error, path, 0, "cannot be read: %s",
                           strerror(errno));
        else
            document = document_parse(path, text, drop_returns(text, length),
                                      error);
    }
    if (file)
        fclose(file);
    free(text);
    return document;
}

static void block_fini(struct block *block)
{
    for (size_t i = 0; i < block->typed_count; i++)
        free(block->typed[i].text);
    for (size_t i = 0; i < block->line_count; i++)
        free(block->lines[i]);
    free(block->typed);
    free(block->lines);
    free(block->text);
    free(block->info);
    free(block->reply);
}

void document_free(struct document *document)
{
    if (!document)
        return;
    for (size_t i = 0; i < document->block_count; i++)
        block_fini(&document->blocks[i]);
    free(document->blocks);
    free(document->title);
    free(document);
}
