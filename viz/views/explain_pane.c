/* See explain_pane.h. */
#include "viz/views/explain_pane.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "viz/explain/explain.h"
#include "viz/views/label.h"

enum { INDENT = 6 }; /* columns of "what", "why", "call" */

/* Where the next line goes; an area without rows only counts. */
struct paper {
    struct area area;
    int line, top;
};

/* A paragraph under its word; "" goes on under the one before. */
static void say(struct paper *paper, const char *word, enum style style,
                const char *text)
{
    int row = paper->line - paper->top;

    if (!text || !text[0])
        return;
    area_text(paper->area, row, 0, STYLE_DIM, word);
    paper->line += area_wrap(paper->area, row, INDENT, style, text);
}

/* --- one text -------------------------------------------------------------- */

static void say_text(struct paper *paper, const char *word, enum style style,
                     const struct explanation *text, int level)
{
    if (!text)
        return;
    say(paper, word, style, text->what);
    if (level >= 2) {
        say(paper, "why", STYLE_PLAIN, text->why);
        say(paper, "call", STYLE_PLAIN, text->call);
    }
    if (level >= 3)
        say(paper, "how", STYLE_PLAIN, text->deeper);
    say(paper, "", STYLE_DIM, text->rfc);
}

static void say_verdict(struct paper *paper, const struct verdict *verdict,
                        int level)
{
    const struct verdict_word *word = verdict_word_of(verdict);
    bool report = word == &verdict_report;
    char letter[] = {word->letter, '\0'};

    say_text(paper, letter, word->style,
             explain_verdict(verdict->name, report ? "dsack" : verdict->kind),
             level);
    if (level >= 2)
        say(paper, "lost", STYLE_PLAIN, explain_lost(verdict->lost));
    if (level >= 3 && !report)
        say(paper, "proof", STYLE_PLAIN, explain_evidence(verdict->evidence));
}

/* --- what moved ------------------------------------------------------------ */

static void say_move(struct paper *paper, const struct note *note, int side,
                     int level)
{
    static const char *const names[] = {"client", "server"};
    char before[WORDS], after[WORDS], text[4 * WORDS];
    const struct explain_change *change;

    if (note->before[side] == note->after[side])
        return;
    change = explain_change(note->before[side], note->after[side]);
    snprintf(text, sizeof text, "%s %s \xE2\x86\x92 %s: %s.%s%s", names[side],
             state_before_text(note, side, 12, before),
             state_text(note->after[side], note->assumed[side], 13, after),
             change->cause, level >= 2 && change->call[0] ? " " : "",
             level >= 2 ? change->call : "");
    say(paper, "moves", STYLE_STRONG, text);
    if (level >= 3)
        say(paper, "", STYLE_PLAIN, explain_state(note->after[side])->what);
    if (level >= 2)
        say(paper, "", STYLE_DIM, change->rfc);
}

static void say_moves(struct paper *paper, const struct store_row *row,
                      int level)
{
    const struct note *note = &row->note;
    char state[WORDS], other[WORDS], text[3 * WORDS];

    if (!note->flow || note->flow->protocol != PROTO_TCP)
        return;
    for (int side = 0; side < 2; side++)
        say_move(paper, note, side, level);
    if (note->before[0] != note->after[0] || note->before[1] != note->after[1])
        return;
    snprintf(text, sizeof text, "No state moves: client %s, server %s.",
             state_text(note->after[0], note->assumed[0], 13, state),
             state_text(note->after[1], note->assumed[1], 13, other));
    say(paper, "moves", STYLE_DIM, text);
}

/* --- what follows for the program, what is special ------------------------- */

/* What it is. Of a reset its kind says more than its flags, and of a refusal
 * the verdict has said it. */
static void say_what(struct paper *paper, const struct store_row *row,
                     int level)
{
    const struct packet *packet = &row->packet;
    const struct note *note = &row->note;
    bool tcp = packet_is_tcp(packet);
    const struct explanation *text = explain_reset(note->reset);

    if (!tcp)
        text = explain_other(packet);
    else if (!text)
        text = explain_flags(packet->tcp.flags, packet->payload_length > 0);
    if (note->reset != RESET_REFUSED || note->verdict_count == 0)
        say_text(paper, "what", STYLE_STRONG, text, level);
    tcp = note->flow && note->flow->protocol == PROTO_TCP;
    say(paper, "gets", STYLE_STRONG,
        explain_errno(note->error, tcp, note->error_now));
}

