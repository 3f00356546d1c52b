/* viz/lesson/player, feed and replay by made-up events: steps, ticks, answers,
 * `not` lines, what is kept in the progress file, and a recording that comes
 * back as it went. */
#include "viz/lesson/player.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/progress.h"
#include "viz/lesson/page.h"
#include "viz/lesson/record.h"
#include "viz/lesson/replay.h"
#include "viz/lesson/wrap.h"

static const char lesson[] =
    "# Lesson\n\nIntroduction.\n\n"
    "## Run it\n\nType.\n\n"
    "```terminal A\n$ ./server\n```\n"
    "```observe\nprints A \"one\"\nnot prints A \"bad\"\nprints A "
    "\"two\"\n```\n"
    "Then decide.\n\n"
    "```predict who\nWho?\n- server\n- client *\nThe client.\n```\n"
    "```observe\nexits A 0\n```\n"
    "## The end\n\nGood bye.\n";

enum { STEPS = 5, OBSERVE = 1, PREDICT = 2, EXITS = 3, LAST = 4 };

static struct player player;
static struct document_error fault;
static char folder[64], progress[96];

static void open_player(void)
{
    struct document *document = document_parse("L.md", lesson,
                                               sizeof lesson - 1, &fault);

    ck_assert_msg(document != NULL, "%s", fault.text);
    ck_assert_msg(
        player_init(&player, document, "L.md", "01-x", false, &fault) == 0,
        "%s", fault.text);
}

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/check_player.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(progress, sizeof progress, "%s/progress", folder);
    open_player();
}

