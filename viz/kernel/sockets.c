/*
 * See sockets.h. Four dumps make a look: TCP and UDP, each over IPv4 and IPv6
 * (struct inet_diag_req_v2 in, struct inet_diag_msg out, sock_diag(7)). A look
 * is made whole first and told after, so that a dump which fails midway never
 * makes a socket seem gone.
 */
#include "viz/kernel/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/clock.h"
#include "viz/kernel/diag.h"

enum {
    BUFFER = 32768, /* what the kernel fills of a dump in one piece, at most */
    ATTEMPTS = 4,   /* of a dump that changes interrupted */
    MOST = 131072,  /* sockets of one look; the rest are not told */
    FIRST_ROOM = 64,
    PATHS_MOST = 1 << 20, /* bytes of Unix-domain paths */
    STATES_ALL = (1 << TCP_STATES) - 1 + (1 << TCP_STATES) /* + NEW_SYN_RECV */
};

/* What one look found, in the order of cookies. */
struct look {
    struct socket_sample *samples;
    size_t count, room;
};

struct sockets {
    struct mnl_socket *netlink;
    unsigned sequence;
    struct look now, before;
    bool also_unix;
    struct paths {
        char *text; /* one behind the other, each with its NUL */
        size_t length, room;
    } paths; /* of Unix-domain sockets, as of the last look */
    char buffer[BUFFER];
};

/* --- opening ------------------------------------------------------------- */

struct sockets *sockets_open(void)
{
    struct sockets *sockets = calloc(1, sizeof *sockets);
    const struct timeval patience = {.tv_sec = 2};
    int error;

    if (sockets == NULL)
        return NULL;
    sockets->netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    /* The kernel answers at once: the time-out is for one that never does. */
    if (sockets->netlink != NULL &&
        mnl_socket_bind(sockets->netlink, 0, MNL_SOCKET_AUTOPID) == 0 &&
        setsockopt(mnl_socket_get_fd(sockets->netlink), SOL_SOCKET, SO_RCVTIMEO,
                   &patience, sizeof patience) == 0)
        return sockets;
    error = errno;
    sockets_close(sockets);
    errno = error;
    return NULL;
}

void sockets_close(struct sockets *sockets)
{
    if (sockets == NULL)
        return;
    if (sockets->netlink != NULL)
        mnl_socket_close(sockets->netlink);
    free(sockets->now.samples);
    free(sockets->before.samples);
    free(sockets->paths.text);
    free(sockets);
}

void sockets_also_unix(struct sockets *sockets, bool also)
{
    sockets->also_unix = also;
}

/* --- asking -------------------------------------------------------------- */

/* One answer under way: where its samples go, and of which protocol they are. */
struct answer {
    struct look *look;
    uint8_t protocol;
};

static int add(struct look *look, const struct socket_sample *sample)
{
    if (look->count == look->room) {
        size_t room = look->room > 0 ? look->room * 2 : FIRST_ROOM;
        struct socket_sample *larger = realloc(look->samples,
                                               room * sizeof *larger);

        if (larger == NULL)
            return -1;
        look->samples = larger;
        look->room = room;
    }
    look->samples[look->count++] = *sample;
    return 0;
}

static int on_message(const struct nlmsghdr *header, void *self)
{
    struct answer *answer = self;
    struct socket_sample sample;

    if (mnl_nlmsg_get_payload_len(header) < sizeof(struct inet_diag_msg))
        return MNL_CB_OK;
    diag_sample(header, answer->protocol, &sample);
    if (answer->look->count < MOST && add(answer->look, &sample) == -1)
        return MNL_CB_ERROR;
    return MNL_CB_OK;
}

