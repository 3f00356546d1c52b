/* See observed.h. Only connections to watched ports are kept, so that a line
 * about one port costs little on a busy capture. */
#include "viz/events/observed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/events/facts.h"

enum { MOST_FLOWS = 16384 };

void observed_fini(struct observed *observed)
{
    free(observed->flows);
    samples_fini(&observed->samples);
    memset(observed, 0, sizeof *observed);
}

struct watched_port *observed_port(const struct observed *observed,
                                   uint8_t protocol, uint16_t port)
{
    for (size_t i = 0; i < observed->port_count; i++)
        if (observed->ports[i].protocol == protocol &&
            observed->ports[i].port == port)
            return (struct watched_port *)&observed->ports[i];
    return NULL;
}

int observed_watch(struct observed *observed, uint8_t protocol, uint16_t port)
{
    if (observed_port(observed, protocol, port))
        return 0;
    if (observed->port_count == OBSERVED_PORTS) {
        errno = ENOSPC;
        return -1;
    }
    observed->ports[observed->port_count++] = (struct watched_port){
        .protocol = protocol, .port = port};
    return 0;
}

/* bind("./echo.sock") and `listen unix echo.sock` are the same. */
static bool same_path(const char *a, const char *b)
{
    while (a[0] == '.' && a[1] == '/')
        a += 2;
    while (b[0] == '.' && b[1] == '/')
        b += 2;
    return strcmp(a, b) == 0;
}

int observed_watch_path(struct observed *observed, const char *path)
{
    for (size_t i = 0; i < observed->path_count; i++)
        if (same_path(observed->paths[i].path, path))
            return 0;
    if (observed->path_count == OBSERVED_PATHS) {
        errno = ENOSPC;
        return -1;
    }
    observed->paths[observed->path_count++] = (struct watched_path){
        .path = path};
    return 0;
}

void observed_open(struct observed *observed)
{
    for (size_t i = 0; i < observed->port_count; i++) {
        struct watched_port *port = &observed->ports[i];

        memset(port->bytes, 0, sizeof port->bytes);
        memset(port->datagrams, 0, sizeof port->datagrams);
        memset(port->lost, 0, sizeof port->lost);
        port->refused = port->outside = false;
    }
    for (int i = 0; i < 3; i++)
        observed->terminals[i] = (struct watched_terminal){
            .opened = observed->terminals[i].opened};
    observed->waits[0] = observed->waits[1] = WAIT_OTHER;
}

/* --- connections ----------------------------------------------------------- */

