/* See numbers.h. */
#include "viz/views/numbers.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char *microseconds(uint32_t us, char text[WORDS])
{
    return span_text((int64_t)us * 1000, text);
}

char *numbers_rto(const struct socket_sample *socket, char text[WORDS])
{
    if (!socket->tcp.known)
        snprintf(text, WORDS, "-");
    else
        microseconds(socket->tcp.rto_us, text);
    return text;
}

char *numbers_rtt(const struct socket_sample *socket, char text[WORDS])
{
    if (!socket->tcp.known || socket->tcp.rtt_us == 0)
        snprintf(text, WORDS, "-");
    else
        microseconds(socket->tcp.rtt_us, text);
    return text;
}

char *numbers_cwnd(const struct socket_sample *socket, char text[WORDS])
{
    if (!socket->tcp.known)
        snprintf(text, WORDS, "-");
    else
        amount_text(socket->tcp.cwnd, text);
    return text;
}

/* --- a line ---------------------------------------------------------------- */

/* One more part, with a comma before it, where it fits whole. */
__attribute__((format(printf, 3, 4))) static void add(char text[WORDS],
                                                      int columns,
                                                      const char *format, ...)
{
    char part[WORDS];
    size_t length = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(part, sizeof part, format, arguments);
    va_end(arguments);
    if (text_width(text) + (length > 0 ? 2 : 0) + text_width(part) > columns)
        return;
    snprintf(text + length, WORDS - length, "%s%s", length > 0 ? ", " : "",
             part);
}

char *numbers_text(const struct socket_sample *socket, int columns,
                   char text[WORDS])
{
    const struct socket_tcp *tcp = &socket->tcp;
    char span[WORDS], vary[WORDS];

    text[0] = '\0';
    if (socket->drops > 0)
        add(text, columns, "%u dropped: the buffer was full", socket->drops);
    if (!tcp->known)
        return text;
    add(text, columns, "rto %s", microseconds(tcp->rto_us, span));
    if (tcp->rtt_us > 0 && columns >= 60)
        add(text, columns, "rtt %s \xC2\xB1 %s",
            microseconds(tcp->rtt_us, span),
            microseconds(tcp->rttvar_us, vary));
    else if (tcp->rtt_us > 0)
        add(text, columns, "rtt %s", microseconds(tcp->rtt_us, span));
    add(text, columns, "cwnd %u", tcp->cwnd);
    if (tcp->backoff > 0)
        add(text, columns, "doubled %ux", tcp->backoff);
    if (tcp->unacked > 0)
        add(text, columns, "%u on their way", tcp->unacked);
    if (tcp->resent > 0)
        add(text, columns, "%u resent", tcp->resent);
    if (tcp->ssthresh > 0)
        add(text, columns, "ssthresh %u", tcp->ssthresh);
    if (tcp->mss > 0)
        add(text, columns, "mss %u", tcp->mss);
    return text;
}

/* --- both ends ------------------------------------------------------------- */

static const struct socket_sample *known(const struct store *store,
                                         const struct flow *flow, int side)
{
    const struct socket_sample *socket = store_socket_of(store, flow,
                                                         (enum flow_side)side);

    return socket && socket->tcp.known ? socket : NULL;
}

bool numbers_has(const struct store *store, const struct flow *flow)
{
    return known(store, flow, FLOW_CLIENT) || known(store, flow, FLOW_SERVER);
}

bool numbers_draw(struct area area, int row, const struct store *store,
                  const struct flow *flow)
{
    static const enum style styles[] = {STYLE_CLIENT, STYLE_SERVER};
    int half = area.columns / 2 - 2;
    bool any = false;
    char text[WORDS];

    for (int side = 0; side < 2; side++) {
        const struct socket_sample *socket = known(store, flow, side);

        if (!socket)
            continue;
        any = true;
        numbers_text(socket, half, text);
        area_text(area, row,
                  side == 0 ? 1 : area.columns - 1 - text_width(text),
                  styles[side], text);
    }
    return any;
}
