/*
 * What a headless run writes: a const table of functions a mode. An output
 * gets the event stream and writes to standard output; headless.c does the
 * rest (opening, waiting, ending, flushing).
 */
#ifndef VIZ_OUTPUT_H
#define VIZ_OUTPUT_H

#include "viz/options.h"
#include "viz/session.h"

struct output {
    /* NULL after a message on stderr. */
    void *(*open)(const struct options *options, const struct session *session);
    event_sink_fn *event;
    /* Whether there is nothing more to wait for; NULL: never. Asked after each
     * round of packets. */
    bool (*settled)(void *self);
    /* The capture has ended: what comes last. Status 0 or 1. */
    int (*end)(void *self, struct session *session);
    void (*close)(void *self);
};

extern const struct output output_text, output_json, output_summary,
    output_expect, output_export, output_predict, output_stream;

/* How wide a line may be: of the terminal, or 80. Whether it must be ASCII, as
 * asked for or by the locale. */
int output_columns(void);
bool output_ascii(const struct options *options);

#endif
