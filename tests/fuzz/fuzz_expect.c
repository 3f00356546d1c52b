/*
 * Any lines of the observation language, then any events. Promises: what came
 * true stays true and what broke stays broken until the block is opened anew,
 * done means all true, and every sentence for a person is printable.
 *
 *   bit 0: kernel?, bit 3: two machines?, bit 7: lines are a byte each, bit 6:
 *   packets are; lines up to a zero byte, events: kind, then what it has
 */
#include "tests/fuzz/packets.h"
#include "viz/events/expect.h"
#include "viz/track/track.h"

enum { MOST_EVENTS = 300, LINES = 64, LINE = 300 };

struct state {
    struct expect *expect;
    struct track *track;
    struct packets packets;
    bool steps; /* packets are a byte each */
    enum expect_status last[LINES];
    size_t awaited;
};

JUDGE static void check_text(const char *text, size_t size)
{
    size_t length = strnlen(text, size);

    must(length < size);
    must(is_printable(text, length, ""));
}

static void add_line(struct expect *expect, const char *line)
{
    char why[200];

    memset(why, 'x', sizeof why);
    if (expect_add(expect, line, why, sizeof why) < 0) {
        check_text(why, sizeof why);
        must(why[0] != '\0');
    }
}

static const char *const known_lines[] = {
    "listen tcp 7001",
    "listen udp 7001",
    "listen unix a",
    "handshake tcp 7001",
    "refused tcp 7001",
    "data tcp 7001 from client",
    "data tcp 7001 from server",
    "data tcp 7001 from client \"aaa\"",
    "data tcp 7001 from server \"ab\"",
    "data tcp 7001 from client 3 bytes",
    "close tcp 7001 by client",
    "close tcp 7001 by server",
    "reset tcp 7001 by client",
    "reset tcp 7001 by server",
    "state tcp 7001 server LISTEN",
    "state tcp 7001 client SYN_SENT",
    "state tcp 7001 server SYN_RECV",
    "state tcp 7001 client ESTABLISHED",
    "state tcp 7001 server ESTABLISHED",
    "state tcp 7001 client FIN_WAIT2",
    "state tcp 7001 server CLOSE_WAIT",
    "state tcp 7001 server LAST_ACK",
    "state tcp 7001 client TIME_WAIT",
    "state tcp 7001 server CLOSED",
    "established tcp 7001 0",
    "established tcp 7001 1",
    "established tcp 7001 2",
    "retransmit tcp 7001 syn",
    "retransmit tcp 7001 data 2",
    "zero-window tcp 7001 by server",
    "datagram udp 7001 from client x2",
    "datagram udp 7001 from server 0 bytes",
    "unreachable udp 7001",
    "lost udp 7001",
    "waits server accept",
    "waits client recv 7001",
    "prints A \"a\"",
    "prints B \"ab\"",
    "exits A 0",
    "exits B 1",
    "shell A",
    "shell B",
    "zero-window tcp 7001 by client",
    "retransmit tcp 7001 data",
    "waits client recv",
    "waits server poll 7001",
    "prints A \"\\xc3\"",
    "lost udp 7001 within 1s",
    "data tcp 7001 from client within 1s",
    "established tcp 7001 1 within 1s",
};

enum { KNOWN_LINES = sizeof known_lines / sizeof known_lines[0] };

/* As a byte each: lines that are understood, in any order, so that the fuzzer
 * finds what two of them do to each other. */
static void add_known_lines(struct expect *expect, struct input *input)
{

    while (input->left > 0 && expect_count(expect) < LINES) {
        uint8_t byte = input_u8(input);
        char line[LINE];

        if (byte == 0)
            break;
        snprintf(line, sizeof line, "%s%s", byte & 128 ? "not " : "",
                 known_lines[(byte & 127) % KNOWN_LINES]);
        add_line(expect, line);
    }
}

static void add_lines(struct expect *expect, struct input *input)
{
    char line[LINE];
    size_t length = 0;

    while (input->left > 0 && expect_count(expect) < LINES) {
        char c = (char)input_u8(input);

        if (c != '\n' && c != '\0') {
            if (length < sizeof line - 1)
                line[length++] = c;
            continue;
        }
        line[length] = '\0';
        length = 0;
        add_line(expect, line);
        if (c == '\0')
            break;
    }
}

static void socket_event(const struct packets *packets, struct event *event,
                         struct input *input)
{
    struct socket_sample *socket = &event->socket;
    uint8_t who = input_u8(input);

    socket->protocol = who & 64 ? PROTO_UDP : PROTO_TCP;
    socket->local = packets_end(packets, who & 3, who >> 2 & 1);
    if (who & 8)
        socket->remote = packets_end(packets, who & 3, !(who >> 2 & 1));
    socket->state = input_u8(input) % TCP_STATES;
    socket->receive_queue = input_u8(input);
    socket->inode = 1;
    socket->cookie = 1 + who % 32;
}

