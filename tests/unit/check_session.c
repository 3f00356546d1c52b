/* viz/session: frames become events in order, an error comes after what was
 * whole before it, and a stop leaves nothing on the ring. */
#include "viz/session.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/netns.h"

#define CAPTURE "tests/captures/s01_client_close.pcap"

enum { PACKETS = 11 };

struct seen {
    uint64_t packets, last, looks;
    bool in_order;
};

static void see(void *self, const struct event *event)
{
    struct seen *seen = self;

    if (event->kind == EVENT_LOOKED)
        seen->looks++;
    if (event->kind != EVENT_PACKET)
        return;
    seen->in_order = seen->packets == 0
                         ? event->packet->number == 1
                         : seen->in_order &&
                               event->packet->number == seen->last + 1;
    seen->last = event->packet->number;
    seen->packets++;
}

static void open_file(struct session *session, const char *path)
{
    struct capture_error error = {.kind = CAPTURE_FINE};
    struct capture *capture = capture_open_file(path, NULL, &error);

    ck_assert_msg(capture != NULL, "%s (run where the Makefile is)",
                  error.text);
    ck_assert_int_eq(session_init(session, capture, NULL), 0);
}

START_TEST(a_file_is_taken_whole_and_in_order)
{
    struct capture_error error = {.kind = CAPTURE_FINE};
    struct seen first = {0}, second = {0};
    struct session session;

    open_file(&session, CAPTURE);
    ck_assert_int_eq(session_add_sink(&session, see, &first), 0);
    ck_assert_int_eq(session_add_sink(&session, see, &second), 0);
    ck_assert_int_eq(session_pump(&session, 4, &error), 4);
    session_remove_sink(&session, &second);
    ck_assert_int_eq(session_pump(&session, 100, &error), PACKETS - 4);
    ck_assert_int_eq(session_pump(&session, 100, &error), 0);
    ck_assert_uint_eq(session.packets, PACKETS);
    ck_assert_uint_eq(first.packets, PACKETS);
    ck_assert_uint_eq(second.packets, 4);
    ck_assert(first.in_order);
    ck_assert_int_eq(session_timeout(&session), -1);
    ck_assert_int_eq(session_drain(&session, clock_wall(), &error), 0);
    session_fini(&session);
}
END_TEST

START_TEST(sinks_are_counted)
{
    struct seen seen = {0};
    struct session session;

    open_file(&session, CAPTURE);
    for (int i = 0; i < SESSION_SINKS; i++)
        ck_assert_int_eq(session_add_sink(&session, see, &seen), 0);
    ck_assert_int_eq(session_add_sink(&session, see, &seen), -1);
    session_remove_sink(&session, &seen);
    ck_assert_int_eq(session_add_sink(&session, see, &seen), 0);
    session_fini(&session);
}
END_TEST

START_TEST(a_cut_file_gives_its_whole_packets_then_the_error)
{
    struct capture_error error = {.kind = CAPTURE_FINE};
    char path[] = "/tmp/check_session.XXXXXX", bytes[700];
    FILE *from = fopen(CAPTURE, "rb");
    int to = mkstemp(path);
    struct session session;
    int taken;

    ck_assert(from != NULL && to >= 0);
    ck_assert_uint_eq(fread(bytes, 1, sizeof bytes, from), sizeof bytes);
    ck_assert_int_eq(write(to, bytes, sizeof bytes), sizeof bytes);
    fclose(from);
    close(to);
    open_file(&session, path);
    taken = session_pump(&session, 100, &error);
    ck_assert_int_eq(taken, 7);
    for (int i = 0; i < 2; i++) { /* and it stays an error */
        ck_assert_int_eq(session_pump(&session, 100, &error), -1);
        ck_assert_int_eq(error.kind, CAPTURE_TRUNCATED);
        ck_assert_str_ne(error.text, "");
    }
    session_fini(&session);
    unlink(path);
}
END_TEST

START_TEST(a_session_without_a_wire_only_looks)
{
    struct capture_error error = {.kind = CAPTURE_FINE};
    struct seen seen = {0};
    struct session session;

    ck_assert_int_eq(session_init(&session, NULL, sockets_open()), 0);
    ck_assert_ptr_nonnull(session.sockets);
    session_add_sink(&session, see, &seen);
    ck_assert_int_eq(session_timeout(&session), 0);
    ck_assert_int_eq(session_pump(&session, 1, &error), 0);
    ck_assert_uint_eq(seen.looks, 1);
    ck_assert_int_eq(session_pump(&session, 1, &error), 0);
    ck_assert_uint_eq(seen.looks, 1); /* it is not time */
    ck_assert_int_gt(session_timeout(&session), 0);
    ck_assert_int_eq(session_look(&session), 0);
    ck_assert_uint_eq(seen.looks, 2);
    session_fini(&session);
}
END_TEST

/* The more a look costs, the longer until the next: 2 % of a processor. */
START_TEST(looks_take_a_small_share_of_the_time)
{
    struct capture_error error = {.kind = CAPTURE_FINE};
    struct seen seen = {0};
    struct session session;
    int64_t before, pause;

    ck_assert_int_eq(session_init(&session, NULL, sockets_open()), 0);
    session_add_sink(&session, see, &seen);
    before = clock_now();
    ck_assert_int_eq(session_pump(&session, 1, &error), 0);
    pause = session.next_look_ns - before;
    ck_assert_int_gt(session.look_cost_ns, 0);
    ck_assert_int_ge(pause, 50 * CLOCK_MS);
    ck_assert(pause >= session.look_cost_ns * 50 ||
              pause >= 200 * (int64_t)CLOCK_MS);
    session_fini(&session);
}
END_TEST

/* --- live ------------------------------------------------------------------ */

enum { DATAGRAMS = 500, CANNOT = 77 };

/* In a network of its own: send, stop at once, and count. */
static int send_and_drain(void)
{
    struct capture_error error = {.kind = CAPTURE_FINE};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7003)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), got;
    struct capture *capture;
    struct session session;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&to, sizeof to) < 0)
        return 1;
    capture = capture_open_live("lo", 0, "udp", &error);
    if (!capture || session_init(&session, capture, NULL) < 0)
        return 2;
    for (int i = 0; i < DATAGRAMS; i++)
        if (sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to) != 1)
            return 3;
    got = session_drain(&session, clock_wall(), &error);
    session_fini(&session);
    close(fd);
    return got == DATAGRAMS ? 0 : 4;
}

START_TEST(a_stop_leaves_no_packet_on_the_ring)
{
    enum netns_step failed;
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(netns_enter(&failed) < 0 ? CANNOT : send_and_drain());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) == CANNOT) {
        fputs("check_session: no private network here, drain not tried\n",
              stderr);
        return;
    }
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = tcase_create("pipeline");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, a_file_is_taken_whole_and_in_order);
    tcase_add_test(tcase, sinks_are_counted);
    tcase_add_test(tcase, a_cut_file_gives_its_whole_packets_then_the_error);
    tcase_add_test(tcase, a_session_without_a_wire_only_looks);
    tcase_add_test(tcase, looks_take_a_small_share_of_the_time);
    tcase_add_test(tcase, a_stop_leaves_no_packet_on_the_ring);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
