/* See moment.h. */
#include "viz/events/moment.h"

#include <errno.h>
#include <stdint.h>

void moment_fini(struct moment *moment)
{
    store_free(moment->store);
    track_free(moment->track);
    *moment = (struct moment){0};
}

static int begin(struct moment *moment, const struct store *all)
{
    moment_fini(moment);
    moment->store = store_new(store_rows(all) + 1024);
    moment->track = track_new(0);
    if (!moment->store || !moment->track) {
        moment_fini(moment);
        errno = ENOMEM;
        return -1;
    }
    moment->at = store_forgotten(all);
    moment->told_ns = INT64_MIN;
    store_begin_at(moment->store, moment->at, store_start(all));
    return 0;
}

/* The kernel's word that this packet, the newest, never arrived. */
static void tell_lost(struct moment *moment, const struct store_row *row)
{
    struct event event = {.kind = EVENT_LOST, .time_ns = row->packet.time_ns};

    event.lost = lost_packet_of(&row->packet);
    store_event(moment->store, &event);
}

/* What the kernel's tables became, and the calls that returned, before
 * `until_ns`. */
static void tell_beside(struct moment *moment, const struct store *all,
                        int64_t until_ns)
{
    size_t from = store_changes_from(all, moment->told_ns);
    size_t to = store_changes_from(all, until_ns);

    if (until_ns <= moment->told_ns)
        return;
    for (size_t n = from; n < to; n++) {
        const struct kernel_change *change = store_change(all, n);
        struct event event = {.kind = change->gone ? EVENT_GONE : EVENT_SOCKET,
                              .time_ns = change->time_ns};

        event.socket = change->socket;
        store_event(moment->store, &event);
    }
    from = store_calls_from(all, moment->told_ns);
    to = store_calls_from(all, until_ns);
    for (size_t n = from; n < to; n++) {
        struct event event = {.kind = EVENT_CALL};

        event.made = *store_call(all, n);
        event.time_ns = event.made.ended_ns;
        store_event(moment->store, &event);
    }
    moment->told_ns = until_ns;
}

int moment_seek(struct moment *moment, const struct store *all, uint64_t number)
{
    uint64_t first = store_forgotten(all), end = first + store_rows(all);
    const struct store_row *next;

    if (number > end)
        number = end;
    if ((!moment->store || number < moment->at || moment->at < first) &&
        begin(moment, all) < 0)
        return -1;
    while (moment->at < number) {
        const struct store_row *row = store_row(all,
                                                (size_t)(moment->at - first));
        struct packet packet = row->packet;
        struct note note = {0};
        struct event event = {.kind = EVENT_PACKET, .time_ns = packet.time_ns};

        tell_beside(moment, all, packet.time_ns);
        if (row->lost)
            track_lose_next(moment->track);
        if (track_feed(moment->track, &packet, &note) < 0) {
            moment_fini(moment);
            errno = ENOMEM;
            return -1;
        }
        event.packet = &packet;
        event.note = &note;
        store_event(moment->store, &event);
        if (row->lost)
            tell_lost(moment, row);
        moment->at++;
    }
    next = store_row(all, (size_t)(moment->at - first));
    tell_beside(moment, all, next ? next->packet.time_ns : store_now(all) + 1);
    return 0;
}
