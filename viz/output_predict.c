/*
 * viz --predict ANSWERS: the questions of predict mode, one JSON object a line,
 * with the letters of ANSWERS as they are used up, and the score at the end.
 * Without an answer left a question is only asked, and nothing is given away:
 * so a teacher hands out the questions and grades the letters.
 */
#include "viz/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/views/question.h"

struct predicted {
    const char *answers; /* those that are left */
    unsigned asked, given, right;
    FILE *out;
};

static void *predict_open(const struct options *options,
                          const struct session *session)
{
    struct predicted *predicted = calloc(1, sizeof *predicted);

    (void)session;
    if (!predicted) {
        fputs("viz: there is no memory left\n", stderr);
        return NULL;
    }
    predicted->answers = options->predict;
    predicted->out = stdout;
    fputs("{\"type\":\"viz\",\"version\":1,\"schema\":\"docs/viz-json.md\"}\n",
          predicted->out);
    return predicted;
}

/* All words are our own: none needs to be escaped. */
static void put(struct predicted *predicted, const struct store_row *row,
                const struct question *question, const char *about)
{
    char given = *predicted->answers;

    fprintf(predicted->out,
            "{\"type\":\"question\",\"n\":%u,\"packet\":%" PRIu64
            ",\"conn\":%" PRIu32 ",\"about\":\"%s\",\"ask\":\"%s\"",
            ++predicted->asked, row->packet.number, row->note.flow->id, about,
            question->ask);
    for (int i = 0; i < question->count; i++)
        fprintf(predicted->out, ",\"%c\":\"%s\"", 'a' + i,
                question->answers[i]);
    if (given) {
        bool right = given == 'a' + question->right;

        predicted->answers++;
        predicted->given++;
        predicted->right += right;
        fprintf(predicted->out,
                ",\"given\":\"%c\",\"right\":\"%c\",\"true\":%s", given,
                'a' + question->right, right ? "true" : "false");
    }
    fputs("}\n", predicted->out);
}

static void predict_event(void *self, const struct event *event)
{
    struct predicted *predicted = self;
    struct store_row row;
    struct question question;

    if (event->kind != EVENT_PACKET || !event->note->flow)
        return;
    memset(&row, 0, sizeof row);
    row.packet = *event->packet;
    row.note = *event->note;
    question_packet(&question, &row);
    put(predicted, &row, &question, "packet");
    if (!question_has_state(&row))
        return;
    question_state(&question, &row, *predicted->answers != '\0');
    put(predicted, &row, &question, "state");
}

/* Status 1 when an answer was wrong, or there were more than questions. */
static int predict_end(void *self, struct session *session)
{
    const struct predicted *predicted = self;

    (void)session;
    fprintf(predicted->out,
            "{\"type\":\"score\",\"right\":%u,\"given\":%u,\"asked\":%u}\n",
            predicted->right, predicted->given, predicted->asked);
    return predicted->right == predicted->given && !*predicted->answers ? 0 : 1;
}

static void predict_close(void *self)
{
    free(self);
}

const struct output output_predict = {.open = predict_open,
                                      .event = predict_event,
                                      .end = predict_end,
                                      .close = predict_close};
