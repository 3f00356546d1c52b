/* See observed.h. The connections are in watched.c. */
#include "viz/events/observed.h"

#include <errno.h>
#include <string.h>

#include "viz/events/facts.h"

void observed_fini(struct observed *observed)
{
    watched_fini(&observed->connections);
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
        sight.watched = watched_update(&observed->connections, port, note,
                                       sight.flipped);
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
            watched_update(&observed->connections, port, &note, false);
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
            at->port == number &&
            watched_agrees(&observed->connections, port, side, socket))
            return true;
    }
    return false;
}

const struct watched *observed_newest(const struct observed *observed,
                                      uint8_t protocol, uint16_t number)
{
    const struct watched_port *port = observed_port(observed, protocol, number);

    return port ? watched_newest(&observed->connections, port) : NULL;
}
