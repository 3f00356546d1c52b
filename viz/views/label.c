/* See label.h. */
#include "viz/views/label.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "viz/decode/decode.h"

/* --- payload --------------------------------------------------------------- */

/* A text that grows up to a limit of columns and bytes. */
struct line {
    char *text;
    size_t length;
    int columns, most;
    bool full;
};

static void line_add(struct line *line, const char *bytes, size_t length,
                     int columns)
{
    if (line->columns + columns > line->most || line->length + length >= WORDS)
        line->full = true;
    if (line->full)
        return;
    memcpy(line->text + line->length, bytes, length);
    line->length += length;
    line->columns += columns;
    line->text[line->length] = '\0';
}

/* Whether the bytes are no text in UTF-8: what looks like letters in them is
 * chance, and letters of any script, written from right to left too, would
 * make a row unreadable. A last character may be cut. */
static bool is_binary(const char *bytes, size_t left)
{
    enum { LONGEST = 4 };

    while (left > 0) {
        size_t rest = left;
        uint32_t code = utf8_next(&bytes, &left);

        if (code == 0xFFFD && rest >= LONGEST)
            return true;
        if (code < ' ' && code != '\t' && code != '\n' && code != '\r')
            return true;
    }
    return false;
}

/* One character of payload: as it is when printable, else as C writes it. */
static void line_add_payload(struct line *line, const char **bytes,
                             size_t *left, bool binary)
{
    static const char escapes[128][3] = {
        ['\0'] = "\\0", ['\t'] = "\\t", ['\n'] = "\\n",
        ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\",
    };
    const char *from = *bytes;
    uint32_t code = utf8_next(bytes, left);
    int width = code_width(code);

    if (code < 128 && escapes[code][0])
        line_add(line, escapes[code], 2, 2);
    else if (width < 1 || code == 0xFFFD || (binary && code > 126))
        line_add(line, ".", 1, 1);
    else
        line_add(line, from, (size_t)(*bytes - from), width);
}

/* The bytes in quotes, in `columns`; with an ellipsis when `cut`. */
static bool quote(const char *bytes, size_t left, int columns, bool cut,
                  char text[WORDS])
{
    struct line line = {.text = text, .most = columns - (cut ? 2 : 1)};
    bool binary = is_binary(bytes, left);

    line_add(&line, "\"", 1, 1);
    while (left > 0 && !line.full)
        line_add_payload(&line, &bytes, &left, binary);
    if (line.full && !cut)
        return false;
    line.full = false;
    line.most = columns;
    if (cut)
        line_add(&line, "\xE2\x80\xA6", 3, 1);
    line_add(&line, "\"", 1, 1);
    return true;
}

char *payload_text(const struct store_row *row, int columns, char text[WORDS])
{
    const char *bytes = (const char *)row->payload;
    size_t length = row->packet.payload_captured;

    text[0] = '\0';
    if (length > STORE_PAYLOAD)
        length = STORE_PAYLOAD;
    if (length == 0 || columns < 4)
        return text;
    if (length < row->packet.payload_length ||
        !quote(bytes, length, columns, false, text))
        quote(bytes, length, columns, true, text);
    return text;
}

/* --- labels ---------------------------------------------------------------- */

static void add(char text[WORDS], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(char text[WORDS], const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + length, WORDS - length, format, arguments);
    va_end(arguments);
}

/* How much a label says, from all to hardly anything. */
enum detail {
    DETAIL_ALL,     /* window and options too */
    DETAIL_NUMBERS, /* flags, sequence numbers, length, payload */
    DETAIL_SEQ,     /* without the acknowledgement that data carries */
    DETAIL_FLAGS,   /* flags, length, payload */
    DETAIL_DATA,    /* data: its length and payload; else flags */
    DETAIL_PAYLOAD, /* data: its payload; else flags */
    DETAIL_LEAST,   /* one word */
    DETAILS
};

static void add_options(char text[WORDS], const struct tcp_options *options)
{
    if (options->has & OPT_MSS)
        add(text, " mss=%u", options->mss);
    if (options->has & OPT_WSCALE)
        add(text, " wscale=%u", options->window_scale);
    if (options->has & OPT_SACK_OK)
        add(text, " sack-ok");
}

