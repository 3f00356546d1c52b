/* See wordcount.h. */
#include "tests/checks/wordcount.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* CRC-32 of ISO 3309: polynomial 0x04C11DB7, bits reflected. */
static const uint32_t *crc_table(void)
{
    static uint32_t table[256];

    if (table[1] != 0)
        return table;
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t value = n;

        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
        table[n] = value;
    }
    return table;
}

void wordcount_add(struct wordcount *count, const void *bytes, size_t length)
{
    const uint32_t *table = crc_table();
    const uint8_t *byte = bytes;
    uint32_t crc = ~count->crc;

    for (size_t i = 0; i < length; i++) {
        bool space = byte[i] == ' ' || (byte[i] >= '\t' && byte[i] <= '\r');

        count->lines += byte[i] == '\n';
        count->words += !space && !count->inside;
        count->inside = !space;
        crc = crc >> 8 ^ table[(crc ^ byte[i]) & 0xFF];
    }
    count->crc = ~crc;
    count->bytes += length;
}

size_t wordcount_answer(const struct wordcount *count,
                        char text[WORDCOUNT_TEXT])
{
    return (size_t)snprintf(
        text, WORDCOUNT_TEXT,
        "%" PRIu64 " %" PRIu64 " %" PRIu64 " %08" PRIx32 "\n", count->lines,
        count->words, count->bytes, count->crc);
}

struct wordcount wordcount_to_zero(const uint8_t *bytes, const size_t *pieces,
                                   size_t count)
{
    struct wordcount counted = {0};

    for (size_t i = 0; i < count; i++) {
        wordcount_add(&counted, bytes, strnlen((const char *)bytes, pieces[i]));
        bytes += pieces[i];
    }
    return counted;
}

struct wordcount wordcount_with_old(const uint8_t *bytes, const size_t *pieces,
                                    size_t count)
{
    struct wordcount counted = {0};
    uint8_t buffer[65536] = {0};

    for (size_t i = 0; i < count; i++) {
        memcpy(buffer, bytes,
               pieces[i] < sizeof buffer ? pieces[i] : sizeof buffer);
        wordcount_add(&counted, buffer,
                      strnlen((const char *)buffer, sizeof buffer));
        bytes += pieces[i];
    }
    return counted;
}
