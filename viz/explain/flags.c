/* A TCP segment by its flags. The table is asked from top to bottom; the last
 * row takes what is left, so that each of the 256 combinations has its text. */
#include "viz/explain/explain.h"

#include <stddef.h>

enum payload { ANY, WITH, WITHOUT };

/* Those that say what a segment is; PSH, URG, ECE and CWR only stand beside. */
enum { KIND = TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK };

static const struct {
    uint8_t flags; /* of KIND: just these */
    enum payload payload;
    struct explanation text;
} table[] = {
    {TCP_SYN,
     WITHOUT,
     {"The first packet of a connection: may I talk to you?",
      "A client wants to connect. It tells the number from which it will count "
      "its bytes, and the largest segment it takes.",
      "connect() sent it and waits for the answer.",
      "SYN uses up one sequence number, so that it can be acknowledged. The "
      "options (MSS, window scale, SACK, timestamps) are only agreed on here "
      "and in the SYN,ACK.",
      "RFC 9293 3.5"}},
    {TCP_SYN,
     WITH,
     {"A first packet that carries data already: TCP Fast Open.",
      "The client has a cookie of an earlier connection and saves a round "
      "trip.",
      "sendto() with MSG_FASTOPEN, or connect() with TCP_FASTOPEN_CONNECT, "
      "sent "
      "it.",
      "The server may hand these bytes to the program before the handshake is "
      "complete; they can arrive twice.",
      "RFC 7413 2"}},
    {TCP_SYN | TCP_ACK,
     ANY,
     {"Yes: the answer to a SYN.",
      "The server's kernel agrees, and tells the number from which the server "
      "counts.",
      "listen() allowed it; no accept() is needed for it. connect() returns at "
      "the client when it arrives.",
      "Its ack is the client's first number plus one. It is sent by the "
      "kernel, "
      "also while the server's program is busy elsewhere, as long as the "
      "accept queue has room.",
      "RFC 9293 3.5"}},
    {TCP_RST | TCP_ACK,
     ANY,
     {"A reset: no, or no longer. The connection is over at once.",
      "Nobody listens on that port; or a program gave up a connection with "
      "bytes unread, or with SO_LINGER set to 0.",
      "connect() fails with ECONNREFUSED, recv() with ECONNRESET, send() with "
      "EPIPE. Causes: close() with data unread, SO_LINGER 0, a crash, no "
      "listener.",
      "It acknowledges the segment that it answers, so that the other end can "
      "believe it. Nothing is sent in answer to a reset, and there is no "
      "TIME_WAIT after it.",
      "RFC 9293 3.5.2"}},
    {TCP_RST,
     ANY,
     {"A reset: this end knows of no such connection, or wants none.",
      "It answers a segment for a connection that is gone; or a program ended "
      "one by force.",
      "recv() fails with ECONNRESET, send() with EPIPE. Causes: data for a "
      "socket that was closed, close() with data unread, SO_LINGER 0.",
      "It is believed only when its sequence number is just the one awaited, "
      "so that a stranger cannot cut connections by guessing.",
      "RFC 9293 3.5.3"}},
    {TCP_FIN | TCP_ACK,
     WITHOUT,
     {"A FIN: I will send no more.",
      "This end's program has closed its way out. What comes from the other "
      "end is still welcome.",
      "close(), shutdown(SHUT_WR) or the end of the process sent it. At the "
      "other end recv() returns 0 once all is read.",
      "FIN uses up one sequence number and is sent again until it is "
      "acknowledged. Each direction closes by itself: two FINs end a "
      "connection.",
      "RFC 9293 3.6"}},
    {TCP_FIN | TCP_ACK,
     WITH,
     {"The last bytes and a FIN in one segment.",
      "The program sent and closed right after, so the kernel put both "
      "together.",
      "send() and then close() or shutdown(SHUT_WR). At the other end recv() "
      "gives the bytes, and 0 when called again.",
      "The FIN counts after the last byte. recv() never tells 0 before all "
      "bytes were read.",
      "RFC 9293 3.6"}},
    {TCP_FIN,
     ANY,
     {"A FIN without ACK: not how TCP closes.",
      "After the handshake every segment carries ACK: this comes from a "
      "scanner or a test.",
      "No socket call sends it.",
      "A closed port answers it with RST, an open one is silent: port scanners "
      "use that.",
      "RFC 9293 3.10.7.4"}},
    {TCP_ACK,
     WITHOUT,
     {"An acknowledgement: all bytes before this number have arrived.",
      "The kernel tells the sender what it has, and how much more it can take "
      "(the window).",
      "No call sends it: the kernel does by itself. It frees room at the "
      "sender, so that a waiting send() can go on.",
      "ACK means the peer's kernel has the bytes, not that its program has "
      "read them. Linux waits 40 ms, at times up to 200, for data to carry it "
      "(delayed ACK).",
      "RFC 9293 3.8.6.3"}},
    {TCP_ACK,
     WITH,
     {"Bytes of the stream.",
      "The program has sent data; the segment also acknowledges what came.",
      "send() or write() handed the bytes to the kernel, and may have returned "
      "long before. recv() at the other end can return them.",
      "Segments are not messages: one send() may become many, many may become "
      "one, and recv() takes whatever is there.",
      "RFC 9293 3.8"}},
    {0,
     ANY,
     {"A segment without any flag: not TCP as anybody speaks it.",
      "A scanner or a test sends such a \"null\" segment.",
      "No socket call sends it.",
      "A closed port answers with RST; an open one drops it in silence.",
      "RFC 9293 3.10.7.4"}},
    {TCP_SYN | TCP_FIN,
     ANY,
     {"SYN and FIN at once: hello and goodbye, which means nothing.",
      "A scanner or a test tries what a firewall or a kernel makes of it.",
      "No socket call sends it.",
      "A listener looks at SYN first; many firewalls drop the combination.",
      "RFC 9293 3.10.7.2"}},
    {KIND, /* the rest, whatever it is */
     ANY,
     {"A combination of flags that no TCP sends.",
      "A scanner, a test or a broken device made it.",
      "No socket call sends it.",
      "Receivers look at RST first, then at SYN, then at ACK, and drop what "
      "makes no sense.",
      "RFC 9293 3.10.7.4"}},
};

enum { ROWS = sizeof table / sizeof table[0] };

const struct explanation *explain_flags(uint8_t flags, bool payload)
{
    for (size_t i = 0; i < ROWS - 1; i++)
        if (table[i].flags == (flags & KIND) &&
            (table[i].payload == ANY || (table[i].payload == WITH) == payload))
            return &table[i].text;
    return &table[ROWS - 1].text;
}

static const struct {
    uint8_t flag;
    const char *text;
} extras[] = {
    {TCP_PSH,
     "PSH: the sender has nothing more to send just now; hand it over at "
     "once."},
    {TCP_URG,
     "URG: some bytes are marked urgent (send() with MSG_OOB); hardly anybody "
     "uses it (RFC 6093)."},
    {TCP_ECE,
     "ECE: in a SYN an offer to use congestion marks; later the report that "
     "one came (RFC 3168)."},
    {TCP_CWR,
     "CWR: in a SYN part of that offer; later: I have slowed down (RFC 3168)."},
};

const char *explain_extra_flag(uint8_t flags, int n)
{
    for (size_t i = 0; i < sizeof extras / sizeof extras[0]; i++)
        if (flags & extras[i].flag && n-- == 0)
            return extras[i].text;
    return NULL;
}
