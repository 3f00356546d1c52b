/*
 * The words that views share: states cut to a column's width, times, amounts,
 * addresses, letters for verdicts. One place, so that the ladder, the lists
 * and the help say the same. What a packet is called is label.h's.
 */
#ifndef VIZ_VIEWS_WORDS_H
#define VIZ_VIEWS_WORDS_H

#include "viz/events/store.h"
#include "viz/screen/canvas.h"

enum { WORDS = 256 }; /* bytes that hold any text below */

/* netstat's name of the state in at most `columns` (7 or more): ESTABLISHED,
 * ESTAB; FIN_WAIT1, FIN_W1. A state that no packet proves ends in '?'. */
char *state_text(enum tcp_state state, bool assumed, int columns,
                 char text[WORDS]);
/* The same for what an end was before the packet. LISTEN that refuses was only
 * assumed. */
char *state_before_text(const struct note *note, int side, int columns,
                        char text[WORDS]);

/* Whether its handshake has begun and is not done yet. */
bool flow_is_opening(const struct flow *flow);
/* It was refused where it wanted to: no socket has that port. Else an ICMP error
 * says that nothing gets there. */
bool flow_has_nobody(const struct flow *flow);

/* Nanoseconds since the start as seconds, with as many decimals as `columns`
 * (5 to 12) hold: "0.000123", "1234.567". */
char *seconds_text(int64_t ns, int columns, char text[WORDS]);
/* A duration for people: "12 us", "350 ms", "1.2 s", "3 min". */
char *span_text(int64_t ns, char text[WORDS]);
/* At most 4 columns: "5", "1.2k", "64M". Powers of 1000. */
char *amount_text(uint64_t amount, char text[WORDS]);
/* "5 B", "12 kB". */
char *bytes_text(uint64_t bytes, char text[WORDS]);

/* "127.0.0.1:7001", in fewer columns "~0.1:7001", ":7001". */
char *end_text(const struct endpoint *end, int columns, char text[WORDS]);
/* "tcp", "udp", "icmp" or "proto 47". */
char *protocol_text(uint8_t protocol, char text[WORDS]);

/* A verdict as one letter (colour never speaks alone), and as words. */
struct verdict_word {
    char letter;
    enum style style;
    const char *words;
};
const struct verdict_word *verdict_word(enum verdict_name name);
/* The same of a verdict itself: a D-SACK's report has its own. */
const struct verdict_word *verdict_word_of(const struct verdict *verdict);
extern const struct verdict_word verdict_report;
/* The letter for a packet: its first verdict's, X for a reset, else ' '. */
char packet_letter(const struct store_row *row, enum style *style);

/* One end of a flow by the wire, and by the kernel ("-": it shows none; with a
 * sign when it differs), in at most `columns`; "" for what has no states. */
enum style wire_word(const struct store *store, const struct flow *flow,
                     enum flow_side side, int columns, char text[WORDS]);
enum style kernel_word(const struct store *store, const struct flow *flow,
                       enum flow_side side, int columns, char text[WORDS]);

/* Whether its TCP header is there to be read. */
bool packet_is_tcp(const struct packet *packet);

/* Whether the kernel contradicts what the wire said, and at the last look both
 * had said so for 200 ms: longer than a packet and a look can miss one
 * another. */
bool kernel_differs(const struct store *store, const struct flow *flow,
                    enum flow_side side);

#endif
