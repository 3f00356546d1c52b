/* viz/decode: every link type, odd IP headers, TCP options, and above all that
 * no cut and no garbled packet makes it read past the end or tell an untruth.
 * Whole headers are compared with tshark's in check_track. */
#include "viz/decode/decode.h"

#include <arpa/inet.h>
#include <sys/mman.h>

#include "tests/unit/frames.h"

/* 10.0.0.1:4660 > 10.0.0.2:80, SYN,ACK, 3 bytes of data. */
static const uint8_t ip4[] = {
    0x45, 0,    0, 43, 0xab, 0xcd, 0x40, 0, 64,  6,   0,   0, /* IPv4 */
    10,   0,    0, 1,  10,   0,    0,    2,                   /* addresses */
    0x12, 0x34, 0, 80, 0,    0,    0,    1, 0,   0,   0,   2, /* TCP */
    0x50, 0x12, 1, 0,  0,    0,    0,    0, 'a', 'b', 'c',
};

/* fe80::1 > fe80::2, UDP 53 > 5353, 2 bytes. */
static const uint8_t ip6[] = {
    0x60, 0,    0,    0,    0, 10, 17, 255, /* IPv6 */
    0xfe, 0x80, 0,    0,    0, 0,  0,  0,   0,   0,
    0,    0,    0,    0,    0, 1, /* source */
    0xfe, 0x80, 0,    0,    0, 0,  0,  0,   0,   0,
    0,    0,    0,    0,    0, 2,                     /* destination */
    0,    53,   0x14, 0xe9, 0, 10, 0,  0,   'h', 'i', /* UDP */
};

/* A packet being put together. */
struct draft {
    uint8_t bytes[512];
    uint32_t length;
};

static void add(struct draft *draft, const void *bytes, uint32_t length)
{
    ck_assert_uint_le(draft->length + length, sizeof draft->bytes);
    memcpy(draft->bytes + draft->length, bytes, length);
    draft->length += length;
}
#define ADD(draft, ...)                        \
    add(draft, (const uint8_t[]){__VA_ARGS__}, \
        sizeof((const uint8_t[]){__VA_ARGS__}))

/* A copy of the bytes that ends where a page begins which may not be read: one
 * byte too many ends the test, with or without a sanitizer. */
