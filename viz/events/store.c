/* See store.h. Rows live in a ring that never moves, so that a row's payload
 * pointer stays right; flows are copies, since track may forget its own. */
#include "viz/events/store.h"

#include <stdlib.h>
#include <string.h>

#include "viz/events/call_log.h"
#include "viz/events/samples.h"

enum {
    DEFAULT_ROWS = 100000,
    MOST_FLOWS = 65536,
    WAITING = 64,
    LOOK_BACK = 4096 /* rows, for the one that was lost */
};

/* A flow, and how many rows of it are in the ring. */
struct kept {
    struct flow flow;
    size_t rows;
};

struct store {
    struct store_row *rows; /* a ring: the oldest at `first` */
    size_t room, first, count;
    uint64_t forgotten;
    uint64_t version;
    struct kept **flows; /* by id, ascending */
    size_t flow_count, flow_room;
    struct call_log calls;
    struct change_log changes;
    struct samples samples;
    bool kernel;
    int64_t now_ns, start_ns, looked_ns;
    /* Lost packets whose rows are not there yet; the oldest give way. */
    struct waiting {
        struct lost_packet lost;
        int64_t time_ns; /* 0: free */
    } waiting[WAITING];
    size_t next_waiting;
    uint64_t lost;
    const struct store_row *newest_lost;
};

static uint64_t next_version(void)
{
    static uint64_t version;

    return ++version;
}

struct store *store_new(size_t most_rows)
{
    struct store *store = calloc(1, sizeof *store);

    if (!store)
        return NULL;
    store->room = most_rows ? most_rows : DEFAULT_ROWS;
    if (store->room > SIZE_MAX / sizeof *store->rows)
        store->room = SIZE_MAX / sizeof *store->rows;
    store->rows = malloc(store->room * sizeof *store->rows);
    if (!store->rows) {
        free(store);
        return NULL;
    }
    store->version = next_version();
    return store;
}

uint64_t store_version(const struct store *store)
{
    return store->version;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->flow_count; i++)
        free(store->flows[i]);
    free(store->flows);
    samples_fini(&store->samples);
    call_log_fini(&store->calls);
    change_log_fini(&store->changes);
    free(store->rows);
    free(store);
}

void store_begin_at(struct store *store, uint64_t forgotten, int64_t start_ns)
{
    store->forgotten = forgotten;
    store->start_ns = start_ns;
}

/* --- flows ----------------------------------------------------------------- */