static int send_request(struct sockets *sockets, const void *what,
                        size_t length, uint16_t flags)
{
    char bytes[MNL_ALIGN(sizeof(struct nlmsghdr)) +
               MNL_ALIGN(sizeof(struct inet_diag_req_v2))]
        __attribute__((aligned(8)));
    struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);

    header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    header->nlmsg_seq = ++sockets->sequence;
    memcpy(mnl_nlmsg_put_extra_header(header, length), what, length);
    return mnl_socket_sendto(sockets->netlink, header, header->nlmsg_len) < 0
               ? -1
               : 0;
}

/* What is left of an answer that was given up must not meet the next one: the
 * sequence numbers tell them apart, and mnl_cb_run() refuses old ones with
 * EPROTO; this takes them off the socket. */
static void flush(struct sockets *sockets)
{
    int fd = mnl_socket_get_fd(sockets->netlink), error = errno;

    while (recv(fd, sockets->buffer, sizeof sockets->buffer, MSG_DONTWAIT) > 0)
        ;
    errno = error;
}

/* All messages of the answer; a dump ends with NLMSG_DONE, a single one by
 * itself. 0 or -1 with errno. */
static int receive(struct sockets *sockets, struct answer *answer, bool dump)
{
    unsigned port = mnl_socket_get_portid(sockets->netlink);
    int go_on;

    do {
        ssize_t n = mnl_socket_recvfrom(sockets->netlink, sockets->buffer,
                                        sizeof sockets->buffer);

        if (n == -1 && errno == EINTR)
            go_on = MNL_CB_OK;
        else if (n == -1)
            return -1;
        else
            go_on = mnl_cb_run(sockets->buffer, (size_t)n, sockets->sequence,
                               port, on_message, answer);
        if (go_on == MNL_CB_ERROR)
            return -1;
    } while (go_on > MNL_CB_STOP && dump);
    return 0;
}

/* What is asked for beside the message itself. */
#define EXTRAS(protocol)                                      \
    ((protocol) == PROTO_UDP ? 1 << (INET_DIAG_SKMEMINFO - 1) \
                             : 1 << (INET_DIAG_INFO - 1))

/* A dump that the kernel interrupted (EINTR: the table changed under it) or
 * that overran our buffer (ENOBUFS) is asked for again; part of one is never
 * taken, for the rest would seem gone. */
static int dump(struct sockets *sockets, struct answer *answer, uint8_t family,
                uint32_t states)
{
    const struct inet_diag_req_v2 what = {.sdiag_family = family,
                                          .sdiag_protocol = answer->protocol,
                                          .idiag_ext = EXTRAS(answer->protocol),
                                          .idiag_states = states};
    size_t start = answer->look->count;

    for (int attempt = 1;; attempt++) {
        if (send_request(sockets, &what, sizeof what, NLM_F_DUMP) == -1)
            return -1;
        if (receive(sockets, answer, true) == 0)
            return 0;
        flush(sockets);
        /* A kernel without IPv6, or without udp_diag: no such sockets. */
        if (errno == ENOENT || errno == EOPNOTSUPP)
            return 0;
        if ((errno != EINTR && errno != ENOBUFS && errno != EPROTO) ||
            attempt == ATTEMPTS)
            return -1;
        answer->look->count = start;
    }
}

/* --- Unix-domain sockets ------------------------------------------------- */

static int add_path(struct paths *paths, const char *name, size_t length)
{
    if (length + 1 > paths->room - paths->length) {
        size_t room = paths->room * 2 + length + 128;
        char *larger = room > PATHS_MOST ? NULL : realloc(paths->text, room);

        if (larger == NULL)
            return -1;
        paths->text = larger;
        paths->room = room;
    }
    memcpy(paths->text + paths->length, name, length);
    paths->length += length;
    paths->text[paths->length++] = '\0';
    return 0;
}

/* Of an abstract name the first byte is 0: '@', as ss(8) and netstat(8) show
 * it. A name with another 0 in it ends there. */
