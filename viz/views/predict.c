/* See predict.h. */
#include "viz/views/predict.h"

#include <stdio.h>
#include <string.h>

#include "viz/views/question.h"
#include "viz/views/tape.h"

enum { LINE = 0x2500 };

/* The packet that is hidden: the next one of a connection. NULL: none yet. */
static const struct store_row *hidden(const struct viewer *viewer)
{
    uint64_t forgotten = store_forgotten(viewer->all);
    size_t n = viewer->tape.moment.at < forgotten
                   ? 0
                   : (size_t)(viewer->tape.moment.at - forgotten);
    const struct store_row *row;

    while ((row = store_row(viewer->all, n)) && !row->note.flow)
        n++;
    return row;
}

static void ask(struct question *question, const struct viewer *viewer,
                const struct store_row *row)
{
    if (viewer->predict.asks_state)
        question_state(question, row, true);
    else
        question_packet(question, row);
}

/* --- answering ------------------------------------------------------------- */

void predict_toggle(struct viewer *viewer)
{
    uint64_t at = store_forgotten(viewer->all);

    if (viewer->predict.on) {
        tape_stop(viewer);
        return;
    }
    if (viewer->tape.on)
        at = viewer->tape.moment.at;
    else if (viewer->selected > at && !viewer->follow)
        at = viewer->selected - 1;
    viewer->tape.playing = false;
    tape_seek(viewer, at);
    if (viewer->view == &view_connections)
        viewer->view = &view_ladder;
    viewer->only_flow = -1; /* the next packet may be anybody's */
    viewer->predict = (struct predict){.on = viewer->tape.on};
}

bool predict_key(struct viewer *viewer, int key)
{
    struct predict *predict = &viewer->predict;
    const struct store_row *row = hidden(viewer);
    struct question question;
    int answer = key - 'a';
    bool right;

    if (!predict->on || answer < 0 || answer >= QUESTION_CHOICES)
        return false;
    if (!row)
        return true;
    ask(&question, viewer, row);
    if (answer >= question.count)
        return true;
    right = answer == question.right;
    predict->asked++;
    predict->right += right;
    snprintf(predict->reply, sizeof predict->reply, "%s: %s.",
             right ? "Yes" : "No", question.answers[question.right]);
    if (!predict->asks_state && question_has_state(row)) {
        predict->asks_state = true;
        return true;
    }
    predict->asks_state = false;
    tape_seek(viewer, row->packet.number);
    return true;
}

void predict_draw(const struct viewer *viewer, struct area area)
{
    const struct predict *predict = &viewer->predict;
    const struct store_row *row = hidden(viewer);
    struct question question;

    area_fill(area, 0, 0, area.columns, STYLE_DIM, LINE);
    area_printf(area, 0, 2, STYLE_STRONG, " predict: %u of %u right ",
                predict->right, predict->asked);
    area_text(area, 1, 1,
              strncmp(predict->reply, "Yes", 3) == 0 ? STYLE_GOOD : STYLE_WARN,
              predict->reply);
    if (!row) {
        area_text(area, 2, 1, STYLE_PLAIN,
                  viewer->live ? "The next packet has not come yet."
                               : "That was the last packet. P ends this.");
        return;
    }
    ask(&question, viewer, row);
    area_text(area, 2, 1, STYLE_STRONG, question.ask);
    for (int i = 0; i < question.count; i++) {
        area_printf(area, 3 + i, 3, STYLE_KEY, "%c", 'a' + i);
        area_text(area, 3 + i, 6, STYLE_PLAIN, question.answers[i]);
    }
    area_text(area, 7, 1, STYLE_DIM, "a b c d: your answer   P: end");
}
