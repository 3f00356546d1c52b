/* See wcd.h. */
#include "tests/checks/wcd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/checks/wordcount.h"

/* --- texts by the seed -----------------------------------------------------*/

void wcd_text(struct probe *p, uint8_t *text, size_t length)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz.,-019"
                                   "      \n\n\n\t\r\v\f";

    probe_bytes(p, text, length);
    for (size_t i = 0; i < length; i++)
        text[i] = (uint8_t)alphabet[text[i] % (sizeof alphabet - 1)];
}

void wcd_crumbs(struct probe *p, uint8_t *text, size_t length)
{
    probe_bytes(p, text, length);
    for (size_t i = 0; i < length; i++)
        text[i] = i % 2 ? ' ' : (uint8_t)('a' + text[i] % 26);
}

/* --- the program -----------------------------------------------------------*/

void wcd_start(struct probe *p, enum build build, struct calls_plan calls)
{
    probe_start(p, &(struct probe_start){
                       .build = build, .calls = calls, .follow = true});
}

void wcd_start_anew(struct probe *p, enum build build, struct calls_plan calls)
{
    probe_kill(p);
    probe_new_port(p);
    wcd_start(p, build, calls);
}

/* --- answers ---------------------------------------------------------------*/

/* The pieces in which the program received: from the log where there is one
 * and it is whole, else as the client cut them. */
static size_t received_pieces(struct probe *p, const struct speech *speech,
                              size_t pieces[WCD_PIECES])
{
    const struct calls_log *log = probe_calls(p);
    size_t count = 0, sum = 0;

    for (size_t i = 0; log && i < log->count && i < CALLS_RECORDS; i++) {
        const struct call_record *record = &log->record[i];

        if (record->call != CALL_RECV || record->result <= 0)
            continue;
        if (count == WCD_PIECES)
            break;
        pieces[count] = (size_t)record->result;
        sum += pieces[count++];
    }
    if (count > 0 && sum == speech->length)
        return count;
    if (!speech->pieces || speech->count > WCD_PIECES) {
        pieces[0] = speech->length;
        return 1;
    }
    memcpy(pieces, speech->pieces, speech->count * sizeof *pieces);
    return speech->count;
}

/* The numbers of an answer; false when it is none. */
static bool read_answer(const char *line, size_t length, uint64_t number[4])
{
    char text[WORDCOUNT_TEXT];

    if (length >= sizeof text)
        return false;
    memcpy(text, line, length);
    text[length] = '\0';
    return sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNx64,
                  &number[0], &number[1], &number[2], &number[3]) == 4;
}

/* Each number that is not right is the one that a wrong idea gives. */
static void sign_if(struct probe *p, const char *sign, struct wordcount wrong,
                    const uint64_t right[4], const uint64_t its[4])
{
    const uint64_t idea[] = {wrong.lines, wrong.words, wrong.bytes, wrong.crc};
    bool differs = false;

    for (int i = 0; i < 4; i++) {
        if (its[i] == right[i])
            continue;
        if (its[i] != idea[i])
            return;
        differs = true;
    }
    if (differs)
        probe_sign(p, sign);
}

/* Is this wrong answer the one that a known wrong idea gives? */
static void sign_answer(struct probe *p, const struct speech *speech,
                        const char *want, const char *got, size_t length)
{
    static size_t pieces[WCD_PIECES];
    size_t count = received_pieces(p, speech, pieces);
    size_t wanted = strlen(want);
    const struct calls_log *log = probe_calls(p);
    uint64_t right[4], its[4];

    if (length > wanted && memcmp(got, want, wanted) == 0 &&
        got[wanted] == '\0')
        probe_sign(p, "trailing-zero");
    if (log && log->plan.short_counts && length > 0 && length < wanted &&
        memcmp(got, want, length) == 0 && log->injected[CALL_SEND] > 0)
        probe_sign(p, "cut-at-short-count");
    if (!read_answer(want, wanted, right) || !read_answer(got, length, its))
        return;
    /* As many words more as cuts were made, however the pieces came together on
     * their way. */
    if (speech->count > 1 && its[1] > right[1] && its[0] == right[0] &&
        its[2] == right[2] && its[3] == right[3])
        probe_sign(p, "state-per-recv");
    if (speech->before > 0 && its[2] == speech->before + right[2])
        probe_sign(p, "earlier-clients-counted");
    if (log && log->plan.eintr_every && its[2] == 0)
        probe_sign(p, "stopped-at-eintr");
    sign_if(p, "zero-byte-stops",
            wordcount_to_zero(speech->bytes, pieces, count), right, its);
    sign_if(p, "old-bytes-counted",
            wordcount_with_old(speech->bytes, pieces, count), right, its);
}

