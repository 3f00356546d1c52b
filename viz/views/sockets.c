/*
 * All sockets of the network that is watched, as the kernel has them: who
 * listens first, then what is bound, then the connections. Below the selected
 * one its numbers in words: what is in the queues, which timer runs.
 */
#include "viz/views/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/explain/explain.h"
#include "viz/views/lasting.h"
#include "viz/views/numbers.h"

enum { MARK = 0x25BA, LINE = 0x2500, DETAIL_ROWS = 7 };

/* --- the list -------------------------------------------------------------- */

static int rank(const struct socket_sample *socket)
{
    if (socket->protocol == PROTO_TCP)
        return socket->state == TCP_LISTEN ? 0 : 2;
    return 1;
}

/* In an order that does not change between two looks. */
static int order(const void *a, const void *b)
{
    const struct socket_sample *x = *(const struct socket_sample *const *)a;
    const struct socket_sample *y = *(const struct socket_sample *const *)b;

    if (rank(x) != rank(y))
        return rank(x) - rank(y);
    if (x->local.port != y->local.port)
        return x->local.port < y->local.port ? -1 : 1;
    if (x->remote.port != y->remote.port)
        return x->remote.port < y->remote.port ? -1 : 1;
    return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

/* Those that pass the filter, in order; free() it. NULL when there are none, or
 * no memory. */
static const struct socket_sample **list_sockets(const struct viewer *viewer,
                                                 size_t *count)
{
    size_t all = store_sockets(viewer->store);
    const struct socket_sample **list;

    *count = 0;
    if (all == 0)
        return NULL;
    list = malloc(all * sizeof *list);
    for (size_t n = 0; list && n < all; n++) {
        const struct socket_sample *socket = store_socket(viewer->store, n);

        if (viewer->filter.count == 0 ||
            filter_passes_socket(&viewer->filter, socket))
            list[(*count)++] = socket;
    }
    if (*count == 0) {
        free(list);
        return NULL;
    }
    qsort(list, *count, sizeof *list, order);
    return list;
}

static size_t cursor_place(struct viewer *viewer,
                           const struct socket_sample **list, size_t count)
{
    for (size_t n = 0; n < count; n++)
        if (list[n]->cookie == viewer->socket)
            return n;
    if (count > 0)
        viewer->socket = list[0]->cookie;
    return 0;
}

/* --- one socket ------------------------------------------------------------ */

/* Where the columns of a row begin; 0: it is left out. */
struct layout {
    int state, local, remote, end_columns, queues, timer, rto, owner;
};

enum { NUMBER = 8 }; /* columns of rto, rtt and cwnd each */

static struct layout lay_out(int columns)
{
    struct layout l = {.state = 7, .local = 20};
    bool wide = columns >= 120, numbers = columns >= 132, small = columns < 72;

    if (small)
        l = (struct layout){.state = 5, .local = 17};
    l.end_columns = numbers ? 21 : wide ? 24 : small ? 15 : 17;
    l.remote = l.local + l.end_columns + 1;
    l.queues = l.remote + l.end_columns + 1;
    l.timer = small ? 0 : l.queues + (numbers ? 17 : wide ? 20 : 11);
    l.rto = numbers ? l.timer + 15 : 0;
    l.owner = numbers ? l.rto + 3 * NUMBER - 1 : wide ? l.timer + 22 : 0;
    return l;
}

static void draw_titles(struct area area)
{
    struct layout l = lay_out(area.columns);

    area_text(area_part(area, 0, 1, 1, l.state - 2), 0, 0, STYLE_DIM, "proto");
    area_text(area, 0, l.state, STYLE_DIM, "state");
    area_text(area, 0, l.local, STYLE_DIM, "local");
    area_text(area, 0, l.remote, STYLE_DIM, "remote");
    area_text(area, 0, l.queues, STYLE_DIM,
              l.owner ? "to read  to send" : "read  send");
    if (l.timer)
        area_text(area, 0, l.timer, STYLE_DIM, "timer");
    if (l.rto) {
        area_text(area, 0, l.rto, STYLE_DIM, "rto");
        area_text(area, 0, l.rto + NUMBER, STYLE_DIM, "rtt");
        area_text(area, 0, l.rto + 2 * NUMBER, STYLE_DIM, "cwnd");
    }
    if (l.owner)
        area_text(area, 0, l.owner, STYLE_DIM, "owner");
}

static void draw_queues(struct area area, int row, const struct layout *l,
                        const struct socket_sample *socket)
{
    char read[WORDS], send[WORDS];
    bool waits = socket->receive_queue > 0;
    int wide = l->owner ? 9 : 6;

    if (socket->protocol == PROTO_TCP && socket->state == TCP_LISTEN) {
        area_printf(area, row, l->queues, waits ? STYLE_WARN : STYLE_DIM,
                    "%u of %u%s", socket->receive_queue, socket->send_queue,
                    l->owner ? " to accept" : "");
        return;
    }
    area_text(area, row, l->queues, waits ? STYLE_WARN : STYLE_DIM,
              amount_text(socket->receive_queue, read));
    area_text(area, row, l->queues + wide,
              socket->send_queue > 0 ? STYLE_WARN : STYLE_DIM,
              amount_text(socket->send_queue, send));
}

/* "server 1234"; without a name the user; a recording has neither. */
static void owner_text(const struct viewer *viewer,
                       const struct socket_sample *socket, char text[WORDS])
{
    if (socket->inode == 0)
        snprintf(text, WORDS, "no process");
    else if (!viewer->owner && !viewer->live)
        snprintf(text, WORDS, "a process");
    else if (!viewer->owner ||
             !viewer->owner(viewer->owner_self, socket, text, WORDS))
        snprintf(text, WORDS, "uid %u", socket->uid);
}

static void draw_numbers_in_columns(struct area area, int row, int column,
                                    const struct socket_sample *socket)
{
    char text[WORDS];

    area_text(area, row, column, STYLE_DIM, numbers_rto(socket, text));
    area_text(area, row, column + NUMBER, STYLE_DIM, numbers_rtt(socket, text));
    area_text(area, row, column + 2 * NUMBER, STYLE_DIM,
              numbers_cwnd(socket, text));
}

static void draw_row(const struct viewer *viewer, struct area area, int row,
                     const struct socket_sample *socket)
{
    struct layout l = lay_out(area.columns);
    bool tcp = socket->protocol == PROTO_TCP, peer = socket->remote.port != 0;
    enum style style = !tcp                               ? STYLE_PLAIN
                       : socket->state == TCP_ESTABLISHED ? STYLE_GOOD
                                                          : STYLE_STRONG;
    char text[WORDS];

    area_text(area, row, 1, STYLE_PLAIN, protocol_text(socket->protocol, text));
    if (tcp)
        state_text(socket->state, false, 11, text);
    area_text(area, row, l.state, style,
              tcp    ? text
              : peer ? "connected"
                     : "bound");
    area_text(area, row, l.local, STYLE_PLAIN,
              end_text(&socket->local, l.end_columns, text));
    area_text(area, row, l.remote, peer ? STYLE_PLAIN : STYLE_DIM,
              peer ? end_text(&socket->remote, l.end_columns, text) : "any");
    draw_queues(area, row, &l, socket);
    if (l.timer)
        area_text(area_part(area, row, l.timer, 1,
                            (l.rto     ? l.rto
                             : l.owner ? l.owner
                                       : area.columns + 1) -
                                l.timer - 1),
                  0, 0, STYLE_DIM,
                  lasting_timer(socket, l.rto || !l.owner, text));
    if (l.rto && tcp)
        draw_numbers_in_columns(area, row, l.rto, socket);
    if (!l.owner)
        return;
    owner_text(viewer, socket, text);
    area_text(area, row, l.owner, STYLE_DIM, text);
}

/* --- the selected one ------------------------------------------------------ */

static void draw_numbers(struct area area, int row,
                         const struct socket_sample *socket)
{
    char read[WORDS], send[WORDS], timer[WORDS];
    int column = 1;

    if (socket->protocol == PROTO_UDP)
        column += area_printf(area, row, column, STYLE_PLAIN,
                              "%s of receive buffer in use, %s of send buffer.",
                              bytes_text(socket->receive_queue, read),
                              bytes_text(socket->send_queue, send));
    else if (socket->state == TCP_LISTEN)
        column += area_printf(area, row, column, STYLE_PLAIN,
                              "Finished connections that wait for accept(): "
                              "%u; backlog %u.",
                              socket->receive_queue, socket->send_queue);
    else
        column += area_printf(area, row, column, STYLE_PLAIN,
                              "%s to read, %s unacknowledged.",
                              bytes_text(socket->receive_queue, read),
                              bytes_text(socket->send_queue, send));
    lasting_timer(socket, false, timer);
    if (timer[0])
        column += area_printf(area, row, column, STYLE_PLAIN, " Timer: %s.",
                              timer);
    if (socket->retransmits > 0)
        area_printf(area, row, column, STYLE_WARN, " Resent %u times.",
                    socket->retransmits);
}

/* One more line of the detail, where there is something to say. */
static void put(struct area area, int *row, enum style style, const char *text)
{
    if (text[0])
        *row += area_wrap(
            area_part(area, *row, 1, area.rows - *row, area.columns - 2), 0, 0,
            style, text);
}

static void draw_detail(const struct viewer *viewer, struct area area,
                        const struct socket_sample *socket)
{
    const struct explanation *state = explain_state(socket->state);
    char owner[WORDS], text[WORDS];
    enum style style;
    int row = 1;

    area_fill(area, 0, 0, area.columns, STYLE_DIM, LINE);
    owner_text(viewer, socket, owner);
    area_printf(area, 0, 2, STYLE_DIM, " %s%s%s ",
                socket->inode ? "held by " : "", owner,
                socket->inode                      ? ""
                : socket->state == TCP_ESTABLISHED ? " has accepted it yet"
                                                   : " holds it any more");
    draw_numbers(area, row++, socket);
    put(area, &row, socket->drops > 0 ? STYLE_WARN : STYLE_PLAIN,
        numbers_text(socket, area.columns - 2, text));
    style = lasting_socket(socket, text);
    put(area, &row, style, text);
    if (socket->protocol == PROTO_TCP) {
        put(area, &row, STYLE_PLAIN, state->what);
        put(area, &row, STYLE_DIM, state->call);
    } else {
        put(area, &row, STYLE_DIM,
            "UDP has no states. A full receive buffer drops what comes, and "
            "nobody is told.");
    }
}

/* --- the view -------------------------------------------------------------- */

static void draw_none(const struct viewer *viewer, struct area area)
{
    area_wrap(area_part(area, 1, 3, area.rows, area.columns - 6), 0, 0,
              STYLE_DIM,
              store_sockets(viewer->store) > 0
                  ? "No socket passes the filter. / changes it, an empty one "
                    "shows all."
              : viewer->tape.on
                  ? "The kernel has said nothing of sockets up to this packet."
              : store_kernel(viewer->store)
                  ? "There is no socket in this network now."
              : viewer->live
                  ? "The kernel of this machine does not tell which sockets it "
                    "has."
                  : "A capture file has packets, but no sockets. Live, all of "
                    "this machine's appear here, and -w keeps them for "
                    "later.");
}

static void draw(struct viewer *viewer, struct area area)
{
    size_t count, cursor, top;
    const struct socket_sample **list = list_sockets(viewer, &count);
    int rows = area.rows - 1 - DETAIL_ROWS;

    viewer->page = rows > 1 ? rows : 1;
    if (!list) {
        draw_none(viewer, area);
        return;
    }
    cursor = cursor_place(viewer, list, count);
    top = viewer->socket_top;
    if (cursor < top)
        top = cursor;
    if (cursor >= top + (size_t)viewer->page)
        top = cursor - (size_t)viewer->page + 1;
    viewer->socket_top = top;
    draw_titles(area);
    for (int i = 0; i < rows && top + (size_t)i < count; i++) {
        draw_row(viewer, area, 1 + i, list[top + (size_t)i]);
        if (top + (size_t)i == cursor) {
            area_fill(area, 1 + i, 0, 1, STYLE_CURSOR, MARK);
            area_style(area, 1 + i, 0, area.columns, STYLE_CURSOR);
        }
    }
    draw_detail(
        viewer,
        area_part(area, area.rows - DETAIL_ROWS, 0, DETAIL_ROWS, area.columns),
        list[cursor]);
    free(list);
}

static enum view_key on_key(struct viewer *viewer, int key)
{
    size_t count, cursor, page = (size_t)(viewer->page > 1 ? viewer->page : 1);
    const struct socket_sample **list = list_sockets(viewer, &count);
    enum view_key handled = VIEW_HANDLED;

    if (!list)
        return VIEW_NOT_HANDLED;
    cursor = cursor_place(viewer, list, count);
    if (key == 'j' || key == INPUT_DOWN)
        cursor++;
    else if (key == 'k' || key == INPUT_UP)
        cursor -= cursor > 0;
    else if (key == INPUT_PAGE_DOWN || key == ('d' & 0x1F))
        cursor += page;
    else if (key == INPUT_PAGE_UP || key == ('u' & 0x1F))
        cursor -= cursor > page ? page : cursor;
    else if (key == 'g' || key == INPUT_HOME)
        cursor = 0;
    else if (key == 'G' || key == INPUT_END)
        cursor = count - 1;
    else
        handled = VIEW_NOT_HANDLED;
    viewer->socket = list[cursor < count ? cursor : count - 1]->cookie;
    free(list);
    return handled;
}

static void on_click(struct viewer *viewer, int row)
{
    size_t count, place = viewer->socket_top + (size_t)row - 1;
    const struct socket_sample **list = list_sockets(viewer, &count);

    if (list && row >= 1 && row <= viewer->page && place < count)
        viewer->socket = list[place]->cookie;
    free(list);
}

static const struct view_help help[] = {
    {"\xE2\x86\x91 \xE2\x86\x93 k j", "one socket up or down", "socket"},
    {"PgUp PgDn", "one screen up or down; also ^U ^D", NULL},
    {"Home End", "the first, the last; also g G", NULL},
    {"Esc q", "back to the connections", "back"},
    {NULL, NULL, NULL},
};

const struct view view_sockets = {
    .name = "sockets",
    .key = '5',
    .draw = draw,
    .on_key = on_key,
    .on_click = on_click,
    .help = help,
};
