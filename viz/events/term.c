/* See term.h. A line is cut into words; each term reads its own with the small
 * readers below, and the first that fails says what may stand there. */
#include "viz/events/term.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/events/quote.h"

struct word {
    char text[TERM_TEXT]; /* without its quotes, escapes undone */
    size_t length;
    bool quoted;
};

struct reader {
    const char *at;   /* the rest of the line */
    struct word word; /* the next one, when `has_word` */
    bool has_word;
    char *why;
    size_t size;
    bool failed;
};

static int fail(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first complaint stays: what follows from it helps nobody. */
static int fail(struct reader *reader, const char *format, ...)
{
    va_list arguments;

    if (!reader->failed) {
        va_start(arguments, format);
        vsnprintf(reader->why, reader->size, format, arguments);
        va_end(arguments);
        quote(reader->why, reader->size, reader->why);
    }
    reader->failed = true;
    errno = EINVAL;
    return -1;
}

/* --- words ----------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One escape of C, *at behind its backslash: the byte, or -1. */
static int read_escape(const char **at)
{
    static const char from[] = "nrt\"\\0", to[] = "\n\r\t\"\\\0";
    const char *found;
    int high, low;

    if (**at == 'x') {
        high = hex_digit((*at)[1]);
        low = high < 0 ? -1 : hex_digit((*at)[2]);
        *at += low < 0 ? 0 : 3;
        return low < 0 ? -1 : high * 16 + low;
    }
    found = **at ? strchr(from, **at) : NULL;
    if (!found)
        return -1;
    (*at)++;
    return (unsigned char)to[found - from];
}

static int read_quoted(struct reader *reader)
{
    struct word *word = &reader->word;
    int byte;

    word->quoted = true;
    for (reader->at++; *reader->at != '"';) {
        if (*reader->at == '\0')
            return fail(reader, "a text has no closing quote");
        if (word->length + 1 >= sizeof word->text)
            return fail(reader, "a text is longer than %d bytes",
                        TERM_TEXT - 1);
        byte = (unsigned char)*reader->at++;
        if (byte == '\\')
            byte = read_escape(&reader->at);
        if (byte < 0)
            return fail(reader, "after a backslash stands one of n r t 0 \" "
                                "\\ or xHH (two hex digits)");
        word->text[word->length++] = (char)byte;
    }
    reader->at++;
    return 0;
}

/* Whether there is a next word; it stays the next until take() is called. */
static bool peek(struct reader *reader)
{
    struct word *word = &reader->word;

    if (reader->has_word)
        return true;
    reader->at += strspn(reader->at, " \t\r\n");
    if (*reader->at == '\0' || reader->failed)
        return false;
    memset(word, 0, sizeof *word);
    if (*reader->at == '"') {
        if (read_quoted(reader) < 0)
            return false;
    } else {
        word->length = strcspn(reader->at, " \t\r\n");
        if (word->length >= sizeof word->text) {
            fail(reader, "a word is longer than %d bytes", TERM_TEXT - 1);
            return false;
        }
        memcpy(word->text, reader->at, word->length);
        reader->at += word->length;
    }
    reader->has_word = true;
    return true;
}

static void take(struct reader *reader)
{
    reader->has_word = false;
}

static bool peek_is(struct reader *reader, const char *text)
{
    return peek(reader) && !reader->word.quoted &&
           strcmp(reader->word.text, text) == 0;
}

/* What may stand where the next word is, or where the line ends. */
static int expected(struct reader *reader, const char *what)
{
    if (reader->failed)
        return -1;
    if (!peek(reader))
        return fail(reader, "expected %s where the line ends", what);
    return fail(reader, "expected %s where \"%.40s\" stands", what,
                reader->word.text);
}

/* --- readers of one word --------------------------------------------------- */

/* A whole number with `prefix` before it and `suffix` behind. */
static bool number_in(const struct word *word, const char *prefix,
                      const char *suffix, uint64_t least, uint64_t most,
                      uint64_t *number)
{
    const char *at = word->text;
    uint64_t value = 0;

    if (word->quoted || strncmp(at, prefix, strlen(prefix)) != 0)
        return false;
    at += strlen(prefix);
    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (value > most)
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (strcmp(at, suffix) != 0 || value < least || value > most)
        return false;
    *number = value;
    return true;
}

static bool peek_number(struct reader *reader, const char *prefix,
                        uint64_t least, uint64_t most, uint64_t *number)
{
    return peek(reader) &&
           number_in(&reader->word, prefix, "", least, most, number);
}

static int read_port(struct reader *reader, struct term *term)
{
    uint64_t port;

    if (!peek_number(reader, "", 1, 65535, &port))
        return expected(reader, "a port (1 to 65535)");
    take(reader);
    term->port = (uint16_t)port;
    return 0;
}

static int read_tcp(struct reader *reader, struct term *term)
{
    if (!peek_is(reader, "tcp"))
        return expected(reader, "tcp");
    take(reader);
    term->protocol = PROTO_TCP;
    return read_port(reader, term);
}

static int read_udp(struct reader *reader, struct term *term)
{
    if (!peek_is(reader, "udp"))
        return expected(reader, "udp");
    take(reader);
    term->protocol = PROTO_UDP;
    return read_port(reader, term);
}

static int read_side(struct reader *reader, struct term *term)
{
    bool server = peek_is(reader, "server");

    if (!server && !peek_is(reader, "client"))
        return expected(reader, "client or server");
    take(reader);
    term->side = server ? FLOW_SERVER : FLOW_CLIENT;
    return 0;
}

static int read_word(struct reader *reader, const char *word)
{
    if (!peek_is(reader, word))
        return expected(reader, word);
    take(reader);
    return 0;
}

static int read_terminal(struct reader *reader, struct term *term)
{
    if (!peek_is(reader, "A") && !peek_is(reader, "B") && !peek_is(reader, "C"))
        return expected(reader, "the terminal: A, B or C");
    term->terminal = reader->word.text[0];
    take(reader);
    return 0;
}

static int read_text(struct reader *reader, struct term *term)
{
    if (!peek(reader) || !reader->word.quoted)
        return expected(reader, "a text in double quotes");
    if (reader->word.length == 0)
        return fail(reader, "the text is empty: nothing would be looked for");
    memcpy(term->text, reader->word.text, reader->word.length);
    term->text_length = reader->word.length;
    take(reader);
    return 0;
}

/* `N bytes`, when it stands here. */
static int read_bytes(struct reader *reader, struct term *term, uint64_t least)
{
    if (!peek_number(reader, "", least, UINT64_C(1) << 40, &term->bytes))
        return 0;
    take(reader);
    term->has_bytes = true;
    return read_word(reader, "bytes");
}

/* --- terms ----------------------------------------------------------------- */

/* As the program gives it to bind(): unix(7) has room for 107 bytes. */
static int read_path(struct reader *reader, struct term *term)
{
    const struct word *word = &reader->word;

    if (!peek(reader) || word->length == 0 || word->length > 107 ||
        memchr(word->text, '\0', word->length) != NULL)
        return expected(reader, "the path of a socket (at most 107 bytes)");
    memcpy(term->text, word->text, word->length);
    term->text_length = word->length;
    term->kind = TERM_LISTEN_UNIX;
    take(reader);
    return 0;
}

static int read_listen(struct reader *reader, struct term *term)
{
    if (peek_is(reader, "udp"))
        return read_udp(reader, term);
    if (peek_is(reader, "unix")) {
        take(reader);
        return read_path(reader, term);
    }
    if (!peek_is(reader, "tcp"))
        return expected(reader, "tcp, udp or unix");
    return read_tcp(reader, term);
}

static int read_data(struct reader *reader, struct term *term)
{
    if (read_tcp(reader, term) < 0 || read_word(reader, "from") < 0 ||
        read_side(reader, term) < 0)
        return -1;
    if (peek(reader) && reader->word.quoted)
        return read_text(reader, term);
    return read_bytes(reader, term, 1);
}

/* close, reset, zero-window */
static int read_by(struct reader *reader, struct term *term)
{
    if (read_tcp(reader, term) < 0 || read_word(reader, "by") < 0)
        return -1;
    return read_side(reader, term);
}

static int read_state(struct reader *reader, struct term *term)
{
    if (read_tcp(reader, term) < 0 || read_side(reader, term) < 0)
        return -1;
    term->state = peek(reader) && !reader->word.quoted
                      ? tcp_state_from_name(reader->word.text)
                      : TCP_UNKNOWN;
    if (term->state == TCP_UNKNOWN)
        return expected(reader,
                        "a state of netstat's (LISTEN SYN_SENT SYN_RECV "
                        "ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSING "
                        "TIME_WAIT CLOSE_WAIT LAST_ACK CLOSED)");
    take(reader);
    return 0;
}

static int read_established(struct reader *reader, struct term *term)
{
    uint64_t number;

    if (read_tcp(reader, term) < 0)
        return -1;
    if (!peek_number(reader, "", 0, 1000000, &number))
        return expected(reader, "how many connections");
    take(reader);
    term->times = (uint32_t)number;
    return 0;
}

static int read_retransmit(struct reader *reader, struct term *term)
{
    uint64_t number;

    if (read_tcp(reader, term) < 0)
        return -1;
    term->syn = peek_is(reader, "syn");
    if (!term->syn && !peek_is(reader, "data"))
        return expected(reader, "syn or data");
    take(reader);
    if (peek_number(reader, "", 1, 1000000, &number)) {
        take(reader);
        term->times = (uint32_t)number;
    }
    return 0;
}

static int read_datagram(struct reader *reader, struct term *term)
{
    uint64_t number;

    if (read_udp(reader, term) < 0 || read_word(reader, "from") < 0 ||
        read_side(reader, term) < 0)
        return -1;
    if (peek_number(reader, "x", 1, 1000000, &number)) {
        take(reader);
        term->times = (uint32_t)number;
    }
    return read_bytes(reader, term, 0);
}

static int read_waits(struct reader *reader, struct term *term)
{
    uint64_t port;

    if (read_side(reader, term) < 0)
        return -1;
    term->call = peek(reader) && !reader->word.quoted
                     ? wait_call_from_name(reader->word.text)
                     : WAIT_OTHER;
    if (term->call == WAIT_OTHER)
        return expected(reader, "a call that blocks (accept recv send connect "
                                "select poll epoll)");
    take(reader);
    if (peek_number(reader, "", 1, 65535, &port)) {
        take(reader);
        term->port = (uint16_t)port;
    }
    return 0;
}

static int read_prints(struct reader *reader, struct term *term)
{
    if (read_terminal(reader, term) < 0)
        return -1;
    return read_text(reader, term);
}

static int read_exits(struct reader *reader, struct term *term)
{
    uint64_t status;

    if (read_terminal(reader, term) < 0)
        return -1;
    if (!peek_number(reader, "", 0, 255, &status))
        return expected(reader, "an exit status (0 to 255)");
    take(reader);
    term->status = (int)status;
    return 0;
}

static int read_tls(struct reader *reader, struct term *term)
{
    (void)term;
    if (!peek_is(reader, "client-hello") && !peek_is(reader, "alert") &&
        !peek_is(reader, "data"))
        return expected(reader, "client-hello, alert or data");
    return fail(reader, "tls is not observable yet: it comes with lesson 9, "
                        "until then nothing reads TLS records from the wire");
}

static const struct {
    const char *word;
    enum term_kind kind;
    int (*read)(struct reader *reader, struct term *term);
} terms[] = {
    {"listen", TERM_LISTEN, read_listen},
    {"handshake", TERM_HANDSHAKE, read_tcp},
    {"refused", TERM_REFUSED, read_tcp},
    {"data", TERM_DATA, read_data},
    {"close", TERM_CLOSE, read_by},
    {"reset", TERM_RESET, read_by},
    {"state", TERM_STATE, read_state},
    {"established", TERM_ESTABLISHED, read_established},
    {"retransmit", TERM_RETRANSMIT, read_retransmit},
    {"zero-window", TERM_ZERO_WINDOW, read_by},
    {"datagram", TERM_DATAGRAM, read_datagram},
    {"unreachable", TERM_UNREACHABLE, read_udp},
    {"lost", TERM_LOST, read_udp},
    {"waits", TERM_WAITS, read_waits},
    {"prints", TERM_PRINTS, read_prints},
    {"exits", TERM_EXITS, read_exits},
    {"shell", TERM_SHELL, read_terminal},
    {"tls", TERM_TLS, read_tls},
};

enum { TERM_WORDS = sizeof terms / sizeof terms[0] };

static int read_within(struct reader *reader, struct term *term)
{
    uint64_t seconds;

    if (!peek_is(reader, "within"))
        return 0;
    if (term->negative)
        return fail(reader, "a `not` line holds until the next line without "
                            "`not`: it takes no `within`");
    take(reader);
    if (!peek(reader) ||
        !number_in(&reader->word, "", "s", 1, TERM_MOST_PATIENCE, &seconds))
        return expected(reader, "a time such as 5s (1s to 3600s)");
    take(reader);
    term->patience = (unsigned)seconds;
    term->timed = true;
    return 0;
}

int term_read(struct term *term, const char *line, char *why, size_t size)
{
    struct reader reader = {.at = line, .why = why, .size = size};
    size_t n;

    memset(term, 0, sizeof *term);
    term->times = 1;
    term->patience = TERM_PATIENCE;
    if (size > 0)
        why[0] = '\0';
    term->negative = peek_is(&reader, "not");
    if (term->negative)
        take(&reader);
    for (n = 0; n < TERM_WORDS && !peek_is(&reader, terms[n].word); n++)
        ;
    if (n == TERM_WORDS)
        return expected(&reader,
                        "one of listen handshake refused data close reset "
                        "state established retransmit zero-window datagram "
                        "unreachable lost waits prints exits shell tls");
    take(&reader);
    term->kind = terms[n].kind;
    if (terms[n].read(&reader, term) < 0 || read_within(&reader, term) < 0)
        return -1;
    if (peek(&reader) || reader.failed)
        return expected(&reader, "the end of the line");
    return 0;
}

bool term_is_state(const struct term *term)
{
    return term->kind <= TERM_SHELL;
}
