/* See moment.h. */
#include "viz/events/moment.h"

#include <errno.h>

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

int moment_seek(struct moment *moment, const struct store *all, uint64_t number)
{
    uint64_t first = store_forgotten(all), end = first + store_rows(all);

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
    return 0;
}
