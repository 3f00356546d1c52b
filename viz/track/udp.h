/*
 * What of UDP goes beyond one datagram: which answers which. UDP itself does
 * not know (RFC 768): a pair is what a client sent and its server sent back
 * after, no more.
 */
#ifndef VIZ_TRACK_UDP_H
#define VIZ_TRACK_UDP_H

#include "viz/track/table.h"

/* Count a datagram of this flow; note->answers when only one waits. */
void udp_datagram(struct tracked *tracked, const struct packet *packet,
                  struct note *note);

#endif
