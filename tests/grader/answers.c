/* What the tester's ends hear, and whether it is what it should be. See
 * probes.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "tests/grader/evidence.h"
#include "tests/grader/probe.h"

enum {
    TICK_MS = 10, /* between two looks at a program that says nothing */
    EXTRA = 4096  /* read past what is expected, as evidence */
};

static int64_t soon(void)
{
    return clock_now() + TICK_MS * CLOCK_MS;
}

size_t try_read(struct peer *peer, void *buffer, size_t size,
                enum peer_end *end)
{
    struct probe *p = peer->probe;
    struct rest_watch watch;
    uint8_t *to = buffer;
    bool last = false;
    size_t n = 0;

    p->subject = peer;
    rest_begin(p, &watch);
    *end = PEER_FULL;
    while (n < size) {
        ssize_t got = recv(peer->fd, to + n, size - n, MSG_DONTWAIT);

        if (got > 0) {
            n += (size_t)got;
            peer->received += (uint64_t)got;
            p->heard += (uint64_t)got;
            continue;
        }
        if (got == 0) {
            peer->ended = true;
            *end = PEER_EOF;
            break;
        }
        if (errno != EAGAIN && errno != EINTR) {
            peer->ended = true;
            *end = PEER_RESET;
            break;
        }
        if (last) {
            *end = PEER_STUCK;
            break;
        }
        if (!probe_wait(p, peer->fd, POLLIN, soon()))
            last = rest_look(p, &watch, n); /* one more recv, then stuck */
    }
    if (*end == PEER_STUCK)
        p->result.timing = watch.backstop;
    return n;
}

/* Signs of how an answer differs; for the diagnosis. */
static void answer_signs(struct probe *p, const void *want, size_t want_length,
                         const void *got, size_t length, enum peer_end end)
{
    size_t same = want_length < length ? want_length : length;
    bool agree = same == 0 || memcmp(want, got, same) == 0;

    if (end == PEER_RESET)
        probe_sign(p, "reset");
    if (agree && length == want_length)
        probe_sign(p, "no-eof");
    else if (length == 0)
        probe_sign(p, "no-reply");
    else if (agree)
        probe_sign(p, length < want_length ? "short-reply" : "long-reply");
    else
        probe_sign(p, "wrong-bytes");
}

static const char *end_words(enum peer_end end)
{
    switch (end) {
    case PEER_EOF:
        return "then FIN";
    case PEER_RESET:
        return "then RST";
    case PEER_STUCK:
        return "and then nothing more";
    case PEER_FULL:
        break;
    }
    return NULL;
}

_Noreturn static void wrong_answer(struct peer *peer, const void *want,
                                   size_t want_length, const void *got,
                                   size_t length, enum peer_end end, bool last)
{
    struct probe *p = peer->probe;

    if (end != PEER_RESET || length != want_length)
        answer_signs(p, want, want_length, got, length, end);
    else
        probe_sign(p, "reset");
    evidence_differ(&p->result.expected, &p->result.actual, want, want_length,
                    got, length, end_words(end));
    if (last && length == want_length)
        lines_add(&p->result.expected, "then FIN");
    probe_failed(p, end == PEER_STUCK);
}

static void expect(struct peer *peer, const void *bytes, size_t length,
                   bool last)
{
    struct probe *p = peer->probe;
    size_t size = length + (last ? EXTRA : 0), n;
    uint8_t *got = malloc(size + 1);
    enum peer_end end;
    bool right;

    if (!got)
        probe_broken(p, "memory");
    n = try_read(peer, got, size, &end);
    right = n == length && (length == 0 || memcmp(got, bytes, n) == 0) &&
            (!last || end == PEER_EOF);
    if (!right && !last) /* what else it says is evidence too */
        wrong_answer(peer, bytes, length, got, n, end, false);
    if (!right)
        wrong_answer(peer, bytes, length, got, n, end, true);
    free(got);
}

void peer_expect(struct peer *peer, const void *bytes, size_t length)
{
    probe_step(peer->probe, "expect %zu byte%s", length,
               length == 1 ? "" : "s");
    expect(peer, bytes, length, false);
}

void peer_expect_last(struct peer *peer, const void *bytes, size_t length)
{
    probe_step(peer->probe, "expect %zu byte%s, then FIN", length,
               length == 1 ? "" : "s");
    expect(peer, bytes, length, true);
}

void peer_expect_eof(struct peer *peer)
{
    probe_step(peer->probe, "expect FIN");
    expect(peer, "", 0, true);
}

void peer_expect_nothing(struct peer *peer, const char *what)
{
    struct probe *p = peer->probe;
    char got[256];
    ssize_t n;

    p->subject = peer;
    probe_step(p, "see that it has read all, and says nothing yet");
    if (!probe_settled(p)) {
        lines_add(&p->result.expected, "%s reads what was sent, then waits",
                  probe_name(p));
        lines_add(&p->result.actual, "it does not come to rest");
        probe_failed(p, true);
    }
    n = recv(peer->fd, got, sizeof got, MSG_DONTWAIT | MSG_PEEK);
    if (n < 0 && errno == EAGAIN)
        return;
    probe_sign(p, n > 0 ? "early-reply" : "early-end");
    lines_add(&p->result.expected, "nothing yet");
    if (n > 0) {
        char text[64];
        size_t shown = evidence_escape(got, (size_t)n, text, sizeof text);

        lines_add(&p->result.actual, "%s: \"%s\"%s", what, text,
                  shown < (size_t)n ? "..." : "");
    } else {
        lines_add(&p->result.actual, "%s",
                  n == 0 ? "FIN: it has closed the connection"
                         : "RST: it has reset the connection");
    }
    probe_failed(p, false);
}

void probe_differ(struct probe *p, const void *expected, size_t expected_length,
                  const void *actual, size_t actual_length, const char *end)
{
    answer_signs(p, expected, expected_length, actual, actual_length,
                 PEER_FULL);
    evidence_differ(&p->result.expected, &p->result.actual, expected,
                    expected_length, actual, actual_length, end);
    /* Who has answered and closed is not stuck, wherever it waits now. */
    probe_failed(p, !p->subject || !p->subject->ended);
}
