/* See predict.h. */
#include "viz/views/predict.h"

#include <stdio.h>
#include <string.h>

#include "viz/decode/decode.h"
#include "viz/views/label.h"
#include "viz/views/tape.h"

enum { LINE = 0x2500, CHOICES = 4, TEXT = 64 };

/* One question: four answers, of which one is right. */
struct question {
    char ask[TEXT * 2];
    char answers[CHOICES][TEXT];
    int count, right;
};

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
    char swap[TEXT];

    memcpy(swap, question->answers[0], TEXT);
    memcpy(question->answers[0], question->answers[to], TEXT);
    memcpy(question->answers[to], swap, TEXT);
    question->right = to;
}

static void add_answer(struct question *question, const char *text)
{
    for (int i = 0; i < question->count; i++)
        if (strcmp(question->answers[i], text) == 0)
            return;
    if (question->count < CHOICES)
        snprintf(question->answers[question->count++], TEXT, "%s", text);
}

/* --- the two questions ----------------------------------------------------- */

/* The packet that is hidden: the next one of a connection. NULL: none yet. */
static const struct store_row *hidden(const struct viewer *viewer)
{
    uint64_t forgotten = store_forgotten(viewer->all);
    size_t n = viewer->tape.moment.at < forgotten
                   ? 0
                   : (size_t)(viewer->tape.moment.at - forgotten);
    const struct store_row *row;

    while ((row = store_row(viewer->all, n)) && !row->note.flow)
        n++;
    return row;
}

static void name_packet(enum flow_side from, enum sort sort, char text[TEXT])
{
    snprintf(text, TEXT, "%s: %s", from == FLOW_CLIENT ? "client" : "server",
             sort_names[sort]);
}

static void ask_packet(struct question *question, const struct store_row *row)
{
    static const uint8_t tcp[] = {ACK, DATA, FIN, SYN_ACK, RST, SYN},
                         udp[] = {DATAGRAM, ICMP, DATA, ACK};
    bool is_tcp = row->note.flow->protocol == PROTO_TCP;
    const uint8_t *likely = is_tcp ? tcp : udp;
    unsigned sorts = is_tcp ? sizeof tcp : sizeof udp;
    uint64_t number = row->packet.number;
    char text[TEXT];

    *question = (struct question){.count = 0};
    snprintf(question->ask, sizeof question->ask,
             "What comes next on connection %u?", row->note.flow->id);
    name_packet(row->note.from, sort_of(row), text);
    add_answer(question, text);
    /* The same from the other end tempts most. */
    name_packet(!row->note.from, sort_of(row), text);
    add_answer(question, text);
    for (uint32_t i = 0; question->count < CHOICES && i < 64; i++) {
        uint32_t random = mix(number, i + 20);

        name_packet(random % 2 ? FLOW_CLIENT : FLOW_SERVER,
                    likely[random / 2 % sorts], text);
        add_answer(question, text);
    }
    shuffle(question, number);
}

/* The end whose state the packet moves; -1: none. */
static int mover(const struct store_row *row)
{
    if (row->note.flow->protocol != PROTO_TCP)
        return -1;
    for (int side = 0; side < 2; side++)
        if (row->note.before[side] != row->note.after[side])
            return side;
    return -1;
}

static void ask_state(struct question *question, const struct store_row *row)
{
    static const enum tcp_state all[] = {
        TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_CLOSE_WAIT,
        TCP_LAST_ACK,    TCP_TIME_WAIT, TCP_SYN_SENT,  TCP_SYN_RECV,
        TCP_CLOSED,      TCP_CLOSING};
    int side = mover(row);

    *question = (struct question){.count = 0};
    snprintf(question->ask, sizeof question->ask,
             "It is %s. In which state is the %s after it?",
             sort_names[sort_of(row)],
             side == FLOW_CLIENT ? "client" : "server");
    add_answer(question, tcp_state_name(row->note.after[side]));
    add_answer(question, tcp_state_name(row->note.before[side]));
    for (uint32_t i = 0; question->count < CHOICES && i < 64; i++)
        add_answer(question,
                   tcp_state_name(all[mix(row->packet.number, i + 40) %
                                      (sizeof all / sizeof all[0])]));
    shuffle(question, row->packet.number + 1);
}

static void ask(struct question *question, const struct viewer *viewer,
                const struct store_row *row)
{
    if (viewer->predict.asks_state)
        ask_state(question, row);
    else
        ask_packet(question, row);
}

/* --- answering ------------------------------------------------------------- */

void predict_toggle(struct viewer *viewer)
{
    uint64_t at = store_forgotten(viewer->all);

    if (viewer->predict.on) {
        tape_stop(viewer);
        return;
    }
    if (viewer->tape.on)
        at = viewer->tape.moment.at;
    else if (viewer->selected > at && !viewer->follow)
        at = viewer->selected - 1;
    viewer->tape.playing = false;
    tape_seek(viewer, at);
    if (viewer->view == &view_connections)
        viewer->view = &view_ladder;
    viewer->only_flow = -1; /* the next packet may be anybody's */
    viewer->predict = (struct predict){.on = viewer->tape.on};
}

bool predict_key(struct viewer *viewer, int key)
{
    struct predict *predict = &viewer->predict;
    const struct store_row *row = hidden(viewer);
    struct question question;
    int answer = key - 'a';
    bool right;

    if (!predict->on || answer < 0 || answer >= CHOICES)
        return false;
    if (!row)
        return true;
    ask(&question, viewer, row);
    if (answer >= question.count)
        return true;
    right = answer == question.right;
    predict->asked++;
    predict->right += right;
    snprintf(predict->reply, sizeof predict->reply, "%s: %s.",
             right ? "Yes" : "No", question.answers[question.right]);
    if (!predict->asks_state && mover(row) >= 0) {
        predict->asks_state = true;
        return true;
    }
    predict->asks_state = false;
    tape_seek(viewer, row->packet.number);
    return true;
}

void predict_draw(const struct viewer *viewer, struct area area)
{
    const struct predict *predict = &viewer->predict;
    const struct store_row *row = hidden(viewer);
    struct question question;

    area_fill(area, 0, 0, area.columns, STYLE_DIM, LINE);
    area_printf(area, 0, 2, STYLE_STRONG, " predict: %u of %u right ",
                predict->right, predict->asked);
    area_text(area, 1, 1,
              strncmp(predict->reply, "Yes", 3) == 0 ? STYLE_GOOD : STYLE_WARN,
              predict->reply);
    if (!row) {
        area_text(area, 2, 1, STYLE_PLAIN,
                  viewer->live ? "The next packet has not come yet."
                               : "That was the last packet. P ends this.");
        return;
    }
    ask(&question, viewer, row);
    area_text(area, 2, 1, STYLE_STRONG, question.ask);
    for (int i = 0; i < question.count; i++) {
        area_printf(area, 3 + i, 3, STYLE_KEY, "%c", 'a' + i);
        area_text(area, 3 + i, 6, STYLE_PLAIN, question.answers[i]);
    }
    area_text(area, 7, 1, STYLE_DIM, "a b c d: your answer   P: end");
}
