/*
 * What is to be said of a packet, kept as data: tables of texts for each
 * verdict and its kinds, each state, each change of state and each
 * combination of flags. A test goes over the enums and finds a text for
 * everything. Texts are for a learner: what it is, why it happens, which C
 * call brought it about or returns because of it, where the RFC says so. Pure
 * C, and nothing here remembers anything.
 */
#ifndef VIZ_EXPLAIN_EXPLAIN_H
#define VIZ_EXPLAIN_EXPLAIN_H

#include "viz/decode/packet.h"
#include "viz/track/track.h"

/* One thing explained. Sentences, all there; `deeper` is for the reader who
 * asks again: mechanism, numbers, traps. */
struct explanation {
    const char *what;   /* what it is */
    const char *why;    /* why it was sent */
    const char *call;   /* the C call that caused it or returns by it */
    const char *deeper; /* how it works underneath */
    const char *rfc;    /* "RFC 9293 3.5" */
};

/* The flags of a TCP segment, with or without payload: every one of the 512
 * has a text. */
const struct explanation *explain_flags(uint8_t flags, bool payload);
/* What the flags add that stand beside them (PSH, URG, ECE, CWR): one sentence
 * each, NULL past the last; `n` counts from 0. */
const char *explain_extra_flag(uint8_t flags, int n);

/* A verdict; `kind` is the verdict's, or NULL; for a D-SACK's report of another
 * packet (note_in_vain()) "dsack". A kind that is not in the table gets the
 * text of its name. NULL for no enum verdict_name. */
const struct explanation *explain_verdict(enum verdict_name name,
                                          const char *kind);
/* What proves it, for a verdict's `evidence`; NULL for a word unknown here. */
const char *explain_evidence(const char *evidence);

/* A state as an end is in it: `what`, `why` it is there, `call` that leaves
 * it. Never NULL; for numbers outside the enum as for TCP_UNKNOWN. */
const struct explanation *explain_state(enum tcp_state state);

/* A move of one end from one state into another. */
struct explain_change {
    enum tcp_state before, after;
    const char *cause; /* half a sentence: "its FIN was acknowledged" */
    const char *call;  /* which call did this, or returns now; "" for none */
    const char *rfc;
};

/* Never NULL for two different states: where RFC 9293's figure 5 has no such
 * edge, what else makes it (a reset, packets not captured, a packet that did
 * not arrive after all). */
const struct explain_change *explain_change(enum tcp_state before,
                                            enum tcp_state after);
/* Whether figure 5 has this edge. */
bool explain_is_edge(enum tcp_state before, enum tcp_state after);

/* What a RST means, by its kind; NULL for RESET_NONE. */
const struct explanation *explain_reset(enum reset_kind kind);

/* What a program that gets this errno should know: a sentence that begins with
 * which of its calls says so. `now`: the next call does. NULL for a name that
 * is not in the table. */
const char *explain_errno(const char *name, bool tcp, bool now);

/* Where the capture was made, "captured near the client", and what follows from
 * it; for every enum flow_vantage. */
const char *explain_vantage(enum flow_vantage vantage);
const char *explain_vantage_more(enum flow_vantage vantage);
/* A retransmission's `lost`: "before", "after"; NULL for another word. */
const char *explain_lost(const char *lost);

/* What else is to be said of this packet, a sentence each: more than one
 * segment at once, Fast Open, what came twice. NULL past the last; `n` counts
 * from 0. */
const char *explain_remark(const struct packet *packet, const struct note *note,
                           int n);

/* What is no TCP segment: datagrams, ICMP, fragments, other protocols. */
const struct explanation *explain_other(const struct packet *packet);

#endif
