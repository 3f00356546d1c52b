/* See filter.h. Read by recursive descent, as deep as there are parentheses
 * and no deeper than DEPTH; run as a stack of answers in the bits of a
 * number. */
#include "viz/events/filter.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "viz/decode/decode.h"

enum { DEPTH = 16, WORD = 64 };

struct reader {
    struct filter *filter;
    const char *at;
    char word[WORD]; /* the next one, "" at the end */
    int depth;
    char *why;
    size_t size;
};

/* --- words ----------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static int fail(struct reader *reader,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reader->why, reader->size, format, arguments);
    va_end(arguments);
    errno = EINVAL;
    return -1;
}

static bool is_sign(char c)
{
    return c == '(' || c == ')' || c == '!';
}

static void next_word(struct reader *reader)
{
    size_t length = 0;

    while (*reader->at == ' ' || *reader->at == '\t')
        reader->at++;
    if (is_sign(*reader->at))
        reader->word[length++] = *reader->at++;
    else
        while (*reader->at && *reader->at != ' ' && *reader->at != '\t' &&
               !is_sign(*reader->at)) {
            if (length < WORD - 1)
                reader->word[length++] = *reader->at;
            reader->at++;
        }
    reader->word[length] = '\0';
}

static bool same_word(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

static bool is_word(const struct reader *reader, const char *word)
{
    return same_word(reader->word, word);
}

/* --- terms ----------------------------------------------------------------- */

static struct filter_step *add(struct reader *reader,
                               enum filter_step_kind kind)
{
    struct filter *filter = reader->filter;

    if (filter->count == FILTER_STEPS) {
        fail(reader, "This filter has too many terms.");
        return NULL;
    }
    filter->steps[filter->count] = (struct filter_step){.kind = kind};
    return &filter->steps[filter->count++];
}

static int read_port(struct reader *reader, struct filter_step *step)
{
    unsigned long port = 0;

    next_word(reader);
    for (const char *c = reader->word; *c; c++) {
        if (*c < '0' || *c > '9' || port > 65535)
            return fail(reader, "port wants a number to 65535, not %.20s.",
                        reader->word);
        port = port * 10 + (unsigned long)(*c - '0');
    }
    if (!reader->word[0] || port == 0 || port > 65535)
        return fail(reader, "port wants a number from 1 to 65535.");
    step->number = (uint16_t)port;
    return 0;
}

static int read_host(struct reader *reader, struct filter_step *step)
{
    size_t length;

    next_word(reader);
    length = strlen(reader->word);
    if (length == 0 || length >= FILTER_ADDRESS ||
        strspn(reader->word, "0123456789abcdefABCDEF.:") != length ||
        !strpbrk(reader->word, ".:"))
        return fail(reader, "host wants an address such as 127.0.0.1.");
    memcpy(step->address, reader->word, length + 1);
    return 0;
}

static int read_state(struct reader *reader, struct filter_step *step,
                      const char *value)
{
    for (int state = 1; state < TCP_STATES; state++) {
        if (same_word(value, tcp_state_name((enum tcp_state)state))) {
            step->number = (uint16_t)state;
            return 0;
        }
    }
    return fail(reader, "%.20s is no state: try state:TIME_WAIT.", value);
}

static int read_flag(struct reader *reader, struct filter_step *step,
                     const char *value)
{
    static const char letters[] = "fsrpauec", *const names[] = {
                                                  "fin", "syn", "rst", "psh",
                                                  "ack", "urg", "ece", "cwr"};

    for (int bit = 0; bit < 8; bit++) {
        if (same_word(value, names[bit])) {
            step->number = (uint16_t)(1u << bit);
            return 0;
        }
    }
    for (const char *c = value; *c; c++) {
        const char *letter = strchr(letters, tolower((unsigned char)*c));

        if (!letter)
            return fail(reader, "%.20s is no flag: try flag:R or flag:SA.",
                        value);
        step->number |= (uint16_t)(1u << (letter - letters));
    }
    return *value ? 0 : fail(reader, "flag: wants letters of FSRPAUEC.");
}

static int read_verdict(struct reader *reader, struct filter_step *step,
                        const char *value)
{
    for (int name = 0; name < VERDICT_NAMES; name++) {
        if (same_word(value, verdict_text((enum verdict_name)name))) {
            step->number = (uint16_t)name;
            return 0;
        }
    }
    return fail(reader, "%.20s is no verdict: try verdict:retransmission.",
                value);
}

/* A word that stands alone, has a word after it, or a value after its colon. */
static const struct {
    const char *word;
    enum filter_step_kind kind;
    int (*after)(struct reader *reader, struct filter_step *step);
    int (*value)(struct reader *reader, struct filter_step *step,
                 const char *value);
} terms[] = {
    {"tcp", FILTER_TCP, NULL, NULL},
    {"udp", FILTER_UDP, NULL, NULL},
    {"icmp", FILTER_ICMP, NULL, NULL},
    {"data", FILTER_DATA, NULL, NULL},
    {"port", FILTER_PORT, read_port, NULL},
    {"host", FILTER_HOST, read_host, NULL},
    {"state:", FILTER_STATE, NULL, read_state},
    {"flag:", FILTER_FLAG, NULL, read_flag},
    {"verdict:", FILTER_VERDICT, NULL, read_verdict},
};

static int read_term(struct reader *reader)
{
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
        size_t length = strlen(terms[i].word);
        struct filter_step *step;
        char head[WORD];
        int status = 0;

        memcpy(head, reader->word, WORD);
        if (terms[i].value && strlen(head) >= length)
            head[length] = '\0';
        if (!same_word(head, terms[i].word))
            continue;
        step = add(reader, terms[i].kind);
        if (!step)
            return -1;
        if (terms[i].after)
            status = terms[i].after(reader, step);
        else if (terms[i].value)
            status = terms[i].value(reader, step, reader->word + length);
        next_word(reader);
        return status;
    }
    if (!reader->word[0])
        return fail(reader, "The filter ends where a term should stand.");
    return fail(reader,
                "%.20s is no term: tcp udp icmp data, port N, host A, state:X, "
                "flag:R.",
                reader->word);
}

