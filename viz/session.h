/*
 * The pipeline that every mode of viz runs: capture -> decode -> track ->
 * events -> sinks, with the kernel's tables beside it. Pulls what is there,
 * never blocks on its own; the caller polls.
 */
#ifndef VIZ_SESSION_H
#define VIZ_SESSION_H

#include "viz/called.h"
#include "viz/capture/capture.h"
#include "viz/events/event.h"
#include "viz/kernel/loss.h"
#include "viz/kernel/sockets.h"
#include "viz/lesson/record.h"
#include "viz/recorded.h"
#include "viz/track/track.h"

enum { SESSION_SINKS = 7 };

struct session {
    struct capture *capture;   /* owned; NULL: nothing from the wire */
    struct sockets *sockets;   /* owned; NULL: the kernel is not asked */
    struct called *called;     /* owned; NULL: no calls are told */
    struct recorded *recorded; /* owned; what a file has beside its packets */
    struct record *record;     /* owned; where that is kept; NULL: nowhere */
    struct track *track;       /* owned */
    struct {
        event_sink_fn *sink;
        void *self;
    } sinks[SESSION_SINKS];
    int sink_count;
    uint64_t packets;
    int64_t newest_ns;        /* time of the newest packet */
    int64_t next_look_ns;     /* when the kernel is asked next (monotonic) */
    int64_t changed_ns;       /* when there was last a packet, or the kernel had
                             something new to say (monotonic) */
    uint64_t look, last_look; /* sums over the sockets of two looks */
    int64_t look_cost_ns;     /* of a processor, by the last look */
    size_t look_count;        /* sockets that it found */
    /* Make its wire lose packets: as keeper_loss(). NULL: it cannot. */
    int (*lose)(void *self, const struct loss *loss, char *why, size_t size);
    void *lose_self;
    bool failed; /* `failure` is told when what came before it was */
    struct capture_error failure;
};

/* Takes what it is given, also on failure. -1 with errno. */
int session_init(struct session *session, struct capture *capture,
                 struct sockets *sockets);
void session_fini(struct session *session);
/* -w: keep, beside the packets' file, what the kernel and the programs say. -1
 * with errno: then it is not kept. */
int session_record(struct session *session, const char *pcap);
/* -1 with errno ENOSPC when there are SESSION_SINKS already. */
int session_add_sink(struct session *session, event_sink_fn *sink, void *self);
void session_remove_sink(struct session *session, void *self);

/* Hand on one event to all sinks: for terminals and the like. */
void session_event(void *session, const struct event *event);

/* Take at most `most` frames that wait, and look into the kernel's tables when
 * it is time (20 times a second while something happens, 5 times after a second
 * of rest; more seldom where there are so many sockets that this would take
 * more than 2 % of a processor). How many frames there were; -1 with *error. 0
 * on a file is its end. */
int session_pump(struct session *session, int most,
                 struct capture_error *error);
/* Before the end: take what is on the ring and came before `stop_ns` (wall
 * clock), so that no packet is lost because one was in a hurry. How many
 * frames; -1 with *error. */
int session_drain(struct session *session, int64_t stop_ns,
                  struct capture_error *error);
/* Ask the kernel now. 0, also without sockets; -1 with errno. */
int session_look(struct session *session);
/* Milliseconds until session_pump() has something to do without a packet; -1:
 * never. For poll(2), beside capture_fd(). */
int session_timeout(const struct session *session);

#endif
