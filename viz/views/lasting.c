/* See lasting.h. */
#include "viz/views/lasting.h"

#include <stdio.h>

enum { SETTLE_NS = 200 * 1000 * 1000 };

char *lasting_timer(const struct socket_sample *socket, bool brief,
                    char text[WORDS])
{
    static const struct {
        const char *brief, *whole;
    } names[] = {
        {"", ""},
        {"again ", "sends again in "},
        {"alive? ", "keep-alive in "},
        {"free ", "free in "},
        {"probe ", "asks for room in "},
    };
    char span[WORDS];

    text[0] = '\0';
    if (socket->timer == 0 || socket->timer >= sizeof names / sizeof names[0])
        return text;
    snprintf(text, WORDS, "%s%.40s",
             brief ? names[socket->timer].brief : names[socket->timer].whole,
             span_text((int64_t)socket->timer_ms * 1000000, span));
    return text;
}

/* --- one socket ------------------------------------------------------------ */

static enum style listener_word(const struct socket_sample *socket,
                                char text[WORDS])
{
    unsigned waiting = socket->receive_queue, backlog = socket->send_queue;

    if (waiting > backlog) { /* Linux takes one more than the backlog */
        snprintf(text, WORDS,
                 "Accept queue full: %u wait, backlog %u. New SYNs are "
                 "dropped: call accept().",
                 waiting, backlog);
        return STYLE_BAD;
    }
    if (waiting > 0) {
        snprintf(text, WORDS, "%u connection%s wait%s for accept().", waiting,
                 waiting == 1 ? "" : "s", waiting == 1 ? "s" : "");
        return STYLE_WARN;
    }
    text[0] = '\0';
    return STYLE_DIM;
}

/* The kernel counts a FIN that waits to be read as one byte more. */
static uint32_t unread_bytes(const struct socket_sample *socket)
{
    bool fin = socket->protocol == PROTO_TCP &&
               (socket->state == TCP_CLOSE_WAIT ||
                socket->state == TCP_LAST_ACK || socket->state == TCP_CLOSING);

    return socket->receive_queue - (fin && socket->receive_queue > 0);
}

/* Whether the kernel keeps it for a program that has not called accept(). */
static bool unaccepted(const struct socket_sample *socket)
{
    return socket->inode == 0 && (socket->state == TCP_ESTABLISHED ||
                                  socket->state == TCP_CLOSE_WAIT);
}

/* What the program here has left undone. */
static enum style cause_word(const struct socket_sample *socket,
                             char text[WORDS])
{
    uint32_t unread = unread_bytes(socket);
    char amount[WORDS];

    text[0] = '\0';
    if (unaccepted(socket))
        snprintf(text, WORDS,
                 "Nobody holds it yet: it waits in the queue for accept().");
    else if (socket->state == TCP_CLOSE_WAIT && unread > 0)
        snprintf(text, WORDS,
                 "The peer has closed; %s still wait for recv(): CLOSE_WAIT.",
                 bytes_text(unread, amount));
    else if (socket->state == TCP_CLOSE_WAIT)
        snprintf(text, WORDS,
                 "The peer has closed, your program has not: CLOSE_WAIT.");
    else if (unread > 0)
        snprintf(text, WORDS, "The program is not reading: %s wait for recv().",
                 bytes_text(unread, amount));
    return text[0] ? STYLE_WARN : STYLE_DIM;
}

/* Closed, but not all of it is acknowledged. */
static bool is_ending(const struct socket_sample *socket)
{
    return socket->state == TCP_FIN_WAIT1 || socket->state == TCP_CLOSING ||
           socket->state == TCP_LAST_ACK;
}

/* In FIN_WAIT2 all is sent: only the peer's FIN is awaited, and that for a
 * minute at most once no program holds it (net.ipv4.tcp_fin_timeout). */
static void half_closed_word(const struct socket_sample *socket,
                             char text[WORDS])
{
    char span[WORDS];

    if (socket->timer == 3)
        snprintf(text, WORDS,
                 "Closed, no program holds it: FIN_WAIT2, given up in %s.",
                 span_text((int64_t)socket->timer_ms * 1000000, span));
    else
        snprintf(text, WORDS,
                 "It has closed and waits for the peer's close(): FIN_WAIT2.");
}

