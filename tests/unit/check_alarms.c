/*
 * No false alarm: wherever the kernel was asked while packets were captured
 * (the stored captures, the stored lessons), wire and kernel never differ for
 * long without a reason that is told. Time goes on between two events too, so that a difference that only
 * lasts would be seen.
 */
#include <check.h>
#include <dirent.h>
#include <stdlib.h>

#include "tests/unit/frames.h"
#include "viz/events/store.h"
#include "viz/lesson/replay.h"
#include "viz/views/lasting.h"

#define SAMPLES "tests/captures/kernel-samples.txt"

enum { MOST_SAMPLES = 1000 };

struct watch {
    const char *name;
    struct track *track;
    struct store *store;
    uint64_t packets;
    int64_t now_ns;
    bool asked_all_along; /* the kernel, all the time: its word holds until it
                             says something else */
    unsigned compared;    /* ends of which both had said something */
};

static void watch_open(struct watch *watch, const char *name)
{
    *watch = (struct watch){
        .name = name, .track = track_new(0), .store = store_new(0)};
}

static void watch_close(struct watch *watch)
{
    store_free(watch->store);
    track_free(watch->track);
}

/* Every end of every connection, as the views would mark it now. */
static void compare(struct watch *watch)
{
    char words[WORDS];

    for (size_t n = 0; n < store_flows(watch->store); n++) {
        const struct flow *flow = store_flow(watch->store, n);

        for (int side = 0; side < 2; side++) {
            watch->compared += store_socket_of(watch->store, flow,
                                               (enum flow_side)side) != NULL;
            lasting_end(watch->store, flow, (enum flow_side)side, words);
            if ((kernel_differs(watch->store, flow, (enum flow_side)side) &&
                 !words[0]) ||
                strstr(words, "By the wire"))
                ck_abort_msg("%s, packet %llu, %s of connection %u: %s",
                             watch->name, (unsigned long long)watch->packets,
                             side ? "server" : "client", flow->id, words);
        }
    }
}

/* Up to this time nothing happens: what differs now does so for long. */
static void time_passes(struct watch *watch, int64_t until_ns)
{
    struct event event = {.kind = EVENT_LOOKED, .time_ns = until_ns - 1};

    if (watch->asked_all_along && watch->now_ns != 0 &&
        until_ns - watch->now_ns > 1000000) {
        store_event(watch->store, &event);
        compare(watch);
    }
    watch->now_ns = until_ns;
}

static void give(struct watch *watch, const struct event *event)
{
    struct event lost;

    time_passes(watch, event->time_ns);
    if (event->kind == EVENT_LOST) {
        lost = *event;
        lost.flow = track_lost(watch->track, &event->lost, event->time_ns);
        event = &lost;
    }
    store_event(watch->store, event);
    compare(watch);
}

static void give_frame(struct watch *watch, int link, const uint8_t *bytes,
                       uint32_t captured, uint32_t length, int64_t time_ns)
{
    struct packet packet = {
        .number = ++watch->packets, .time_ns = time_ns, .length = length};
    struct note note = {0};
    struct event event = {.kind = EVENT_PACKET, .time_ns = time_ns};

    decode_packet(link, bytes, captured, &packet);
    must(track_feed(watch->track, &packet, &note) == 0);
    event.packet = &packet;
    event.note = &note;
    give(watch, &event);
}

/* --- the stored captures --------------------------------------------------- */

static struct event samples[MOST_SAMPLES];
static size_t sample_count;

static struct endpoint endpoint(const char *text)
{
    struct endpoint end = {.family = 4};
    unsigned a, b, c, d, port;

    must(sscanf(text, "%u.%u.%u.%u:%u", &a, &b, &c, &d, &port) == 5);
    end.address[0] = (uint8_t)a;
    end.address[1] = (uint8_t)b;
    end.address[2] = (uint8_t)c;
    end.address[3] = (uint8_t)d;
    end.port = (uint16_t)port;
    return end;
}

