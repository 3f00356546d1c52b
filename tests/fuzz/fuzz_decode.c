/*
 * Any bytes as a frame of any link type. Promises: nothing outside the frame
 * is read, the payload lies inside it, and what is said to be set makes sense.
 *
 *   link type, how many bytes more were on the wire (2), the frame;
 *   link type from 0xfc on: the frame's headers are a byte each
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "viz/decode/decode.h"

static const int links[] = {
    LINK_NULL, LINK_ETHERNET, LINK_PPP,        LINK_RAW_BSD,
    LINK_RAW,  LINK_LOOP,     LINK_LINUX_SLL,  LINK_RAW_OPENBSD,
    LINK_IPV4, LINK_IPV6,     LINK_LINUX_SLL2, 147 /* none of ours */
};

JUDGE static void check_end(const struct endpoint *end)
{
    static const uint8_t nothing[12];
    char text[54];

    must(end->family == 0 || end->family == 4 || end->family == 6);
    if (end->family == 4)
        must(memcmp(end->address + 4, nothing, sizeof nothing) == 0);
    must(strlen(endpoint_text(end, text, sizeof text)) < sizeof text);
    must(strlen(endpoint_address(end, text, 46)) < 46);
    must(endpoint_equal(end, end));
}

JUDGE static void check_payload(const struct packet *packet,
                                const uint8_t *bytes, size_t size)
{
    must(packet->payload_captured <= packet->payload_length);
    if (packet->payload_captured == 0)
        return;
    must(packet->payload >= bytes && packet->payload <= bytes + size);
    must(packet->payload_captured <= (size_t)(bytes + size - packet->payload));
}

JUDGE static void check_transport(const struct packet *packet)
{
    char text[40];

    must(packet->source.family != 0 &&
         packet->source.family == packet->destination.family);
    must(packet->fragment_offset == 0);
    switch (packet->protocol) {
    case PROTO_TCP:
        must(packet->tcp.options.sack_count <= TCP_SACK_BLOCKS);
        must(packet->tcp.options.window_scale <= 14);
        must(strlen(tcp_flags_text(packet->tcp.flags, text, sizeof text)) <
             sizeof text);
        break;
    case PROTO_ICMP:
    case PROTO_ICMP6:
        check_end(&packet->icmp.quoted_source);
        check_end(&packet->icmp.quoted_destination);
        break;
    default:
        must(packet->protocol == PROTO_UDP);
    }
}

/* A header that fits behind any other: it says there what comes, and its length
 * field tells of all that follows. */
struct header {
    uint16_t ethertype; /* 0: none of its own */
    uint8_t protocol;   /* of IP */
    uint8_t size;
    uint8_t next_at, next_size; /* where it says what comes; 0: nowhere */
    uint8_t length_at;          /* 0: none */
    bool counts_itself;
    uint8_t bytes[40];
};

