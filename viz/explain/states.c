/* States and the moves between them: RFC 9293 3.3.2, figure 5, and what the
 * wire shows beside it. */
#include "viz/explain/explain.h"

#include <stddef.h>

static const struct explanation states[TCP_STATES] = {
    [TCP_UNKNOWN] =
        {"Nothing has been seen of this end yet.",
         "The capture began in the middle, or this end has not spoken.",
         "No call can be told from packets that were not captured.",
         "States are inferred from packets: without one there is no state to "
         "name.",
         "RFC 9293 3.3.2"},
    [TCP_CLOSED] =
        {"There is no connection: the kernel keeps nothing about it.",
         "Either nothing has begun, or all has ended.",
         "socket() alone leaves a socket here; connect() or listen() move it "
         "on.",
         "CLOSED is a name for the absence of a connection. A segment that "
         "arrives here is answered with RST.",
         "RFC 9293 3.3.2"},
    [TCP_LISTEN] =
        {"It waits for a SYN from anyone.", "A server called listen().",
         "listen() put it here; accept() waits here for the first finished "
         "handshake.",
         "The listener itself never moves: each SYN makes a new socket, which "
         "accept() hands out when its handshake is done. No packet shows "
         "LISTEN, hence the question mark.",
         "RFC 9293 3.10.7.2"},
    [TCP_SYN_SENT] =
        {"It has asked for a connection and waits for the answer.",
         "A client called connect().",
         "connect() is still waiting inside; it returns with the SYN,ACK.",
         "Without an answer Linux sends the SYN again after one second, then "
         "with growing pauses, six times (tcp_syn_retries); then connect() "
         "fails with ETIMEDOUT. A RST makes it fail at once: ECONNREFUSED.",
         "RFC 9293 3.10.7.3"},
    [TCP_SYN_RECV] =
        {"It has answered a SYN and waits for the last ACK of the handshake.",
         "A SYN reached a listener, or two SYNs crossed.",
         "No call was needed: the kernel answers SYNs by itself. accept() does "
         "not return yet.",
         "Such half-open connections fill the SYN queue. With SYN cookies the "
         "kernel can forget them and know them again by the ACK's number.",
         "RFC 9293 3.10.7.4"},
    [TCP_ESTABLISHED] =
        {"Open: bytes may go both ways.",
         "The handshake is complete as far as this end knows.",
         "connect() has returned at the client; at the server accept() can "
         "return. Then send() and recv().",
         "The server's kernel is ESTABLISHED before accept() is called: "
         "finished connections wait in the accept queue, and their data too.",
         "RFC 9293 3.10.7.4"},
    [TCP_FIN_WAIT1] =
        {"It has said that it will send no more, and waits for the "
         "acknowledgement.",
         "This program closed first.",
         "close() or shutdown(SHUT_WR) sent the FIN and returned at once.",
         "It can still receive. After close() nobody is there to read, so data "
         "that still comes is answered with RST.",
         "RFC 9293 3.6"},
    [TCP_FIN_WAIT2] =
        {"Its FIN is acknowledged; it waits for the other end's FIN.",
         "The peer knows that no more will come, but has not closed itself.",
         "The peer's program must call close(). Here, after shutdown(SHUT_WR), "
         "recv() still reads.",
         "This is the half-closed connection. After close() Linux gives it up "
         "after tcp_fin_timeout (60 s); after shutdown() it may last for "
         "ever.",
         "RFC 9293 3.6.1"},
    [TCP_TIME_WAIT] =
        {"All is over; it waits so that late segments die out.",
         "This end closed first, so it must be able to answer a FIN that is "
         "sent again.",
         "No call waits here, and no process owns it any more. bind() to the "
         "port fails with EADDRINUSE unless SO_REUSEADDR is set.",
         "RFC 9293 says twice the maximum segment lifetime; Linux waits a "
         "fixed 60 seconds. No packet shows its end.",
         "RFC 9293 3.6"},
    [TCP_CLOSE_WAIT] =
        {"The peer has closed; this program has not.",
         "A FIN came in, and the kernel has acknowledged it by itself.",
         "recv() returns 0 here once all bytes are read; the program must then "
         "call close().",
         "It lasts as long as the program likes. Many sockets in CLOSE_WAIT "
         "mean a program that does not look for recv() == 0, or forgets "
         "close().",
         "RFC 9293 3.6"},
    [TCP_LAST_ACK] =
        {"Both have closed; it waits for the acknowledgement of its FIN.",
         "The peer closed first, then this program did.",
         "close() sent the FIN and returned at once: nobody waits here.",
         "Its FIN is sent again until it is acknowledged. Then the socket is "
         "gone, without TIME_WAIT: that is the other end's.",
         "RFC 9293 3.6"},
    [TCP_CLOSING] =
        {"Both FINs crossed; it waits for the acknowledgement of its own.",
         "Both programs closed at the same time.",
         "close() was called on both ends before either saw the other's FIN.",
         "Rare, since the two FINs must be on their way at once. Both ends go "
         "through TIME_WAIT then.",
         "RFC 9293 3.6"},
};

