/*
 * What was said on one connection: the payload of both ends, each byte once and
 * in its order, however the segments came. Bounded: of what comes ahead of a
 * hole so much is held, then the hole is given up. Pure C.
 */
#ifndef VIZ_EVENTS_STREAM_H
#define VIZ_EVENTS_STREAM_H

#include "viz/track/track.h"

enum piece_kind {
    PIECE_BYTES, /* `length` bytes at `bytes` */
    PIECE_CUT,   /* so many were said, and not kept */
    PIECE_GAP,   /* so many were said, in a segment that was not captured */
    PIECE_AGAIN, /* so many were sent again */
    PIECE_LOST,  /* the segment before, of so many, was lost on its way */
    PIECE_FIN,
    PIECE_RESET
};

struct piece {
    enum piece_kind kind;
    enum flow_side from;
    int64_t time_ns; /* of the packet that brought it */
    uint32_t length;
    const uint8_t *bytes; /* borrowed for the call */
};

typedef void piece_fn(void *self, const struct piece *piece);

enum { STREAM_HELD = 128, STREAM_HELD_BYTES = 1 << 20 };

/* A segment that waits for what comes before it. */
struct stream_held {
    uint32_t seq, length, kept; /* kept: bytes of it, owned */
    int64_t time_ns;
    uint8_t *bytes;
};

struct stream {
    piece_fn *piece;
    void *self;
    struct stream_half {
        bool begun;    /* `next` is set */
        uint32_t next; /* sequence number of the next byte to be told */
        bool has_fin, told_fin;
        uint32_t fin;                         /* its sequence number */
        struct stream_held held[STREAM_HELD]; /* in order of seq */
        size_t held_count, held_bytes;
    } half[2]; /* by enum flow_side */
};

void stream_init(struct stream *stream, piece_fn *piece, void *self);
/* One packet of the connection, in capture order; `lost`: it is known not to
 * have arrived. UDP: each datagram is a piece, an empty one of no
 * bytes. */
void stream_packet(struct stream *stream, const struct packet *packet,
                   const struct note *note, bool lost);
/* Nothing more comes: tells what waits behind holes. */
void stream_end(struct stream *stream);
void stream_fini(struct stream *stream);

#endif