static const uint8_t *guarded_copy(const uint8_t *bytes, uint32_t length)
{
    enum { ROOM = 128 * 1024, PAGE = 64 * 1024 };
    static uint8_t *area;

    must(length <= ROOM);
    if (area == NULL) {
        area = mmap(NULL, ROOM + PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        must(area != MAP_FAILED);
        must(mprotect(area + ROOM, PAGE, PROT_NONE) == 0);
    }
    memcpy(area + ROOM - length, bytes, length);
    return area + ROOM - length;
}

/* Decode out of exactly so many bytes; payload points nowhere then. */
static struct packet decode_exact(int link, const uint8_t *bytes,
                                  uint32_t captured, uint32_t length)
{
    struct packet packet = {.number = 7, .time_ns = 8, .length = length};
    const uint8_t *copy = guarded_copy(bytes, captured);
    enum decode_status status = decode_packet(link, copy, captured, &packet);

    must(status == packet.status);
    must(packet.number == 7);
    must(packet.time_ns == 8);
    must(packet.length == length);
    must(packet.captured == captured);
    must(packet.payload_captured <= captured);
    if (packet.payload_captured > 0) { /* and it can be read */
        must(packet.payload >= copy);
        must(packet.payload + packet.payload_captured <= copy + captured);
    }
    must(packet.payload_captured <= packet.payload_length);
    packet.payload = NULL;
    return packet;
}

static struct packet decode_draft(int link, const struct draft *draft)
{
    return decode_exact(link, draft->bytes, draft->length, draft->length);
}

static void expect_ip4(int link, const struct draft *draft)
{
    struct packet packet = decode_draft(link, draft);
    char text[64];

    ck_assert_int_eq(packet.status, DECODE_OK);
    ck_assert(packet.has_transport);
    ck_assert_str_eq(endpoint_text(&packet.source, text, sizeof text),
                     "10.0.0.1:4660");
    ck_assert_str_eq(endpoint_text(&packet.destination, text, sizeof text),
                     "10.0.0.2:80");
    ck_assert_uint_eq(packet.tcp.seq, 1);
    ck_assert_uint_eq(packet.tcp.ack, 2);
    ck_assert_uint_eq(packet.tcp.window, 256);
    ck_assert_uint_eq(packet.tcp.flags, TCP_SYN | TCP_ACK);
    ck_assert_uint_eq(packet.payload_length, 3);
    ck_assert_uint_eq(packet.ip_id, 0xabcd);
    ck_assert(packet.has_ip_id && packet.dont_fragment);
    ck_assert_uint_eq(packet.ttl, 64);
}

static void expect_ip6(int link, const struct draft *draft)
{
    struct packet packet = decode_draft(link, draft);
    char text[64];

    ck_assert_int_eq(packet.status, DECODE_OK);
    ck_assert_str_eq(endpoint_text(&packet.source, text, sizeof text),
                     "[fe80::1]:53");
    ck_assert_str_eq(endpoint_text(&packet.destination, text, sizeof text),
                     "[fe80::2]:5353");
    ck_assert_uint_eq(packet.protocol, PROTO_UDP);
    ck_assert_uint_eq(packet.payload_length, 2);
    ck_assert(!packet.has_ip_id);
}

/* --- links --------------------------------------------------------------- */

static const struct link_case {
    const char *name;
    int link;
    uint8_t header[32];
    uint32_t length;
    const uint8_t *above;
    uint16_t vlan;
} links[] = {
    {"Ethernet", LINK_ETHERNET, {[12] = 8, 0}, 14, ip4, 0},
    {"Ethernet, IPv6", LINK_ETHERNET, {[12] = 0x86, 0xdd}, 14, ip6, 0},
    {"VLAN", LINK_ETHERNET, {[12] = 0x81, 0, 0x60, 5, 8, 0}, 18, ip4, 5},
    {"QinQ",
     LINK_ETHERNET,
     {[12] = 0x88, 0xa8, 0, 7, 0x81, 0, 0, 9, 8, 0},
     22,
     ip4,
     7},
    {"NULL, little endian", LINK_NULL, {2, 0, 0, 0}, 4, ip4, 0},
    {"NULL, big endian", LINK_NULL, {0, 0, 0, 2}, 4, ip4, 0},
    {"NULL, IPv6 of macOS", LINK_NULL, {30, 0, 0, 0}, 4, ip6, 0},
    {"NULL, IPv6 of FreeBSD", LINK_NULL, {0, 0, 0, 28}, 4, ip6, 0},
    {"LOOP, IPv6 of OpenBSD", LINK_LOOP, {0, 0, 0, 24}, 4, ip6, 0},
    {"SLL", LINK_LINUX_SLL, {[14] = 8, 0}, 16, ip4, 0},
    {"SLL, VLAN", LINK_LINUX_SLL, {[14] = 0x81, 0, 0, 3, 8, 0}, 20, ip4, 3},
    {"SLL2", LINK_LINUX_SLL2, {0x86, 0xdd}, 20, ip6, 0},
    {"PPP", LINK_PPP, {0xff, 3, 0, 0x21}, 4, ip4, 0},
    {"PPP, short", LINK_PPP, {0x57}, 1, ip6, 0},
    {"raw", LINK_RAW, {0}, 0, ip4, 0},
    {"raw, IPv6", LINK_RAW, {0}, 0, ip6, 0},
    {"raw, number 12", LINK_RAW_BSD, {0}, 0, ip4, 0},
    {"raw, number 14", LINK_RAW_OPENBSD, {0}, 0, ip4, 0},
    {"IPv4", LINK_IPV4, {0}, 0, ip4, 0},
    {"IPv6", LINK_IPV6, {0}, 0, ip6, 0},
};

static struct draft link_draft(const struct link_case *test)
{
    struct draft draft = {.length = 0};

    add(&draft, test->header, test->length);
    if (test->above == ip4)
        add(&draft, ip4, sizeof ip4);
    else
        add(&draft, ip6, sizeof ip6);
    return draft;
}

START_TEST(every_link_type_leads_to_ip)
{
    const struct link_case *test = &links[_i];
    struct draft draft = link_draft(test);

    ck_assert_msg(decode_link_known(test->link), "%s", test->name);
    if (test->above == ip4)
        expect_ip4(test->link, &draft);
    else
        expect_ip6(test->link, &draft);
    ck_assert_uint_eq(decode_draft(test->link, &draft).vlan, test->vlan);
}
END_TEST

START_TEST(a_link_header_may_be_cut_anywhere)
{
    struct draft draft = link_draft(&links[_i]);

    for (uint32_t cut = 0; cut < draft.length; cut++)
        decode_exact(links[_i].link, draft.bytes, cut, draft.length);
}
END_TEST

START_TEST(what_is_not_ip_is_unknown)
{
    struct draft arp = {.length = 0}, tags = {.length = 0};

    ADD(&arp, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0, 1);
    ck_assert_int_eq(decode_draft(LINK_ETHERNET, &arp).status, DECODE_UNKNOWN);
    ck_assert_uint_eq(decode_draft(LINK_ETHERNET, &arp).source.family, 0);
    ck_assert_uint_eq(decode_draft(LINK_ETHERNET, &arp).type, TYPE_ARP);
    ck_assert_int_eq(decode_draft(105, &arp).status, DECODE_UNKNOWN);
    ck_assert(!decode_link_known(105));
    ADD(&tags, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    while (tags.length < 400) /* no end of VLAN tags */
        ADD(&tags, 0x81, 0, 0, 1);
    ck_assert_int_eq(decode_draft(LINK_ETHERNET, &tags).status, DECODE_UNKNOWN);
}
END_TEST

/* --- IP ------------------------------------------------------------------ */

static struct draft ip4_draft(void)
{
    struct draft draft = {.length = 0};

    add(&draft, ip4, sizeof ip4);
    return draft;
}

START_TEST(padding_is_not_payload)
{
    struct draft draft = {.length = 0};

    add(&draft, links[0].header, 14);
    add(&draft, ip4, sizeof ip4);
    ADD(&draft, 0, 0, 0, 0, 0, 0);
    expect_ip4(LINK_ETHERNET, &draft);
}
END_TEST

START_TEST(the_length_is_the_senders_not_the_captures)
{
    struct draft draft = ip4_draft();
    struct packet packet;

    draft.bytes[2] = 1500 >> 8;
    draft.bytes[3] = 1500 & 0xff;
    packet = decode_exact(LINK_RAW, draft.bytes, draft.length, 1500);
    ck_assert_int_eq(packet.status, DECODE_OK);
    ck_assert_uint_eq(packet.payload_length, 1460);
    ck_assert_uint_eq(packet.payload_captured, 3);
}
END_TEST

START_TEST(a_packet_shorter_than_it_says_is_short)
{
    struct draft draft = ip4_draft();
    struct packet packet;

    draft.bytes[3] = 200;
    packet = decode_draft(LINK_RAW, &draft);
    ck_assert_int_eq(packet.status, DECODE_SHORT);
    ck_assert(packet.has_transport);
    ck_assert_uint_eq(packet.payload_length, 3);
}
END_TEST

START_TEST(a_length_of_zero_means_segmentation_by_the_card)
{
    struct draft draft = ip4_draft();
    struct packet packet;

    draft.bytes[2] = draft.bytes[3] = 0;
    packet = decode_exact(LINK_RAW, draft.bytes, draft.length, 100040);
    ck_assert_int_eq(packet.status, DECODE_OK);
    ck_assert_uint_eq(packet.payload_length, 100000);
}
END_TEST

START_TEST(ip4_options_are_skipped)
{
    struct draft draft = {.length = 0};

    add(&draft, ip4, 20);
    draft.bytes[0] = 0x46;
    draft.bytes[3] += 4;
    ADD(&draft, 1, 1, 1, 0);
    add(&draft, ip4 + 20, sizeof ip4 - 20);
    expect_ip4(LINK_RAW, &draft);
}
END_TEST

START_TEST(contradictions_are_bad)
{
    static const struct {
        uint8_t at, value;
    } wrong[] = {
        {0, 0x44},  /* IPv4 header of 16 bytes */
        {3, 19},    /* IPv4 packet shorter than its header */
        {32, 0x40}, /* TCP header of 16 bytes */
        {32, 0xf0}, /* TCP header longer than the packet */
    };

    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        struct draft draft = ip4_draft();
        struct packet packet;

        draft.bytes[wrong[n].at] = wrong[n].value;
        packet = decode_draft(LINK_RAW, &draft);
        ck_assert_int_eq(packet.status, DECODE_BAD);
        ck_assert(!packet.has_transport);
        ck_assert_uint_eq(packet.source.family, 4);
    }
}
END_TEST

START_TEST(later_fragments_have_no_ports)
{
    struct draft draft = ip4_draft();
    struct packet packet;

    draft.bytes[6] = 0x20;
    draft.bytes[7] = 185;
    packet = decode_draft(LINK_RAW, &draft);
    ck_assert_int_eq(packet.status, DECODE_OK);
    ck_assert_uint_eq(packet.fragment_offset, 1480);
    ck_assert(packet.more_fragments && !packet.has_transport);
    ck_assert_uint_eq(packet.source.port, 0);
    ck_assert_uint_eq(packet.payload_length, 23);
    draft.bytes[6] = 0x1f;
    draft.bytes[7] = 0xff;
    packet = decode_draft(LINK_RAW, &draft);
    ck_assert_uint_eq(packet.fragment_offset, 65528);
    ck_assert(!packet.more_fragments && !packet.dont_fragment);
}
END_TEST

/* An IPv6 packet whose UDP datagram lies behind the given headers. */
static struct draft ip6_behind(uint8_t first, const uint8_t *headers,
                               uint32_t length)
{
    struct draft draft = {.length = 0};

    add(&draft, ip6, 40);
    draft.bytes[5] = (uint8_t)(10 + length);
    draft.bytes[6] = first;
    add(&draft, headers, length);
    add(&draft, ip6 + 40, 10);
    return draft;
}

START_TEST(extension_headers_are_passed)
{
    static const uint8_t headers[] = {
        60, 0, 1, 4, 0, 0, 0, 0,                         /* hop by hop */
        43, 0, 1, 4, 0, 0, 0, 0,                         /* destination */
        51, 0, 0, 0, 0, 0, 0, 0,                         /* routing */
        17, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, /* authentication */
    };
    struct draft draft = ip6_behind(0, headers, sizeof headers);

    expect_ip6(LINK_IPV6, &draft);
    for (uint32_t cut = 0; cut < draft.length; cut++)
        decode_exact(LINK_IPV6, draft.bytes, cut, draft.length);
}
END_TEST

START_TEST(a_fragment_header_is_read)
{
    static const uint8_t first[] = {17, 0, 0, 1, 1, 2, 3, 4};
    static const uint8_t later[] = {17, 0, 5, 0xa8, 1, 2, 3, 4};
    struct draft draft = ip6_behind(44, first, sizeof first);
    struct packet packet = decode_draft(LINK_IPV6, &draft);

    ck_assert(packet.has_transport && packet.more_fragments);
    ck_assert_uint_eq(packet.ip_id, 0x01020304);
    draft = ip6_behind(44, later, sizeof later);
    packet = decode_draft(LINK_IPV6, &draft);
    ck_assert(!packet.has_transport && !packet.more_fragments);
    ck_assert_uint_eq(packet.fragment_offset, 1448);
    ck_assert_uint_eq(packet.protocol, PROTO_UDP);
}
END_TEST

START_TEST(no_chain_of_extension_headers_is_endless)
{
    uint8_t headers[200] = {0};
    struct draft draft;

    for (size_t n = 0; n < sizeof headers; n += 8)
        headers[n] = 60;
    draft = ip6_behind(60, headers, sizeof headers);
    ck_assert_int_eq(decode_draft(LINK_IPV6, &draft).status, DECODE_UNKNOWN);
}
END_TEST

/* --- TCP options --------------------------------------------------------- */

static struct packet with_options(const uint8_t *options, uint32_t length)
{
    struct draft draft = {.length = 0};

    ck_assert_uint_eq(length % 4, 0);
    add(&draft, ip4, 40);
    draft.bytes[3] = (uint8_t)(40 + length);
    draft.bytes[32] = (uint8_t)((5 + length / 4) << 4);
    add(&draft, options, length);
    return decode_draft(LINK_RAW, &draft);
}
#define OPTIONS(...)                             \
    with_options((const uint8_t[]){__VA_ARGS__}, \
                 sizeof((const uint8_t[]){__VA_ARGS__}))

START_TEST(options_are_read)
{
    struct packet packet = OPTIONS(
        2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3,
        20); /* the scale is too large and counts as 14 */
    const struct tcp_options *options = &packet.tcp.options;

    ck_assert_int_eq(packet.status, DECODE_OK);
    ck_assert_int_eq(options->has,
                     OPT_MSS | OPT_SACK_OK | OPT_TIMESTAMP | OPT_WSCALE);
    ck_assert_uint_eq(options->mss, 1460);
    ck_assert_uint_eq(options->window_scale, 14);
    ck_assert_uint_eq(options->ts_value, 1);
    ck_assert_uint_eq(options->ts_echo, 2);
    packet = OPTIONS(5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 1,
                     1);
    ck_assert_int_eq(packet.tcp.options.has, OPT_SACK);
    ck_assert_uint_eq(packet.tcp.options.sack_count, 2);
    ck_assert_uint_eq(packet.tcp.options.sack[1].right, 4);
    packet = OPTIONS(34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1);
    ck_assert_int_eq(packet.tcp.options.has, OPT_FASTOPEN);
    packet = OPTIONS(254, 4, 0xf9, 0x89);
    ck_assert_int_eq(packet.tcp.options.has, OPT_FASTOPEN);
}
END_TEST

START_TEST(an_unknown_option_is_passed_and_an_end_ends)
{
    struct packet packet = OPTIONS(99, 5, 0, 0, 0, 4, 2, 1);

    ck_assert_int_eq(packet.status, DECODE_OK);
    ck_assert_int_eq(packet.tcp.options.has, OPT_SACK_OK);
    packet = OPTIONS(0, 4, 2, 0);
    ck_assert_int_eq(packet.tcp.options.has, 0);
}
END_TEST

START_TEST(a_bad_option_length_keeps_what_came_before)
{
    struct packet packets[] = {
        OPTIONS(4, 2, 2, 0),
        OPTIONS(4, 2, 2, 1),
        OPTIONS(4, 2, 2, 60),
        OPTIONS(4, 2, 1, 2),
        OPTIONS(4, 2, 3, 2),
        OPTIONS(4, 2, 5, 2),
        OPTIONS(2, 3, 5, 1, 4, 2, 1, 1), /* passed by, and what is behind */
    };

    for (size_t n = 0; n < sizeof packets / sizeof *packets; n++) {
        ck_assert_int_eq(packets[n].status, DECODE_BAD);
        ck_assert(packets[n].has_transport); /* the kernel takes it, too */
        ck_assert_uint_eq(packets[n].tcp.seq, 1);
        ck_assert_int_eq(packets[n].tcp.options.has, OPT_SACK_OK);
    }
}
END_TEST

/* --- UDP and ICMP -------------------------------------------------------- */

START_TEST(udp_lengths_are_judged)
{
    static const struct {
        uint8_t length;
        enum decode_status status;
        uint32_t payload;
    } cases[] = {{9, DECODE_OK, 1},
                 {8, DECODE_OK, 0},
                 {0, DECODE_OK, 2},
                 {7, DECODE_BAD, 0},
                 {200, DECODE_SHORT, 2}};

    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct draft draft = {.length = 0};
        struct packet packet;

        add(&draft, ip6, sizeof ip6);
        draft.bytes[45] = cases[n].length;
        packet = decode_draft(LINK_IPV6, &draft);
        ck_assert_int_eq(packet.status, cases[n].status);
        ck_assert_uint_eq(packet.payload_length, cases[n].payload);
        ck_assert_uint_eq(packet.source.port, 53);
    }
}
END_TEST

