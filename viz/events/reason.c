/*
 * expect_reason(): what a line waits for and what is there instead, in one
 * sentence for a person at the desk. Says only what was seen.
 */
#include "viz/events/expect.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "viz/events/lines.h"
#include "viz/events/quote.h"

static const char *const sides[2] = {"client", "server"};

static void say(struct expect *expect, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct expect *expect, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(expect->reason, sizeof expect->reason, format, arguments);
    va_end(arguments);
    quote(expect->reason, sizeof expect->reason, expect->reason);
}

/* Why nobody is reached at this port: true when there is something to say. */
static bool say_no_listener(struct expect *expect, const struct term *term)
{
    const struct observed *observed = &expect->observed;
    const struct watched_port *port = observed_port(observed, term->protocol,
                                                    term->port);
    uint16_t swapped = (uint16_t)(term->port << 8 | term->port >> 8);
    const char *name = term->protocol == PROTO_UDP ? "UDP" : "TCP";
    struct endpoint any = {.port = swapped};

    if (observed_listens(observed, term->protocol, term->port))
        return false;
    if (port && port->outside) {
        say(expect,
            "a server is on %s port %u, but outside the lab network: stop "
            "it, and start it in a terminal opened with make shell",
            name, term->port);
        return true;
    }
    if (!observed->kernel)
        return false;
    if (swapped != term->port &&
        samples_bound(&observed->samples, term->protocol, &any))
        say(expect,
            "no program is on %s port %u, but one is on %u: the same two "
            "bytes in the other order (htons was forgotten)",
            name, term->port, swapped);
    else
        say(expect, "no program %s %s port %u yet",
            term->protocol == PROTO_UDP ? "is bound to" : "listens on", name,
            term->port);
    return true;
}

static void reason_state(struct expect *expect, const struct term *term)
{
    const struct observed *observed = &expect->observed;
    const struct watched *newest = observed_newest(observed, PROTO_TCP,
                                                   term->port);
    const struct watched_port *port = observed_port(observed, PROTO_TCP,
                                                    term->port);
    const struct socket_sample *socket;
    enum tcp_state state;

    if (!newest) {
        if (!say_no_listener(expect, term))
            say(expect, "no connection to port %u has been seen yet",
                term->port);
        return;
    }
    state = newest->state[term->side];
    if (!port || port->in[term->side][term->state] == 0) {
        say(expect, "the %s's end is %s, not yet %s", sides[term->side],
            tcp_state_name(state), tcp_state_name(term->state));
        return;
    }
    /* The wire shows it already, the kernel does not. */
    socket = samples_between(&observed->samples, PROTO_TCP,
                             &newest->end[term->side],
                             &newest->end[!term->side]);
    if (socket)
        say(expect, "by the wire the %s's end is %s, but its kernel says %s",
            sides[term->side], tcp_state_name(state),
            tcp_state_name(socket->state));
    else
        say(expect,
            "by the wire the %s's end is %s, but the kernel has no such "
            "socket",
            sides[term->side], tcp_state_name(state));
}

static void reason_established(struct expect *expect, const struct term *term)
{
    size_t there = observed_established(&expect->observed, term->port);

    if (there == 0 && say_no_listener(expect, term))
        return;
    say(expect, "%zu connection%s to port %u %s ESTABLISHED, not %" PRIu32,
        there, there == 1 ? "" : "s", term->port, there == 1 ? "is" : "are",
        term->times);
}

static void reason_handshake(struct expect *expect, const struct term *term)
{
    const struct watched_port *port = observed_port(&expect->observed,
                                                    PROTO_TCP, term->port);

    if (port && port->refused)
        say(expect,
            "a connection to port %u was refused: nobody listened there%s",
            term->port,
            observed_listens(&expect->observed, PROTO_TCP, term->port)
                ? " then; try again"
                : "");
    else if (!say_no_listener(expect, term))
        say(expect, "no client has finished a handshake with port %u yet",
            term->port);
}

static void reason_data(struct expect *expect, const struct term *term)
{
    const struct watched_port *port = observed_port(&expect->observed,
                                                    PROTO_TCP, term->port);
    uint64_t bytes = port ? port->bytes[term->side] : 0;
    const char *side = sides[term->side];
    enum fact_source source = term->side == FLOW_CLIENT ? SOURCE_CLIENT
                                                        : SOURCE_SERVER;

    if (bytes == 0)
        say(expect, "the %s has sent no data%s yet", side,
            term->side == FLOW_CLIENT ? " to that port" : "");
    else if (term->text_length > 0)
        say(expect,
            "the %s has sent %" PRIu64 " byte%s so far, but not that "
            "text%s",
            side, bytes, bytes == 1 ? "" : "s",
            expect->consumed[source] > 0 ? " after the line above" : "");
    else if (term->has_bytes && bytes < term->bytes)
        say(expect, "the %s has sent %" PRIu64 " of %" PRIu64 " bytes so far",
            side, bytes, term->bytes);
    else
        say(expect, "the %s has sent nothing more since the line above", side);
}

