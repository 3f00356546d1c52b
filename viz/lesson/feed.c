/* See feed.h. */
#include "viz/lesson/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "viz/decode/decode.h"
#include "viz/kernel/owners.h"

enum {
    PUMP_MOST = 512, /* packets at a time, so that keys are heard */
    WAITS_EVERY = 50 * CLOCK_MS,
    OUTSIDE_EVERY = 1000 * CLOCK_MS,
    THREADS_MOST = 64,
    OWNERS_MOST = 8,
    PORTS_FIRST = 7000, /* those of the lessons */
    PORTS_LAST = 7099,
    /* A replay for eyes: pauses between what can be seen, at least and at
     * most, whatever the recording had. */
    PAUSE_LEAST = 120 * CLOCK_MS,
    PAUSE_MOST = 700 * CLOCK_MS
};

/* --- events ------------------------------------------------------------ */

/* A number that is the same after two looks that found the same. */
static uint64_t sample_mark(const struct event *event)
{
    const struct socket_sample *socket = &event->socket;
    uint64_t mark = socket->cookie * UINT64_C(0x9e3779b97f4a7c15);

    mark ^= (uint64_t)socket->state << 56 ^ (uint64_t)socket->receive_queue;
    mark ^= (uint64_t)socket->send_queue << 28 ^ (socket->inode == 0);
    return mark * UINT64_C(0xff51afd7ed558ccd) + 1;
}

void feed_event(void *self, const struct event *event)
{
    struct feed *feed = self;

    if (feed->record)
        record_event(feed->record, event);
    store_event(feed->store, event);
    player_event(feed->player, event);
    if (event->kind == EVENT_SOCKET)
        feed->looking += sample_mark(event);
    if (event->kind == EVENT_LOOKED) {
        if (feed->looking != feed->kernel)
            feed->player->changes++;
        feed->kernel = feed->looking;
        feed->looking = 0;
    }
    if (event->kind == EVENT_PACKET || event->kind == EVENT_PRINTED ||
        event->kind == EVENT_CALL || event->kind == EVENT_LOST)
        feed->player->changes++;
    if (feed->also)
        feed->also(feed->also_self, event);
}

static int feed_init(struct feed *feed, struct player *player,
                     struct capture *capture, struct sockets *sockets)
{
    feed->player = player;
    feed->store = store_new(0);
    if (session_init(&feed->session, capture, sockets) < 0)
        return -1;
    if (!feed->store) {
        errno = ENOMEM;
        return -1;
    }
    return session_add_sink(&feed->session, feed_event, feed);
}

int feed_live(struct feed *feed, struct player *player, struct keeper *keeper,
              struct capture *capture, struct sockets *sockets,
              struct sockets *outside, uint16_t port)
{
    memset(feed, 0, sizeof *feed);
    feed->keeper = keeper;
    feed->outside = outside;
    feed->port = port;
    if (feed_init(feed, player, capture, sockets) == 0)
        return 0;
    feed_fini(feed);
    return -1;
}

int feed_replay(struct feed *feed, struct player *player, struct replay *replay,
                enum feed_pace pace)
{
    memset(feed, 0, sizeof *feed);
    feed->replay = replay;
    feed->pace = pace;
    feed->flows = calloc(1, sizeof *feed->flows);
    if (!feed->flows)
        errno = ENOMEM;
    else if (feed_init(feed, player, NULL, NULL) == 0)
        return 0;
    feed_fini(feed);
    return -1;
}

void feed_fini(struct feed *feed)
{
    int saved = errno;

    session_fini(&feed->session);
    store_free(feed->store);
    free(feed->flows);
    if (feed->outside)
        sockets_close(feed->outside);
    if (feed->record)
        record_close(feed->record, false);
    replay_close(feed->replay);
    memset(feed, 0, sizeof *feed);
    errno = saved;
}

void feed_calls(struct feed *feed, struct call_feed *calls)
{
    feed->session.called = called_new(calls);
}

/* --- live -------------------------------------------------------------- */

/* A listener, when the line names no port: the lesson's own before one at the
 * lessons' other ports, and these before any, for on the machine's loopback
 * there are listeners of others. */
static uint16_t any_listener(const struct feed *feed)
{
    uint16_t found = 0;
    bool found_ours = false;

    for (size_t i = 0; i < store_sockets(feed->store); i++) {
        const struct socket_sample *socket = store_socket(feed->store, i);
        uint16_t port = socket->local.port;
        bool ours = port >= PORTS_FIRST && port <= PORTS_LAST;

        if (socket->protocol != PROTO_TCP || socket->state != TCP_LISTEN)
            continue;
        if (port == feed->port)
            return port;
        if (found == 0 || (ours && !found_ours)) {
            found = port;
            found_ours = ours;
        }
    }
    return found ? found : feed->port;
}

