/* See replay.h. Both files are read whole, then their items sorted by time. */
#include "viz/lesson/replay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/capture/capture.h"
#include "viz/events/call.h"

enum {
    ITEMS_MOST = 200000,
    BYTES_MOST = 32 << 20, /* of all packets */
    EVENTS_MOST = 8 << 20, /* of replay.events */
    STEPS_MOST = 2000
};

#define ANY_STEPS SIZE_MAX

struct replay {
    struct replay_item *items;
    size_t count, room;
    int64_t *opened; /* when each step was opened; INT64_MAX: never */
    size_t steps;
    char *text; /* replay.events; the items' texts lie in it */
    uint8_t *bytes;
    size_t byte_count;
    int link;
};

static int fault(struct replay_error *error, const char *path, int line,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

static int fault(struct replay_error *error, const char *path, int line,
                 const char *format, ...)
{
    va_list args;
    int n = line > 0 ? snprintf(error->text, sizeof error->text,
                                "%s:%d: ", path, line)
                     : snprintf(error->text, sizeof error->text, "%s: ", path);

    if (n >= 0 && n < (int)sizeof error->text) {
        va_start(args, format);
        vsnprintf(error->text + n, sizeof error->text - (size_t)n, format,
                  args);
        va_end(args);
    }
    return -1;
}

static struct replay_item *add_item(struct replay *replay)
{
    struct replay_item *more = replay->items;

    if (replay->count == ITEMS_MOST) {
        errno = EFBIG;
        return NULL;
    }
    if (replay->count == replay->room) {
        size_t room = replay->room ? replay->room * 2 : 256;

        more = realloc(more, room * sizeof *more);
        if (!more)
            return NULL;
        replay->items = more;
        replay->room = room;
    }
    more = &replay->items[replay->count++];
    memset(more, 0, sizeof *more);
    more->order = replay->count;
    return more;
}

/* --- replay.events ----------------------------------------------------- */

/* The next word of a line, cut out of it; "" at its end. */
static char *word(char **line)
{
    char *at = *line + strspn(*line, " ");
    size_t n = strcspn(at, " ");

    *line = at + n;
    if (**line)
        *(*line)++ = '\0';
    return at;
}

static bool number(const char *text, uint64_t most, uint64_t *value)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *value <= most;
}

/* SECONDS.NNNNNNNNN */
static bool time_of(char *text, int64_t *time_ns)
{
    char *dot = strchr(text, '.');
    uint64_t seconds, ns;

    if (!dot || strlen(dot + 1) != 9)
        return false;
    *dot = '\0';
    if (!number(text, INT32_MAX, &seconds) || !number(dot + 1, 999999999, &ns))
        return false;
    *time_ns = (int64_t)seconds * 1000000000 + (int64_t)ns;
    return true;
}

/* "127.0.0.1:7001" or "[::1]:7001" */
static bool endpoint_of(char *text, struct endpoint *end)
{
    char *colon = strrchr(text, ':');
    uint64_t port;

    memset(end, 0, sizeof *end);
    if (!colon || !number(colon + 1, 65535, &port))
        return false;
    *colon = '\0';
    end->port = (uint16_t)port;
    end->family = 4;
    if (*text == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        end->family = 6;
        return inet_pton(AF_INET6, text + 1, end->address) == 1;
    }
    return inet_pton(AF_INET, text, end->address) == 1;
}

static bool named(char **line, const char *name, uint64_t most, uint64_t *value)
{
    return strcmp(word(line), name) == 0 && number(word(line), most, value);
}

/* What a TCP socket knows of its way. */
static bool tcp_of(char *line, struct socket_tcp *tcp)
{
    const struct {
        const char *name;
        uint32_t *value;
    } numbers[] = {{"rto", &tcp->rto_us},        {"rtt", &tcp->rtt_us},
                   {"rttvar", &tcp->rttvar_us},  {"cwnd", &tcp->cwnd},
                   {"ssthresh", &tcp->ssthresh}, {"unacked", &tcp->unacked},
                   {"mss", &tcp->mss},           {"resent", &tcp->resent}};
    uint64_t value;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (!named(&line, numbers[i].name, UINT32_MAX, &value))
            return false;
        *numbers[i].value = (uint32_t)value;
    }
    if (!named(&line, "backoff", UINT8_MAX, &value))
        return false;
    tcp->backoff = (uint8_t)value;
    tcp->known = true;
    return *line == '\0';
}

