/*
 * Where a lesson's events come from, the same for all its modes: the live wire
 * with the kernel's tables, the lab's shells and the waits of threads; or a
 * stored replay. They go to the player, the store and, when asked, a record.
 * The steps are turned through here, because a replay must keep with them.
 */
#ifndef VIZ_LESSON_FEED_H
#define VIZ_LESSON_FEED_H

#include <poll.h>

#include "viz/events/store.h"
#include "viz/lab/keeper.h"
#include "viz/lesson/player.h"
#include "viz/lesson/record.h"
#include "viz/lesson/replay.h"
#include "viz/lesson/wire.h"
#include "viz/session.h"

/* How fast a replay goes. */
enum feed_pace { FEED_AT_ONCE, FEED_FOR_EYES };

enum { FEED_FDS = 2 };

struct feed {
    struct player *player;   /* the caller's */
    struct keeper *keeper;   /* the caller's; NULL in a replay */
    struct sockets *outside; /* owned: the machine's own; may be NULL */
    struct session session;
    struct store *store;   /* owned; another one after going back in a replay */
    struct record *record; /* owned, or NULL */
    struct replay *replay; /* owned, or NULL: live */
    enum feed_pace pace;
    uint16_t port;            /* the lesson's, for what runs outside */
    size_t replayed;          /* items given so far */
    struct call_flows *flows; /* owned; a replay's, for its calls */
    int64_t due_ns;           /* monotonic: when the next item may be given */
    int64_t waits_ns;         /* when threads are looked at next */
    int64_t outside_ns;       /* when the machine's own sockets are */
    uint64_t kernel;          /* changes when a look found something else */
    uint64_t looking;         /* the same, gathered during a look */
    struct loss loss;         /* what the wire loses in the open step, */
    char wire_why[256];       /* or why it cannot; "" */
    event_sink_fn *also;      /* gets every event, too; or NULL */
    void *also_self;
};

/* Live: takes capture, sockets and outside (the machine's own, or NULL), also
 * on failure. -1 with errno. The record may be set afterwards. */
int feed_live(struct feed *feed, struct player *player, struct keeper *keeper,
              struct capture *capture, struct sockets *sockets,
              struct sockets *outside, uint16_t port);
/* From a recording, which it takes. */
int feed_replay(struct feed *feed, struct player *player, struct replay *replay,
                enum feed_pace pace);
void feed_fini(struct feed *feed);
/* Live: the calls of the student's programs, too. Takes them. */
void feed_calls(struct feed *feed, struct call_feed *calls);

void feed_event(void *feed, const struct event *event); /* event_sink_fn */

/* Take what has come. How many packets there were; -1 with *error filled. */
int feed_pump(struct feed *feed, struct capture_error *error);
/* What poll(2) should watch, into fds[FEED_FDS]; how many. And for how many
 * milliseconds at most, -1: as long as nothing comes. */
int feed_fds(const struct feed *feed, struct pollfd fds[FEED_FDS]);
int feed_timeout(const struct feed *feed);
/* A replay has nothing more for the open step; false when live. */
bool feed_at_end(const struct feed *feed);

/* Bring the wire to what the lesson says for the open step; the counts begin
 * anew where it has a wire block of its own. 0; -1 with feed->wire_why. A
 * replay has its losses in it. */
int feed_wire(struct feed *feed);

/* Turn the player's steps, and the wire with them. False at the ends of the lesson. */
bool feed_next(struct feed *feed);
bool feed_back(struct feed *feed);
void feed_again(struct feed *feed);
/* After player_load(): bring a replay to the open step. */
void feed_resume(struct feed *feed);

#endif
