/*
 * A reader before the views: traffic made by hand in, keys in, the screen as
 * text out.
 */
#ifndef TESTS_UNIT_VIEWING_H
#define TESTS_UNIT_VIEWING_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/traffic.h"
#include "viz/views/view.h"

static struct traffic traffic;
static struct viewer viewer;
static struct canvas canvas;
static char *screen; /* the canvas as text, since the last press() */

static inline void draw(void)
{
    size_t size;
    FILE *out;

    viewer_draw(&viewer, &canvas);
    free(screen);
    out = open_memstream(&screen, &size);
    canvas_print(&canvas, out);
    fclose(out);
}

/* Keys as --keys takes them, a picture after each. */
static inline void press(const char *keys)
{
    draw();
    while (*keys) {
        int key = viewer_key_from_text(&keys);

        ck_assert_int_ne(key, INPUT_NONE);
        viewer_key(&viewer, key);
        draw();
    }
}

#define ck_shows(text) \
    ck_assert_msg(strstr(screen, text), "no %s in\n%s", text, screen)
#define ck_hides(text) \
    ck_assert_msg(!strstr(screen, text), "%s in\n%s", text, screen)

/* A whole connection of 11 packets: "ping" there and "pong" back. */
static inline void whole_connection(uint16_t port)
{
    enum { DATA = TCP_PSH | TCP_ACK, END = TCP_FIN | TCP_ACK };

    traffic_connect(&traffic, port, 7001);
    traffic_tcp(&traffic, port, 7001, DATA, 1001, 5001, "ping", 4);
    traffic_tcp(&traffic, 7001, port, TCP_ACK, 5001, 1005, NULL, 0);
    traffic_tcp(&traffic, 7001, port, DATA, 5001, 1005, "pong", 4);
    traffic_tcp(&traffic, port, 7001, TCP_ACK, 1005, 5005, NULL, 0);
    traffic_tcp(&traffic, port, 7001, END, 1005, 5005, NULL, 0);
    traffic_tcp(&traffic, 7001, port, TCP_ACK, 5005, 1006, NULL, 0);
    traffic_tcp(&traffic, 7001, port, END, 5005, 1006, NULL, 0);
    traffic_tcp(&traffic, port, 7001, TCP_ACK, 1006, 5006, NULL, 0);
}

static inline void setup(void)
{
    traffic_init(&traffic);
    viewer_init(&viewer, traffic.store);
    viewer.source = "lo";
    viewer.live = true;
    ck_assert_int_eq(canvas_init(&canvas, 24, 80), 0);
}

static inline void teardown(void)
{
    viewer_fini(&viewer);
    traffic_fini(&traffic);
    canvas_fini(&canvas);
    free(screen);
    screen = NULL;
}

/* A second later: long enough for the kernel's word to count. */
static inline void a_second_passes(void)
{
    traffic.now_ns += INT64_C(1000000000);
}

#endif