static bool socket_of(char *line, struct socket_sample *socket)
{
    const char *protocol = word(&line), *state = word(&line);
    uint64_t receive, send, timer, retransmits, ms, inode, cookie, drops;

    if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
        return false;
    socket->protocol = *protocol == 't' ? PROTO_TCP : PROTO_UDP;
    socket->state = tcp_state_from_name(state);
    if (!endpoint_of(word(&line), &socket->local) ||
        !endpoint_of(word(&line), &socket->remote) ||
        !named(&line, "receive", UINT32_MAX, &receive) ||
        !named(&line, "send", UINT32_MAX, &send) ||
        !named(&line, "timer", UINT8_MAX, &timer) ||
        !named(&line, "retransmits", UINT8_MAX, &retransmits) ||
        !named(&line, "ms", UINT32_MAX, &ms) ||
        !named(&line, "inode", UINT32_MAX, &inode) ||
        !named(&line, "cookie", UINT64_MAX, &cookie))
        return false;
    socket->receive_queue = (uint32_t)receive;
    socket->send_queue = (uint32_t)send;
    socket->timer = (uint8_t)timer;
    socket->retransmits = (uint8_t)retransmits;
    socket->timer_ms = (uint32_t)ms;
    socket->inode = (uint32_t)inode;
    socket->cookie = cookie;
    if (*line == '\0') /* recorded before drops were looked at */
        return true;
    if (!named(&line, "drops", UINT32_MAX, &drops))
        return false;
    socket->drops = (uint32_t)drops;
    return *line == '\0' || tcp_of(line, &socket->tcp);
}

static bool lost_of(char *line, struct lost_packet *lost)
{
    const char *protocol = word(&line);
    uint64_t id, seq, length;

    if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
        return false;
    lost->protocol = *protocol == 't' ? PROTO_TCP : PROTO_UDP;
    if (!endpoint_of(word(&line), &lost->source) ||
        !endpoint_of(word(&line), &lost->destination) ||
        !named(&line, "id", UINT32_MAX, &id) ||
        !named(&line, "seq", UINT32_MAX, &seq) ||
        !named(&line, "length", UINT32_MAX, &length))
        return false;
    lost->ip_id = (uint32_t)id;
    lost->seq = (uint32_t)seq;
    lost->length = (uint32_t)length;
    return true;
}

/* A number that may be -1. */
static bool named_signed(char **line, const char *name, uint64_t most,
                         int64_t *value)
{
    uint64_t positive;
    const char *text;

    if (strcmp(word(line), name) != 0)
        return false;
    text = word(line);
    *value = -1;
    if (strcmp(text, "-1") == 0)
        return true;
    if (!number(text, most, &positive))
        return false;
    *value = (int64_t)positive;
    return true;
}

static bool call_of(char *line, struct event *event)
{
    struct program_call *call = &event->made;
    const char *protocol = word(&line);
    uint64_t local, remote, error, length, inside, pid, tid;
    int64_t fd;

    if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
        return false;
    call->protocol = *protocol == 't' ? PROTO_TCP : PROTO_UDP;
    call->function = call_from_name(word(&line));
    if (call->function == CALLED_FUNCTIONS ||
        !named(&line, "local", 65535, &local) ||
        !named(&line, "remote", 65535, &remote) ||
        !named_signed(&line, "fd", INT32_MAX, &fd) ||
        !named_signed(&line, "result", INT64_MAX, &call->result) ||
        !named(&line, "errno", INT32_MAX, &error) ||
        !named(&line, "length", INT64_MAX, &length) ||
        !named(&line, "inside", (uint64_t)event->time_ns, &inside) ||
        !named(&line, "pid", INT32_MAX, &pid) ||
        !named(&line, "tid", INT32_MAX, &tid) ||
        (call->result == -1) != (error > 0))
        return false;
    call->local_port = (uint16_t)local;
    call->remote_port = (uint16_t)remote;
    call->fd = (int32_t)fd;
    call->error = (int32_t)error;
    call->length = (int64_t)length;
    call->ended_ns = event->time_ns;
    call->began_ns = event->time_ns - (int64_t)inside;
    call->pid = (int32_t)pid;
    call->tid = (int32_t)tid;
    call->flow = -1; /* the feed finds it */
    return true;
}

static bool path_of(const char *line, struct event *event)
{
    event->path = line;
    for (const char *c = line; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    }
    return *line != '\0';
}

static bool waits_of(char *line, struct event *event)
{
    const char *side = word(&line);
    uint64_t port;

    if (strcmp(side, "server") != 0 && strcmp(side, "client") != 0)
        return false;
    event->side = *side == 's' ? FLOW_SERVER : FLOW_CLIENT;
    if (!number(word(&line), 65535, &port))
        return false;
    event->port = (uint16_t)port;
    event->call = wait_call_from_name(word(&line));
    return true;
}

