/*
 * One TCP segment on its way through track: who sent it, and what the parts
 * of track (verdicts, sequence numbers, states) need of both ends.
 */
#ifndef VIZ_TRACK_SEGMENT_H
#define VIZ_TRACK_SEGMENT_H

#include "viz/track/table.h"

/* `sender` and `receiver` are the same when a socket has connected to itself
 * (RFC 9293 allows it: a simultaneous open with one end). */
struct segment {
    struct tracked *tracked;
    struct hole_pool *holes;
    const struct packet *packet;
    struct note *note;
    struct flow_end *sender, *receiver;
    struct memory *sent, *received; /* the memory of sender and receiver */
    enum flow_side from;
    uint32_t
        payload;    /* bytes of data; 0 for RST, where they are but a reason */
    uint32_t end;   /* sequence number behind data, SYN and FIN */
    bool plausible; /* within any window of what is known; else it moves
                         nothing */
    bool new_fin;   /* a FIN not seen before */
    bool again;     /* a retransmission */
    bool probe;     /* a keep-alive or window probe: carries nothing new */
};

static inline bool has_flags(const struct segment *segment, uint8_t flags)
{
    return (segment->packet->tcp.flags & flags) == flags;
}

static inline bool has_any_flag(const struct segment *segment, uint8_t flags)
{
    return (segment->packet->tcp.flags & flags) != 0;
}

/* Whether it acknowledges `seq`, which the receiver has sent. */
static inline bool acknowledges(const struct segment *segment, uint32_t seq)
{
    return has_flags(segment, TCP_ACK) && segment->receiver->has_isn &&
           seq_after(segment->packet->tcp.ack, seq) &&
           !seq_after(segment->packet->tcp.ack, segment->receiver->next_seq);
}

/* One more conclusion; those past NOTE_VERDICTS are left out. */
void note_verdict(struct note *note, enum verdict_name name, const char *kind,
                  const char *evidence);

/* verdict.c: what is to be said of the segment; the flow is as it was before
 * it. Changes only what verdicts remember. */
void verdict_segment(struct segment *segment);

/* Whether its numbers can be of this connection at all. */
bool sequence_plausible(const struct segment *segment);

/* sequence.c: numbers, bytes and windows of both ends, and the relative
 * numbers of the note. */
void sequence_segment(struct segment *segment);

/* tcp_state.c: the states of both ends after the segment. */
void tcp_state_segment(struct segment *segment);
/* The end that sent a SYN is told that nobody can be reached. */
void tcp_state_unreachable(struct flow *flow, enum flow_side sender);

#endif
