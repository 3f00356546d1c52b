/* See fences.h. Bodies hold printable text only: document.c saw to that. */
#include "viz/lesson/fences.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/kernel/loss.h"

/* Fences that are shown and not run. Anything else is refused, so that a
 * misspelt `observe` cannot go unnoticed. */
static const char *const shown[] = {"", "text", "c", "sh", "console", "make"};

static int no_memory(struct document_error *error, const char *path, int line)
{
    return document_fault(error, path, line, "out of memory");
}

static bool id_ok(const char *id)
{
    size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return length > 0 && length <= 40 && id[length] == '\0';
}

static int kind_with_argument(struct block *block, const char *word,
                              const char *rest, const char *path,
                              struct document_error *error)
{
    if (strcmp(word, "terminal") == 0) {
        if (strlen(rest) != 1 || rest[0] < 'A' || rest[0] > 'C')
            return document_fault(error, path, block->line,
                                  "`terminal` needs one of A, B, C after it, "
                                  "not \"%.40s\"",
                                  rest);
        block->kind = BLOCK_TERMINAL;
        block->terminal = rest[0];
    } else if (strcmp(word, "predict") == 0) {
        if (!id_ok(rest))
            return document_fault(error, path, block->line,
                                  "`predict` needs a name after it, such as "
                                  "who-waits (a-z, 0-9, -; at most 40), not "
                                  "\"%.40s\"",
                                  rest);
        block->kind = BLOCK_PREDICT;
        block->info = strdup(rest);
    } else {
        block->kind = BLOCK_OBSERVE;
        if (strcmp(word, "wire") == 0)
            block->kind = BLOCK_WIRE;
        if (*rest)
            return document_fault(error, path, block->line,
                                  "nothing may stand after `%s`, not "
                                  "\"%.40s\"",
                                  word, rest);
    }
    return 0;
}

static int kind_shown(struct block *block, const char *word, const char *info,
                      const char *path, struct document_error *error)
{
    block->kind = BLOCK_CODE;
    if (strcmp(info, "diff") == 0 || strncmp(info, "c ", 2) == 0) {
        block->info = strdup(info);
        return 0;
    }
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if (strcmp(info, shown[i]) == 0) {
            block->info = strdup("");
            return 0;
        }
    }
    return document_fault(error, path, block->line,
                          "\"%.40s\" is no kind of block. These run: terminal "
                          "A|B|C, predict NAME, observe, wire; these are "
                          "checked: diff, c FILE; these are shown: text c sh "
                          "console make",
                          word);
}

int fence_kind(struct block *block, const char *info, const char *path,
               struct document_error *error)
{
    char word[16];
    size_t length = strcspn(info, " ");
    const char *rest = info + length + strspn(info + length, " ");
    int failed;

    snprintf(word, sizeof word, "%.*s", (int)length, info);
    if (strcmp(word, "terminal") == 0 || strcmp(word, "predict") == 0 ||
        strcmp(word, "observe") == 0 || strcmp(word, "wire") == 0)
        failed = kind_with_argument(block, word, rest, path, error);
    else
        failed = kind_shown(block, word, info, path, error);
    if (!failed && !block->info)
        block->info = strdup("");
    return !failed && !block->info ? no_memory(error, path, block->line)
                                   : failed;
}

/* The next line of a body, without its newline and what blanks end it; false
 * at the end. */
static bool next_line(const char **body, const char **line, int *length)
{
    size_t whole = strcspn(*body, "\n"), n = whole;

    if (**body == '\0')
        return false;
    *line = *body;
    while (n > 0 && ((*line)[n - 1] == ' ' || (*line)[n - 1] == '\t'))
        n--;
    *length = (int)n;
    *body += whole + ((*body)[whole] == '\n');
    return true;
}

static int add_typed(struct block *block, const char *line, int length)
{
    struct typed typed;
    struct typed *more;

    if (length == 2 && line[0] == '^') {
        if (!strchr("CDZ", line[1]))
            return -1;
        typed.kind = TYPED_KEY;
        typed.text = strndup(line + 1, 1);
    } else if (length > 2 && strncmp(line, "$ ", 2) == 0) {
        typed.kind = TYPED_COMMAND;
        typed.text = strndup(line + 2, (size_t)length - 2);
    } else if (line[0] == '>' && (length == 1 || line[1] == ' ')) {
        typed.kind = TYPED_INPUT;
        typed.text = strndup(line + 2, length > 2 ? (size_t)length - 2 : 0);
    } else {
        return -1;
    }
    more = realloc(block->typed, (block->typed_count + 1) * sizeof *more);
    if (more)
        block->typed = more;
    if (!more || !typed.text) {
        free(typed.text);
        errno = ENOMEM;
        return -1;
    }
    block->typed[block->typed_count++] = typed;
    return 0;
}

static int add_line(struct block *block, const char *line, int length)
{
    char **more = realloc(block->lines, (block->line_count + 1) * sizeof *more);

    if (!more)
        return -1;
    block->lines = more;
    more[block->line_count] = strndup(line, (size_t)length);
    if (!more[block->line_count])
        return -1;
    block->line_count++;
    return 0;
}

/* "clean" or "loss N/M" with 0 < N <= M <= 1000. */
static bool wire_ok(const char *line, int length)
{
    char copy[DOCUMENT_LINE + 1];
    struct loss loss;

    snprintf(copy, sizeof copy, "%.*s", length, line);
    return (strncmp(copy, "loss ", 5) == 0 || strcmp(copy, "clean") == 0) &&
           loss_read(&loss, copy) == 0;
}

