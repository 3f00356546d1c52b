/*
 * See net.h: addresses as text, and from text. A text is read whole or not at
 * all; nothing is looked up. An address that came from a peer may hold any
 * bytes: its path has no end of its own and may not print.
 */
#include "common/net.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_AT = offsetof(struct sockaddr_un, sun_path) };

static const char unix_word[] = "unix:";
enum { UNIX_WORD = sizeof unix_word - 1 };

static int invalid(int error)
{
    errno = error;
    return -1;
}

/* Decimal, 0 to 65535, nothing else. */
static int parse_port(const char *text, in_port_t *port)
{
    unsigned long value;

    if (!isdigit((unsigned char)*text) || strlen(text) > 5)
        return -1;
    if (strspn(text, "0123456789") != strlen(text))
        return -1;
    value = strtoul(text, NULL, 10);
    if (value > 65535)
        return -1;
    *port = htons((uint16_t)value);
    return 0;
}

static int parse_path(struct net_address *address, const char *path)
{
    size_t length = strlen(path);

    if (length == 0 || *path == '@')
        return invalid(EINVAL);
    if (length >= sizeof address->un.sun_path)
        return invalid(ENAMETOOLONG);
    address->un.sun_family = AF_UNIX;
    memcpy(address->un.sun_path, path, length + 1);
    address->length = (socklen_t)(PATH_AT + length + 1);
    return 0;
}

