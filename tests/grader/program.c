/* The verbs about the program under test. See probes.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "tests/grader/probe.h"
#include "viz/decode/decode.h"

enum { LOOK_MS = 2 }; /* between two looks into the kernel's tables */

static int64_t soon(void)
{
    return clock_now() + LOOK_MS * CLOCK_MS;
}

void probe_launch(struct probe *p, const struct probe_start *how)
{
    static const struct probe_start plain;
    struct cell_plan plan = {0};
    char why[300];
    const struct calls_plan *calls;

    how = how ? how : &plain;
    calls = &how->calls;
    if (p->started) {
        probe_see_injected(p);
        if (!p->cell.ended)
            probe_kill(p);
        cell_close(&p->cell);
    }
    p->args[0] = probe_text(p, "%u", (unsigned)p->port);
    p->build = how->build;
    p->stopped = false;
    p->heard = 0;
    plan.program = p->programs[how->build];
    plan.name = p->lab->program;
    plan.args = how->args ? how->args : p->args;
    plan.input = how->input;
    plan.input_length = how->input_length;
    plan.sanitized = how->build != BUILD_PLAIN;
    plan.limits = how->limits;
    p->injects = calls->short_counts || calls->eintr_every ||
                 calls->fail[0].call || calls->dirty_errno;
    if (p->injects || calls->log)
        plan.calls = calls;
    if (plan.program < 0) {
        errno = ENOEXEC;
        probe_broken(p, "the check asks for a build that was not made");
    }
    if (cell_start(&p->cell, p->isolation, &plan, why, sizeof why) < 0)
        probe_broken(p, why);
    p->started = true;
    probe_step(p, "start ./%s%s%s", plan.name, plan.args[0] ? " " : "",
               plan.args[0] ? plan.args[0] : "");
}

/* --- ready -----------------------------------------------------------------*/

/* Where 127.0.0.1 leads to it: there, or on all addresses (what that is worth
 * is a check's own question). */
