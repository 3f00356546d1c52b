/*
 * A moment is what a capture that ended there would have shown, whichever way
 * one came to it: compared as JSON, on every stored capture.
 */
#include <check.h>
#include <string.h>

#include "tests/unit/frames.h"
#include "viz/events/json.h"
#include "viz/events/moment.h"

/* The first `count` packets of the capture. */
static struct store *store_of(const struct frames *frames, size_t count,
                              size_t room)
{
    struct track *track = track_new(0);
    struct store *store = store_new(room);

    for (size_t n = 0; n < count && n < frames->count; n++) {
        struct packet packet = frame_packet(frames, n);
        struct note note = {0};
        struct event event = {.kind = EVENT_PACKET, .time_ns = packet.time_ns};

        must(track_feed(track, &packet, &note) == 0);
        event.packet = &packet;
        event.note = &note;
        store_event(store, &event);
    }
    track_free(track);
    return store;
}

/* All that a store holds; free() it. */
static char *told(const struct store *store)
{
    struct json_writer json;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    json_begin(&json, out);
    for (size_t n = 0; n < store_rows(store); n++) {
        const struct store_row *row = store_row(store, n);
        struct event event = {.kind = EVENT_PACKET,
                              .time_ns = row->packet.time_ns};

        event.packet = &row->packet;
        event.note = &row->note;
        json_event(&json, &event);
    }
    for (size_t n = 0; n < store_flows(store); n++)
        json_flow(&json, store_flow(store, n));
    fclose(out);
    return text;
}

static void ck_same(const struct store *one, const struct store *other,
                    const char *name, uint64_t at)
{
    char *a = told(one), *b = told(other);

    if (strcmp(a, b) != 0)
        ck_abort_msg("%s at packet %llu", name, (unsigned long long)at);
    free(a);
    free(b);
}

START_TEST(a_moment_is_the_same_from_every_side)
{
    uint64_t seed = 3;

    for (size_t i = 0; i < STORED_CAPTURES; i++) {
        struct frames frames;
        struct moment moment = {0};
        struct store *all;

        frames_load(&frames, stored_captures[i]);
        all = store_of(&frames, frames.count, 0);
        for (int jump = 0; jump < 12; jump++) {
            uint64_t to = next_random(&seed) % (frames.count + 1);
            struct store *then = store_of(&frames, to, 0);

            must(moment_seek(&moment, all, to) == 0);
            must(moment.at == to);
            ck_same(moment.store, then, stored_captures[i], to);
            store_free(then);
        }
        moment_fini(&moment);
        store_free(all);
        frames_free(&frames);
    }
}
END_TEST

START_TEST(a_moment_ends_with_the_newest_packet)
{
    struct frames frames;
    struct moment moment = {0};
    struct store *all;

    frames_load(&frames, "s01_client_close");
    all = store_of(&frames, frames.count, 0);
    ck_assert_int_eq(moment_seek(&moment, all, 1000), 0);
    ck_assert_uint_eq(moment.at, 11);
    ck_same(moment.store, all, "s01_client_close", 11);
    moment_fini(&moment);
    store_free(all);
    frames_free(&frames);
}
END_TEST

START_TEST(what_the_store_forgot_stays_forgotten_and_numbers_stay)
{
    struct frames frames;
    struct moment moment = {0};
    struct store *all;

    frames_load(&frames, "s10_lossy_sender");
    all = store_of(&frames, frames.count, 100);
    ck_assert_uint_gt(store_forgotten(all), 500);
    ck_assert_int_eq(moment_seek(&moment, all, store_forgotten(all) + 10), 0);
    ck_assert_uint_eq(store_forgotten(moment.store), store_forgotten(all));
    ck_assert_uint_eq(store_rows(moment.store), 10);
    ck_assert_uint_eq(store_row(moment.store, 9)->packet.number,
                      store_forgotten(all) + 10);
    ck_assert_int_eq(store_start(moment.store), store_start(all));
    moment_fini(&moment);
    store_free(all);
    frames_free(&frames);
}
END_TEST

