/*
 * Short connections, about a thousand at a time: a request, an answer, an end.
 * What each says is a script of steps; now and then it is another one: a SYN
 * or a request that is lost, a port where nobody listens, a server that closes
 * first or resets. A heap has those that are open, the next to speak on top.
 */
#include <errno.h>
#include <stdlib.h>

#include "tests/bench/make_capture.h"

enum { FIRST_WINDOW = 65160, WINDOW = 502 }; /* the server's; scaled */

enum wait { SOON, ROUND_TRIP, WORK, SECOND, QUARTER };

enum { AGAIN = 1, UNSEEN = 2 }; /* UNSEEN: lost behind the capture */

struct step {
    char from; /* 'C' or 'S'; 0: the end */
    uint8_t flags;
    bool data;
    enum wait wait; /* before it */
    uint8_t how;
};

static const struct step ordinary[] = {{'C', SYN, false, SOON, 0},
                                       {'S', SYN | ACK, false, ROUND_TRIP, 0},
                                       {'C', ACK, false, SOON, 0},
                                       {'C', PSH | ACK, true, SOON, 0},
                                       {'S', ACK, false, ROUND_TRIP, 0},
                                       {'S', PSH | ACK, true, WORK, 0},
                                       {'C', ACK, false, SOON, 0},
                                       {'C', FIN | ACK, false, SOON, 0},
                                       {'S', FIN | ACK, false, ROUND_TRIP, 0},
                                       {'C', ACK, false, SOON, 0},
                                       {0}};
static const struct step server_ends[] = {
    {'C', SYN, false, SOON, 0},       {'S', SYN | ACK, false, ROUND_TRIP, 0},
    {'C', ACK, false, SOON, 0},       {'C', PSH | ACK, true, SOON, 0},
    {'S', PSH | ACK, true, WORK, 0},  {'S', FIN | ACK, false, SOON, 0},
    {'C', ACK, false, SOON, 0},       {'C', FIN | ACK, false, SOON, 0},
    {'S', ACK, false, ROUND_TRIP, 0}, {0}};
static const struct step server_resets[] = {
    {'C', SYN, false, SOON, 0},
    {'S', SYN | ACK, false, ROUND_TRIP, 0},
    {'C', ACK, false, SOON, 0},
    {'C', PSH | ACK, true, SOON, 0},
    {'S', ACK, false, WORK, 0},
    {'S', RST | ACK, false, WORK, 0},
    {0}};
static const struct step refused[] = {
    {'C', SYN, false, SOON, 0}, {'S', RST | ACK, false, ROUND_TRIP, 0}, {0}};
static const struct step lost_syn[] = {{'C', SYN, false, SOON, UNSEEN},
                                       {'C', SYN, false, SECOND, AGAIN},
                                       {'S', SYN | ACK, false, ROUND_TRIP, 0},
                                       {'C', ACK, false, SOON, 0},
                                       {'C', PSH | ACK, true, SOON, 0},
                                       {'S', PSH | ACK, true, WORK, 0},
                                       {'C', FIN | ACK, false, SOON, 0},
                                       {'S', FIN | ACK, false, ROUND_TRIP, 0},
                                       {'C', ACK, false, SOON, 0},
                                       {0}};
static const struct step lost_request[] = {
    {'C', SYN, false, SOON, 0},
    {'S', SYN | ACK, false, ROUND_TRIP, 0},
    {'C', ACK, false, SOON, 0},
    {'C', PSH | ACK, true, SOON, UNSEEN},
    {'C', PSH | ACK, true, QUARTER, AGAIN},
    {'S', PSH | ACK, true, WORK, 0},
    {'C', ACK, false, SOON, 0},
    {'C', FIN | ACK, false, SOON, 0},
    {'S', FIN | ACK, false, ROUND_TRIP, 0},
    {'C', ACK, false, SOON, 0},
    {0}};

/* Of a hundred connections. */
static const struct {
    const struct step *script;
    unsigned share;
} scripts[] = {{refused, 1},       {lost_syn, 1},     {lost_request, 1},
               {server_resets, 1}, {server_ends, 10}, {ordinary, 86}};

struct connection {
    int64_t next_ns, round_trip_ns;
    const struct step *step;
    struct host client, server;
    uint16_t request, answer; /* bytes */
};

struct many {
    struct writer *writer;
    uint64_t random;
    struct connection *heap; /* next_ns ascending from heap[0] */
    size_t open, room;
};

/* --- the heap ------------------------------------------------------------ */

static void sift_up(struct many *many, size_t at)
{
    struct connection moved = many->heap[at];

    for (; at > 0 && moved.next_ns < many->heap[(at - 1) / 2].next_ns;
         at = (at - 1) / 2)
        many->heap[at] = many->heap[(at - 1) / 2];
    many->heap[at] = moved;
}

