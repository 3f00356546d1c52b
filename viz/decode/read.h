/*
 * The bounded reader: the only way bytes of a packet are touched. A read past
 * the end of what was captured gives 0 and is remembered, so a header is read
 * field by field and asked about once, at its end:
 *
 *     header->seq = rd_u32(&rd);
 *     header->ack = rd_u32(&rd);
 *     if (rd.failed)
 *         return DECODE_SHORT;
 *
 * It also carries how long the rest was when it was *sent*: a capture may keep
 * fewer bytes than that, and Ethernet may pad with more.
 */
#ifndef VIZ_DECODE_READ_H
#define VIZ_DECODE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
    const uint8_t *at; /* the next byte */
    uint32_t captured; /* bytes that may be read from `at` */
    uint32_t sent;     /* bytes that were on the wire; never below captured */
    bool failed;       /* something was read past `captured` */
};

static inline struct rd rd_over(const uint8_t *bytes, uint32_t captured,
                                uint32_t sent)
{
    return (struct rd){bytes, captured, sent < captured ? captured : sent,
                       false};
}

/* Whether `n` more bytes can be read; remembers when they cannot. */
static inline bool rd_has(struct rd *rd, uint32_t n)
{
    if (n > rd->captured)
        rd->failed = true;
    return !rd->failed;
}

/* Leave out `n` bytes. */
static inline void rd_skip(struct rd *rd, uint32_t n)
{
    if (!rd_has(rd, n))
        return;
    rd->at += n;
    rd->captured -= n;
    rd->sent -= n;
}

static inline uint8_t rd_u8(struct rd *rd)
{
    uint8_t value;

    if (!rd_has(rd, 1))
        return 0;
    value = rd->at[0];
    rd_skip(rd, 1);
    return value;
}

/* In network byte order, as are all but the families of LINK_NULL. */
static inline uint16_t rd_u16(struct rd *rd)
{
    uint16_t value;

    if (!rd_has(rd, 2))
        return 0;
    value = (uint16_t)(rd->at[0] << 8 | rd->at[1]);
    rd_skip(rd, 2);
    return value;
}

static inline uint32_t rd_u32(struct rd *rd)
{
    uint32_t value;

    if (!rd_has(rd, 4))
        return 0;
    value = (uint32_t)rd->at[0] << 24 | (uint32_t)rd->at[1] << 16 |
            (uint32_t)rd->at[2] << 8 | rd->at[3];
    rd_skip(rd, 4);
    return value;
}

/* `n` bytes into `to`, which stays as it was when they are not there. */
static inline void rd_copy(struct rd *rd, uint8_t *to, uint32_t n)
{
    if (!rd_has(rd, n))
        return;
    memcpy(to, rd->at, n);
    rd_skip(rd, n);
}

/* The next byte without going on, or -1 when there is none. */
static inline int rd_peek(const struct rd *rd)
{
    return rd->captured > 0 && !rd->failed ? rd->at[0] : -1;
}

/* The sender says that `n` bytes follow: what lies behind is not read. */
static inline void rd_bound(struct rd *rd, uint32_t n)
{
    if (n < rd->sent)
        rd->sent = n;
    if (n < rd->captured)
        rd->captured = n;
}

/* A reader over the next `n` bytes; this one goes on behind them. */
static inline struct rd rd_take(struct rd *rd, uint32_t n)
{
    struct rd part = *rd;

    if (!rd_has(rd, n))
        return (struct rd){NULL, 0, 0, true};
    rd_bound(&part, n);
    rd_skip(rd, n);
    return part;
}

#endif
