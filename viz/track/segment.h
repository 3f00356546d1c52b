/*
 * One TCP segment on its way through track: who sent it, and what the parts
 * of track (verdicts, sequence numbers, states) need of both ends.
 */
#ifndef VIZ_TRACK_SEGMENT_H
#define VIZ_TRACK_SEGMENT_H

#include "viz/track/losses.h"

/* `sender` and `receiver` are the same when a socket has connected to itself
 * (RFC 9293 allows it: a simultaneous open with one end). */
struct segment {
    struct tracked *tracked;
    struct hole_pool *holes;
    struct sent_pool *pool;
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
    bool lost;      /* it does not reach its receiver */
    struct losses *losses;
    struct resent *resent; /* of all connections */
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

/* Why an end sends again what lies below memory.recover_to. */
enum recovery { RECOVERY_NONE, RECOVERY_FAST, RECOVERY_TIME_OUT };

/* One more conclusion, to be filled further; those past NOTE_VERDICTS are left
 * out: then NULL. */
struct verdict *note_verdict(struct note *note, enum verdict_name name,
                             const char *kind, const char *evidence);

/* Whether the capture was made where the segment was sent: there nothing has
 * been overtaken yet. */
bool at_sender(const struct segment *segment);

/* again.c: what of it was sent before, and whether the segment was sent again
 * or only came late. */
void again_segment(struct segment *segment);
/* What the sender's acknowledgement, `before` until now, means for the other
 * end's segments. */
void again_acked(struct segment *segment, uint32_t before);

/* Its D-SACK block says that [left, right) came twice: the verdict, when that
 * was sent again. */
void again_in_vain(struct segment *segment, uint32_t left, uint32_t right);

/* vantage.c: where the capture was made. */
void vantage_segment(struct segment *segment);

/* verdict.c: what is to be said of the segment; the flow is as it was before
 * it. Changes only what verdicts remember. */
void verdict_segment(struct segment *segment);

/* Whether its numbers can be of this connection at all. */
bool sequence_plausible(const struct segment *segment);

/* The window that it advertises, scaled, bytes. */
uint32_t segment_window(const struct segment *segment);
/* Whether its SACK blocks tell of data above its acknowledgement. */
bool segment_reports_hole(const struct segment *segment);
/* The two numbers can be of one connection at one time. */
bool sequence_near(uint32_t a, uint32_t b);

/* sequence.c: numbers, bytes and windows of both ends, and the relative
 * numbers of the note. */
void sequence_segment(struct segment *segment);

/* tcp_state.c: the states of both ends after the segment. */
void tcp_state_segment(struct segment *segment);
/* The end in SYN_SENT is told that nobody can be reached. */
void tcp_state_unreachable(struct flow *flow, enum flow_side sender);

#endif