/* The place of the first connection not below this one. */
static size_t place(const struct observed *observed, uint32_t flow,
                    uint16_t port)
{
    size_t low = 0, high = observed->flow_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct watched *at = &observed->flows[middle];

        if (at->flow < flow || (at->flow == flow && at->port < port))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void count(struct watched_port *port, const struct watched *watched,
                  int step)
{
    size_t by = (size_t)step; /* -1 wraps round, and adds right */

    port->flows += by;
    port->in[0][watched->state[0]] += by;
    port->in[1][watched->state[1]] += by;
    if (watched->answered)
        port->answered += by;
    if (watched->state[0] == TCP_ESTABLISHED &&
        watched->state[1] == TCP_ESTABLISHED)
        port->established += by;
}

/* The oldest quarter, once there are too many. */
static void forget_oldest(struct observed *observed)
{
    size_t gone = observed->flow_count / 4;

    for (size_t i = 0; i < gone; i++) {
        struct watched *watched = &observed->flows[i];

        count(observed_port(observed, watched->protocol, watched->port),
              watched, -1);
    }
    observed->flow_count -= gone;
    memmove(observed->flows, observed->flows + gone,
            observed->flow_count * sizeof *observed->flows);
}

static struct watched *add(struct observed *observed,
                           const struct watched_port *port,
                           const struct flow *flow, bool flipped)
{
    struct watched *watched;
    size_t at;

    if (observed->flow_count == MOST_FLOWS)
        forget_oldest(observed);
    if (observed->flow_count == observed->flow_room) {
        size_t room = observed->flow_room ? observed->flow_room * 2 : 16;

        watched = realloc(observed->flows, room * sizeof *watched);
        if (!watched)
            return NULL;
        observed->flows = watched;
        observed->flow_room = room;
    }
    at = place(observed, flow->id, port->port);
    watched = &observed->flows[at];
    memmove(watched + 1, watched,
            (observed->flow_count - at) * sizeof *watched);
    observed->flow_count++;
    *watched = (struct watched){
        .flow = flow->id,
        .protocol = flow->protocol,
        .port = port->port,
        .end = {flow->end[flipped].at, flow->end[!flipped].at}};
    return watched;
}

static void enter(struct watched *watched, int side, enum tcp_state state)
{
    if (state != TCP_CLOSED)
        watched->waited[side] = false;
    else if (watched->state[side] == TCP_TIME_WAIT)
        watched->waited[side] = true;
    watched->state[side] = state;
}

/* Bring the connection's states up to date; NULL when memory is short. */
static struct watched *update(struct observed *observed,
                              struct watched_port *port,
                              const struct note *note, bool flipped)
{
    size_t at = place(observed, note->flow->id, port->port);
    enum tcp_state server = note->after[!flipped];
    struct watched *watched;

    if (at < observed->flow_count &&
        observed->flows[at].flow == note->flow->id &&
        observed->flows[at].port == port->port) {
        watched = &observed->flows[at];
        count(port, watched, -1);
    } else {
        watched = add(observed, port, note->flow, flipped);
        if (!watched)
            return NULL;
    }
    enter(watched, 0, note->after[flipped]);
    enter(watched, 1, server);
    if (watched->protocol == PROTO_UDP)
        watched->answered |= note->from == (enum flow_side) !flipped;
    else if (server != TCP_UNKNOWN && server != TCP_LISTEN &&
             server != TCP_CLOSED)
        watched->answered = true;
    count(port, watched, 1);
    return watched;
}

/* --- events ------------------------------------------------------------------- */

static void see_packet(struct observed *observed, const struct packet *packet,
                       const struct note *note, fact_sink_fn *sink, void *self)
{
    const struct flow *flow = note->flow;

    if (!flow)
        return;
    for (size_t i = 0; i < observed->port_count; i++) {
        struct watched_port *port = &observed->ports[i];
        bool server = flow->end[FLOW_SERVER].at.port == port->port;
        bool client = flow->midstream &&
                      flow->end[FLOW_CLIENT].at.port == port->port;
        struct sight sight = {.port = port,
                              .packet = packet,
                              .note = note,
                              .flipped = !server,
                              .sink = sink,
                              .self = self};

        if (port->protocol != flow->protocol || (!server && !client))
            continue;
        sight.watched = update(observed, port, note, sight.flipped);
        if (!sight.watched)
            continue;
        facts_of_packet(&sight);
    }
}

static void see_terminal(struct observed *observed, const struct event *event,
                         fact_sink_fn *sink, void *self)
{
    unsigned letter = (unsigned)event->terminal - 'A';
    struct watched_terminal *terminal;
    struct fact fact = {0};
    size_t length;

    if (letter > 2)
        return;
    terminal = &observed->terminals[letter];
    fact.source = (enum fact_source)(SOURCE_A + letter);
    switch (event->kind) {
    case EVENT_OPENED:
        terminal->opened = true;
        break;
    case EVENT_TYPED:
        terminal->typed = true;
        terminal->exited = false;
        break;
    case EVENT_PRINTED:
        length = strlen(event->text);
        fact.kind = FACT_PRINTED;
        fact.bytes = (const uint8_t *)event->text;
        fact.length_held = length;
        if (length >= sizeof terminal->last)
            length = sizeof terminal->last - 1;
        while (length > 0 && (event->text[length] & 0xc0) == 0x80)
            length--; /* no half character */
        memcpy(terminal->last, event->text, length);
        terminal->last[length] = '\0';
        sink(self, &fact);
        break;
    case EVENT_EXITED:
        terminal->exited = true;
        terminal->status = event->status;
        fact.kind = FACT_EXITED;
        fact.status = event->status;
        sink(self, &fact);
        break;
    default:
        break;
    }
}

static void see_wait(struct observed *observed, const struct event *event,
                     fact_sink_fn *sink, void *self)
{
    struct fact fact = {.kind = FACT_WAITS,
                        .side = event->side,
                        .port = event->port,
                        .call = event->call};

    observed->waits[event->side == FLOW_SERVER] = event->call;
    sink(self, &fact);
}

static void lose(struct watched_port *port, bool buffer, fact_sink_fn *sink,
                 void *self)
{
    struct fact fact = {.kind = FACT_LOST,
                        .source = SOURCE_KERNEL,
                        .protocol = port->protocol,
                        .port = port->port};

    port->lost[buffer]++;
    sink(self, &fact);
}

/* The receiver's end is as it was before the packet, which never came. */
static void see_taken_back(struct observed *observed, const struct flow *flow)
{
    struct note note = {.flow = (struct flow *)flow};

    for (int side = 0; side < 2; side++)
        note.after[side] = flow->end[side].state;
    for (size_t i = 0; i < observed->port_count; i++) {
        struct watched_port *port = &observed->ports[i];
        bool server = flow->end[FLOW_SERVER].at.port == port->port;

        if (port->protocol == flow->protocol && server)
            update(observed, port, &note, false);
    }
}

static void see_lost(struct observed *observed, const struct lost_packet *lost,
                     fact_sink_fn *sink, void *self)
{
    for (size_t i = 0; i < observed->port_count; i++) {
        struct watched_port *port = &observed->ports[i];

        if (port->protocol == lost->protocol &&
            (port->port == lost->source.port ||
             port->port == lost->destination.port))
            lose(port, false, sink, self);
    }
}

/* What a UDP socket's full buffer has lost since the last look. One that was
 * there before the first look has lost what it has before our time. */
static void see_drops(struct observed *observed,
                      const struct socket_sample *socket, fact_sink_fn *sink,
                      void *self)
{
    const struct socket_sample *before = samples_find(&observed->samples,
                                                      socket);
    struct watched_port *port = observed_port(observed, socket->protocol,
                                              socket->local.port);
    uint32_t old = before ? before->drops : 0;

    if (!port || socket->protocol != PROTO_UDP || socket->drops <= old ||
        (!before && !observed->looked))
        return;
    lose(port, true, sink, self);
    port->lost[1] += socket->drops - old - 1;
}

static void see_path(struct observed *observed, const char *path)
{
    for (size_t i = 0; i < observed->path_count; i++)
        if (same_path(observed->paths[i].path, path))
            observed->paths[i].seen = true;
}

static void end_look(struct observed *observed)
{
    observed->looked = true;
    for (size_t i = 0; i < observed->path_count; i++) {
        observed->paths[i].there = observed->paths[i].seen;
        observed->paths[i].seen = false;
    }
}

static uint16_t swapped(uint16_t port)
{
    return (uint16_t)(port << 8 | port >> 8);
}

/* Of interest: sockets at a watched port, and those that connect to it; also a
 * listener at the port with its bytes in the other order, for the reason. */
static bool relevant(const struct observed *observed,
                     const struct socket_sample *socket)
{
    for (size_t i = 0; i < observed->port_count; i++) {
        uint16_t port = observed->ports[i].port;

        if (observed->ports[i].protocol != socket->protocol)
            continue;
        if (socket->local.port == port || socket->remote.port == port ||
            socket->local.port == swapped(port))
            return true;
    }
    return false;
}

void observed_event(struct observed *observed, const struct event *event,
                    fact_sink_fn *sink, void *self)
{
    struct watched_port *port;

    switch (event->kind) {
    case EVENT_PACKET:
        see_packet(observed, event->packet, event->note, sink, self);
        break;
    case EVENT_SOCKET:
        see_drops(observed, &event->socket, sink, self);
        if (relevant(observed, &event->socket))
            samples_put(&observed->samples, &event->socket, event->time_ns);
        break;
    case EVENT_GONE:
        samples_remove(&observed->samples, &event->socket);
        break;
    case EVENT_LOOKED:
        end_look(observed);
        break;
    case EVENT_LOST:
        if (event->flow)
            see_taken_back(observed, event->flow);
        see_lost(observed, &event->lost, sink, self);
        break;
    case EVENT_UNIX:
        see_path(observed, event->path);
        break;
    case EVENT_CALL: /* no term of the language is about it */
        break;
    case EVENT_OUTSIDE:
        port = observed_port(observed, event->socket.protocol,
                             event->socket.local.port);
        if (port)
            port->outside = true;
        break;
    case EVENT_WAITS:
        see_wait(observed, event, sink, self);
        break;
    case EVENT_OPENED:
    case EVENT_TYPED:
    case EVENT_PRINTED:
    case EVENT_EXITED:
        see_terminal(observed, event, sink, self);
        break;
    }
}

/* --- what is --------------------------------------------------------------- */

bool observed_listens(const struct observed *observed, uint8_t protocol,
                      uint16_t number)
{
    const struct watched_port *port = observed_port(observed, protocol, number);
    struct endpoint any = {.port = number};

    if (observed->kernel)
        return samples_bound(&observed->samples, protocol, &any) != NULL;
    return port && port->answered > 0;
}

bool observed_listens_unix(const struct observed *observed, const char *path)
{
    for (size_t i = 0; i < observed->path_count; i++)
        if (same_path(observed->paths[i].path, path))
            return observed->paths[i].there;
    return false;
}

size_t observed_established(const struct observed *observed, uint16_t number)
{
    const struct watched_port *port = observed_port(observed, PROTO_TCP,
                                                    number);
    size_t sockets = 0;

    if (!observed->kernel)
        return port ? port->established : 0;
    for (size_t i = 0; i < observed->samples.count; i++) {
        const struct socket_sample *socket = &observed->samples.items[i].socket;

        if (socket->protocol == PROTO_TCP && socket->local.port == number &&
            socket->state == TCP_ESTABLISHED)
            sockets++;
    }
    return sockets;
}

bool observed_lasting(enum tcp_state state)
{
    return state == TCP_LISTEN || state == TCP_ESTABLISHED ||
           state == TCP_CLOSE_WAIT || state == TCP_FIN_WAIT2 ||
           state == TCP_TIME_WAIT;
}

/* Whether the wire knows the kernel's socket as an end in its state. After a
 * RST in TIME_WAIT the wire cannot know, so the kernel's word is enough. */
static bool wire_agrees(const struct observed *observed, uint16_t port,
                        enum flow_side side, const struct socket_sample *socket)
{
    for (size_t i = observed->flow_count; i-- > 0;) {
        const struct watched *watched = &observed->flows[i];

        if (watched->protocol == PROTO_TCP && watched->port == port &&
            (watched->state[side] == socket->state ||
             (watched->waited[side] && socket->state == TCP_TIME_WAIT)) &&
            samples_same_end(&watched->end[side], &socket->local) &&
            samples_same_end(&watched->end[!side], &socket->remote))
            return true;
    }
    return false;
}

bool observed_in_state(const struct observed *observed, uint16_t number,
                       enum flow_side side, enum tcp_state state)
{
    const struct watched_port *port = observed_port(observed, PROTO_TCP,
                                                    number);

    if (side == FLOW_SERVER && state == TCP_LISTEN &&
        observed_listens(observed, PROTO_TCP, number))
        return true;
    if (!port)
        return false;
    if (!observed->kernel || !observed_lasting(state))
        return port->in[side][state] > 0;
    for (size_t i = 0; i < observed->samples.count; i++) {
        const struct socket_sample *socket = &observed->samples.items[i].socket;
        const struct endpoint *at = side == FLOW_SERVER ? &socket->local
                                                        : &socket->remote;

        if (socket->protocol == PROTO_TCP && socket->state == state &&
            at->port == number && wire_agrees(observed, number, side, socket))
            return true;
    }
    return false;
}

const struct watched *observed_newest(const struct observed *observed,
                                      uint8_t protocol, uint16_t port)
{
    for (size_t i = observed->flow_count; i-- > 0;)
        if (observed->flows[i].protocol == protocol &&
            observed->flows[i].port == port)
            return &observed->flows[i];
    return NULL;
}
