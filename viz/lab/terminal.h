/*
 * What a lab terminal shows, as events: splits the bytes of a pty into lines,
 * strips every escape sequence and control byte, and reads the marks that our
 * bash prompt sends (OSC 133, "semantic prompts": A prompt, C command starts,
 * D;N command ended with status N). Pure C: bytes in, events out.
 */
#ifndef VIZ_LAB_TERMINAL_H
#define VIZ_LAB_TERMINAL_H

#include "viz/events/event.h"

enum { TERMINAL_LINE = 512 };

struct terminal {
    char letter;
    bool at_prompt; /* bash waits for a command */
    /* parser */
    int mode;
    char sequence[256]; /* of an OSC that is not finished */
    size_t sequence_length;
    char line[TERMINAL_LINE]; /* what stands in the line so far, UTF-8 */
    size_t line_length;
    bool in_command; /* between C and D: lines are a program's */
};

void terminal_init(struct terminal *terminal, char letter);
/* Bytes from the pty, in any cut. A line is given to the sink when it ends,
 * and also when the command ends without a newline. */
void terminal_feed(struct terminal *terminal, const char *bytes, size_t length,
                   int64_t time_ns, event_sink_fn *sink, void *self);

#endif