static int body_of_lines(struct block *block, const char *body,
                         const char *path, struct document_error *error)
{
    const char *line;
    int length, number = block->line;
    size_t count = 0;

    while (next_line(&body, &line, &length)) {
        int failed = 0;

        number++;
        if (length == 0)
            return document_fault(error, path, number,
                                  "an empty line in a block that runs; take "
                                  "it out");
        if (length > DOCUMENT_LINE || ++count > DOCUMENT_LINES)
            return document_fault(error, path, number,
                                  "too long: a block that runs has at most %d "
                                  "lines of %d bytes",
                                  DOCUMENT_LINES, DOCUMENT_LINE);
        if (block->kind == BLOCK_TERMINAL) {
            errno = 0;
            failed = add_typed(block, line, length);
            if (failed && errno != ENOMEM)
                return document_fault(
                    error, path, number,
                    "in a terminal block stand `$ COMMAND`, `> INPUT`, ^C, ^D "
                    "or ^Z, not \"%.*s\"",
                    length > 40 ? 40 : length, line);
        } else if (block->kind == BLOCK_WIRE && !wire_ok(line, length)) {
            return document_fault(error, path, number,
                                  "in a wire block stand `clean` or `loss "
                                  "N/M` (M at most 1000), not \"%.*s\"",
                                  length > 40 ? 40 : length, line);
        } else {
            failed = add_line(block, line, length);
        }
        if (failed)
            return no_memory(error, path, number);
    }
    if (count == 0)
        return document_fault(error, path, block->line,
                              "a block that runs, with nothing in it");
    return 0;
}

/* A predict block, as it is read: each piece grows by joined lines. */
struct predict {
    char *text; /* the piece that is growing */
    size_t length;
    bool starred; /* an answer was marked */
    enum { AT_QUESTION, AT_ANSWER, AT_REPLY } at;
};

static int grow(struct predict *predict, const char *line, int length)
{
    size_t join = predict->length > 0, n = (size_t)length;
    char *more = realloc(predict->text, predict->length + join + n + 1);

    if (!more)
        return -1;
    predict->text = more;
    if (join)
        more[predict->length++] = ' ';
    memcpy(more + predict->length, line, n);
    predict->length += n;
    more[predict->length] = '\0';
    return 0;
}

/* The piece is whole: put it where it belongs. "" or what is wrong. */
static const char *finish_piece(struct block *block, struct predict *predict)
{
    if (!predict->text)
        return predict->at == AT_QUESTION
                   ? "the question is missing before the answers"
                   : "";
    if (predict->at == AT_QUESTION) {
        block->text = predict->text;
    } else if (predict->at == AT_REPLY) {
        block->reply = predict->text;
    } else {
        size_t n = predict->length;

        if (n > 2 && strcmp(predict->text + n - 2, " *") == 0) {
            if (predict->starred)
                return "two answers are starred; one is right";
            predict->starred = true;
            block->right = (int)block->line_count;
            n -= 2;
        }
        if (n > DOCUMENT_LINE)
            return "an answer is longer than 200 bytes";
        if (block->line_count == DOCUMENT_ANSWERS)
            return "more than 5 answers";
        if (add_line(block, predict->text, (int)n) < 0)
            return "out of memory";
        free(predict->text);
    }
    predict->text = NULL;
    predict->length = 0;
    return "";
}

static const char *predict_line(struct block *block, struct predict *predict,
                                const char *line, int length)
{
    const char *wrong = "";
    bool answer = length > 2 && strncmp(line, "- ", 2) == 0;
    bool indented = length > 2 && strncmp(line, "  ", 2) == 0;

    if (answer && predict->at == AT_REPLY)
        return "an answer after the reply; the reply stands last";
    if (answer) {
        wrong = finish_piece(block, predict);
        predict->at = AT_ANSWER;
    } else if (predict->at == AT_ANSWER && !indented) {
        wrong = finish_piece(block, predict);
        predict->at = AT_REPLY;
    }
    while (length > 0 && *line == ' ') {
        line++;
        length--;
    }
    if (*wrong || length == 0)
        return wrong;
    if (answer) {
        line += 2;
        length -= 2;
    }
    return grow(predict, line, length) < 0 ? "out of memory" : "";
}

static int body_of_predict(struct block *block, const char *body,
                           const char *path, struct document_error *error)
{
    struct predict predict = {.at = AT_QUESTION};
    const char *line, *wrong = "";
    int length, number = block->line;

    while (!*wrong && next_line(&body, &line, &length)) {
        number++;
        wrong = predict_line(block, &predict, line, length);
    }
    if (!*wrong)
        wrong = finish_piece(block, &predict);
    free(predict.text);
    if (!*wrong && block->line_count < 2)
        wrong = "fewer than two answers (`- ANSWER`)";
    else if (!*wrong && !predict.starred)
        wrong = "no answer is starred: put ` *` after the right one";
    else if (!*wrong && !block->reply)
        wrong = "the reply is missing after the answers";
    if (!*wrong)
        return 0;
    return document_fault(error, path, number,
                          "predict %s: %s. A question, 2 to 5 lines `- "
                          "ANSWER`, one of them ending in ` *`, then the "
                          "reply",
                          block->info, wrong);
}

int fence_body(struct block *block, const char *body, const char *path,
               struct document_error *error)
{
    switch (block->kind) {
    case BLOCK_TERMINAL:
    case BLOCK_OBSERVE:
    case BLOCK_WIRE:
        return body_of_lines(block, body, path, error);
    case BLOCK_PREDICT:
        return body_of_predict(block, body, path, error);
    default:
        block->text = strdup(body);
        return block->text ? 0 : no_memory(error, path, block->line);
    }
}