/* --- joining --------------------------------------------------------------- */

static int read_any(struct reader *reader);

static int read_one(struct reader *reader)
{
    int status;

    if (++reader->depth > DEPTH)
        return fail(reader, "The filter is nested too deep.");
    if (is_word(reader, "not") || is_word(reader, "!")) {
        next_word(reader);
        status = read_one(reader);
        if (status == 0 && !add(reader, FILTER_NOT))
            status = -1;
    } else if (is_word(reader, "(")) {
        next_word(reader);
        status = read_any(reader);
        if (status == 0 && !is_word(reader, ")"))
            status = fail(reader, "A ) is missing.");
        next_word(reader);
    } else {
        status = read_term(reader);
    }
    reader->depth--;
    return status;
}

static int read_all(struct reader *reader)
{
    if (read_one(reader) < 0)
        return -1;
    while (reader->word[0] && !is_word(reader, "or") && !is_word(reader, ")")) {
        if (is_word(reader, "and"))
            next_word(reader);
        if (read_one(reader) < 0 || !add(reader, FILTER_AND))
            return -1;
    }
    return 0;
}

static int read_any(struct reader *reader)
{
    if (read_all(reader) < 0)
        return -1;
    while (is_word(reader, "or")) {
        next_word(reader);
        if (read_all(reader) < 0 || !add(reader, FILTER_OR))
            return -1;
    }
    return 0;
}

int filter_read(struct filter *filter, const char *text, char *why, size_t size)
{
    struct filter read = {.count = 0};
    struct reader reader = {
        .filter = &read, .at = text, .why = why, .size = size};
    size_t length = strlen(text);

    if (length >= FILTER_TEXT)
        return fail(&reader, "This filter is too long.");
    memcpy(read.text, text, length + 1);
    next_word(&reader);
    if (reader.word[0]) {
        if (read_any(&reader) < 0)
            return -1;
        if (reader.word[0])
            return fail(&reader, "There is a %.20s too many.", reader.word);
    }
    *filter = read;
    return 0;
}

/* --- asking ---------------------------------------------------------------- */

static bool has_host(const struct packet *packet, const char *address)
{
    char source[64], destination[64];

    if (packet->source.family == 0)
        return false;
    return same_word(address, endpoint_address(&packet->source, source,
                                               sizeof source)) ||
           same_word(address,
                     endpoint_address(&packet->destination, destination,
                                      sizeof destination));
}

static bool has_verdict(const struct note *note, uint16_t name)
{
    for (int i = 0; i < note->verdict_count; i++)
        if (note->verdicts[i].name == (enum verdict_name)name)
            return true;
    return false;
}

/* An ICMP error is part of the conversation that it is about. */
static bool has_port(const struct packet *packet, const struct note *note,
                     uint16_t port)
{
    if (packet->source.port == port || packet->destination.port == port)
        return true;
    return note->flow && (note->flow->end[0].at.port == port ||
                          note->flow->end[1].at.port == port);
}

static bool answer(const struct filter_step *step, const struct packet *packet,
                   const struct note *note)
{
    bool tcp = packet->protocol == PROTO_TCP && packet->has_transport;

    switch (step->kind) {
    case FILTER_TCP:
        return packet->protocol == PROTO_TCP;
    case FILTER_UDP:
        return packet->protocol == PROTO_UDP;
    case FILTER_ICMP:
        return packet->protocol == PROTO_ICMP ||
               packet->protocol == PROTO_ICMP6;
    case FILTER_DATA:
        return (tcp || packet->protocol == PROTO_UDP) &&
               packet->payload_length > 0;
    case FILTER_PORT:
        return has_port(packet, note, step->number);
    case FILTER_HOST:
        return has_host(packet, step->address);
    case FILTER_STATE:
        return note->flow && note->flow->protocol == PROTO_TCP &&
               ((uint16_t)note->after[0] == step->number ||
                (uint16_t)note->after[1] == step->number);
    case FILTER_FLAG:
        return tcp && (packet->tcp.flags & step->number) == step->number;
    case FILTER_VERDICT:
        return has_verdict(note, step->number);
    default:
        return false;
    }
}

bool filter_passes(const struct filter *filter, const struct packet *packet,
                   const struct note *note)
{
    uint64_t answers = 1; /* the newest in the lowest bit */

    for (int i = 0; i < filter->count; i++) {
        const struct filter_step *step = &filter->steps[i];

        if (step->kind == FILTER_NOT)
            answers ^= 1;
        else if (step->kind == FILTER_AND)
            answers = answers >> 1 & (answers | ~UINT64_C(1));
        else if (step->kind == FILTER_OR)
            answers = answers >> 1 | (answers & 1);
        else
            answers = answers << 1 | answer(step, packet, note);
    }
    return answers & 1;
}

/* As a packet between its two ends would pass. */
bool filter_passes_socket(const struct filter *filter,
                          const struct socket_sample *socket)
{
    struct flow flow = {.protocol = socket->protocol};
    struct packet packet = {.protocol = socket->protocol,
                            .source = socket->local,
                            .destination = socket->remote,
                            .has_transport = true};
    struct note note = {.flow = &flow};

    flow.end[0].at = socket->local;
    flow.end[1].at = socket->remote;
    note.after[0] = note.after[1] = socket->state;
    return filter_passes(filter, &packet, &note);
}
