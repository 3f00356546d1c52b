/*
 * The observation language (DESIGN 5): lines such as
 *     handshake tcp 7001
 *     state tcp 7001 client TIME_WAIT
 * and an event stream in, ticks out. The lesson player, `viz --expect` and the
 * grader all call this. Lines come true in order; an event line is true once
 * that event has happened since expect_open(), a state line while the state
 * holds. `not ...` must hold until the next positive line has come true.
 */
#ifndef VIZ_EVENTS_EXPECT_H
#define VIZ_EVENTS_EXPECT_H

#include "viz/events/event.h"

enum expect_status {
    EXPECT_WAITING, /* not true yet */
    EXPECT_TRUE,
    EXPECT_BROKEN /* a `not` line that came true: nothing can mend it */
};

struct expect;

/* `kernel`: EVENT_SOCKET events will come too. Then a listener is believed
 * when the kernel shows it or a handshake has proved it, and a lasting state
 * (LISTEN, ESTABLISHED, CLOSE_WAIT, FIN_WAIT2, TIME_WAIT) when wire and kernel
 * agree; without it the wire alone decides. NULL with errno ENOMEM. */
struct expect *expect_new(bool kernel);
void expect_free(struct expect *expect);

/* Add a line. 0; or -1 with errno EINVAL and a sentence for the author in
 * `why`: which word was not understood and what may stand there. */
int expect_add(struct expect *expect, const char *line, char *why, size_t size);

/* From here on events count: forget what was seen, all lines WAITING. What
 * *is* (open sockets and connections) stays known, from events fed before. */
void expect_open(struct expect *expect);
/* State lines are judged on every event but EVENT_SOCKET and EVENT_GONE: a look
 * into the kernel's tables is taken as a whole, at its EVENT_LOOKED. */
void expect_feed(struct expect *expect, const struct event *event);

size_t expect_count(const struct expect *expect);
/* Line n to be shown: without the space around it, what a terminal would obey
 * as dots. */
const char *expect_line(const struct expect *expect, size_t n);
enum expect_status expect_status(const struct expect *expect, size_t n);
/* All positive lines are true and no `not` line is broken. A `not` line after
 * the last positive one holds until the end of the stream: the caller decides
 * when that is. */
bool expect_done(const struct expect *expect);
bool expect_broken(const struct expect *expect);
/* The positive line that is awaited now; expect_count() when all are true. */
size_t expect_awaited(const struct expect *expect);
/* Seconds of patience for line n in play mode: 10, or what `within Ns` says;
 * and whether it says so. */
unsigned expect_patience(const struct expect *expect, size_t n);
bool expect_timed(const struct expect *expect, size_t n);
/* Whether nothing can change line n any more: it is true, it is broken, or it
 * is a `not` line whose time is over. */
bool expect_decided(const struct expect *expect, size_t n);
/* Whether line n can only come true by what a lab's terminals and processes
 * say (waits, prints, exits, shell), never by the wire and the kernel alone. */
bool expect_needs_lab(const struct expect *expect, size_t n);
/* What line n waits for and what is there instead, in one sentence for a
 * person ("the server's end is CLOSE_WAIT, not yet CLOSED"); may be "". */
const char *expect_reason(struct expect *expect, size_t n);
/* Whether some line needs EVENT_UNIX: then the caller asks for it. */
bool expect_wants_unix(const struct expect *expect);
/* Whether a line that is now awaited needs EVENT_WAITS of this side: then the
 * caller looks (it costs a read of /proc); *port is set. */
bool expect_wants_waits(const struct expect *expect, enum flow_side *side,
                        uint16_t *port);

#endif
