/* See udp.h. */
#include "viz/track/udp.h"

/* Requests are answered in their order, as far as anybody can tell; whose
 * answer it is is said only where there is no choice. */
void udp_datagram(struct tracked *tracked, const struct packet *packet,
                  struct note *note)
{
    struct flow_udp *udp = &tracked->flow.udp;

    if (packet->payload_length == 0)
        udp->empty[note->from]++;
    if (note->from == FLOW_CLIENT) {
        udp->unanswered++;
        tracked->request = packet->number;
        return;
    }
    if (udp->unanswered == 0) {
        udp->unasked++;
        return;
    }
    if (udp->unanswered == 1)
        note->answers = tracked->request;
    udp->unanswered--;
    udp->answered++;
}