/* What a terminal said: printable text, for it goes to a screen. */
static bool terminal_of(char *line, struct event *event)
{
    const char *letter = word(&line);
    uint64_t status = 0;

    if (strlen(letter) != 1 || *letter < 'A' || *letter > 'C')
        return false;
    event->terminal = *letter;
    event->text = line;
    if (event->kind == EVENT_EXITED && !number(word(&line), 255, &status))
        return false;
    event->status = (int)status;
    for (const char *c = event->text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    }
    return true;
}

static const struct {
    const char *word;
    enum event_kind kind;
} kinds[] = {
    {"socket", EVENT_SOCKET}, {"gone", EVENT_GONE},
    {"looked", EVENT_LOOKED}, {"opened", EVENT_OPENED},
    {"typed", EVENT_TYPED},   {"printed", EVENT_PRINTED},
    {"exited", EVENT_EXITED}, {"waits", EVENT_WAITS},
    {"lost", EVENT_LOST},     {"unix", EVENT_UNIX},
    {"call", EVENT_CALL},
};

static bool body_of(char *line, struct event *event)
{
    switch (event->kind) {
    case EVENT_SOCKET:
    case EVENT_GONE:
        return socket_of(line, &event->socket);
    case EVENT_LOOKED:
        return true;
    case EVENT_LOST:
        return lost_of(line, &event->lost);
    case EVENT_UNIX:
        return path_of(line, event);
    case EVENT_CALL:
        return call_of(line, event);
    case EVENT_WAITS:
        return waits_of(line, event);
    default:
        return terminal_of(line, event);
    }
}

/* One line of replay.events; what is wrong with it, or NULL. */
static const char *take_line(struct replay *replay, char *line)
{
    const char *what = word(&line);
    struct replay_item *item;
    uint64_t step;
    int64_t time_ns;

    if (!time_of(word(&line), &time_ns))
        return "no time (SECONDS.NNNNNNNNN) after the first word";
    if (strcmp(what, "step") == 0) {
        if (!number(word(&line), replay->steps, &step) || step == 0)
            return "no such step";
        replay->opened[step - 1] = time_ns;
        return NULL;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(what, kinds[i].word) != 0)
            continue;
        item = add_item(replay);
        if (!item)
            return "out of memory, or more than 200000 events";
        item->time_ns = item->event.time_ns = time_ns;
        item->event.kind = kinds[i].kind;
        return body_of(line, &item->event) ? NULL
                                           : "cannot be read as such a line";
    }
    return "begins with no word of docs/replay.md";
}

static int take_steps(struct replay *replay, char *line, size_t steps,
                      const char *path, struct replay_error *error)
{
    uint64_t count;

    if (!named(&line, "steps", STEPS_MOST, &count))
        return fault(error, path, 2, "`steps N` stands here");
    if (steps != ANY_STEPS && count != steps)
        return fault(error, path, 2,
                     "recorded when the lesson had %" PRIu64
                     " steps; it has %zu now. Record it again: --play "
                     "--record",
                     count, steps);
    replay->steps = (size_t)count;
    replay->opened = malloc((replay->steps + 1) * sizeof *replay->opened);
    if (!replay->opened)
        return fault(error, path, 0, "out of memory");
    for (size_t i = 0; i < replay->steps; i++)
        replay->opened[i] = INT64_MAX;
    return 0;
}

static int take_text(struct replay *replay, size_t steps, const char *path,
                     struct replay_error *error)
{
    char *line = replay->text;

    for (int at = 1; *line; at++) {
        char *end = line + strcspn(line, "\n");
        const char *wrong = NULL;
        bool more = *end != '\0';

        *end = '\0';
        if (at == 1 && strncmp(line, "# Two Terminals replay 1", 24) != 0)
            return fault(error, path, 1, "is no recording of a lesson");
        if (at == 2 && take_steps(replay, line, steps, path, error) < 0)
            return -1;
        if (at > 2 && *line != '#' && *line)
            wrong = take_line(replay, line);
        if (wrong)
            return fault(error, path, at, "%s", wrong);
        line = more ? end + 1 : end;
    }
    return replay->opened
               ? 0
               : fault(error, path, 0, "is no recording of a lesson");
}

static int read_events(struct replay *replay, size_t steps, const char *path,
                       struct replay_error *error)
{
    FILE *file = fopen(path, "re");
    size_t length;