START_TEST(arp_says_who_asks_for_whom)
{
    struct draft draft = {.length = 0};
    struct packet packet;

    ADD(&draft, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0, 1, 8, 0, 6, 4);
    ADD(&draft, 0, 1, 2, 3, 4, 5, 6, 7, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0);
    ADD(&draft, 10, 0, 0, 9);
    for (uint32_t cut = 14; cut < draft.length; cut++) {
        packet = decode_exact(LINK_ETHERNET, draft.bytes, cut, draft.length);
        ck_assert_uint_eq(packet.arp.operation, 0);
    }
    packet = decode_draft(LINK_ETHERNET, &draft);
    ck_assert_int_eq(packet.status, DECODE_UNKNOWN);
    ck_assert_uint_eq(packet.source.family, 0);
    ck_assert(!packet.has_transport);
    ck_assert_uint_eq(packet.arp.operation, ARP_REQUEST);
    ck_assert_mem_eq(packet.arp.sender, ((uint8_t[]){10, 0, 0, 1}), 4);
    ck_assert_mem_eq(packet.arp.target, ((uint8_t[]){10, 0, 0, 9}), 4);
    ck_assert_mem_eq(packet.arp.card, ((uint8_t[]){2, 3, 4, 5, 6, 7}), 6);
    draft.bytes[19] = 16; /* addresses that are no IPv4 ones */
    ck_assert_uint_eq(decode_draft(LINK_ETHERNET, &draft).arp.operation, 0);
}
END_TEST