static int on_unix_name(const struct nlattr *attribute, void *self)
{
    struct paths *paths = self;
    char name[108];
    size_t length = mnl_attr_get_payload_len(attribute);

    if (mnl_attr_get_type(attribute) != UNIX_DIAG_NAME || length == 0 ||
        length > sizeof name)
        return MNL_CB_OK;
    memcpy(name, mnl_attr_get_payload(attribute), length);
    if (name[0] == '\0')
        name[0] = '@';
    add_path(paths, name, strnlen(name, length));
    return MNL_CB_OK;
}

/* Those that wait for somebody: listeners, and bound datagram sockets. The
 * accepted ones of a listener have its name too. */
static int on_unix(const struct nlmsghdr *header, void *self)
{
    const struct unix_diag_msg *message = mnl_nlmsg_get_payload(header);

    if (mnl_nlmsg_get_payload_len(header) < sizeof *message)
        return MNL_CB_OK;
    if (message->udiag_state == TCP_LISTEN || message->udiag_type == SOCK_DGRAM)
        mnl_attr_parse(header, sizeof *message, on_unix_name, self);
    return MNL_CB_OK;
}

/* Their paths; none when the kernel cannot tell. */
static void look_at_unix(struct sockets *sockets)
{
    const struct unix_diag_req what = {.sdiag_family = AF_UNIX,
                                       .udiag_states = UINT32_MAX,
                                       .udiag_show = UDIAG_SHOW_NAME};
    unsigned port = mnl_socket_get_portid(sockets->netlink);
    int go_on = MNL_CB_OK;

    sockets->paths.length = 0;
    if (!sockets->also_unix ||
        send_request(sockets, &what, sizeof what, NLM_F_DUMP) == -1)
        return;
    while (go_on > MNL_CB_STOP) {
        ssize_t n = mnl_socket_recvfrom(sockets->netlink, sockets->buffer,
                                        sizeof sockets->buffer);

        if (n == -1 && errno == EINTR)
            continue;
        go_on = n == -1
                    ? MNL_CB_ERROR
                    : mnl_cb_run(sockets->buffer, (size_t)n, sockets->sequence,
                                 port, on_unix, &sockets->paths);
    }
    if (go_on == MNL_CB_ERROR)
        flush(sockets);
}

static void tell_unix(const struct sockets *sockets, int64_t time_ns,
                      event_sink_fn *sink, void *self)
{
    struct event event = {.kind = EVENT_UNIX, .time_ns = time_ns};
    size_t at = 0;

    while (at < sockets->paths.length) {
        event.path = sockets->paths.text + at;
        sink(self, &event);
        at += strlen(event.path) + 1;
    }
}

/* --- looking ------------------------------------------------------------- */

static int by_cookie(const void *a, const void *b)
{
    uint64_t left = ((const struct socket_sample *)a)->cookie;
    uint64_t right = ((const struct socket_sample *)b)->cookie;

    return left < right ? -1 : left > right;
}

/* The look in order, each socket once: one that moved while the kernel walked
 * its table (ESTABLISHED to TIME_WAIT) may come twice. */
static void put_in_order(struct look *look)
{
    size_t kept = 0;

    if (look->count > 0)
        qsort(look->samples, look->count, sizeof *look->samples, by_cookie);
    for (size_t i = 0; i < look->count; i++) {
        if (kept > 0 &&
            look->samples[kept - 1].cookie == look->samples[i].cookie)
            kept--;
        look->samples[kept++] = look->samples[i];
    }
    look->count = kept;
}

static void tell(enum event_kind kind, const struct socket_sample *sample,
                 int64_t time_ns, event_sink_fn *sink, void *self)
{
    struct event event = {.kind = kind, .time_ns = time_ns};

    if (sample != NULL)
        event.socket = *sample;
    sink(self, &event);
}

static void tell_gone(const struct sockets *sockets, int64_t time_ns,
                      event_sink_fn *sink, void *self)
{
    const struct look *now = &sockets->now, *before = &sockets->before;
    size_t at = 0;

    for (size_t i = 0; i < before->count; i++) {
        const struct socket_sample *old = &before->samples[i];

        while (at < now->count && now->samples[at].cookie < old->cookie)
            at++;
        if (at == now->count || now->samples[at].cookie != old->cookie)
            tell(EVENT_GONE, old, time_ns, sink, self);
    }
}

