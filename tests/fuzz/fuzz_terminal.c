/*
 * Any bytes from a pty, with typing in between. Promises: only printable text
 * comes out, in the order opened, typed, printed, exited; and it does not
 * matter how the bytes were cut into reads.
 *
 *   pieces: a length (bit 7: typed by the student, else shown), that many bytes;
 *   0x80: a length, that many bytes, each a sequence that means something
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

/* One terminal that gets what comes in one piece, and one byte by byte. */
struct pair {
    struct terminal whole, bitwise;
    struct witness one, other;
};

static void type(struct pair *pair, const char *bytes, size_t length)
{
    terminal_typed(&pair->whole, bytes, length);
    for (size_t i = 0; i < length; i++)
        terminal_typed(&pair->bitwise, bytes + i, 1);
}

static void show(struct pair *pair, const char *bytes, size_t length)
{
    terminal_feed(&pair->whole, bytes, length, 1, see, &pair->one);
    for (size_t i = 0; i < length; i++)
        terminal_feed(&pair->bitwise, bytes + i, 1, 1, see, &pair->other);
}

/* Bit 7: typed; bit 6: typed, and its echo. */
static void known(struct pair *pair, uint8_t byte)
{
    static const char *const texts[64] = {
        "\r\n",
        "a",
        "hello",
        "two words",
        " ",
        "\xc3\xa9",
        "\xe6\xbc\xa2",
        "\xf0\x9f\x98\x80",
        "\x1b]133;A\x07",
        "\x1b]133;B\x07",
        "\x1b]133;C;cmdline=ls\x07",
        "\x1b]133;D;0\x07",
        "\x1b]133;D;1\x1b\\",
        "\x1b]133;D;999999999999999999999\x07",
        "\x1b]133;D;-1\x07",
        "\x1b]133;D;",
        "\x1b]133;C;cmdline=",
        "\x1b]0;title\x07",
        "\x1b]",
        "\x07",
        "\x1b\\",
        "\x1b[K",
        "\x1b[0K",
        "\x1b[1K",
        "\x1b[2K",
        "\x1b[31m",
        "\x1b[?2004h",
        "\x1b[",
        "\x1b",
        "\x1bP",
        "\x1b_",
        "\x1b(B",
        "\x1b(",
        "\x18",
        "\x1a",
        "\r",
        "\n",
        "\b",
        "\b \b",
        "\t",
        "\x7f",
        "\x03",
        "\x04",
        "\x15",
        "\x17",
        "\x1c",
        "\x0b",
        "^C",
        "^Z",
        "\xc2\x9b",
        "\xc2\x85",
        "\xc2",
        "\xe6\xbc",
        "\xbc",
        "\xff",
        "\xed\xa0\x80",
        "\xe2\x80\xae",
        "\xe2\x80\x8d",
        "e\xcc\x81",
        "\xef\xbb\xbf",
        "$ ",
        "0123456789012345678901234567890123456789012345678901234567890123",
        "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2",
        "\x1b[99999999999999999999999999999999999999999999999999999999999",
    };
    const char *text = texts[byte & 63];

    if (byte & (128 | 64))
        type(pair, text, strlen(text));
    if ((byte & 128) == 0)
        show(pair, text, strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct pair pair = {.one = {0}};

    terminal_init(&pair.whole, 'B');
    terminal_init(&pair.bitwise, 'B');
    while (input.left > 0) {
        uint8_t head = input_u8(&input);
        bool is_known = head == 0x80;
        struct input part = input_part(
            &input, (is_known ? input_u8(&input) : head) & 0x7f);

        if (is_known)
            while (part.left > 0)
                known(&pair, input_u8(&part));
        else if (head & 0x80)
            type(&pair, (const char *)part.at, part.left);
        else
            show(&pair, (const char *)part.at, part.left);
    }
    must(pair.one.sum == pair.other.sum);
    must(pair.whole.line_length < TERMINAL_LINE);
    must(pair.whole.cursor <= pair.whole.line_length);
    return 0;
}