static void tear_down(void)
{
    char command[96];

    player_fini(&player);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void tell(enum event_kind kind, const char *text, int status)
{
    const struct event event = {.kind = kind,
                                .time_ns = 1,
                                .terminal = 'A',
                                .text = text,
                                .status = status};

    player_event(&player, &event);
}

static void prints(const char *text)
{
    tell(EVENT_PRINTED, text, 0);
}

static void ticks_are(size_t done, size_t all)
{
    size_t is, of;

    player_ticks(&player, &is, &of);
    ck_assert_uint_eq(is, done);
    ck_assert_uint_eq(of, all);
}

START_TEST(steps_end_at_predict_observe_and_headings)
{
    ck_assert_uint_eq(player.step_count, STEPS);
    ck_assert_uint_eq(player.at, 0);
    ck_assert_ptr_nonnull(player.steps[OBSERVE].observe);
    ck_assert_ptr_nonnull(player.steps[PREDICT].predict);
    ck_assert_ptr_nonnull(player.steps[EXITS].observe);
    ck_assert_ptr_null(player.steps[LAST].observe);
    ck_assert(!player_back(&player));
    for (int i = 1; i < STEPS; i++)
        ck_assert(player_next(&player));
    ck_assert(!player_next(&player));
    ck_assert(player.steps[OBSERVE].skipped);
    ck_assert(!player_finished(&player));
}
END_TEST

START_TEST(lines_come_true_in_order_and_stay)
{
    player_next(&player);
    ck_assert_int_eq(player_awaited(&player), 0);
    prints("two");
    ticks_are(0, 4);
    prints("one");
    ck_assert_int_eq(player.steps[OBSERVE].ticks[0].status, EXPECT_TRUE);
    ck_assert_str_eq(player.steps[OBSERVE].ticks[0].evidence,
                     "terminal A shows: one");
    prints("two");
    ck_assert(player.steps[OBSERVE].done);
    ticks_are(3, 4);
    prints("bad");
    ck_assert(player.steps[OBSERVE].done);
    ck_assert_int_eq(player_awaited(&player), -1);
}
END_TEST

START_TEST(what_happened_before_the_step_opened_does_not_count)
{
    prints("one");
    prints("two");
    player_next(&player);
    ticks_are(0, 4);
    ck_assert(!player.steps[OBSERVE].done);
}
END_TEST

START_TEST(what_a_quick_student_does_early_counts)
{
    player.eager = true;
    prints("nothing"); /* any event: the introduction asks for none */
    ck_assert(player_heard(&player) == &player.steps[OBSERVE]);
    prints("one");
    prints("two"); /* that step has all it wants; the next one hears */
    ck_assert(player_heard(&player) == &player.steps[EXITS]);
    tell(EVENT_EXITED, "", 0);
    player_next(&player);
    ck_assert(player.steps[OBSERVE].done);
    ticks_are(3, 4);
    player_next(&player); /* the question */
    player_next(&player);
    ck_assert(player.steps[EXITS].done);
    ticks_are(4, 4);
    player_again(&player); /* and afresh when the student asks */
    ck_assert(!player.steps[EXITS].done);
}
END_TEST

START_TEST(a_not_line_that_happens_is_broken_until_done_again)
{
    player_next(&player);
    prints("one");
    prints("bad");
    prints("two");
    ck_assert_int_eq(player.steps[OBSERVE].ticks[1].status, EXPECT_BROKEN);
    ck_assert(!player.steps[OBSERVE].done);
    player_again(&player);
    ticks_are(0, 4);
    prints("one");
    prints("two");
    ck_assert(player.steps[OBSERVE].done);
}
END_TEST

START_TEST(answers_can_be_changed_and_are_kept_not_graded)
{
    char value[32];

    player_answer(&player, 1); /* no question here */
    player_next(&player);
    player_next(&player);
    ck_assert_int_eq(player_step(&player)->answer, -1);
    player_answer(&player, 0);
    player_answer(&player, 7);
    ck_assert_int_eq(player_step(&player)->answer, 0);
    ck_assert_int_eq(player_save(&player, progress, NULL), 0);
    ck_assert_int_eq(
        progress_get(progress, "lesson.01-x.predict.who", value, sizeof value),
        0);
    ck_assert_str_eq(value, "wrong");
    player_answer(&player, 1);
    ck_assert_int_eq(player_save(&player, progress, NULL), 0);
    progress_get(progress, "lesson.01-x.predict.who", value, sizeof value);
    ck_assert_str_eq(value, "right");
}
END_TEST

START_TEST(the_next_run_opens_where_this_one_left)
{
    char value[32];

    ck_assert(!player_load(&player, progress));
    player_next(&player);
    prints("one");
    prints("two");
    player_next(&player);
    player_answer(&player, 1);
    player_next(&player);
    ck_assert_int_eq(player_save(&player, progress, NULL), 0);
    progress_get(progress, "lesson.01-x.ticks", value, sizeof value);
    ck_assert_str_eq(value, "3/4");
    player_fini(&player);
    open_player();
    ck_assert(player_load(&player, progress));
    ck_assert_uint_eq(player.at, EXITS);
    ck_assert_int_eq(player.steps[PREDICT].before, BEFORE_RIGHT);
    ck_assert_int_eq(player.steps[PREDICT].answer, -1);
    ticks_are(3, 4);
    tell(EVENT_EXITED, NULL, 0);
    ck_assert(player_next(&player));
    ck_assert(player_finished(&player));
    ck_assert_int_eq(player_save(&player, progress, NULL), 0);
    ck_assert_int_eq(
        progress_get(progress, "lesson.01-x.done", value, sizeof value), 0);
    ck_assert_str_eq(value, "yes");
}
END_TEST

START_TEST(a_changed_lesson_opens_at_its_first_step)
{
    static const char *const signs[] = {"+", "++++++", "?", "....", NULL};

    for (int i = 0; signs[i]; i++) {
        progress_set(progress, "lesson.01-x.at", "99999999999999999999", NULL);
        progress_set(progress, "lesson.01-x.steps", signs[i], NULL);
        ck_assert(!player_load(&player, progress));
        ck_assert_uint_eq(player.at, 0);
    }
    progress_set(progress, "lesson.01-x.steps", ".....", NULL);
    ck_assert(!player_load(&player, progress));
    ck_assert_uint_eq(player.at, 0);
}
END_TEST

START_TEST(a_bad_observe_line_is_named)
{
    static const char bad[] =
        "# t\n\n```observe\nlisten tcp 7001\nliste\n```\n";
    struct player other;
    struct document *document = document_parse("B.md", bad, sizeof bad - 1,
                                               &fault);

    ck_assert_ptr_nonnull(document);
    ck_assert_int_eq(player_init(&other, document, "B.md", "x", false, &fault),
                     -1);
    ck_assert_int_eq(fault.line, 5);
    ck_assert(strncmp(fault.text, "B.md:5: ", 8) == 0);
}
END_TEST

START_TEST(the_nudge_tells_what_to_type_next)
{
    player_next(&player);
    ck_assert_ptr_nonnull(strstr(player_nudge(&player), "make shell"));
    tell(EVENT_OPENED, NULL, 0);
    ck_assert_ptr_nonnull(strstr(player_nudge(&player), "./server"));
    tell(EVENT_TYPED, "./other", 0);
    ck_assert_ptr_nonnull(strstr(player_nudge(&player), "Ctrl-C"));
    tell(EVENT_TYPED, "./server", 0);
    ck_assert_str_eq(player_nudge(&player), "");
}
END_TEST

static void tell_of(char terminal, enum event_kind kind, const char *text)
{
    const struct event event = {
        .kind = kind, .time_ns = 1, .terminal = terminal, .text = text};

    player_event(&player, &event);
}

/* The port is in use, by oneself. */
START_TEST(the_nudge_knows_what_runs_in_another_terminal)
{
    player_next(&player);
    tell_of('A', EVENT_OPENED, NULL);
    tell_of('B', EVENT_OPENED, NULL);
    tell_of('B', EVENT_TYPED, "./server");
    ck_assert_ptr_nonnull(strstr(player_nudge(&player), "runs in terminal B"));
    tell_of('B', EVENT_EXITED, NULL);
    ck_assert_ptr_nonnull(strstr(player_nudge(&player), "Type in terminal A"));
}
END_TEST

/* Something is to be typed to a program that has ended. */
START_TEST(the_nudge_names_the_program_to_start_again)
{
    static const char text[] =
        "# t\n\n```terminal B\n$ ./client 7001\n```\n"
        "```observe\nprints B \"one\"\n```\n"
        "```terminal B\n> hello\n```\n```observe\nprints B \"two\"\n```\n";

    player_fini(&player);
    ck_assert_int_eq(
        player_init(&player,
                    document_parse("L.md", text, sizeof text - 1, &fault),
                    "L.md", "01-x", false, &fault),
        0);
    player_next(&player);
    tell_of('B', EVENT_OPENED, NULL);
    ck_assert_ptr_nonnull(strstr(player_nudge(&player),
                                 "Start it there again: ./client 7001. If the "
                                 "server has ended too, that comes first."));
    tell_of('B', EVENT_TYPED, "./client 7001");
    ck_assert_str_eq(player_nudge(&player), "");
}
END_TEST

/* --- text -------------------------------------------------------------- */

START_TEST(prose_is_broken_at_spaces)
{
    const char *text = "  one two\nthree `fo ur` reallyverylong ", *line;
    static const char *const want[] = {"one two",   "three `fo", "ur`",
                                       "reallyver", "ylong",     NULL};
    size_t length;

    for (int i = 0; want[i]; i++) {
        ck_assert(wrap_line(&text, 9, true, &line, &length));
        ck_assert_msg(strlen(want[i]) == length &&
                          memcmp(want[i], line, length) == 0,
                      "\"%.*s\", not \"%s\"", (int)length, line, want[i]);
    }
    ck_assert(!wrap_line(&text, 9, true, &line, &length));
}
END_TEST

static char *table(int columns)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    table_print(out,
                "| call | waits until |\n|---|---|\n| `accept` | a "
                "client calls |",
                columns);
    fclose(out);
    return text;
}