static bool right_address(const struct endpoint *at)
{
    static const uint8_t any[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t loopback[4] = {127, 0, 0, 1};

    if (memcmp(at->address, any, sizeof any) == 0)
        return true;
    if (at->family == 4)
        return memcmp(at->address, loopback, sizeof loopback) == 0;
    return memcmp(at->address, mapped, sizeof mapped) == 0 &&
           memcmp(at->address + 12, loopback, sizeof loopback) == 0;
}

/* A socket of the program that waits for clients, on another port or on an
 * address that nobody on this machine would call. */
static const struct socket_sample *elsewhere(struct probe *p, bool udp)
{
    if (probe_look(p) < 0)
        return NULL;
    for (size_t i = 0; i < p->samples; i++) {
        const struct socket_sample *s = &p->sample[i];

        if (s->protocol != (udp ? PROTO_UDP : PROTO_TCP) ||
            (!udp && s->state != TCP_LISTEN) || !s->inode ||
            !cell_holds(&p->cell, s->inode))
            continue;
        return s;
    }
    return NULL;
}

static bool is_swapped(const struct probe *p, uint16_t port)
{
    return port == (uint16_t)(p->port << 8 | p->port >> 8);
}

_Noreturn static void not_ready(struct probe *p, const struct socket_sample *s)
{
    const unsigned want = p->port;

    lines_add(&p->result.expected, "%s listens on 127.0.0.1:%u", probe_name(p),
              want);
    if (p->cell.ended) {
        char text[200];

        ending_describe(p, text, sizeof text);
        probe_sign(p, "exited-early");
        lines_add(&p->result.actual, "%s %s before it listened", probe_name(p),
                  text);
        probe_failed(p, false);
    }
    if (s && s->local.port != p->port) {
        probe_sign(p, is_swapped(p, s->local.port) ? "port-swapped"
                                                   : "port-other");
        lines_add(&p->result.actual, "it listens on port %u",
                  (unsigned)s->local.port);
        if (is_swapped(p, s->local.port))
            lines_add(&p->result.actual,
                      "%u is 0x%04x, and %u is 0x%04x: the same two bytes",
                      want, want, (unsigned)s->local.port,
                      (unsigned)s->local.port);
        probe_failed(p, false);
    }
    if (s) {
        char text[64];

        probe_sign(p, "address-other");
        lines_add(&p->result.actual, "it listens on %s%s",
                  endpoint_text(&s->local, text, sizeof text),
                  s->local.family == 6 ? ", an address of IPv6: IPv4 is refused"
                                       : ", and 127.0.0.1 is refused");
        probe_failed(p, false);
    }
    probe_sign(p, "never-listened");
    lines_add(&p->result.actual, "it runs, and listens on no port at all");
    probe_failed(p, true);
}

static bool listens(struct probe *p, const struct probe_start *how)
{
    struct socket_sample found;
    uint32_t inode;

    inode = sockets_listener(p->sockets, how->udp ? PROTO_UDP : PROTO_TCP,
                             p->port, &found);
    return inode && right_address(&found.local) && cell_holds(&p->cell, inode);
}

_Noreturn static void not_injected(struct probe *p)
{
    probe_skip(p, "not injected: the program makes its system calls around the "
                  "C library (syscall(2), or it has executed itself anew), so "
                  "they could not be changed");
}

/* It was to be injected, and it talked, and none of its calls was seen. */
void probe_see_injected(struct probe *p)
{
    if (p->started && p->injects && p->heard > 0 && p->cell.calls &&
        !atomic_load(&p->cell.calls->calls[CALL_ACCEPT]))
        not_injected(p);
}

void probe_start(struct probe *p, const struct probe_start *how)
{
    static const struct probe_start plain;
    const struct socket_sample *other;
    struct rest_watch watch;

    how = how ? how : &plain;
    p->listening = p->port;
    probe_launch(p, how);
    rest_begin(p, &watch);
    while (!listens(p, how)) {
        other = elsewhere(p, how->udp);
        if (other && other->local.port != p->port &&
            (is_swapped(p, other->local.port) || watch.rest != REST_NONE)) {
            if (!how->follow)
                not_ready(p, other);
            p->listening = other->local.port;
            probe_step(p, "it listens on %u instead: follow it",
                       (unsigned)p->listening);
            break;
        }
        if (watch.rest != REST_NONE)
            not_ready(p, other);
        if (!rest_look(p, &watch, 0))
            probe_wait(p, -1, 0, soon());
        p->result.timing = watch.backstop;
    }
    if (p->listening == p->port)
        probe_step(p, "the kernel shows LISTEN on 127.0.0.1:%u",
                   (unsigned)p->port);
    if (p->injects && !atomic_load(&p->cell.calls->announced))
        probe_skip(p, "not injected: the program does not load libraries (it "
                      "is linked statically), so its calls could not be "
                      "changed");
    if (p->injects && !atomic_load(&p->cell.calls->calls[CALL_SOCKET]))
        not_injected(p);
}

/* --- signals and the end ---------------------------------------------------*/

void probe_stop(struct probe *p)
{
    struct rest_watch watch;

    if (cell_signal(&p->cell, SIGSTOP) < 0 && errno != ESRCH)
        probe_broken(p, "SIGSTOP");
    p->stopped = true;
    rest_begin(p, &watch);
    while (!p->cell.ended && cell_state(&p->cell) != 'T' &&
           !rest_look(p, &watch, 0))
        probe_wait(p, -1, 0, soon());
    probe_step(p, "stop it (SIGSTOP)");
}

void probe_continue(struct probe *p)
{
    probe_step(p, "let it go on (SIGCONT)");
    p->stopped = false;
    if (cell_signal(&p->cell, SIGCONT) < 0 && errno != ESRCH)
        probe_broken(p, "SIGCONT");
}

void probe_terminate(struct probe *p)
{
    probe_step(p, "ask it to end (SIGTERM)");
    if (cell_signal(&p->cell, SIGTERM) < 0 && errno != ESRCH)
        probe_broken(p, "SIGTERM");
}

void probe_kill(struct probe *p)
{
    probe_step(p, "kill it (SIGKILL)");
    cell_kill(&p->cell);
}

void probe_expect_exit(struct probe *p, int status)
{
    struct rest_watch watch;
    char text[200];

    rest_begin(p, &watch);
    while (!p->cell.ended && !rest_look(p, &watch, 0))
        probe_wait(p, -1, 0, soon());
    if (p->cell.ended && p->cell.signal == 0 && p->cell.exit_status == status) {
        probe_step(p, "it ended with status %d", status);
        return;
    }
    lines_add(&p->result.expected, "%s ends with status %d", probe_name(p),
              status);
    if (p->cell.ended) {
        ending_describe(p, text, sizeof text);
        lines_add(&p->result.actual, "%s %s", probe_name(p), text);
    } else {
        probe_sign(p, "never-ended");
        lines_add(&p->result.actual, "it is still there");
    }
    p->result.timing = watch.backstop;
    probe_failed(p, true);
}

void probe_expect_alive(struct probe *p, const char *after)
{
    char text[200];

    probe_wait(p, -1, 0, clock_now()); /* see what has happened by now */
    if (!p->cell.ended)
        return;
    ending_describe(p, text, sizeof text);
    lines_add(&p->result.expected, "%s goes on after %s", probe_name(p), after);
    lines_add(&p->result.actual, "%s %s", probe_name(p), text);
    if (p->cell.signal == 0)
        probe_sign(p, "gave-up");
    probe_failed(p, false);
}

/* --- what it writes --------------------------------------------------------*/

static const char *stream_text(const struct cell_stream *stream, size_t *length)
{
    *length = stream->bytes < sizeof stream->head ? (size_t)stream->bytes
                                                  : sizeof stream->head;
    return stream->head;
}

const char *probe_stdout(struct probe *p, size_t *length)
{
    return stream_text(&p->cell.out, length);
}

const char *probe_stderr(struct probe *p, size_t *length)
{
    return stream_text(&p->cell.err, length);
}

static void expect_stream(struct probe *p, const struct cell_stream *stream,
                          const char *name, const char *text)
{
    size_t want = strlen(text), length;
    struct rest_watch watch;
    const char *got;

    rest_begin(p, &watch);
    while (stream->bytes < want && !p->cell.ended &&
           !rest_look(p, &watch, stream->bytes))
        probe_wait(p, -1, 0, soon());
    got = stream_text(stream, &length);
    if (length == want && memcmp(got, text, want) == 0) {
        probe_step(p, "its %s is what it should be", name);
        return;
    }
    probe_step(p, "read its %s", name);
    p->result.timing = watch.backstop;
    probe_sign(p, probe_text(p, "wrong-%s", name));
    probe_differ(p, text, want, got, length, probe_text(p, "on %s", name));
}

void probe_expect_stdout(struct probe *p, const char *text)
{
    expect_stream(p, &p->cell.out, "stdout", text);
}

void probe_expect_stderr(struct probe *p, const char *text)
{
    expect_stream(p, &p->cell.err, "stderr", text);
}

/* --- what it uses ----------------------------------------------------------*/

void probe_expect_idle(struct probe *p)
{
    struct rest_watch watch;

    rest_begin(p, &watch);
    while (!rest_look(p, &watch, 0))
        probe_wait(p, -1, 0, soon());
    probe_step(p, "see whether it rests");
    if (watch.rest == REST_BLOCKED && !watch.backstop)
        return;
    lines_add(&p->result.expected, "%s waits inside a call, and uses no CPU",
              probe_name(p));
    lines_add(&p->result.actual, "%s",
              watch.rest == REST_SPINS
                  ? "it runs all the time, though there is nothing to do"
              : watch.rest == REST_ENDED ? "it has ended"
                                         : "it never came to rest");
    p->result.timing = watch.backstop;
    probe_failed(p, true);
}

/* A process that is just ending cannot be counted: then once more. */
int probe_descriptors(struct probe *p)
{
    struct rest_watch watch;
    int now;

    rest_begin(p, &watch);
    while ((now = cell_descriptors(&p->cell)) < 0 && !rest_look(p, &watch, 0))
        probe_wait(p, -1, 0, soon());
    p->processes = cell_living(&p->cell);
    return now;
}

void probe_expect_descriptors(struct probe *p, int most)
{
    struct rest_watch watch;
    int now, more;

    rest_begin(p, &watch);
    while (((now = cell_descriptors(&p->cell)) > most || now < 0) &&
           !rest_look(p, &watch, (uint64_t)now))
        probe_wait(p, -1, 0, soon());
    if (now < 0 && !p->cell.ended)
        probe_broken(p, "counting its descriptors");
    probe_step(p, "count its descriptors: %d", now);
    if (now >= 0 && now <= most)
        return;
    more = cell_living(&p->cell) - p->processes;
    probe_sign(p, more > 0 ? "process-leak" : "descriptor-leak");
    lines_add(&p->result.expected, "at most %d descriptors are open", most);
    if (more > 0)
        lines_add(&p->result.actual,
                  "%d are open: %d of its processes go on that had not begun "
                  "when these were counted (does each child call exit?)",
                  now, more);
    else
        lines_add(&p->result.actual, "%d are open", now);
    p->result.timing = watch.backstop;
    probe_failed(p, true);
}

int probe_backlog(struct probe *p)
{
    struct socket_sample listener;

    return sockets_listener(p->sockets, PROTO_TCP, p->listening, &listener)
               ? (int)listener.send_queue /* so sock_diag(7) names it */
               : -1;
}

long probe_peak_kb(struct probe *p)
{
    return cell_peak_kb(&p->cell);
}

void probe_expect_memory(struct probe *p, long before_kb, long grow_kb)
{
    long grown = cell_peak_kb(&p->cell) - before_kb;

    probe_step(p, "look at its memory: %ld KiB more", grown);
    if (grown <= grow_kb)
        return;
    probe_sign(p, "memory-grows");
    lines_add(&p->result.expected, "at most %ld KiB more than before", grow_kb);
    lines_add(&p->result.actual, "%ld KiB more", grown);
    probe_failed(p, false);
}

const struct calls_log *probe_calls(struct probe *p)
{
    return p->cell.calls;
}
