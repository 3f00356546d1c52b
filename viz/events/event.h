/*
 * One thing that happened: a packet with what track concluded, a look into
 * the kernel's socket tables, a word on a terminal. Everything that comes
 * after (ticks, ladder, JSON, screens) reads this stream and nothing else.
 * Pure C.
 */
#ifndef VIZ_EVENTS_EVENT_H
#define VIZ_EVENTS_EVENT_H

#include "viz/decode/packet.h"
#include "viz/track/track.h"

enum event_kind {
    EVENT_PACKET,  /* from the wire */
    EVENT_SOCKET,  /* the kernel has this socket, in this state, now */
    EVENT_GONE,    /* the kernel has it no longer */
    EVENT_OPENED,  /* a lab shell was opened in terminal A, B or C */
    EVENT_TYPED,   /* a command line was started there */
    EVENT_PRINTED, /* a program printed a line there */
    EVENT_EXITED,  /* the command there ended */
    EVENT_WAITS,   /* the server's (or client's) thread is inside this call */
    EVENT_OUTSIDE, /* a listener on the lesson's port, outside the lab network */
    EVENT_LOOKED,  /* a look into the kernel's tables is complete: until then
                       some of its EVENT_SOCKETs are new and others still old */
    EVENT_LOST,    /* the lab's network lost this packet, says its kernel. It
                       was captured too, some microseconds before; its
                       EVENT_PACKET may yet come after this */
    EVENT_UNIX,    /* a Unix-domain socket listens, or takes datagrams, at this
                       path; told in a look, when asked for */
    EVENT_CALL     /* a program's call on a socket returned: see call.h */
};

/* What a TCP socket knows of the way to its peer (struct tcp_info, tcp(7)). A
 * listener, TIME_WAIT and a connection that is being made have none of it. */
struct socket_tcp {
    bool known;
    uint8_t backoff;            /* times that rto was doubled */
    uint32_t rto_us;            /* until it sends again */
    uint32_t rtt_us, rttvar_us; /* smoothed (RFC 6298); 0: not measured yet */
    uint32_t cwnd, ssthresh;    /* segments; ssthresh 0: none yet */
    uint32_t unacked;           /* segments on their way */
    uint32_t mss;               /* bytes that a segment carries */
    uint32_t resent;            /* segments, since it was opened */
};

/* A socket as sock_diag shows it. For LISTEN, receive_queue counts connections
 * that wait for accept() and send_queue is the backlog; else both are bytes. */
struct socket_sample {
    uint8_t protocol; /* PROTO_TCP, PROTO_UDP */
    enum tcp_state state;
    struct endpoint local, remote;
    uint32_t receive_queue, send_queue;
    uint8_t timer; /* 0 none 1 retransmit 2 keep-alive 3 TIME_WAIT 4 probe */
    uint8_t retransmits;
    uint32_t timer_ms; /* until it fires */
    uint32_t uid;
    uint32_t inode;  /* 0 when no process owns it */
    uint64_t cookie; /* names the socket for as long as the machine is up */
    uint32_t drops;  /* datagrams that came and were thrown away, the buffer
                        being full, since it was opened */
    struct socket_tcp tcp;
    int64_t since_ns; /* in this state, as far as the looks tell: 0 until
                         samples.h has kept it */
};

enum wait_call {
    WAIT_OTHER,
    WAIT_ACCEPT,
    WAIT_RECV,
    WAIT_SEND,
    WAIT_CONNECT,
    WAIT_SELECT,
    WAIT_POLL,
    WAIT_EPOLL,
    WAIT_CALLS
};

enum call_function {
    CALLED_SOCKET,
    CALLED_BIND,
    CALLED_LISTEN,
    CALLED_ACCEPT,
    CALLED_CONNECT,
    CALLED_RECV,
    CALLED_RECVFROM,
    CALLED_RECVMSG,
    CALLED_READ,
    CALLED_READV,
    CALLED_SEND,
    CALLED_SENDTO,
    CALLED_SENDMSG,
    CALLED_WRITE,
    CALLED_WRITEV,
    CALLED_SETSOCKOPT,
    CALLED_SHUTDOWN,
    CALLED_CLOSE,
    CALLED_POLL,
    CALLED_SELECT,
    CALLED_EPOLL_WAIT,
    CALLED_FUNCTIONS
};

/* One call, as the program itself told it: nothing in it need be true but that
 * its numbers are within their types. */
struct program_call {
    enum call_function function;
    uint8_t protocol;                 /* PROTO_TCP, PROTO_UDP */
    uint16_t local_port, remote_port; /* 0: not known, or none yet */
    int32_t fd;                       /* -1: none */
    int32_t pid, tid;
    int32_t error; /* errno when result is -1, else 0 */
    int64_t began_ns, ended_ns;
    int64_t length; /* bytes that were asked for, where it moves bytes */
    int64_t result;
    int64_t flow; /* the id of its connection, -1: of none */
    bool has_side;
    enum flow_side side;
};

struct event {
    enum event_kind kind;
    int64_t time_ns; /* wall clock, as the packets' own */
    union {
        struct { /* EVENT_PACKET; both borrowed for the call */
            const struct packet *packet;
            const struct note *note;
        };
        struct socket_sample
            socket;           /* EVENT_SOCKET, EVENT_GONE, EVENT_OUTSIDE */
        struct {              /* the EVENT_... of a terminal */
            char terminal;    /* 'A', 'B', 'C' */
            int status;       /* EVENT_EXITED: as the shell has it in $? */
            const char *text; /* EVENT_TYPED, EVENT_PRINTED: a line, UTF-8
                                        and nothing else; borrowed */
        };
        struct {                     /* EVENT_LOST */
            struct lost_packet lost; /* what it was called */
            const struct flow *flow; /* whose receiver track has taken back
                                        for it; NULL: none. Borrowed */
        };
        const char *path;         /* EVENT_UNIX: as given to bind(), '@' before
                                    an abstract name; borrowed */
        struct program_call made; /* EVENT_CALL; time_ns is when it returned */
        struct {                  /* EVENT_WAITS */
            enum flow_side side;
            uint16_t port;
            enum wait_call call;
        };
    };
};

/* A place that events go to. */
typedef void event_sink_fn(void *self, const struct event *event);

/* "accept"; and back, WAIT_OTHER for a word that is none. */
const char *wait_call_name(enum wait_call call);
enum wait_call wait_call_from_name(const char *name);

#endif
