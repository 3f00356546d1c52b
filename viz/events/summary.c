/* See summary.h. */
#include "viz/events/summary.h"

#include <inttypes.h>

#include "viz/decode/decode.h"

enum { ADDRESS_TEXT = 64 };

static void print_states(FILE *out, const char *label,
                         const struct flow_end *end)
{
    fprintf(out, "  %-16s", label);
    for (int i = 0; i < end->state_count; i++)
        fprintf(out, " %s", tcp_state_name(end->states[i]));
    if (end->state_count == 0)
        fputs(" none seen", out);
    fputc('\n', out);
}

static const char *where(enum flow_vantage vantage)
{
    switch (vantage) {
    case VANTAGE_CLIENT:
        return "near the client";
    case VANTAGE_SERVER:
        return "near the server";
    case VANTAGE_BOTH:
        return "where both ends are";
    case VANTAGE_MIDDLE:
        return "on the way between them";
    case VANTAGE_UNKNOWN:
        break;
    }
    return "the packets do not tell where";
}

static const char *ended(const struct flow *flow)
{
    if (flow->refused)
        return flow->unreached ? "never begun" : "refused: nobody listened";
    switch (flow->closed_by) {
    case CLOSED_BY_CLIENT:
        return "the client closed first";
    case CLOSED_BY_SERVER:
        return "the server closed first";
    case CLOSED_BY_BOTH:
        return "both closed at once";
    case CLOSED_BY_RESET:
        return "by a reset";
    case CLOSED_OPEN:
        break;
    }
    return "not yet";
}

/* Requests and their answers; what is not there is not said. */
static void print_udp(FILE *out, const struct flow *flow)
{
    const struct flow_udp *udp = &flow->udp;
    uint64_t empty = udp->empty[0] + udp->empty[1];

    fprintf(out,
            "  requests         %" PRIu64 " answered, %" PRIu64 " unanswered\n",
            udp->answered, udp->unanswered);
    if (udp->unasked > 0)
        fprintf(out, "  unasked          %" PRIu64 " from the server\n",
                udp->unasked);
    if (empty > 0)
        fprintf(out, "  empty datagrams  %" PRIu64 "\n", empty);
    if (udp->fragments > 0)
        fprintf(out,
                "  fragments        %" PRIu64
                " more packets, parts of datagrams counted above\n",
                udp->fragments);
}

void summary_flow(FILE *out, const struct flow *flow)
{
    const struct flow_end *client = &flow->end[FLOW_CLIENT];
    const struct flow_end *server = &flow->end[FLOW_SERVER];
    int64_t lasted = flow->last_ns - flow->first_ns;
    char client_text[ADDRESS_TEXT], server_text[ADDRESS_TEXT];
    bool tcp = flow->protocol == PROTO_TCP;

    if (lasted < 0) /* the capture's clock was set back */
        lasted = 0;
    endpoint_text(&client->at, client_text, sizeof client_text);
    endpoint_text(&server->at, server_text, sizeof server_text);
    fprintf(out, "connection %" PRIu32 "  %s  %s -> %s%s\n", flow->id,
            tcp ? "tcp" : "udp", client_text, server_text,
            flow->midstream ? "  (seen from the middle)" : "");
    fprintf(out,
            "  packets          %" PRIu64 ": %" PRIu64
            " from the client, %" PRIu64 " from the server\n",
            flow->packets, client->packets, server->packets);
    fprintf(out,
            "  payload bytes    %" PRIu64 " from the client, %" PRIu64
            " from the server\n",
            client->bytes, server->bytes);
    fprintf(out, "  lasted           %" PRId64 ".%09" PRId64 " s\n",
            lasted / 1000000000, lasted % 1000000000);
    if (!tcp)
        print_udp(out, flow);
    if (flow->refused && flow->unreached)
        fprintf(out, "  unreachable      an ICMP error brought %s\n",
                flow->unreached);
    if (tcp) {
        fprintf(out, "  retransmissions  %" PRIu64 "\n", flow->retransmissions);
        if (flow->lost[0] + flow->lost[1] > 0)
            fprintf(out,
                    "  lost             %" PRIu64 " before it was captured, "
                    "%" PRIu64 " after\n",
                    flow->lost[0], flow->lost[1]);
        if (flow->spurious > 0 && flow->retransmissions > 0)
            fprintf(out, "  in vain          %" PRIu64 " (told by D-SACK)\n",
                    flow->spurious);
        if (flow->initial_rtt_ns > 0)
            fprintf(out,
                    "  round trip       %" PRId64 ".%06" PRId64
                    " ms, at the handshake\n",
                    flow->initial_rtt_ns / 1000000,
                    flow->initial_rtt_ns % 1000000);
        fprintf(out, "  captured         %s\n", where(flow->vantage));
        print_states(out, "client's states", client);
        print_states(out, "server's states", server);
        fprintf(out, "  ended            %s\n", ended(flow));
    }
    fputc('\n', out);
}

void summary_totals(FILE *out, struct track *track, uint64_t packets,
                    uint64_t dropped)
{
    struct track_totals totals = track_totals(track);

    fputs("total\n", out);
    fprintf(out, "  packets          %" PRIu64, packets);
    if (dropped > 0)
        fprintf(out, ", and %" PRIu64 " that the kernel had to drop", dropped);
    fprintf(out,
            "\n  connections      %" PRIu64 " TCP, %" PRIu64 " UDP\n"
            "  retransmissions  %" PRIu64 "\n",
            totals.tcp, totals.udp, totals.retransmissions);
    if (track_forgotten(track) > 0)
        fprintf(out,
                "  forgotten        %" PRIu64 " connections, the oldest: "
                "there were too many at once\n",
                track_forgotten(track));
}
