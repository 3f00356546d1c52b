/*
 * See terminal.h. The state machine follows the shape of ECMA-48 control
 * sequences: ESC starts one, CSI (ESC [) ends at a byte 0x40-0x7e, strings
 * (OSC, DCS, SOS, PM, APC) end at ST (ESC \) or BEL. CAN, SUB and any new ESC
 * give up what was begun, so nothing can swallow the marks that follow.
 */
#include "viz/lab/terminal.h"

#include <stdlib.h>
#include <string.h>

enum mode {
    TEXT,
    ESCAPE,        /* after ESC */
    ESCAPE_MIDDLE, /* ESC and an intermediate byte, as in ESC ( B */
    CSI,
    OSC,
    STRING, /* DCS, SOS, PM, APC: skipped */
    STRING_ESCAPE
};

enum {
    BEL = 7,
    BS = 8,
    TAB = 9,
    LF = 10,
    CR = 13,
    CAN = 24,
    SUB = 26,
    ESC = 27,
    DEL = 127
};

/* One feed: where its events go. */
struct feed {
    struct terminal *terminal;
    int64_t time_ns;
    event_sink_fn *sink;
    void *self;
};

void terminal_init(struct terminal *terminal, char letter)
{
    memset(terminal, 0, sizeof *terminal);
    terminal->letter = letter;
}

static void tell(const struct feed *feed, enum event_kind kind,
                 const char *text, int status)
{
    const struct event event = {.kind = kind,
                                .time_ns = feed->time_ns,
                                .terminal = feed->terminal->letter,
                                .status = status,
                                .text = text};

    feed->sink(feed->self, &event);
}

/* --- characters ---------------------------------------------------------- */

static size_t utf8_write(uint32_t code, char *bytes)
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (length == 1) {
        bytes[0] = (char)code;
        return 1;
    }
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    bytes[0] = (char)(lead[length] | code);
    return length;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* How long the character is that starts at `at`; 0 at the end of the line. */
static size_t character_at(const struct terminal *terminal, size_t at)
{
    size_t length = at < terminal->line_length;

    while (length > 0 && at + length < terminal->line_length &&
           is_continuation(terminal->line[at + length]))
        length++;
    return length;
}

/* Put one character where the cursor is, over what stands there. */
static void put(struct terminal *terminal, uint32_t code)
{
    char bytes[4];
    size_t length = utf8_write(code, bytes);
    size_t old = character_at(terminal, terminal->cursor);
    size_t rest = terminal->line_length - terminal->cursor - old;

    if (terminal->cursor + length + rest >= sizeof terminal->line)
        return; /* the rest of a long line is lost */
    memmove(terminal->line + terminal->cursor + length,
            terminal->line + terminal->cursor + old, rest);
    memcpy(terminal->line + terminal->cursor, bytes, length);
    terminal->cursor += length;
    terminal->line_length = terminal->cursor + rest;
}

static void put_tab(struct terminal *terminal)
{
    size_t column = 0;

    for (size_t i = 0; i < terminal->cursor; i++)
        column += !is_continuation(terminal->line[i]);
    do
        put(terminal, ' ');
    while (++column % 8 != 0);
}

static void back(struct terminal *terminal)
{
    while (terminal->cursor > 0 &&
           is_continuation(terminal->line[--terminal->cursor]))
        ;
}

static void clear_line(struct terminal *terminal)
{
    terminal->line_length = terminal->cursor = 0;
}

/* The next byte of UTF-8: true and *code when a character is whole. What is no
 * UTF-8 becomes '?'; *again: the byte broke a character off, and counts itself. */
static bool utf8_feed(struct terminal *terminal, unsigned char byte,
                      uint32_t *code, bool *again)
{
    *again = false;
    *code = '?';
    if (terminal->code_missing > 0) {
        if (!is_continuation((char)byte)) {
            terminal->code_missing = 0;
            *again = true;
            return true;
        }
        terminal->code = terminal->code << 6 | (byte & 0x3f);
        if (--terminal->code_missing > 0)
            return false;
        if (terminal->code >= terminal->code_least &&
            terminal->code <= 0x10ffff && terminal->code >> 11 != 0x1b)
            *code = terminal->code;
        return true;
    }
    if (byte < 0x80) {
        *code = byte;
        return true;
    }
    if (byte < 0xc2 || byte > 0xf4)
        return true;
    terminal->code_missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    terminal->code = byte & (0x3f >> terminal->code_missing);
    terminal->code_least = byte < 0xe0 ? 0x80 : byte < 0xf0 ? 0x800 : 0x10000;
    return false;
}

/* --- lines --------------------------------------------------------------- */

