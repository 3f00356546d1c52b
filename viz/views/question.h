/*
 * What predict asks of a packet before it is shown: what it will be, and the
 * state it leads to. A question depends on its packet alone, so that the same
 * capture asks the same questions, and the same answers score the same.
 */
#ifndef VIZ_VIEWS_QUESTION_H
#define VIZ_VIEWS_QUESTION_H

#include "viz/events/store.h"

enum { QUESTION_CHOICES = 4, QUESTION_TEXT = 64 };

struct question {
    char ask[QUESTION_TEXT * 2];
    char answers[QUESTION_CHOICES][QUESTION_TEXT];
    int count, right;
};

/* Both want a packet of a flow. */
void question_packet(struct question *question, const struct store_row *row);
/* After that one, where the packet moves an end. */
bool question_has_state(const struct store_row *row);
/* `told`: the question may say what the packet was. */
void question_state(struct question *question, const struct store_row *row,
                    bool told);

#endif
