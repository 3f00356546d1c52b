/* See words.h. */
#include "viz/views/words.h"

#include <stdio.h>
#include <string.h>

#include "viz/decode/decode.h"

#define TIME_WAIT_NS INT64_C(60000000000) /* on Linux */

enum {
    SETTLE_NS = 200 * 1000 * 1000
}; /* four looks into the kernel's tables */

/* --- states ---------------------------------------------------------------- */

char *state_text(enum tcp_state state, bool assumed, int columns,
                 char text[WORDS])
{
    static const char *const middle[TCP_STATES] = {
        [TCP_ESTABLISHED] = "ESTAB",
    };
    static const char *const narrow[TCP_STATES] = {
        [TCP_SYN_SENT] = "SYN_S",   [TCP_SYN_RECV] = "SYN_R",
        [TCP_FIN_WAIT1] = "FIN_W1", [TCP_FIN_WAIT2] = "FIN_W2",
        [TCP_TIME_WAIT] = "TIME_W", [TCP_CLOSE_WAIT] = "CLOSE_W",
        [TCP_LAST_ACK] = "LAST_A",
    };
    const char *mark = assumed && state != TCP_UNKNOWN ? "?" : "";
    const char *name = tcp_state_name(state);
    int room = columns - (int)strlen(mark);

    if (state < TCP_STATES && (int)strlen(name) > room && middle[state])
        name = middle[state];
    if (state < TCP_STATES && (int)strlen(name) > room && narrow[state])
        name = narrow[state];
    snprintf(text, WORDS, "%.*s%s", room > 0 ? room : 0, name, mark);
    return text;
}

char *state_before_text(const struct note *note, int side, int columns,
                        char text[WORDS])
{
    bool refuses = note->before[side] == TCP_LISTEN &&
                   note->after[side] == TCP_CLOSED;

    return state_text(note->before[side], refuses, columns, text);
}

bool kernel_differs(const struct store *store, const struct flow *flow,
                    enum flow_side side)
{
    const struct socket_sample *socket = store_socket_of(store, flow, side);
    const struct flow_end *end = &flow->end[side];
    int64_t looked = store_looked(store);

    return flow->protocol == PROTO_TCP && socket &&
           socket->state != end->state &&
           socket->state != TCP_LISTEN && /* the listener stays */
           looked - socket->since_ns > SETTLE_NS &&
           looked - end->since_ns > SETTLE_NS;
}

bool flow_has_nobody(const struct flow *flow)
{
    if (!flow->refused)
        return false;
    return flow->unreached == NULL ||
           (flow->protocol == PROTO_UDP &&
            strcmp(flow->unreached, "ECONNREFUSED") == 0);
}

bool flow_is_opening(const struct flow *flow)
{
    enum tcp_state client = flow->end[FLOW_CLIENT].state;

    return flow->protocol == PROTO_TCP && flow->closed_by == CLOSED_OPEN &&
           (client == TCP_SYN_SENT || client == TCP_SYN_RECV ||
            flow->end[FLOW_SERVER].state == TCP_SYN_RECV);
}

static enum style state_style(enum tcp_state state, bool assumed)
{
    if (assumed || state == TCP_CLOSED)
        return STYLE_DIM;
    return state == TCP_ESTABLISHED ? STYLE_GOOD : STYLE_STRONG;
}

enum style wire_word(const struct store *store, const struct flow *flow,
                     enum flow_side side, int columns, char text[WORDS])
{
    const struct flow_end *end = &flow->end[side];
    bool over = end->state == TCP_TIME_WAIT &&
                store_now(store) - end->since_ns > TIME_WAIT_NS;
    bool assumed = end->assumed || over; /* its end is on no wire */

    text[0] = '\0';
    if (flow->protocol == PROTO_TCP)
        state_text(end->state, assumed, columns, text);
    return state_style(end->state, assumed);
}

enum style kernel_word(const struct store *store, const struct flow *flow,
                       enum flow_side side, int columns, char text[WORDS])
{
    const struct socket_sample *socket = store_socket_of(store, flow, side);
    bool differs = kernel_differs(store, flow, side);
    char state[WORDS];

    text[0] = '\0';
    if (flow->protocol != PROTO_TCP || !store_kernel(store))
        return STYLE_DIM;
    if (!socket) {
        snprintf(text, WORDS, "-");
        return STYLE_DIM;
    }
    state_text(socket->state, false, columns - differs, state);
    snprintf(text, WORDS, "%s%.*s", differs ? "\xE2\x89\xA0" : "", WORDS - 4,
             state);
    return differs ? STYLE_BAD : state_style(socket->state, false);
}

/* --- times and amounts ----------------------------------------------------- */

char *seconds_text(int64_t ns, int columns, char text[WORDS])
{
    double seconds = (double)ns / 1e9;
    int whole = snprintf(text, WORDS, "%.0f", seconds < 0 ? -seconds : seconds);
    int decimals = columns - whole - 1 - (ns < 0);

    if (decimals > 6)
        decimals = 6;
    if (decimals < 0)
        decimals = 0;
    snprintf(text, WORDS, "%.*f", decimals, seconds);
    return text;
}