START_TEST(an_icmp_error_tells_the_mtu_of_the_next_link)
{
    struct draft draft = {.length = 0};

    add(&draft, ip4, 20);
    draft.bytes[9] = PROTO_ICMP;
    draft.bytes[3] = 20 + 8;
    ADD(&draft, 3, 4, 0, 0, 0xFF, 0xFF, 0x05, 0x14);
    ck_assert_uint_eq(decode_draft(LINK_RAW, &draft).icmp.mtu, 1300);
    draft.bytes[21] = 3; /* a port is unreachable: no MTU there */
    ck_assert_uint_eq(decode_draft(LINK_RAW, &draft).icmp.mtu, 0);
}
END_TEST

START_TEST(an_icmp_error_quotes_its_packet)
{
    struct draft draft = {.length = 0};
    struct packet packet;

    add(&draft, ip4, 20);
    draft.bytes[9] = PROTO_ICMP;
    draft.bytes[3] = 20 + 8 + 28;
    ADD(&draft, 3, 3, 0, 0, 0, 0, 0, 0);
    add(&draft, ip4, 28); /* its header and 8 bytes, as routers do */
    packet = decode_draft(LINK_RAW, &draft);
    ck_assert_int_eq(packet.status, DECODE_OK);
    ck_assert(packet.icmp.quotes);
    ck_assert_uint_eq(packet.icmp.quoted_protocol, PROTO_TCP);
    ck_assert_uint_eq(packet.icmp.quoted_source.port, 4660);
    ck_assert_uint_eq(packet.icmp.quoted_destination.port, 80);
    packet = decode_exact(LINK_RAW, draft.bytes, 28 + 23, draft.length);
    ck_assert(packet.has_transport && !packet.icmp.quotes);
    draft.bytes[28] = 0x65; /* no IPv4, so nobody's addresses */
    ck_assert(!decode_draft(LINK_RAW, &draft).icmp.quotes);
    draft.bytes[28] = 0x45;
    draft.bytes[20] = 8; /* an echo quotes nothing */
    ck_assert(!decode_draft(LINK_RAW, &draft).icmp.quotes);
}
END_TEST