/* The echo of a typed line stands at the end of the line it was typed into:
 * take it away. Spaces behind it are left by rubbed-out characters. */
static void take_echo_away(struct terminal *terminal)
{
    const char *end = memchr(terminal->typed, '\n', terminal->typed_length);
    size_t length, shown = terminal->line_length;

    if (end == NULL)
        return;
    length = (size_t)(end - terminal->typed);
    while (shown > length && terminal->line[shown - 1] == ' ' &&
           (length == 0 || memcmp(terminal->line + shown - length,
                                  terminal->typed, length) != 0))
        shown--;
    if (shown < length ||
        memcmp(terminal->line + shown - length, terminal->typed, length) != 0)
        return;
    if (length > 0 && is_continuation(terminal->typed[0]))
        return; /* typed in half a character: none is cut in two for that */
    terminal->line_length = shown - length;
    terminal->typed_length -= length + 1;
    memmove(terminal->typed, end + 1, terminal->typed_length);
    if (terminal->line_length == 0)
        terminal->line_length = SIZE_MAX; /* nothing but echo: no line at all */
}

static void end_line(const struct feed *feed)
{
    struct terminal *terminal = feed->terminal;

    if (terminal->in_command) {
        take_echo_away(terminal);
        if (terminal->line_length != SIZE_MAX) {
            terminal->line[terminal->line_length] = '\0';
            tell(feed, EVENT_PRINTED, terminal->line, 0);
        }
    }
    clear_line(terminal);
}

/* A program's character; control bytes move the cursor or are dropped. */
static void show(const struct feed *feed, uint32_t code)
{
    struct terminal *terminal = feed->terminal;

    if (code == LF)
        end_line(feed);
    else if (!terminal->in_command)
        return;
    else if (code == CR)
        terminal->cursor = 0;
    else if (code == BS)
        back(terminal);
    else if (code == TAB)
        put_tab(terminal);
    else if (code >= 0x20 && code != DEL && (code < 0x80 || code >= 0xa0))
        put(terminal, code);
}

/* --- marks and sequences ------------------------------------------------- */

static void command_starts(const struct feed *feed, const char *text)
{
    struct terminal *terminal = feed->terminal;
    struct terminal clean; /* its line is made of whole, printable characters */
    uint32_t code;
    bool again;

    terminal_init(&clean, terminal->letter);
    for (; *text != '\0'; text++)
        do
            if (utf8_feed(&clean, (unsigned char)*text, &code, &again) &&
                code >= 0x20 && code != DEL && (code < 0x80 || code >= 0xa0))
                put(&clean, code);
        while (again);
    clean.line[clean.line_length] = '\0';
    terminal->at_prompt = false;
    terminal->in_command = true;
    terminal->typed_length = 0;
    clear_line(terminal);
    tell(feed, EVENT_TYPED, clean.line, 0);
}

static void command_ends(const struct feed *feed, const char *status)
{
    struct terminal *terminal = feed->terminal;

    if (!terminal->in_command)
        return;
    if (terminal->line_length > 0)
        end_line(feed);
    terminal->in_command = false;
    terminal->typed_length = 0;
    tell(feed, EVENT_EXITED, NULL, (int)(strtoul(status, NULL, 10) & 0xff));
}

static void mark(const struct feed *feed)
{
    static const char typed[] = "133;C;cmdline=";
    struct terminal *terminal = feed->terminal;
    char *text = terminal->sequence;

    text[terminal->sequence_length] = '\0';
    if (strncmp(text, typed, sizeof typed - 1) == 0) {
        command_starts(feed, text + sizeof typed - 1);
    } else if (strncmp(text, "133;D;", 6) == 0) {
        command_ends(feed, text + 6);
    } else if (strcmp(text, "133;A") == 0 && !terminal->opened) {
        terminal->opened = true;
        tell(feed, EVENT_OPENED, NULL, 0);
    } else if (strcmp(text, "133;B") == 0) {
        terminal->at_prompt = true;
    }
}

/* Of CSI sequences only K, erase in line, changes what a line says. */
static void control(struct terminal *terminal, unsigned char last)
{
    terminal->sequence[terminal->sequence_length] = '\0';
    if (last != 'K' || !terminal->in_command)
        return;
    if (terminal->sequence[0] == '\0' || terminal->sequence[0] == '0')
        terminal->line_length = terminal->cursor;
    else if (terminal->sequence[0] == '2')
        clear_line(terminal);
}

static void collect(struct terminal *terminal, unsigned char byte)
{
    if (terminal->sequence_length < sizeof terminal->sequence - 1)
        terminal->sequence[terminal->sequence_length++] = (char)byte;
}

static void begin(struct terminal *terminal, enum mode mode)
{
    terminal->mode = mode;
    terminal->sequence_length = 0;
}

