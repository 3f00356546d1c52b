/* viz/track on stored captures, held against what tshark says of each packet
 * and what the kernel said of each socket; and the flow table: endpoints, ports
 * used again, forgetting, hostile packets. Single cases of the state machine
 * are in check_states. */
#include "viz/track/track.h"

#include <stdarg.h>

#include "tests/unit/frames.h"

/* --- one packet as a line ------------------------------------------------ */

struct line {
    char text[512];
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    line->used += (size_t)vsnprintf(line->text + line->used,
                                    sizeof line->text - line->used, format,
                                    arguments);
    va_end(arguments);
    must(line->used < sizeof line->text);
}

static void put_options(struct line *line, const struct packet *packet,
                        const struct note *note)
{
    const struct tcp_options *options = &packet->tcp.options;
    uint32_t isn = note->flow->end[!note->from].isn;

    if (options->has & OPT_MSS)
        put(line, " mss %u", options->mss);
    if (options->has & OPT_WSCALE)
        put(line, " ws %u", options->window_scale);
    if (options->has & OPT_SACK_OK)
        put(line, " sackok");
    if (options->has & OPT_TIMESTAMP)
        put(line, " ts %u %u", options->ts_value, options->ts_echo);
    for (int n = 0; n < options->sack_count; n++)
        put(line, " sack %u %u", options->sack[n].left - isn,
            options->sack[n].right - isn);
}

static void put_transport(struct line *line, const struct packet *packet,
                          const struct note *note)
{
    const struct tcp_header *tcp = &packet->tcp;

    if (packet->fragment_offset > 0) {
        put(line, " at %u", packet->fragment_offset);
    } else if (packet->protocol == PROTO_TCP) {
        put(line, " flags %02x seq %u ack %u rel %u %u len %u win %u %u",
            tcp->flags, tcp->seq, tcp->ack, note->relative_seq,
            note->relative_ack, packet->payload_length, tcp->window,
            note->window);
        put_options(line, packet, note);
    } else if (packet->protocol == PROTO_UDP) {
        put(line, " len %u", packet->payload_length);
    } else {
        put(line, " type %u code %u", packet->icmp.type, packet->icmp.code);
        if (packet->has_transport && packet->icmp.quotes)
            put(line, " about %u %u", packet->icmp.quoted_source.port,
                packet->icmp.quoted_destination.port);
    }
}

/* In the words of tests/captures/tshark.txt. */
static void put_packet(struct line *line, const struct packet *packet,
                       const struct note *note)
{
    char source[64], destination[64];

    put(line, "%s %s %s ttl %u",
        packet->protocol == PROTO_TCP   ? "tcp"
        : packet->protocol == PROTO_UDP ? "udp"
                                        : "icmp",
        endpoint_text(&packet->source, source, sizeof source),
        endpoint_text(&packet->destination, destination, sizeof destination),
        packet->ttl);
    if (packet->has_ip_id)
        put(line, " id %04x", packet->ip_id);
    if (packet->dont_fragment)
        put(line, " DF");
    if (packet->more_fragments)
        put(line, " MF");
    put_transport(line, packet, note);
}

/* --- a capture, tracked -------------------------------------------------- */

struct tracked_capture {
    struct frames frames;
    struct track *track;
    struct note *notes; /* as they were after each packet */
    struct line *lines;
    unsigned verdicts[VERDICT_NAMES];
};

static void capture_track(struct tracked_capture *capture, const char *name)
{
    *capture = (struct tracked_capture){.track = track_new(0)};
    must(capture->track != NULL);
    frames_load(&capture->frames, name);
    capture->notes = calloc(capture->frames.count, sizeof *capture->notes);
    capture->lines = calloc(capture->frames.count, sizeof *capture->lines);
    must(capture->notes != NULL && capture->lines != NULL);
    for (size_t n = 0; n < capture->frames.count; n++) {
        struct packet packet = frame_packet(&capture->frames, n);
        struct note *note = &capture->notes[n];

        must(track_feed(capture->track, &packet, note) == 0);
        put(&capture->lines[n], "%s %zu ", name, n + 1);
        put_packet(&capture->lines[n], &packet, note);
        for (int v = 0; v < note->verdict_count; v++)
            if (&note->verdicts[v] != note_in_vain(note)) /* of another */
                capture->verdicts[note->verdicts[v].name]++;
    }
}