/* --- hostile packets ----------------------------------------------------- */

/* What is set is true: a cut packet says the same as the whole one, or says
 * nothing. */
static void expect_true_part(const struct packet *cut,
                             const struct packet *whole)
{
    if (cut->source.family != 0) {
        must(cut->source.family == whole->source.family);
        must(memcmp(cut->source.address, whole->source.address, 16) == 0);
    }
    if (!cut->has_transport)
        return;
    must(endpoint_equal(&cut->source, &whole->source));
    must(endpoint_equal(&cut->destination, &whole->destination));
    must(cut->payload_length == whole->payload_length);
    if (whole->protocol == PROTO_TCP) {
        must(cut->tcp.seq == whole->tcp.seq);
        must(cut->tcp.ack == whole->tcp.ack);
        must(cut->tcp.flags == whole->tcp.flags);
        must(cut->tcp.window == whole->tcp.window);
        must((cut->tcp.options.has & ~whole->tcp.options.has) == 0);
    }
}

START_TEST(every_packet_may_be_cut_at_every_byte)
{
    struct frames frames;

    frames_load(&frames, stored_captures[_i]);
    for (size_t n = 0; n < frames.count; n++) {
        const struct frame *frame = &frames.at[n];
        struct packet whole = frame_packet(&frames, n);

        for (uint32_t cut = 0; cut < frame->captured; cut++) {
            struct packet packet = decode_exact(frames.link, frame->bytes, cut,
                                                frame->length);

            expect_true_part(&packet, &whole);
        }
    }
    frames_free(&frames);
}
END_TEST

