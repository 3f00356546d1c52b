/* See evidence.h. */
#include "tests/grader/evidence.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    SHOWN = 48, /* characters of escaped bytes in a line: fits 80 columns */
    BEFORE = 16 /* bytes shown before the first difference */
};

/* One byte as the inside of a C string; its length. `next` decides how a zero
 * byte is written: "\0" before a digit would read as another number. */
static size_t escape_one(uint8_t byte, uint8_t next, char *text)
{
    static const char plain[] = "\n\t\r\"\\", letter[] = "ntr\"\\";
    const char *special = byte ? strchr(plain, byte) : NULL;

    if (special) {
        text[0] = '\\';
        text[1] = letter[special - plain];
        return 2;
    }
    if (byte == 0 && !(next >= '0' && next <= '9')) {
        memcpy(text, "\\0", 2);
        return 2;
    }
    if (byte < 32 || byte > 126) {
        char hex[5];

        snprintf(hex, sizeof hex, "\\x%02x", byte);
        memcpy(text, hex, 4);
        return 4;
    }
    text[0] = (char)byte;
    return 1;
}

size_t evidence_escape(const void *bytes, size_t length, char *text,
                       size_t size)
{
    const uint8_t *from = bytes;
    size_t used = 0, i;

    for (i = 0; i < length; i++) {
        char one[4];
        size_t n = escape_one(from[i], i + 1 < length ? from[i + 1] : 0, one);

        if (used + n >= size)
            break;
        memcpy(text + used, one, n);
        used += n;
    }
    text[used] = '\0';
    return i;
}

/* A window of bytes from `first`, quoted, with what is cut before and after
 * said outside the quotes; *column is where byte `mark` stands. */
static void show(struct lines *lines, const uint8_t *bytes, size_t length,
                 size_t first, size_t mark, size_t *column)
{
    char text[SHOWN + 1], before[32] = "";
    size_t shown, prefix;

    if (first > 0)
        snprintf(before, sizeof before, "...%zu more ", first);
    shown = evidence_escape(bytes + first, length - first, text, sizeof text);
    prefix = strlen(before) + 1;
    *column = prefix;
    if (mark >= first) {
        char head[SHOWN + 1];

        if (mark - first <= shown) {
            evidence_escape(bytes + first, mark - first, head, sizeof head);
            *column = prefix + strlen(head);
        }
    }
    lines_add(lines, "%s\"%s\"%s", before, text,
              first + shown < length ? "..." : "");
}

static void show_length(struct lines *lines, size_t length, const char *end)
{
    lines_add(lines, "%zu byte%s%s%s", length, length == 1 ? "" : "s",
              end ? ", " : "", end ? end : "");
}

void evidence_differ(struct lines *expected, struct lines *actual,
                     const void *want, size_t want_length, const void *got,
                     size_t got_length, const char *end)
{
    const uint8_t *a = want, *b = got;
    size_t at = 0, first, column, ignored;

    while (at < want_length && at < got_length && a[at] == b[at])
        at++;
    /* Both from the same byte on, so that they stand one under the other. */
    first = want_length <= SHOWN / 4 && got_length <= SHOWN / 4 ? 0
            : at > BEFORE                                       ? at - BEFORE
                                                                : 0;
    if (first > got_length)
        first = got_length;
    show(expected, a, want_length, first < want_length ? first : want_length,
         at, &ignored);
    show_length(expected, want_length, NULL);
    show(actual, b, got_length, first, at, &column);
    if (at < want_length || at < got_length) /* else only the end differs */
        lines_add(actual, "%*s^ offset %zu: %s", (int)column, "", at,
                  at == got_length    ? "the first byte that is missing"
                  : at == want_length ? "the first byte too many"
                                      : "the first byte that differs");
    show_length(actual, got_length, end);
}

/* The length of the UTF-8 character at `s`, 0 when it is none that may be
 * shown: wrong, overlong, a surrogate, or a control character. */
static size_t utf8_length(const uint8_t *s, size_t left)
{
    uint32_t code;
    size_t n;

    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (n > left)
        return 0;
    code = s[0] & (0x7f >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    if ((n == 3 && code < 0x800) || (n == 4 && code < 0x10000) ||
        code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    /* C1 controls, and what reorders or hides text. */
    if (code < 0xa0 || (code >= 0x200b && code <= 0x200f) ||
        (code >= 0x2028 && code <= 0x202e) ||
        (code >= 0x2060 && code <= 0x206f) || code == 0xfeff)
        return 0;
    return n;
}

char *evidence_clean(const void *bytes, size_t length, char *text, size_t size,
                     int newlines)
{
    const uint8_t *from = bytes;
    size_t used = 0;

    for (size_t i = 0; i < length;) {
        size_t n = 1, taken = 1;
        char one[5];

        if (from[i] == '\n' && newlines) {
            one[0] = '\n';
        } else if (from[i] == '\t') {
            one[0] = ' ';
        } else if (from[i] >= 32 && from[i] < 127) {
            one[0] = (char)from[i];
        } else if ((n = utf8_length(from + i, length - i)) > 0) {
            memcpy(one, from + i, n);
            taken = n;
        } else {
            n = (size_t)snprintf(one, sizeof one, "\\x%02x", from[i]);
        }
        if (used + n >= size)
            break;
        memcpy(text + used, one, n);
        used += n;
        i += taken;
    }
    if (size)
        text[used] = '\0';
    return text;
}
