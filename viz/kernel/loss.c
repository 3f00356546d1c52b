/* See loss.h. What it asks of the kernel is what `nft list ruleset` shows:
 *
 *   table inet two_terminals {
 *     chain input {
 *       type filter hook input priority filter; policy accept;
 *       meta l4proto tcp th dport < 32768 numgen inc mod 3 >= 2
 *           log group 7001 snaplen 96 drop
 *       ... and the same for >= 32768, and twice for udp
 */
#include "viz/kernel/loss.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/clock.h"
#include "viz/decode/decode.h"

enum {
    ROOM = 16384,     /* all messages of one change; they take 2 KB */
    GROUP = 7001,     /* of NFLOG: any number that nobody else takes */
    SNAPLEN = 96,     /* bytes of a lost packet: its headers */
    QUEUE = 1 << 20,  /* bytes that may wait in the watching socket */
    MOST_TAKEN = 4096 /* packets told at a time */
};

static const char table_name[] = "two_terminals", chain_name[] = "input";

/* --- words --------------------------------------------------------------- */

int loss_read(struct loss *loss, const char *words)
{
    char *end;

    *loss = (struct loss){0, 0};
    if (strcmp(words, "clean") == 0)
        return 0;
    if (strncmp(words, "loss ", 5) == 0)
        words += 5;
    if (*words >= '1' && *words <= '9') {
        unsigned long lost = strtoul(words, &end, 10), of = 0;

        if (end[0] == '/' && end[1] >= '1' && end[1] <= '9')
            of = strtoul(end + 1, &end, 10);
        if (*end == '\0' && lost <= of && of <= LOSS_MOST) {
            *loss = (struct loss){(unsigned)lost, (unsigned)of};
            return 0;
        }
    }
    errno = EINVAL;
    return -1;
}

char *loss_text(const struct loss *loss, char text[LOSS_TEXT])
{
    if (loss->of == 0)
        snprintf(text, LOSS_TEXT, "clean");
    else
        snprintf(text, LOSS_TEXT, "loss %u/%u", loss->lost, loss->of);
    return text;
}

/* --- messages ------------------------------------------------------------ */

/* Messages one behind the other, which the kernel takes all or none of. */
struct batch {
    char bytes[ROOM] __attribute__((aligned(8)));
    size_t length;
    unsigned sequence;
    struct nlmsghdr *last;
};

static struct nlmsghdr *put_message(struct batch *batch, uint16_t type,
                                    uint16_t flags, uint8_t family,
                                    uint16_t resource)
{
    struct nlmsghdr *header = mnl_nlmsg_put_header(batch->bytes +
                                                   batch->length);
    struct nfgenmsg *generic;

    header->nlmsg_type = type;
    header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    header->nlmsg_seq = ++batch->sequence;
    generic = mnl_nlmsg_put_extra_header(header, sizeof *generic);
    generic->nfgen_family = family;
    generic->version = NFNETLINK_V0;
    generic->res_id = htons(resource);
    return header;
}

/* The message is whole: the next one begins behind it. */
static void end_message(struct batch *batch, struct nlmsghdr *header)
{
    batch->length += header->nlmsg_len;
    batch->last = header;
}

static struct nlmsghdr *put_table_message(struct batch *batch, uint16_t what,
                                          uint16_t flags)
{
    return put_message(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what),
                       flags, NFPROTO_INET, 0);
}