enum { MUTATIONS = 200000, ROUNDS = 8 };

START_TEST(garbled_packets_are_survived)
{
    static const int all[] = {0, 1, 9, 12, 101, 108, 113, 228, 229, 276};
    struct frames frames;
    uint64_t random = (uint64_t)_i + 1;

    frames_load(&frames, stored_captures[_i % STORED_CAPTURES]);
    for (int n = 0; n < MUTATIONS / ROUNDS; n++) {
        const struct frame *frame =
            &frames.at[next_random(&random) % frames.count];
        uint32_t captured = frame->captured < 160 ? frame->captured : 160;
        uint8_t copy[160];
        uint32_t flips = 1 + next_random(&random) % 6;
        int link = next_random(&random) % 8 != 0
                       ? frames.link
                       : all[next_random(&random) % 10];

        memcpy(copy, frame->bytes, captured);
        while (flips-- > 0)
            copy[next_random(&random) % captured] = (uint8_t)next_random(
                &random);
        decode_exact(link, copy, captured,
                     next_random(&random) % 4 ? frame->length : 0);
    }
    frames_free(&frames);
}
END_TEST

/* --- text ---------------------------------------------------------------- */

static void expect_like_inet_ntop(const struct endpoint *end)
{
    char ours[64], theirs[64];

    ck_assert_ptr_nonnull(inet_ntop(end->family == 4 ? AF_INET : AF_INET6,
                                    end->address, theirs, sizeof theirs));
    ck_assert_str_eq(endpoint_address(end, ours, sizeof ours), theirs);
}