/* Whether a socket is that end of a connection to `port`, or its listener. */
static bool is_end(const struct socket_sample *socket, enum flow_side side,
                   uint16_t port)
{
    if (socket->inode == 0 || socket->protocol != PROTO_TCP)
        return false;
    return side == FLOW_SERVER ? socket->local.port == port
                               : socket->remote.port == port;
}

/* The processes that hold such sockets, each once: a server that forks has
 * several. */
static int owners_of(const struct feed *feed, enum flow_side side,
                     uint16_t port, int pids[OWNERS_MOST])
{
    int count = 0;

    for (size_t i = 0; i < store_sockets(feed->store); i++) {
        const struct socket_sample *socket = store_socket(feed->store, i);
        int pid, n = 0;

        if (!is_end(socket, side, port))
            continue;
        pid = owners_ask(socket->inode);
        while (n < count && pids[n] != pid)
            n++;
        if (pid > 0 && n == count)
            pids[count++] = pid;
        if (count == OWNERS_MOST)
            break;
    }
    return count;
}

static void tell_waits(struct feed *feed, int pid, struct event *event)
{
    struct wait_info threads[THREADS_MOST];
    int count = keeper_waits(feed->keeper, pid, threads, THREADS_MOST);

    for (int i = 0; i < count && i < THREADS_MOST; i++) {
        if (threads[i].running)
            continue;
        event->time_ns = clock_wall();
        event->call = threads[i].call;
        feed_event(feed, event);
    }
}

/* In which calls the server's (or client's) threads are, while a line of the
 * open step wants to know. */
static void look_at_waits(struct feed *feed)
{
    const struct step *step = player_heard(feed->player);
    struct event event = {.kind = EVENT_WAITS};
    int pids[OWNERS_MOST], count;

    if (!step->expect || !feed->keeper || clock_now() < feed->waits_ns ||
        !expect_wants_waits(step->expect, &event.side, &event.port))
        return;
    feed->waits_ns = clock_now() + WAITS_EVERY;
    if (event.port == 0)
        event.port = any_listener(feed);
    count = owners_of(feed, event.side, event.port, pids);
    for (int i = 0; i < count; i++)
        tell_waits(feed, pids[i], &event);
}

/* A server that runs, but where nobody here can reach it. */
static void look_outside(struct feed *feed)
{
    struct event event = {.kind = EVENT_OUTSIDE};

    if (!feed->outside || feed->port == 0 || clock_now() < feed->outside_ns)
        return;
    feed->outside_ns = clock_now() + OUTSIDE_EVERY;
    if (sockets_listener(feed->outside, PROTO_TCP, feed->port, &event.socket) ==
            0 ||
        event.socket.uid != getuid())
        return; /* none, or another user's on a shared machine */
    event.time_ns = clock_wall();
    feed_event(feed, &event);
}

/* --- replay ------------------------------------------------------------ */

static void give_packet(struct feed *feed, const struct replay_item *item)
{
    struct packet packet = {.number = feed->session.packets + 1,
                            .time_ns = item->time_ns,
                            .length = item->length};
    struct note note;
    struct event event = {.kind = EVENT_PACKET, .time_ns = item->time_ns};

    decode_packet(replay_link(feed->replay), item->bytes, item->captured,
                  &packet);
    if (track_feed(feed->session.track, &packet, &note) < 0)
        return;
    feed->session.packets++;
    event.packet = &packet;
    event.note = &note;
    session_event(&feed->session, &event);
    call_flows_packet(feed->flows, &note);
}

static void give_event(struct feed *feed, const struct replay_item *item)
{
    struct event event = item->event;

    if (event.kind == EVENT_CALL)
        call_flows_find(feed->flows, &event.made);
    session_event(&feed->session, &event);
}

static void give_item(struct feed *feed)
{
    const struct replay_item *item = replay_item(feed->replay,
                                                 feed->replayed++);

    if (item->is_packet)
        give_packet(feed, item);
    else
        give_event(feed, item);
}

/* The next item, if it belongs to `step` or one before it. */
static const struct replay_item *next_item(const struct feed *feed, size_t step)
{
    const struct replay_item *item = replay_item(feed->replay, feed->replayed);

    return item && item->step <= step ? item : NULL;
}

/* All items up to the end of `step`, at once. */
static void give_rest(struct feed *feed, size_t step)
{
    while (next_item(feed, step))
        give_item(feed);
}

static bool can_be_seen(const struct replay_item *item)
{
    return item->is_packet || item->event.kind == EVENT_PRINTED ||
           item->event.kind == EVENT_TYPED || item->event.kind == EVENT_OPENED;
}