static void say_remarks(struct paper *paper, const struct store_row *row,
                        int level)
{
    const char *text;

    for (int n = 0; (text = explain_remark(&row->packet, &row->note, n)); n++)
        say(paper, n == 0 ? "also" : "", STYLE_PLAIN, text);
    if (level < 3 || !row->note.flow || row->note.flow->protocol != PROTO_TCP)
        return;
    say(paper, "seen", STYLE_PLAIN, explain_vantage(row->note.flow->vantage));
    say(paper, "", STYLE_DIM, explain_vantage_more(row->note.flow->vantage));
}

/* --- numbers --------------------------------------------------------------- */

/* More text at the end of `text`, as much as fits. */
__attribute__((format(printf, 2, 3))) static void add(char text[WORDS],
                                                      const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + length, WORDS - length, format, arguments);
    va_end(arguments);
}

static void say_numbers(struct paper *paper, const struct store_row *row)
{
    const struct tcp_header *tcp = &row->packet.tcp;
    const struct tcp_options *options = &tcp->options;
    uint32_t first = tcp->ack - row->note.relative_ack; /* the peer's SYN */
    char text[WORDS] = "";

    add(text, "seq %u (on the wire %u)", row->note.relative_seq, tcp->seq);
    if (tcp->flags & TCP_ACK)
        add(text, ", ack %u (%u)", row->note.relative_ack, tcp->ack);
    add(text, ", window %u (%u)", row->note.window, tcp->window);
    if (options->has & OPT_MSS)
        add(text, ", segments of %u bytes at most", options->mss);
    if (options->has & OPT_WSCALE)
        add(text, ", windows count %u bytes each", 1u << options->window_scale);
    if (options->has & OPT_TIMESTAMP)
        add(text, ", time %u, echoes %u", options->ts_value, options->ts_echo);
    for (int i = 0; options->has & OPT_SACK && i < options->sack_count; i++)
        add(text, ", has %u to %u", options->sack[i].left - first,
            options->sack[i].right - first);
    add(text, ".");
    say(paper, "says", STYLE_PLAIN, text);
}

/* --- bytes ----------------------------------------------------------------- */

/* Up to 16 of them: in hex, and beside it as ASCII. */
static void bytes_text_of(const uint8_t *bytes, int count, int columns,
                          char text[WORDS])
{
    text[0] = '\0';
    for (int i = 0; i < count; i++)
        add(text, "%s%02x ", i == 8 ? " " : "", bytes[i]);
    add(text, "%*s", columns - (int)strlen(text), "");
    for (int i = 0; i < count; i++)
        add(text, "%c", bytes[i] >= ' ' && bytes[i] < 127 ? bytes[i] : '.');
}

/* The payload as it was on the wire, as much of it as is kept. */
static void say_bytes(struct paper *paper, const struct store_row *row)
{
    enum { LONG = 16, SHORT = 8, LONG_COLUMNS = 50, SHORT_COLUMNS = 25 };
    bool wide = paper->area.columns >= INDENT + LONG_COLUMNS + LONG;
    int each = wide ? LONG : SHORT;
    uint32_t count = row->packet.payload_captured, all;
    char text[WORDS];

    all = row->packet.payload_length;
    if (count > STORE_PAYLOAD)
        count = STORE_PAYLOAD;
    for (uint32_t at = 0; at < count; at += (uint32_t)each) {
        int left = (int)(count - at);
        int line = paper->line++ - paper->top;

        bytes_text_of(row->payload + at, left < each ? left : each,
                      wide ? LONG_COLUMNS : SHORT_COLUMNS, text);
        area_text(paper->area, line, 0, STYLE_DIM, at == 0 ? "bytes" : "");
        area_text(paper->area, line, INDENT, STYLE_PLAIN, text);
    }
    if (count == 0 || count == all)
        return;
    snprintf(text, sizeof text, "The first %u of %u.", count, all);
    say(paper, "", STYLE_DIM, text);
}

int explain_pane(struct area area, const struct store_row *row, int level,
                 int top)
{
    struct paper paper = {area, 0, top};
    const struct packet *packet = &row->packet;
    bool tcp = packet_is_tcp(packet);

    for (int i = 0; i < row->note.verdict_count; i++)
        say_verdict(&paper, &row->note.verdicts[i], level);
    say_what(&paper, row, level);
    say_moves(&paper, row, level);
    say_remarks(&paper, row, level);
    if (level < 3)
        return paper.line;
    for (int n = 0; tcp && explain_extra_flag(packet->tcp.flags, n); n++)
        say(&paper, n == 0 ? "flags" : "", STYLE_PLAIN,
            explain_extra_flag(packet->tcp.flags, n));
    if (tcp)
        say_numbers(&paper, row);
    say_bytes(&paper, row);
    return paper.line;
}