static void capture_end(struct tracked_capture *capture)
{
    track_free(capture->track);
    free(capture->notes);
    free(capture->lines);
    frames_free(&capture->frames);
}

/* The lines of a file in tests/captures that are about this capture. */
static FILE *open_truth(const char *file)
{
    char path[128];
    FILE *truth;

    snprintf(path, sizeof path, "tests/captures/%s", file);
    truth = fopen(path, "r");
    ck_assert_msg(truth != NULL, "%s: run the tests at the root", path);
    return truth;
}

static bool next_truth(FILE *truth, const char *name, char *text, size_t size)
{
    size_t length = strlen(name);

    while (fgets(text, (int)size, truth) != NULL) {
        text[strcspn(text, "\n")] = '\0';
        if (strncmp(text, name, length) == 0 && text[length] == ' ')
            return true;
    }
    return false;
}

START_TEST(every_header_field_is_as_tshark_says)
{
    const char *name = stored_captures[_i];
    FILE *truth = open_truth("tshark.txt");
    struct tracked_capture capture;
    char text[512];
    size_t lines = 0;

    capture_track(&capture, name);
    while (next_truth(truth, name, text, sizeof text)) {
        unsigned long n = strtoul(text + strlen(name), NULL, 10);

        ck_assert_uint_ge(n, 1);
        ck_assert_uint_le(n, capture.frames.count);
        ck_assert_str_eq(capture.lines[n - 1].text, text);
        lines++;
    }
    ck_assert_uint_ge(lines, 2);
    if (strncmp(name, "s10", 3) != 0) /* of which every twentieth is kept */
        ck_assert_uint_eq(lines, capture.frames.count);
    fclose(truth);
    capture_end(&capture);
}
END_TEST

/* --- states -------------------------------------------------------------- */

static const struct flow_end *find_end(struct track *track, const char *local,
                                       const char *remote)
{
    char at[64], other[64];
    struct flow *flow;
    size_t n = 0;

    while ((flow = track_next(track, &n)) != NULL)
        for (int side = 0; side < 2; side++) {
            endpoint_text(&flow->end[side].at, at, sizeof at);
            endpoint_text(&flow->end[!side].at, other, sizeof other);
            if (strcmp(at, local) == 0 && strcmp(other, remote) == 0)
                return &flow->end[side];
        }
    ck_abort_msg("no connection %s %s", local, remote);
    return NULL;
}

START_TEST(states_hold_all_that_the_kernel_went_through)
{
    const char *name = stored_captures[_i];
    FILE *truth = open_truth("kernel.txt");
    struct tracked_capture capture;
    char text[512];

    capture_track(&capture, name);
    while (next_truth(truth, name, text, sizeof text)) {
        char *rest = text + strlen(name);
        char *local = strtok_r(rest, " ", &rest);
        char *remote = strtok_r(NULL, " ", &rest), *word;
        const struct flow_end *end = find_end(capture.track, local, remote);
        int at = 0;

        while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
            while (at < end->state_count &&
                   strcmp(tcp_state_name(end->states[at]), word) != 0)
                at++;
            ck_assert_msg(at < end->state_count, "%s %s: %s is missing", name,
                          local, word);
            ck_assert(end->states_seen & 1u << tcp_state_from_name(word));
        }
    }
    fclose(truth);
    capture_end(&capture);
}
END_TEST

/* What must come out of each capture; the retransmissions are the kernel's
 * count, the probes of s09 and s21 too. */
