/*
 * Fragments of IP datagrams (RFC 791 3.2, RFC 8200 4.5): only the first has the
 * ports, the others have the same addresses and identification.
 */
#ifndef VIZ_TRACK_FRAGMENTS_H
#define VIZ_TRACK_FRAGMENTS_H

#include "viz/track/table.h"

enum { FRAGMENTS_MOST = 64 };

/* Datagrams whose first fragment was seen; the oldest gives way. Zeroed is
 * empty. */
struct fragments {
    struct fragment {
        struct packet first;  /* without its payload; number 0: free */
        uint32_t flow, index; /* its id, and its place in the table */
        enum flow_side from;
        uint32_t behind; /* TCP: number of the byte behind what has come, */
        uint32_t length; /* payload bytes of the newest piece */
        uint16_t offset; /* and where that began; 0: the first */
    } at[FRAGMENTS_MOST];
    size_t next;
};

/* A first fragment, which has the ports. */
void fragments_begin(struct fragments *fragments, const struct tracked *tracked,
                     enum flow_side from, const struct packet *packet);
/* The datagram of a later one, when its first is known; else NULL. */
struct fragment *fragments_find(struct fragments *fragments,
                                const struct packet *packet);
/* Its flow, unless that was forgotten. */
struct tracked *fragment_flow(const struct fragment *fragment,
                              const struct table *table);
/* A later piece of a TCP segment as a segment of its own, which begins behind
 * the piece before; the FIN goes with the last. false when a piece between them
 * is missing. */
bool fragment_segment(struct fragment *fragment, const struct packet *piece,
                      struct packet *segment);

#endif