START_TEST(addresses_are_written_as_inet_ntop_writes_them)
{
    uint64_t random = 1;

    for (int n = 0; n < 20000; n++) {
        struct endpoint end = {.family = n % 4 ? 6 : 4};

        for (int i = 0; i < (end.family == 4 ? 4 : 16); i++)
            if (next_random(&random) % 3 == 0)
                end.address[i] = (uint8_t)next_random(&random);
        if (end.family == 6) /* ::1.2.3.4 is no form of ours */
            end.address[0] |= 1;
        expect_like_inet_ntop(&end);
    }
}
END_TEST

START_TEST(known_addresses)
{
    static const struct {
        uint8_t address[16];
        const char *text;
    } known[] = {
        {{0}, "::"},
        {{[15] = 1}, "::1"},
        {{[10] = 0xff, 0xff, 127, 0, 0, 1}, "::ffff:127.0.0.1"},
        {{0x20, 1, 0xd, 0xb8, [13] = 1, [15] = 1}, "2001:db8::1:1"},
        {{0, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0, 0, 0, 0, 0, 5}, "1:0:2:3:4::5"},
        {{0, 1, [15] = 0}, "1::"},
    };
    char text[64];

    for (size_t n = 0; n < sizeof known / sizeof *known; n++) {
        struct endpoint end = {.family = 6};

        memcpy(end.address, known[n].address, 16);
        ck_assert_str_eq(endpoint_address(&end, text, sizeof text),
                         known[n].text);
    }
}
END_TEST

