/* See icmp_errno.h. */
#include "viz/track/icmp_errno.h"

#include "viz/decode/packet.h"

/* Type 3 by code (RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1). */
static const struct icmp_errno unreachable[] = {
    {"ENETUNREACH", false},  /* 0: network */
    {"EHOSTUNREACH", false}, /* 1: host */
    {"ENOPROTOOPT", true},   /* 2: protocol */
    {"ECONNREFUSED", true},  /* 3: port */
    {"EMSGSIZE", false},     /* 4: too long, and not to be fragmented */
    {"EOPNOTSUPP", false},   /* 5: source route failed */
    {"ENETUNREACH", true},   /* 6: network unknown */
    {"EHOSTDOWN", true},     /* 7: host unknown */
    {"ENONET", true},        /* 8: host isolated */
    {"ENETUNREACH", true},   /* 9: network forbidden */
    {"EHOSTUNREACH", true},  /* 10: host forbidden */
    {"ENETUNREACH", false},  /* 11: network, for this type of service */
    {"EHOSTUNREACH", false}, /* 12: host, likewise */
    {"EHOSTUNREACH", true},  /* 13: filtered */
    {"EHOSTUNREACH", true},  /* 14: precedence violated */
    {"EHOSTUNREACH", true},  /* 15: precedence too low */
};

/* ICMPv6 type 1 by code (RFC 4443 3.1). */
static const struct icmp_errno unreachable6[] = {
    {"ENETUNREACH", false},  /* 0: no route */
    {"EACCES", true},        /* 1: forbidden */
    {"EHOSTUNREACH", false}, /* 2: beyond the scope of the source */
    {"EHOSTUNREACH", false}, /* 3: address */
    {"ECONNREFUSED", true},  /* 4: port */
    {"EACCES", true},        /* 5: policy */
    {"EACCES", true},        /* 6: route rejected */
};

static const struct icmp_errno too_late = {"EHOSTUNREACH", false};
static const struct icmp_errno not_understood = {"EPROTO", true};
static const struct icmp_errno too_long = {"EMSGSIZE", false};
static const struct icmp_errno none = {NULL, false};

struct icmp_errno icmp_errno(uint8_t protocol, uint8_t type, uint8_t code)
{
    if (protocol == PROTO_ICMP6) {
        switch (type) {
        case 1:
            return code < sizeof unreachable6 / sizeof *unreachable6
                       ? unreachable6[code]
                       : not_understood;
        case 2:
            return too_long;
        case 3:
            return too_late;
        case 4:
            return not_understood;
        }
        return none;
    }
    switch (type) {
    case 3:
        return code < sizeof unreachable / sizeof *unreachable
                   ? unreachable[code]
                   : none;
    case 11:
        return too_late;
    case 12:
        return not_understood;
    }
    return none;
}
