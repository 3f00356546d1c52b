/*
 * Any bytes as a frame of any link type. Promises: nothing outside the frame
 * is read, the payload lies inside it, and what is said to be set makes sense.
 *
 *   link type, how many bytes more were on the wire (2), the frame
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    int link = links[input_u8(&input) % (sizeof links / sizeof *links)];
    uint32_t more = input_u16(&input);
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
    return 0;
}
