/*
 * Addresses and sockets, blocking or not: one shape of address for IPv4, IPv6
 * and Unix-domain, and every socket closed on exec, told its options, made and
 * connected the same way on each system. Nothing here prints or exits: 0 or a
 * descriptor, or -1 with errno.
 */
#ifndef COMMON_NET_H
#define COMMON_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct net_address {
    socklen_t length; /* of the member in use, as bind(2) takes it; 0: none */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
};

/* "127.0.0.1:7001", "[::1]:7001", "*:7001" (every IPv4 address), ":7001" (the
 * loopback of IPv4), "unix:PATH". Numbers only: no name is looked up. Port 0
 * asks the kernel for a free one. EINVAL: not such a text; ENAMETOOLONG. */
int net_address_parse(struct net_address *address, const char *text);

/* As net_address_parse() reads it; cut to fit. Bytes of a path that do not
 * print are shown as `?`. Returns `text`. */
enum { NET_ADDRESS_TEXT = 128 };
const char *net_address_text(const struct net_address *address,
                             char text[NET_ADDRESS_TEXT]);

unsigned net_address_port(const struct net_address *address); /* 0: none */
bool net_address_equal(const struct net_address *a,
                       const struct net_address *b);

int net_local(int fd, struct net_address *address); /* getsockname(2) */
int net_peer(int fd, struct net_address *address);  /* getpeername(2) */

#endif
