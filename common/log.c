/*
 * See log.h. What a line may hold is decided by bytes: ASCII that prints and
 * UTF-8 that is well formed (RFC 3629), without control characters and without
 * those that reorder or break a line on a screen. All else is escaped.
 */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

static const char *const words[] = {"none", "error", "warning", "info",
                                    "debug"};
enum { LEVELS = sizeof words / sizeof *words };

void log_init(struct log *log, int fd, const char *name, enum log_level level,
              enum log_stamp stamp)
{
    *log = (struct log){fd, name, level, stamp, clock_now()};
}

int log_level_parse(enum log_level *level, const char *word)
{
    for (int i = 0; word && i < LEVELS; i++) {
        if (strcmp(words[i], word) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    errno = EINVAL;
    return -1;
}

const char *log_level_word(enum log_level level)
{
    return (unsigned)level < LEVELS ? words[level] : "?";
}

/* --- bytes ------------------------------------------------------------------- */

/* A line that is being made; it never overflows, and says when it was cut. */
struct line {
    char text[LOG_LINE];
    size_t length; /* room is kept for "...\n" */
    bool cut;
};

static void put(struct line *line, const char *bytes, size_t length)
{
    if (line->cut || line->length + length > sizeof line->text - 4) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->length, bytes, length);
    line->length += length;
}

/* Right-to-left and other marks that make a screen show what is not there, and
 * two more line ends. */
static bool deceives(unsigned long c)
{
    return (c >= 0x80 && c < 0xa0) || c == 0xad || c == 0x61c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

/* The bytes of one character that may be shown as it is; 0: it may not. */
static size_t shown(const unsigned char *at)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *at < 0xc2   ? 0
                    : *at < 0xe0 ? 2
                    : *at < 0xf0 ? 3
                    : *at < 0xf5 ? 4
                                 : 0;
    unsigned long c;

    if (*at >= ' ' && *at <= '~')
        return *at != '\\';
    if (length == 0)
        return 0;
    c = *at & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) /* a NUL, too: nothing behind it is read */
            return 0;
        c = c << 6 | (at[i] & 0x3f);
    }
    if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    return deceives(c) ? 0 : length;
}

static void put_safely(struct line *line, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    char escape[8];

    while (*at && !line->cut) {
        size_t length = shown(at);

        if (length) {
            put(line, (const char *)at, length);
            at += length;
        } else if (*at == '\\') {
            put(line, "\\\\", 2);
            at++;
        } else {
            snprintf(escape, sizeof escape, "\\x%02x", *at++);
            put(line, escape, 4);
        }
    }
}

static void put_stamp(struct line *line, const struct log *log)
{
    int64_t now = log->stamp == LOG_STAMP_WALL ? clock_wall()
                                               : clock_now() - log->begun;
    time_t seconds = (time_t)(now / CLOCK_SECOND);
    char text[40];
    struct tm utc;
    size_t length;

    if (log->stamp == LOG_STAMP_MONOTONIC) {
        snprintf(text, sizeof text, "%lld.%06d ", (long long)seconds,
                 (int)(now % CLOCK_SECOND / CLOCK_US));
    } else {
        gmtime_r(&seconds, &utc);
        length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
        snprintf(text + length, sizeof text - length, ".%03dZ ",
                 (int)(now % CLOCK_SECOND / CLOCK_MS));
    }
    put(line, text, strlen(text));
}

static void __attribute__((format(printf, 3, 0)))
write_line(const struct log *log, enum log_level level, const char *format,
           va_list arguments)
{
    char text[LOG_LINE]; /* what does not fit would be cut anyway */
    struct line line = {.length = 0};
    int length, error = errno;

    length = vsnprintf(text, sizeof text, format, arguments);
    if (log->stamp != LOG_STAMP_NONE)
        put_stamp(&line, log);
    if (log->name) {
        put_safely(&line, log->name);
        put(&line, " ", 1);
    }
    put(&line, words[level], strlen(words[level]));
    put(&line, ": ", 2);
    put_safely(&line, length < 0 ? "a line that cannot be formatted" : text);
    if (line.cut || length >= (int)sizeof text) {
        memcpy(line.text + line.length, "...", 3);
        line.length += 3;
    }
    line.text[line.length++] = '\n';
    while (write(log->fd, line.text, line.length) < 0 && errno == EINTR)
        ;
    errno = error;
}

#define LOG(name, level_)                                     \
    void name(const struct log *log, const char *format, ...) \
    {                                                         \
        va_list arguments;                                    \
                                                              \
        if (!log || log->level < (level_))                    \
            return;                                           \
        va_start(arguments, format);                          \
        write_line(log, (level_), format, arguments);         \
        va_end(arguments);                                    \
    }

LOG(log_error, LOG_LEVEL_ERROR)
LOG(log_warning, LOG_LEVEL_WARNING)
LOG(log_info, LOG_LEVEL_INFO)
LOG(log_debug, LOG_LEVEL_DEBUG)