static void sift_down(struct many *many)
{
    struct connection moved = many->heap[0];
    size_t at = 0;

    for (size_t child; (child = 2 * at + 1) < many->open; at = child) {
        if (child + 1 < many->open &&
            many->heap[child + 1].next_ns < many->heap[child].next_ns)
            child++;
        if (moved.next_ns <= many->heap[child].next_ns)
            break;
        many->heap[at] = many->heap[child];
    }
    many->heap[at] = moved;
}

/* --- one connection ------------------------------------------------------ */

static int64_t wait_of(struct many *many, const struct connection *connection)
{
    switch (connection->step->wait) {
    case ROUND_TRIP:
        return connection->round_trip_ns;
    case WORK:
        return (int64_t)(random_next(&many->random) % (30 * MS)) + 50 * US;
    case SECOND:
        return (int64_t)1000 * MS;
    case QUARTER:
        return (int64_t)250 * MS;
    case SOON:
        break;
    }
    return (int64_t)(random_next(&many->random) % (20 * US)) + 2 * US;
}

static const struct step *script_of(uint64_t random)
{
    uint64_t at = random % 100;
    size_t n = 0;

    for (; at >= scripts[n].share; n++)
        at -= scripts[n].share;
    return scripts[n].script;
}

static int begin(struct many *many, uint64_t n, int64_t now)
{
    static const uint16_t ports[] = {80, 443, 8080, 7001};
    enum { PORTS = 28000 };

    if (many->open == many->room) {
        size_t room = many->room == 0 ? 1024 : many->room * 2;
        struct connection *heap = realloc(many->heap, room * sizeof *heap);

        if (heap == NULL)
            return -1;
        many->heap = heap;
        many->room = room;
    }
    many->heap[many->open] = (struct connection){
        .round_trip_ns = (int64_t)(random_next(&many->random) % (5 * MS)) +
                         30 * US,
        .step = script_of(random_next(&many->random)),
        .client = {0x0a000001 + (uint32_t)(n / PORTS),
                   (uint16_t)(32768 + n % PORTS),
                   (uint16_t)random_next(&many->random),
                   (uint32_t)random_next(&many->random), 0, 64240, 1000, 0},
        .server = {0x0a010001, ports[n % 4], 0,
                   (uint32_t)random_next(&many->random), 0, FIRST_WINDOW, 5000,
                   0},
        .request = (uint16_t)(random_next(&many->random) % 400 + 40),
        .answer = (uint16_t)(random_next(&many->random) % 1400 + 48)};
    many->heap[many->open].next_ns = now +
                                     wait_of(many, &many->heap[many->open]);
    sift_up(many, many->open++);
    return 0;
}

/* What the packet means for both ends' numbers. */
static void account(struct connection *connection, struct host *from,
                    struct host *to, uint32_t length)
{
    const struct step *step = connection->step;

    if (step->how & UNSEEN)
        return;
    from->seq += length + (step->flags & (SYN | FIN) ? 1 : 0);
    to->ack = from->seq;
    if (step->flags & SYN)
        from->window = WINDOW;
    if ((step->flags & RST) == 0)
        to->echo = (uint32_t)(connection->next_ns / MS) + from->clock_offset;
}

/* The connection on top says what it has to say next. */
static void speak(struct many *many)
{
    struct connection *connection = many->heap;
    const struct step *step = connection->step;
    bool client = step->from == 'C';
    struct host *from = client ? &connection->client : &connection->server;
    struct host *to = client ? &connection->server : &connection->client;
    uint16_t length = client ? connection->request : connection->answer;
    bool stranger = (step->flags & RST) && from->window == FIRST_WINDOW;

    if (!step->data)
        length = 0;
    if (step->how & AGAIN)
        many->writer->segments_again++;
    writer_segment(many->writer, from, to,
                   &(struct segment){.time_ns = connection->next_ns,

                                     .seq = stranger ? 0 : from->seq,
                                     .flags = step->flags,
                                     .length = length});
    account(connection, from, to, length);
    connection->step++;
    if (connection->step->from == 0)
        *connection = many->heap[--many->open];
    else
        connection->next_ns += wait_of(many, connection);
    sift_down(many);
}

int make_many(struct writer *writer, uint64_t connections, uint64_t seed)
{
    struct many many = {.writer = writer, .random = seed};
    int64_t begin_ns = FIRST_NS;
    uint64_t begun = 0;

    while (begun < connections || many.open > 0) {
        if (begun < connections &&
            (many.open == 0 || begin_ns <= many.heap[0].next_ns)) {
            if (begin(&many, begun++, begin_ns) < 0)
                return -1;
            begin_ns += (int64_t)(random_next(&many.random) % (40 * US));
        } else {
            speak(&many);
        }
    }
    free(many.heap);
    return 0;
}