/* What it has beyond a hole, counted as ack is; the newest block comes first
 * (RFC 2018 4), behind one that came twice. */
static void add_sack(char text[WORDS], const struct store_row *row)
{
    const struct tcp_header *tcp = &row->packet.tcp;
    uint32_t first = tcp->ack - row->note.relative_ack;
    int at = row->note.dsack ? 1 : 0, more = tcp->options.sack_count - at - 1;

    if (more < 0)
        return;
    add(text, " sack=%u-%u", tcp->options.sack[at].left - first,
        tcp->options.sack[at].right - first);
    if (more > 0)
        add(text, "+%d", more);
}

/* What is special about it, and stands even where room is short. */
static void add_specials(char text[WORDS], const struct store_row *row)
{
    const struct note *note = &row->note;

    if (row->packet.tcp.options.has & OPT_FASTOPEN)
        add(text, " fastopen");
    if (note->dsack)
        add(text, " dsack");
    add_sack(text, row);
    if (note->reset != RESET_NONE)
        add(text, " %s", reset_text(note->reset));
    if (note->pieces > 1)
        add(text, " (%u segments)", note->pieces);
}

static bool has_verdict(const struct store_row *row, enum verdict_name name)
{
    for (int i = 0; i < row->note.verdict_count; i++) {
        if (row->note.verdicts[i].name == name)
            return true;
    }
    return false;
}

/* An ACK repeats its sequence number for nothing, unless that is the point. */
static bool seq_matters(const struct store_row *row)
{
    return row->packet.payload_length > 0 || row->packet.tcp.flags != TCP_ACK ||
           has_verdict(row, VERDICT_KEEP_ALIVE) ||
           has_verdict(row, VERDICT_ZERO_WINDOW_PROBE);
}

/* So is a window that shuts or opens. */
static bool window_matters(const struct store_row *row)
{
    return has_verdict(row, VERDICT_ZERO_WINDOW) ||
           has_verdict(row, VERDICT_WINDOW_UPDATE);
}

static void tcp_label(const struct store_row *row, enum detail detail,
                      char text[WORDS])
{
    const struct packet *packet = &row->packet;
    const struct tcp_header *tcp = &packet->tcp;
    uint32_t length = packet->payload_length;
    char flags[48];
    bool is_ack = length == 0 && tcp->flags == TCP_ACK;

    tcp_flags_text(tcp->flags, flags, sizeof flags);
    if (length == 0 || detail <= DETAIL_FLAGS)
        add(text, "%s", flags);
    else if (tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST))
        add(text, "%s%s",
            tcp_flags_text(tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST), flags,
                           sizeof flags),
            detail == DETAIL_PAYLOAD ? "" : " ");
    if (detail <= DETAIL_SEQ && seq_matters(row))
        add(text, " seq=%u", row->note.relative_seq);
    if (tcp->flags & TCP_ACK &&
        (detail <= DETAIL_NUMBERS || (length == 0 && detail == DETAIL_SEQ) ||
         (is_ack && detail == DETAIL_FLAGS)))
        add(text, " ack=%u", row->note.relative_ack);
    if (detail == DETAIL_ALL || (detail <= DETAIL_SEQ && window_matters(row)))
        add(text, " win=%u", row->note.window);
    if (detail == DETAIL_ALL)
        add_options(text, &tcp->options);
    if (length > 0 && detail <= DETAIL_FLAGS)
        add(text, " len=%u", length);
    if (detail <= DETAIL_NUMBERS)
        add_specials(text, row);
    else if (length > 0 && (detail == DETAIL_DATA || detail == DETAIL_LEAST))
        add(text, "%u B", length);
}

static void udp_label(const struct store_row *row, enum detail detail,
                      char text[WORDS])
{
    uint32_t length = row->packet.payload_length;

    if (detail <= DETAIL_FLAGS)
        add(text, "UDP len=%u", length);
    else if (detail != DETAIL_PAYLOAD || length == 0)
        add(text, "%u B", length);
    if (detail <= DETAIL_NUMBERS && row->packet.more_fragments)
        add(text, " first fragment");
}

struct icmp_word {
    uint8_t protocol, type;
    int code; /* -1: any */
    const char *words, *word;
};