/* The place of the first flow whose id is not below `id`. */
static size_t flow_place(const struct store *store, uint32_t id)
{
    size_t low = 0, high = store->flow_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (store->flows[middle]->flow.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct kept *find_flow(const struct store *store, uint32_t id)
{
    size_t at = flow_place(store, id);

    if (at < store->flow_count && store->flows[at]->flow.id == id)
        return store->flows[at];
    return NULL;
}

static void drop_oldest_row(struct store *store)
{
    const struct flow *flow = store->rows[store->first].note.flow;
    struct kept *kept = flow ? find_flow(store, flow->id) : NULL;

    if (kept)
        kept->rows--;
    store->first = (store->first + 1) % store->room;
    store->count--;
    store->forgotten++;
}

/* Make room for an eighth, so that it is seldom needed: flows without a row,
 * then the oldest rows until there are such flows. */
static void drop_flows(struct store *store)
{
    size_t most = MOST_FLOWS - MOST_FLOWS / 8, kept;

    while (store->flow_count > most) {
        size_t before = store->flow_count;

        kept = 0;
        for (size_t i = 0; i < before; i++) {
            struct kept *flow = store->flows[i];

            if (flow->rows == 0 && store->flow_count > most) {
                free(flow);
                store->flow_count--;
            } else {
                store->flows[kept++] = flow;
            }
        }
        for (size_t i = store->count / 8 + 1; i > 0 && store->count > 0; i--)
            if (store->flow_count > most)
                drop_oldest_row(store);
    }
}

static struct kept *new_flow(struct store *store, uint32_t id)
{
    struct kept *kept;
    size_t at;

    if (store->flow_count >= MOST_FLOWS)
        drop_flows(store);
    if (store->flow_count == store->flow_room) {
        size_t room = store->flow_room ? store->flow_room * 2 : 64;
        struct kept **flows = realloc(store->flows, room * sizeof(void *));

        if (!flows)
            return NULL;
        store->flows = flows;
        store->flow_room = room;
    }
    kept = calloc(1, sizeof *kept);
    if (!kept)
        return NULL;
    kept->flow.id = id;
    at = flow_place(store, id); /* the end, but for a flow that came back */
    memmove(&store->flows[at + 1], &store->flows[at],
            (store->flow_count - at) * sizeof(void *));
    store->flows[at] = kept;
    store->flow_count++;
    return kept;
}

/* Our copy of the flow, brought up to date; NULL when memory is short, and
 * then the row is shown without its flow. */
static struct kept *keep_flow(struct store *store, const struct flow *flow)
{
    struct kept *kept = find_flow(store, flow->id);

    if (!kept) {
        struct kept *before = flow->reuses ? find_flow(store, flow->before)
                                           : NULL;

        if (before)
            before->flow.replaced = true;
        kept = new_flow(store, flow->id);
    }
    if (!kept)
        return NULL;
    kept->flow = *flow;
    return kept;
}

/* --- lost packets ---------------------------------------------------------- */

/* The newest row that may be it: two datagrams may be alike to the last bit.
 * NULL when there is none. */
static struct store_row *find_lost(struct store *store,
                                   const struct event *event)
{
    for (size_t i = 0; i < store->count && i < LOOK_BACK; i++) {
        size_t n = (store->first + store->count - 1 - i) % store->room;

        struct store_row *row = &store->rows[n];

        if (!row->lost &&
            lost_packet_may_be(&event->lost, event->time_ns, &row->packet))
            return row;
    }
    return NULL;
}

/* Its receiver did not move, then: so say the row itself, and those that came
 * before we knew. */
static void take_back(struct store *store, const struct event *event,
                      const struct store_row *lost)
{
    struct kept *kept = find_flow(store, event->flow->id);
    uint64_t newest = store->forgotten + store->count;
    int side = !lost->note.from;
    enum tcp_state wrong = lost->note.after[side];
    enum tcp_state right = lost->note.before[side];

    if (kept) {
        bool replaced = kept->flow.replaced;

        kept->flow = *event->flow;
        kept->flow.replaced = replaced;
    }
    for (uint64_t number = lost->packet.number; number <= newest; number++) {
        size_t n = store->first + (size_t)(number - store->forgotten - 1);
        struct note *note = &store->rows[n % store->room].note;

        if (note->flow != lost->note.flow)
            continue;
        if (number > lost->packet.number && note->before[side] == wrong)
            note->before[side] = right;
        if (note->after[side] != wrong)
            return;
        note->after[side] = right;
        note->assumed[side] = event->flow->end[side].assumed;
    }
}

static void keep_lost(struct store *store, const struct event *event)
{
    struct store_row *row = find_lost(store, event);

    store->lost++;
    store->newest_lost = row;
    if (row) {
        row->lost = true;
        if (event->flow && row->note.flow)
            take_back(store, event, row);
        return;
    }
    store->waiting[store->next_waiting] = (struct waiting){event->lost,
                                                           event->time_ns};
    store->next_waiting = (store->next_waiting + 1) % WAITING;
}

/* A row has come: it may be one that was waited for. */
static void look_among_waiting(struct store *store, struct store_row *row)
{
    if (store->lost == 0)
        return;
    for (size_t i = 0; i < WAITING && !row->lost; i++) {
        struct waiting *waiting = &store->waiting[i];

        if (waiting->time_ns == 0 ||
            !lost_packet_may_be(&waiting->lost, waiting->time_ns, &row->packet))
            continue;
        row->lost = true;
        waiting->time_ns = 0;
    }
}

uint64_t store_lost(const struct store *store)
{
    return store->lost;
}

const struct store_row *store_newest_lost(const struct store *store)
{
    return store->newest_lost;
}

/* --- rows ------------------------------------------------------------------ */

static void keep_packet(struct store *store, const struct packet *packet,
                        const struct note *note)
{
    struct kept *kept = note->flow ? keep_flow(store, note->flow) : NULL;
    struct store_row *row;
    size_t length = packet->payload_captured;

    if (store->count == store->room)
        drop_oldest_row(store);
    row = &store->rows[(store->first + store->count) % store->room];
    store->count++;
    row->packet = *packet;
    row->note = *note;
    row->lost = false;
    if (length > STORE_PAYLOAD)
        length = STORE_PAYLOAD;
    if (length > 0)
        memcpy(row->payload, packet->payload, length);
    row->packet.payload = row->payload;
    row->packet.payload_captured = (uint32_t)length;
    row->note.flow = kept ? &kept->flow : NULL;
    if (kept)
        kept->rows++;
    if (store->forgotten + store->count == 1)
        store->start_ns = packet->time_ns;
    look_among_waiting(store, row);
}

/* --- calls and changes ------------------------------------------------------ */

size_t store_calls(const struct store *store)
{
    return store->calls.count;
}

const struct program_call *store_call(const struct store *store, size_t n)
{
    return call_log_at(&store->calls, n);
}

size_t store_calls_from(const struct store *store, int64_t time_ns)
{
    return call_log_from(&store->calls, time_ns);
}

static void keep_socket(struct store *store, const struct event *event)
{
    const struct socket_sample *old = samples_find(&store->samples,
                                                   &event->socket);

    store->kernel = true;
    if (!old || samples_news(old, &event->socket))
        change_log_add(&store->changes, event);
    samples_put(&store->samples, &event->socket, event->time_ns);
}

static void drop_socket(struct store *store, const struct event *event)
{
    store->kernel = true;
    change_log_add(&store->changes, event);
    samples_remove(&store->samples, &event->socket);
}

size_t store_changes(const struct store *store)
{
    return store->changes.count;
}

const struct kernel_change *store_change(const struct store *store, size_t n)
{
    return change_log_at(&store->changes, n);
}

size_t store_changes_from(const struct store *store, int64_t time_ns)
{
    return change_log_from(&store->changes, time_ns);
}

/* --- all events ------------------------------------------------------------ */

void store_event(void *self, const struct event *event)
{
    struct store *store = self;

    store->version = next_version();
    if (event->time_ns > store->now_ns)
        store->now_ns = event->time_ns;
    if (event->kind == EVENT_PACKET) {
        keep_packet(store, event->packet, event->note);
    } else if (event->kind == EVENT_SOCKET) {
        keep_socket(store, event);
    } else if (event->kind == EVENT_GONE) {
        drop_socket(store, event);
    } else if (event->kind == EVENT_LOOKED) {
        store->kernel = true; /* also of a network without a socket */
        store->looked_ns = event->time_ns;
    } else if (event->kind == EVENT_CALL) {
        call_log_add(&store->calls, &event->made);
    } else if (event->kind == EVENT_LOST) {
        keep_lost(store, event);
    }
}

size_t store_rows(const struct store *store)
{
    return store->count;
}

const struct store_row *store_row(const struct store *store, size_t n)
{
    if (n >= store->count)
        return NULL;
    return &store->rows[(store->first + n) % store->room];
}

uint64_t store_forgotten(const struct store *store)
{
    return store->forgotten;
}

size_t store_flows(const struct store *store)
{
    return store->flow_count;
}

const struct flow *store_flow(const struct store *store, size_t n)
{
    return n < store->flow_count ? &store->flows[n]->flow : NULL;
}

/* --- the kernel's sockets -------------------------------------------------- */

bool store_kernel(const struct store *store)
{
    return store->kernel;
}

size_t store_sockets(const struct store *store)
{
    return store->samples.count;
}

const struct socket_sample *store_socket(const struct store *store, size_t n)
{
    if (n >= store->samples.count)
        return NULL;
    return &store->samples.items[n].socket;
}

const struct socket_sample *store_socket_of(const struct store *store,
                                            const struct flow *flow,
                                            enum flow_side side)
{
    const struct flow_end *end = &flow->end[side];
    const struct socket_sample *socket;

    if (flow->replaced) /* the socket there is the newer one's */
        return NULL;
    socket = samples_between(&store->samples, flow->protocol, &end->at,
                             &flow->end[!side].at);
    if (socket)
        return socket;
    if (flow->protocol == PROTO_UDP)
        return samples_bound(&store->samples, PROTO_UDP, &end->at);
    if (side == FLOW_SERVER &&
        (end->state == TCP_UNKNOWN || end->state == TCP_LISTEN ||
         end->state == TCP_SYN_RECV))
        return samples_bound(&store->samples, PROTO_TCP, &end->at);
    return NULL;
}

int64_t store_looked(const struct store *store)
{
    return store->looked_ns;
}

int64_t store_now(const struct store *store)
{
    return store->now_ns;
}

int64_t store_start(const struct store *store)
{
    return store->start_ns;
}
