/*
 * Any bytes from a pty, with typing in between. Promises: only printable text
 * comes out, in the order opened, typed, printed, exited; and it does not
 * matter how the bytes were cut into reads.
 *
 *   pieces: a length (bit 7: typed by the student, else shown), that many bytes
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "viz/lab/terminal.h"

struct witness {
    bool in_command;
    uint64_t sum; /* over all events */
};

JUDGE static void mix(struct witness *witness, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < length; i++)
        witness->sum = (witness->sum ^ at[i]) * UINT64_C(0x100000001b3);
}

JUDGE static void see(void *self, const struct event *event)
{
    struct witness *witness = self;
    uint8_t head[] = {(uint8_t)event->kind, (uint8_t)event->status};

    must(event->terminal == 'B');
    switch (event->kind) {
    case EVENT_OPENED:
        break;
    case EVENT_TYPED:
        witness->in_command = true;
        break;
    case EVENT_PRINTED:
        must(witness->in_command);
        break;
    case EVENT_EXITED:
        must(witness->in_command);
        must(event->status >= 0 && event->status <= 255);
        witness->in_command = false;
        break;
    default:
        must(!"an event of a terminal");
    }
    mix(witness, head, sizeof head);
    if (event->kind != EVENT_TYPED && event->kind != EVENT_PRINTED)
        return;
    must(event->text != NULL);
    must(strlen(event->text) < TERMINAL_LINE + 32);
    must(is_printable(event->text, strlen(event->text), ""));
    mix(witness, event->text, strlen(event->text) + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct terminal whole, bitwise;
    struct witness one = {0}, other = {0};

    terminal_init(&whole, 'B');
    terminal_init(&bitwise, 'B');
    while (input.left > 0) {
        uint8_t head = input_u8(&input);
        struct input part = input_part(&input, head & 0x7f);
        const char *bytes = (const char *)part.at;

        if (head & 0x80) {
            terminal_typed(&whole, bytes, part.left);
            for (size_t i = 0; i < part.left; i++)
                terminal_typed(&bitwise, bytes + i, 1);
            continue;
        }
        terminal_feed(&whole, bytes, part.left, 1, see, &one);
        for (size_t i = 0; i < part.left; i++)
            terminal_feed(&bitwise, bytes + i, 1, 1, see, &other);
    }
    must(one.sum == other.sum);
    must(whole.line_length < TERMINAL_LINE);
    must(whole.cursor <= whole.line_length);
    return 0;
}
