/* See frames.h. Fields are put down in network order by hand; the layouts are
 * drawn in viz/decode. */
#include "tests/bench/frames.h"

#include <string.h>

enum {
    SNAPLEN = 128,
    ETHERNET = 14,
    IP = 20,
    TCP = 20,
    MOST_OPTIONS = 40,
    MSS = 1460
};

static uint8_t *put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value >> 16), value);
}

void writer_begin(struct writer *writer, FILE *out)
{
    /* little endian, as on most machines; microseconds; Ethernet */
    static const uint8_t header[24] = {0xd4,    0xc3, 0xb2, 0xa1, 2, 0, 4, 0,
                                       0,       0,    0,    0,    0, 0, 0, 0,
                                       SNAPLEN, 0,    0,    0,    1, 0, 0, 0};

    *writer = (struct writer){.out = out};
    fwrite(header, sizeof header, 1, out);
}

static uint32_t sum16(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < length; i += 2)
        sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    if (length % 2 != 0)
        sum += (uint32_t)bytes[length - 1] << 8;
    return sum;
}

/* RFC 1071: the ones' complement of the ones' complement sum. */
static uint16_t checksum(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Every payload begins with the same bytes; how they sum up. */
static const uint8_t *payload(uint16_t length, uint32_t *sum)
{
    static uint8_t bytes[MSS];
    static uint32_t sums[MSS + 1];

    if (bytes[0] == 0)
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i % 64 == 63 ? '\n' : 'a' + i % 26);
    if (sums[length] == 0)
        sums[length] = sum16(bytes, length);
    *sum = sums[length];
    return bytes;
}

static uint8_t *ethernet(uint8_t *at, const struct host *from,
                         const struct host *to)
{
    at = put32(put16(at, 0x0200), to->address);
    at = put32(put16(at, 0x0200), from->address);
    return put16(at, 0x0800);
}

static uint8_t *ip(uint8_t *at, struct host *from, const struct host *to,
                   uint32_t length)
{
    uint8_t *begin = at;

    at = put16(put16(at, 0x4500), length);
    at = put16(put16(at, from->ip_id++), 0x4000);
    at = put16(put16(at, 64 << 8 | 6), 0);
    put32(put32(at, from->address), to->address);
    put16(begin + 10, checksum(sum16(begin, IP)));
    return begin + IP;
}

static uint8_t *options(uint8_t *at, const struct host *from,
                        const struct segment *segment)
{
    uint32_t now = (uint32_t)(segment->time_ns / 1000000) + from->clock_offset;

    if (segment->flags & SYN) { /* MSS, SACK permitted, timestamps, scale 7 */
        at = put32(at, 0x02040000 | MSS);
        at = put32(put32(put32(at, 0x0402080a), now), from->echo);
        return put32(at, 0x01030307);
    }
    at = put32(put32(put32(at, 0x0101080a), now), from->echo);
    if (segment->sack_left == segment->sack_right)
        return at;
    return put32(put32(put32(at, 0x0101050a), segment->sack_left),
                 segment->sack_right);
}

/* The TCP header at `at`, whose payload's bytes sum up to `sum`; where it
 * ends. A RST of a host that knows no such connection has number 0 and
 * no options. */
static uint8_t *tcp(uint8_t *at, const struct host *from, const struct host *to,
                    const struct segment *segment, uint32_t sum)
{
    bool bare = (segment->flags & RST) && segment->seq == 0;
    uint8_t *begin = at, *end;
    uint16_t window = segment->flags & RST ? 0 : from->window;

    at = put16(put16(at, from->port), to->port);
    at = put32(at, segment->seq);
    at = put32(at, segment->flags & ACK ? from->ack : 0);
    end = bare ? begin + TCP : options(begin + TCP, from, segment);
    at = put16(at, (uint32_t)(end - begin) / 4 << 12 | segment->flags);
    put32(put16(at, window), 0);
    sum += (from->address >> 16) + (from->address & 0xffff);
    sum += (to->address >> 16) + (to->address & 0xffff);
    sum += 6 + (uint32_t)(end - begin) + segment->length;
    put16(begin + 16, checksum(sum + sum16(begin, (size_t)(end - begin))));
    return end;
}

static void put_host32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

void writer_segment(struct writer *writer, struct host *from,
                    const struct host *to, const struct segment *segment)
{
    uint8_t record[16 + ETHERNET + IP + TCP + MOST_OPTIONS + SNAPLEN];
    uint8_t *frame = record + 16, *above = frame + ETHERNET + IP, *end;
    uint32_t sum, length, captured;
    const uint8_t *bytes = payload(segment->length, &sum);

    end = tcp(above, from, to, segment, sum);
    length = (uint32_t)(end - frame) + segment->length;
    ip(ethernet(frame, from, to), from, to, length - ETHERNET);
    captured = length < SNAPLEN ? length : SNAPLEN;
    if (captured > (uint32_t)(end - frame))
        memcpy(end, bytes, captured - (uint32_t)(end - frame));
    put_host32(record, (uint32_t)(segment->time_ns / 1000000000));
    put_host32(record + 4, (uint32_t)(segment->time_ns % 1000000000 / 1000));
    put_host32(record + 8, captured);
    put_host32(record + 12, length);
    fwrite(record, 16 + captured, 1, writer->out);
    writer->packets++;
}