const struct explanation *explain_state(enum tcp_state state)
{
    return &states[(unsigned)state < TCP_STATES ? state : TCP_UNKNOWN];
}

/* --- moves ----------------------------------------------------------------- */

/* Figure 5, in its order from top to bottom. */
static const struct explain_change edges[] = {
    {TCP_CLOSED, TCP_LISTEN, "its program waits for connections",
     "listen() did this: no packet is sent.", "RFC 9293 3.10.1"},
    {TCP_CLOSED, TCP_SYN_SENT, "it sent a SYN",
     "connect() sent it, and waits for the answer.", "RFC 9293 3.10.1"},
    {TCP_LISTEN, TCP_SYN_RECV, "a SYN came, and it answered SYN,ACK",
     "No call: the kernel answers for a listening socket.",
     "RFC 9293 3.10.7.2"},
    {TCP_LISTEN, TCP_SYN_SENT, "it sent a SYN of its own",
     "connect() on a socket that had waited.", "RFC 9293 3.10.2"},
    {TCP_LISTEN, TCP_CLOSED, "no connection comes of it there",
     "No program listens on that port, or nothing gets to it.",
     "RFC 9293 3.10.4"},
    {TCP_SYN_SENT, TCP_SYN_RECV,
     "a SYN came instead of an answer: they crossed",
     "connect() goes on waiting.", "RFC 9293 3.5"},
    {TCP_SYN_SENT, TCP_ESTABLISHED, "the SYN,ACK came",
     "connect() returns now.", "RFC 9293 3.10.7.3"},
    {TCP_SYN_SENT, TCP_CLOSED, "its SYN was refused",
     "connect() fails now: ECONNREFUSED after a RST, else as ICMP says.",
     "RFC 9293 3.10.7.3"},
    {TCP_SYN_RECV, TCP_ESTABLISHED, "the last ACK of the handshake came",
     "accept() can return this connection now.", "RFC 9293 3.10.7.4"},
    {TCP_SYN_RECV, TCP_FIN_WAIT1, "it sent FIN before the handshake was done",
     "close() or shutdown() did this.", "RFC 9293 3.10.4"},
    {TCP_SYN_RECV, TCP_LISTEN, "a RST came: the peer gave up",
     "accept() never hears of it.", "RFC 9293 3.10.7.4"},
    {TCP_ESTABLISHED, TCP_FIN_WAIT1, "it sent FIN: it closed first",
     "close() or shutdown(SHUT_WR) did this; so does exit().",
     "RFC 9293 3.10.4"},
    {TCP_ESTABLISHED, TCP_CLOSE_WAIT, "the peer's FIN came",
     "recv() returns 0 after the last byte.", "RFC 9293 3.10.7.4"},
    {TCP_FIN_WAIT1, TCP_FIN_WAIT2, "its FIN was acknowledged",
     "No call waits for this.", "RFC 9293 3.10.7.4"},
    {TCP_FIN_WAIT1, TCP_CLOSING, "the peer's FIN crossed its own",
     "recv() returns 0, if anybody still reads.", "RFC 9293 3.10.7.4"},
    {TCP_FIN_WAIT1, TCP_TIME_WAIT,
     "the peer's FIN came and acknowledged its own",
     "recv() returns 0, if anybody still reads.", "RFC 9293 3.10.7.4"},
    {TCP_FIN_WAIT2, TCP_TIME_WAIT, "the peer's FIN came",
     "recv() returns 0, if anybody still reads.", "RFC 9293 3.10.7.4"},
    {TCP_CLOSING, TCP_TIME_WAIT, "its FIN was acknowledged",
     "No call waits for this.", "RFC 9293 3.10.7.4"},
    {TCP_CLOSE_WAIT, TCP_LAST_ACK, "it sent FIN: now both have closed",
     "close() or shutdown(SHUT_WR) did this.", "RFC 9293 3.10.4"},
    {TCP_LAST_ACK, TCP_CLOSED, "its FIN was acknowledged: all is over",
     "No call waits for this; the kernel frees the socket.",
     "RFC 9293 3.10.7.4"},
    {TCP_TIME_WAIT, TCP_CLOSED, "its time of waiting is over",
     "No call: a timer of the kernel.", "RFC 9293 3.10.8"},
};

