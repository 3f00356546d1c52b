/*
 * Addresses and flags as words. Written here and not with inet_ntop(3), for
 * decode is pure C; IPv6 as RFC 5952 wants it: lower case, no leading zeros,
 * the longest run of zeros (the first of equals) as "::".
 */
#include <stdio.h>
#include <string.h>

#include "viz/decode/decode.h"

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

/* The longest run of at least two zero groups: where it starts (8: none) and
 * how many. */
static int zero_run(const uint16_t group[8], int *length)
{
    int best = 8;

    *length = 1;
    for (int i = 0; i < 8; i++) {
        int n = 0;

        while (i + n < 8 && group[i + n] == 0)
            n++;
        if (n > *length) {
            best = i;
            *length = n;
        }
        if (n > 0)
            i += n - 1;
    }
    return best;
}

static void ip6_text(const uint8_t *address, char *text, size_t size)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint16_t group[8];
    int run, zeros;
    size_t used = 0;

    if (memcmp(address, mapped, sizeof(mapped)) == 0) {
        snprintf(text, size, "::ffff:%u.%u.%u.%u", address[12], address[13],
                 address[14], address[15]);
        return;
    }
    for (int i = 0; i < 8; i++)
        group[i] = (uint16_t)(address[2 * i] << 8 | address[2 * i + 1]);
    run = zero_run(group, &zeros);
    for (int i = 0; i < 8 && used < size; i++) {
        if (i == run) {
            used += (size_t)snprintf(text + used, size - used, "::");
            i += zeros - 1;
            continue;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%x",
                                 i == 0 || i == run + zeros ? "" : ":",
                                 group[i]);
    }
}

char *endpoint_address(const struct endpoint *end, char *text, size_t size)
{
    const uint8_t *a = end->address;

    if (end->family == 4)
        snprintf(text, size, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
    else if (end->family == 6)
        ip6_text(a, text, size);
    else
        snprintf(text, size, "-");
    return text;
}

char *endpoint_text(const struct endpoint *end, char *text, size_t size)
{
    char address[46];

    endpoint_address(end, address, sizeof(address));
    snprintf(text, size, end->family == 6 ? "[%s]:%u" : "%s:%u", address,
             end->port);
    return text;
}

char *tcp_flags_text(uint8_t flags, char *text, size_t size)
{
    static const struct {
        uint8_t flag;
        const char *name;
    } names[] = {{TCP_SYN, "SYN"}, {TCP_FIN, "FIN"}, {TCP_RST, "RST"},
                 {TCP_PSH, "PSH"}, {TCP_URG, "URG"}, {TCP_ECE, "ECE"},
                 {TCP_CWR, "CWR"}, {TCP_ACK, "ACK"}};
    size_t used = 0;

    if (size > 0)
        text[0] = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((flags & names[i].flag) == 0 || used >= size)
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 used > 0 ? "," : "", names[i].name);
    }
    return text;
}