static const struct truth {
    const char *name;
    unsigned flows, flow; /* how many; the one described */
    enum flow_closed_by closed_by;
    uint64_t packets, retransmissions, client_bytes, server_bytes;
    const char *client, *server; /* the states gone through */
    struct {
        enum verdict_name name;
        unsigned count;
    } verdicts[6]; /* all others: none */
} truths[] = {
    {.name = "s01_client_close",
     .flows = 1,
     .closed_by = CLOSED_BY_CLIENT,
     .packets = 11,
     .client_bytes = 4,
     .server_bytes = 9,
     .client = "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT",
     .server = "LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"},
    {.name = "s02_server_close_http",
     .flows = 1,
     .closed_by = CLOSED_BY_SERVER,
     .packets = 10,
     .client_bytes = 84,
     .server_bytes = 3234,
     .client = "SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED",
     .server = "LISTEN SYN_RECV ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT"},
    {.name = "s04_rst_linger0",
     .flows = 1,
     .closed_by = CLOSED_BY_RESET,
     .packets = 6,
     .client_bytes = 1,
     .client = "SYN_SENT ESTABLISHED CLOSED",
     .server = "LISTEN SYN_RECV ESTABLISHED CLOSED"},
    {.name = "s06_refused",
     .flows = 2,
     .closed_by = CLOSED_BY_RESET,
     .packets = 2,
     .client = "SYN_SENT CLOSED",
     .server = "CLOSED",
     .verdicts = {{VERDICT_REFUSED, 2}}},
    {.name = "s07_udp_closed",
     .flows = 2,
     .closed_by = CLOSED_OPEN,
     .packets = 1,
     .client_bytes = 7,
     .client = "",
     .server = "",
     .verdicts = {{VERDICT_UNREACHABLE, 2}}},
    {.name = "s08_backlog_full",
     .flows = 5,
     .closed_by = CLOSED_BY_RESET,
     .packets = 6,
     .client = "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSED",
     .server = "LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT CLOSED",
     .verdicts = {{VERDICT_RETRANSMISSION, 15}}},
    {.name = "s08_backlog_full",
     .flows = 5,
     .flow = 4,
     .closed_by = CLOSED_OPEN,
     .packets = 6,
     .retransmissions = 5,
     .client = "SYN_SENT",
     .server = "LISTEN",
     .verdicts = {{VERDICT_RETRANSMISSION, 15}}},
    {.name = "s09_zero_window",
     .flows = 1,
     .closed_by = CLOSED_BY_CLIENT,
     .packets = 58,
     .retransmissions = 1,
     .client_bytes = 60000,
     .client = "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT",
     .server = "LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED",
     .verdicts = {{VERDICT_RETRANSMISSION, 1},
                  {VERDICT_ZERO_WINDOW, 4},
                  {VERDICT_ZERO_WINDOW_PROBE, 4},
                  {VERDICT_WINDOW_UPDATE, 1},
                  {VERDICT_WINDOW_FULL, 21}}},
    {.name = "s10_lossy_sender",
     .flows = 1,
     .closed_by = CLOSED_BY_CLIENT,
     .packets = 960,
     .retransmissions = 23,
     .client_bytes = 1000000,
     .client = "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT",
     .server = "LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED",
     .verdicts = {{VERDICT_RETRANSMISSION, 23},
                  {VERDICT_DUPLICATE_ACK, 153},
                  {VERDICT_WINDOW_FULL, 13},
                  {VERDICT_WINDOW_UPDATE, 1}}},
    {.name = "s13_simultaneous_open",
     .flows = 1,
     .closed_by = CLOSED_BY_CLIENT,
     .packets = 14,
     .client_bytes = 16,
     .server_bytes = 16,
     .client = "SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT",
     .server = "SYN_SENT SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED",
     .verdicts = {{VERDICT_SIMULTANEOUS_OPEN, 1}}},
    {.name = "s15_fast_retransmit",
     .flows = 1,
     .closed_by = CLOSED_BY_CLIENT,
     .packets = 61,
     .retransmissions = 1,
     .client_bytes = 40000,
     .client = "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT",
     .server = "LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED",
     .verdicts = {{VERDICT_RETRANSMISSION, 1}, {VERDICT_DUPLICATE_ACK, 9}}},
    {.name = "s19_udp_echo_frag",
     .flows = 1,
     .closed_by = CLOSED_OPEN,
     .packets = 14,
     .client_bytes = 9015,
     .server_bytes = 9015,
     .client = "",
     .server = ""},
    {.name = "s21_keepalive",
     .flows = 1,
     .closed_by = CLOSED_BY_RESET,
     .packets = 16,
     .client_bytes = 1,
     .client = "SYN_SENT ESTABLISHED CLOSED",
     .server = "LISTEN SYN_RECV ESTABLISHED CLOSED",
     .verdicts = {{VERDICT_KEEP_ALIVE, 6}, {VERDICT_KEEP_ALIVE_ACK, 3}}},
    {.name = "s27_midstream",
     .flows = 1,
     .closed_by = CLOSED_BY_CLIENT,
     .packets = 15,
     .client_bytes = 10,
     .server_bytes = 10,
     .client = "ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT",
     .server = "ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"},
};

