/*
 * What lasts and means something: the kernel's sockets in words for who wrote
 * the program. "The peer has closed, your program has not", "nobody reads",
 * "the accept queue is full".
 */
#ifndef VIZ_VIEWS_LASTING_H
#define VIZ_VIEWS_LASTING_H

#include "viz/views/words.h"

/* What one socket says by itself, in one sentence of at most 70 columns; ""
 * when there is nothing to say. Returns its style: BAD, WARN for what the
 * program here has left undone, PLAIN for what it waits for. */
enum style lasting_socket(const struct socket_sample *socket, char text[WORDS]);

/* Of one end of a flow, once it has lasted 200 ms: its socket's word, the
 * listener's whose queue it waits in, or in what wire and kernel differ. */
enum style lasting_end(const struct store *store, const struct flow *flow,
                       enum flow_side side, char text[WORDS]);

/* The most urgent of both ends, with its name before it; "" without. */
enum style lasting_flow(const struct store *store, const struct flow *flow,
                        char text[WORDS]);

/* The kernel's timer in words: "sends again in 0.8 s", briefly "again 0.8 s";
 * "" without one. */
char *lasting_timer(const struct socket_sample *socket, bool brief,
                    char text[WORDS]);

#endif