static int pump_replay(struct feed *feed)
{
    uint64_t before = feed->session.packets;
    const struct replay_item *item, *next;

    if (feed->pace == FEED_AT_ONCE)
        give_rest(feed, feed->player->at);
    while (feed->due_ns <= clock_now() &&
           (item = next_item(feed, feed->player->at))) {
        int64_t pause = 0;

        give_item(feed);
        next = next_item(feed, feed->player->at);
        if (!next || !can_be_seen(next))
            continue;
        pause = next->time_ns - item->time_ns;
        pause = pause < PAUSE_LEAST  ? PAUSE_LEAST
                : pause > PAUSE_MOST ? PAUSE_MOST
                                     : pause;
        feed->due_ns = clock_now() + pause;
    }
    return (int)(feed->session.packets - before);
}

/* As if the lesson had been opened anew and played to where the open step
 * begins: one path to a step, whichever way one came. */
static void rewind_to_step(struct feed *feed)
{
    struct player *player = feed->player;
    struct store *store = store_new(0);
    size_t at = player->at;

    if (!store)
        return; /* then the old picture stays */
    store_free(feed->store);
    feed->store = store;
    session_fini(&feed->session);
    feed->replayed = 0;
    memset(feed->flows, 0, sizeof *feed->flows);
    if (session_init(&feed->session, NULL, NULL) < 0 ||
        session_add_sink(&feed->session, feed_event, feed) < 0 ||
        player_forget(player) < 0)
        return;
    if (at > 0) {
        player->quiet = true; /* what came before ticks nothing now */
        give_rest(feed, at - 1);
        player->quiet = false;
    }
    feed->due_ns = clock_now() + PAUSE_LEAST;
}

/* --- both -------------------------------------------------------------- */

static bool wants_unix(const struct feed *feed)
{
    const struct step *step = player_step(feed->player);

    return step->expect && expect_wants_unix(step->expect);
}

int feed_pump(struct feed *feed, struct capture_error *error)
{
    int packets;

    error->kind = CAPTURE_FINE;
    if (feed->replay)
        return pump_replay(feed);
    if (feed->session.sockets)
        sockets_also_unix(feed->session.sockets, wants_unix(feed));
    packets = session_pump(&feed->session, PUMP_MOST, error);
    if (packets < 0)
        return -1;
    if (feed->keeper)
        keeper_shells(feed->keeper, session_event, &feed->session);
    look_at_waits(feed);
    look_outside(feed);
    return packets;
}

int feed_fds(const struct feed *feed, struct pollfd fds[FEED_FDS])
{
    int count = 0;

    if (feed->session.capture)
        fds[count++] = (struct pollfd){.fd = capture_fd(feed->session.capture),
                                       .events = POLLIN};
    if (feed->keeper && keeper_shells_fd(feed->keeper) >= 0)
        fds[count++] = (struct pollfd){.fd = keeper_shells_fd(feed->keeper),
                                       .events = POLLIN};
    return count;
}

int feed_timeout(const struct feed *feed)
{
    const struct step *step = player_heard(feed->player);
    enum flow_side side;
    uint16_t port;
    int wait;

    if (feed->replay)
        return feed_at_end(feed) ? -1 : clock_poll_ms(feed->due_ns);
    wait = session_timeout(&feed->session);
    if (step->expect && !step->done &&
        expect_wants_waits(step->expect, &side, &port)) {
        int soon = clock_poll_ms(feed->waits_ns);

        if (wait < 0 || soon < wait)
            wait = soon;
    }
    return wait;
}

bool feed_at_end(const struct feed *feed)
{
    return feed->replay && !next_item(feed, feed->player->at);
}

int feed_wire(struct feed *feed)
{
    const struct step *step = player_step(feed->player);
    const struct document *document = feed->player->document;
    struct loss loss = wire_at(document, step->last);
    bool anew = loss.lost != feed->loss.lost || loss.of != feed->loss.of;

    for (size_t i = step->first; i < step->last; i++)
        anew |= document->blocks[i].kind == BLOCK_WIRE;
    feed->wire_why[0] = '\0';
    feed->loss = loss;
    if (!anew || feed->replay || !feed->keeper)
        return 0;
    return keeper_loss(feed->keeper, &loss, feed->wire_why,
                       sizeof feed->wire_why);
}

bool feed_next(struct feed *feed)
{
    if (feed->replay)
        give_rest(feed, feed->player->at);
    if (!player_next(feed->player))
        return false;
    if (feed->record)
        record_step(feed->record, feed->player->at, clock_wall());
    feed->due_ns = clock_now() + PAUSE_LEAST;
    feed_wire(feed);
    return true;
}

bool feed_back(struct feed *feed)
{
    if (!player_back(feed->player))
        return false;
    if (feed->replay)
        feed_resume(feed);
    feed_wire(feed);
    return true;
}

void feed_again(struct feed *feed)
{
    if (feed->replay)
        rewind_to_step(feed);
    feed_wire(feed);
    player_again(feed->player);
}

void feed_resume(struct feed *feed)
{
    feed_wire(feed);
    if (!feed->replay)
        return;
    rewind_to_step(feed);
    if (!player_step(feed->player)->done)
        player_again(feed->player);
}