static const struct header headers[32] = {
    {.size = 14, .next_at = 12, .next_size = 2}, /* Ethernet */
    {0x8100, 0, 4, 2, 2, 0, false, {0, 5}},
    {0x88a8, 0, 4, 2, 2, 0, false, {0, 6}},
    {0x9100, 0, 4, 2, 2, 0, false, {0, 7}},
    {.size = 16, .next_at = 14, .next_size = 2, .bytes = {0, 4}}, /* SLL */
    {.size = 20, .next_at = 0, .next_size = 2},                   /* SLL2 */
    {.size = 4, .bytes = {2}},
    {.size = 4, .bytes = {0, 0, 0, 30}},
    {.size = 4, .bytes = {0xff, 3, 0, 0x21}},
    {.size = 1, .bytes = {0x57}},
    {0x0800, 4, 20, 9, 1, 2, true, {0x45, [12] = 127, [15] = 1, 127, 0, 0, 1}},
    {0x0800, 4, 24, 9, 1, 2, true, {0x46, [12] = 127, [16] = 127, [20] = 1}},
    {0x0800, 4, 20, 9, 1, 2, true, {0x45, [6] = 0x20}}, /* first piece */
    {0x0800, 4, 20, 9, 1, 2, true, {0x45, [6] = 0, 185}},
    {0x86dd, 41, 40, 6, 1, 4, false, {0x60, [23] = 1, [39] = 1}},
    {0, 0, 8, 0, 1, 0, false, {0}}, /* hop by hop */
    {0, 43, 8, 0, 1, 0, false, {0}},
    {0, 44, 8, 0, 1, 0, false, {0, 0, 0, 1}}, /* first piece */
    {0, 44, 8, 0, 1, 0, false, {0, 0, 5, 0xc8}},
    {0, 51, 12, 0, 1, 0, false, {0, 1}},
    {0, 60, 16, 0, 1, 0, false, {0, 1}},
    {0, 6, 20, 0, 0, 0, false, {0x9c, 0x40, 0x1b, 0x59, [12] = 0x50, 18, 1}},
    {0, 17, 8, 0, 0, 4, true, {0x9c, 0x40, 0x1b, 0x59}},
    {0, 1, 8, 0, 0, 0, false, {3, 3}},
    {0, 1, 8, 0, 0, 0, false, {8}},
    {0, 58, 8, 0, 0, 0, false, {1, 4}},
    {0, 59, 0, 0, 0, 0, false, {0}},
    {.size = 12, .bytes = {2, 4, 0xff, 0xd7, 4, 2, 1, 3, 3, 7, 1, 1}},
    {.size = 12, .bytes = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
    {.size = 20, .bytes = {1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3}},
    {.size = 8, .bytes = {254, 4, 0xf9, 0x89, 34, 2, 3, 9}}, /* and a lie */
    {.size = 10, .bytes = "payload..."},
};

struct frame {
    uint8_t bytes[1024];
    size_t length;
    size_t next_at, next_size; /* what comes is said there; 0: nowhere */
    size_t tcp_at;             /* the TCP header that options belong to */
    size_t length_at[32];      /* fields, and what they count from */
    size_t counts_from[32];
    int8_t off[32]; /* how far from the truth */
    int lengths;
};

static void put_u16(uint8_t *at, size_t number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

static void add_header(struct frame *frame, const struct header *header,
                       int8_t off)
{
    size_t at = frame->length;

    if (at + header->size > sizeof frame->bytes || frame->lengths == 32)
        return;
    if (frame->next_size == 2)
        put_u16(frame->bytes + frame->next_at, header->ethertype);
    else if (frame->next_size == 1)
        frame->bytes[frame->next_at] = header->protocol;
    memcpy(frame->bytes + at, header->bytes, header->size);
    frame->length += header->size;
    frame->next_at = at + header->next_at;
    frame->next_size = header->next_size;
    if (header->protocol == PROTO_TCP)
        frame->tcp_at = at;
    else if (frame->tcp_at > 0 && header->size % 4 == 0) /* options */
        frame->bytes[frame->tcp_at + 12] += (uint8_t)(header->size << 2 & 0xf0);
    if (header->length_at == 0)
        return;
    frame->length_at[frame->lengths] = at + header->length_at;
    frame->counts_from[frame->lengths] =
        at + (header->counts_itself ? 0 : header->size);
    frame->off[frame->lengths++] = off;
}

/* A header a byte (bits 0-4); bits 5-7: how far its length field is from the
 * truth, or that something of it is the next two bytes: where, what. */
static void build(struct frame *frame, struct input *input)
{
    static const int8_t offs[8] = {0, 0, 0, -1, 1, -20, 100, 0};

    while (input->left > 0) {
        uint8_t byte = input_u8(input);
        size_t at = frame->length;

        add_header(frame, &headers[byte & 31], offs[byte >> 5]);
        if (byte >> 5 == 7 && frame->length > at) {
            at += input_u8(input) % (frame->length - at);
            frame->bytes[at] = input_u8(input);
        }
    }
    for (int i = 0; i < frame->lengths; i++)
        put_u16(frame->bytes + frame->length_at[i],
                frame->length - frame->counts_from[i] +
                    (size_t)(ptrdiff_t)frame->off[i]);
}

static void check(int link, uint32_t more, struct input input)
{
    uint32_t captured = (uint32_t)input.left;
    struct packet packet = {
        .number = 7, .time_ns = -1, .length = captured + more};
    enum decode_status status = decode_packet(link, input.at, captured,
                                              &packet);

    must(status == packet.status && status <= DECODE_BAD);
    must(packet.number == 7 && packet.time_ns == -1);
    must(packet.length == captured + more && packet.captured == captured);
    must(decode_link_known(link) || status == DECODE_UNKNOWN);
    check_end(&packet.source);
    check_end(&packet.destination);
    check_payload(&packet, input.at, captured);
    if (packet.has_transport)
        check_transport(&packet);
    else
        must(status != DECODE_OK || packet.fragment_offset != 0);
}

/* In memory of its own, so that a byte too many is seen. */
static void check_built(uint8_t how, struct input *input)
{
    int link = links[input_u8(input) % (sizeof links / sizeof *links)];
    uint32_t other = how & 3 ? input_u8(input) : 0;
    struct frame frame = {.length = 0};
    uint8_t *copy;

    build(&frame, input);
    if (how & 2) /* cut off, and still there on the wire */
        frame.length -= other < frame.length ? other : 0;
    copy = malloc(frame.length + 1);
    must(copy != NULL);
    memcpy(copy, frame.bytes, frame.length);
    check(link, how & 1 ? other : 0, (struct input){copy, frame.length});
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint8_t first = input_u8(&input);

    if (first >= 0xfc) {
        check_built(first, &input);
    } else {
        uint32_t more = input_u16(&input);

        check(links[first % (sizeof links / sizeof *links)], more, input);
    }
    return 0;
}
