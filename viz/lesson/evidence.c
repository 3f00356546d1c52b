/* See evidence.h. */
#include "viz/lesson/evidence.h"

#include <stdio.h>
#include <string.h>

#include "viz/decode/decode.h"

enum { ENDPOINT = 64, QUOTED = 40 };

/* The first bytes of a payload as a C string literal would show them. */
static void quote(const struct packet *packet, char *text, size_t size)
{
    size_t n = packet->payload_captured, used = 0;

    text[0] = '\0';
    if (n == 0 || !packet->payload)
        return;
    if (n > QUOTED)
        n = QUOTED;
    used += (size_t)snprintf(text, size, " \"");
    for (size_t i = 0; i < n && used + 6 < size; i++) {
        unsigned char c = packet->payload[i];
        const char *mark = c ? strchr("\nn\rr\tt", c) : NULL;

        if (c < ' ' && mark)
            used += (size_t)snprintf(text + used, size - used, "\\%c", mark[1]);
        else if (c < ' ' || c > '~')
            used += (size_t)snprintf(text + used, size - used, "\\x%02x", c);
        else
            text[used++] = (char)c;
    }
    snprintf(text + used, size - used, "%s",
             n < packet->payload_length ? "...\"" : "\"");
}

/* "; client TIME_WAIT, server CLOSED" for the ends that this packet moved. */
static void moves(const struct note *note, char *text, size_t size)
{
    static const char *const names[] = {"client", "server"};
    size_t used = 0;

    text[0] = '\0';
    if (!note || !note->flow || note->flow->protocol != PROTO_TCP)
        return;
    for (int side = 0; side < 2; side++) {
        if (note->before[side] == note->after[side] || used >= size)
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s %s %s",
                                 used ? "," : ";", names[side],
                                 tcp_state_name(note->after[side]));
    }
}

static void packet_evidence(const struct event *event, char *text, size_t size)
{
    const struct packet *packet = event->packet;
    char from[ENDPOINT], to[ENDPOINT], what[64] = "", data[QUOTED * 4 + 8];
    char moved[80];

    endpoint_text(&packet->source, from, sizeof from);
    endpoint_text(&packet->destination, to, sizeof to);
    if (packet->protocol == PROTO_TCP)
        tcp_flags_text(packet->tcp.flags, what, sizeof what);
    else if (packet->protocol == PROTO_UDP)
        snprintf(what, sizeof what, "UDP");
    else
        snprintf(what, sizeof what, "ICMP");
    quote(packet, data, sizeof data);
    moves(event->note, moved, sizeof moved);
    if (packet->payload_length)
        snprintf(text, size, "packet %llu: %s > %s %s, %u byte%s%s%s",
                 (unsigned long long)packet->number, from, to, what,
                 packet->payload_length, packet->payload_length == 1 ? "" : "s",
                 data, moved);
    else
        snprintf(text, size, "packet %llu: %s > %s %s%s",
                 (unsigned long long)packet->number, from, to, what, moved);
}

static void socket_evidence(const struct event *event, char *text, size_t size)
{
    const struct socket_sample *socket = &event->socket;
    char local[ENDPOINT], remote[ENDPOINT];
    const char *state = socket->protocol == PROTO_UDP
                            ? "udp"
                            : tcp_state_name(socket->state);

    endpoint_text(&socket->local, local, sizeof local);
    endpoint_text(&socket->remote, remote, sizeof remote);
    if (event->kind == EVENT_GONE)
        snprintf(text, size, "the kernel has no longer: %s %s", local,
                 socket->remote.port ? remote : "");
    else if (socket->remote.port)
        snprintf(text, size, "the kernel has: %s %s to %s", state, local,
                 remote);
    else
        snprintf(text, size, "the kernel has: %s %s", state, local);
}

static void lost_evidence(const struct lost_packet *lost, char *text,
                          size_t size)
{
    char from[ENDPOINT], to[ENDPOINT];

    snprintf(text, size, "the wire lost: %s > %s %s, %u byte%s",
             endpoint_text(&lost->source, from, sizeof from),
             endpoint_text(&lost->destination, to, sizeof to),
             lost->protocol == PROTO_UDP ? "UDP" : "TCP", lost->length,
             lost->length == 1 ? "" : "s");
}

char *evidence_text(const struct event *event, char *text, size_t size)
{
    text[0] = '\0';
    switch (event->kind) {
    case EVENT_PACKET:
        packet_evidence(event, text, size);
        break;
    case EVENT_SOCKET:
    case EVENT_GONE:
    case EVENT_OUTSIDE:
        socket_evidence(event, text, size);
        break;
    case EVENT_OPENED:
        snprintf(text, size, "terminal %c is open", event->terminal);
        break;
    case EVENT_TYPED:
        snprintf(text, size, "%c: $ %s", event->terminal, event->text);
        break;
    case EVENT_PRINTED:
        snprintf(text, size, "terminal %c shows: %s", event->terminal,
                 event->text);
        break;
    case EVENT_EXITED:
        snprintf(text, size, "terminal %c: the command ended, status %d",
                 event->terminal, event->status);
        break;
    case EVENT_LOOKED:
    case EVENT_CALL:
        break;
    case EVENT_LOST:
        lost_evidence(&event->lost, text, size);
        break;
    case EVENT_UNIX:
        snprintf(text, size, "the kernel has: unix %s", event->path);
        break;
    case EVENT_WAITS:
        snprintf(text, size, "/proc: the %s is inside %s()",
                 event->side == FLOW_SERVER ? "server" : "client",
                 wait_call_name(event->call));
        break;
    }
    return text;
}
