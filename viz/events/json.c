/* See json.h. Keys stand in the order of docs/viz-json.md, always. */
#include "viz/events/json.h"

#include <inttypes.h>

#include "viz/decode/decode.h"
#include "viz/events/call.h"

enum { ADDRESS_TEXT = 64 };

static const char *protocol_name(const struct packet *packet, char *text,
                                 size_t size)
{
    switch (packet->protocol) {
    case PROTO_TCP:
        return "tcp";
    case PROTO_UDP:
        return "udp";
    case PROTO_ICMP:
        return "icmp";
    case PROTO_ICMP6:
        return "icmp6";
    }
    snprintf(text, size, "ip-%u", packet->protocol);
    return text;
}

static const char *status_name(enum decode_status status)
{
    switch (status) {
    case DECODE_SHORT:
        return "short";
    case DECODE_UNKNOWN:
        return "unknown";
    case DECODE_BAD:
        return "bad";
    case DECODE_OK:
        break;
    }
    return "ok";
}

/* Seconds since the first packet; clocks have been seen to go back. */
static void print_time(const struct json_writer *json, int64_t time_ns)
{
    uint64_t since = (uint64_t)time_ns - (uint64_t)json->start_ns;
    const char *sign = "";

    if (time_ns < json->start_ns) {
        since = -since;
        sign = "-";
    }
    fprintf(json->out, ",\"t\":%s%" PRIu64 ".%09" PRIu64, sign,
            since / 1000000000, since % 1000000000);
}

static void print_ends(FILE *out, const struct packet *packet)
{
    char source[ADDRESS_TEXT], destination[ADDRESS_TEXT];
    bool ports = packet->protocol == PROTO_TCP || packet->protocol == PROTO_UDP;

    endpoint_address(&packet->source, source, sizeof source);
    endpoint_address(&packet->destination, destination, sizeof destination);
    if (ports && packet->has_transport)
        fprintf(out, ",\"src\":\"%s\",\"sport\":%u,\"dst\":\"%s\",\"dport\":%u",
                source, packet->source.port, destination,
                packet->destination.port);
    else
        fprintf(out, ",\"src\":\"%s\",\"dst\":\"%s\"", source, destination);
}

static void print_sack(FILE *out, const struct tcp_options *options)
{
    fputc('[', out);
    for (int i = 0; i < options->sack_count && i < TCP_SACK_BLOCKS; i++)
        fprintf(out, "%s[%" PRIu32 ",%" PRIu32 "]", i > 0 ? "," : "",
                options->sack[i].left, options->sack[i].right);
    fputc(']', out);
}

/* As they stand in the header; left out where there are none. */
static void print_options(FILE *out, const struct tcp_options *options)
{
    static const char *const keys[] = {
        "mss", "wscale", "sack_ok", "sack", "ts", "fastopen",
    }; /* by bit of `has`, lowest first */
    char before = '{';

    if (options->has == 0)
        return;
    fputs(",\"options\":", out);
    for (unsigned bit = 0; bit < sizeof keys / sizeof *keys; bit++) {
        if ((options->has & 1u << bit) == 0)
            continue;
        fprintf(out, "%c\"%s\":", before, keys[bit]);
        before = ',';
        if (1 << bit == OPT_MSS)
            fprintf(out, "%u", options->mss);
        else if (1 << bit == OPT_WSCALE)
            fprintf(out, "%u", options->window_scale);
        else if (1 << bit == OPT_SACK)
            print_sack(out, options);
        else if (1 << bit == OPT_TIMESTAMP)
            fprintf(out, "[%" PRIu32 ",%" PRIu32 "]", options->ts_value,
                    options->ts_echo);
        else
            fputs("true", out);
    }
    fputc('}', out);
}

static void print_tcp(FILE *out, const struct packet *packet,
                      const struct note *note)
{
    static const char letters[] = "FSRPAUEC"; /* by bit, lowest first */
    char flags[sizeof letters];
    size_t count = 0;

    for (size_t bit = 0; bit + 1 < sizeof letters; bit++)
        if (packet->tcp.flags & (1u << bit))
            flags[count++] = letters[bit];
    flags[count] = '\0';
    fprintf(out,
            ",\"flags\":\"%s\",\"seq\":%" PRIu32 ",\"ack\":%" PRIu32
            ",\"rseq\":%" PRIu32 ",\"rack\":%" PRIu32 ",\"win\":%" PRIu32,
            flags, packet->tcp.seq, packet->tcp.ack, note->relative_seq,
            note->relative_ack, note->window);
    print_options(out, &packet->tcp.options);
}

