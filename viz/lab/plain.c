/* See plain.h. */
#include "viz/lab/plain.h"

#include <string.h>

enum { TEXT, AFTER_ESC, INSIDE, INSIDE_AFTER_ESC };
enum { BEL = 7, CAN = 24, SUB = 26, ESC = 27 };

bool plain_needed(const char *term)
{
    static const char *const names[] = {"dumb", "linux", "vt52", ""};

    if (term == NULL)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(term, names[i]) == 0)
            return true;
    return false;
}

/* The byte after an ESC. How many bytes went to `shown`. */
static size_t after_escape(struct plain *plain, char byte, char *shown)
{
    bool ends_osc = plain->state == INSIDE_AFTER_ESC && byte == '\\';

    if (byte == ESC) {
        plain->state = AFTER_ESC;
        return 0;
    }
    plain->state = byte == ']' ? INSIDE : TEXT;
    if (plain->state == INSIDE || ends_osc)
        return 0;
    shown[0] = ESC;
    shown[1] = byte;
    return 2;
}

size_t plain_strip(struct plain *plain, const char *bytes, size_t length,
                   char *shown)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++) {
        char byte = bytes[i];

        if (plain->state == AFTER_ESC || plain->state == INSIDE_AFTER_ESC)
            count += after_escape(plain, byte, shown + count);
        else if (byte == ESC)
            plain->state = plain->state == TEXT ? AFTER_ESC : INSIDE_AFTER_ESC;
        else if (plain->state == TEXT)
            shown[count++] = byte;
        else if (byte == BEL || byte == CAN || byte == SUB)
            plain->state = TEXT;
    }
    return count;
}
