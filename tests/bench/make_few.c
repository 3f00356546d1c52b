/*
 * Four bulk uploads, captured where they are sent: each a small model of TCP.
 * The sender fills a fixed window, the receiver acknowledges every second
 * segment, one in LOSS_OF segments is lost behind the capture; then come
 * duplicate ACKs with SACK, a fast retransmission or, should that be lost too,
 * a time-out. Each transfer takes its next step when its time has come.
 */
#include <errno.h>
#include <string.h>

#include "tests/bench/make_capture.h"

enum {
    TRANSFERS = 4,
    SEGMENT = 1448, /* MTU 1500, less IP, TCP and timestamps */
    WINDOW = 48,    /* segments */
    RING = 128,
    LOSS_OF = 2000,
    SLACK = 1000,  /* packets that may be on the way when the end begins */
    GAP = 12 * US, /* 1 Gbit/s */
    TIME_OUT = 200 * MS,
    DELAYED_ACK = 40 * MS,
    CLOSING = 3 /* packets */
};

struct ack {
    int64_t time_ns; /* when it comes by */
    uint64_t upto;   /* segments received in order */
    uint64_t left, right;
    uint32_t echo;
};

struct transfer {
    enum { CLOSED, SYN_SENT, SYN_ACKED, OPEN, FIN_SENT, FIN_ACKED, DONE } state;
    struct host client, server;
    int64_t clock_ns, sent_ns, round_trip_ns;
    uint64_t unacked, next, limit; /* segments, from 0 */
    uint64_t recover;              /* in recovery while unacked < recover */
    int duplicates;
    /* the receiver's */
    uint64_t expected, highest;
    int waiting, patience; /* segments not acknowledged, and how many may be */
    bool got[RING];
    /* between them */
    struct ack acks[RING];
    unsigned first_ack, ack_count;
};

struct few {
    struct writer *writer;
    uint64_t random, packets; /* to be written in all */
    struct transfer transfers[TRANSFERS];
    bool ending;
};

static uint32_t number_of(const struct transfer *transfer, uint64_t segment)
{
    return transfer->client.seq + 1 + (uint32_t)(segment * SEGMENT);
}

static uint32_t clock_of(const struct host *host, int64_t time_ns)
{
    return (uint32_t)(time_ns / MS) + host->clock_offset;
}

/* --- the receiver -------------------------------------------------------- */

static void acknowledge(struct transfer *transfer, uint64_t segment)
{
    struct ack *ack;

    if (transfer->ack_count == RING) /* more than a window: cannot be */
        return;
    ack = &transfer->acks[(transfer->first_ack + transfer->ack_count++) % RING];
    *ack = (struct ack){
        .time_ns = transfer->clock_ns + transfer->round_trip_ns,
        .upto = transfer->expected,
        .echo = clock_of(&transfer->client, transfer->clock_ns)};
    transfer->waiting = 0;
    if (segment < transfer->expected)
        return;
    for (ack->left = segment; transfer->got[(ack->left - 1) % RING];)
        ack->left--;
    for (ack->right = segment + 1; transfer->got[ack->right % RING];)
        ack->right++;
}

static void receive(struct transfer *transfer, uint64_t segment)
{
    bool holes = transfer->highest > transfer->expected;

    if (segment >= transfer->expected)
        transfer->got[segment % RING] = true;
    if (segment >= transfer->highest)
        transfer->highest = segment + 1;
    while (transfer->got[transfer->expected % RING])
        transfer->got[transfer->expected++ % RING] = false;
    if (!holes && segment < transfer->expected &&
        ++transfer->waiting < transfer->patience)
        return;
    acknowledge(transfer, segment);
}

/* --- the sender ---------------------------------------------------------- */