static void print_span(FILE *out, const char *key, int64_t ns)
{
    fprintf(out, ",\"%s\":%" PRId64 ".%09" PRId64, key, ns / 1000000000,
            ns % 1000000000);
}

static void print_verdicts(FILE *out, const struct note *note)
{
    fputs(",\"verdicts\":[", out);
    for (int i = 0; i < note->verdict_count && i < NOTE_VERDICTS; i++) {
        const struct verdict *verdict = &note->verdicts[i];

        fprintf(out, "%s{\"name\":\"%s\"", i > 0 ? "," : "",
                verdict_text(verdict->name));
        if (verdict->kind)
            fprintf(out, ",\"kind\":\"%s\"", verdict->kind);
        if (verdict->evidence)
            fprintf(out, ",\"evidence\":\"%s\"", verdict->evidence);
        if (verdict->count)
            fprintf(out, ",\"count\":%" PRIu32, verdict->count);
        if (verdict->packet)
            fprintf(out, ",\"packet\":%" PRIu64, verdict->packet);
        if (verdict->gap_ns > 0)
            print_span(out, "gap", verdict->gap_ns);
        if (verdict->segments > 1)
            fprintf(out, ",\"segments\":%" PRIu32, verdict->segments);
        if (verdict->lost)
            fprintf(out, ",\"lost\":\"%s\"", verdict->lost);
        fputc('}', out);
    }
    fputc(']', out);
}

/* What is left out where there is nothing to say. */
static void print_remarks(FILE *out, const struct note *note)
{
    if (note->flight > 0)
        fprintf(out, ",\"flight\":%" PRIu32, note->flight);
    if (note->ack_rtt_ns > 0)
        print_span(out, "ack_rtt", note->ack_rtt_ns);
    if (note->super_segment)
        fprintf(out, ",\"super_segment\":true,\"pieces\":%" PRIu32,
                note->pieces);
    if (note->dsack)
        fputs(",\"dsack\":true", out);
    if (note->reset != RESET_NONE)
        fprintf(out, ",\"reset\":\"%s\"", reset_text(note->reset));
    if (note->error)
        fprintf(out, ",\"errno\":\"%s\",\"errno_now\":%s", note->error,
                note->error_now ? "true" : "false");
}

static void print_wireshark(FILE *out, unsigned flags)
{
    const char *name, *comma = "";

    fputs(",\"wireshark\":[", out);
    for (unsigned n = 0; (name = wireshark_flag_name(n)) != NULL; n++) {
        if ((flags & 1u << n) == 0)
            continue;
        fprintf(out, "%s\"%s\"", comma, name);
        comma = ",";
    }
    fputc(']', out);
}

static void print_arp(FILE *out, const struct arp_header *arp)
{
    const uint8_t *from = arp->sender, *to = arp->target;

    fprintf(out,
            ",\"arp_op\":%u,\"arp_sender\":\"%u.%u.%u.%u\","
            "\"arp_target\":\"%u.%u.%u.%u\"",
            arp->operation, from[0], from[1], from[2], from[3], to[0], to[1],
            to[2], to[3]);
}

