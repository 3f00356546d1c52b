/*
 * What has been seen, kept for the views: one row a packet (bounded; the
 * oldest go first and are counted), the flows, and the kernel's sockets as of
 * the last look. An event_sink. Pure C.
 */
#ifndef VIZ_EVENTS_STORE_H
#define VIZ_EVENTS_STORE_H

#include "viz/events/call.h"
#include "viz/events/change_log.h"

enum { STORE_PAYLOAD = 48, STORE_PAYLOAD_TEXT = STORE_PAYLOAD };

/* A packet as views need it: a copy. note.flow is the store's own copy of the
 * flow, as of its newest packet; it lives at least as long as the row. */
struct store_row {
    struct packet packet; /* payload points into `payload` below, and
                             payload_captured counts what is there */
    struct note note;
    bool lost; /* the lab's network lost it: EVENT_LOST told so */
    uint8_t payload[STORE_PAYLOAD]; /* its first bytes, raw: never to a screen
                                       but through canvas_text() */
};

struct store;

/* `most_rows` 0 means the default: 100,000 packets, at most about 64 MB with
 * their flows. NULL with errno ENOMEM. */
struct store *store_new(size_t most_rows);
void store_free(struct store *store);
/* An empty store that begins behind so many packets, at that time. */
void store_begin_at(struct store *store, uint64_t forgotten, int64_t start_ns);
void store_event(void *store, const struct event *event); /* event_sink_fn */

/* Another number after each event; no two stores ever have the same. What was
 * read of the store, its pointers too, stays right while the number does. */
uint64_t store_version(const struct store *store);

/* Rows kept, oldest first; the n-th is NULL past the end. Row 0 is packet
 * store_forgotten() + 1 of the capture. */
size_t store_rows(const struct store *store);
const struct store_row *store_row(const struct store *store, size_t n);
uint64_t store_forgotten(const struct store *store);

/* Flows in order of id. Those without a row left go first, the oldest of them
 * before the others, when there are more than 65,536. */
size_t store_flows(const struct store *store);
const struct flow *store_flow(const struct store *store, size_t n);

/* What the kernel said last: all sockets; or the one at this end of a flow,
 * NULL when the kernel shows none (or was not asked: store_kernel() false). */
bool store_kernel(const struct store *store);
size_t store_sockets(const struct store *store);
/* `n` counts from 0 in no order; valid until the next event. A server whose
 * connection is not there yet is shown by its listener. */
const struct socket_sample *store_socket(const struct store *store, size_t n);
const struct socket_sample *store_socket_of(const struct store *store,
                                            const struct flow *flow,
                                            enum flow_side side);
/* How many packets the lab's network has lost (EVENT_LOST). */
uint64_t store_lost(const struct store *store);
/* Right after an EVENT_LOST: the row that it is about, NULL when that has not
 * come yet (it will be marked then). */
const struct store_row *store_newest_lost(const struct store *store);
/* The programs' calls, in order of their return; at most 16,384 of them, the
 * oldest go first. The n-th is NULL past the end. A call without a port is
 * known by its descriptor's next call that has one: its side is filled in. */
size_t store_calls(const struct store *store);
const struct program_call *store_call(const struct store *store, size_t n);
/* The place of the first that returned at `time_ns` or later. */
size_t store_calls_from(const struct store *store, int64_t time_ns);

/* What the looks into the kernel's tables found changed, in order; at most
 * 16,384 of it, the oldest go first. The n-th is NULL past the end. */
size_t store_changes(const struct store *store);
const struct kernel_change *store_change(const struct store *store, size_t n);
/* The place of the first at `time_ns` or later. */
size_t store_changes_from(const struct store *store, int64_t time_ns);

/* Time of the last whole look into the kernel's tables; 0 before any. */
int64_t store_looked(const struct store *store);
/* Time of the newest event; of the first packet. 0 before any. */
int64_t store_now(const struct store *store);
int64_t store_start(const struct store *store);

#endif
