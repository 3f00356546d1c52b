/* See lines.h: whether a fact is what a line waits for. A text is looked for
 * in the stream of each connection by Knuth, Morris and Pratt's search, which
 * needs no byte twice and so may be cut over segments anywhere. */
#include "viz/events/lines.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PARTIALS = 4096 };

/* failure[i]: how long a beginning of the text also ends its first i + 1
 * bytes. */
static uint16_t *failure_of(const struct term *term)
{
    uint16_t *failure = calloc(term->text_length, sizeof *failure);
    uint16_t length = 0;

    if (!failure)
        return NULL;
    for (size_t i = 1; i < term->text_length; i++) {
        while (length > 0 && term->text[i] != term->text[length])
            length = failure[length - 1];
        if (term->text[i] == term->text[length])
            length++;
        failure[i] = length;
    }
    return failure;
}

int line_prepare(struct line *line)
{
    if (line->term.kind != TERM_DATA || line->term.text_length == 0)
        return 0;
    line->failure = failure_of(&line->term);
    return line->failure ? 0 : -1;
}

uint16_t expect_waits_port(const struct expect *expect, size_t n)
{
    if (expect->lines[n].term.port != 0)
        return expect->lines[n].term.port;
    for (size_t i = n; i-- > 0;)
        if (expect->lines[i].term.port != 0)
            return expect->lines[i].term.port;
    for (size_t i = n + 1; i < expect->count; i++)
        if (expect->lines[i].term.port != 0)
            return expect->lines[i].term.port;
    return 0;
}

/* SYN_RECV, LAST_ACK and the like may come and go between two glances: to have
 * come into one counts too. */
static bool fleeting(enum tcp_state state)
{
    return !observed_lasting(state) && state != TCP_CLOSED;
}

static enum fact_kind fact_for(const struct term *term)
{
    switch (term->kind) {
    case TERM_HANDSHAKE:
        return FACT_HANDSHAKE;
    case TERM_REFUSED:
        return FACT_REFUSED;
    case TERM_DATA:
        return FACT_DATA;
    case TERM_CLOSE:
        return FACT_CLOSE;
    case TERM_RESET:
        return FACT_RESET;
    case TERM_RETRANSMIT:
        return FACT_RETRANSMIT;
    case TERM_ZERO_WINDOW:
        return FACT_ZERO_WINDOW;
    case TERM_DATAGRAM:
        return FACT_DATAGRAM;
    case TERM_UNREACHABLE:
        return FACT_UNREACHABLE;
    case TERM_WAITS:
        return FACT_WAITS;
    case TERM_PRINTS:
        return FACT_PRINTED;
    case TERM_EXITS:
        return FACT_EXITED;
    case TERM_STATE:
        return FACT_ENTERED;
    case TERM_LISTEN: /* it proves a listener that no look has seen */
        return FACT_HANDSHAKE;
    case TERM_LOST:
        return FACT_LOST;
    case TERM_LISTEN_UNIX:
    case TERM_ESTABLISHED:
    case TERM_SHELL:
    case TERM_TLS:
        break;
    }
    return FACT_NONE;
}

bool expect_concerns(const struct expect *expect, size_t n,
                     const struct fact *fact)
{
    const struct term *term = &expect->lines[n].term;
    uint16_t port;

    if (fact->kind != fact_for(term))
        return false;
    switch (term->kind) {
    case TERM_PRINTS:
    case TERM_EXITS:
        return fact->source ==
               (enum fact_source)(SOURCE_A + term->terminal - 'A');
    case TERM_WAITS:
        port = expect_waits_port(expect, n);
        return fact->side == term->side &&
               (fact->port == port || fact->port == 0 || port == 0);
    default:
        break;
    }
    if (fact->protocol != term->protocol || fact->port != term->port)
        return false;
    switch (term->kind) {
    case TERM_DATA:
    case TERM_CLOSE:
    case TERM_RESET:
    case TERM_ZERO_WINDOW:
        return fact->side == term->side;
    case TERM_DATAGRAM:
        return fact->side == term->side &&
               (!term->has_bytes || fact->length == term->bytes);
    case TERM_RETRANSMIT:
        return fact->syn == term->syn;
    case TERM_LISTEN:
        return !term->negative;
    case TERM_STATE:
        return fact->side == term->side && fact->state == term->state &&
               fleeting(term->state);
    default:
        return true;
    }
}

/* The place for how far the text has come in this connection; NULL when
 * memory is short. */
static struct partial *partial_of(struct line *line, uint32_t flow)
{
    struct partial *partials;
    size_t at = 0;

    while (at < line->partial_count && line->partials[at].flow < flow)
        at++;
    if (at < line->partial_count && line->partials[at].flow == flow)
        return &line->partials[at];
    if (line->partial_count == line->partial_room) {
        size_t room = line->partial_room ? line->partial_room * 2 : 8;

        if (room > MOST_PARTIALS)
            return NULL;
        partials = realloc(line->partials, room * sizeof *partials);
        if (!partials)
            return NULL;
        line->partials = partials;
        line->partial_room = room;
    }
    partials = &line->partials[at];
    memmove(partials + 1, partials,
            (line->partial_count - at) * sizeof *partials);
    line->partial_count++;
    *partials = (struct partial){.flow = flow};
    return partials;
}

/* Whether the text ends within these bytes of the stream, with what stood
 * before them; remembers how far it has come. */
static bool text_ends(struct line *line, const struct fact *fact)
{
    struct partial *partial = partial_of(line, fact->flow);
    const struct term *term = &line->term;
    size_t matched = partial && !fact->gap_before ? partial->matched : 0;
    bool found = false;

    for (size_t i = 0; i < fact->length_held && !found; i++) {
        while (matched > 0 && fact->bytes[i] != term->text[matched])
            matched = line->failure[matched - 1];
        if (fact->bytes[i] == term->text[matched])
            matched++;
        found = matched == term->text_length;
    }
    if (partial && (found || fact->gap_after || matched == 0)) {
        size_t at = (size_t)(partial - line->partials);

        line->partial_count--;
        memmove(partial, partial + 1,
                (line->partial_count - at) * sizeof *partial);
    } else if (partial) {
        partial->matched = (uint16_t)matched;
    }
    return found;
}

bool line_fulfils(struct line *line, const struct fact *fact)
{
    const struct term *term = &line->term;

    switch (term->kind) {
    case TERM_DATA:
        if (term->text_length > 0)
            return text_ends(line, fact);
        return !term->has_bytes || fact->total >= term->bytes;
    case TERM_PRINTS:
        return fact->length_held > 0 && /* memmem() takes no NULL */
               memmem(fact->bytes, fact->length_held, term->text,
                      term->text_length) != NULL;
    case TERM_EXITS:
        return fact->status == term->status;
    case TERM_WAITS:
        return fact->call == term->call;
    case TERM_RETRANSMIT:
    case TERM_DATAGRAM:
        return ++line->seen >= term->times;
    default:
        return true;
    }
}