char *span_text(int64_t ns, char text[WORDS])
{
    double seconds = (double)(ns < 0 ? 0 : ns) / 1e9;

    if (seconds < 0.0009995)
        snprintf(text, WORDS, "%.0f us", seconds * 1e6);
    else if (seconds < 0.9995)
        snprintf(text, WORDS, "%.0f ms", seconds * 1e3);
    else if (seconds < 99.95)
        snprintf(text, WORDS, "%.1f s", seconds);
    else if (seconds < 5400)
        snprintf(text, WORDS, "%.0f min", seconds / 60);
    else
        snprintf(text, WORDS, "%.0f h", seconds / 3600);
    return text;
}

char *amount_text(uint64_t amount, char text[WORDS])
{
    static const char units[] = "kMGTPE";
    double value = (double)amount;
    int unit = -1;

    if (amount < 10000) {
        snprintf(text, WORDS, "%d", (int)amount);
        return text;
    }
    while (value >= 999.5 && unit < 5) {
        value /= 1000;
        unit++;
    }
    snprintf(text, WORDS, value < 9.95 ? "%.1f%c" : "%.0f%c", value,
             units[unit]);
    return text;
}

char *bytes_text(uint64_t bytes, char text[WORDS])
{
    char *unit;

    amount_text(bytes, text);
    unit = text + strlen(text) - 1;
    if (*unit > '9') { /* its last character is k, M ... */
        unit[1] = unit[0];
        unit[0] = ' ';
        unit[2] = 'B';
        unit[3] = '\0';
    } else {
        snprintf(unit + 1, 3, " B");
    }
    return text;
}

/* --- names ----------------------------------------------------------------- */

char *protocol_text(uint8_t protocol, char text[WORDS])
{
    switch (protocol) {
    case PROTO_TCP:
        snprintf(text, WORDS, "tcp");
        break;
    case PROTO_UDP:
        snprintf(text, WORDS, "udp");
        break;
    case PROTO_ICMP:
        snprintf(text, WORDS, "icmp");
        break;
    case PROTO_ICMP6:
        snprintf(text, WORDS, "icmp6");
        break;
    default:
        snprintf(text, WORDS, "ip %u", protocol);
    }
    return text;
}

char *end_text(const struct endpoint *end, int columns, char text[WORDS])
{
    char whole[64];
    int length, extra;

    endpoint_text(end, whole, sizeof whole);
    length = (int)strlen(whole);
    extra = length - columns;
    if (extra <= 0)
        snprintf(text, WORDS, "%s", whole);
    else if (columns >= 10) /* what tells addresses apart is their end */
        snprintf(text, WORDS, "\xE2\x80\xA6%s", whole + extra + 1);
    else
        snprintf(text, WORDS, ":%u", end->port);
    return text;
}

/* --- verdicts -------------------------------------------------------------- */

static const struct verdict_word verdicts[VERDICT_NAMES] = {
    [VERDICT_RETRANSMISSION] = {'R', STYLE_WARN, "sent again"},
    [VERDICT_REORDERED] = {'O', STYLE_WARN, "out of order"},
    [VERDICT_DUPLICATE_ACK] = {'D', STYLE_WARN, "duplicate ACK"},
    [VERDICT_LOST_SEGMENT] = {'L', STYLE_WARN, "one before it is missing"},
    [VERDICT_ACKED_UNSEEN] = {'U', STYLE_WARN, "ACK of data not seen here"},
    [VERDICT_ZERO_WINDOW] = {'Z', STYLE_WARN, "window 0: stop sending"},
    [VERDICT_ZERO_WINDOW_PROBE] = {'P', STYLE_WARN, "window probe"},
    [VERDICT_WINDOW_UPDATE] = {'W', STYLE_GOOD, "window open again"},
    [VERDICT_WINDOW_FULL] = {'F', STYLE_WARN, "fills the window"},
    [VERDICT_KEEP_ALIVE] = {'K', STYLE_DIM, "keep-alive"},
    [VERDICT_KEEP_ALIVE_ACK] = {'K', STYLE_DIM, "answer to a keep-alive"},
    [VERDICT_PORT_REUSE] = {'N', STYLE_DIM, "the port is used anew"},
    [VERDICT_SIMULTANEOUS_OPEN] = {'S', STYLE_GOOD, "simultaneous open"},
    [VERDICT_REFUSED] = {'X', STYLE_BAD, "refused"},
    [VERDICT_UNREACHABLE] = {'X', STYLE_BAD, "unreachable"},
};

const struct verdict_word *verdict_word(enum verdict_name name)
{
    static const struct verdict_word none = {' ', STYLE_PLAIN, ""};

    return name < VERDICT_NAMES ? &verdicts[name] : &none;
}

const struct verdict_word verdict_report = {
    'V', STYLE_WARN, "reports: that came twice, sent again in vain"};

const struct verdict_word *verdict_word_of(const struct verdict *verdict)
{
    if (verdict->name == VERDICT_RETRANSMISSION && verdict->evidence &&
        strcmp(verdict->evidence, "dsack") == 0)
        return &verdict_report;
    return verdict_word(verdict->name);
}

char packet_letter(const struct store_row *row, enum style *style)
{
    if (row->lost) {
        *style = STYLE_BAD;
        return '!';
    }
    if (row->note.verdict_count > 0) {
        const struct verdict_word *word = verdict_word_of(
            &row->note.verdicts[0]);

        *style = word->style;
        return word->letter;
    }
    *style = STYLE_BAD;
    if (packet_is_tcp(&row->packet) && row->packet.tcp.flags & TCP_RST)
        return 'X';
    *style = STYLE_PLAIN;
    return ' ';
}

bool packet_is_tcp(const struct packet *packet)
{
    return packet->protocol == PROTO_TCP && packet->has_transport;
}