START_TEST(tables_fit_or_become_lists)
{
    char *wide = table(40), *narrow = table(16);

    ck_assert_str_eq(wide, "call    waits until\n"
                           "------  --------------\n"
                           "accept  a client calls\n");
    ck_assert_str_eq(narrow, "accept\n"
                             "  waits until:\n"
                             "    a client\n"
                             "    calls\n");
    free(wide);
    free(narrow);
}
END_TEST

/* --- recordings -------------------------------------------------------- */

/* The smallest pcap: its header, Ethernet, no packet. */
static const unsigned char empty_pcap[] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0,
                                           0,    0,    0,    0,    0, 0, 0, 0,
                                           0,    2,    0,    0,    1, 0, 0, 0};

static void put(const char *name, const void *bytes, size_t length)
{
    char path[160];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* One of each kind that a recording keeps; the test gives them their times. */
static struct event recorded[] = {
    {.kind = EVENT_OPENED, .terminal = 'A'},
    {.kind = EVENT_TYPED, .terminal = 'A', .text = "./server  7001"},
    {.kind = EVENT_PRINTED, .terminal = 'B', .text = ""},
    {.kind = EVENT_EXITED, .terminal = 'B', .status = 130},
    {.kind = EVENT_SOCKET,
     .socket = {.protocol = PROTO_TCP,
                .state = TCP_LISTEN,
                .local = {.family = 6, .address = {[15] = 1}, .port = 9},
                .remote = {.family = 6},
                .send_queue = 8,
                .cookie = UINT64_MAX}},
    {.kind = EVENT_SOCKET,
     .socket = {.protocol = PROTO_TCP,
                .state = TCP_ESTABLISHED,
                .local = {.family = 4, .address = {127}, .port = 9},
                .remote = {.family = 4, .address = {127}, .port = 10},
                .cookie = 5,
                .tcp = {true, 1, 204000, 40, 20, 10, 7, 3, 32768, 2}}},
    {.kind = EVENT_LOOKED},
    {.kind = EVENT_WAITS,
     .side = FLOW_SERVER,
     .port = 7001,
     .call = WAIT_ACCEPT},
    {.kind = EVENT_CALL,
     .made = {.function = CALLED_CONNECT,
              .protocol = PROTO_TCP,
              .local_port = 0,
              .remote_port = 7001,
              .fd = 3,
              .pid = 5,
              .tid = 6,
              .error = 111,
              .result = -1,
              .began_ns = 1000000000,
              .ended_ns = 1000000008,
              .flow = -1}},
};
enum { RECORDED = sizeof recorded / sizeof *recorded };

START_TEST(what_was_recorded_comes_back)
{
    struct record *record = record_open(folder, 3);
    struct replay_error error;
    struct replay *replay;

    ck_assert_ptr_nonnull(record);
    for (int i = 0; i < RECORDED; i++) {
        recorded[i].time_ns = 1000000000 + i;
        if (i == 2)
            record_step(record, 1, recorded[i].time_ns);
        record_event(record, &recorded[i]);
    }
    record_event(record, &recorded[4]); /* no news: not written again */
    put("replay.pcap.part", empty_pcap, sizeof empty_pcap);
    ck_assert_int_eq(record_close(record, true), 0);
    replay = replay_open(folder, 3, &error);
    ck_assert_msg(replay != NULL, "%s", error.text);
    ck_assert_uint_eq(replay_count(replay), RECORDED);
    for (int i = 0; i < RECORDED; i++) {
        const struct replay_item *item = replay_item(replay, (size_t)i);

        ck_assert_int_eq(item->event.kind, recorded[i].kind);
        ck_assert_int_eq(item->time_ns, recorded[i].time_ns);
        ck_assert_uint_eq(item->step, i < 2 ? 0 : 1);
        if (recorded[i].kind == EVENT_TYPED ||
            recorded[i].kind == EVENT_PRINTED)
            ck_assert_str_eq(item->event.text, recorded[i].text);
    }
    ck_assert_int_eq(replay_item(replay, 3)->event.status, 130);
    ck_assert_mem_eq(&replay_item(replay, 4)->event.socket, &recorded[4].socket,
                     sizeof recorded[4].socket);
    ck_assert_mem_eq(&replay_item(replay, 5)->event.socket, &recorded[5].socket,
                     sizeof recorded[5].socket);
    ck_assert_int_eq(replay_item(replay, 7)->event.call, WAIT_ACCEPT);
    ck_assert_mem_eq(&replay_item(replay, 8)->event.made, &recorded[8].made,
                     sizeof recorded[8].made);
    replay_close(replay);
}
END_TEST

START_TEST(a_failed_run_spoils_no_recording)
{
    char path[160];
    struct record *record = record_open(folder, 3);

    put("replay.pcap.part", empty_pcap, sizeof empty_pcap);
    put("replay.events", "old", 3);
    ck_assert_int_eq(record_close(record, false), 0);
    snprintf(path, sizeof path, "%s/replay.events.part", folder);
    ck_assert_int_eq(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/replay.pcap", folder);
    ck_assert_int_eq(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/replay.events", folder);
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

#define HEAD "# Two Terminals replay 1\nsteps 3\n"
#define CALL(name, fd, result, inside)                         \
    "call 1.000000000 " name " local 7001 remote 40000 fd " fd \
    " result " result " length 9 inside " inside " pid 5 tid 6\n"

/* What is refused, and a word of the sentence. */
static const struct {
    const char *text;
    const char *says;
} broken[] = {
    {"", "no recording"},
    {"hello\n", "no recording"},
    {"# Two Terminals replay 1\n", "no recording"},
    {"# Two Terminals replay 1\nsteps x\n", "steps N"},
    {"# Two Terminals replay 1\nsteps 99999999999\n", "steps N"},
    {"# Two Terminals replay 1\nsteps 4\n", "Record it again"},
    {HEAD "opened 1.5 A\n", "no time"},
    {HEAD "opened -1.000000000 A\n", "no time"},
    {HEAD "step 1.000000000 4\n", "no such step"},
    {HEAD "step 1.000000000 0\n", "no such step"},
    {HEAD "typed 1.000000000 D x\n", "cannot be read"},
    {HEAD "printed 1.000000000 A \x1b[2J\n", "cannot be read"},
    {HEAD "exited 1.000000000 A -1\n", "cannot be read"},
    {HEAD "socket 1.000000000 tcp LISTEN 1.2.3.4:1\n", "cannot be read"},
    {HEAD "socket 1.000000000 tcp LISTEN [::1]:x [::]:0\n", "cannot be read"},
    {HEAD "waits 1.000000000 nobody 1 recv\n", "cannot be read"},
    {HEAD "socket 1.000000004 tcp LISTEN 127.0.0.1:7001 0.0.0.0:0 receive 0 "
          "send 8 timer 0 retransmits 0 ms 0 inode 7 cookie 1 drops 0 rto 1\n",
     "cannot be read"},
    {HEAD "call 1.000000000 tcp recv local 1\n", "cannot be read"},
    {HEAD CALL("sctp recv", "4", "6 errno 0", "9"), "cannot be read"},
    {HEAD CALL("tcp dance", "4", "6 errno 0", "9"), "cannot be read"},
    {HEAD CALL("tcp recv", "-2", "6 errno 0", "9"), "cannot be read"},
    {HEAD CALL("tcp recv", "4", "-1 errno 0", "9"), "cannot be read"},
    {HEAD CALL("tcp recv", "4", "6 errno 5", "9"), "cannot be read"},
    {HEAD CALL("tcp recv", "4", "6 errno 0", "1000000001"), "cannot be read"},
    {HEAD "dance 1.000000000\n", "no word"},
};

START_TEST(a_broken_recording_is_refused_with_its_line)
{
    struct replay_error error;

    put("replay.pcap", empty_pcap, sizeof empty_pcap);
    put("replay.events", broken[_i].text, strlen(broken[_i].text));
    ck_assert_ptr_null(replay_open(folder, 3, &error));
    ck_assert_msg(strstr(error.text, broken[_i].says) != NULL, "%s",
                  error.text);
    ck_assert_ptr_nonnull(strstr(error.text, "replay.events:"));
}
END_TEST

START_TEST(random_recordings_never_break_it)
{
    static const char good[] = HEAD
        "opened 1.000000001 A\ntyped 1.000000002 A ./server\nstep "
        "1.000000003 2\nsocket 1.000000004 tcp LISTEN 127.0.0.1:7001 "
        "0.0.0.0:0 receive 0 send 8 timer 0 retransmits 0 ms 0 inode 7 cookie "
        "1\nlooked 1.000000005\nwaits 1.000000006 server 7001 accept\n" CALL(
            "tcp recv", "4", "6 errno 0", "9");
    char text[sizeof good];
    struct replay_error error;

    srand((unsigned)_i + 1);
    put("replay.pcap", empty_pcap, sizeof empty_pcap);
    for (int round = 0; round < 40; round++) {
        memcpy(text, good, sizeof good);
        for (int n = rand() % 6; n >= 0; n--)
            text[(size_t)rand() % (sizeof good - 1)] =
                (char)(rand() % 2 ? rand() : " \n.0A[:"[rand() % 7]);
        put("replay.events", text, (size_t)rand() % sizeof good);
        replay_close(replay_open(folder, 3, &error));
    }
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
    Suite *suite = suite_create("player");
    TCase *steps = tcase_create("steps");
    TCase *text = tcase_create("text");
    TCase *recordings = tcase_create("recordings");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(steps, set_up, tear_down);
    tcase_add_test(steps, steps_end_at_predict_observe_and_headings);
    tcase_add_test(steps, lines_come_true_in_order_and_stay);
    tcase_add_test(steps, what_happened_before_the_step_opened_does_not_count);
    tcase_add_test(steps, what_a_quick_student_does_early_counts);
    tcase_add_test(steps, a_not_line_that_happens_is_broken_until_done_again);
    tcase_add_test(steps, answers_can_be_changed_and_are_kept_not_graded);
    tcase_add_test(steps, the_next_run_opens_where_this_one_left);
    tcase_add_test(steps, a_changed_lesson_opens_at_its_first_step);
    tcase_add_test(steps, a_bad_observe_line_is_named);
    tcase_add_test(steps, the_nudge_tells_what_to_type_next);
    tcase_add_test(steps, the_nudge_knows_what_runs_in_another_terminal);
    tcase_add_test(steps, the_nudge_names_the_program_to_start_again);
    suite_add_tcase(suite, steps);
    tcase_add_test(text, prose_is_broken_at_spaces);
    tcase_add_test(text, tables_fit_or_become_lists);
    suite_add_tcase(suite, text);
    tcase_add_checked_fixture(recordings, set_up, tear_down);
    tcase_add_test(recordings, what_was_recorded_comes_back);
    tcase_add_test(recordings, a_failed_run_spoils_no_recording);
    tcase_add_loop_test(recordings, a_broken_recording_is_refused_with_its_line,
                        0, COUNT(broken));
    tcase_add_loop_test(recordings, random_recordings_never_break_it, 0, 50);
    suite_add_tcase(suite, recordings);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