static void after_escape(struct terminal *terminal, unsigned char byte)
{
    if (byte == '[')
        begin(terminal, CSI);
    else if (byte == ']')
        begin(terminal, OSC);
    else if (byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
        begin(terminal, STRING);
    else if (byte >= 0x20 && byte <= 0x2f)
        begin(terminal, ESCAPE_MIDDLE);
    else
        terminal->mode = TEXT;
}

/* One byte inside a sequence; false when it belongs to the text after all. */
static bool in_sequence(const struct feed *feed, unsigned char byte)
{
    struct terminal *terminal = feed->terminal;
    int mode = terminal->mode;

    if (mode == TEXT)
        return false;
    if (byte == ESC) {
        if (mode == OSC)
            mark(feed); /* its ST, or a lost end */
        terminal->mode = mode == STRING || mode == OSC ? STRING_ESCAPE : ESCAPE;
        return true;
    }
    if (byte == CAN || byte == SUB) {
        terminal->mode = TEXT;
        return true;
    }
    if (mode == STRING_ESCAPE && byte == '\\') {
        terminal->mode = TEXT;
    } else if (mode == ESCAPE || mode == STRING_ESCAPE) {
        after_escape(terminal, byte);
    } else if (mode == STRING) {
        if (byte == BEL)
            terminal->mode = TEXT;
    } else if (byte < 0x20) { /* a control byte inside a sequence */
        terminal->mode = mode == OSC ? TEXT : mode;
        if (mode != OSC || byte != BEL)
            return false;
        mark(feed);
    } else if (mode == OSC) {
        collect(terminal, byte);
    } else if (mode == CSI && byte >= 0x40) {
        control(terminal, byte);
        terminal->mode = TEXT;
    } else if (mode == CSI) {
        collect(terminal, byte);
    } else if (byte >= 0x30) {
        terminal->mode = TEXT;
    }
    return true;
}

void terminal_feed(struct terminal *terminal, const char *bytes, size_t length,
                   int64_t time_ns, event_sink_fn *sink, void *self)
{
    const struct feed feed = {terminal, time_ns, sink, self};
    uint32_t code;
    bool again;

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        if (in_sequence(&feed, byte))
            continue;
        do {
            if (!utf8_feed(terminal, byte, &code, &again))
                break;
            if (code == ESC)
                terminal->mode = ESCAPE;
            else
                show(&feed, code);
        } while (again);
    }
}

/* --- typing -------------------------------------------------------------- */

static void type(struct terminal *terminal, char byte)
{
    if (terminal->typed_length == sizeof terminal->typed)
        terminal->typed_length = 0; /* nobody types so much unechoed */
    terminal->typed[terminal->typed_length++] = byte;
}

/* Take back what the terminal's line editing does: one character, the last
 * word, or all of the line. */
static void rub_out(struct terminal *terminal)
{
    while (terminal->typed_length > 0 &&
           terminal->typed[terminal->typed_length - 1] != '\n' &&
           is_continuation(terminal->typed[--terminal->typed_length]))
        ;
}

static bool last_is(const struct terminal *terminal, bool space)
{
    size_t n = terminal->typed_length;

    return n > 0 && terminal->typed[n - 1] != '\n' &&
           (terminal->typed[n - 1] == ' ') == space;
}

static void rub_out_word(struct terminal *terminal)
{
    while (last_is(terminal, true))
        rub_out(terminal);
    while (last_is(terminal, false))
        rub_out(terminal);
}

static void rub_out_line(struct terminal *terminal)
{
    while (last_is(terminal, true) || last_is(terminal, false))
        rub_out(terminal);
}

/* A control byte is echoed as ^C; those that send a signal end the line. */
static void type_control(struct terminal *terminal, unsigned char byte)
{
    enum { INTERRUPT = 3, SUSPEND = 26, QUIT = 28 };

    type(terminal, '^');
    type(terminal, (char)(byte + '@'));
    if (byte == INTERRUPT || byte == SUSPEND || byte == QUIT)
        type(terminal, '\n');
}

void terminal_typed(struct terminal *terminal, const char *bytes, size_t length)
{
    enum { END_OF_FILE = 4, KILL_LINE = 21, ERASE_WORD = 23 };

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        if (byte == CR || byte == LF)
            type(terminal, '\n');
        else if (byte == DEL || byte == BS)
            rub_out(terminal);
        else if (byte == KILL_LINE)
            rub_out_line(terminal);
        else if (byte == ERASE_WORD)
            rub_out_word(terminal);
        else if (byte >= 0x20 || byte == TAB)
            type(terminal, (char)byte);
        else if (byte != END_OF_FILE)
            type_control(terminal, byte);
    }
}
