/* See marks.h. */
#include "viz/views/marks.h"

#include <stdio.h>
#include <string.h>

#include "viz/views/place.h"

/* The place of the first mark that is not below `number`. */
static int place(const struct viewer *viewer, uint64_t number)
{
    int at = 0;

    while (at < viewer->mark_count && viewer->marks[at] < number)
        at++;
    return at;
}

bool marks_has(const struct viewer *viewer, uint64_t number)
{
    int at = place(viewer, number);

    return at < viewer->mark_count && viewer->marks[at] == number;
}

void marks_toggle(struct viewer *viewer, uint64_t number)
{
    int at = place(viewer, number);
    size_t behind = (size_t)(viewer->mark_count - at);

    if (marks_has(viewer, number)) {
        memmove(&viewer->marks[at], &viewer->marks[at + 1],
                (behind - 1) * sizeof viewer->marks[0]);
        viewer->mark_count--;
    } else if (viewer->mark_count == MARKS) {
        snprintf(viewer->message, sizeof viewer->message,
                 "%d packets are marked; m on one of them takes it away.",
                 MARKS);
    } else {
        memmove(&viewer->marks[at + 1], &viewer->marks[at],
                behind * sizeof viewer->marks[0]);
        viewer->marks[at] = number;
        viewer->mark_count++;
    }
}

uint64_t marks_next(const struct viewer *viewer, uint64_t number)
{
    int at = place(viewer, number + 1);

    if (viewer->mark_count == 0)
        return 0;
    return viewer->marks[at < viewer->mark_count ? at : 0];
}

/* Select it, also when only another connection or a filter hides it. */
static void jump(struct viewer *viewer, uint64_t number)
{
    if (place_of(viewer, number) == SIZE_MAX) {
        int64_t only = viewer->only_flow;

        viewer->only_flow = -1;
        if (place_of(viewer, number) == SIZE_MAX) {
            viewer->only_flow = only;
            snprintf(viewer->message, sizeof viewer->message,
                     "Packet %llu is not shown: the filter hides it, or it is "
                     "forgotten.",
                     (unsigned long long)number);
            return;
        }
    }
    viewer->selected = number;
    viewer->follow = false;
}

static void jump_to_original(struct viewer *viewer, uint64_t number)
{
    const struct link *link;
    uint64_t other;

    links_update(&viewer->links, viewer->store);
    link = links_of(&viewer->links, number);
    other = link ? link->original : links_again(&viewer->links, number);
    if (other != 0)
        jump(viewer, other);
    else
        snprintf(viewer->message, sizeof viewer->message,
                 "This packet repeats none, and was not sent again.");
}

bool marks_key(struct viewer *viewer, int key, uint64_t number)
{
    switch (key) {
    case 'm':
        marks_toggle(viewer, number);
        return true;
    case '\'':
        if (viewer->mark_count > 0)
            jump(viewer, marks_next(viewer, number));
        else
            snprintf(viewer->message, sizeof viewer->message,
                     "No packet is marked: m marks the selected one.");
        return true;
    case 'o':
        jump_to_original(viewer, number);
        return true;
    default:
        return false;
    }
}