static void put_bracket(struct batch *batch, uint16_t type)
{
    end_message(batch,
                put_message(batch, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

static void put_u32(struct nlmsghdr *header, uint16_t type, uint32_t value)
{
    mnl_attr_put_u32(header, type, htonl(value));
}

/* --- rules --------------------------------------------------------------- */

/* One expression of a rule: open, put its attributes, close. */
struct expression {
    struct nlattr *element, *data;
};

static struct expression open_expression(struct nlmsghdr *header,
                                         const char *name)
{
    struct expression expression;

    expression.element = mnl_attr_nest_start(header, NFTA_LIST_ELEM);
    mnl_attr_put_strz(header, NFTA_EXPR_NAME, name);
    expression.data = mnl_attr_nest_start(header, NFTA_EXPR_DATA);
    return expression;
}

static void close_expression(struct nlmsghdr *header,
                             struct expression expression)
{
    mnl_attr_nest_end(header, expression.data);
    mnl_attr_nest_end(header, expression.element);
}

/* All work on register 1. */
static void put_compare(struct nlmsghdr *header, uint32_t operation,
                        const void *value, size_t length)
{
    struct expression expression = open_expression(header, "cmp");
    struct nlattr *data;

    put_u32(header, NFTA_CMP_SREG, NFT_REG_1);
    put_u32(header, NFTA_CMP_OP, operation);
    data = mnl_attr_nest_start(header, NFTA_CMP_DATA);
    mnl_attr_put(header, NFTA_DATA_VALUE, length, value);
    mnl_attr_nest_end(header, data);
    close_expression(header, expression);
}

/* meta l4proto ... th dport < 32768, or >= */
static void put_which(struct nlmsghdr *header, uint8_t protocol, bool to_client)
{
    const uint16_t clients = htons(LOSS_CLIENTS);
    struct expression expression = open_expression(header, "meta");

    put_u32(header, NFTA_META_DREG, NFT_REG_1);
    put_u32(header, NFTA_META_KEY, NFT_META_L4PROTO);
    close_expression(header, expression);
    put_compare(header, NFT_CMP_EQ, &protocol, sizeof protocol);
    expression = open_expression(header, "payload");
    put_u32(header, NFTA_PAYLOAD_DREG, NFT_REG_1);
    put_u32(header, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
    put_u32(header, NFTA_PAYLOAD_OFFSET, 2);
    put_u32(header, NFTA_PAYLOAD_LEN, 2);
    close_expression(header, expression);
    put_compare(header, to_client ? NFT_CMP_GTE : NFT_CMP_LT, &clients,
                sizeof clients);
}

/* numgen inc mod OF >= OF - LOST: bytes are compared, so the high one first */
static void put_count(struct nlmsghdr *header, const struct loss *loss)
{
    const uint32_t kept = htonl(loss->of - loss->lost);
    struct expression expression = open_expression(header, "numgen");

    put_u32(header, NFTA_NG_DREG, NFT_REG_1);
    put_u32(header, NFTA_NG_MODULUS, loss->of);
    put_u32(header, NFTA_NG_TYPE, NFT_NG_INCREMENTAL);
    close_expression(header, expression);
    expression = open_expression(header, "byteorder");
    put_u32(header, NFTA_BYTEORDER_SREG, NFT_REG_1);
    put_u32(header, NFTA_BYTEORDER_DREG, NFT_REG_1);
    put_u32(header, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
    put_u32(header, NFTA_BYTEORDER_LEN, 4);
    put_u32(header, NFTA_BYTEORDER_SIZE, 4);
    close_expression(header, expression);
    put_compare(header, NFT_CMP_GTE, &kept, sizeof kept);
}

/* log group 7001 snaplen 96 */
static void put_log(struct nlmsghdr *header)
{
    struct expression expression = open_expression(header, "log");

    mnl_attr_put_u16(header, NFTA_LOG_GROUP, htons(GROUP));
    put_u32(header, NFTA_LOG_SNAPLEN, SNAPLEN);
    close_expression(header, expression);
}

static void put_drop(struct nlmsghdr *header)
{
    struct expression expression = open_expression(header, "immediate");
    struct nlattr *data, *verdict;

    put_u32(header, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    data = mnl_attr_nest_start(header, NFTA_IMMEDIATE_DATA);
    verdict = mnl_attr_nest_start(header, NFTA_DATA_VERDICT);
    put_u32(header, NFTA_VERDICT_CODE, NF_DROP);
    mnl_attr_nest_end(header, verdict);
    mnl_attr_nest_end(header, data);
    close_expression(header, expression);
}

static void put_rule(struct batch *batch, const struct loss *loss,
                     uint8_t protocol, bool to_client)
{
    struct nlmsghdr *header = put_table_message(batch, NFT_MSG_NEWRULE,
                                                NLM_F_CREATE | NLM_F_APPEND);
    struct nlattr *expressions;

    mnl_attr_put_strz(header, NFTA_RULE_TABLE, table_name);
    mnl_attr_put_strz(header, NFTA_RULE_CHAIN, chain_name);
    expressions = mnl_attr_nest_start(header, NFTA_RULE_EXPRESSIONS);
    put_which(header, protocol, to_client);
    put_count(header, loss);
    put_log(header);
    put_drop(header);
    mnl_attr_nest_end(header, expressions);
    end_message(batch, header);
}

static void put_table(struct batch *batch, uint16_t what, uint16_t flags)
{
    struct nlmsghdr *header = put_table_message(batch, what, flags);

    mnl_attr_put_strz(header, NFTA_TABLE_NAME, table_name);
    end_message(batch, header);
}

static void put_chain(struct batch *batch)
{
    struct nlmsghdr *header = put_table_message(batch, NFT_MSG_NEWCHAIN,
                                                NLM_F_CREATE);
    struct nlattr *hook;

    mnl_attr_put_strz(header, NFTA_CHAIN_TABLE, table_name);
    mnl_attr_put_strz(header, NFTA_CHAIN_NAME, chain_name);
    hook = mnl_attr_nest_start(header, NFTA_CHAIN_HOOK);
    put_u32(header, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_IN);
    put_u32(header, NFTA_HOOK_PRIORITY, 0);
    mnl_attr_nest_end(header, hook);
    mnl_attr_put_strz(header, NFTA_CHAIN_TYPE, "filter");
    end_message(batch, header);
}

/* The table is made, so that it can be removed; and made anew. The last of it
 * asks for an answer. Returns that message's number. */
static unsigned put_all(struct batch *batch, const struct loss *loss)
{
    static const uint8_t protocols[] = {PROTO_TCP, PROTO_UDP};
    unsigned asked;

    put_bracket(batch, NFNL_MSG_BATCH_BEGIN);
    put_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
    put_table(batch, NFT_MSG_DELTABLE, 0);
    if (loss->of > 0) {
        put_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
        put_chain(batch);
        for (size_t i = 0; i < sizeof protocols; i++) {
            put_rule(batch, loss, protocols[i], false);
            put_rule(batch, loss, protocols[i], true);
        }
    }
    batch->last->nlmsg_flags |= NLM_F_ACK;
    asked = batch->last->nlmsg_seq;
    put_bracket(batch, NFNL_MSG_BATCH_END);
    return asked;
}

/* --- asking -------------------------------------------------------------- */

static struct mnl_socket *open_netfilter(void)
{
    const struct timeval patience = {.tv_sec = 2};
    struct mnl_socket *netlink = mnl_socket_open2(NETLINK_NETFILTER,
                                                  SOCK_CLOEXEC);
    int error;

    if (netlink == NULL)
        return NULL;
    if (mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) == 0 &&
        setsockopt(mnl_socket_get_fd(netlink), SOL_SOCKET, SO_RCVTIMEO,
                   &patience, sizeof patience) == 0)
        return netlink;
    error = errno;
    mnl_socket_close(netlink);
    errno = error;
    return NULL;
}

/* One answer: 0, or the errno in it. */
static int answer_of(const struct nlmsghdr *header)
{
    const struct nlmsgerr *error = mnl_nlmsg_get_payload(header);

    if (header->nlmsg_type != NLMSG_ERROR ||
        mnl_nlmsg_get_payload_len(header) < sizeof *error)
        return EPROTO;
    return -error->error;
}

/* The kernel answers a message that it refuses, and the one that asked for an
 * answer, in order. 0 or -1 with errno. */
static int confirm(struct mnl_socket *netlink, unsigned asked)
{
    char bytes[8192] __attribute__((aligned(8)));

    for (;;) {
        const struct nlmsghdr *header = (const void *)bytes;
        ssize_t n = mnl_socket_recvfrom(netlink, bytes, sizeof bytes);
        int left = (int)n;

        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return -1;
        for (; mnl_nlmsg_ok(header, left);
             header = mnl_nlmsg_next(header, &left)) {
            int error = answer_of(header);

            if (error == 0 && header->nlmsg_seq != asked)
                continue;
            errno = error;
            return error == 0 ? 0 : -1;
        }
    }
}

/* A kernel, or one of its modules, that does not know what is asked. */
static void explain_errno(void)
{
    if (errno == ENOENT || errno == EPROTONOSUPPORT || errno == EINVAL ||
        errno == EAFNOSUPPORT || errno == ENOTSUP)
        errno = EOPNOTSUPP;
}

int loss_set(const struct loss *loss)
{
    struct batch *batch = calloc(1, sizeof *batch);
    struct mnl_socket *netlink = open_netfilter();
    int result = -1, error;

    if (batch != NULL && netlink != NULL) {
        unsigned asked = put_all(batch, loss);

        result = mnl_socket_sendto(netlink, batch->bytes, batch->length) < 0
                     ? -1
                     : confirm(netlink, asked);
    }
    explain_errno();
    error = errno;
    if (netlink != NULL)
        mnl_socket_close(netlink);
    free(batch);
    errno = error;
    return result;
}

/* --- watching ------------------------------------------------------------ */

static struct nlmsghdr *put_log_message(struct batch *batch)
{
    return put_message(batch, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG,
                       NLM_F_ACK, AF_UNSPEC, GROUP);
}

/* Join the group, ask for the packets' beginnings, each at once. */
static unsigned put_watch(struct batch *batch)
{
    const struct nfulnl_msg_config_cmd join = {.command = NFULNL_CFG_CMD_BIND};
    const struct nfulnl_msg_config_mode mode = {
        .copy_range = htonl(SNAPLEN), .copy_mode = NFULNL_COPY_PACKET};
    struct nlmsghdr *header = put_log_message(batch);

    mnl_attr_put(header, NFULA_CFG_CMD, sizeof join, &join);
    mnl_attr_put(header, NFULA_CFG_MODE, sizeof mode, &mode);
    put_u32(header, NFULA_CFG_QTHRESH, 1);
    end_message(batch, header);
    return header->nlmsg_seq;
}

int loss_watch(void)
{
    struct batch *batch = calloc(1, sizeof *batch);
    struct mnl_socket *netlink = open_netfilter();
    const int queue = QUEUE;
    int fd = -1, error;

    if (batch != NULL && netlink != NULL) {
        unsigned asked = put_watch(batch);

        fd = mnl_socket_get_fd(netlink);
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
        fd = mnl_socket_sendto(netlink, batch->bytes, batch->length) < 0 ||
                     confirm(netlink, asked) < 0
                 ? -1
                 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    }
    explain_errno();
    error = errno;
    if (netlink != NULL)
        mnl_socket_close(netlink);
    free(batch);
    errno = error;
    return fd;
}

/* A place for what is told of one packet. */
struct told {
    const uint8_t *payload;
    uint32_t length;
    int64_t time_ns; /* 0: not told */
};

static int on_attribute(const struct nlattr *attribute, void *self)
{
    struct told *told = self;
    struct nfulnl_msg_packet_timestamp stamp;

    switch (mnl_attr_get_type(attribute)) {
    case NFULA_PAYLOAD:
        told->payload = mnl_attr_get_payload(attribute);
        told->length = mnl_attr_get_payload_len(attribute);
        break;
    case NFULA_TIMESTAMP:
        if (mnl_attr_get_payload_len(attribute) < sizeof stamp)
            break;
        memcpy(&stamp, mnl_attr_get_payload(attribute), sizeof stamp);
        told->time_ns = (int64_t)be64toh(stamp.sec) * CLOCK_SECOND +
                        (int64_t)be64toh(stamp.usec) * 1000;
        break;
    }
    return MNL_CB_OK;
}

static void tell_lost(const struct nlmsghdr *header, event_sink_fn *sink,
                      void *self)
{
    struct told told = {NULL, 0, 0};
    struct packet packet = {.length = 0};
    struct event event = {.kind = EVENT_LOST};

    if (header->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) ||
        mnl_nlmsg_get_payload_len(header) < sizeof(struct nfgenmsg) ||
        mnl_attr_parse(header, sizeof(struct nfgenmsg), on_attribute, &told) <
            0 ||
        told.payload == NULL)
        return;
    event.time_ns = told.time_ns != 0 ? told.time_ns : clock_wall();
    decode_packet(LINK_RAW, told.payload, told.length, &packet);
    if (!packet.has_transport)
        return;
    event.lost = lost_packet_of(&packet);
    sink(self, &event);
}

void loss_take(int fd, event_sink_fn *sink, void *self)
{
    char bytes[8192] __attribute__((aligned(8)));

    for (int taken = 0; taken < MOST_TAKEN;) {
        const struct nlmsghdr *header = (const void *)bytes;
        ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        int left = (int)n;

        if (n == -1 && (errno == EINTR || errno == ENOBUFS))
            continue; /* ENOBUFS: some were too many to be told of */
        if (n <= 0)
            return;
        for (; mnl_nlmsg_ok(header, left);
             header = mnl_nlmsg_next(header, &left), taken++)
            tell_lost(header, sink, self);
    }
}