static const struct icmp_word icmp_words[] = {
    {PROTO_ICMP, 0, -1, "echo reply", "pong"},
    {PROTO_ICMP, 8, -1, "echo request", "ping"},
    {PROTO_ICMP, 3, 0, "network unreachable", "unreachable"},
    {PROTO_ICMP, 3, 1, "host unreachable", "unreachable"},
    {PROTO_ICMP, 3, 2, "protocol unreachable", "unreachable"},
    {PROTO_ICMP, 3, 3, "port unreachable", "unreachable"},
    {PROTO_ICMP, 3, 4, "fragmentation needed", "too big"},
    {PROTO_ICMP, 3, 13, "forbidden by a filter", "forbidden"},
    {PROTO_ICMP, 3, -1, "unreachable", "unreachable"},
    {PROTO_ICMP, 11, -1, "time to live exceeded", "TTL over"},
    {PROTO_ICMP6, 1, 0, "no route", "unreachable"},
    {PROTO_ICMP6, 1, 1, "forbidden by a filter", "forbidden"},
    {PROTO_ICMP6, 1, 3, "address unreachable", "unreachable"},
    {PROTO_ICMP6, 1, 4, "port unreachable", "unreachable"},
    {PROTO_ICMP6, 1, -1, "unreachable", "unreachable"},
    {PROTO_ICMP6, 2, -1, "packet too big", "too big"},
    {PROTO_ICMP6, 3, -1, "hop limit exceeded", "TTL over"},
    {PROTO_ICMP6, 128, -1, "echo request", "ping"},
    {PROTO_ICMP6, 129, -1, "echo reply", "pong"},
    {PROTO_ICMP6, 133, -1, "router solicitation", "router?"},
    {PROTO_ICMP6, 134, -1, "router advertisement", "router"},
    {PROTO_ICMP6, 135, -1, "neighbour solicitation", "who is?"},
    {PROTO_ICMP6, 136, -1, "neighbour advertisement", "here"},
    {PROTO_ICMP6, 143, -1, "multicast groups joined", "multicast"},
};

static void icmp_label(const struct store_row *row, enum detail detail,
                       char text[WORDS])
{
    const struct packet *packet = &row->packet;

    for (size_t i = 0; i < sizeof icmp_words / sizeof icmp_words[0]; i++) {
        const struct icmp_word *word = &icmp_words[i];

        if (word->protocol != packet->protocol ||
            word->type != packet->icmp.type ||
            (word->code >= 0 && word->code != packet->icmp.code))
            continue;
        /* What the program gets says more than that it is ICMP. */
        if (detail < DETAIL_LEAST)
            add(text, "%s%s",
                detail > DETAIL_FLAGS ||
                        (detail == DETAIL_SEQ &&
                         (row->note.error || packet->icmp.mtu > 0))
                    ? ""
                    : "ICMP ",
                word->words);
        else
            add(text, "%s", word->word);
        if (detail <= DETAIL_SEQ && packet->icmp.mtu > 0)
            add(text, ", MTU %u", packet->icmp.mtu);
        if (detail <= DETAIL_SEQ && row->note.error)
            add(text, ": %s", row->note.error);
        return;
    }
    add(text, detail < DETAIL_LEAST ? "ICMP type %u code %u" : "ICMP %u/%u",
        packet->icmp.type, packet->icmp.code);
}

/* What is met beside IP on a link (IEEE 802 numbers). */
static const char *link_name(uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *name;
    } names[] = {
        {TYPE_ARP, "ARP"},    {0x8035, "RARP"},  {0x88CC, "LLDP"},
        {0x888E, "802.1X"},   {0x8863, "PPPoE"}, {0x8864, "PPPoE"},
        {0x9000, "loopback"}, {0x8847, "MPLS"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].type == type)
            return names[i].name;
    return type > 0 && type <= 1500 ? "802.3" : "not IP";
}

static char *ip4_text(const uint8_t address[4], char text[16])
{
    snprintf(text, 16, "%u.%u.%u.%u", address[0], address[1], address[2],
             address[3]);
    return text;
}

