/*
 * The errno that a program gets for an ICMP error about its socket, as Linux
 * has it (icmp(7); icmp_err_convert[] and icmpv6_err_convert()).
 */
#ifndef VIZ_TRACK_ICMP_ERRNO_H
#define VIZ_TRACK_ICMP_ERRNO_H

#include <stdbool.h>
#include <stdint.h>

struct icmp_errno {
    const char *name; /* "ECONNREFUSED"; NULL: no error comes of it */
    bool hard;        /* given at once to a connected datagram socket; else
                         only with IP_RECVERR, or while a TCP connects */
};

/* `protocol`: PROTO_ICMP or PROTO_ICMP6. */
struct icmp_errno icmp_errno(uint8_t protocol, uint8_t type, uint8_t code);

#endif
