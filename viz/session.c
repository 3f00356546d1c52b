/* See session.h. */
#include "viz/session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "viz/decode/decode.h"

enum {
    LOOK_MS = 50,
    LOOK_AT_REST_MS = 200, /* a look costs a walk through the kernel's tables */
    LOOK_MOST_MS = 2000,
    LOOK_MOST_FEW_MS = 200, /* while something happens, with few sockets: then
                               it is the machine that is busy */
    FEW = 1000,
    LOOK_SHARE = 50, /* looks take one part in so many of a core at most, */
    LOOK_SHARE_AT_REST = 150, /* also in a kernel with many sockets */
    BEHIND_MS = 1000,         /* packets that wait go before a look, so long */
    REST_MS = 1000,
    LOOK_AGAIN_MS = 500, /* at the interface, once it is down or was busy */
    QUIET_MS = 20 /* longer than the kernel keeps a frame back from the ring */
};

int session_init(struct session *session, struct capture *capture,
                 struct sockets *sockets)
{
    memset(session, 0, sizeof *session);
    session->capture = capture;
    session->sockets = sockets;
    session->track = track_new(0);
    if (!session->track) {
        session_fini(session);
        errno = ENOMEM;
        return -1;
    }
    return 0;
}

void session_fini(struct session *session)
{
    capture_close(session->capture);
    sockets_close(session->sockets);
    called_free(session->called);
    recorded_close(session->recorded);
    if (session->record)
        record_close(session->record, true);
    track_free(session->track);
    memset(session, 0, sizeof *session);
}

int session_record(struct session *session, const char *pcap)
{
    struct record *record = record_open_beside(pcap);

    if (!record)
        return -1;
    if (session_add_sink(session, record_event, record) < 0) {
        record_close(record, false);
        return -1;
    }
    session->record = record;
    return 0;
}

int session_add_sink(struct session *session, event_sink_fn *sink, void *self)
{
    if (session->sink_count == SESSION_SINKS) {
        errno = ENOSPC;
        return -1;
    }
    session->sinks[session->sink_count].sink = sink;
    session->sinks[session->sink_count].self = self;
    session->sink_count++;
    return 0;
}

void session_remove_sink(struct session *session, void *self)
{
    int kept = 0;

    for (int i = 0; i < session->sink_count; i++)
        if (session->sinks[i].self != self)
            session->sinks[kept++] = session->sinks[i];
    session->sink_count = kept;
}

/* What a look can show of a socket, mixed into a number. The kernel lists
 * sockets in no order, so that these numbers are added up. */
static uint64_t socket_sum(const struct socket_sample *socket)
{
    uint64_t sum = socket->cookie * UINT64_C(0x9e3779b97f4a7c15);

    sum ^= (uint64_t)socket->state << 56 ^ (uint64_t)socket->timer << 48 ^
           (uint64_t)socket->receive_queue << 20 ^ socket->send_queue;
    sum *= UINT64_C(0xbf58476d1ce4e5b9);
    return sum ^ sum >> 29;
}

void session_event(void *self, const struct event *event)
{
    struct session *session = self;
    struct event lost;

    if (event->kind == EVENT_SOCKET) {
        session->look += socket_sum(&event->socket);
        session->look_count++;
    }
    if (event->kind == EVENT_LOST) {
        lost = *event;
        lost.flow = track_lost(session->track, &event->lost, event->time_ns);
        event = &lost;
    }
    for (int i = 0; i < session->sink_count; i++)
        session->sinks[i].sink(session->sinks[i].self, event);
}

static int take_frame(struct session *session, const struct frame *frame,
                      struct capture_error *error)
{
    struct packet packet = {.number = session->packets + 1,
                            .time_ns = frame->time_ns,
                            .length = frame->length};
    struct note note = {0};
    struct event event = {.kind = EVENT_PACKET, .time_ns = frame->time_ns};

    if (session->recorded)
        recorded_before(session->recorded, packet.time_ns, session_event,
                        session);
    decode_packet(capture_link(session->capture), frame->bytes, frame->captured,
                  &packet);
    if (track_feed(session->track, &packet, &note) < 0) {
        error->kind = CAPTURE_SYSTEM;
        strncpy(error->text, "There is no memory left for more connections.\n",
                sizeof error->text - 1);
        return -1;
    }
    if (session->called)
        called_before(session->called, packet.time_ns, session_event, session);
    session->packets++;
    session->newest_ns = frame->time_ns;
    event.packet = &packet;
    event.note = &note;
    session_event(session, &event);
    if (session->called)
        called_packet(session->called, &note);
    if (session->recorded)
        recorded_packet(session->recorded, &note);
    return 0;
}

