/* See lesson_foot.h. */
#include "viz/views/lesson_foot.h"

#include <string.h>

#include "viz/views/lesson_text.h"

#define OUTSIDE_NS INT64_C(3000000000) /* a warning is as old as this */

static void put_tick(struct strip *strip, const char *line,
                     const struct tick *tick, bool awaited)
{
    int row = strip->row - strip->from;
    const char *mark = tick->status == EXPECT_TRUE     ? "\u2713"
                       : tick->status == EXPECT_BROKEN ? "\u2717"
                       : awaited                       ? "\u25BA"
                                                       : "\u00B7";
    enum style style = tick->status == EXPECT_TRUE     ? STYLE_GOOD
                       : tick->status == EXPECT_BROKEN ? STYLE_BAD
                       : awaited                       ? STYLE_PLAIN
                                                       : STYLE_DIM;

    if (row >= 0 && row < strip->area.rows)
        area_text(strip->area, row, 0, style, mark);
    strip_prose(strip, 2, style, line);
}

/* The ticks; returns the row of the one that is awaited, so that it can be
 * kept in sight. */
static int put_ticks(struct strip *strip, const struct lesson_view *view)
{
    const struct step *step = player_step(view->player);
    long awaited = player_awaited(view->player);
    int row = strip->row;

    for (size_t i = 0; i < step->observe->line_count; i++) {
        if ((long)i == awaited)
            row = strip->row;
        put_tick(strip, step->observe->lines[i], &step->ticks[i],
                 (long)i == awaited);
    }
    return awaited < 0 ? strip->row - 1 : row;
}

static void put_hint(struct strip *strip, const struct lesson_view *view)
{
    struct step *step = player_step(view->player);
    long awaited = player_awaited(view->player);
    const char *reason, *nudge;

    if (awaited < 0)
        return;
    reason = expect_reason(step->expect, (size_t)awaited);
    if (*reason)
        strip_prose(strip, 2, STYLE_WARN, reason);
    nudge = player_nudge(view->player);
    if (*nudge)
        strip_prose(strip, 2, STYLE_WARN, nudge);
}

static bool is_outside(const struct lesson_view *view)
{
    const struct player *player = view->player;

    return player->outside_ns != 0 &&
           store_now(view->store) - player->outside_ns < OUTSIDE_NS;
}

/* What stands last: what to do now. */
static void put_prompt(struct strip *strip, const struct lesson_view *view)
{
    const struct player *player = view->player;
    const struct step *step = player_step(player);
    bool last = player->at + 1 == player->step_count;

    if (is_outside(view)) {
        strip_prose(strip, 0, STYLE_BAD,
                    "Your server is running, but outside the lab network: "
                    "stop it, type make shell, start it there.");
        return;
    }
    if (view->message[0]) {
        strip_prose(strip, 0, STYLE_WARN, view->message);
        return;
    }
    if (view->sure && step->observe && !step->done) {
        strip_prose(strip, 0, STYLE_WARN,
                    "Not all of it came true yet. h says what is missing; "
                    "Enter again skips this step.");
        return;
    }
    if (step->predict && step->answer < 0)
        strip_prose(strip, 0, STYLE_DIM,
                    step->before == BEFORE_RIGHT
                        ? "What do you say? (Last time you were right.)"
                    : step->before == BEFORE_WRONG
                        ? "What do you say this time?"
                        : "What do you say? Press its letter.");
    else if (last && player_finished(player))
        strip_prose(strip, 0, STYLE_GOOD,
                    "The lesson is done: everything came true. q leaves.");
    else if (last && !step->observe)
        strip_prose(strip, 0, STYLE_DIM, "This is the end. q leaves.");
    else if (step->observe && step->done)
        strip_prose(strip, 0, STYLE_GOOD, "All true. Enter goes on.");
    else if (!step->observe)
        strip_prose(strip, 0, STYLE_DIM,
                    view->scroll < view->scroll_most ? "Enter reads on."
                                                     : "Enter goes on.");
}

/* All of the foot, from the strip's row on. Returns the row to keep in sight. */
static int put_foot(struct strip *strip, const struct lesson_view *view)
{
    const struct block *typed = player_typed(view->player);
    int row = 0;

    if (typed)
        strip_typed(strip, typed, view->compact);
    if (player_step(view->player)->observe)
        row = put_ticks(strip, view);
    if (view->hint)
        put_hint(strip, view);
    put_prompt(strip, view);
    return row;
}

/* --- drawing ------------------------------------------------------------ */

void lesson_foot_draw(const struct lesson_view *view, struct area area)
{
    struct strip foot = {.area = area};
    int keep = put_foot(&foot, view);

    if (foot.row <= area.rows)
        return;
    /* Too long to show whole: the awaited line, and what stands near it. */
    for (int row = 0; row < area.rows; row++)
        area_fill(area, row, 0, area.columns, STYLE_PLAIN, ' ');
    foot.from = keep - area.rows / 2;
    if (foot.from > foot.row - area.rows)
        foot.from = foot.row - area.rows;
    if (foot.from < 0)
        foot.from = 0;
    foot.row = 0;
    put_foot(&foot, view);
}

int lesson_foot_rows(struct lesson_view *view, struct area area, int most)
{
    struct strip foot;

    for (int i = 0; i < 2; i++) {
        foot = (struct strip){.area = area_part(area, 0, 0, 0, area.columns)};
        view->compact = i > 0;
        put_foot(&foot, view);
        if (foot.row <= most)
            return foot.row;
    }
    return most;
}