static void terminal_event(struct event *event, struct input *input, char *text)
{
    uint8_t letter = input_u8(input);
    struct input part = input_part(input, input_u8(input) % 64);

    event->terminal = (char)('A' + letter % 3);
    event->status = letter >> 2;
    event->text = text;
    for (size_t i = 0; i < part.left; i++) {
        if (part.at[i] < 0xf0) {
            *text++ = (char)(0x20 + part.at[i] % 0x5f);
        } else { /* an e with an acute accent */
            *text++ = (char)0xc3;
            *text++ = (char)0xa9;
        }
    }
    *text = '\0';
}

static const char *path(struct input *input, char *text, size_t size)
{
    struct input part = input_part(input, input_u8(input) % size);

    memcpy(text, part.at, part.left);
    text[part.left] = '\0';
    return text;
}

static struct packet next_packet(struct state *state, struct input *input)
{
    uint8_t bytes[PACKETS_STEP];
    struct input step;

    if (!state->steps)
        return packets_next(&state->packets, input);
    step = packets_step(input_u8(input), bytes);
    return packets_next(&state->packets, &step);
}

static void feed(struct state *state, struct input *input)
{
    struct event event = {.kind = input_u8(input) % (EVENT_UNIX + 2)};
    struct packet packet;
    struct note note = {0};
    char text[2 * 64] = "";

    event.time_ns = state->packets.now_ns;
    if ((int)event.kind == EVENT_UNIX + 1) {
        expect_open(state->expect);
        memset(state->last, 0, sizeof state->last);
        state->awaited = 0;
        return;
    }
    switch (event.kind) {
    case EVENT_PACKET:
        packet = next_packet(state, input);
        must(track_feed(state->track, &packet, &note) == 0);
        event.time_ns = packet.time_ns;
        event.packet = &packet;
        event.note = &note;
        break;
    case EVENT_SOCKET:
    case EVENT_GONE:
    case EVENT_OUTSIDE:
        socket_event(&state->packets, &event, input);
        break;
    case EVENT_WAITS:
        event.side = input_u8(input) % 2;
        event.port = 7001;
        event.call = input_u8(input) % WAIT_CALLS;
        break;
    case EVENT_LOOKED:
        break;
    case EVENT_LOST:
        if (!packets_lost(&state->packets, input, &event.lost))
            event.lost = state->packets.recent[0];
        event.flow = track_lost(state->track, &event.lost, event.time_ns);
        break;
    case EVENT_UNIX:
        event.path = path(input, text, sizeof text);
        break;
    default:
        terminal_event(&event, input, text);
    }
    expect_feed(state->expect, &event);
}

JUDGE static void check(struct state *state)
{
    const struct expect *expect = state->expect;
    size_t count = expect_count(expect);
    enum flow_side side;
    uint16_t port;

    must(expect_awaited(expect) <= count);
    must(expect_awaited(expect) >= state->awaited);
    state->awaited = expect_awaited(expect);
    for (size_t n = 0; n < count; n++) {
        enum expect_status status = expect_status(expect, n);

        must(status <= EXPECT_BROKEN);
        if (state->last[n] == EXPECT_BROKEN)
            must(status == EXPECT_BROKEN);
        /* a `not` line behind the last positive one may still break */
        if (state->last[n] == EXPECT_TRUE)
            must(status == EXPECT_TRUE ||
                 strncmp(expect_line(expect, n), "not", 3) == 0);
        if (status == EXPECT_BROKEN)
            must(expect_broken(expect) && !expect_done(expect));
        if (expect_done(expect))
            must(status == EXPECT_TRUE);
        state->last[n] = status;
    }
    if (expect_wants_waits(expect, &side, &port))
        must(side == FLOW_CLIENT || side == FLOW_SERVER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct state state = {.track = track_new(4)};
    uint8_t how;

    must(state.track != NULL);
    how = input_u8(&input);
    state.steps = how & 64;
    state.packets.far = how & 8;
    state.expect = expect_new(how & 1);
    must(state.expect != NULL);
    if (how & 128)
        add_known_lines(state.expect, &input);
    else
        add_lines(state.expect, &input);
    expect_open(state.expect);
    for (int i = 0; i < MOST_EVENTS && input.left > 0; i++) {
        feed(&state, &input);
        check(&state);
    }
    for (size_t n = 0; n < expect_count(state.expect); n++) {
        check_text(expect_line(state.expect, n), LINE);
        check_text(expect_reason(state.expect, n), 4096);
    }
    expect_free(state.expect);
    track_free(state.track);
    return 0;
}