START_TEST(flags_are_written_as_people_say_them)
{
    char text[40];

    ck_assert_str_eq(tcp_flags_text(TCP_SYN | TCP_ACK, text, sizeof text),
                     "SYN,ACK");
    ck_assert_str_eq(
        tcp_flags_text(TCP_FIN | TCP_PSH | TCP_ACK, text, sizeof text),
        "FIN,PSH,ACK");
    ck_assert_str_eq(tcp_flags_text(0, text, sizeof text), "");
    ck_assert_str_eq(tcp_flags_text(0xff, text, sizeof text),
                     "SYN,FIN,RST,PSH,URG,ECE,CWR,ACK");
    tcp_flags_text(0xff, text, 6); /* cut, but ended */
    ck_assert_uint_le(strlen(text), 5);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("decode");
    int link_count = (int)(sizeof links / sizeof *links);

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_link_type_leads_to_ip, 0, link_count);
    tcase_add_loop_test(tests, a_link_header_may_be_cut_anywhere, 0,
                        link_count);
    tcase_add_test(tests, what_is_not_ip_is_unknown);
    tcase_add_test(tests, padding_is_not_payload);
    tcase_add_test(tests, the_length_is_the_senders_not_the_captures);
    tcase_add_test(tests, a_packet_shorter_than_it_says_is_short);
    tcase_add_test(tests, a_length_of_zero_means_segmentation_by_the_card);
    tcase_add_test(tests, ip4_options_are_skipped);
    tcase_add_test(tests, contradictions_are_bad);
    tcase_add_test(tests, later_fragments_have_no_ports);
    tcase_add_test(tests, extension_headers_are_passed);
    tcase_add_test(tests, a_fragment_header_is_read);
    tcase_add_test(tests, no_chain_of_extension_headers_is_endless);
    tcase_add_test(tests, options_are_read);
    tcase_add_test(tests, an_unknown_option_is_passed_and_an_end_ends);
    tcase_add_test(tests, a_bad_option_length_keeps_what_came_before);
    tcase_add_test(tests, udp_lengths_are_judged);
    tcase_add_test(tests, arp_says_who_asks_for_whom);
    tcase_add_test(tests, an_icmp_error_tells_the_mtu_of_the_next_link);
    tcase_add_test(tests, an_icmp_error_quotes_its_packet);
    tcase_add_loop_test(tests, every_packet_may_be_cut_at_every_byte, 0,
                        STORED_CAPTURES);
    tcase_add_loop_test(tests, garbled_packets_are_survived, 0, ROUNDS);
    tcase_add_test(tests, addresses_are_written_as_inet_ntop_writes_them);
    tcase_add_test(tests, known_addresses);
    tcase_add_test(tests, flags_are_written_as_people_say_them);
    return run_suite("decode", tests);
}
