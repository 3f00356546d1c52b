/* Words for the enums of track.h, each from one table. */
#include <string.h>

#include "viz/track/track.h"

static const char *const state_names[TCP_STATES] = {
    [TCP_UNKNOWN] = "?",
    [TCP_ESTABLISHED] = "ESTABLISHED",
    [TCP_SYN_SENT] = "SYN_SENT",
    [TCP_SYN_RECV] = "SYN_RECV",
    [TCP_FIN_WAIT1] = "FIN_WAIT1",
    [TCP_FIN_WAIT2] = "FIN_WAIT2",
    [TCP_TIME_WAIT] = "TIME_WAIT",
    [TCP_CLOSED] = "CLOSED",
    [TCP_CLOSE_WAIT] = "CLOSE_WAIT",
    [TCP_LAST_ACK] = "LAST_ACK",
    [TCP_LISTEN] = "LISTEN",
    [TCP_CLOSING] = "CLOSING",
};

const char *tcp_state_name(enum tcp_state state)
{
    return (unsigned)state < TCP_STATES ? state_names[state]
                                        : state_names[TCP_UNKNOWN];
}

enum tcp_state tcp_state_from_name(const char *name)
{
    for (int state = 1; state < TCP_STATES; state++)
        if (strcmp(name, state_names[state]) == 0)
            return (enum tcp_state)state;
    return TCP_UNKNOWN;
}

static const struct verdict *find_again(const struct note *note, bool report)
{
    for (int i = 0; i < note->verdict_count && i < NOTE_VERDICTS; i++) {
        const struct verdict *verdict = &note->verdicts[i];

        if (verdict->name == VERDICT_RETRANSMISSION &&
            report == (verdict->evidence != NULL &&
                       strcmp(verdict->evidence, "dsack") == 0))
            return verdict;
    }
    return NULL;
}

const struct verdict *note_again(const struct note *note)
{
    return find_again(note, false);
}

const struct verdict *note_in_vain(const struct note *note)
{
    return find_again(note, true);
}

const char *verdict_text(enum verdict_name name)
{
    static const char *const names[VERDICT_NAMES] = {
        [VERDICT_RETRANSMISSION] = "retransmission",
        [VERDICT_REORDERED] = "reordered",
        [VERDICT_DUPLICATE_ACK] = "duplicate-ack",
        [VERDICT_LOST_SEGMENT] = "lost-segment",
        [VERDICT_ACKED_UNSEEN] = "acked-unseen",
        [VERDICT_ZERO_WINDOW] = "zero-window",
        [VERDICT_ZERO_WINDOW_PROBE] = "zero-window-probe",
        [VERDICT_WINDOW_UPDATE] = "window-update",
        [VERDICT_WINDOW_FULL] = "window-full",
        [VERDICT_KEEP_ALIVE] = "keep-alive",
        [VERDICT_KEEP_ALIVE_ACK] = "keep-alive-ack",
        [VERDICT_PORT_REUSE] = "port-reuse",
        [VERDICT_SIMULTANEOUS_OPEN] = "simultaneous-open",
        [VERDICT_REFUSED] = "refused",
        [VERDICT_UNREACHABLE] = "unreachable",
    };

    return (unsigned)name < VERDICT_NAMES ? names[name] : "?";
}

const char *vantage_text(enum flow_vantage vantage)
{
    static const char *const names[] = {
        [VANTAGE_UNKNOWN] = "unknown", [VANTAGE_CLIENT] = "client",
        [VANTAGE_SERVER] = "server",   [VANTAGE_BOTH] = "both",
        [VANTAGE_MIDDLE] = "middle",
    };

    return (unsigned)vantage < sizeof names / sizeof *names ? names[vantage]
                                                            : names[0];
}

const char *reset_text(enum reset_kind reset)
{
    static const char *const names[] = {
        [RESET_REFUSED] = "refused",     [RESET_UNREAD] = "unread",
        [RESET_ABORT] = "abort",         [RESET_GAVE_UP] = "gave-up",
        [RESET_NO_SOCKET] = "no-socket",
    };

    return (unsigned)reset < sizeof names / sizeof *names ? names[reset] : NULL;
}

const char *closed_by_text(enum flow_closed_by closed_by)
{
    switch (closed_by) {
    case CLOSED_BY_CLIENT:
        return "client";
    case CLOSED_BY_SERVER:
        return "server";
    case CLOSED_BY_BOTH:
        return "both";
    case CLOSED_BY_RESET:
        return "reset";
    case CLOSED_OPEN:
        break;
    }
    return "open";
}
