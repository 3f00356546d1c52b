/* The life of a check: its clock, its transcript, its record. See probes.h. */
#include "tests/grader/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

const char *probe_name(const struct probe *p)
{
    return p->lab->program;
}

int probe_wait(struct probe *p, int fd, short events, int64_t deadline)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events},
                            {.fd = wire_fd(p->wire), .events = POLLIN}};
    bool ended = p->cell.ended;

    for (;;) {
        if (cell_poll(&p->cell, fds, 2, deadline) < 0 && errno != EINTR)
            probe_broken(p, "waiting failed");
        if (fds[1].revents)
            wire_drain(p->wire);
        if (fd >= 0 && fds[0].revents)
            return 1;
        if (p->cell.ended != ended || clock_now() >= deadline)
            return 0;
    }
}

/* --- the record ------------------------------------------------------------*/

static void report(struct probe *p)
{
    char *record = result_write(&p->result);
    size_t length = record ? strlen(record) : 0, done = 0;

    if (!record)
        return;
    record[length++] = '\n'; /* in place of the end of the string */
    while (done < length) {
        ssize_t n = write(p->report, record + done, length - done);

        if (n < 0 && errno != EINTR)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    free(record);
}

void probe_open(struct probe *p)
{
    p->start_ns = clock_now();
    p->deadline = p->start_ns +
                  (int64_t)((p->check->seconds ? p->check->seconds : 10) *
                            p->isolation->scale * CLOCK_SECOND);
    p->result.grade = GRADE_ERROR;
    p->result.reason = strdup("the tester itself ended before the check did");
    report(p);
}

/* Where the n-th step (from 0) is kept; the oldest of the ring are lost. */
static struct step *step_at(struct probe *p, size_t n)
{
    if (n < FIRST_STEPS)
        return &p->step[n];
    return &p->step[FIRST_STEPS + (n - FIRST_STEPS) % LAST_STEPS];
}

/* One stream of the program beside the steps: its next row, not yet told. */
struct told {
    const char *name;
    struct ending_words words;
    char text[200];
    bool more;
};

static void tell_words(struct probe *p, struct told *told, int64_t until)
{
    while (told->more && told->words.time_ns < until) {
        lines_add(
            &p->result.steps, "   %s: %-46s %7.3f s", told->name, told->text,
            (double)(told->words.time_ns - p->start_ns) / (double)CLOCK_SECOND);
        told->more = ending_words_next(&told->words, told->text,
                                       sizeof told->text);
    }
}

/* The tester's steps and the program's words, in the order of time. */
static void write_steps(struct probe *p)
{
    const size_t kept = FIRST_STEPS + LAST_STEPS;
    size_t skip = p->steps > kept ? p->steps - kept : 0;
    int digits = p->steps > 99 ? 3 : 2;
    struct told told[] = {{.name = "stdout"}, {.name = "stderr"}};

    for (int s = 0; p->started && s < 2; s++) {
        ending_words_begin(p, s ? &p->cell.err : &p->cell.out, &told[s].words);
        told[s].more = ending_words_next(&told[s].words, told[s].text,
                                         sizeof told[s].text);
    }
    for (size_t i = 0; i <= p->steps; i++) {
        const struct step *step;

        if (skip && i == FIRST_STEPS) {
            lines_add(&p->result.steps, "   ... %zu more", skip);
            i += skip;
        }
        step = step_at(p, i);
        for (int s = 0; s < 2; s++)
            tell_words(p, &told[s], i < p->steps ? step->time_ns : INT64_MAX);
        if (i < p->steps)
            lines_add(&p->result.steps, "%-*zu %-*s %7.3f s", digits,
                      step->number, 56 - digits, step->text,
                      (double)(step->time_ns - p->start_ns) /
                          (double)CLOCK_SECOND);
    }
}

void probe_finish(struct probe *p, enum grade grade)
{
    p->result.grade = grade;
    p->result.final = true;
    if (grade != GRADE_ERROR && grade != GRADE_SKIP) {
        free(p->result.reason);
        p->result.reason = NULL;
    }
    if (grade == GRADE_PASS)
        p->result.points = p->check->points;
    if (grade == GRADE_FAIL)
        write_steps(p);
    if (p->started && grade != GRADE_PASS)
        p->result.log = ending_log(p);
    wire_drain(p->wire);
    if (p->wire && p->subject && grade == GRADE_FAIL)
        wire_describe(p->wire, p->subject->port, &p->result.wire);
    else if (!p->wire && grade == GRADE_FAIL)
        lines_add(&p->result.wire, "not captured: %s", p->no_wire);
    p->result.captured = p->wire != NULL;
    wire_close(p->wire);
    if (p->started)
        cell_close(&p->cell);
    report(p);
    _exit(0);
}

void probe_failed(struct probe *p, bool stuck)
{
    if (p->started && p->cell.ended)
        ending_examine(p);
    else if (p->started && stuck)
        autopsy(p);
    probe_finish(p, GRADE_FAIL);
}

static _Noreturn void end_with(struct probe *p, enum grade grade,
                               const char *reason)
{
    free(p->result.reason);
    p->result.reason = strdup(reason);
    probe_finish(p, grade);
}

void probe_broken(struct probe *p, const char *why)
{
    char text[400];

    snprintf(text, sizeof text, "%s: %s", why, strerror(errno));
    end_with(p, GRADE_ERROR, text);
}

void probe_skip(struct probe *p, const char *reason)
{
    end_with(p, GRADE_SKIP, reason);
}

void probe_fail(struct probe *p, const char *expected, const char *actual)
{
    lines_add(&p->result.expected, "%s", expected);
    lines_add(&p->result.actual, "%s", actual);
    probe_failed(p, true);
}

/* --- what a check says of itself -------------------------------------------*/

const char *probe_text(struct probe *p, const char *format, ...)
{
    size_t room = TEXTS - p->text_used;
    char *text = p->text + p->text_used;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(text, room, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= room)
        return "(too much text)";
    p->text_used += (size_t)n + 1;
    return text;
}

void probe_step(struct probe *p, const char *format, ...)
{
    struct step *step = step_at(p, p->steps++);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(step->text, sizeof step->text, format, arguments);
    va_end(arguments);
    step->number = p->steps;
    step->time_ns = clock_now();
}

void probe_earn(struct probe *p, int points)
{
    p->result.points += points;
    if (p->result.points > p->check->points)
        p->result.points = p->check->points;
}

void probe_sign(struct probe *p, const char *sign)
{
    result_sign(&p->result, sign);
}

void probe_remark(struct probe *p, const char *format, ...)
{
    char text[400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    lines_add(&p->result.remarks, "%s", text);
}

/* --- chance, by the seed ---------------------------------------------------*/

/* splitmix64: small, and the same everywhere. */
static uint64_t next_random(struct probe *p)
{
    uint64_t z = p->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t probe_random(struct probe *p, uint32_t below)
{
    return below ? (uint32_t)(next_random(p) >> 32) % below : 0;
}

void probe_bytes(struct probe *p, void *bytes, size_t length)
{
    uint8_t *to = bytes;

    for (size_t i = 0; i < length; i++)
        to[i] = (uint8_t)(next_random(p) >> 56);
}

/* Below the range of ephemeral ports; and its swapped twin is another port
 * that an ordinary user may listen on, so that it can be found there. */
uint16_t probe_new_port(struct probe *p)
{
    uint16_t port, swapped;

    do {
        port = (uint16_t)(10000 + probe_random(p, 20000));
        swapped = (uint16_t)(port << 8 | port >> 8);
    } while (swapped == port || swapped < 1024 || port == p->port);
    p->port = p->listening = port;
    return port;
}

uint16_t probe_port(const struct probe *p)
{
    return p->port;
}

uint16_t probe_listening(const struct probe *p)
{
    return p->listening;
}
