/*
 * Why a program does not go on: for each thread the call it is inside, the
 * descriptor, what the kernel knows of that socket, and what follows from the
 * two. Read from outside, while it still hangs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "common/clock.h"
#include "tests/grader/probe.h"
#include "viz/decode/decode.h"

enum { TOLD = 6, LOOKS = 12 };

static const struct socket_sample *by_inode(const struct probe *p,
                                            uint32_t inode)
{
    for (size_t i = 0; inode && i < p->samples; i++)
        if (p->sample[i].inode == inode)
            return &p->sample[i];
    return NULL;
}

/* One socket in words: "127.0.0.1:7001 CLOSE_WAIT, 0 bytes unread". */
static void socket_words(const struct socket_sample *s, char *text, size_t size)
{
    char remote[64];

    if (s->state == TCP_LISTEN)
        snprintf(text, size, "the listener on port %u, %u waiting in its queue",
                 (unsigned)s->local.port, s->receive_queue);
    else
        snprintf(text, size, "%s from %s, %u unread, %u unsent",
                 tcp_state_name(s->state),
                 endpoint_text(&s->remote, remote, sizeof remote),
                 s->receive_queue, s->send_queue);
}

/* What the two together mean. */
static const char *meaning(const struct probe *p, const struct wait_info *w,
                           const struct socket_sample *s)
{
    const struct socket_sample *mine = probe_server_end(p, p->subject);

    if (w->call == WAIT_ACCEPT && mine && mine->state == TCP_CLOSE_WAIT)
        return "it waits for the next client; this one's FIN has come, and its "
               "own was never sent";
    if (w->call == WAIT_ACCEPT && mine && mine->inode == 0)
        return "it is in accept(), on another socket than the client's";
    if (w->call == WAIT_RECV && s && s->state == TCP_ESTABLISHED && mine &&
        mine->cookie != s->cookie)
        return "it waits for another client to speak";
    if (w->call == WAIT_RECV && s && s->state == TCP_ESTABLISHED)
        return "everything sent has been read; it waits for more";
    if (w->call == WAIT_SEND && s && s->send_queue)
        return "the client does not read, and the send buffer is full";
    return NULL;
}

/* Calls that a server is often stuck in, and the lab's tables do not name. */
static const struct {
    long number;
    const char *words;
} others[] = {
#ifdef SYS_pause
    {SYS_pause, "pause(): it waits for a signal, and for nothing else"},
#endif
    {SYS_rt_sigsuspend, "sigsuspend(): it waits for a signal"},
    {SYS_nanosleep, "a sleep: it waits for a clock"},
    {SYS_clock_nanosleep, "a sleep: it waits for a clock"},
    {SYS_futex, "a lock, or pthread_join(): it waits for another thread"},
    {SYS_wait4, "waitpid(): it waits for a child to end"},
    {SYS_waitid, "waitid(): it waits for a child to end"},
};

static void tell_other(struct probe *p, int number, long call)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].number == call) {
            lines_add(&p->result.autopsy, "thread %d is inside %s", number,
                      others[i].words);
            return;
        }
    lines_add(&p->result.autopsy, "thread %d is inside system call %ld", number,
              call);
}

static void tell_blocked(struct probe *p, pid_t pid, int number,
                         const struct wait_info *w)
{
    const struct socket_sample *s = NULL;
    char text[160];
    const char *why;

    if (w->fd >= 0)
        s = by_inode(p, cell_socket_inode(pid, w->fd));
    if (w->call == WAIT_OTHER)
        tell_other(p, number, w->number);
    else
        lines_add(&p->result.autopsy, "thread %d is inside %s(fd %d)", number,
                  wait_call_name(w->call), w->fd);
    probe_sign(p, w->call == WAIT_ACCEPT ? "in-accept"
                  : w->call == WAIT_RECV ? "in-recv"
                  : w->call == WAIT_SEND ? "in-send"
                                         : "in-other");
    if (s) {
        socket_words(s, text, sizeof text);
        lines_add(&p->result.autopsy, "  fd %d is %s", w->fd, text);
    }
    why = meaning(p, w, s);
    if (why)
        lines_add(&p->result.autopsy, "  %s", why);
}

/* Running now may be chance: it spins when it runs in look after look. */
static bool spins(struct probe *p, pid_t pid, int thread)
{
    struct wait_info seen[THREADS];
    int64_t cpu = cell_cpu_ns(&p->cell);
    int running = 0;

    for (int i = 0; i < LOOKS; i++) {
        int n = waits_look(pid, seen, THREADS);

        running += thread < n && thread < THREADS && seen[thread].running;
        probe_wait(p, -1, 0, clock_now() + 5 * CLOCK_MS);
    }
    return running > LOOKS / 2 || cell_cpu_ns(&p->cell) - cpu > 0;
}

static void tell_running(struct probe *p, pid_t pid, int index)
{
    const struct socket_sample *mine;

    if (!spins(p, pid, index)) {
        lines_add(&p->result.autopsy, "thread %d runs and waits by turns",
                  index + 1);
        probe_sign(p, "in-other");
        return;
    }
    probe_sign(p, "spins");
    lines_add(&p->result.autopsy,
              "thread %d runs all the time: it waits for "
              "nothing (%.1f s of CPU so far)",
              index + 1, (double)cell_cpu_ns(&p->cell) / (double)CLOCK_SECOND);
    mine = probe_look(p) == 0 ? probe_server_end(p, p->subject) : NULL;
    if (mine && mine->state == TCP_CLOSE_WAIT && mine->receive_queue == 0)
        lines_add(&p->result.autopsy, "  recv() returned 0 (the client's FIN), "
                                      "and returns 0 for ever");
}

/* The connection that the evidence is about, at the program's end. */
static void tell_connection(struct probe *p)
{
    const struct socket_sample *mine = probe_server_end(p, p->subject);

    if (!p->subject)
        return;
    if (!mine) {
        lines_add(&p->result.autopsy, "its end of the connection is closed");
        return;
    }
    if (mine->state == TCP_CLOSE_WAIT)
        probe_sign(p, "close-wait");
    if (mine->inode == 0) {
        probe_sign(p, "unaccepted");
        lines_add(&p->result.autopsy,
                  "the connection was never accepted: it waits in the "
                  "listener's queue");
    } else {
        lines_add(&p->result.autopsy,
                  "its end of the connection is %s, %u bytes unread, %u unsent",
                  tcp_state_name(mine->state), mine->receive_queue,
                  mine->send_queue);
    }
    lines_add(&p->result.autopsy,
              "so far %" PRIu64 " bytes to the program, %" PRIu64 " back",
              p->subject->sent, p->subject->received);
}

void autopsy(struct probe *p)
{
    pid_t pids[CELL_PIDS];
    int count = cell_pids(&p->cell, pids, CELL_PIDS), told = 0;

    probe_look(p);
    if (count > TOLD)
        lines_add(&p->result.autopsy, "it has %d processes", count);
    for (int i = 0; i < count; i++) {
        struct wait_info thread[THREADS];
        int n = waits_look(pids[i], thread, THREADS);

        if (n < 0 && count == 1)
            lines_add(&p->result.autopsy, "could not inspect it: %s",
                      strerror(errno));
        for (int t = 0; t < n && t < THREADS; t++, told++) {
            if (told >= TOLD)
                continue;
            if (thread[t].running)
                tell_running(p, pids[i], t);
            else
                tell_blocked(p, pids[i], t + 1, &thread[t]);
        }
    }
    if (told > TOLD)
        lines_add(&p->result.autopsy, "and %d threads more", told - TOLD);
    tell_connection(p);
}