/* --- what was said beside the packets --------------------------------------- */

static void say(struct store *store, enum event_kind kind, enum tcp_state state,
                int64_t time_ns)
{
    struct event event = {.kind = kind, .time_ns = time_ns};

    event.socket = (struct socket_sample){.protocol = PROTO_TCP,
                                          .state = state,
                                          .local = {.family = 4, .port = 7001},
                                          .cookie = 1};
    store_event(store, &event);
}

static void call(struct store *store, enum call_function function,
                 int64_t time_ns)
{
    struct event event = {.kind = EVENT_CALL, .time_ns = time_ns};

    event.made = (struct program_call){.function = function,
                                       .protocol = PROTO_TCP,
                                       .began_ns = time_ns,
                                       .ended_ns = time_ns};
    store_event(store, &event);
}

static void ck_beside(const struct moment *moment, size_t calls,
                      enum tcp_state state)
{
    ck_assert_uint_eq(store_calls(moment->store), calls);
    ck_assert_uint_eq(store_sockets(moment->store), state != TCP_CLOSED);
    if (state != TCP_CLOSED)
        ck_assert_int_eq(store_socket(moment->store, 0)->state, state);
}

/* The kernel's word and the calls belong to the packet before them. */
START_TEST(a_moment_has_what_was_said_until_the_next_packet)
{
    struct moment moment = {0};
    struct frames frames;
    struct store *all;
    int64_t at[3];

    frames_load(&frames, "s01_client_close");
    all = store_of(&frames, 3, 0);
    for (size_t n = 0; n < 3; n++)
        at[n] = store_row(all, n)->packet.time_ns;
    call(all, CALLED_LISTEN, at[0] - 5);
    say(all, EVENT_SOCKET, TCP_LISTEN, at[0] + 1);
    call(all, CALLED_CONNECT, at[1] + 1);
    say(all, EVENT_SOCKET, TCP_ESTABLISHED, at[1] + 2);
    say(all, EVENT_SOCKET, TCP_ESTABLISHED, at[1] + 3); /* no news */
    say(all, EVENT_GONE, TCP_ESTABLISHED, at[2] + 1);
    ck_assert_uint_eq(store_changes(all), 3);
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(moment_seek(&moment, all, 1), 0);
        ck_beside(&moment, 1, TCP_LISTEN);
        ck_assert_int_eq(moment_seek(&moment, all, 2), 0);
        ck_beside(&moment, 2, TCP_ESTABLISHED);
        ck_assert_int_eq(moment_seek(&moment, all, 3), 0);
        ck_beside(&moment, 2, TCP_CLOSED);
    }
    call(all, CALLED_CLOSE, at[2] + 10); /* live, it goes on */
    ck_assert_int_eq(moment_seek(&moment, all, 3), 0);
    ck_beside(&moment, 3, TCP_CLOSED);
    moment_fini(&moment);
    store_free(all);
    frames_free(&frames);
}
END_TEST

START_TEST(the_newest_changes_are_kept)
{
    struct store *store = store_new(0);

    for (int n = 0; n < 20000; n++)
        say(store, EVENT_SOCKET, n % 2 ? TCP_LISTEN : TCP_ESTABLISHED, n);
    ck_assert_uint_eq(store_changes(store), 16384);
    ck_assert_int_eq(store_change(store, 16383)->time_ns, 19999);
    ck_assert_int_eq(store_change(store, 0)->time_ns, 20000 - 16384);
    ck_assert_uint_eq(store_changes_from(store, 19999), 16383);
    ck_assert_ptr_null(store_change(store, 16384));
    store_free(store);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("moment");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_moment_is_the_same_from_every_side);
    tcase_add_test(tests, a_moment_ends_with_the_newest_packet);
    tcase_add_test(tests,
                   what_the_store_forgot_stays_forgotten_and_numbers_stay);
    tcase_add_test(tests, a_moment_has_what_was_said_until_the_next_packet);
    tcase_add_test(tests, the_newest_changes_are_kept);
    return run_suite("moment", tests);
}
