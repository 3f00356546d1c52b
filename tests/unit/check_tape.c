/*
 * Replay and predict as a reader uses them: keys in, every view as of its
 * packet, questions about the next one.
 */
#include "tests/unit/viewing.h"
#include "viz/views/tape.h"

START_TEST(a_replay_shows_every_view_as_of_its_packet)
{
    viewer.live = viewer.follow = false;
    whole_connection(40000);
    press("p");
    ck_shows("PLAY 0 of 11 x1");
    ck_shows("The replay stands before the first packet");
    press("3");
    ck_shows("The replay stands before the first packet");
    press("5");
    ck_shows("nothing of sockets up to this packet");
    press("1");
    press("..");
    ck_shows("STILL 2 of 11");
    ck_shows("SYN_RECV");
    ck_hides("TIME_WAIT");
    press("3");
    ck_shows("SYN_RECV  \xE2\x97\x84server");
    press("2:9<Enter>");
    ck_shows("CLOSE_WAIT");
    ck_hides("LAST_ACK");
    press(",,");
    ck_shows("STILL 7 of 11");
    ck_hides("FIN_WAIT1");
    press(":0.0004s<Enter>");
    ck_shows("STILL 5 of 11");
    press(":nowhere<Enter>");
    ck_shows("Go where?");
    ck_shows("STILL 5 of 11");
    press("p");
    ck_shows("11 packets");
    ck_shows("LAST_ACK");
}
END_TEST

START_TEST(a_replay_plays_at_its_speed_and_cuts_long_silences)
{
    const int64_t ms = 1000000;
    int64_t now = 77;

    viewer.live = viewer.follow = false;
    traffic_connect(&traffic, 40000, 7001);   /* 0, 0.1, 0.2 ms */
    traffic.now_ns += INT64_C(3600000000000); /* an hour */
    traffic_tcp(&traffic, 40000, 7001, TCP_ACK, 1001, 5001, "x", 1);
    press("p");
    ck_assert(tape_tick(&viewer, now));
    ck_assert_uint_eq(viewer.tape.moment.at, 1);
    ck_assert_int_eq(tape_wake(&viewer), now + ms / 10);
    ck_assert(tape_tick(&viewer, now + ms / 10));
    ck_assert_uint_eq(viewer.tape.moment.at, 2);
    tape_tick(&viewer, now += ms);
    ck_assert_uint_eq(viewer.tape.moment.at, 3);
    ck_assert_int_le(tape_wake(&viewer), now + 1000 * ms);
    tape_tick(&viewer, now + 500 * ms);
    ck_assert_uint_eq(viewer.tape.moment.at, 3);
    tape_tick(&viewer, now += 1000 * ms);
    ck_assert_uint_eq(viewer.tape.moment.at, 4);
    ck_assert(!viewer.tape.playing);
    ck_assert_int_eq(tape_wake(&viewer), INT64_MAX);
    press("<Space>"); /* from the beginning again, ten times slower */
    press("<<<<<<<<<");
    ck_shows("x0.1");
    tape_tick(&viewer, now);
    ck_assert_int_eq(tape_wake(&viewer), now + ms);
    press("<Space>");
    ck_assert_int_eq(tape_wake(&viewer), INT64_MAX);
    press(">>>>>>>>>>>>>");
    ck_shows("x100");
}
END_TEST

START_TEST(a_replay_works_live_while_packets_still_come)
{
    whole_connection(40000);
    press("2p.");
    whole_connection(40001);
    draw();
    ck_shows("STILL 1 of 22");
    ck_hides("FIN_WAIT1");
    press("p");
    ck_assert_uint_eq(viewer.selected, 22);
}
END_TEST

/* The letter before `answer` on the screen. */
static char letter_of(const char *answer)
{
    char line[100];

    for (char letter = 'a'; letter <= 'd'; letter++) {
        snprintf(line, sizeof line, "   %c  %s\n", letter, answer);
        if (strstr(screen, line))
            return letter;
    }
    ck_abort_msg("no answer %s in\n%s", answer, screen);
    return 0;
}

START_TEST(a_file_is_played_where_a_live_wire_is_paused)
{
    viewer.live = viewer.follow = false;
    whole_connection(40000);
    press("2<Home>jj ");
    ck_hides("PAUSED");
    ck_shows("PLAY 3 of 11");
    press(" ");
    ck_shows("STILL 3 of 11");
}
END_TEST

START_TEST(predict_hides_the_next_packet_asks_and_keeps_score)
{
    viewer.live = viewer.follow = false;
    whole_connection(40000);
    press("P");
    ck_shows("What comes next on connection 0?");
    ck_hides("seq=0");
    viewer_key(&viewer, letter_of("client: SYN"));
    draw();
    ck_shows("Yes: client: SYN.");
    ck_shows("In which state is the client after it?");
    viewer_key(&viewer, letter_of("SYN_SENT"));
    draw();
    ck_shows("predict: 2 of 2 right");
    ck_shows("SYN seq=0");
    ck_hides("ack=1");
    viewer_key(&viewer, letter_of("server: SYN,ACK") == 'a' ? 'b' : 'a');
    draw();
    ck_shows("No: server: SYN,ACK.");
    ck_shows("predict: 2 of 3 right");
    press("P");
    ck_hides("predict:");
    ck_shows("LAST_ACK");
}
END_TEST

START_TEST(predict_ends_with_the_last_packet)
{
    viewer.live = viewer.follow = false;
    whole_connection(40000);
    press("P");
    for (int i = 0; i < 40; i++)
        press("a");
    ck_shows("That was the last packet.");
    ck_assert_uint_eq(viewer.predict.asked, 11 + 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tape");
    TCase *tcase = tcase_create("tape");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_replay_shows_every_view_as_of_its_packet);
    tcase_add_test(tcase, a_replay_plays_at_its_speed_and_cuts_long_silences);
    tcase_add_test(tcase, a_replay_works_live_while_packets_still_come);
    tcase_add_test(tcase, a_file_is_played_where_a_live_wire_is_paused);
    tcase_add_test(tcase, predict_hides_the_next_packet_asks_and_keeps_score);
    tcase_add_test(tcase, predict_ends_with_the_last_packet);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