static void send_segment(struct few *few, struct transfer *transfer,
                         uint64_t segment)
{
    bool lost = !few->ending && random_next(&few->random) % LOSS_OF == 0;

    writer_segment(
        few->writer, &transfer->client, &transfer->server,
        &(struct segment){.time_ns = transfer->clock_ns,
                          .seq = number_of(transfer, segment),
                          .flags = segment % 16 == 15 ? PSH | ACK : ACK,
                          .length = SEGMENT});
    transfer->sent_ns = transfer->clock_ns;
    if (!lost)
        receive(transfer, segment);
}

static void send_again(struct few *few, struct transfer *transfer)
{
    few->writer->segments_again++;
    send_segment(few, transfer, transfer->unacked);
}

static void take_ack(struct few *few, struct transfer *transfer)
{
    struct ack ack = transfer->acks[transfer->first_ack];
    bool recovering = transfer->unacked < transfer->recover;

    transfer->first_ack = (transfer->first_ack + 1) % RING;
    transfer->ack_count--;
    transfer->server.ack = number_of(transfer, ack.upto);
    transfer->server.echo = ack.echo;
    writer_segment(
        few->writer, &transfer->server, &transfer->client,
        &(struct segment){.time_ns = transfer->clock_ns,
                          .seq = transfer->server.seq + 1,
                          .flags = ACK,
                          .sack_left = number_of(transfer, ack.left),
                          .sack_right = number_of(transfer, ack.right)});
    transfer->client.echo = clock_of(&transfer->server, transfer->clock_ns);
    if (ack.upto > transfer->unacked) {
        transfer->unacked = ack.upto;
        transfer->duplicates = 0;
        if (recovering && transfer->unacked < transfer->recover)
            send_again(few, transfer);
    } else if (ack.left != ack.right && ++transfer->duplicates == 3 &&
               !recovering) {
        transfer->recover = transfer->next;
        send_again(few, transfer);
    }
}

