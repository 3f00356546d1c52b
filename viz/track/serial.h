/*
 * TCP's sequence numbers wrap around (RFC 9293 3.4; RFC 1982): a comes before b
 * when the way from a forward to b is the shorter one.
 */
#ifndef VIZ_TRACK_SERIAL_H
#define VIZ_TRACK_SERIAL_H

#include <stdint.h>

static inline int32_t seq_from(uint32_t b, uint32_t a)
{
    return (int32_t)(b - a);
}
#define seq_before(a, b) (seq_from(a, b) < 0)
#define seq_after(a, b)  (seq_from(a, b) > 0)

#endif
