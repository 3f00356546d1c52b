/*
 * For the tests of viz's wire: a stored capture in memory, each frame in a
 * block of its own of exactly its size, so that the address sanitizer sees one
 * byte too many.
 */
#ifndef TESTS_UNIT_FRAMES_H
#define TESTS_UNIT_FRAMES_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/capture/capture.h"
#include "viz/decode/decode.h"

static const char *const stored_captures[] = {
    "s01_client_close",    "s02_server_close_http", "s04_rst_linger0",
    "s06_refused",         "s07_udp_closed",        "s08_backlog_full",
    "s09_zero_window",     "s10_lossy_sender",      "s13_simultaneous_open",
    "s15_fast_retransmit", "s19_udp_echo_frag",     "s21_keepalive",
    "s27_midstream",
};

enum { STORED_CAPTURES = sizeof stored_captures / sizeof *stored_captures };

struct frames {
    int link;
    size_t count;
    struct frame *at; /* at[n].bytes is ours */
};

/* ck_assert() for what is asked a million times: Check writes a record for
 * each of its own, also when it holds. */
#define must(condition)                               \
    do {                                              \
        if (!(condition))                             \
            ck_abort_msg("not true: %s", #condition); \
    } while (0)

/* A copy of `captured` bytes in a block of that size. */
static inline uint8_t *exact_copy(const uint8_t *bytes, uint32_t captured)
{
    uint8_t *copy = malloc(captured > 0 ? captured : 1);

    ck_assert_ptr_nonnull(copy);
    if (captured > 0)
        memcpy(copy, bytes, captured);
    return copy;
}

static inline void frames_load(struct frames *frames, const char *name)
{
    struct capture_error error;
    struct capture *capture;
    struct frame frame;
    char path[128];
    int got;

    snprintf(path, sizeof path, "tests/captures/%s.pcap", name);
    capture = capture_open_file(path, NULL, &error);
    ck_assert_msg(capture != NULL, "%s", error.text);
    *frames = (struct frames){.link = capture_link(capture)};
    while ((got = capture_next(capture, &frame, &error)) == 1) {
        frames->at = realloc(frames->at,
                             (frames->count + 1) * sizeof *frames->at);
        ck_assert_ptr_nonnull(frames->at);
        frame.bytes = exact_copy(frame.bytes, frame.captured);
        frames->at[frames->count++] = frame;
    }
    ck_assert_msg(got == 0, "%s", error.text);
    capture_close(capture);
}

static inline void frames_free(struct frames *frames)
{
    for (size_t n = 0; n < frames->count; n++)
        free((uint8_t *)frames->at[n].bytes);
    free(frames->at);
}

static inline struct packet frame_packet(const struct frames *frames, size_t n)
{
    const struct frame *frame = &frames->at[n];
    struct packet packet = {
        .number = n + 1, .time_ns = frame->time_ns, .length = frame->length};

    decode_packet(frames->link, frame->bytes, frame->captured, &packet);
    return packet;
}

/* A generator of our own, so that a failing seed fails everywhere. */
static inline uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static inline int run_suite(const char *name, TCase *tests)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
