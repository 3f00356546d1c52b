/*
 * A lesson's README.md, read: prose for the screen and the fenced blocks that
 * run (DESIGN 5): terminal, predict, observe, wire, diff, c FILE. CommonMark
 * by libcmark, which no other file includes. Hostile input is refused with the
 * line number; what was read holds printable UTF-8, newlines and tabs only.
 */
#ifndef VIZ_LESSON_DOCUMENT_H
#define VIZ_LESSON_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

enum block_kind {
    BLOCK_HEADING,
    BLOCK_PROSE,    /* a paragraph, list item or quote: wrapped */
    BLOCK_TABLE,    /* a paragraph of |-lines, which keeps its line breaks */
    BLOCK_CODE,     /* shown as it is: plain fences, diff, c FILE */
    BLOCK_TERMINAL, /* commands, input and keys for terminal A, B or C */
    BLOCK_PREDICT,
    BLOCK_OBSERVE,
    BLOCK_WIRE
};

enum {
    DOCUMENT_BYTES = 1 << 20, /* of a file */
    DOCUMENT_BLOCKS = 2000,
    DOCUMENT_LINES = 64, /* of a terminal, observe or wire block */
    DOCUMENT_LINE = 200, /* bytes of one of those lines, and of an answer */
    DOCUMENT_ANSWERS = 5
};

/* One line of a terminal block. */
struct typed {
    enum { TYPED_COMMAND, TYPED_INPUT, TYPED_KEY } kind;
    char *text; /* the command, the input, or "C" "D" "Z" of ^C ^D ^Z */
};

struct block {
    enum block_kind kind;
    int line;   /* in the file, from 1; of a fenced block: its opening fence */
    char *text; /* heading, prose, code, the question of a predict block;
                   inline code stands in `backticks`, other marks are gone */
    char *info; /* heading: ""; predict: its id; code: "diff", "c FILE", "" */
    int level;  /* heading 1..6; prose: how many lists and quotes it is in */
    int marker; /* prose: bytes of text that are a list's mark ("- ", "2. ") */
    char terminal; /* 'A', 'B', 'C' */
    struct typed *typed;
    size_t typed_count;
    char **lines; /* observe and wire: lines; predict: answers */
    size_t line_count;
    int right;   /* predict: the starred answer, from 0 */
    char *reply; /* predict: its last paragraph */
};

struct document {
    char *title; /* the first heading */
    struct block *blocks;
    size_t block_count;
};

struct document_error {
    int line;
    char text[320]; /* "lessons/01-blocking/README.md:40: ..." */
};

/* NULL with *error filled. */
struct document *document_read(const char *path, struct document_error *error);
/* The same from memory; `path` is for messages. */
struct document *document_parse(const char *path, const char *text,
                                size_t length, struct document_error *error);
void document_free(struct document *document);

/* "path:line: ..." into *error, for whoever finds fault with a document;
 * returns -1. */
int document_fault(struct document_error *error, const char *path, int line,
                   const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