int sockets_look(struct sockets *sockets, event_sink_fn *sink, void *self)
{
    static const uint8_t protocols[] = {PROTO_TCP, PROTO_UDP};
    struct look old = sockets->before;
    int64_t time_ns;

    sockets->now.count = 0;
    for (size_t i = 0; i < sizeof protocols; i++) {
        struct answer answer = {&sockets->now, protocols[i]};

        if (dump(sockets, &answer, AF_INET, STATES_ALL) == -1 ||
            dump(sockets, &answer, AF_INET6, STATES_ALL) == -1)
            return -1;
    }
    look_at_unix(sockets);
    put_in_order(&sockets->now);
    time_ns = clock_wall();
    for (size_t i = 0; i < sockets->now.count; i++)
        tell(EVENT_SOCKET, &sockets->now.samples[i], time_ns, sink, self);
    tell_gone(sockets, time_ns, sink, self);
    tell_unix(sockets, time_ns, sink, self);
    tell(EVENT_LOOKED, NULL, time_ns, sink, self);
    sockets->before = sockets->now;
    sockets->now = old;
    return 0;
}

uint32_t sockets_listener(struct sockets *sockets, uint8_t protocol,
                          uint16_t port, struct socket_sample *found)
{
    /* The table of listeners is small; an unconnected UDP socket is "closed". */
    uint32_t states = protocol == PROTO_TCP ? 1u << TCP_LISTEN : STATES_ALL;
    struct answer answer = {&sockets->now, protocol};
    const struct socket_sample *best = NULL;

    sockets->now.count = 0;
    if (dump(sockets, &answer, AF_INET, states) == -1 ||
        dump(sockets, &answer, AF_INET6, states) == -1)
        return 0;
    for (size_t i = 0; i < sockets->now.count; i++) {
        const struct socket_sample *sample = &sockets->now.samples[i];

        if (sample->local.port == port &&
            (best == NULL ||
             (best->remote.port != 0 && sample->remote.port == 0)))
            best = sample;
    }
    if (best == NULL)
        return 0;
    if (found != NULL)
        *found = *best;
    return best->inode;
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && a->family == b->family &&
           memcmp(a->address, b->address, sizeof a->address) == 0;
}

int sockets_find(struct sockets *sockets, uint8_t protocol,
                 const struct endpoint *local, const struct endpoint *remote,
                 struct socket_sample *found)
{
    struct answer answer = {&sockets->now, protocol};
    struct inet_diag_req_v2 what = {
        .sdiag_family = local->family == 4 ? AF_INET : AF_INET6,
        .sdiag_protocol = protocol,
        .idiag_ext = EXTRAS(PROTO_TCP),
        .idiag_states = STATES_ALL,
        .id = {.idiag_sport = htons(local->port),
               .idiag_dport = htons(remote->port),
               .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}};

    memcpy(what.id.idiag_src, local->address, sizeof what.id.idiag_src);
    memcpy(what.id.idiag_dst, remote->address, sizeof what.id.idiag_dst);
    sockets->now.count = 0;
    if (protocol != PROTO_TCP) { /* UDP's lookup has the ends the other way */
        errno = EINVAL;
        return -1;
    }
    if (send_request(sockets, &what, sizeof what, 0) == -1)
        return -1;
    if (receive(sockets, &answer, false) == -1) {
        flush(sockets);
        return -1;
    }
    /* Where no connection has these ends the kernel answers with a listener. */
    if (sockets->now.count == 0 ||
        !same_endpoint(&sockets->now.samples[0].remote, remote)) {
        errno = ENOENT;
        return -1;
    }
    *found = sockets->now.samples[0];
    return 0;
}