static void expect_states(const struct flow_end *end, const char *states)
{
    struct line line = {.used = 0};

    for (int n = 0; n < end->state_count; n++)
        put(&line, "%s%s", n > 0 ? " " : "", tcp_state_name(end->states[n]));
    ck_assert_str_eq(line.text, states);
}

START_TEST(each_capture_tells_its_story)
{
    const struct truth *truth = &truths[_i];
    struct tracked_capture capture;
    unsigned verdicts[VERDICT_NAMES] = {0}, flows = 0;
    struct flow *flow, *told = NULL;
    size_t at = 0;

    capture_track(&capture, truth->name);
    while ((flow = track_next(capture.track, &at)) != NULL) {
        ck_assert_uint_eq(flow->id, flows);
        if (flows++ == truth->flow)
            told = flow;
    }
    ck_assert_uint_eq(flows, truth->flows);
    ck_assert_str_eq(closed_by_text(told->closed_by),
                     closed_by_text(truth->closed_by));
    ck_assert_uint_eq(told->packets, truth->packets);
    ck_assert_uint_eq(told->retransmissions, truth->retransmissions);
    ck_assert_uint_eq(told->end[FLOW_CLIENT].bytes, truth->client_bytes);
    ck_assert_uint_eq(told->end[FLOW_SERVER].bytes, truth->server_bytes);
    expect_states(&told->end[FLOW_CLIENT], truth->client);
    expect_states(&told->end[FLOW_SERVER], truth->server);
    for (int n = 0; n < 6; n++)
        if (truth->verdicts[n].count > 0)
            verdicts[truth->verdicts[n].name] = truth->verdicts[n].count;
    for (int n = 0; n < VERDICT_NAMES; n++)
        ck_assert_msg(capture.verdicts[n] == verdicts[n],
                      "%s: %u x %s, expected %u", truth->name,
                      capture.verdicts[n], verdict_text(n), verdicts[n]);
    capture_end(&capture);
}
END_TEST

START_TEST(the_handshake_is_done_once_by_its_third_packet)
{
    struct tracked_capture capture;

    capture_track(&capture, "s01_client_close");
    for (size_t n = 0; n < capture.frames.count; n++)
        ck_assert_int_eq(capture.notes[n].handshake_done, n == 2);
    ck_assert_int_eq(capture.notes[0].before[FLOW_CLIENT], TCP_CLOSED);
    ck_assert_int_eq(capture.notes[0].before[FLOW_SERVER], TCP_LISTEN);
    ck_assert(capture.notes[0].assumed[FLOW_SERVER]);
    ck_assert(!capture.notes[0].assumed[FLOW_CLIENT]);
    ck_assert(capture.notes[10].assumed[FLOW_SERVER]); /* CLOSED */
    capture_end(&capture);
}
END_TEST

START_TEST(seen_from_the_middle_states_are_assumed_until_both_have_spoken)
{
    struct tracked_capture capture;

    capture_track(&capture, "s27_midstream");
    ck_assert(capture.notes[0].flow->midstream);
    ck_assert(capture.notes[0].assumed[0] && capture.notes[0].assumed[1]);
    ck_assert(!capture.notes[2].assumed[0] && !capture.notes[2].assumed[1]);
    for (size_t n = 0; n < capture.frames.count; n++)
        ck_assert(!capture.notes[n].handshake_done);
    capture_end(&capture);
}
END_TEST

