/*
 * What a lab terminal shows, as events: splits the bytes of a pty into lines,
 * strips every escape sequence and control byte, and reads the marks that our
 * bash prompt sends (OSC 133, "semantic prompts": A and B around the prompt,
 * C;cmdline=TEXT command starts, D;N command ended with status N). Only what
 * comes between C and D is a program's line; what the terminal echoes of the
 * student's own typing is none (terminal_typed()). Pure C: bytes in, events
 * out.
 */
#ifndef VIZ_LAB_TERMINAL_H
#define VIZ_LAB_TERMINAL_H

#include "viz/events/event.h"

enum { TERMINAL_LINE = 512, TERMINAL_TYPED = 512 };

struct terminal {
    char letter;
    bool opened;     /* its first prompt was shown: EVENT_OPENED was given */
    bool at_prompt;  /* bash waits for a command */
    bool in_command; /* between C and D: lines are a program's */
    /* parser */
    int mode;
    char sequence[TERMINAL_LINE + 32]; /* of a CSI or OSC not finished */
    size_t sequence_length;
    uint32_t code; /* of a UTF-8 character not finished: its bits so far, */
    uint32_t code_least;      /* the least code point of its length, */
    int code_missing;         /* and how many bytes are still to come */
    char line[TERMINAL_LINE]; /* what stands in the line so far, UTF-8 */
    size_t line_length;
    size_t cursor; /* where in the line the next character goes, bytes */
    char typed[TERMINAL_TYPED]; /* lines typed, whose echo is still to come */
    size_t typed_length;
};

void terminal_init(struct terminal *terminal, char letter);

/* Bytes from the pty, in any cut. A line is given to the sink when it ends,
 * and also when the command ends without a newline. Lines longer than
 * TERMINAL_LINE - 1 bytes lose the rest. */
void terminal_feed(struct terminal *terminal, const char *bytes, size_t length,
                   int64_t time_ns, event_sink_fn *sink, void *self);

/* Bytes that are about to be written to the pty while it echoes (ECHO and
 * ICANON, termios(3)): call before writing them. Their echo is then not taken
 * for a line of the program. */
void terminal_typed(struct terminal *terminal, const char *bytes,
                    size_t length);

#endif
