/*
 * What the fuzz targets share: the input taken apart byte by byte, a condition
 * that must hold, and what "only printable text" means. A target is one
 * function, LLVMFuzzerTestOneInput(); libFuzzer calls it, or main.c (AFL++, and
 * plain replay of stored inputs). See docs/fuzzing.md.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding: says which promise was broken, and ends the process. */
#define must(condition)                                                  \
    do {                                                                 \
        if (!(condition)) {                                              \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, \
                    #condition);                                         \
            abort();                                                     \
        }                                                                \
    } while (0)

/* Before a function of a target that only judges: what it finds is no coverage
 * that the fuzzer should look for, and costs nothing. */
#ifdef __clang__
#define JUDGE __attribute__((no_sanitize("coverage", "address", "undefined")))
#else
#define JUDGE
#endif

struct input {
    const uint8_t *at;
    size_t left;
};

/* The next byte; 0 once there is none. */
static inline uint8_t input_u8(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static inline uint16_t input_u16(struct input *input)
{
    uint16_t high = input_u8(input);

    return (uint16_t)(high << 8 | input_u8(input));
}

static inline uint32_t input_u32(struct input *input)
{
    uint32_t high = input_u16(input);

    return high << 16 | input_u16(input);
}

/* Of at most `most` bytes; moves on. */
static inline struct input input_part(struct input *input, size_t most)
{
    struct input part = {input->at, input->left < most ? input->left : most};

    input->at += part.left;
    input->left -= part.left;
    return part;
}

/* One whole character of well-formed UTF-8 (RFC 3629); its code point, or -1.
 * Written apart from the project's own reader, which it judges. */
JUDGE static inline int32_t utf8_one(const uint8_t *at, size_t left,
                                     size_t *length)
{
    uint32_t code = at[0], least;

    *length = 1;
    if (code < 0x80)
        return (int32_t)code;
    if (code >= 0xc2 && code <= 0xdf)
        *length = 2, code &= 0x1f, least = 0x80;
    else if (code >= 0xe0 && code <= 0xef)
        *length = 3, code &= 0x0f, least = 0x800;
    else if (code >= 0xf0 && code <= 0xf4)
        *length = 4, code &= 0x07, least = 0x10000;
    else
        return -1;
    if (*length > left)
        return -1;
    for (size_t i = 1; i < *length; i++) {
        if (at[i] < 0x80 || at[i] > 0xbf)
            return -1;
        code = code << 6 | (at[i] & 0x3f);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return -1;
    return (int32_t)code;
}

/* Whether the bytes are UTF-8 without any control (C0 but those in `allowed`,
 * DEL, C1): nothing that a terminal would obey. */
JUDGE static inline bool is_printable(const char *text, size_t length,
                                      const char *allowed)
{
    const uint8_t *at = (const uint8_t *)text;

    while (length > 0) {
        size_t taken;
        int32_t code;
        bool control;

        if (*at >= 0x20 && *at < 0x7f) {
            at++;
            length--;
            continue;
        }
        code = utf8_one(at, length, &taken);
        control = code < 0x20 || (code >= 0x7f && code < 0xa0);

        if (control) {
            const char *c = allowed;

            while (*c != '\0' && *c != code)
                c++;
            if (*c == '\0')
                return false;
        }
        at += taken;
        length -= taken;
    }
    return true;
}

#endif
