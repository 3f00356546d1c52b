/* See tape.h. */
#include "viz/views/tape.h"

#include <stdio.h>
#include <stdlib.h>

enum { NORMAL = 3, MOST_AT_ONCE = 20000 };

static const int64_t LONGEST_NS = 1000 * 1000 * 1000;

/* Speeds in tenths. */
static const int speeds[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

enum { SPEEDS = sizeof speeds / sizeof speeds[0] };

static uint64_t newest(const struct viewer *viewer)
{
    return store_forgotten(viewer->all) + store_rows(viewer->all);
}

void tape_seek(struct viewer *viewer, uint64_t number)
{
    struct tape *tape = &viewer->tape;

    if (moment_seek(&tape->moment, viewer->all, number) < 0) {
        viewer->store = viewer->all;
        *tape = (struct tape){.speed = tape->speed};
        snprintf(viewer->message, sizeof viewer->message,
                 "There is no memory left for a replay.");
        return;
    }
    tape->on = true;
    viewer->store = tape->moment.store;
    viewer->paused = false;
    viewer->follow = true;
    viewer->selected = tape->moment.at;
}

void tape_stop(struct viewer *viewer)
{
    moment_fini(&viewer->tape.moment);
    viewer->tape = (struct tape){.speed = viewer->tape.speed};
    viewer->store = viewer->all;
    viewer->follow = viewer->live;
    viewer->predict.on = false;
}

/* Where the reader is when replay begins with a step: at the selected packet,
 * or at the newest. */
static uint64_t here(const struct viewer *viewer)
{
    if (viewer->tape.on)
        return viewer->tape.moment.at;
    return viewer->selected && !viewer->follow ? viewer->selected
                                               : newest(viewer);
}

static void play(struct viewer *viewer)
{
    if (viewer->tape.moment.at >= newest(viewer))
        tape_seek(viewer, store_forgotten(viewer->all));
    viewer->tape.playing = viewer->tape.on;
    viewer->tape.due_ns = 0;
}

static void faster(struct viewer *viewer, int by)
{
    int speed = viewer->tape.speed + NORMAL + by;

    if (speed >= 0 && speed < SPEEDS)
        viewer->tape.speed += by;
    viewer->tape.due_ns = 0;
}

static void step(struct viewer *viewer, int by)
{
    uint64_t at = here(viewer), least = store_forgotten(viewer->all);

    viewer->tape.playing = false;
    if (by > 0)
        at++;
    else if (at > least)
        at--;
    tape_seek(viewer, at);
}

bool tape_key(struct viewer *viewer, int key)
{
    switch (key) {
    case 'p':
        if (viewer->tape.on) {
            tape_stop(viewer);
        } else {
            tape_seek(viewer, store_forgotten(viewer->all));
            play(viewer);
        }
        return true;
    case ' ':
        if (!viewer->tape.on && viewer->live)
            return false;
        if (!viewer->tape.on)
            tape_seek(viewer, here(viewer));
        if (viewer->tape.playing)
            viewer->tape.playing = false;
        else
            play(viewer);
        return true;
    case '.':
        step(viewer, 1);
        return true;
    case ',':
        step(viewer, -1);
        return true;
    case '<':
        faster(viewer, -1);
        return true;
    case '>':
        faster(viewer, 1);
        return true;
    default:
        return false;
    }
}

/* The last packet that came by then. */
static uint64_t number_at(const struct viewer *viewer, int64_t time_ns)
{
    size_t low = 0, high = store_rows(viewer->all);

    while (low < high) { /* clocks go back seldom; then it is near enough */
        size_t middle = low + (high - low) / 2;

        if (store_row(viewer->all, middle)->packet.time_ns <= time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return store_forgotten(viewer->all) + low;
}

void tape_go(struct viewer *viewer, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    bool time = *end == 's' && end[1] == '\0';

    if (end == text || (*end && !time) || !(value >= 0) || value > 1e12) {
        snprintf(viewer->message, sizeof viewer->message,
                 "Go where? A packet's number, or a time such as 3.5s.");
        return;
    }
    viewer->tape.playing = false;
    tape_seek(viewer, time ? number_at(viewer, store_start(viewer->all) +
                                                   (int64_t)(value * 1e9))
                           : (uint64_t)value);
}

/* --- time ------------------------------------------------------------------ */

/* Until packet at + 1, at this speed. */
static int64_t wait_ns(const struct viewer *viewer)
{
    uint64_t forgotten = store_forgotten(viewer->all);
    size_t n = (size_t)(viewer->tape.moment.at - forgotten);
    const struct store_row *next = store_row(viewer->all, n);
    int64_t gap = 0;

    if (n > 0 && next)
        gap = next->packet.time_ns -
              store_row(viewer->all, n - 1)->packet.time_ns;
    if (gap < 0)
        gap = 0;
    gap = (int64_t)((double)gap * 10 / speeds[viewer->tape.speed + NORMAL]);
    return gap < LONGEST_NS ? gap : LONGEST_NS;
}

bool tape_tick(struct viewer *viewer, int64_t now_ns)
{
    struct tape *tape = &viewer->tape;
    uint64_t to = tape->moment.at;
    bool playing = tape->playing;

    if (!playing)
        return false;
    if (tape->due_ns == 0)
        tape->due_ns = now_ns + wait_ns(viewer);
    for (int i = 0; i < MOST_AT_ONCE && tape->due_ns <= now_ns &&
                    to < newest(viewer) && tape->on;
         i++) {
        tape_seek(viewer, ++to);
        tape->due_ns += wait_ns(viewer);
    }
    tape->playing = tape->on && to < newest(viewer);
    return true;
}

int64_t tape_wake(const struct viewer *viewer)
{
    return viewer->tape.playing ? viewer->tape.due_ns : INT64_MAX;
}

char *tape_text(const struct viewer *viewer, char *text, size_t size)
{
    int tenths = speeds[viewer->tape.speed + NORMAL];

    text[0] = '\0';
    if (viewer->tape.on)
        snprintf(text, size, " %s %llu of %llu x%g ",
                 viewer->tape.playing ? "PLAY" : "STILL",
                 (unsigned long long)viewer->tape.moment.at,
                 (unsigned long long)newest(viewer), tenths / 10.0);
    return text;
}
