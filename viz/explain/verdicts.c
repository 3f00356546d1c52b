/* Each verdict of track, and its kinds; what is evidence of it. */
#include "viz/explain/explain.h"

#include <stddef.h>
#include <string.h>

static const struct {
    enum verdict_name name;
    const char *kind; /* NULL: without a kind, or with one not listed */
    struct explanation text;
} table[] = {
    {VERDICT_RETRANSMISSION,
     NULL,
     {"Sent again: these numbers were on the wire before.",
      "No acknowledgement came in time, so the kernel sends the same once "
      "more.",
      "No call did it: the kernel keeps a copy until it is acknowledged. "
      "recv() at the other end waits for it.",
      "What is sent again counts once: the receiver drops what it has already.",
      "RFC 9293 3.8.1"}},
    {VERDICT_RETRANSMISSION,
     "syn",
     {"The SYN, or its answer, sent again.",
      "No answer came for about a second: lost, dropped by a firewall, or the "
      "listener's accept queue is full.",
      "connect() is still waiting inside. After six tries it fails with "
      "ETIMEDOUT.",
      "A closed port answers with RST at once; silence means that somebody "
      "drops. The pauses grow: exponential backoff.",
      "RFC 6298 2"}},
    {VERDICT_RETRANSMISSION,
     "rto",
     {"Sent again, because the retransmission timer ran out.",
      "Nothing was acknowledged for a whole time-out: the segment or all "
      "acknowledgements were lost.",
      "No call did it: a timer of the kernel. send() and recv() simply take "
      "longer.",
      "The time-out (RTO) follows the measured round trip, 200 ms at least on "
      "Linux, and doubles each time. The sender slows down to one segment.",
      "RFC 6298 5"}},
    {VERDICT_RETRANSMISSION,
     "tlp",
     {"Sent again early, to make the other end answer: a tail loss probe.",
      "The last segments of a burst have nobody behind them to cause duplicate "
      "ACKs; the probe asks instead of waiting for the time-out.",
      "No call did it: a timer of the kernel.",
      "It comes after about two round trips, and saves the longer wait for the "
      "retransmission timer.",
      "RFC 8985 7"}},
    {VERDICT_RETRANSMISSION,
     "fast",
     {"Sent again at once: a fast retransmission.",
      "Duplicate acknowledgements told that later segments arrived and this "
      "one did not.",
      "No call did it: the kernel read it from the ACKs.",
      "Three duplicates, or what SACK reports, are enough. No timer had to run "
      "out, so the stream hardly stops.",
      "RFC 5681 3.2"}},
    {VERDICT_RETRANSMISSION,
     "spurious",
     {"Sent again in vain: the first copy had arrived.",
      "The sender was too impatient, or the acknowledgement was lost or late.",
      "No call did it, and no program sees it: the second copy is dropped.",
      "The receiver may say so with a D-SACK block; then the sender learns "
      "that its time-out is too short.",
      "RFC 2883 4"}},
    {VERDICT_RETRANSMISSION,
     "dsack",
     {"It reports, by D-SACK, that something came twice: sent again in vain.",
      "The receiver had these bytes already, so the copy was not needed. It "
      "says so in the first SACK block, which lies below its "
      "acknowledgement.",
      "No call did it, and no program sees it: the second copy is dropped.",
      "The sender learns that nothing was lost: Linux takes its slowing down "
      "back (undo) and waits longer the next time.",
      "RFC 2883 4"}},
    {VERDICT_REORDERED,
     NULL,
     {"It came later than what was sent after it.",
      "Packets took ways of different length; this one was overtaken, not "
      "lost.",
      "recv() waits until the row is whole, then gives all in order.",
      "The receiver's kernel keeps the early ones and sends duplicate ACKs, "
      "which can look like a loss.",
      "RFC 9293 3.10.7.4"}},
    {VERDICT_DUPLICATE_ACK,
     NULL,
     {"The same acknowledgement once more: something is missing.",
      "A segment came that does not follow on; the receiver says again what it "
      "still waits for.",
      "No call did it: the kernel answers at once. recv() waits for the hole "
      "to be filled.",
      "Its SACK blocks tell what has come beyond the hole. The third one makes "
      "the sender repair it without waiting.",
      "RFC 5681 3.2"}},
    {VERDICT_LOST_SEGMENT,
     NULL,
     {"The one before it is missing here.",
      "Its number is higher than expected: bytes between were not captured.",
      "recv() at the other end waits, if they were lost on the wire and not "
      "only by the capture.",
      "Whether the network lost them or the capture missed them shows in the "
      "acknowledgements that follow.",
      "RFC 9293 3.4"}},
    {VERDICT_ACKED_UNSEEN,
     NULL,
     {"It acknowledges bytes that were not captured.",
      "They arrived at the other end, so the capture missed them, not the "
      "network.",
      "No call is part of this: programs got all their bytes.",
      "A larger buffer, a filter or a smaller snaplen help the capture keep "
      "up; or the packets took another way.",
      "RFC 9293 3.4"}},
    {VERDICT_ZERO_WINDOW,
     NULL,
     {"Stop: my buffer is full.",
      "The receiver's program does not read as fast as bytes come.",
      "recv() is not called often enough at this end. At the other end send() "
      "blocks once its own buffer is full too.",
      "The window is the room left in the receive buffer. It opens again when "
      "the program reads; the sender asks meanwhile.",
      "RFC 9293 3.8.6"}},
    {VERDICT_ZERO_WINDOW,
     "answer",
     {"Still no room: the answer to a window probe.",
      "The other end asked; the program has not read meanwhile.",
      "recv() at this end would make room. send() at the other end goes on "
      "waiting.",
      "Each answer proves that this end lives: the connection is not given up "
      "however long the window stays closed.",
      "RFC 9293 3.8.6.1"}},
    {VERDICT_ZERO_WINDOW_PROBE,
     NULL,
     {"Is there room again? A window probe.",
      "The window is 0, and the packet that will open it might be lost: so the "
      "sender asks.",
      "No call did it: the persist timer of the kernel. send() is still "
      "waiting.",
      "Linux sends a segment without data just below what is awaited, with "
      "growing pauses. It looks like a keep-alive, and other tools call it "
      "one.",
      "RFC 9293 3.8.6.1"}},
    {VERDICT_WINDOW_UPDATE,
     NULL,
     {"There is room again: go on.",
      "The program has read, so the receive buffer has space.",
      "recv() at this end made the room. A send() that was blocked at the "
      "other end goes on.",
      "It is sent when the window grows by enough to be worth it, not for "
      "each byte (silly window).",
      "RFC 9293 3.8.6.2"}},
    {VERDICT_WINDOW_FULL,
     NULL,
     {"This segment fills the receiver's window to the last byte.",
      "The sender has sent all that it was allowed to; it must wait now.",
      "send() blocks as soon as the send buffer is full as well.",
      "Not yet a zero window: the receiver may open it in its next ACK.",
      "RFC 9293 3.8.6"}},
    {VERDICT_KEEP_ALIVE,
     NULL,
     {"Are you still there? A keep-alive.",
      "Nothing was sent for a long time, and this end asked to be told when "
      "the other is gone.",
      "setsockopt(SO_KEEPALIVE) allowed it; a timer of the kernel sent it.",
      "Its number is one below the next, so that the other end must answer. "
      "Linux asks after two hours, unless TCP_KEEPIDLE says otherwise.",
      "RFC 9293 3.8.4"}},
    {VERDICT_KEEP_ALIVE_ACK,
     NULL,
     {"Yes, I am: the answer to a keep-alive.",
      "The kernel answers a number that it has already with an ACK.",
      "No call did it. Without answers recv() fails with ETIMEDOUT in the end.",
      "It shows that the machine lives, not that its program does.",
      "RFC 9293 3.8.4"}},
    {VERDICT_PORT_REUSE,
     NULL,
     {"The same two ends again, with a new connection.",
      "The client's port came round, or it was bound on purpose.",
      "connect() from a port that bind() had fixed, or that the kernel took up "
      "again.",
      "A higher first number keeps the two apart. viz counts them as two "
      "connections.",
      "RFC 9293 3.4.3"}},
    {VERDICT_SIMULTANEOUS_OPEN,
     NULL,
     {"Both ends sent a SYN: a simultaneous open.",
      "Both programs connected to each other at the same time; neither "
      "listened.",
      "connect() on both ends, each bound to the port that the other calls.",
      "One connection comes of it, not two, and both ends pass through "
      "SYN_RECV.",
      "RFC 9293 3.5"}},
    {VERDICT_REFUSED,
     NULL,
     {"Refused: nobody listens on that port.",
      "The kernel answers a SYN for which it has no listener with a RST.",
      "connect() fails with ECONNREFUSED at once. Start the server, or look at "
      "the port.",
      "It is an answer: the machine is there and reachable. A firewall that "
      "drops would be silent.",
      "RFC 9293 3.5.2"}},
    {VERDICT_UNREACHABLE,
     NULL,
     {"Unreachable: an ICMP message says that it did not get through.",
      "No socket has that port, or no way leads there, or it is forbidden.",
      "The program gets it as an error of its next call: ECONNREFUSED, "
      "EHOSTUNREACH or ENETUNREACH.",
      "The message quotes the packet that it is about; that is how kernels, "
      "and viz, find the connection.",
      "RFC 1122 4.1.3.3"}},
};

enum { ROWS = sizeof table / sizeof table[0] };

const struct explanation *explain_verdict(enum verdict_name name,
                                          const char *kind)
{
    const struct explanation *found = NULL;

    for (size_t i = 0; i < ROWS; i++) {
        if (table[i].name != name)
            continue;
        if (!table[i].kind)
            found = &table[i].text;
        else if (kind && strcmp(kind, table[i].kind) == 0)
            return &table[i].text;
    }
    return found;
}

const char *explain_evidence(const char *evidence)
{
    static const struct {
        const char *name, *text;
    } words[] = {
        {"ipid", "Proof: its IP ID is newer, and the sender's IDs count on."},
        {"tsval",
         "Proof: its timestamp (TSval) is newer than what it repeats."},
        {"dsack", "Proof: a D-SACK block says that it arrived twice."},
        {"vantage",
         "Proof: captured where nothing can be overtaken, so it was sent "
         "twice."},
        {"timing", "Sign, not proof: it came as late as a time-out would."},
    };

    for (size_t i = 0; evidence && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(evidence, words[i].name) == 0)
            return words[i].text;
    return NULL;
}
