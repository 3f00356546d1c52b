/*
 * What the reader wants to see: `tcp port 7001 flag:R`, read into a short
 * program that says yes or no to a packet. Terms side by side must all hold;
 * `or`, `not` and parentheses as usual. Pure C.
 *
 *   tcp udp icmp   port N   host ADDRESS   state:NAME   flag:LETTERS
 *   verdict:NAME   data
 */
#ifndef VIZ_EVENTS_FILTER_H
#define VIZ_EVENTS_FILTER_H

#include "viz/events/event.h"

enum { FILTER_TEXT = 120, FILTER_STEPS = 40, FILTER_ADDRESS = 46 };

enum filter_step_kind {
    FILTER_TCP,
    FILTER_UDP,
    FILTER_ICMP,
    FILTER_DATA,
    FILTER_PORT,
    FILTER_HOST,
    FILTER_STATE,
    FILTER_FLAG,
    FILTER_VERDICT,
    FILTER_NOT, /* of the last answer; the two below of the last two */
    FILTER_AND,
    FILTER_OR
};

struct filter_step {
    enum filter_step_kind kind;
    uint16_t number; /* port, state, flags, verdict */
    char address[FILTER_ADDRESS];
};

/* Zeroed: lets everything pass. */
struct filter {
    char text[FILTER_TEXT]; /* as it was written */
    int count;
    struct filter_step steps[FILTER_STEPS]; /* answers first, then what joins
                                               them */
};

/* 0, also for "" and spaces; or -1 with errno EINVAL, a sentence in `why`, and
 * *filter as it was. */
int filter_read(struct filter *filter, const char *text, char *why,
                size_t size);

bool filter_passes(const struct filter *filter, const struct packet *packet,
                   const struct note *note);
/* The same of a socket of the kernel's: its protocol, ends and state. What only
 * a packet has (flags, payload, verdicts) it has not. */
bool filter_passes_socket(const struct filter *filter,
                          const struct socket_sample *socket);

#endif