static bool may_send(const struct transfer *transfer)
{
    return transfer->next < transfer->limit &&
           transfer->next - transfer->unacked < WINDOW;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When the open transfer does something next. */
static int64_t next_step(const struct transfer *transfer)
{
    int64_t at = INT64_MAX;

    if (may_send(transfer))
        at = later(transfer->clock_ns, transfer->sent_ns + GAP);
    if (transfer->ack_count > 0 &&
        transfer->acks[transfer->first_ack].time_ns < at)
        at = transfer->acks[transfer->first_ack].time_ns;
    if (at == INT64_MAX && transfer->unacked < transfer->next)
        at = transfer->clock_ns +
             (transfer->waiting > 0 ? DELAYED_ACK : TIME_OUT);
    return at;
}

static void step(struct few *few, struct transfer *transfer)
{
    transfer->clock_ns = next_step(transfer);
    if (transfer->ack_count > 0 &&
        transfer->acks[transfer->first_ack].time_ns <= transfer->clock_ns) {
        take_ack(few, transfer);
    } else if (may_send(transfer)) {
        send_segment(few, transfer, transfer->next++);
    } else if (transfer->waiting > 0) {
        acknowledge(transfer, transfer->expected - 1);
    } else {
        transfer->recover = transfer->next;
        send_again(few, transfer);
    }
}

/* --- open and close ------------------------------------------------------ */

static void say(struct few *few, struct transfer *transfer, bool client,
                uint32_t seq, uint8_t flags)
{
    struct host *from = client ? &transfer->client : &transfer->server;
    struct host *to = client ? &transfer->server : &transfer->client;

    writer_segment(few->writer, from, to,
                   &(struct segment){.time_ns = transfer->clock_ns,
                                     .seq = seq,
                                     .flags = flags});
    to->echo = clock_of(from, transfer->clock_ns);
}

static void open_step(struct few *few, struct transfer *transfer)
{
    uint32_t client = transfer->client.seq, server = transfer->server.seq;

    transfer->clock_ns += transfer->state == SYN_SENT ? transfer->round_trip_ns
                                                      : 5 * US;
    if (transfer->state == CLOSED) {
        say(few, transfer, true, client, SYN);
    } else if (transfer->state == SYN_SENT) {
        transfer->server.ack = client + 1;
        say(few, transfer, false, server, SYN | ACK);
        transfer->client.window = 502;
        transfer->server.window = 4096;
    } else {
        transfer->client.ack = server + 1;
        say(few, transfer, true, client + 1, ACK);
    }
    transfer->state++;
}

static void close_step(struct few *few, struct transfer *transfer)
{
    uint32_t end = number_of(transfer, transfer->next);

    transfer->clock_ns += transfer->state == FIN_SENT ? transfer->round_trip_ns
                                                      : 5 * US;
    if (transfer->state == OPEN) {
        say(few, transfer, true, end, FIN | ACK);
    } else if (transfer->state == FIN_SENT) {
        transfer->server.ack = end + 1;
        say(few, transfer, false, transfer->server.seq + 1, FIN | ACK);
    } else {
        transfer->client.ack++;
        say(few, transfer, true, end + 1, ACK);
    }
    transfer->state++;
}

/* --- together ------------------------------------------------------------ */

static bool is_drained(const struct transfer *transfer)
{
    return transfer->state == OPEN && transfer->next == transfer->limit &&
           transfer->unacked == transfer->next && transfer->ack_count == 0;
}

static int64_t due(const struct transfer *transfer)
{
    if (transfer->state == DONE)
        return INT64_MAX;
    if (transfer->state == OPEN && !is_drained(transfer))
        return next_step(transfer);
    return transfer->clock_ns +
           (transfer->state == SYN_SENT || transfer->state == FIN_SENT
                ? transfer->round_trip_ns
                : 5 * US);
}

/* The first transfer ends last, and makes the number of packets right: one
 * segment with its ACK, or two with one. */
static bool goes_on(struct few *few, struct transfer *transfer)
{
    uint64_t left = few->packets - few->writer->packets;

    if (transfer != few->transfers || left == CLOSING)
        return false;
    for (int n = 1; n < TRANSFERS; n++)
        if (few->transfers[n].state != DONE) {
            transfer->clock_ns = later(transfer->clock_ns,
                                       due(&few->transfers[n]));
            return true;
        }
    transfer->patience = (left - CLOSING) % 2 == 0 ? 1 : 2;
    transfer->limit = transfer->next + (uint64_t)transfer->patience;
    return true;
}

static void take_turn(struct few *few, struct transfer *transfer)
{
    if (transfer->state < OPEN)
        open_step(few, transfer);
    else if (transfer->state == OPEN && !is_drained(transfer))
        step(few, transfer);
    else if (transfer->state != OPEN || !goes_on(few, transfer))
        close_step(few, transfer);
}

int make_few(struct writer *writer, uint64_t packets, uint64_t seed)
{
    struct few few = {.writer = writer, .random = seed, .packets = packets};

    if (packets < 4 * SLACK) {
        errno = EINVAL;
        return -1;
    }
    for (uint32_t n = 0; n < TRANSFERS; n++)
        few.transfers[n] = (struct transfer){
            .client = {0x0a000001 + n, (uint16_t)(40000 + n),
                       (uint16_t)(n * 99), (uint32_t)random_next(&few.random),
                       0, 64240, 1000 + n, 0},
            .server = {0x0a010001, 5201, 0, (uint32_t)random_next(&few.random),
                       0, 65160, 5000, 0},
            .clock_ns = FIRST_NS + n * 100 * US,
            .round_trip_ns = (400 + n * 150) * US,
            .limit = UINT64_MAX,
            .patience = 2};
    while (writer->packets < packets) {
        struct transfer *next = few.transfers;

        for (int n = 1; n < TRANSFERS; n++)
            if (due(&few.transfers[n]) < due(next))
                next = &few.transfers[n];
        if (!few.ending && writer->packets + SLACK > packets) {
            few.ending = true;
            for (int n = 0; n < TRANSFERS; n++)
                few.transfers[n].limit = few.transfers[n].next;
        }
        take_turn(&few, next);
    }
    return 0;
}