static void print_packet(struct json_writer *json, const struct packet *packet,
                         const struct note *note)
{
    bool tcp = packet->protocol == PROTO_TCP && note->flow != NULL;
    bool icmp = packet->protocol == PROTO_ICMP ||
                packet->protocol == PROTO_ICMP6;
    FILE *out = json->out;
    char protocol[16];

    fprintf(out, "{\"type\":\"packet\",\"n\":%" PRIu64, packet->number);
    print_time(json, packet->time_ns);
    if (note->flow)
        fprintf(out, ",\"conn\":%" PRIu32, note->flow->id);
    else
        fputs(",\"conn\":null", out);
    if (packet->source.family != 0) {
        fprintf(out, ",\"proto\":\"%s\"",
                protocol_name(packet, protocol, sizeof protocol));
        print_ends(out, packet);
        fprintf(out, ",\"len\":%" PRIu32, packet->payload_length);
    } else {
        fputs(",\"proto\":null", out);
    }
    if (tcp)
        print_tcp(out, packet, note);
    if (icmp && packet->has_transport)
        fprintf(out, ",\"icmp_type\":%u,\"icmp_code\":%u", packet->icmp.type,
                packet->icmp.code);
    if (icmp && packet->has_transport && packet->icmp.mtu > 0)
        fprintf(out, ",\"icmp_mtu\":%" PRIu32, packet->icmp.mtu);
    if (packet->type == TYPE_ARP && packet->arp.operation > 0)
        print_arp(out, &packet->arp);
    print_verdicts(out, note);
    if (note->answers > 0)
        fprintf(out, ",\"answers\":%" PRIu64, note->answers);
    if (note->fragment_of > 0)
        fprintf(out, ",\"fragment_of\":%" PRIu64, note->fragment_of);
    if (tcp)
        fprintf(out, ",\"client\":\"%s\",\"server\":\"%s\"",
                tcp_state_name(note->after[FLOW_CLIENT]),
                tcp_state_name(note->after[FLOW_SERVER]));
    print_remarks(out, note);
    if (json->wireshark)
        print_wireshark(out, wireshark_feed(json->wireshark, packet, note));
    if (packet->status != DECODE_OK)
        fprintf(out, ",\"status\":\"%s\"", status_name(packet->status));
    fputs("}\n", out);
}

void json_begin(struct json_writer *json, FILE *out)
{
    json->out = out;
    json->started = false;
    json->wireshark = NULL;
    json->start_ns = 0;
    json->sockets = (struct samples){0};
    fputs("{\"type\":\"viz\",\"version\":1,\"schema\":\"docs/viz-json.md\"}\n",
          out);
}

static void print_lost(struct json_writer *json, const struct event *event)
{
    const struct lost_packet *lost = &event->lost;
    char source[ADDRESS_TEXT], destination[ADDRESS_TEXT];

    fputs("{\"type\":\"lost\"", json->out);
    print_time(json, event->time_ns);
    fprintf(
        json->out,
        ",\"proto\":\"%s\",\"src\":\"%s\",\"sport\":%u,\"dst\":\"%s\","
        "\"dport\":%u,\"len\":%" PRIu32,
        lost->protocol == PROTO_UDP ? "udp" : "tcp",
        endpoint_address(&lost->source, source, sizeof source),
        lost->source.port,
        endpoint_address(&lost->destination, destination, sizeof destination),
        lost->destination.port, lost->length);
    if (lost->protocol == PROTO_TCP)
        fprintf(json->out, ",\"seq\":%" PRIu32, lost->seq);
    if (event->flow)
        fprintf(json->out,
                ",\"conn\":%" PRIu32 ",\"client\":\"%s\",\"server\":\"%s\"",
                event->flow->id,
                tcp_state_name(event->flow->end[FLOW_CLIENT].state),
                tcp_state_name(event->flow->end[FLOW_SERVER].state));
    fputs("}\n", json->out);
}

/* Seconds that it was inside: never below 0, call_feed has looked. */
static void print_call(struct json_writer *json,
                       const struct program_call *call)
{
    int64_t inside = call->ended_ns - call->began_ns;
    FILE *out = json->out;

    fputs("{\"type\":\"call\"", out);
    print_time(json, call->ended_ns);
    fprintf(out, ",\"inside\":%" PRId64 ".%09" PRId64, inside / 1000000000,
            inside % 1000000000);
    if (call->flow >= 0)
        fprintf(out, ",\"conn\":%" PRId64, call->flow);
    else
        fputs(",\"conn\":null", out);
    fprintf(out, ",\"proto\":\"%s\",\"call\":\"%s\"",
            call->protocol == PROTO_UDP ? "udp" : "tcp",
            call_name(call->function));
    if (call->has_side)
        fprintf(out, ",\"side\":\"%s\"",
                call->side == FLOW_CLIENT ? "client" : "server");
    if (call->fd >= 0)
        fprintf(out, ",\"fd\":%" PRId32, call->fd);
    if (call->local_port != 0)
        fprintf(out, ",\"lport\":%u", call->local_port);
    if (call->remote_port != 0)
        fprintf(out, ",\"rport\":%u", call->remote_port);
    if (call->function >= CALLED_RECV && call->function <= CALLED_WRITEV)
        fprintf(out, ",\"len\":%" PRId64, call->length);
    fprintf(out, ",\"result\":%" PRId64, call->result);
    if (call->result == -1)
        fprintf(out, ",\"errno\":%" PRId32, call->error);
    if (call->result == -1 && call_error(call->error))
        fprintf(out, ",\"error\":\"%s\"", call_error(call->error));
    fprintf(out, ",\"pid\":%" PRId32 ",\"tid\":%" PRId32 "}\n", call->pid,
            call->tid);
}