static void reason_end(struct expect *expect, const struct term *term)
{
    const struct watched *newest = observed_newest(&expect->observed, PROTO_TCP,
                                                   term->port);
    const char *what = term->kind == TERM_CLOSE ? "sent a FIN" : "sent a reset";

    if (!newest)
        say(expect, "no connection to port %u has been seen yet", term->port);
    else
        say(expect, "the %s has not %s; its end is %s", sides[term->side], what,
            tcp_state_name(newest->state[term->side]));
}

static void reason_datagram(struct expect *expect, const struct term *term)
{
    const struct watched_port *port = observed_port(&expect->observed,
                                                    PROTO_UDP, term->port);

    if (port && port->datagrams[term->side] > 0)
        say(expect,
            "the %s has sent %" PRIu64 " datagram%s so far; this line "
            "waits for %" PRIu32 "%s",
            sides[term->side], port->datagrams[term->side],
            port->datagrams[term->side] == 1 ? "" : "s", term->times,
            term->has_bytes ? " of just that size" : "");
    else
        say(expect, "the %s has sent no datagram yet", sides[term->side]);
}

static void reason_waits(struct expect *expect, const struct term *term)
{
    enum wait_call call = expect->observed.waits[term->side];

    if (call == WAIT_OTHER)
        say(expect, "the %s has not been seen waiting in %s", sides[term->side],
            wait_call_name(term->call));
    else if (call == term->call)
        say(expect, "the %s was in %s, but before its turn", sides[term->side],
            wait_call_name(call));
    else
        say(expect, "the %s waits in %s, not in %s", sides[term->side],
            wait_call_name(call), wait_call_name(term->call));
}

static void reason_terminal(struct expect *expect, const struct term *term)
{
    const struct watched_terminal *terminal =
        &expect->observed.terminals[term->terminal - 'A'];

    if (term->kind == TERM_SHELL)
        say(expect,
            "terminal %c is not open yet: type make shell in another window",
            term->terminal);
    else if (term->kind == TERM_EXITS && terminal->exited)
        say(expect, "the command in terminal %c ended with status %d, not %d",
            term->terminal, terminal->status, term->status);
    else if (term->kind == TERM_EXITS)
        say(expect, "the command in terminal %c has not ended%s",
            term->terminal, terminal->typed ? "" : ": none was started");
    else if (terminal->last[0] != '\0')
        say(expect, "the last line in terminal %c is: %s", term->terminal,
            terminal->last);
    else
        say(expect, "nothing has been printed in terminal %c yet",
            term->terminal);
}

static void reason_lost(struct expect *expect, const struct term *term)
{
    const struct watched_port *port = observed_port(&expect->observed,
                                                    PROTO_UDP, term->port);
    uint64_t sent = port ? port->datagrams[0] + port->datagrams[1] : 0;

    if (sent == 0 && !say_no_listener(expect, term))
        say(expect, "no datagram to or from port %u has been sent yet",
            term->port);
    else if (sent > 0)
        say(expect,
            "%" PRIu64 " datagram%s to or from port %u %s sent, and the "
            "kernel says of none that it was lost",
            sent, sent == 1 ? "" : "s", term->port, sent == 1 ? "was" : "were");
}

static void reason_count(struct expect *expect, const struct line *line)
{
    if (line->term.times > 1)
        say(expect, "%" PRIu32 " of %" PRIu32 " have been seen", line->seen,
            line->term.times);
    else
        say(expect, "none has been seen on port %u yet", line->term.port);
}

static void reason_of(struct expect *expect, const struct line *line)
{
    const struct term *term = &line->term;

    switch (term->kind) {
    case TERM_LISTEN:
        if (!say_no_listener(expect, term))
            say(expect, "nobody has answered on port %u yet", term->port);
        break;
    case TERM_LISTEN_UNIX:
        if (expect->observed.kernel)
            say(expect, "no program listens at %s yet", line->path);
        else
            say(expect, "a file of packets says nothing of %s", line->path);
        break;
    case TERM_LOST:
        reason_lost(expect, term);
        break;
    case TERM_STATE:
        reason_state(expect, term);
        break;
    case TERM_ESTABLISHED:
        reason_established(expect, term);
        break;
    case TERM_HANDSHAKE:
        reason_handshake(expect, term);
        break;
    case TERM_DATA:
        reason_data(expect, term);
        break;
    case TERM_CLOSE:
    case TERM_RESET:
        reason_end(expect, term);
        break;
    case TERM_DATAGRAM:
        reason_datagram(expect, term);
        break;
    case TERM_WAITS:
        reason_waits(expect, term);
        break;
    case TERM_SHELL:
    case TERM_PRINTS:
    case TERM_EXITS:
        reason_terminal(expect, term);
        break;
    default:
        reason_count(expect, line);
        break;
    }
}

const char *expect_reason(struct expect *expect, size_t n)
{
    const struct line *line;

    expect->reason[0] = '\0';
    if (n >= expect->count)
        return expect->reason;
    line = &expect->lines[n];
    if (line->term.negative) {
        if (line->status == EXPECT_BROKEN)
            say(expect, "it came true, and must not have");
        else if (n > expect->next)
            say(expect, "its turn comes after the lines above");
    } else if (line->status == EXPECT_WAITING) {
        if (n > expect->next)
            say(expect, "its turn comes after the lines above");
        else
            reason_of(expect, line);
    }
    return expect->reason;
}