/* What it waits for, since the other end has not done its part. */
static enum style effect_word(const struct socket_sample *socket,
                              char text[WORDS])
{
    char amount[WORDS];

    text[0] = '\0';
    if (socket->timer == 2 && socket->retransmits > 0)
        snprintf(text, WORDS, "Keep-alives without an answer: %u so far.",
                 socket->retransmits);
    else if (socket->timer == 4)
        snprintf(text, WORDS,
                 "The peer's window is 0: %s wait until its program reads.",
                 bytes_text(socket->send_queue, amount));
    else if (socket->state == TCP_SYN_SENT)
        snprintf(text, WORDS, "No answer to its SYN yet: connect() waits.");
    else if (socket->retransmits > 0)
        snprintf(text, WORDS, "Not acknowledged: sent again %u time%s so far.",
                 socket->retransmits, socket->retransmits == 1 ? "" : "s");
    else if (socket->state == TCP_FIN_WAIT2)
        half_closed_word(socket, text);
    else if (is_ending(socket) && socket->send_queue <= 1)
        snprintf(text, WORDS, "Its FIN is not acknowledged yet.");
    else if (socket->send_queue > 0)
        snprintf(text, WORDS, "%s sent and not yet acknowledged.",
                 bytes_text(socket->send_queue, amount));
    return text[0] ? STYLE_PLAIN : STYLE_DIM;
}

enum style lasting_socket(const struct socket_sample *socket, char text[WORDS])
{
    char amount[WORDS];
    enum style style;

    if (socket->protocol == PROTO_TCP && socket->state == TCP_LISTEN)
        return listener_word(socket, text);
    if (socket->protocol == PROTO_TCP) {
        style = cause_word(socket, text);
        return text[0] ? style : effect_word(socket, text);
    }
    text[0] = '\0';
    if (socket->receive_queue == 0)
        return STYLE_DIM;
    /* What UDP counts is memory: the datagrams and what the kernel keeps with
     * each. */
    snprintf(text, WORDS, "Datagrams in %s of buffer wait for recvfrom().",
             bytes_text(socket->receive_queue, amount));
    return STYLE_WARN;
}

/* --- one end --------------------------------------------------------------- */

/* Why the kernel is in another state than its packets prove, where there is a
 * reason in the one end itself; "" where there is none. */
static enum style difference_word(const struct flow_end *end,
                                  const struct socket_sample *socket,
                                  char text[WORDS])
{
    char amount[WORDS];

    text[0] = '\0';
    if (!end->fin_sent && socket->send_queue > 1 &&
        ((socket->state == TCP_FIN_WAIT1 && end->state == TCP_ESTABLISHED) ||
         (socket->state == TCP_LAST_ACK && end->state == TCP_CLOSE_WAIT))) {
        snprintf(
            text, WORDS,
            "Its program has closed; the FIN waits behind %s unsent.",
            bytes_text(socket->send_queue - (socket->send_queue > 0), amount));
        return STYLE_PLAIN;
    }
    if (socket->state == TCP_SYN_RECV && end->state == TCP_ESTABLISHED)
        snprintf(text, WORDS,
                 "Still SYN_RECV: it drops the last ACK, the accept queue is "
                 "full.");
    return STYLE_WARN;
}

enum style lasting_end(const struct store *store, const struct flow *flow,
                       enum flow_side side, char text[WORDS])
{
    const struct socket_sample *socket = store_socket_of(store, flow, side);
    bool differs = kernel_differs(store, flow, side), reason;
    enum style style = STYLE_DIM;

    text[0] = '\0';
    if (!socket)
        return style;
    if (differs)
        style = difference_word(&flow->end[side], socket, text);
    reason = text[0] != '\0';
    if (!text[0] && store_now(store) - flow->last_ns > SETTLE_NS)
        style = lasting_socket(socket, text);
    if (text[0] && (!differs || style != STYLE_PLAIN || reason))
        return style;
    if (!differs)
        return STYLE_DIM;
    snprintf(text, WORDS, "By the wire it is %s, the kernel says %s.",
             tcp_state_name(flow->end[side].state),
             tcp_state_name(socket->state));
    return STYLE_BAD;
}

static int weight(enum style style)
{
    return style == STYLE_BAD     ? 3
           : style == STYLE_WARN  ? 2
           : style == STYLE_PLAIN ? 1
                                  : 0;
}

enum style lasting_flow(const struct store *store, const struct flow *flow,
                        char text[WORDS])
{
    static const char *const names[] = {"client", "server"};
    char words[2][WORDS];
    enum style styles[2];
    int which = 0;

    for (int side = 0; side < 2; side++)
        styles[side] = lasting_end(store, flow, (enum flow_side)side,
                                   words[side]);
    /* A cause explains more than what follows from it at the other end. */
    if (weight(styles[1]) > weight(styles[0]))
        which = 1;
    text[0] = '\0';
    if (words[which][0])
        snprintf(text, WORDS, "%s: %.*s", names[which], WORDS - 16,
                 words[which]);
    return styles[which];
}