/* --- the flow table ------------------------------------------------------ */

/* A UDP datagram from one port of 10.0.0.1 to port 53 of 10.0.0.2. */
static struct packet datagram(uint16_t port, uint64_t number)
{
    return (struct packet){.number = number,
                           .time_ns = (int64_t)number,
                           .has_transport = true,
                           .protocol = PROTO_UDP,
                           .source = {4, {10, 0, 0, 1}, port},
                           .destination = {4, {10, 0, 0, 2}, 53},
                           .payload_length = 10};
}

static struct packet reply(struct packet packet)
{
    struct endpoint source = packet.source;

    packet.source = packet.destination;
    packet.destination = source;
    return packet;
}

START_TEST(the_flow_without_packets_for_longest_is_forgotten)
{
    struct track *track = track_new(3);
    struct note note;
    struct packet packet;
    struct flow *flow;
    size_t at = 0;
    static const uint16_t ports[] = {1, 2, 3, 1, 4, 5};
    static const uint32_t ids[] = {0, 3, 4}; /* of ports 1, 4, 5 */

    for (size_t n = 0; n < sizeof ports / sizeof *ports; n++) {
        packet = datagram(ports[n], n + 1);
        ck_assert_int_eq(track_feed(track, &packet, &note), 0);
    }
    ck_assert_uint_eq(track_forgotten(track), 2);
    for (size_t n = 0; n < 3; n++) {
        flow = track_next(track, &at);
        ck_assert_ptr_nonnull(flow);
        ck_assert_uint_eq(flow->id, ids[n]);
    }
    ck_assert_ptr_null(track_next(track, &at));
    packet = datagram(2, 9); /* forgotten, so it is a new one */
    track_feed(track, &packet, &note);
    ck_assert_uint_eq(note.flow->id, 5);
    ck_assert_uint_eq(note.flow->packets, 1);
    track_free(track);
}
END_TEST

START_TEST(what_is_forgotten_stays_in_the_sums)
{
    struct track *track = track_new(2);
    struct note note;

    for (uint16_t port = 1; port <= 5; port++) {
        struct packet packet = datagram(port, port);

        if (port > 3)
            packet.protocol = PROTO_TCP;
        track_feed(track, &packet, &note);
        if (port == 2)
            note.flow->retransmissions = 7; /* it will be forgotten */
        if (port == 5)
            note.flow->retransmissions = 1;
    }
    ck_assert_uint_eq(track_forgotten(track), 3);
    ck_assert_uint_eq(track_totals(track).tcp, 2);
    ck_assert_uint_eq(track_totals(track).udp, 3);
    ck_assert_uint_eq(track_totals(track).retransmissions, 8);
    track_free(track);
}
END_TEST

START_TEST(many_flows_are_all_found_again)
{
    enum { FLOWS = 60000 };
    struct track *track = track_new(0);
    struct note note;

    for (int round = 0; round < 2; round++)
        for (uint32_t n = 0; n < FLOWS; n++) {
            struct packet packet = datagram((uint16_t)(n + 1), n);

            if (round == 1)
                packet = reply(packet);
            must(track_feed(track, &packet, &note) == 0);
            must(note.flow->id == n);
            must(note.from == (round == 0 ? FLOW_CLIENT : FLOW_SERVER));
        }
    ck_assert_uint_eq(track_forgotten(track), 0);
    track_free(track);
}
END_TEST

/* A table in miniature that answers the same questions slowly. */
START_TEST(forgetting_keeps_the_table_whole)
{
    enum { MOST = 50, PORTS = 200, PACKETS = 200000 };
    struct track *track = track_new(MOST);
    uint64_t last[PORTS] = {0}, random = 3, forgotten = 0;
    struct note note;

    for (uint64_t n = 1; n <= PACKETS; n++) {
        uint16_t port = (uint16_t)(next_random(&random) % PORTS);
        struct packet packet = datagram(port, n);
        unsigned live = 0, oldest = PORTS;

        for (unsigned p = 0; p < PORTS; p++) {
            live += last[p] != 0;
            if (last[p] != 0 && (oldest == PORTS || last[p] < last[oldest]))
                oldest = p;
        }
        if (last[port] == 0 && live == MOST) {
            last[oldest] = 0;
            forgotten++;
        }
        must(track_feed(track, &packet, &note) == 0);
        must((note.flow->packets == 1) == (last[port] == 0));
        last[port] = n;
    }
    ck_assert_uint_eq(track_forgotten(track), forgotten);
    track_free(track);
}
END_TEST

