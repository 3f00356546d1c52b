/*
 * What of UDP goes beyond one datagram: which answers which, and which
 * fragments make up one. UDP itself knows neither (RFC 768): a pair is what a
 * client sent and its server sent back after, no more.
 */
#ifndef VIZ_TRACK_UDP_H
#define VIZ_TRACK_UDP_H

#include "viz/track/table.h"

/* Count a datagram of this flow; note->answers when only one waits. */
void udp_datagram(struct tracked *tracked, const struct packet *packet,
                  struct note *note);

enum { FRAGMENTS_MOST = 64 };

/* Datagrams whose first fragment was seen; the oldest gives way. Zeroed is
 * empty. */
struct fragments {
    struct fragment {
        struct endpoint source, destination; /* ports 0 */
        uint32_t ip_id;
        uint32_t flow, index; /* its id, and its place in the table */
        uint64_t number;      /* packet of the first fragment; 0: free */
        int64_t time_ns;
    } at[FRAGMENTS_MOST];
    size_t next;
};

/* A first fragment, which has the ports. */
void fragments_begin(struct fragments *fragments, const struct tracked *tracked,
                     const struct packet *packet);
/* A later one: note->fragment_of, when its first is known. */
void fragments_follow(struct fragments *fragments, const struct table *table,
                      const struct packet *packet, struct note *note);

#endif
