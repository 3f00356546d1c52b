/* See wire.h. */
#include "tests/grader/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "viz/capture/capture.h"
#include "viz/decode/decode.h"
#include "viz/track/track.h"

enum {
    MOST_FLOWS = 4096,
    MOST_PACKETS = 400000, /* then the rest is not kept: a flood */
    AT_ONCE = 512          /* packets a drain */
};

/* When each end did what, for the one line of a message; 0: never. */
struct wire_flow {
    uint16_t client_port;
    bool established;
    int64_t fin[2], reset[2], data[2]; /* by enum flow_side; data: the last */
    uint64_t bytes[2];
};

struct wire {
    struct capture *capture;
    struct track *track;
    struct wire_flow *flow; /* by flow id */
    size_t flows;
    uint64_t packets;
};

struct wire *wire_open(const char *path, char *why, size_t size)
{
    struct wire *wire = calloc(1, sizeof *wire);
    struct capture_error error = {0};

    if (!wire)
        return NULL;
    wire->capture = capture_open_live("lo", 0, NULL, &error);
    if (!wire->capture || capture_keep(wire->capture, path, &error) < 0) {
        snprintf(why, size, "%s", error.text);
        wire_close(wire);
        return NULL;
    }
    wire->track = track_new(MOST_FLOWS);
    wire->flow = calloc(MOST_FLOWS, sizeof *wire->flow);
    if (!wire->track || !wire->flow) {
        snprintf(why, size, "out of memory");
        wire_close(wire);
        return NULL;
    }
    return wire;
}

void wire_close(struct wire *wire)
{
    if (!wire)
        return;
    if (wire->capture)
        capture_close(wire->capture);
    if (wire->track)
        track_free(wire->track);
    free(wire->flow);
    free(wire);
}

int wire_fd(const struct wire *wire)
{
    return wire ? capture_fd(wire->capture) : -1;
}

static void remember(struct wire *wire, const struct packet *packet,
                     const struct note *note)
{
    const struct flow *flow = note->flow;
    const enum flow_side from = note->from;
    struct wire_flow *seen;

    if (!flow || flow->protocol != PROTO_TCP || flow->id >= MOST_FLOWS)
        return;
    seen = &wire->flow[flow->id];
    if (flow->id >= wire->flows)
        wire->flows = flow->id + 1;
    seen->client_port = flow->end[FLOW_CLIENT].at.port;
    seen->established |= note->handshake_done;
    seen->bytes[FLOW_CLIENT] = flow->end[FLOW_CLIENT].bytes;
    seen->bytes[FLOW_SERVER] = flow->end[FLOW_SERVER].bytes;
    if (packet->payload_length)
        seen->data[from] = packet->time_ns;
    if (packet->tcp.flags & TCP_FIN && !seen->fin[from])
        seen->fin[from] = packet->time_ns;
    if (packet->tcp.flags & TCP_RST && !seen->reset[from])
        seen->reset[from] = packet->time_ns;
}

void wire_drain(struct wire *wire)
{
    struct capture_error error;
    struct frame frame;

    for (int i = 0; wire && i < AT_ONCE; i++) {
        struct packet packet = {0};
        struct note note;

        if (wire->packets >= MOST_PACKETS ||
            capture_next(wire->capture, &frame, &error) != 1)
            return;
        packet.number = ++wire->packets;
        packet.time_ns = frame.time_ns;
        packet.length = frame.length;
        decode_packet(capture_link(wire->capture), frame.bytes, frame.captured,
                      &packet);
        if (track_feed(wire->track, &packet, &note) == 0)
            remember(wire, &packet, &note);
    }
}

static const struct wire_flow *find(const struct wire *wire, uint16_t client)
{
    for (size_t i = wire->flows; i-- > 0;) /* the newest: ports come again */
        if (wire->flow[i].client_port == client)
            return &wire->flow[i];
    return NULL;
}

static double after(int64_t first, int64_t second)
{
    return (double)(second - first) / (double)CLOCK_SECOND;
}

static void describe_end(const struct wire_flow *f, struct lines *lines)
{
    const int c = FLOW_CLIENT, s = FLOW_SERVER;
    int64_t from = f->fin[c] ? f->fin[c] : f->reset[c];
    const char *what = f->fin[c] ? "FIN" : "RST";

    if (f->reset[s] && f->reset[s] >= from)
        lines_add(lines, "client %s -> server RST after %.4f s", what,
                  after(from, f->reset[s]));
    else if (f->fin[s] && f->fin[s] < from)
        lines_add(lines, "server FIN -> client %s after %.4f s", what,
                  after(f->fin[s], from));
    else if (f->fin[s])
        lines_add(lines, "client %s -> server FIN after %.4f s", what,
                  after(from, f->fin[s]));
    else if (f->reset[c])
        lines_add(lines, "client RST -> the connection is gone");
    else
        lines_add(lines, "client FIN -> server ACK, and never a server FIN");
}

void wire_describe(const struct wire *wire, uint16_t client,
                   struct lines *lines)
{
    const struct wire_flow *f = wire ? find(wire, client) : NULL;

    if (!f)
        return;
    if (!f->established && f->reset[FLOW_SERVER]) {
        lines_add(lines, "client SYN -> server RST: refused");
        return;
    }
    if (!f->established) {
        lines_add(lines, "client SYN -> no answer");
        return;
    }
    if (f->fin[FLOW_CLIENT] || f->reset[FLOW_CLIENT])
        describe_end(f, lines);
    else if (f->reset[FLOW_SERVER])
        lines_add(lines, "server RST, before the client's FIN");
    else if (f->fin[FLOW_SERVER])
        lines_add(lines, "server FIN, before the client's");
    else
        lines_add(lines, "open: neither end has sent FIN");
    lines_add(lines, "%" PRIu64 " bytes to the server, %" PRIu64 " back",
              f->bytes[FLOW_CLIENT], f->bytes[FLOW_SERVER]);
}
