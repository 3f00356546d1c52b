/* What programs tell of their calls: the decoder believes nothing, the ring is
 * read whatever is in it, each call finds its connection and its place. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/unit/traffic.h"
#include "viz/lab/call_feed.h"
#include "viz/views/lines.h"
#include "viz/views/roll.h"

static const struct trace_record good = {
    .number = 1,
    .began_ns = 100,
    .ended_ns = 200,
    .length = 4096,
    .result = 6,
    .fd = 4,
    .pid = 10,
    .tid = 11,
    .local_port = 7001,
    .remote_port = 40000,
    .function = TRACE_RECV,
    .protocol = IPPROTO_TCP,
};

START_TEST(a_record_is_read)
{
    struct program_call call;

    ck_assert(call_record_read(&good, 100, 200, &call));
    ck_assert_int_eq(call.function, CALLED_RECV);
    ck_assert_int_eq(call.fd, 4);
    ck_assert_int_eq(call.result, 6);
    ck_assert_int_eq(call.local_port, 7001);
    ck_assert_int_eq(call.remote_port, 40000);
    ck_assert_int_eq(call.flow, -1);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    struct trace_record bad[13];
    struct program_call call;
    size_t n = 0;

    for (size_t i = 0; i < 13; i++)
        memcpy(&bad[i], &good, sizeof good);
    bad[n++].function = TRACE_NONE;
    bad[n++].function = TRACE_FUNCTIONS;
    bad[n++].function = 255;
    bad[n++].protocol = 1;
    bad[n++].began_ns = INT64_MIN;
    bad[n++].began_ns = 201;
    bad[n++].ended_ns = INT64_MAX;
    bad[n++].fd = -2;
    bad[n++].pid = 0;
    bad[n++].tid = -1;
    bad[n++].result = INT64_MIN;
    bad[n++].result = -1; /* and no errno */
    bad[n++].error = 5;   /* and no failure */
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(!call_record_read(&bad[i], 100, 200, &call), "%zu", i);
}
END_TEST

/* Whatever bytes are there: what passes is within the tables. */
START_TEST(random_records_stay_within_the_tables)
{
    uint64_t seed = 88172645463325252u;
    struct trace_record record;
    struct program_call call;
    char text[CALL_TEXT];

    for (int run = 0; run < 200000; run++) {
        unsigned char *bytes = (unsigned char *)&record;

        memcpy(&record, &good, sizeof good);
        for (int i = 0; i < 4; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            bytes[seed % sizeof record] = (unsigned char)(seed >> 32);
        }
        if (!call_record_read(&record, 0, INT64_MAX, &call))
            continue;
        ck_assert_int_lt(call.function, CALLED_FUNCTIONS);
        ck_assert_int_ge(call.ended_ns - call.began_ns, 0);
        ck_assert_uint_lt(strlen(call_text(&call, text)), CALL_TEXT - 1);
    }
}
END_TEST

START_TEST(a_call_reads_as_a_sentence)
{
    struct program_call call = {.function = CALLED_CONNECT,
                                .fd = 3,
                                .result = -1,
                                .error = ECONNREFUSED};
    char text[CALL_TEXT];

    ck_assert_str_eq(call_text(&call, text), "connect(3) = -1 ECONNREFUSED");
    call = (struct program_call){
        .function = CALLED_RECV, .fd = 4, .result = 6, .ended_ns = 1250000000};
    ck_assert_str_eq(call_text(&call, text), "recv(4) = 6, 1.2 s inside");
    call.ended_ns = 999999;
    ck_assert_str_eq(call_text(&call, text), "recv(4) = 6");
    call = (struct program_call){
        .function = CALLED_SOCKET, .fd = -1, .result = -1, .error = 4000};
    ck_assert_str_eq(call_text(&call, text), "socket() = -1 errno 4000");
}
END_TEST

