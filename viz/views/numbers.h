/*
 * The kernel's numbers of a socket as one line: the time until it sends again,
 * the round trip, the congestion window. As much as there is room for.
 */
#ifndef VIZ_VIEWS_NUMBERS_H
#define VIZ_VIEWS_NUMBERS_H

#include "viz/views/words.h"

/* "rto 204 ms, rtt 45 us, cwnd 10": in at most `columns`; "" when the kernel
 * tells none (a listener, TIME_WAIT, UDP that lost nothing), or nothing fits. */
char *numbers_text(const struct socket_sample *socket, int columns,
                   char text[WORDS]);

/* Both ends of a connection on a row, the client's left and the server's
 * right. Whether there was anything to say: else the row is as it was. */
bool numbers_draw(struct area area, int row, const struct store *store,
                  const struct flow *flow);
/* Whether there is. */
bool numbers_has(const struct store *store, const struct flow *flow);

/* One number in a column of its own: "204 ms", "10"; "-" without. */
char *numbers_rto(const struct socket_sample *socket, char text[WORDS]);
char *numbers_rtt(const struct socket_sample *socket, char text[WORDS]);
char *numbers_cwnd(const struct socket_sample *socket, char text[WORDS]);

#endif