START_TEST(flows_are_listed_in_order_while_more_arrive)
{
    struct track *track = track_new(20);
    struct note note;
    struct flow *flow;
    size_t at = 0;
    int64_t last = -1;

    for (uint32_t n = 0; n < 5000; n++) {
        struct packet packet = datagram((uint16_t)n, n);

        track_feed(track, &packet, &note);
        if (n % 3 == 0 && (flow = track_next(track, &at)) != NULL) {
            must(flow->id > last);
            last = flow->id;
        }
    }
    ck_assert_int_gt(last, 1000);
    track_free(track);
}
END_TEST

START_TEST(the_same_endpoints_in_two_vlans_are_two_flows)
{
    struct track *track = track_new(0);
    struct packet packet = datagram(1, 1);
    struct note note;

    track_feed(track, &packet, &note);
    packet.vlan = 5;
    track_feed(track, &packet, &note);
    ck_assert_uint_eq(note.flow->id, 1);
    packet.protocol = PROTO_TCP;
    track_feed(track, &packet, &note);
    ck_assert_uint_eq(note.flow->id, 2);
    track_free(track);
}
END_TEST

START_TEST(on_one_host_the_ports_tell_the_ends_apart)
{
    struct track *track = track_new(0);
    struct packet packet = datagram(1, 1);
    struct note note;

    packet.destination.address[3] = 1;
    track_feed(track, &packet, &note);
    packet = reply(packet);
    track_feed(track, &packet, &note);
    ck_assert_uint_eq(note.flow->id, 0);
    ck_assert_int_eq(note.from, FLOW_SERVER);
    ck_assert_uint_eq(note.flow->end[FLOW_CLIENT].at.port, 1);
    track_free(track);
}
END_TEST

START_TEST(packets_without_a_whole_header_have_no_flow)
{
    struct track *track = track_new(0);
    struct packet packet = datagram(1, 1);
    struct note note;
    size_t at = 0;

    packet.has_transport = false;
    ck_assert_int_eq(track_feed(track, &packet, &note), 0);
    ck_assert_ptr_null(note.flow);
    packet.has_transport = true;
    packet.protocol = PROTO_ICMP; /* an error about a flow that nobody knows */
    packet.icmp = (struct icmp_header){
        .type = 3, .code = 3, .quotes = true, .quoted_protocol = PROTO_UDP};
    ck_assert_int_eq(track_feed(track, &packet, &note), 0);
    ck_assert_ptr_null(note.flow);
    ck_assert_ptr_null(track_next(track, &at));
    track_free(track);
}
END_TEST

static void expect_sound(const struct note *note)
{
    must(note->verdict_count <= NOTE_VERDICTS);
    for (int v = 0; v < note->verdict_count; v++)
        must(note->verdicts[v].name < VERDICT_NAMES);
    for (int side = 0; side < 2; side++) {
        must(note->after[side] < TCP_STATES && note->before[side] < TCP_STATES);
        if (note->flow == NULL)
            continue;
        must(note->flow->end[side].state == note->after[side]);
        must(note->flow->end[side].state_count <= FLOW_STATES);
    }
}

START_TEST(garbled_captures_are_survived)
{
    struct frames frames;
    struct track *track = track_new(8);
    uint64_t random = (uint64_t)_i + 77;
    struct note note;

    frames_load(&frames, stored_captures[_i]);
    for (int n = 0; n < 20000; n++) {
        const struct frame *frame = &frames.at[(size_t)n % frames.count];
        uint32_t captured = frame->captured < 160 ? frame->captured : 160;
        struct packet packet = {.number = (uint64_t)n,
                                .time_ns = -n, /* and time runs backwards */
                                .length = frame->length};
        uint8_t copy[160];

        memcpy(copy, frame->bytes, captured);
        for (uint32_t flips = next_random(&random) % 4; flips > 0; flips--)
            copy[next_random(&random) % captured] = (uint8_t)next_random(
                &random);
        decode_packet(frames.link, copy, captured, &packet);
        must(track_feed(track, &packet, &note) == 0);
        expect_sound(&note);
    }
    track_free(track);
    frames_free(&frames);
}
END_TEST

