/*
 * What `wcd` must answer, counted by us; and what programs with some wrong
 * ideas would count of the same bytes, so that a wrong answer can be
 * recognised by its digits. Bytes in, numbers out.
 */
#ifndef TESTS_CHECKS_WORDCOUNT_H
#define TESTS_CHECKS_WORDCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wordcount {
    uint64_t lines, words, bytes;
    uint32_t crc;
    bool inside; /* the last byte belongs to a word */
};

enum { WORDCOUNT_TEXT = 96 }; /* room for any answer, its newline and \0 */

/* Begin with {0}; add the stream in any pieces. */
void wordcount_add(struct wordcount *count, const void *bytes, size_t length);

/* "LINES WORDS BYTES CRC32\n" into text; its length. */
size_t wordcount_answer(const struct wordcount *count,
                        char text[WORDCOUNT_TEXT]);

/* Of a stream that came in `pieces` (their lengths), what is counted by a
 * program that takes each piece for a string, which ends at its first zero
 * byte: */
struct wordcount wordcount_to_zero(const uint8_t *bytes, const size_t *pieces,
                                   size_t count);
/* ... receives each piece into one buffer of zeros, and measures it with
 * strlen: a short piece drags along what a longer one left behind. */
struct wordcount wordcount_with_old(const uint8_t *bytes, const size_t *pieces,
                                    size_t count);

#endif