START_TEST(a_call_gets_shorter_where_there_is_no_room)
{
    struct program_call call = {.function = CALLED_CONNECT,
                                .fd = 3,
                                .result = -1,
                                .error = ECONNREFUSED,
                                .ended_ns = 2000000};
    static const char *const failed[] = {
        "connect(3) = -1 ECONNREFUSED, 2 ms inside",
        "connect(3) = -1 ECONNREFUSED",
        "connect(3) ECONNREFUSED",
        "connect ECONNREFUSED",
        "connect(3) = -1",
        "connect"};
    static const char *const fine[] = {"recvfrom(4) = 6, 2 ms inside",
                                       "recvfrom(4) = 6", "recvfrom = 6",
                                       "recvfrom"};
    char text[CALL_TEXT];

    for (size_t i = 0; i < sizeof failed / sizeof *failed; i++)
        ck_assert_str_eq(call_text_within(&call, (int)strlen(failed[i]), text),
                         failed[i]);
    call = (struct program_call){
        .function = CALLED_RECVFROM, .fd = 4, .result = 6, .ended_ns = 2000000};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        ck_assert_str_eq(call_text_within(&call, (int)strlen(fine[i]), text),
                         fine[i]);
    ck_assert_str_eq(call_text_within(&call, 0, text), "recvfrom");
}
END_TEST

START_TEST(every_function_is_known_by_its_name)
{
    for (int n = 0; n < CALLED_FUNCTIONS; n++)
        ck_assert_int_eq(call_from_name(call_name((enum call_function)n)), n);
    ck_assert_int_eq(call_from_name("dance"), CALLED_FUNCTIONS);
    ck_assert_int_eq(call_from_name(""), CALLED_FUNCTIONS);
}
END_TEST

/* --- the ring -------------------------------------------------------------- */

static struct call_feed *feed;
static struct trace *shared;
static int shared_fd;
static char *shared_path;
static struct program_call newest;
static int count;

static void take(void *self, const struct event *event)
{
    (void)self;
    ck_assert_int_eq(event->kind, EVENT_CALL);
    newest = event->made;
    count++;
}

