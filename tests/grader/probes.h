/*
 * The tester's verbs. Each is one numbered step of the transcript, bounded by
 * the check's deadline. A verb whose answer is not what is required records
 * the evidence (expected, actual, the wire, what each thread waits for) and
 * ENDS THE CHECK: it does not return. Verbs named try_ return instead.
 *
 * Signs that the verbs leave for the diagnosis by themselves:
 *   start   exited-early never-listened port-swapped port-other address-other
 *   end     killed-by-SIGPIPE (any signal's name) exited-N killed-for-memory
 *           address-error (ASan), write-overflow read-overflow use-after-free,
 *           undefined-behaviour beside-array (UBSan), data-race (TSan),
 *           gave-up (it exited where it should have gone on)
 *   peers   refused no-reply short-reply long-reply wrong-bytes early-reply
 *           no-eof reset stuck-connect
 *   stuck   spins in-accept in-recv in-send in-other (the thread), close-wait
 *           (the server's end), unaccepted (nobody took the connection)
 *   probes  descriptor-leak process-leak memory-grows
 * A check may add its own with probe_sign().
 */
#ifndef TESTS_GRADER_PROBES_H
#define TESTS_GRADER_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/grader/cell.h"
#include "tests/grader/check.h"

struct peer;

/* --- the program under test ---------------------------------------------- */

struct probe_start {
    enum build build;
    const char *const *args; /* after the name; NULL: the port, in digits */
    const void *input;       /* standard input; NULL: /dev/null */
    size_t input_length;
    struct cell_limits limits;
    struct calls_plan calls; /* {0}: nothing is injected (viz/calls/calls.h) */
    bool udp;                /* ready is a bound UDP socket, not LISTEN */
    bool follow; /* listening elsewhere is no failure: go where it listens */
};

/* Start it and wait until the kernel shows its socket on probe_port(). `how`
 * may be NULL. An earlier run must have ended: see probe_kill(). Injection that
 * was asked for and did not happen skips the check. */
void probe_start(struct probe *p, const struct probe_start *how);
/* Start it and wait for nothing (a program that should end by itself). */
void probe_launch(struct probe *p, const struct probe_start *how);

void probe_stop(struct probe *p);      /* SIGSTOP, until every thread stands */
void probe_continue(struct probe *p);  /* SIGCONT */
void probe_terminate(struct probe *p); /* SIGTERM */
void probe_kill(struct probe *p);      /* SIGKILL, until nothing is left */
/* It ends by itself, with this exit status. */
void probe_expect_exit(struct probe *p, int status);
/* It is still there (say after which event this must hold). */
void probe_expect_alive(struct probe *p, const char *after);
/* All of stdout or stderr so far is this text; waits for it to come. */
void probe_expect_stdout(struct probe *p, const char *text);
void probe_expect_stderr(struct probe *p, const char *text);
/* What it wrote so far, not a string; at most CELL_OUTPUT bytes, borrowed. */
const char *probe_stdout(struct probe *p, size_t *length);
const char *probe_stderr(struct probe *p, size_t *length);

/* Wait until it has nothing left to do: every byte sent to it was read and
 * every thread waits in a blocking call. False when it never came to rest. */
bool probe_settled(struct probe *p);
/* It rests: no thread runs. A program that spins ends the check (spins). */
void probe_expect_idle(struct probe *p);

int probe_descriptors(struct probe *p); /* open now, by /proc */
/* Waits until at most `most` are open: after the last client is gone. */
void probe_expect_descriptors(struct probe *p, int most);
/* As many clients may wait for their turn as it told listen; -1: no listener. */
int probe_backlog(struct probe *p);
long probe_peak_kb(struct probe *p); /* highest resident memory so far */
void probe_expect_memory(struct probe *p, long before_kb, long grow_kb);

/* What was injected and seen (S-LOG), in order; NULL when nothing was asked.
 * See viz/calls/calls.h for the records. */
const struct calls_log *probe_calls(struct probe *p);

/* --- the tester's own ends ------------------------------------------------ */

struct peer *peer_connect(
    struct probe *p); /* to the port that is listened on */
/* Returns NULL, with errno ECONNREFUSED and such, instead of ending. */
struct peer *try_connect(struct probe *p);
void peer_send(struct peer *peer, const void *bytes, size_t length);
/* The bytes and our FIN in one segment where they fit: nothing can be answered
 * between them. */
void peer_send_last(struct peer *peer, const void *bytes, size_t length);
/* One byte a segment; each is read by the program before the next is sent. */
void peer_drip(struct peer *peer, const void *bytes, size_t length);
/* In two segments, cut at `offset`; the first is read before the second. */
void peer_split(struct peer *peer, const void *bytes, size_t length,
                size_t offset);
/* `length` bytes made on the way: fill(self, buffer, n, offset);
 * `offset` goes on over all calls for one peer. */
typedef void peer_fill_fn(void *self, uint8_t *buffer, size_t n,
                          uint64_t offset);
void peer_stream(struct peer *peer, uint64_t length, peer_fill_fn *fill,
                 void *self);
void peer_half_close(struct peer *peer); /* shutdown(SHUT_WR) */
void peer_close(struct peer *peer); /* reads what is there first, so: FIN */
void peer_reset(struct peer *peer); /* RST: linger 0 */

/* Exactly these bytes come next. */
void peer_expect(struct peer *peer, const void *bytes, size_t length);
void peer_expect_eof(struct peer *peer); /* and then the server's FIN */
/* The same two in one verb, one step: the usual end of an exchange. */
void peer_expect_last(struct peer *peer, const void *bytes, size_t length);
/* The program has read all that was sent, rests, and has sent nothing. `what`
 * names what would be wrong: "an answer before the end of input". */
void peer_expect_nothing(struct peer *peer, const char *what);
/* Read until EOF, reset, `size` bytes or the stop of all progress, and return
 * how many; *end says which. For checks that judge by themselves. */
enum peer_end { PEER_EOF, PEER_RESET, PEER_FULL, PEER_STUCK };
size_t try_read(struct peer *peer, void *buffer, size_t size,
                enum peer_end *end);
uint16_t peer_port(const struct peer *peer); /* our own end */

/* --- the check itself ----------------------------------------------------- */

uint16_t probe_port(const struct probe *p); /* random, 10000 to 29999 */
/* A fresh one, for the next program of this check. */
uint16_t probe_new_port(struct probe *p);
uint16_t probe_listening(const struct probe *p); /* where it really listens */
uint32_t probe_random(struct probe *p, uint32_t below); /* by the seed */
void probe_bytes(struct probe *p, void *bytes, size_t length);
/* "port 5001" as text, for args: borrowed until the check ends. */
const char *probe_text(struct probe *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A step of the check's own, in the transcript. */
void probe_step(struct probe *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* So many points are earned even if the rest fails. */
void probe_earn(struct probe *p, int points);
void probe_sign(struct probe *p, const char *sign);
void probe_remark(struct probe *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The check's own judgement; neither returns. */
_Noreturn void probe_fail(struct probe *p, const char *expected,
                          const char *actual);
/* Two byte strings that should have been equal: escaped, with a caret. */
_Noreturn void probe_differ(struct probe *p, const void *expected,
                            size_t expected_length, const void *actual,
                            size_t actual_length, const char *end);
_Noreturn void probe_skip(struct probe *p, const char *reason);

#endif
