/* What a reset means, and what an errno tells the program that gets it. */
#include "viz/explain/explain.h"

#include <stddef.h>
#include <string.h>

static const struct explanation resets[] = {
    [RESET_REFUSED] =
        {"Refused: this RST answers a SYN for which nobody listens.",
         "The port is closed: the server does not run, or runs elsewhere.",
         "connect() fails with ECONNREFUSED at once.",
         "No program sent it: the kernel answers for a port without a "
         "listener.",
         "RFC 9293 3.5.2"},
    [RESET_UNREAD] =
        {"Closed with bytes unread: the RST tells that they were thrown away.",
         "Its program called close(), or ended, while data waited for recv(). "
         "A FIN would claim that all was read.",
         "close() or the end of the process sent it. Linux at the other end "
         "still hands out what had come before it, then the error.",
         "Read until recv() gives 0 before you close(), or shutdown(SHUT_WR) "
         "first. That it was this, and not SO_LINGER 0, the wire shows only "
         "likely.",
         "RFC 2525 2.17"},
    [RESET_ABORT] =
        {"Ended by force: no FIN, no TIME_WAIT, all at once.",
         "Its program set SO_LINGER with a time of 0 and closed it; or a "
         "listener was closed, by close() or the end of the process, before "
         "accept() had taken the connection.",
         "close() after setsockopt(SO_LINGER, {1, 0}) sent it, or close() of "
         "the listener.",
         "What was not sent yet is thrown away. Some servers do it to spare "
         "themselves TIME_WAIT, and lose the last answer by it.",
         "RFC 9293 3.9.1"},
    [RESET_GAVE_UP] =
        {"Given up: keep-alives were not answered.",
         "The other end was silent for all of its probes: it counts as gone.",
         "No call sent it: a timer of SO_KEEPALIVE did. recv() here fails with "
         "ETIMEDOUT.",
         "Linux asks TCP_KEEPCNT times, TCP_KEEPINTVL apart, before it ends "
         "the connection.",
         "RFC 9293 3.8.4"},
    [RESET_NO_SOCKET] =
        {"No such connection: this end does not know it, or no longer.",
         "It got a segment for which it has no socket: the program has closed "
         "it, or the machine was started anew.",
         "No call sent it: the kernel answers by itself.",
         "A client that sends after the server has closed gets just this: its "
         "first send() works, the second fails.",
         "RFC 9293 3.5.2"},
};

const struct explanation *explain_reset(enum reset_kind kind)
{
    if (kind == RESET_NONE || (size_t)kind >= sizeof resets / sizeof *resets)
        return NULL;
    return &resets[kind];
}

/* --- errno ----------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *tcp; /* to a TCP socket, at once */
    const char *udp; /* to a UDP socket that is connected, at once */
    const char
        *later; /* only as the reason of a time-out, or with IP_RECVERR */
} errors[] = {
    {"ECONNREFUSED",
     "Your connect() will say ECONNREFUSED: nobody listens on that port.",
     "The next send() or recv() of a connected socket will say ECONNREFUSED: "
     "no socket has that port.",
     "Only a socket with IP_RECVERR is told ECONNREFUSED."},
    {"ECONNRESET",
     "recv() gives what is left, then it says ECONNRESET, and send() after it "
     "EPIPE; a program that has called close() is told nothing.",
     "The next call will say ECONNRESET.",
     "Only a socket with IP_RECVERR is told ECONNRESET."},
    {"EPIPE",
     "The next send() will say EPIPE, with the signal SIGPIPE: the other end "
     "takes no more. recv() gives what is left, then 0.",
     "The next call will say EPIPE.",
     "Only a socket with IP_RECVERR is told EPIPE."},
    {"EHOSTUNREACH",
     "Your connect() will say EHOSTUNREACH: no way leads to that machine.",
     "The next send() or recv() of a connected socket will say EHOSTUNREACH.",
     "EHOSTUNREACH is told only with IP_RECVERR, or as the reason when a "
     "connection times out."},
    {"ENETUNREACH",
     "Your connect() will say ENETUNREACH: no way leads to that network.",
     "The next send() or recv() of a connected socket will say ENETUNREACH.",
     "ENETUNREACH is told only with IP_RECVERR, or as the reason when a "
     "connection times out."},
    {"ENOPROTOOPT",
     "Your connect() will say ENOPROTOOPT: that machine does not speak TCP.",
     "The next call of a connected socket will say ENOPROTOOPT: that machine "
     "does not speak UDP.",
     "ENOPROTOOPT is told only with IP_RECVERR."},
    {"EHOSTDOWN",
     "Your connect() will say EHOSTDOWN: that machine is not there.",
     "The next call of a connected socket will say EHOSTDOWN.",
     "EHOSTDOWN is told only with IP_RECVERR."},
    {"ENONET", "Your connect() will say ENONET: that machine is cut off.",
     "The next call of a connected socket will say ENONET.",
     "ENONET is told only with IP_RECVERR."},
    {"EACCES", "Your connect() will say EACCES: a filter forbids it.",
     "The next call of a connected socket will say EACCES: a filter forbids "
     "it.",
     "EACCES is told only with IP_RECVERR."},
    {"EPROTO", "Your connect() will say EPROTO: the packet was not understood.",
     "The next call of a connected socket will say EPROTO.",
     "EPROTO is told only with IP_RECVERR."},
    {"EOPNOTSUPP", "Your connect() will say EOPNOTSUPP.",
     "The next call of a connected socket will say EOPNOTSUPP.",
     "EOPNOTSUPP is told only with IP_RECVERR, or as the reason when a "
     "connection times out."},
    {"EMSGSIZE", "TCP sends smaller segments; no call is told.",
     "The next send() of a datagram as long will say EMSGSIZE.",
     "The next send() of a datagram as long will say EMSGSIZE, where the "
     "socket asks for path MTU discovery."},
};

const char *explain_errno(const char *name, bool tcp, bool now)
{
    for (size_t i = 0; name && i < sizeof errors / sizeof *errors; i++) {
        if (strcmp(name, errors[i].name) != 0)
            continue;
        if (!now)
            return errors[i].later;
        return tcp ? errors[i].tcp : errors[i].udp;
    }
    return NULL;
}