/* Four words, LINES WORDS BYTES CRC32, out of a line; false when it is none. */
static bool four_words(const char *line, size_t length, char words[4][24])
{
    char text[100];

    if (length == 0 || length >= sizeof text ||
        memchr(line, '\n', length) != line + length - 1)
        return false;
    memcpy(text, line, length);
    text[length] = '\0';
    return strlen(text) == length &&
           sscanf(text, "%23s %23s %23s %23s", words[0], words[1], words[2],
                  words[3]) == 4;
}

/* A reader should not have to count the words of two lines to see which of the
 * numbers is wrong. */
static void tell_numbers(struct probe *p, const char *want, size_t wanted,
                         const char *got, size_t length)
{
    static const char *const name[] = {"LINES", "WORDS", "BYTES", "CRC32"};
    char right[4][24], its[4][24];

    if (!four_words(want, wanted, right) || !four_words(got, length, its))
        return;
    for (int i = 0; i < 4; i++)
        if (strcmp(right[i], its[i]) != 0)
            probe_step(p, "compare: %s is %s, not %s", name[i], its[i],
                       right[i]);
}

/* recv said 0 on a connection, and was asked again. */
static void sign_recv_after_zero(struct probe *p)
{
    const struct calls_log *log = probe_calls(p);
    int ended = -1;

    for (size_t i = 0; log && i < log->count && i < CALLS_RECORDS; i++) {
        const struct call_record *record = &log->record[i];

        if (record->call == CALL_CLOSE && record->fd == ended)
            ended = -1;
        if (record->call != CALL_RECV || !record->seen)
            continue;
        if (record->fd == ended)
            probe_sign(p, "recv-after-zero");
        if (record->fd == ended)
            return;
        if (record->result == 0 && record->length > 0)
            ended = record->fd;
    }
}

static const char *end_words(enum peer_end end)
{
    switch (end) {
    case PEER_EOF:
        return "then FIN";
    case PEER_RESET:
        return "then RST";
    case PEER_FULL:
        return "and more after it";
    default:
        return "and then nothing more";
    }
}

void wcd_expect(struct probe *p, struct peer *client,
                const struct speech *speech)
{
    struct wordcount count = {0};
    char want[WORDCOUNT_TEXT], got[512];
    enum peer_end end;
    size_t wanted, length;

    wordcount_add(&count, speech->bytes, speech->length);
    wanted = wordcount_answer(&count, want);
    probe_step(p, "expect \"%.*s\\n\"%s", (int)wanted - 1, want,
               speech->to_the_end ? ", then FIN" : "");
    length = try_read(client, got, sizeof got, &end);
    if (!speech->exact)
        while (length > wanted && got[length - 1] == '\0')
            length--;
    if (length == wanted && memcmp(got, want, wanted) == 0) {
        if (end == PEER_EOF || !speech->to_the_end)
            return;
        probe_sign(p, end == PEER_STUCK ? "no-eof" : "reset");
        probe_fail(
            p, probe_text(p, "\"%.*s\\n\", then FIN", (int)wanted - 1, want),
            probe_text(p, "\"%.*s\\n\", %s", (int)wanted - 1, want,
                       end_words(end)));
    }
    probe_settled(p); /* if it is about to end, let it: how tells more */
    sign_answer(p, speech, want, got, length);
    sign_recv_after_zero(p);
    tell_numbers(p, want, wanted, got, length);
    probe_differ(p, want, wanted, got, length, end_words(end));
}

void wcd_ask(struct probe *p, const void *bytes, size_t length)
{
    struct speech speech = {.bytes = bytes, .length = length};
    struct peer *client = peer_connect(p);

    peer_send_last(client, bytes, length);
    wcd_expect(p, client, &speech);
    peer_close(client);
}

void wcd_ask_something(struct probe *p)
{
    uint8_t text[200];
    size_t length = 1 + probe_random(p, sizeof text - 1);

    wcd_text(p, text, length);
    wcd_ask(p, text, length);
}
