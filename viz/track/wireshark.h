/*
 * What Wireshark says of a TCP segment: the tcp.analysis.* flags of tshark
 * 4.0, by its own rules, right or wrong, for who compares. Our own verdicts
 * (verdict.c, again.c) share nothing with it. The state is separate and made
 * only when it is asked for.
 */
#ifndef VIZ_TRACK_WIRESHARK_H
#define VIZ_TRACK_WIRESHARK_H

#include "viz/track/track.h"

/* By bit; in the order of their names in wireshark.c. */
enum wireshark_flag {
    WIRESHARK_RETRANSMISSION = 1,
    WIRESHARK_FAST_RETRANSMISSION = 2,
    WIRESHARK_SPURIOUS_RETRANSMISSION = 4,
    WIRESHARK_OUT_OF_ORDER = 8,
    WIRESHARK_DUPLICATE_ACK = 16,
    WIRESHARK_LOST_SEGMENT = 32,
    WIRESHARK_ACK_LOST_SEGMENT = 64,
    WIRESHARK_ZERO_WINDOW = 128,
    WIRESHARK_ZERO_WINDOW_PROBE = 256,
    WIRESHARK_ZERO_WINDOW_PROBE_ACK = 512,
    WIRESHARK_WINDOW_UPDATE = 1024,
    WIRESHARK_WINDOW_FULL = 2048,
    WIRESHARK_KEEP_ALIVE = 4096,
    WIRESHARK_KEEP_ALIVE_ACK = 8192,
    WIRESHARK_REUSED_PORTS = 16384
};

struct wireshark;

/* NULL with errno ENOMEM. */
struct wireshark *wireshark_new(void);
void wireshark_free(struct wireshark *wireshark);

/* The flags of the packet that track_feed() has just filled *note for; 0 for
 * what is not TCP. Without memory for one more connection: 0. */
unsigned wireshark_feed(struct wireshark *wireshark,
                        const struct packet *packet, const struct note *note);

/* "retransmission" for the n-th bit, from 0; NULL past the last. */
const char *wireshark_flag_name(unsigned n);

#endif