/* "eth0", or a number, whose interface need not be there; 0: neither. */
static uint32_t parse_scope(const char *scope)
{
    uint32_t id = if_nametoindex(scope);
    unsigned long long number;

    if (id != 0 || strspn(scope, "0123456789") != strlen(scope))
        return id;
    number = strtoull(scope, NULL, 10);
    return number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* "fe80::1%eth0", "fe80::1%2". */
static int parse_ipv6(struct net_address *address, char *host)
{
    char *scope = strchr(host, '%');

    if (scope) {
        *scope++ = '\0';
        address->in6.sin6_scope_id = parse_scope(scope);
        if (address->in6.sin6_scope_id == 0)
            return -1;
    }
    address->in6.sin6_family = AF_INET6;
    address->length = sizeof address->in6;
    return inet_pton(AF_INET6, host, &address->in6.sin6_addr) == 1 ? 0 : -1;
}

static int parse_ipv4(struct net_address *address, const char *host)
{
    address->in.sin_family = AF_INET;
    address->length = sizeof address->in;
    if (*host == '\0')
        host = "127.0.0.1";
    else if (strcmp(host, "*") == 0)
        host = "0.0.0.0";
    return inet_pton(AF_INET, host, &address->in.sin_addr) == 1 ? 0 : -1;
}

int net_address_parse(struct net_address *address, const char *text)
{
    struct net_address parsed = {0};
    const char *colon;
    char host[64];
    size_t length;
    in_port_t port;

    if (!text)
        return invalid(EINVAL);
    if (strncmp(text, unix_word, UNIX_WORD) == 0) {
        if (parse_path(&parsed, text + UNIX_WORD) != 0)
            return -1;
        *address = parsed;
        return 0;
    }
    colon = strrchr(text, ':');
    length = colon ? (size_t)(colon - text) : 0;
    if (!colon || length >= sizeof host || parse_port(colon + 1, &port) != 0)
        return invalid(EINVAL);
    memcpy(host, text, length);
    host[length] = '\0';
    if (*host == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        if (parse_ipv6(&parsed, host + 1) != 0)
            return invalid(EINVAL);
        parsed.in6.sin6_port = port;
    } else {
        if (parse_ipv4(&parsed, host) != 0)
            return invalid(EINVAL);
        parsed.in.sin_port = port;
    }
    *address = parsed;
    return 0;
}

/* AF_UNSPEC when there is none, or too little of it. */
static int family_of(const struct net_address *address)
{
    if (address->length < sizeof address->any.sa_family)
        return AF_UNSPEC;
    if (address->any.sa_family == AF_INET &&
        address->length < sizeof address->in)
        return AF_UNSPEC;
    if (address->any.sa_family == AF_INET6 &&
        address->length < sizeof address->in6)
        return AF_UNSPEC;
    return address->any.sa_family;
}

/* The bytes of a Unix-domain name: of a path without its NUL, of an abstract
 * one with the NUL it begins with; 0 when it has no name. */
static size_t path_length(const struct net_address *address)
{
    size_t length = address->length > PATH_AT ? address->length - PATH_AT : 0;

    if (length > sizeof address->un.sun_path)
        length = sizeof address->un.sun_path;
    if (length == 0 || address->un.sun_path[0] == '\0')
        return length == 1 ? 0 : length;
    return strnlen(address->un.sun_path, length);
}

static void path_text(const struct net_address *address,
                      char text[NET_ADDRESS_TEXT])
{
    const char *path = address->un.sun_path;
    size_t length = path_length(address);
    int at = snprintf(text, NET_ADDRESS_TEXT, "%s%s", unix_word,
                      length && *path == '@' ? "./" : "");

    for (size_t i = 0; i < length && at < NET_ADDRESS_TEXT - 1; i++) {
        char c = path[i];

        if (i == 0 && c == '\0')
            c = '@';
        text[at++] = c >= ' ' && c <= '~' ? c : '?';
    }
    text[at] = '\0';
}

static void ipv6_text(const struct net_address *address,
                      char text[NET_ADDRESS_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "", name[IF_NAMESIZE], scope[32] = "";
    uint32_t id = address->in6.sin6_scope_id;

    inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof host);
    if (id && if_indextoname(id, name))
        snprintf(scope, sizeof scope, "%%%s", name);
    else if (id)
        snprintf(scope, sizeof scope, "%%%u", id);
    snprintf(text, NET_ADDRESS_TEXT, "[%s%s]:%u", host, scope,
             ntohs(address->in6.sin6_port));
}

const char *net_address_text(const struct net_address *address,
                             char text[NET_ADDRESS_TEXT])
{
    char host[INET_ADDRSTRLEN] = "";

    switch (family_of(address)) {
    case AF_INET:
        inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof host);
        snprintf(text, NET_ADDRESS_TEXT, "%s:%u", host,
                 ntohs(address->in.sin_port));
        break;
    case AF_INET6:
        ipv6_text(address, text);
        break;
    case AF_UNIX:
        path_text(address, text);
        break;
    default:
        snprintf(text, NET_ADDRESS_TEXT, "none");
    }
    return text;
}

unsigned net_address_port(const struct net_address *address)
{
    switch (family_of(address)) {
    case AF_INET:
        return ntohs(address->in.sin_port);
    case AF_INET6:
        return ntohs(address->in6.sin6_port);
    default:
        return 0;
    }
}

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
    int family = family_of(a);

    if (family != family_of(b))
        return false;
    switch (family) {
    case AF_INET:
        return a->in.sin_port == b->in.sin_port &&
               a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    case AF_INET6:
        return a->in6.sin6_port == b->in6.sin6_port &&
               a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
               memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
                      sizeof a->in6.sin6_addr) == 0;
    case AF_UNIX:
        return path_length(a) == path_length(b) &&
               memcmp(a->un.sun_path, b->un.sun_path, path_length(a)) == 0;
    default:
        return true;
    }
}

static int read_address(int (*read)(int, struct sockaddr *, socklen_t *),
                        int fd, struct net_address *address)
{
    struct net_address now = {0};

    now.length = sizeof now - offsetof(struct net_address, any);
    if (read(fd, &now.any, &now.length) != 0)
        return -1;
    *address = now;
    return 0;
}

int net_local(int fd, struct net_address *address)
{
    return read_address(getsockname, fd, address);
}

int net_peer(int fd, struct net_address *address)
{
    return read_address(getpeername, fd, address);
}