/* What else moves an end, asked from top to bottom; TCP_UNKNOWN stands for any
 * state. */
static const struct explain_change others[] = {
    {TCP_UNKNOWN, TCP_CLOSED, "a RST ended it at once",
     "Who got it: recv() fails with ECONNRESET; if a FIN had come before, it "
     "gives 0, and send() fails with EPIPE.",
     "RFC 9293 3.5.3"},
    {TCP_TIME_WAIT, TCP_SYN_RECV, "a new SYN with a higher number came",
     "No call: the old connection makes way for the new one.",
     "RFC 9293 3.6.1"},
    {TCP_TIME_WAIT, TCP_SYN_SENT, "it sent a new SYN on the same ports",
     "connect() with the port bound again.", "RFC 6191 2"},
    {TCP_CLOSED, TCP_SYN_RECV, "a SYN came, and somebody listens now",
     "listen() was called in between.", "RFC 9293 3.10.7.2"},
    {TCP_LISTEN, TCP_ESTABLISHED,
     "its handshake was not captured whole, but it sends data",
     "accept() can return this connection.", "RFC 9293 3.10.7.4"},
};

/* Both ways: what we took to be so was not, since a packet that we saw did not
 * arrive; or we did not see one that did. */
static const struct explain_change taken_back = {
    TCP_UNKNOWN, TCP_UNKNOWN,
    "it behaves as if a packet that was seen here never arrived: taken back",
    "", "RFC 9293 3.8.1"};
static const struct explain_change skipped = {
    TCP_UNKNOWN, TCP_UNKNOWN,
    "packets between these two states were not captured", "", "RFC 9293 3.3.2"};
static const struct explain_change first_seen = {
    TCP_UNKNOWN, TCP_UNKNOWN, "this is how it is when first seen", "",
    "RFC 9293 3.3.2"};

static const struct explain_change *find_edge(enum tcp_state before,
                                              enum tcp_state after)
{
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        if (edges[i].before == before && edges[i].after == after)
            return &edges[i];
    return NULL;
}

bool explain_is_edge(enum tcp_state before, enum tcp_state after)
{
    return find_edge(before, after) != NULL;
}

/* How far a connection has come by then. */
static int progress(enum tcp_state state)
{
    static const uint8_t order[TCP_STATES] = {
        [TCP_CLOSED] = 0,    [TCP_LISTEN] = 1,      [TCP_SYN_SENT] = 1,
        [TCP_SYN_RECV] = 2,  [TCP_ESTABLISHED] = 3, [TCP_CLOSE_WAIT] = 4,
        [TCP_FIN_WAIT1] = 4, [TCP_FIN_WAIT2] = 5,   [TCP_CLOSING] = 5,
        [TCP_LAST_ACK] = 5,  [TCP_TIME_WAIT] = 6,
    };

    return (unsigned)state < TCP_STATES ? order[state] : 0;
}

const struct explain_change *explain_change(enum tcp_state before,
                                            enum tcp_state after)
{
    const struct explain_change *edge = find_edge(before, after);

    if (edge)
        return edge;
    if (before == TCP_UNKNOWN || (unsigned)before >= TCP_STATES)
        return &first_seen;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i].after == after &&
            (others[i].before == before || others[i].before == TCP_UNKNOWN))
            return &others[i];
    return progress(after) < progress(before) ? &taken_back : &skipped;
}
