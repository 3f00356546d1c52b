/* See fact_log.h. */
#include "viz/events/fact_log.h"

#include <stdlib.h>
#include <string.h>

void fact_log_drop(struct fact_log *log)
{
    struct fact *fact = &log->facts[log->first];

    log->bytes -= fact->length_held;
    free((void *)fact->bytes);
    log->first = (log->first + 1) % log->room;
    log->count--;
}

void fact_log_clear(struct fact_log *log)
{
    while (log->count > 0)
        fact_log_drop(log);
}

void fact_log_fini(struct fact_log *log)
{
    fact_log_clear(log);
    free(log->facts);
    memset(log, 0, sizeof *log);
}

static int grow(struct fact_log *log)
{
    size_t room = log->room ? log->room * 2 : 32;
    struct fact *facts = malloc(room * sizeof *facts);

    if (!facts)
        return -1;
    for (size_t i = 0; i < log->count; i++)
        facts[i] = *fact_log_at(log, i);
    free(log->facts);
    log->facts = facts;
    log->room = room;
    log->first = 0;
    return 0;
}

void fact_log_add(struct fact_log *log, const struct fact *fact)
{
    struct fact kept = *fact;
    uint8_t *copy = NULL;

    if (kept.length_held > LOG_COPY) {
        kept.length_held = LOG_COPY;
        kept.gap_after = true;
    }
    while (log->count > 0 && (log->count == LOG_FACTS ||
                              log->bytes + kept.length_held > LOG_BYTES))
        fact_log_drop(log);
    if (log->count == log->room && grow(log) < 0)
        return;
    if (kept.length_held > 0) {
        copy = malloc(kept.length_held);
        if (!copy)
            return;
        memcpy(copy, fact->bytes, kept.length_held);
    }
    kept.bytes = copy;
    log->facts[(log->first + log->count) % log->room] = kept;
    log->count++;
    log->bytes += kept.length_held;
}

const struct fact *fact_log_at(const struct fact_log *log, size_t n)
{
    if (n >= log->count)
        return NULL;
    return &log->facts[(log->first + n) % log->room];
}