    if (!file)
        return fault(error, path, 0, "%s", strerror(errno));
    replay->text = malloc(EVENTS_MOST + 1);
    length = replay->text ? fread(replay->text, 1, EVENTS_MOST, file) : 0;
    fclose(file);
    if (!replay->text)
        return fault(error, path, 0, "out of memory");
    replay->text[length] = '\0';
    if (strlen(replay->text) != length)
        return fault(error, path, 0, "is no recording of a lesson");
    return take_text(replay, steps, path, error);
}

/* --- replay.pcap ------------------------------------------------------- */

static int add_frame(struct replay *replay, const struct frame *frame)
{
    struct replay_item *item;

    if (frame->captured > BYTES_MOST - replay->byte_count) {
        errno = EFBIG;
        return -1;
    }
    item = add_item(replay);
    if (!item)
        return -1;
    item->is_packet = true;
    item->time_ns = frame->time_ns;
    item->length = frame->length;
    item->captured = frame->captured;
    item->bytes = replay->bytes + replay->byte_count;
    memcpy(replay->bytes + replay->byte_count, frame->bytes, frame->captured);
    replay->byte_count += frame->captured;
    return 0;
}

static int read_packets(struct replay *replay, const char *path,
                        struct replay_error *error)
{
    struct capture_error why;
    struct capture *capture = capture_open_file(path, NULL, &why);
    struct frame frame;
    int got = 0;

    if (!capture)
        return fault(error, path, 0, "%.300s", why.text);
    replay->link = capture_link(capture);
    replay->bytes = malloc(BYTES_MOST);
    if (!replay->bytes)
        got = fault(error, path, 0, "out of memory");
    while (got == 0 && (got = capture_next(capture, &frame, &why)) == 1) {
        got = 0;
        if (add_frame(replay, &frame) < 0)
            got = fault(error, path, 0,
                        "too long for a lesson (more than 32 MiB), or out of "
                        "memory");
    }
    if (got < 0 && why.kind != CAPTURE_FINE && error->text[0] == '\0')
        fault(error, path, 0, "%.300s", why.text);
    capture_close(capture);
    return got;
}

/* --- both -------------------------------------------------------------- */

/* By time; packets before what the kernel said at the same moment. */
static int by_time(const void *a, const void *b)
{
    const struct replay_item *one = a, *two = b;

    if (one->time_ns != two->time_ns)
        return one->time_ns < two->time_ns ? -1 : 1;
    if (one->is_packet != two->is_packet)
        return one->is_packet ? -1 : 1;
    return one->order < two->order ? -1 : 1;
}

/* Which step was open at each item: the last that was opened before it. */
static void sort_items(struct replay *replay)
{
    size_t step = 0;

    if (replay->count > 0)
        qsort(replay->items, replay->count, sizeof *replay->items, by_time);
    for (size_t i = 0; i < replay->count; i++) {
        while (step + 1 < replay->steps &&
               replay->opened[step + 1] <= replay->items[i].time_ns)
            step++;
        replay->items[i].step = step;
    }
}

struct replay *replay_open(const char *folder, size_t steps,
                           struct replay_error *error)
{
    struct replay *replay = calloc(1, sizeof *replay);
    char pcap[PATH_MAX], events[PATH_MAX];

    error->text[0] = '\0';
    if (!replay) {
        fault(error, folder, 0, "out of memory");
        return NULL;
    }
    if (snprintf(pcap, sizeof pcap, "%s/replay.pcap", folder) >=
            (int)sizeof pcap ||
        snprintf(events, sizeof events, "%s/replay.events", folder) >=
            (int)sizeof events) {
        fault(error, folder, 0, "%s", strerror(ENAMETOOLONG));
    } else if (read_events(replay, steps, events, error) == 0 &&
               read_packets(replay, pcap, error) == 0) {
        sort_items(replay);
        return replay;
    }
    replay_close(replay);
    return NULL;
}

struct replay *replay_open_events(const char *path, struct replay_error *error)
{
    struct replay *replay = calloc(1, sizeof *replay);

    error->text[0] = '\0';
    if (!replay) {
        fault(error, path, 0, "out of memory");
        return NULL;
    }
    if (read_events(replay, ANY_STEPS, path, error) == 0) {
        sort_items(replay);
        return replay;
    }
    replay_close(replay);
    return NULL;
}

void replay_close(struct replay *replay)
{
    if (!replay)
        return;
    free(replay->items);
    free(replay->opened);
    free(replay->text);
    free(replay->bytes);
    free(replay);
}

int replay_link(const struct replay *replay)
{
    return replay->link;
}

size_t replay_count(const struct replay *replay)
{
    return replay->count;
}

const struct replay_item *replay_item(const struct replay *replay, size_t n)
{
    return n < replay->count ? &replay->items[n] : NULL;
}
