/* See call.h. */
#include "viz/events/call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const names[CALLED_FUNCTIONS] = {
    [CALLED_SOCKET] = "socket",
    [CALLED_BIND] = "bind",
    [CALLED_LISTEN] = "listen",
    [CALLED_ACCEPT] = "accept",
    [CALLED_CONNECT] = "connect",
    [CALLED_RECV] = "recv",
    [CALLED_RECVFROM] = "recvfrom",
    [CALLED_RECVMSG] = "recvmsg",
    [CALLED_READ] = "read",
    [CALLED_READV] = "readv",
    [CALLED_SEND] = "send",
    [CALLED_SENDTO] = "sendto",
    [CALLED_SENDMSG] = "sendmsg",
    [CALLED_WRITE] = "write",
    [CALLED_WRITEV] = "writev",
    [CALLED_SETSOCKOPT] = "setsockopt",
    [CALLED_SHUTDOWN] = "shutdown",
    [CALLED_CLOSE] = "close",
    [CALLED_POLL] = "poll",
    [CALLED_SELECT] = "select",
    [CALLED_EPOLL_WAIT] = "epoll_wait",
};

/* What a socket call fails with. */
static const struct {
    int error;
    const char *name;
} errors[] = {
    {EACCES, "EACCES"},
    {EADDRINUSE, "EADDRINUSE"},
    {EADDRNOTAVAIL, "EADDRNOTAVAIL"},
    {EAFNOSUPPORT, "EAFNOSUPPORT"},
    {EAGAIN, "EAGAIN"},
    {EALREADY, "EALREADY"},
    {EBADF, "EBADF"},
    {ECONNABORTED, "ECONNABORTED"},
    {ECONNREFUSED, "ECONNREFUSED"},
    {ECONNRESET, "ECONNRESET"},
    {EDESTADDRREQ, "EDESTADDRREQ"},
    {EFAULT, "EFAULT"},
    {EHOSTUNREACH, "EHOSTUNREACH"},
    {EINPROGRESS, "EINPROGRESS"},
    {EINTR, "EINTR"},
    {EINVAL, "EINVAL"},
    {EIO, "EIO"},
    {EISCONN, "EISCONN"},
    {EMFILE, "EMFILE"},
    {EMSGSIZE, "EMSGSIZE"},
    {ENETUNREACH, "ENETUNREACH"},
    {ENFILE, "ENFILE"},
    {ENOBUFS, "ENOBUFS"},
    {ENOMEM, "ENOMEM"},
    {ENOPROTOOPT, "ENOPROTOOPT"},
    {ENOTCONN, "ENOTCONN"},
    {ENOTSOCK, "ENOTSOCK"},
    {EOPNOTSUPP, "EOPNOTSUPP"},
    {EPERM, "EPERM"},
    {EPIPE, "EPIPE"},
    {EPROTO, "EPROTO"},
    {EPROTONOSUPPORT, "EPROTONOSUPPORT"},
    {EPROTOTYPE, "EPROTOTYPE"},
    {ETIMEDOUT, "ETIMEDOUT"},
};

const char *call_name(enum call_function function)
{
    return (unsigned)function < CALLED_FUNCTIONS ? names[function] : "?";
}

enum call_function call_from_name(const char *name)
{
    int function = 0;

    while (function < CALLED_FUNCTIONS && strcmp(names[function], name) != 0)
        function++;
    return (enum call_function)function;
}

const char *call_error(int error)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].error == error)
            return errors[i].name;
    return NULL;
}

static void inside_text(int64_t ns, char *text, size_t size)
{
    enum { MS = 1000000 };

    text[0] = '\0';
    if (ns >= INT64_C(1000) * MS)
        snprintf(text, size, ", %" PRId64 ".%d s inside", ns / 1000 / MS,
                 (int)(ns / 100 / MS % 10));
    else if (ns >= CALL_LONG_NS)
        snprintf(text, size, ", %d ms inside", (int)(ns / MS));
}

/* From all there is to say down to the name. */
enum text_level {
    TEXT_WHOLE,
    TEXT_NO_TIME,
    TEXT_SHORT,    /* recv = 6; connect(3) ECONNREFUSED */
    TEXT_SHORTER,  /* connect ECONNREFUSED */
    TEXT_SHORTEST, /* connect(3) = -1 */
    TEXT_NAME,
    TEXT_LEVELS
};

static void result_text(const struct program_call *call, enum text_level level,
                        char text[64])
{
    bool failed = call->result == -1;
    const char *error = failed ? call_error(call->error) : NULL;

    if (level == TEXT_NAME)
        text[0] = '\0';
    else if (!failed || level == TEXT_SHORTEST)
        snprintf(text, 64, " = %" PRId64, call->result);
    else if (!error)
        snprintf(text, 64, " = -1 errno %" PRId32, call->error);
    else
        snprintf(text, 64, "%s %s", level < TEXT_SHORT ? " = -1" : "", error);
}

