/* See record.h; the format is in docs/replay.md. */
#include "viz/lesson/record.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "viz/decode/decode.h"
#include "viz/events/call.h"
#include "viz/events/samples.h"

#define MAGIC "# Two Terminals replay 1"

struct record {
    bool beside; /* it has its name already, and the packets are another's */
    FILE *out;
    char pcap[PATH_MAX], events[PATH_MAX];
    struct samples written; /* the kernel's sockets as the file has them */
    bool batch;             /* a socket was written since the last look */
};

static int name(char *path, const char *folder, const char *file)
{
    if (snprintf(path, PATH_MAX, "%s/%s.part", folder, file) < PATH_MAX)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

struct record *record_open(const char *folder, size_t steps)
{
    struct record *record = calloc(1, sizeof *record);

    if (!record)
        return NULL;
    if (name(record->pcap, folder, "replay.pcap") < 0 ||
        name(record->events, folder, "replay.events") < 0)
        goto fail;
    record->out = fopen(record->events, "we");
    if (!record->out)
        goto fail;
    fprintf(record->out,
            MAGIC " -- what was seen beside the packets of replay.pcap\n"
                  "steps %zu\n",
            steps);
    return record;
fail:
    free(record);
    return NULL;
}

int record_name_beside(const char *pcap, char *path, size_t size)
{
    static const char ending[] = ".pcap";
    size_t length = strlen(pcap), end = sizeof ending - 1;

    if (length > end && strcmp(pcap + length - end, ending) == 0)
        length -= end;
    if (snprintf(path, size, "%.*s.events", (int)length, pcap) < (int)size)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

/* A file of this name that we did not write, and that is not empty. */
static bool is_foreign(const char *path)
{
    FILE *file = fopen(path, "re");
    char first[sizeof MAGIC] = "";
    bool foreign;

    if (!file)
        return false;
    foreign = fgets(first, sizeof first, file) && strcmp(first, MAGIC) != 0;
    fclose(file);
    return foreign;
}

struct record *record_open_beside(const char *pcap)
{
    struct record *record = calloc(1, sizeof *record);

    if (!record)
        return NULL;
    record->beside = true;
    errno = EEXIST;
    if (record_name_beside(pcap, record->events, sizeof record->events) == 0 &&
        !is_foreign(record->events))
        record->out = fopen(record->events, "we");
    if (record->out) {
        fprintf(record->out,
                MAGIC " -- what was seen beside the packets\nsteps 0\n");
        return record;
    }
    free(record);
    return NULL;
}

const char *record_pcap(const struct record *record)
{
    return record->pcap;
}

static void stamp(struct record *record, const char *word, int64_t time_ns)
{
    fprintf(record->out, "%s %" PRId64 ".%09" PRId64, word,
            time_ns / 1000000000, time_ns % 1000000000);
}

void record_step(struct record *record, size_t step, int64_t time_ns)
{
    stamp(record, "step", time_ns);
    fprintf(record->out, " %zu\n", step + 1);
}

/* Whether the file says something else of this socket, or nothing yet. */
static bool is_news(const struct record *record,
                    const struct socket_sample *socket)
{
    const struct socket_sample *old = samples_find(&record->written, socket);

    return !old || samples_news(old, socket);
}

static void write_socket(struct record *record, const struct event *event)
{
    const struct socket_sample *socket = &event->socket;
    const struct socket_tcp *tcp = &socket->tcp;
    char local[64], remote[64];

    stamp(record, event->kind == EVENT_GONE ? "gone" : "socket",
          event->time_ns);
    fprintf(record->out,
            " %s %s %s %s receive %u send %u timer %u retransmits %u ms %u "
            "inode %u cookie %" PRIu64 " drops %u",
            socket->protocol == PROTO_UDP ? "udp" : "tcp",
            tcp_state_name(socket->state),
            endpoint_text(&socket->local, local, sizeof local),
            endpoint_text(&socket->remote, remote, sizeof remote),
            socket->receive_queue, socket->send_queue, socket->timer,
            socket->retransmits, socket->timer_ms, socket->inode,
            socket->cookie, socket->drops);
    if (socket->tcp.known)
        fprintf(record->out,
                " rto %u rtt %u rttvar %u cwnd %u ssthresh %u unacked %u "
                "mss %u resent %u backoff %u",
                tcp->rto_us, tcp->rtt_us, tcp->rttvar_us, tcp->cwnd,
                tcp->ssthresh, tcp->unacked, tcp->mss, tcp->resent,
                tcp->backoff);
    fputc('\n', record->out);
    record->batch = true;
}

static void record_socket(struct record *record, const struct event *event)
{
    if (event->kind == EVENT_GONE) {
        samples_remove(&record->written, &event->socket);
        write_socket(record, event);
    } else if (is_news(record, &event->socket)) {
        samples_put(&record->written, &event->socket, event->time_ns);
        write_socket(record, event);
    }
}

static void record_terminal(struct record *record, const char *word,
                            const struct event *event)
{
    stamp(record, word, event->time_ns);
    fprintf(record->out, " %c", event->terminal);
    if (event->kind == EVENT_EXITED)
        fprintf(record->out, " %d", event->status);
    else if (event->kind != EVENT_OPENED)
        fprintf(record->out, " %s", event->text);
    fputc('\n', record->out);
}

static void record_lost(struct record *record, const struct event *event)
{
    const struct lost_packet *lost = &event->lost;
    char source[64], destination[64];

    stamp(record, "lost", event->time_ns);
    fprintf(record->out, " %s %s %s id %u seq %u length %u\n",
            lost->protocol == PROTO_UDP ? "udp" : "tcp",
            endpoint_text(&lost->source, source, sizeof source),
            endpoint_text(&lost->destination, destination, sizeof destination),
            lost->ip_id, lost->seq, lost->length);
}

/* A path with a control character is no line of the file. */
static void record_unix(struct record *record, const struct event *event)
{
    for (const char *c = event->path; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return;
    stamp(record, "unix", event->time_ns);
    fprintf(record->out, " %s\n", event->path);
    record->batch = true;
}

/* To which connection it belongs is found anew, by its ports. */
static void record_call(struct record *record, const struct program_call *call)
{
    stamp(record, "call", call->ended_ns);
    fprintf(record->out,
            " %s %s local %u remote %u fd %" PRId32 " result %" PRId64
            " errno %" PRId32 " length %" PRId64 " inside %" PRId64
            " pid %" PRId32 " tid %" PRId32 "\n",
            call->protocol == PROTO_UDP ? "udp" : "tcp",
            call_name(call->function), call->local_port, call->remote_port,
            call->fd, call->result, call->error,
            call->length > 0 ? call->length : 0,
            call->ended_ns - call->began_ns, call->pid, call->tid);
}

void record_event(void *self, const struct event *event)
{
    struct record *record = self;

    switch (event->kind) {
    case EVENT_SOCKET:
    case EVENT_GONE:
        record_socket(record, event);
        break;
    case EVENT_LOOKED:
        if (record->batch) {
            stamp(record, "looked", event->time_ns);
            fputc('\n', record->out);
        }
        record->batch = false;
        break;
    case EVENT_OPENED:
        record_terminal(record, "opened", event);
        break;
    case EVENT_TYPED:
        record_terminal(record, "typed", event);
        break;
    case EVENT_PRINTED:
        record_terminal(record, "printed", event);
        break;
    case EVENT_EXITED:
        record_terminal(record, "exited", event);
        break;
    case EVENT_WAITS:
        stamp(record, "waits", event->time_ns);
        fprintf(record->out, " %s %u %s\n",
                event->side == FLOW_SERVER ? "server" : "client", event->port,
                wait_call_name(event->call));
        break;
    case EVENT_LOST:
        record_lost(record, event);
        break;
    case EVENT_UNIX:
        record_unix(record, event);
        break;
    case EVENT_CALL:
        record_call(record, &event->made);
        break;
    case EVENT_PACKET:  /* capture_keep() has it */
    case EVENT_OUTSIDE: /* this machine's affair */
        break;
    }
}

static int give_name(const char *part)
{
    char path[PATH_MAX];
    size_t length = strlen(part) - strlen(".part");

    snprintf(path, sizeof path, "%.*s", (int)length, part);
    return rename(part, path);
}

int record_close(struct record *record, bool good)
{
    int failed = ferror(record->out) != 0;

    failed |= fclose(record->out) != 0;
    if (record->beside)
        good = !failed;
    else if (good && !failed)
        failed = give_name(record->pcap) < 0 || give_name(record->events) < 0;
    if ((!good || failed) && !record->beside) {
        int saved = errno;

        unlink(record->pcap);
        unlink(record->events);
        errno = saved;
    }
    samples_fini(&record->written);
    free(record);
    return failed ? -1 : 0;
}
