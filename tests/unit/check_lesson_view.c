/* The lesson's screen: where the programs' calls are shown, and what its bars
 * say. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/frames.h"
#include "tests/unit/traffic.h"
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

int main(void)
{
    TCase *tests = tcase_create("lesson view");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, calls_are_shown_where_there_is_room_and_by_the_key);
    tcase_add_test(tests, calls_that_are_missing_are_told_in_the_title);
    return run_suite("lesson view", tests);
}