/* --- the kernel's sockets -------------------------------------------------- */

static bool is_news(const struct socket_sample *old,
                    const struct socket_sample *now)
{
    return !old || samples_news(old, now) ||
           old->retransmits != now->retransmits;
}

static void print_span_us(FILE *out, const char *key, uint32_t us)
{
    fprintf(out, ",\"%s\":%" PRIu32 ".%06" PRIu32, key, us / 1000000,
            us % 1000000);
}

static void print_tcp_info(FILE *out, const struct socket_tcp *tcp)
{
    if (!tcp->known)
        return;
    print_span_us(out, "rto", tcp->rto_us);
    if (tcp->rtt_us > 0) {
        print_span_us(out, "rtt", tcp->rtt_us);
        print_span_us(out, "rttvar", tcp->rttvar_us);
    }
    fprintf(out, ",\"cwnd\":%" PRIu32, tcp->cwnd);
    if (tcp->ssthresh > 0)
        fprintf(out, ",\"ssthresh\":%" PRIu32, tcp->ssthresh);
    fprintf(out, ",\"unacked\":%" PRIu32 ",\"backoff\":%u,\"resent\":%" PRIu32,
            tcp->unacked, tcp->backoff, tcp->resent);
}

static void print_timer(FILE *out, const struct socket_sample *socket)
{
    static const char *const names[] = {"", "retransmit", "keep-alive",
                                        "time-wait", "probe"};

    if (socket->timer == 0 || socket->timer >= sizeof names / sizeof *names)
        return;
    fprintf(out,
            ",\"timer\":\"%s\",\"expires\":%" PRIu32 ".%03" PRIu32
            ",\"retransmits\":%u",
            names[socket->timer], socket->timer_ms / 1000,
            socket->timer_ms % 1000, socket->retransmits);
}

static void print_socket(const struct json_writer *json,
                         const struct socket_sample *socket, int64_t time_ns,
                         bool gone)
{
    char local[ADDRESS_TEXT], remote[ADDRESS_TEXT];
    bool tcp = socket->protocol == PROTO_TCP;
    bool listens = tcp && socket->state == TCP_LISTEN;
    FILE *out = json->out;

    fputs("{\"type\":\"socket\"", out);
    print_time(json, time_ns);
    fprintf(out, ",\"proto\":\"%s\",\"local\":\"%s\"", tcp ? "tcp" : "udp",
            endpoint_text(&socket->local, local, sizeof local));
    if (socket->remote.port != 0)
        fprintf(out, ",\"remote\":\"%s\"",
                endpoint_text(&socket->remote, remote, sizeof remote));
    if (gone) {
        fputs(",\"gone\":true}\n", out);
        return;
    }
    if (tcp)
        fprintf(out, ",\"state\":\"%s\"", tcp_state_name(socket->state));
    fprintf(out, ",\"%s\":%" PRIu32 ",\"%s\":%" PRIu32,
            listens ? "waiting" : "unread", socket->receive_queue,
            listens ? "backlog" : "unsent", socket->send_queue);
    print_timer(out, socket);
    print_tcp_info(out, &socket->tcp);
    if (!tcp)
        fprintf(out, ",\"drops\":%" PRIu32, socket->drops);
    fprintf(out, ",\"inode\":%" PRIu32 "}\n", socket->inode);
}

/* What was there before the first packet or call is told with it, at the time
 * when it was seen: `t` is below 0. */
