/* See stream.h. Sequence numbers are raw, and compared as serial numbers: a
 * connection may say more than 4 GB. */
#include "viz/events/stream.h"

#include <stdlib.h>
#include <string.h>

#include "viz/track/serial.h"

static void tell(const struct stream *stream, enum piece_kind kind,
                 enum flow_side from, int64_t time_ns, uint32_t length)
{
    const struct piece piece = {
        .kind = kind, .from = from, .time_ns = time_ns, .length = length};

    stream->piece(stream->self, &piece);
}

/* `length` bytes that were said, `kept` of them at `bytes`; but for the first
 * `skip`, which have been told. */
static void tell_bytes(const struct stream *stream, enum flow_side from,
                       int64_t time_ns, uint32_t length, const uint8_t *bytes,
                       uint32_t kept, uint32_t skip)
{
    if (kept > length)
        kept = length;
    if (kept > skip) {
        const struct piece piece = {.kind = PIECE_BYTES,
                                    .from = from,
                                    .time_ns = time_ns,
                                    .length = kept - skip,
                                    .bytes = bytes + skip};

        stream->piece(stream->self, &piece);
        skip = kept;
    }
    if (length > skip)
        tell(stream, PIECE_CUT, from, time_ns, length - skip);
}

void stream_init(struct stream *stream, piece_fn *piece, void *self)
{
    memset(stream, 0, sizeof *stream);
    stream->piece = piece;
    stream->self = self;
}

/* --- what waits -------------------------------------------------------------- */

static void drop_first(struct stream_half *half)
{
    half->held_bytes -= half->held[0].kept;
    free(half->held[0].bytes);
    half->held_count--;
    memmove(half->held, half->held + 1,
            half->held_count * sizeof half->held[0]);
}

/* What has nothing missing before it any more. */
static void release(struct stream *stream, enum flow_side from, int64_t time_ns)
{
    struct stream_half *half = &stream->half[from];

    while (half->held_count > 0 && !seq_after(half->held[0].seq, half->next)) {
        const struct stream_held *held = &half->held[0];
        uint32_t told = half->next - held->seq;

        if (told < held->length) {
            tell_bytes(stream, from, held->time_ns, held->length, held->bytes,
                       held->kept, told);
            half->next = held->seq + held->length;
        }
        drop_first(half);
    }
    if (half->has_fin && !half->told_fin && half->next == half->fin) {
        half->told_fin = true;
        half->next++;
        tell(stream, PIECE_FIN, from, time_ns, 0);
    }
}

/* All up to `seq` was said, also what was not captured. */
static void pass(struct stream *stream, enum flow_side from, uint32_t seq,
                 int64_t time_ns)
{
    struct stream_half *half = &stream->half[from];

    release(stream, from, time_ns);
    while (seq_after(seq, half->next)) {
        uint32_t to = seq;

        if (half->held_count > 0 && seq_after(to, half->held[0].seq))
            to = half->held[0].seq;
        if (half->has_fin && seq_after(half->fin, half->next) &&
            seq_after(to, half->fin))
            to = half->fin;
        tell(stream, PIECE_GAP, from, time_ns, to - half->next);
        half->next = to;
        release(stream, from, time_ns);
    }
}

static void hold(struct stream *stream, enum flow_side from,
                 const struct packet *packet, uint32_t seq)
{
    struct stream_half *half = &stream->half[from];
    struct stream_held held = {.seq = seq,
                               .length = packet->payload_length,
                               .time_ns = packet->time_ns};
    size_t at;

    while (half->held_count == STREAM_HELD ||
           (half->held_count > 0 &&
            half->held_bytes + packet->payload_captured > STREAM_HELD_BYTES))
        pass(stream, from, half->held[0].seq, packet->time_ns);
    if (packet->payload_captured > 0)
        held.bytes = malloc(packet->payload_captured);
    if (held.bytes) { /* else it is as if it had not been kept */
        held.kept = packet->payload_captured;
        memcpy(held.bytes, packet->payload, held.kept);
    }
    at = half->held_count++;
    while (at > 0 && seq_before(seq, half->held[at - 1].seq)) {
        half->held[at] = half->held[at - 1];
        at--;
    }
    half->held[at] = held;
    half->held_bytes += held.kept;
    release(stream, from, packet->time_ns);
}

/* --- packets ------------------------------------------------------------------ */

/* The segment's payload, which begins at `seq`. */
static void take(struct stream *stream, const struct packet *packet,
                 const struct note *note, uint32_t seq)
{
    struct stream_half *half = &stream->half[note->from];
    uint32_t length = packet->payload_length;
    int32_t ahead = seq_from(seq, half->next);

    if (ahead > 0) {
        hold(stream, note->from, packet, seq);
    } else if (ahead + (int64_t)length > 0) {
        tell_bytes(stream, note->from, packet->time_ns, length, packet->payload,
                   packet->payload_captured, (uint32_t)-ahead);
        half->next = seq + length;
        release(stream, note->from, packet->time_ns);
    } else if (note_again(note)) {
        tell(stream, PIECE_AGAIN, note->from, packet->time_ns, length);
    }
}

static void tcp_packet(struct stream *stream, const struct packet *packet,
                       const struct note *note)
{
    enum flow_side other = note->from == FLOW_CLIENT ? FLOW_SERVER
                                                     : FLOW_CLIENT;
    struct stream_half *half = &stream->half[note->from];
    uint8_t flags = packet->tcp.flags;
    uint32_t seq = packet->tcp.seq + ((flags & TCP_SYN) != 0);
    uint32_t length = packet->payload_length;

    if (!half->begun && (flags & TCP_SYN || length > 0)) {
        half->begun = true;
        half->next = seq;
    }
    if (flags & TCP_ACK && !(flags & TCP_RST) && stream->half[other].begun)
        pass(stream, other, packet->tcp.ack, packet->time_ns);
    if (length > 0)
        take(stream, packet, note, seq);
    if (flags & TCP_FIN && half->begun && !half->has_fin) {
        half->has_fin = true;
        half->fin = seq + length;
        release(stream, note->from, packet->time_ns);
    }
    if (flags & TCP_RST)
        tell(stream, PIECE_RESET, note->from, packet->time_ns, 0);
}

void stream_packet(struct stream *stream, const struct packet *packet,
                   const struct note *note, bool lost)
{
    if (!packet->has_transport || !note->flow ||
        packet->protocol != note->flow->protocol)
        return; /* an ICMP error about it */
    if (packet->protocol == PROTO_TCP)
        tcp_packet(stream, packet, note);
    else if (packet->payload_length > 0)
        tell_bytes(stream, note->from, packet->time_ns, packet->payload_length,
                   packet->payload, packet->payload_captured, 0);
    else
        tell(stream, PIECE_BYTES, note->from, packet->time_ns, 0);
    if (lost && packet->payload_length > 0)
        tell(stream, PIECE_LOST, note->from, packet->time_ns,
             packet->payload_length);
}

void stream_end(struct stream *stream)
{
    for (int side = 0; side < 2; side++) {
        struct stream_half *half = &stream->half[side];

        while (half->held_count > 0)
            pass(stream, (enum flow_side)side, half->held[0].seq,
                 half->held[0].time_ns);
    }
}

void stream_fini(struct stream *stream)
{
    for (int side = 0; side < 2; side++)
        while (stream->half[side].held_count > 0)
            drop_first(&stream->half[side]);
}
