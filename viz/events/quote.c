/* See quote.h. */
#include "viz/events/quote.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the well-formed character at `text` (RFC 3629), 1 and *code 0 for a
 * byte that begins none. A text ends with a zero, which continues nothing. */
static size_t character(const char *text, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)text;
    size_t length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

    *code = at[0];
    if (*code < 0x80)
        return 1;
    if (*code < 0xc2 || *code > 0xf4)
        goto broken;
    *code &= 0x7fu >> length;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            goto broken;
        *code = *code << 6 | (at[i] & 0x3fu);
    }
    if (*code < least[length] || (*code >= 0xd800 && *code < 0xe000) ||
        *code > 0x10ffff)
        goto broken;
    return length;

broken:
    *code = 0;
    return 1;
}

/* Controls, and what hides or turns around the text beside it. */
static bool steers(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) ||
           (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

void quote(char *to, size_t size, const char *text)
{
    size_t used = 0;

    if (size == 0)
        return;
    while (*text != '\0') {
        uint32_t code;
        size_t length = character(text, &code);
        bool safe = !steers(code);
        size_t needed = safe ? length : 1;

        if (used + needed >= size)
            break;
        if (!safe)
            to[used] = '.';
        else if (to + used != text)
            memmove(to + used, text, length);
        used += needed;
        text += length;
    }
    to[used] = '\0';
}