static void see_socket(struct json_writer *json, const struct event *event)
{
    const struct socket_sample *socket = &event->socket;
    bool gone = event->kind == EVENT_GONE;

    if (gone && samples_find(&json->sockets, socket) == NULL)
        return;
    if (!gone && !is_news(samples_find(&json->sockets, socket), socket))
        return;
    if (gone)
        samples_remove(&json->sockets, socket);
    else if (samples_put(&json->sockets, socket, event->time_ns) < 0)
        return; /* one line less */
    if (json->started)
        print_socket(json, socket, event->time_ns, gone);
}

static void start(struct json_writer *json, int64_t time_ns)
{
    json->started = true;
    json->start_ns = time_ns;
    for (size_t i = 0; i < json->sockets.count; i++)
        print_socket(json, &json->sockets.items[i].socket,
                     json->sockets.items[i].socket.since_ns, false);
}

void json_fini(struct json_writer *json)
{
    samples_fini(&json->sockets);
}

/* --- all events ------------------------------------------------------------ */

void json_event(void *self, const struct event *event)
{
    struct json_writer *json = self;

    if (event->kind == EVENT_LOST && json->started)
        print_lost(json, event);
    if (event->kind == EVENT_SOCKET || event->kind == EVENT_GONE)
        see_socket(json, event);
    if (event->kind != EVENT_PACKET && event->kind != EVENT_CALL)
        return;
    if (!json->started)
        start(json, event->time_ns);
    if (event->kind == EVENT_CALL)
        print_call(json, &event->made);
    else
        print_packet(json, event->packet, event->note);
}

static void print_states(FILE *out, const char *key, const struct flow_end *end)
{
    fprintf(out, ",\"%s\":[", key);
    for (int i = 0; i < end->state_count; i++)
        fprintf(out, "%s\"%s\"", i > 0 ? "," : "",
                tcp_state_name(end->states[i]));
    fputc(']', out);
}

static void print_udp(FILE *out, const struct flow_udp *udp)
{
    fprintf(out,
            ",\"answered\":%" PRIu64 ",\"unanswered\":%" PRIu64
            ",\"unasked\":%" PRIu64 ",\"empty\":[%" PRIu64 ",%" PRIu64
            "],\"fragments\":%" PRIu64,
            udp->answered, udp->unanswered, udp->unasked, udp->empty[0],
            udp->empty[1], udp->fragments);
}

void json_flow(struct json_writer *json, const struct flow *flow)
{
    const struct flow_end *client = &flow->end[FLOW_CLIENT];
    const struct flow_end *server = &flow->end[FLOW_SERVER];
    char client_text[ADDRESS_TEXT], server_text[ADDRESS_TEXT];

    endpoint_text(&client->at, client_text, sizeof client_text);
    endpoint_text(&server->at, server_text, sizeof server_text);
    fprintf(json->out,
            "{\"type\":\"conn\",\"conn\":%" PRIu32 ",\"proto\":\"%s\""
            ",\"client\":\"%s\",\"server\":\"%s\",\"packets\":%" PRIu64
            ",\"bytes\":[%" PRIu64 ",%" PRIu64 "],\"retransmissions\":%" PRIu64,
            flow->id, flow->protocol == PROTO_TCP ? "tcp" : "udp", client_text,
            server_text, flow->packets, client->bytes, server->bytes,
            flow->retransmissions);
    print_states(json->out, "client_states", client);
    print_states(json->out, "server_states", server);
    fprintf(json->out, ",\"closed_by\":\"%s\"",
            closed_by_text(flow->closed_by));
    if (flow->protocol == PROTO_TCP) {
        fprintf(json->out, ",\"vantage\":\"%s\"", vantage_text(flow->vantage));
        if (flow->initial_rtt_ns > 0)
            print_span(json->out, "initial_rtt", flow->initial_rtt_ns);
        if (flow->spurious > 0)
            fprintf(json->out, ",\"spurious\":%" PRIu64, flow->spurious);
        if (flow->lost[0] + flow->lost[1] > 0)
            fprintf(json->out, ",\"lost\":[%" PRIu64 ",%" PRIu64 "]",
                    flow->lost[0], flow->lost[1]);
    }
    if (flow->protocol == PROTO_UDP)
        print_udp(json->out, &flow->udp);
    fputs("}\n", json->out);
}