/* The samples of one capture; a socket's cookie is made of its ends. */
static void read_samples(const char *capture)
{
    FILE *file = fopen(SAMPLES, "re");
    char line[200], name[40], local[40], remote[40], state[20];
    unsigned seconds, micros, unread, unsent;

    ck_assert_msg(file != NULL, "run this where the Makefile is");
    sample_count = 0;
    while (fgets(line, sizeof line, file)) {
        struct event *event = &samples[sample_count];

        if (line[0] == '#' ||
            sscanf(line, "%39s %u.%6u %39s %39s %19s %u %u", name, &seconds,
                   &micros, local, remote, state, &unread, &unsent) != 8 ||
            strcmp(name, capture) != 0)
            continue;
        must(sample_count < MOST_SAMPLES - 1);
        *event = (struct event){
            .kind = strcmp(state, "gone") == 0 ? EVENT_GONE : EVENT_SOCKET,
            .time_ns = (int64_t)seconds * 1000000000 + (int64_t)micros * 1000};
        event->socket = (struct socket_sample){
            .protocol = PROTO_TCP,
            .state = tcp_state_from_name(state),
            .local = endpoint(local),
            .remote = endpoint(remote),
            .receive_queue = unread,
            .send_queue = unsent,
            .inode = 1};
        event->socket.cookie = (uint64_t)event->socket.local.address[3] << 32 |
                               (uint64_t)event->socket.local.port << 16 |
                               event->socket.remote.port;
        sample_count++;
    }
    fclose(file);
}

START_TEST(no_capture_with_kernel_samples_raises_an_alarm)
{
    unsigned compared = 0;

    for (size_t i = 0; i < STORED_CAPTURES; i++) {
        struct watch watch;
        struct frames frames;
        size_t n = 0;

        read_samples(stored_captures[i]);
        frames_load(&frames, stored_captures[i]);
        watch_open(&watch, stored_captures[i]);
        watch.asked_all_along = true;
        for (size_t f = 0; f < frames.count; f++) {
            const struct frame *frame = &frames.at[f];

            while (n < sample_count && samples[n].time_ns < frame->time_ns)
                give(&watch, &samples[n++]);
            give_frame(&watch, frames.link, frame->bytes, frame->captured,
                       frame->length, frame->time_ns);
        }
        while (n < sample_count)
            give(&watch, &samples[n++]);
        time_passes(&watch, watch.now_ns + INT64_C(1000000000));
        compared += watch.compared;
        watch_close(&watch);
        frames_free(&frames);
    }
    ck_assert_uint_gt(compared, 1000);
}
END_TEST

/* --- the lessons' recordings ----------------------------------------------- */

static size_t steps_of(const char *folder)
{
    char path[300], line[200];
    size_t steps = 0;
    FILE *file;

    snprintf(path, sizeof path, "%s/replay.events", folder);
    file = fopen(path, "re");
    while (file && steps == 0 && fgets(line, sizeof line, file))
        sscanf(line, "steps %zu", &steps);
    if (file)
        fclose(file);
    return steps;
}

static void watch_replay(const char *folder)
{
    struct replay_error error;
    struct replay *replay = replay_open(folder, steps_of(folder), &error);
    struct watch watch;

    ck_assert_msg(replay != NULL, "%s", error.text);
    watch_open(&watch, folder);
    for (size_t n = 0; n < replay_count(replay); n++) {
        const struct replay_item *item = replay_item(replay, n);

        if (item->is_packet)
            give_frame(&watch, replay_link(replay), item->bytes, item->captured,
                       item->length, item->time_ns);
        else
            give(&watch, &item->event);
    }
    ck_assert_uint_gt(watch.compared, 100);
    watch_close(&watch);
    replay_close(replay);
}

START_TEST(no_lesson_that_was_played_raises_an_alarm)
{
    const char *folder = getenv("ALARMS"); /* another recording */
    DIR *lessons = opendir("lessons");
    struct dirent *entry;
    int played = 0;

    ck_assert_msg(lessons != NULL, "run this where the Makefile is");
    if (folder)
        watch_replay(folder);
    while (!folder && (entry = readdir(lessons)) != NULL) {
        char path[300];

        snprintf(path, sizeof path, "lessons/%s", entry->d_name);
        if (entry->d_name[0] == '.' || steps_of(path) == 0)
            continue;
        watch_replay(path);
        played++;
    }
    closedir(lessons);
    ck_assert(folder || played > 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alarms");
    TCase *tcase = tcase_create("none");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, no_capture_with_kernel_samples_raises_an_alarm);
    tcase_add_test(tcase, no_lesson_that_was_played_raises_an_alarm);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
