/*
 * What a check found: one record, filled by the driver and sent to the grader
 * through a pipe that no student process can reach, once as a provisional
 * record and once as the final one. All text in it is printable UTF-8.
 */
#ifndef TESTS_GRADER_VERDICT_H
#define TESTS_GRADER_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

enum grade { GRADE_PASS, GRADE_FAIL, GRADE_SKIP, GRADE_ERROR };

enum {
    RESULT_LINES = 84, /* a block of text has at most so many lines */
    RESULT_SIGNS = 24, /* and a check so many signs */
    RESULT_NAMES = 4   /* misconceptions noticed beside the first */
};

/* A list of lines, each on the heap; init with {0}, free with lines_fini(). */
struct lines {
    char *line[RESULT_LINES];
    size_t count;
    size_t dropped; /* lines that found no room: said in the report */
};

void lines_fini(struct lines *lines);
/* Append one line; newlines and control bytes in it become C escapes. When the
 * list is full the line is counted in `dropped`. */
void lines_add(struct lines *lines, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct result {
    enum grade grade;
    bool final; /* false: the driver's provisional record */
    int points; /* earned; all of them on GRADE_PASS */

    struct lines steps;    /* what the tester did, with relative times */
    struct lines expected; /* evidence, see evidence.h */
    struct lines actual;
    struct lines wire;    /* what crossed, from the capture */
    struct lines autopsy; /* what each thread was waiting for */
    struct lines remarks; /* true, and costs nothing */
    char *reason;         /* of a skip or an error: one sentence */
    char *log;            /* all of stderr that was kept, printable */
    bool captured;        /* there is a capture to replay */
    bool timing;          /* decided by a backstop, not by an event */

    /* Facts in kebab-case for the diagnosis: "spins", "killed-by-SIGPIPE". */
    char *sign[RESULT_SIGNS];
    size_t sign_count;

    /* Filled after all checks, by misconceptions_diagnose(). */
    const char *misconception; /* an id of the table, or NULL */
    const char *also[RESULT_NAMES];
    size_t also_count;
    const char *explained_by; /* no name of its own: it follows from this one */
};

void result_fini(struct result *result);
void result_sign(struct result *result, const char *sign);
bool result_has_sign(const struct result *result, const char *sign);

/* The record as one line of JSON, on the heap, NULL with errno; and back: 0, or
 * -1 with errno EBADMSG. */
char *result_write(const struct result *result);
int result_read(struct result *result, const char *line, size_t length);

/* "pass" "fail" "skip" "error" */
const char *grade_word(enum grade grade);

#endif
