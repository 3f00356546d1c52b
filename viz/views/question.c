/* See question.h. */
#include "viz/views/question.h"

#include <stdio.h>
#include <string.h>

#include "viz/views/label.h"

/* --- what a packet is, in a word ------------------------------------------- */

enum sort { SYN, SYN_ACK, ACK, DATA, FIN, RST, DATAGRAM, ICMP, SORTS_OF };

static const char *const sort_names[SORTS_OF] = {[SYN] = "SYN",
                                                 [SYN_ACK] = "SYN,ACK",
                                                 [ACK] = "ACK, nothing else",
                                                 [DATA] = "data",
                                                 [FIN] = "FIN",
                                                 [RST] = "RST",
                                                 [DATAGRAM] = "a datagram",
                                                 [ICMP] = "an ICMP error"};

static enum sort sort_of(const struct store_row *row)
{
    uint8_t flags = row->packet.tcp.flags;

    if (row->packet.protocol == PROTO_UDP)
        return DATAGRAM;
    if (!packet_is_tcp(&row->packet))
        return ICMP;
    if (flags & TCP_RST)
        return RST;
    if (flags & TCP_SYN)
        return flags & TCP_ACK ? SYN_ACK : SYN;
    if (flags & TCP_FIN)
        return FIN;
    return row->packet.payload_length > 0 ? DATA : ACK;
}

/* A number that looks random and is always the same for this packet. */
static uint32_t mix(uint64_t number, uint32_t salt)
{
    uint64_t sum = (number * 31 + salt) * UINT64_C(0x9E3779B97F4A7C15);

    return (uint32_t)(sum >> 40);
}

/* Put the right answer first, and then at a place that the number chooses. */
static void shuffle(struct question *question, uint64_t number)
{
    int to = (int)(mix(number, 7) % (unsigned)question->count);
    char swap[QUESTION_TEXT];

    memcpy(swap, question->answers[0], QUESTION_TEXT);
    memcpy(question->answers[0], question->answers[to], QUESTION_TEXT);
    memcpy(question->answers[to], swap, QUESTION_TEXT);
    question->right = to;
}

static void add_answer(struct question *question, const char *text)
{
    for (int i = 0; i < question->count; i++)
        if (strcmp(question->answers[i], text) == 0)
            return;
    if (question->count < QUESTION_CHOICES)
        snprintf(question->answers[question->count++], QUESTION_TEXT, "%s",
                 text);
}

/* --- the two questions ----------------------------------------------------- */

static void name_packet(enum flow_side from, enum sort sort,
                        char text[QUESTION_TEXT])
{
    snprintf(text, QUESTION_TEXT, "%s: %s",
             from == FLOW_CLIENT ? "client" : "server", sort_names[sort]);
}

void question_packet(struct question *question, const struct store_row *row)
{
    static const uint8_t tcp[] = {ACK, DATA, FIN, SYN_ACK, RST, SYN},
                         udp[] = {DATAGRAM, ICMP, DATA, ACK};
    bool is_tcp = row->note.flow->protocol == PROTO_TCP;
    const uint8_t *likely = is_tcp ? tcp : udp;
    unsigned sorts = is_tcp ? sizeof tcp : sizeof udp;
    uint64_t number = row->packet.number;
    char text[QUESTION_TEXT];

    *question = (struct question){.count = 0};
    snprintf(question->ask, sizeof question->ask,
             "What comes next on connection %u?", row->note.flow->id);
    name_packet(row->note.from, sort_of(row), text);
    add_answer(question, text);
    /* The same from the other end tempts most. */
    name_packet(!row->note.from, sort_of(row), text);
    add_answer(question, text);
    for (uint32_t i = 0; question->count < QUESTION_CHOICES && i < 64; i++) {
        uint32_t random = mix(number, i + 20);

        name_packet(random % 2 ? FLOW_CLIENT : FLOW_SERVER,
                    likely[random / 2 % sorts], text);
        add_answer(question, text);
    }
    shuffle(question, number);
}

static int mover(const struct store_row *row)
{
    if (row->note.flow->protocol != PROTO_TCP)
        return -1;
    for (int side = 0; side < 2; side++)
        if (row->note.before[side] != row->note.after[side])
            return side;
    return -1;
}

void question_state(struct question *question, const struct store_row *row,
                    bool told)
{
    static const enum tcp_state all[] = {
        TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_CLOSE_WAIT,
        TCP_LAST_ACK,    TCP_TIME_WAIT, TCP_SYN_SENT,  TCP_SYN_RECV,
        TCP_CLOSED,      TCP_CLOSING};
    int side = mover(row);
    char what[QUESTION_TEXT] = "";

    *question = (struct question){.count = 0};
    if (told)
        snprintf(what, sizeof what, "It is %s. ", sort_names[sort_of(row)]);
    snprintf(question->ask, sizeof question->ask,
             "%sIn which state is the %s after it?", what,
             side == FLOW_CLIENT ? "client" : "server");
    add_answer(question, tcp_state_name(row->note.after[side]));
    add_answer(question, tcp_state_name(row->note.before[side]));
    for (uint32_t i = 0; question->count < QUESTION_CHOICES && i < 64; i++)
        add_answer(question,
                   tcp_state_name(all[mix(row->packet.number, i + 40) %
                                      (sizeof all / sizeof all[0])]));
    shuffle(question, row->packet.number + 1);
}

bool question_has_state(const struct store_row *row)
{
    return mover(row) >= 0;
}