/* What this thread has used of a processor, nanoseconds. */
static int64_t used(void)
{
    struct timespec time;

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) < 0)
        return 0;
    return time.tv_sec * CLOCK_SECOND + time.tv_nsec;
}

int session_look(struct session *session)
{
    int64_t before;
    int status;

    if (!session->sockets)
        return 0;
    session->look = 0;
    session->look_count = 0;
    before = used();
    status = sockets_look(session->sockets, session_event, session);
    session->look_cost_ns = used() - before;
    if (session->look != session->last_look)
        session->changed_ns = clock_now();
    session->last_look = session->look;
    return status;
}

/* Until the next look: the more the last one cost, the longer. */
static int64_t look_pause(const struct session *session, int64_t least_ms,
                          int64_t share)
{
    int64_t pause = session->look_cost_ns * share, most = LOOK_MOST_MS;

    if (least_ms == LOOK_MS && session->look_count <= FEW)
        most = LOOK_MOST_FEW_MS;
    if (pause < least_ms * CLOCK_MS)
        return least_ms * CLOCK_MS;
    return pause < most * CLOCK_MS ? pause : most * CLOCK_MS;
}

/* After a round that took so many frames; `behind`: more are waiting, so that
 * a look would tell of a time that the packets have not come to yet. A look
 * that fails once (no buffer for the answer) is simply made again. */
static void look_when_due(struct session *session, int taken, bool behind)
{
    int64_t now, soon, due = session->next_look_ns;

    if (!session->sockets)
        return;
    now = clock_now();
    soon = now + look_pause(session, LOOK_MS, LOOK_SHARE);
    if (taken > 0) {
        session->changed_ns = now;
        if (due > soon)
            due = session->next_look_ns = soon;
    }
    if (now < due || (behind && now < due + (int64_t)BEHIND_MS * CLOCK_MS))
        return;
    session_look(session);
    session->next_look_ns = now + look_pause(session, LOOK_MS, LOOK_SHARE);
    if (now - session->changed_ns > (int64_t)REST_MS * CLOCK_MS)
        session->next_look_ns = now + look_pause(session, LOOK_AT_REST_MS,
                                                 LOOK_SHARE_AT_REST);
}

int session_pump(struct session *session, int most, struct capture_error *error)
{
    struct frame frame;
    int taken = 0;

    while (session->capture && taken < most && !session->failed) {
        int status = capture_next(session->capture, &frame, &session->failure);

        if (status == 0)
            break;
        if (status < 0 || take_frame(session, &frame, &session->failure) < 0)
            session->failed = true;
        else
            taken++;
    }
    if (session->recorded && taken < most)
        recorded_rest(session->recorded, session_event, session);
    if (session->called && taken < most)
        called_rest(session->called, false, session_event, session);
    look_when_due(session, taken, taken == most);
    if (!session->failed || taken > 0)
        return taken;
    *error = session->failure;
    return -1;
}

int session_drain(struct session *session, int64_t stop_ns,
                  struct capture_error *error)
{
    struct pollfd ring = {.events = POLLIN};
    int taken = 0, got;

    if (!session->capture || capture_fd(session->capture) < 0)
        return 0;
    ring.fd = capture_fd(session->capture);
    for (;;) {
        got = session_pump(session, 1, error);
        if (got < 0)
            return -1;
        taken += got;
        if (got > 0 && session->newest_ns > stop_ns)
            break;
        if (got == 0 && poll(&ring, 1, QUIET_MS) <= 0)
            break;
    }
    if (session->called)
        called_rest(session->called, true, session_event, session);
    return taken;
}

int session_timeout(const struct session *session)
{
    int look = session->sockets ? clock_poll_ms(session->next_look_ns) : -1;
    int calls = session->called ? called_timeout(session->called) : -1;

    if (look < 0 || (calls >= 0 && calls < look))
        look = calls;
    if (session->capture && capture_wants_look(session->capture) &&
        (look < 0 || look > LOOK_AGAIN_MS))
        look = LOOK_AGAIN_MS;
    return look;
}