/* Few ports, few numbers and any flags: every corner of the state machine. */
START_TEST(any_sequence_of_segments_is_survived)
{
    struct track *track = track_new(6);
    uint64_t random = (uint64_t)_i;
    struct note note;

    for (int n = 0; n < 50000; n++) {
        uint32_t dice = next_random(&random);
        struct packet packet = datagram((uint16_t)(1 + dice % 3), 1);

        packet.protocol = PROTO_TCP;
        if (dice & 64)
            packet = reply(packet);
        if ((dice & 0xf00) == 0) /* to itself */
            packet.destination = packet.source;
        packet.tcp.flags = (uint8_t)next_random(&random);
        packet.tcp.seq = UINT32_MAX - 20 + next_random(&random) % 40;
        packet.tcp.ack = UINT32_MAX - 20 + next_random(&random) % 40;
        packet.tcp.window = (uint16_t)(next_random(&random) % 3);
        packet.payload_length = next_random(&random) % 12;
        packet.has_ip_id = dice & 128;
        packet.ip_id = next_random(&random) & 0xffff;
        if (next_random(&random) % 50 == 0)
            packet.tcp.seq = next_random(&random);
        if ((dice & 0x7000) == 0) { /* a piece of one, the first or a later */
            packet.ip_id %= 4;
            packet.more_fragments = dice & 0x8000;
            if (dice & 0x10000)
                packet.fragment_offset = (uint16_t)(8 + dice % 8 * 8);
            packet.has_transport = packet.fragment_offset == 0;
        }
        must(track_feed(track, &packet, &note) == 0);
        expect_sound(&note);
    }
    track_free(track);
}
END_TEST

START_TEST(names_go_both_ways)
{
    for (int state = 1; state < TCP_STATES; state++)
        ck_assert_int_eq(tcp_state_from_name(tcp_state_name(state)), state);
    ck_assert_int_eq(tcp_state_from_name("SLEEPING"), TCP_UNKNOWN);
    ck_assert_str_eq(tcp_state_name(99), "?");
    for (int name = 0; name < VERDICT_NAMES; name++)
        ck_assert_str_ne(verdict_text(name), "?");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("track");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_header_field_is_as_tshark_says, 0,
                        STORED_CAPTURES);
    tcase_add_loop_test(tests, states_hold_all_that_the_kernel_went_through, 0,
                        STORED_CAPTURES);
    tcase_add_loop_test(tests, each_capture_tells_its_story, 0,
                        (int)(sizeof truths / sizeof *truths));
    tcase_add_test(tests, the_handshake_is_done_once_by_its_third_packet);
    tcase_add_test(
        tests, seen_from_the_middle_states_are_assumed_until_both_have_spoken);
    tcase_add_test(tests, the_flow_without_packets_for_longest_is_forgotten);
    tcase_add_test(tests, what_is_forgotten_stays_in_the_sums);
    tcase_add_test(tests, many_flows_are_all_found_again);
    tcase_add_test(tests, forgetting_keeps_the_table_whole);
    tcase_add_test(tests, flows_are_listed_in_order_while_more_arrive);
    tcase_add_test(tests, the_same_endpoints_in_two_vlans_are_two_flows);
    tcase_add_test(tests, on_one_host_the_ports_tell_the_ends_apart);
    tcase_add_test(tests, packets_without_a_whole_header_have_no_flow);
    tcase_add_loop_test(tests, garbled_captures_are_survived, 0,
                        STORED_CAPTURES);
    tcase_add_loop_test(tests, any_sequence_of_segments_is_survived, 0, 6);
    tcase_add_test(tests, names_go_both_ways);
    return run_suite("track", tests);
}