/* As the library finds it: by the environment. */
static void open_ring(void)
{
    struct stat status;

    feed = call_feed_open(TRACE_ALL);
    ck_assert_msg(feed != NULL, "is build/lib/calls.so built?");
    ck_assert_int_eq(call_feed_offer(call_feed_path(feed)), 0);
    shared_path = strdup(getenv(TRACE_VARIABLE));
    call_feed_withdraw();
    ck_assert_ptr_null(getenv(TRACE_VARIABLE));
    ck_assert_ptr_null(getenv("LD_PRELOAD"));
    shared_fd = open(shared_path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(shared_fd, 0);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED,
                  shared_fd, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    /* a page that is not there yet would be SIGBUS once memory is short */
    ck_assert_int_eq(fstat(shared_fd, &status), 0);
    ck_assert_int_ge(status.st_blocks * 512, (long)sizeof *shared);
    count = 0;
}

static void close_ring(void)
{
    call_feed_close(feed);
    ck_assert_int_eq(access(shared_path, F_OK), -1);
    free(shared_path);
    munmap(shared, sizeof *shared);
    close(shared_fd);
}

static void write_record(uint64_t number)
{
    struct trace_record *record = &shared->record[(number - 1) % TRACE_RECORDS];

    memcpy(record, &good, sizeof good);
    record->began_ns = record->ended_ns = clock_wall();
    record->length = (int64_t)number;
    atomic_store(&record->number, number);
}

START_TEST(records_come_in_their_order)
{
    for (uint64_t n = 1; n <= 3 * TRACE_RECORDS; n++) {
        write_record(n);
        atomic_store(&shared->newest, n);
        if (n % 1000 == 0)
            call_feed_read(feed, take, NULL);
    }
    call_feed_read(feed, take, NULL);
    ck_assert_int_eq(count, 3 * TRACE_RECORDS);
    ck_assert_int_eq(newest.length, 3 * TRACE_RECORDS);
    ck_assert_uint_eq(call_feed_lost(feed), 0);
}
END_TEST

START_TEST(what_was_overtaken_is_counted)
{
    for (uint64_t n = 1; n <= TRACE_RECORDS + 500; n++)
        write_record(n);
    atomic_store(&shared->newest, TRACE_RECORDS + 500);
    call_feed_read(feed, take, NULL);
    ck_assert_int_eq(count, TRACE_RECORDS);
    ck_assert_uint_eq(call_feed_lost(feed), 500);
}
END_TEST

START_TEST(an_unfinished_record_is_waited_for_and_then_given_up)
{
    int64_t deadline = clock_now() + 5 * CLOCK_SECOND;

    write_record(2);
    atomic_store(&shared->newest, 2);
    ck_assert_int_eq(call_feed_read(feed, take, NULL), 0);
    while (count == 0 && clock_now() < deadline)
        call_feed_read(feed, take, NULL);
    ck_assert_int_eq(newest.length, 2);
    ck_assert_uint_eq(call_feed_lost(feed), 1);
}
END_TEST

START_TEST(a_hostile_ring_ends_nothing)
{
    atomic_store(&shared->newest, UINT64_MAX);
    call_feed_read(feed, take, NULL);
    ck_assert_int_eq(count, 0);
    atomic_store(&shared->newest, 0); /* backwards */
    call_feed_read(feed, take, NULL);
    ck_assert_int_eq(ftruncate(shared_fd, 100), 0);
    call_feed_read(feed, take, NULL);
    ck_assert_int_eq(ftruncate(shared_fd, 0), 0);
    call_feed_read(feed, take, NULL);
    ck_assert_int_eq(unlink(shared_path), 0);
    call_feed_read(feed, take, NULL);
    ck_assert_int_eq(count, 0);
}
END_TEST

START_TEST(what_a_killed_viz_left_is_removed)
{
    static const char stale[] = "/dev/shm/two-terminals-calls-stale0";
    int fd = open(stale, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct call_feed *next;

    if (fd < 0)
        return; /* no such folder here */
    ck_assert_int_eq(futimens(fd, (struct timespec[2]){{1, 0}, {1, 0}}), 0);
    close(fd);
    next = call_feed_open(TRACE_ALL);
    ck_assert_ptr_nonnull(next);
    ck_assert_int_eq(access(stale, F_OK), -1);
    ck_assert_int_eq(access(shared_path, F_OK), 0); /* that of `feed` */
    call_feed_close(next);
}
END_TEST

/* --- whose it is ----------------------------------------------------------- */

static struct traffic traffic;
static struct call_flows *flows;

static void begin_traffic(void)
{
    traffic_init(&traffic);
    flows = calloc(1, sizeof *flows);
    traffic_connect(&traffic, 40000, 7001);
    for (size_t n = 0; n < store_rows(traffic.store); n++)
        call_flows_packet(flows, &store_row(traffic.store, n)->note);
}

static void end_traffic(void)
{
    free(flows);
    traffic_fini(&traffic);
}

static struct program_call told(enum call_function function, uint16_t local,
                                uint16_t remote)
{
    struct program_call call = {.function = function,
                                .protocol = PROTO_TCP,
                                .local_port = local,
                                .remote_port = remote,
                                .fd = 3,
                                .pid = 5,
                                .tid = 5,
                                .began_ns = TRAFFIC_START,
                                .ended_ns = traffic.now_ns};

    call_flows_find(flows, &call);
    return call;
}

static void keep(const struct program_call *call)
{
    struct event event = {.kind = EVENT_CALL, .time_ns = call->ended_ns};

    event.made = *call;
    store_event(traffic.store, &event);
}

START_TEST(a_call_finds_its_connection_and_side)
{
    struct program_call call = told(CALLED_RECV, 40000, 7001);

    ck_assert_int_eq(call.flow, 0);
    ck_assert(call.has_side && call.side == FLOW_CLIENT);
    call = told(CALLED_ACCEPT, 7001, 40000);
    ck_assert_int_eq(call.flow, 0);
    ck_assert(call.has_side && call.side == FLOW_SERVER);
    call = told(CALLED_LISTEN, 7001, 0);
    ck_assert_int_eq(call.flow, -1);
    ck_assert(call.has_side && call.side == FLOW_SERVER);
    call = told(CALLED_CONNECT, 0, 7001); /* refused: its port is gone */
    ck_assert_int_eq(call.flow, 0);
    ck_assert(call.has_side && call.side == FLOW_CLIENT);
    call = told(CALLED_RECV, 40001, 7001);
    ck_assert_int_eq(call.flow, -1);
    ck_assert(!call.has_side);
    call = told(CALLED_SOCKET, 0, 0);
    ck_assert(!call.has_side);
}
END_TEST

START_TEST(a_socket_is_known_by_its_later_calls)
{
    struct program_call made = told(CALLED_SOCKET, 0, 0);
    struct program_call next = told(CALLED_CONNECT, 40000, 7001);

    made.fd = -1;
    made.result = 3;
    made.ended_ns = next.ended_ns - 50;
    keep(&next);
    keep(&made); /* late, and yet before it */
    ck_assert_int_eq(store_call(traffic.store, 0)->function, CALLED_SOCKET);
    next.function = CALLED_SEND;
    next.ended_ns += 10;
    keep(&next);
    ck_assert_uint_eq(store_calls(traffic.store), 3);
    ck_assert(store_call(traffic.store, 0)->has_side);
    ck_assert_int_eq(store_call(traffic.store, 0)->side, FLOW_CLIENT);
    ck_assert_uint_eq(store_calls_from(traffic.store, next.ended_ns), 2);
    ck_assert_ptr_null(store_call(traffic.store, 3));
}
END_TEST

START_TEST(the_newest_calls_are_kept)
{
    struct program_call call = told(CALLED_RECV, 40000, 7001);

    for (int n = 0; n < 20000; n++) {
        call.result = n;
        call.ended_ns++;
        keep(&call);
    }
    ck_assert_uint_eq(store_calls(traffic.store), 16384);
    ck_assert_int_eq(store_call(traffic.store, 16383)->result, 19999);
    ck_assert_int_eq(store_call(traffic.store, 0)->result, 20000 - 16384);
}
END_TEST

START_TEST(calls_stand_between_the_packets)
{
    const struct choice choice = {.flow = 0, .calls = true};
    struct program_call call = told(CALLED_CONNECT, 40000, 7001);
    struct ladder_lines lines;

    call.ended_ns = store_row(traffic.store, 1)->packet.time_ns + 10;
    keep(&call);
    lines_down(&lines, traffic.store, choice, 0, 20);
    ck_assert_int_eq(lines.count, 4);
    ck_assert_ptr_nonnull(lines.line[2].calls.newest);
    ck_assert(!lines.line[1].calls.newest && !lines.line[3].calls.newest);
    lines_up(&lines, traffic.store, choice, SIZE_MAX, 20);
    ck_assert_int_eq(lines.count, 4);
    ck_assert_ptr_nonnull(lines.line[2].calls.newest);
    lines_up(&lines, traffic.store, (struct choice){.flow = 0}, SIZE_MAX, 20);
    ck_assert_int_eq(lines.count, 3);
}
END_TEST

/* An idle server asks twice a second whether it should end. */
START_TEST(a_wait_in_vain_has_no_row)
{
    const struct choice choice = {.flow = 0, .calls = true};
    struct program_call call = told(CALLED_POLL, 7001, 0);
    struct ladder_lines lines;

    for (int n = 0; n < 30; n++) {
        call.ended_ns += 500000000;
        keep(&call);
    }
    lines_up(&lines, traffic.store, choice, SIZE_MAX, 20);
    ck_assert_int_eq(lines.count, 3);
    call.result = 1;
    keep(&call);
    lines_up(&lines, traffic.store, choice, SIZE_MAX, 20);
    ck_assert_int_gt(lines.count, 3);
}
END_TEST

/* A server has called listen() long before the first packet. */
START_TEST(calls_are_there_before_any_packet)
{
    const struct choice choice = {.flow = -1, .calls = true};
    struct program_call call = told(CALLED_LISTEN, 7001, 0);
    struct store *store = store_new(0);
    struct event event = {.kind = EVENT_CALL, .made = call};
    struct ladder_lines lines;
    struct canvas canvas;

    store_event(store, &event);
    lines_up(&lines, store, choice, SIZE_MAX, 20);
    ck_assert_int_eq(lines.count, 1);
    ck_assert_ptr_nonnull(lines.line[0].calls.newest);
    lines_up(&lines, store, (struct choice){.flow = -1}, SIZE_MAX, 20);
    ck_assert_int_eq(lines.count, 0);
    ck_assert_int_eq(canvas_init(&canvas, 20, 60), 0);
    ladder_pane(canvas_area(&canvas), store, -1, true);
    canvas_fini(&canvas);
    store_free(store);
}
END_TEST

START_TEST(a_pause_stands_where_it_was)
{
    const struct choice choice = {.flow = 0, .calls = true};
    struct program_call call = told(CALLED_RECV, 40000, 7001);
    int64_t last_ns = store_row(traffic.store, 2)->packet.time_ns;
    struct ladder_lines lines;

    call.ended_ns = last_ns + 10; /* at once, and before the next packet */
    keep(&call);
    call.ended_ns = last_ns + 2000000000;
    keep(&call);
    traffic.now_ns = last_ns + 2000000100;
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, NULL, 0);
    for (int up = 0; up < 2; up++) {
        if (up)
            lines_up(&lines, traffic.store, choice, SIZE_MAX, 20);
        else
            lines_down(&lines, traffic.store, choice, 0, 20);
        ck_assert_int_eq(lines.count, 7);
        ck_assert_ptr_nonnull(lines.line[3].calls.newest);
        ck_assert_int_eq(lines.line[4].span_ns, 1999999990);
        ck_assert(lines.line[4].gap && !lines.line[4].calls.newest);
        ck_assert_ptr_nonnull(lines.line[5].calls.newest);
        ck_assert(!lines.line[6].gap);
    }
    lines_up(&lines, traffic.store, (struct choice){.flow = 0}, SIZE_MAX, 20);
    ck_assert_int_eq(lines.count, 5); /* without calls it is all one pause */
    ck_assert_int_ge(lines.line[3].span_ns, 2000000000);
}
END_TEST

START_TEST(many_calls_leave_room_for_packets)
{
    const struct choice choice = {.flow = -1, .calls = true};
    struct program_call call = told(CALLED_RECV, 40000, 7001);
    struct ladder_lines lines;

    for (int n = 0; n < 50; n++) {
        call.ended_ns++;
        keep(&call);
    }
    lines_up(&lines, traffic.store, choice, SIZE_MAX, 20);
    ck_assert_int_eq(lines.count, 15);
    ck_assert_int_eq(lines.line[3].calls.more, 38);
    lines_up(&lines, traffic.store, choice, SIZE_MAX, 19);
    ck_assert_int_eq(lines.count, 9); /* fewer in a small window */
    lines_up(&lines, traffic.store, choice, SIZE_MAX, 5);
    ck_assert_int_eq(lines.count, 5);
    ck_assert_ptr_null(
        lines.line[0].calls.newest); /* the packet itself stays */
    lines_down(&lines, traffic.store, choice, 0, 5);
    ck_assert_int_eq(lines.count, 5);
}
END_TEST

/* curl sets four options of its socket before it connects. */
START_TEST(a_run_of_like_calls_is_one_row_until_it_is_unfolded)
{
    struct choice choice = {.flow = -1, .calls = true, .fold = true};
    struct program_call call = told(CALLED_SETSOCKOPT, 40000, 7001);
    struct ladder_lines lines;

    for (int n = 0; n < 4; n++) {
        call.began_ns = call.ended_ns;
        call.ended_ns += 1000;
        keep(&call);
    }
    for (int way = 0; way < 2; way++) {
        if (way == 0)
            lines_up(&lines, traffic.store, choice, SIZE_MAX, 20);
        else
            lines_down(&lines, traffic.store, choice, 0, 20);
        ck_assert_int_eq(lines.count, 4);
        ck_assert_int_eq(lines.line[3].calls.count, 4);
        ck_assert_int_eq(lines.line[3].calls.moved, 0);
        ck_assert_int_eq(lines.line[3].calls.newest->ended_ns -
                             lines.line[3].calls.oldest->ended_ns,
                         3000);
    }
    choice.fold = false;
    lines_up(&lines, traffic.store, choice, SIZE_MAX, 20);
    ck_assert_int_eq(lines.count, 7);
    ck_assert_int_eq(lines.line[3].calls.count, 1);
}
END_TEST

/* What another socket did, what failed, waited or came late is no part of it;
 * two are no run. */
START_TEST(only_like_calls_are_a_run)
{
    const struct choice choice = {.flow = -1, .calls = true, .fold = true};
    struct program_call call = told(CALLED_RECV, 40000, 7001);
    struct ladder_lines lines;

    for (int n = 1; n <= 9; n++) {
        call.began_ns = call.ended_ns;
        call.ended_ns += n == 4 ? 2000000 : n == 7 ? 600000000 : 1000;
        call.began_ns = n == 7 ? call.ended_ns : call.began_ns;
        call.result = 100 * n;
        keep(&call);
    }
    call.result = -1;
    keep(&call);
    /* 3 packets, 1 to 3, 4 that waited, 5, 6, a pause, 7 to 9, the failure */
    lines_up(&lines, traffic.store, choice, SIZE_MAX, 20);
    ck_assert_int_eq(lines.count, 10);
    ck_assert_int_eq(lines.line[3].calls.moved, 600);
    ck_assert_int_eq(lines.line[4].calls.moved, 400);
    ck_assert_int_eq(lines.line[5].calls.count, 1);
    ck_assert_int_eq(lines.line[6].calls.count, 1);
    ck_assert(!lines.line[7].calls.newest && lines.line[7].span_ns > 0);
    ck_assert_int_eq(lines.line[8].calls.moved, 2400);
    ck_assert_int_eq(lines.line[9].calls.newest->result, -1);
}
END_TEST

START_TEST(a_run_of_calls_says_how_many_and_how_much)
{
    struct program_call call = told(CALLED_RECV, 40000, 7001);
    struct call_run run = {&call, &call, 12, 48000, 0};
    struct canvas canvas;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    ck_assert_int_eq(canvas_init(&canvas, 4, 120), 0);
    canvas_clear(&canvas);
    ladder_call_row(canvas_area(&canvas), 0, &run, TRAFFIC_START);
    call.function = CALLED_SETSOCKOPT;
    run.moved = 0;
    run.more = 3;
    ladder_call_row(canvas_area(&canvas), 1, &run, TRAFFIC_START);
    ladder_call_row(area_part(canvas_area(&canvas), 2, 0, 1, 60), 0, &run,
                    TRAFFIC_START);
    canvas_print(&canvas, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "recv(3) = 48000 in 12 calls "));
    ck_assert_ptr_nonnull(
        strstr(text, "setsockopt(3) = 0, 12 times  (3 more before) "));
    ck_assert_ptr_nonnull(strstr(text, "setsockopt x12 (+3) "));
    canvas_fini(&canvas);
    free(text);
}
END_TEST

