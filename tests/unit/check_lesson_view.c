/* The lesson's screen: where the programs' calls are shown, and what its bars
 * say. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/frames.h"
#include "tests/unit/traffic.h"
#include "viz/screen/screen.h"
#include "viz/views/lesson.h"

static const char lesson[] = "# Lesson\n\n```terminal A\n$ ./server\n```\n"
                             "```observe\nlisten tcp 7001\n```\n";
static struct player player;
static struct traffic traffic;
static struct lesson_view view;
static char *screen;

static void begin(void)
{
    struct document_error fault;
    struct event event = {.kind = EVENT_CALL};

    ck_assert_int_eq(
        player_init(&player,
                    document_parse("L.md", lesson, sizeof lesson - 1, &fault),
                    "L.md", "01-x", true, &fault),
        0);
    traffic_init(&traffic);
    traffic_connect(&traffic, 40000, 7001);
    event.made = (struct program_call){.function = CALLED_ACCEPT,
                                       .protocol = PROTO_TCP,
                                       .local_port = 7001,
                                       .remote_port = 40000,
                                       .fd = 3,
                                       .result = 4,
                                       .pid = 5,
                                       .tid = 5,
                                       .began_ns = traffic.now_ns,
                                       .ended_ns = traffic.now_ns + 10,
                                       .has_side = true,
                                       .side = FLOW_SERVER};
    event.time_ns = event.made.ended_ns;
    store_event(traffic.store, &event);
    lesson_view_init(&view, &player, traffic.store);
    view.network = "private network";
}

static void end(void)
{
    free(screen);
    screen = NULL;
    traffic_fini(&traffic);
    player_fini(&player);
}

static void draw(int rows, int columns)
{
    struct canvas canvas;
    size_t size;
    FILE *out;

    ck_assert_int_eq(canvas_init(&canvas, rows, columns), 0);
    lesson_view_draw(&view, &canvas);
    free(screen);
    out = open_memstream(&screen, &size);
    canvas_print(&canvas, out);
    fclose(out);
    canvas_fini(&canvas);
}

#define ck_shows(text) \
    ck_assert_msg(strstr(screen, text), "no %s in\n%s", text, screen)
#define ck_hides(text) \
    ck_assert_msg(!strstr(screen, text), "%s in\n%s", text, screen)

START_TEST(calls_are_shown_where_there_is_room_and_by_the_key)
{
    draw(30, 100);
    ck_shows("accept(3) = 4");
    ck_shows("s calls");
    draw(24, 80);
    ck_hides("accept");
    lesson_view_key(&view, 's');
    draw(24, 80);
    ck_shows("accept(3) = 4");
    draw(30, 100); /* what was chosen holds in every width */
    ck_shows("accept(3) = 4");
    lesson_view_key(&view, 's');
    draw(30, 100);
    ck_hides("accept");
    view.ladder_up = 1; /* scrolled back, too */
    draw(30, 100);
    ck_hides("accept");
    lesson_view_key(&view, 's');
    view.ladder_up = 0;
    for (int columns = 60; columns < 160; columns += 7)
        draw(24, columns);
}
END_TEST

START_TEST(calls_that_are_missing_are_told_in_the_title)
{
    draw(24, 80);
    ck_hides("NOT ALL CALLS");
    view.calls_lost = "12 calls came faster than they could be taken";
    draw(24, 80);
    ck_shows("NOT ALL CALLS");
}
END_TEST

static char written[100];

static void propose(uint32_t connection, char *path, size_t size)
{
    snprintf(path, size, "c%u.txt", (unsigned)connection);
}

static bool write_it(void *self, uint32_t connection, const char *path,
                     char *said, size_t size)
{
    (void)self;
    snprintf(written, sizeof written, "%u %s", (unsigned)connection, path);
    snprintf(said, size, strstr(path, "bad") ? "another name?" : "written");
    return !strstr(path, "bad");
}

/* Keys are the name's while it is asked for, and the step stays open. */
START_TEST(x_exports_the_connection_of_the_newest_packet_in_sight)
{
    lesson_view_key(&view, 'x');
    draw(24, 80);
    ck_shows("There is no connection here to export.");
    ck_hides("x export");
    view.saving = (struct saving){.name = propose, .write = write_it};
    draw(24, 140);
    ck_shows("x export");
    traffic_connect(&traffic, 40001, 7001);
    lesson_view_key(&view, 'x');
    draw(24, 80);
    ck_shows("connection 1 into c1.txt");
    for (const char *key = "bad"; *key; key++)
        ck_assert_int_eq(lesson_view_key(&view, *key), LESSON_NOTHING);
    lesson_view_key(&view, INPUT_ENTER);
    draw(24, 80);
    ck_shows("c1.txtbad");
    ck_shows("another name?");
    lesson_view_key(&view, INPUT_ESCAPE);
    view.ladder_up = 3; /* the other one stands last now */
    lesson_view_key(&view, 'x');
    lesson_view_key(&view, INPUT_ENTER);
    ck_assert_str_eq(written, "0 c0.txt");
    draw(24, 80);
    ck_shows("written");
    ck_hides("into");
    ck_assert_int_eq(lesson_view_key(&view, 'q'), LESSON_QUIT);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("lesson view");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests,
                   x_exports_the_connection_of_the_newest_packet_in_sight);
    tcase_add_test(tests, calls_are_shown_where_there_is_room_and_by_the_key);
    tcase_add_test(tests, calls_that_are_missing_are_told_in_the_title);
    return run_suite("lesson view", tests);
}
