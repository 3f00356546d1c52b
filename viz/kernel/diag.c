/* See diag.h: struct inet_diag_msg and its attributes (sock_diag(7)). */
#include "viz/kernel/diag.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

static bool is_mapped(const uint8_t *address)
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0,    0,
                                       0, 0, 0, 0, 0xff, 0xff};

    return memcmp(address, prefix, sizeof prefix) == 0;
}

/* An IPv6 socket that speaks IPv4 has ::ffff:a.b.c.d: its packets have a.b.c.d,
 * and so has the endpoint. */
static void read_endpoint(struct endpoint *end, uint8_t family,
                          const uint32_t *address, uint16_t port)
{
    uint8_t bytes[16];

    memcpy(bytes, address, sizeof bytes);
    memset(end, 0, sizeof *end);
    end->port = ntohs(port);
    if (family == AF_INET) {
        end->family = 4;
        memcpy(end->address, bytes, 4);
    } else if (is_mapped(bytes)) {
        end->family = 4;
        memcpy(end->address, bytes + 12, 4);
    } else {
        end->family = 6;
        memcpy(end->address, bytes, sizeof bytes);
    }
}

static void read_message(const struct inet_diag_msg *message, uint8_t protocol,
                         struct socket_sample *sample)
{
    const struct inet_diag_sockid *id = &message->id;

    *sample = (struct socket_sample){
        .protocol = protocol,
        .state = message->idiag_state < TCP_STATES
                     ? (enum tcp_state)message->idiag_state
                     : TCP_SYN_RECV, /* 12 is the kernel's NEW_SYN_RECV */
        .receive_queue = message->idiag_rqueue,
        .send_queue = message->idiag_wqueue,
        .timer = message->idiag_timer,
        .retransmits = message->idiag_retrans,
        .timer_ms = message->idiag_timer != 0 ? message->idiag_expires : 0,
        .uid = message->idiag_uid,
        .inode = message->idiag_inode,
        .cookie = (uint64_t)id->idiag_cookie[1] << 32 |
                  (uint64_t)id->idiag_cookie[0],
    };
    read_endpoint(&sample->local, message->idiag_family, id->idiag_src,
                  id->idiag_sport);
    read_endpoint(&sample->remote, message->idiag_family, id->idiag_dst,
                  id->idiag_dport);
}

/* Of TCP: struct tcp_info, as much of it as this kernel has. A number that
 * says "none" (a threshold never set, a trip never measured) becomes 0. */
static void read_info(const struct nlattr *attribute, struct socket_tcp *tcp)
{
    enum { NO_THRESHOLD = 0x7fffffff };
    struct tcp_info info = {0};
    size_t length = mnl_attr_get_payload_len(attribute);

    if (length < offsetof(struct tcp_info, tcpi_total_retrans) +
                     sizeof info.tcpi_total_retrans)
        return;
    memcpy(&info, mnl_attr_get_payload(attribute),
           length < sizeof info ? length : sizeof info);
    *tcp = (struct socket_tcp){
        .known = true,
        .backoff = info.tcpi_backoff,
        .rto_us = info.tcpi_rto,
        .rtt_us = info.tcpi_rtt,
        .rttvar_us = info.tcpi_rtt > 0 ? info.tcpi_rttvar : 0,
        .cwnd = info.tcpi_snd_cwnd,
        .ssthresh = info.tcpi_snd_ssthresh < NO_THRESHOLD
                        ? info.tcpi_snd_ssthresh
                        : 0,
        .unacked = info.tcpi_unacked,
        .mss = info.tcpi_snd_mss,
        .resent = info.tcpi_total_retrans,
    };
}

/* Of UDP: SK_MEMINFO's drops (sock_diag(7)). */
static void read_memory(const struct nlattr *attribute, uint32_t *drops)
{
    uint32_t memory[SK_MEMINFO_VARS];

    if (mnl_attr_get_payload_len(attribute) < sizeof memory)
        return;
    memcpy(memory, mnl_attr_get_payload(attribute), sizeof memory);
    *drops = memory[SK_MEMINFO_DROPS];
}

/* For a listener tcp_info counts queues in other fields' places. */
static int on_attribute(const struct nlattr *attribute, void *self)
{
    struct socket_sample *sample = self;

    switch (mnl_attr_get_type(attribute)) {
    case INET_DIAG_SKMEMINFO:
        read_memory(attribute, &sample->drops);
        break;
    case INET_DIAG_INFO:
        if (sample->protocol == PROTO_TCP && sample->state != TCP_LISTEN)
            read_info(attribute, &sample->tcp);
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

void diag_sample(const struct nlmsghdr *header, uint8_t protocol,
                 struct socket_sample *sample)
{
    read_message(mnl_nlmsg_get_payload(header), protocol, sample);
    mnl_attr_parse(header, sizeof(struct inet_diag_msg), on_attribute, sample);
}