static char *write_text(const struct program_call *call, enum text_level level,
                        char text[CALL_TEXT])
{
    bool plain = level == TEXT_NAME || level == TEXT_SHORTER ||
                 (level == TEXT_SHORT && call->result != -1);
    char fd[16] = "", result[64], inside[40] = "";

    if (!plain && call->fd >= 0)
        snprintf(fd, sizeof fd, "(%" PRId32 ")", call->fd);
    else if (!plain)
        snprintf(fd, sizeof fd, "()");
    result_text(call, level, result);
    if (level == TEXT_WHOLE)
        inside_text(call->ended_ns - call->began_ns, inside, sizeof inside);
    snprintf(text, CALL_TEXT, "%s%s%s%s", call_name(call->function), fd, result,
             inside);
    return text;
}

char *call_text(const struct program_call *call, char text[CALL_TEXT])
{
    return write_text(call, TEXT_WHOLE, text);
}

char *call_text_within(const struct program_call *call, int room,
                       char text[CALL_TEXT])
{
    for (int level = TEXT_WHOLE; level < TEXT_LEVELS; level++)
        if ((int)strlen(write_text(call, (enum text_level)level, text)) <= room)
            break;
    return text;
}

/* --- whose it is ----------------------------------------------------------- */

static size_t pair_place(uint8_t protocol, uint16_t client, uint16_t server)
{
    uint32_t key = (uint32_t)client << 16 | server;

    return (key * UINT32_C(0x9E3779B1) >> 16 ^ protocol) % CALL_FLOWS;
}

void call_flows_packet(struct call_flows *flows, const struct note *note)
{
    const struct flow *flow = note->flow;
    uint16_t client, server;
    size_t at;

    if (!flow)
        return;
    client = flow->end[FLOW_CLIENT].at.port;
    server = flow->end[FLOW_SERVER].at.port;
    at = pair_place(flow->protocol, client, server);
    flows->pairs[at].used = true;
    flows->pairs[at].protocol = flow->protocol;
    flows->pairs[at].client = client;
    flows->pairs[at].server = server;
    flows->pairs[at].id = flow->id;
    at = server % CALL_LISTENERS;
    flows->servers[at].used = true;
    flows->servers[at].protocol = flow->protocol;
    flows->servers[at].server = server;
    flows->servers[at].id = flow->id;
    flows->servers[at].first_ns = flow->first_ns;
}

static bool find_pair(const struct call_flows *flows, struct program_call *call,
                      enum flow_side side)
{
    uint16_t client = side == FLOW_CLIENT ? call->local_port
                                          : call->remote_port;
    uint16_t server = side == FLOW_CLIENT ? call->remote_port
                                          : call->local_port;
    size_t at = pair_place(call->protocol, client, server);

    if (!flows->pairs[at].used || flows->pairs[at].protocol != call->protocol ||
        flows->pairs[at].client != client || flows->pairs[at].server != server)
        return false;
    call->flow = flows->pairs[at].id;
    call->has_side = true;
    call->side = side;
    return true;
}

/* A connect() that failed has given its port back: it is of the connection
 * that came up to nothing while it was inside. */
static void find_attempt(const struct call_flows *flows,
                         struct program_call *call)
{
    size_t at = call->remote_port % CALL_LISTENERS;

    call->has_side = true;
    call->side = FLOW_CLIENT;
    if (flows->servers[at].used &&
        flows->servers[at].protocol == call->protocol &&
        flows->servers[at].server == call->remote_port &&
        flows->servers[at].first_ns >= call->began_ns &&
        flows->servers[at].first_ns <= call->ended_ns)
        call->flow = flows->servers[at].id;
}

void call_flows_find(const struct call_flows *flows, struct program_call *call)
{
    size_t at = call->local_port % CALL_LISTENERS;

    call->flow = -1;
    call->has_side = false;
    if (call->remote_port != 0 && call->local_port != 0) {
        if (find_pair(flows, call, FLOW_CLIENT) ||
            find_pair(flows, call, FLOW_SERVER))
            return;
    }
    if (call->function == CALLED_CONNECT && call->remote_port != 0) {
        find_attempt(flows, call);
        return;
    }
    call->side = FLOW_SERVER; /* it listens, or waits for datagrams */
    call->has_side = call->local_port != 0 && call->remote_port == 0 &&
                     (call->protocol == PROTO_TCP ||
                      (flows->servers[at].used &&
                       flows->servers[at].protocol == PROTO_UDP &&
                       flows->servers[at].server == call->local_port) ||
                      call->function == CALLED_BIND);
}
