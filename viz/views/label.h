/*
 * What a packet is called on its arrow, as fully as there is room for, and its
 * payload made safe to read.
 */
#ifndef VIZ_VIEWS_LABEL_H
#define VIZ_VIEWS_LABEL_H

#include "viz/views/words.h"

/* The payload between quotes in at most `columns`, newline as \n and what is
 * not printable as '.'; an ellipsis where more was sent. "" without payload. */
char *payload_text(const struct store_row *row, int columns, char text[WORDS]);

/* What the packet is, as fully as `columns` allow: `SYN seq=0`,
 * `PSH,ACK seq=1 ack=1 len=6 "hello\n"`, `6 B "hel~`. "" when not even its
 * kind fits. */
char *packet_text(const struct store_row *row, int columns, char text[WORDS]);

#endif