static void arp_label(const struct arp_header *arp, enum detail detail,
                      char text[WORDS])
{
    static const uint8_t nobody[4];
    char sender[16], target[16];

    ip4_text(arp->sender, sender);
    ip4_text(arp->target, target);
    add(text, "ARP");
    if (detail == DETAIL_LEAST)
        return;
    if (memcmp(arp->sender, arp->target, 4) == 0)
        add(text, " %s is here", sender); /* asked by nobody */
    else if (arp->operation == ARP_REPLY)
        add(text, " %s is at %02x:%02x:%02x:%02x:%02x:%02x", sender,
            arp->card[0], arp->card[1], arp->card[2], arp->card[3],
            arp->card[4], arp->card[5]);
    else
        add(text, " who has %s?", target);
    if (arp->operation == ARP_REQUEST && detail <= DETAIL_NUMBERS &&
        memcmp(arp->sender, arp->target, 4) != 0 &&
        memcmp(arp->sender, nobody, 4) != 0)
        add(text, " tell %s", sender);
}

/* A packet that belongs to no conversation we follow. */
static void other_label(const struct store_row *row, enum detail detail,
                        char text[WORDS])
{
    const struct packet *packet = &row->packet;
    char source[64], destination[64], protocol[WORDS];

    if (packet->source.family == 0 && packet->type == TYPE_ARP &&
        (packet->arp.operation == ARP_REQUEST ||
         packet->arp.operation == ARP_REPLY)) {
        arp_label(&packet->arp, detail, text);
        return;
    }
    if (packet->source.family == 0) {
        add(text, "%s, %u bytes", link_name(packet->type), packet->length);
        return;
    }
    if (detail <= DETAIL_NUMBERS)
        add(text, "%s > %s ",
            endpoint_address(&packet->source, source, sizeof source),
            endpoint_address(&packet->destination, destination,
                             sizeof destination));
    if (packet->fragment_offset > 0 && row->note.fragment_of > 0)
        add(text, "fragment of #%llu at %u, %u bytes",
            (unsigned long long)row->note.fragment_of, packet->fragment_offset,
            packet->payload_length);
    else if (packet->fragment_offset > 0)
        add(text, "fragment at %u, %u bytes", packet->fragment_offset,
            packet->payload_length);
    else
        add(text, "%s, %u bytes", protocol_text(packet->protocol, protocol),
            packet->payload_length);
}

static void label(const struct store_row *row, enum detail detail,
                  char text[WORDS])
{
    const struct packet *packet = &row->packet;

    text[0] = '\0';
    if (!packet->has_transport)
        other_label(row, detail, text);
    else if (packet->protocol == PROTO_TCP)
        tcp_label(row, detail, text);
    else if (packet->protocol == PROTO_UDP)
        udp_label(row, detail, text);
    else if (packet->protocol == PROTO_ICMP || packet->protocol == PROTO_ICMP6)
        icmp_label(row, detail, text);
    else
        other_label(row, detail, text);
}

/* Whether the label of this much detail shows payload after its words. */
static bool shows_payload(const struct store_row *row, enum detail detail)
{
    const struct packet *packet = &row->packet;

    return detail != DETAIL_LEAST && packet->payload_length > 0 &&
           packet->payload_captured > 0 && packet->has_transport &&
           (packet->protocol == PROTO_TCP || packet->protocol == PROTO_UDP);
}

char *packet_text(const struct store_row *row, int columns, char text[WORDS])
{
    /* From which width windows and options are no clutter; and how much of the
     * payload must show, or less be said before it. */
    enum { ROOMY = 48, GLIMPSE = 10, HINT = 5 };
    char payload[WORDS];

    for (enum detail detail = columns >= ROOMY ? DETAIL_ALL : DETAIL_NUMBERS;
         detail < DETAILS; detail++) {
        int left;

        label(row, detail, text);
        left = columns - text_width(text);
        if (left < 0)
            continue;
        if (!shows_payload(row, detail))
            return text;
        if (text[0])
            left--;
        payload_text(row, left, payload);
        if (!payload[0] ||
            (text_width(payload) == left && detail < DETAIL_PAYLOAD &&
             left < (detail == DETAIL_SEQ ? HINT : GLIMPSE)))
            continue; /* hardly any of it would show */
        add(text, "%s%s", text[0] ? " " : "", payload);
        return text;
    }
    text[0] = '\0';
    return text;
}