/* On paper each call has its row, the newest where there are too many, and none
 * comes twice. */
START_TEST(a_printed_ladder_has_the_calls)
{
    const struct choice choice = {.flow = 0, .calls = true};
    struct program_call call = told(CALLED_CONNECT, 40000, 7001);
    char *text = NULL, *at;
    struct roll roll;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    ck_assert_int_eq(roll_init(&roll, out, 80, true), 0);
    roll_header(&roll, store_flow(traffic.store, 0), traffic.store);
    call.ended_ns = store_row(traffic.store, 1)->packet.time_ns + 10;
    keep(&call);
    call.function = CALLED_SEND;
    for (int n = 0; n < 5; n++) {
        call.ended_ns = traffic.now_ns + n;
        call.result = n;
        keep(&call);
    }
    for (size_t n = 0; n < store_rows(traffic.store); n++) {
        const struct store_row *row = store_row(traffic.store, n);

        roll_calls(&roll, traffic.store, choice, row->packet.time_ns, 2);
        roll_packet(&roll, row, n ? store_row(traffic.store, n - 1) : NULL);
    }
    roll_calls(&roll, traffic.store, choice, INT64_MAX, 2);
    roll_calls(&roll, traffic.store, choice, INT64_MAX, 2);
    roll_fini(&roll);
    fclose(out);
    at = strstr(text, "SYN,ACK");
    ck_assert_ptr_nonnull(at);
    ck_assert_ptr_nonnull(strstr(at, "connect(3) = 0"));
    ck_assert_ptr_nonnull(strstr(at, "send(3) = 3  (3 more before) "));
    ck_assert_ptr_nonnull(at = strstr(at, "send(3) = 4 "));
    ck_assert_ptr_null(strstr(text, "send(3) = 2"));
    ck_assert_ptr_null(strstr(at + 1, "send"));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("calls");
    TCase *records = tcase_create("records");
    TCase *ring = tcase_create("ring");
    TCase *whose = tcase_create("whose");
    SRunner *runner;
    int failed;

    tcase_add_test(records, a_record_is_read);
    tcase_add_test(records, nonsense_is_refused);
    tcase_add_test(records, random_records_stay_within_the_tables);
    tcase_add_test(records, a_call_reads_as_a_sentence);
    tcase_add_test(records, a_call_gets_shorter_where_there_is_no_room);
    tcase_add_test(records, every_function_is_known_by_its_name);
    tcase_add_checked_fixture(ring, open_ring, close_ring);
    tcase_add_test(ring, records_come_in_their_order);
    tcase_add_test(ring, what_was_overtaken_is_counted);
    tcase_add_test(ring, an_unfinished_record_is_waited_for_and_then_given_up);
    tcase_add_test(ring, a_hostile_ring_ends_nothing);
    tcase_add_test(ring, what_a_killed_viz_left_is_removed);
    tcase_add_checked_fixture(whose, begin_traffic, end_traffic);
    tcase_add_test(whose, a_call_finds_its_connection_and_side);
    tcase_add_test(whose, a_socket_is_known_by_its_later_calls);
    tcase_add_test(whose, the_newest_calls_are_kept);
    tcase_add_test(whose, calls_stand_between_the_packets);
    tcase_add_test(whose, a_wait_in_vain_has_no_row);
    tcase_add_test(whose, calls_are_there_before_any_packet);
    tcase_add_test(whose, a_pause_stands_where_it_was);
    tcase_add_test(whose, many_calls_leave_room_for_packets);
    tcase_add_test(whose, a_run_of_like_calls_is_one_row_until_it_is_unfolded);
    tcase_add_test(whose, only_like_calls_are_a_run);
    tcase_add_test(whose, a_run_of_calls_says_how_many_and_how_much);
    tcase_add_test(whose, a_printed_ladder_has_the_calls);
    suite_add_tcase(suite, records);
    suite_add_tcase(suite, ring);
    suite_add_tcase(suite, whose);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
