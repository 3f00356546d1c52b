/*
 * When a program can go on no more, seen in the kernel and not on a clock: all
 * its threads are inside accept, recv or send, none has run since the last
 * looks, and nothing that they wait for is queued. Or it burns CPU and nothing
 * moves. The times below only filter what is in flight on a busy machine.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "common/clock.h"
#include "tests/grader/probe.h"

enum {
    BLOCKED_MS = 300, /* still for so long, inside accept, recv, send */
    OTHER_MS = 2500,  /* inside anything else: it may have a timer */
    SPIN_MS = 300,    /* CPU time of the program, and no progress */
    LOOK_MS = 25,
    SETTLED_LOOKS = 20
};

static void sample(void *self, const struct event *event)
{
    struct probe *p = self;

    if (event->kind == EVENT_SOCKET && p->samples < SAMPLES)
        p->sample[p->samples++] = event->socket;
}

int probe_look(struct probe *p)
{
    p->samples = 0;
    if (!p->sockets) {
        errno = ENOTSUP;
        return -1;
    }
    return sockets_look(p->sockets, sample, p);
}

const struct socket_sample *probe_server_end(const struct probe *p,
                                             const struct peer *peer)
{
    for (size_t i = 0; peer && i < p->samples; i++) {
        const struct socket_sample *s = &p->sample[i];

        if (s->protocol == PROTO_TCP && s->state != TCP_LISTEN &&
            s->remote.port == peer->port && s->local.port == p->listening)
            return s;
    }
    return NULL;
}

/* Bytes that the program has not read yet, and connections not accepted. */
static uint64_t queued(const struct probe *p)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < p->samples; i++)
        if (p->sample[i].local.port == p->listening)
            sum += p->sample[i].receive_queue;
    return sum;
}

/* Cheap: the first look reads what the next ones are compared with. */
void rest_begin(struct probe *p, struct rest_watch *watch)
{
    (void)p;
    *watch = (struct rest_watch){.since = clock_now(), .cpu = -1};
    watch->looked = watch->since;
}

/* How a program waits, from the surest to the least sure. */
enum stillness {
    WAITS_UNTIMED, /* every thread in a call that no time-out ends */
    WAITS_NAMED,   /* or in select, poll, epoll_wait, which may have one */
    WAITS_OTHER,   /* asleep in something else: a timer, a lock, a disk */
    WAITS_NOT      /* one of them runs, or is about to */
};

static enum stillness of_thread(const struct wait_info *thread)
{
    if (thread->running || thread->number < 0) /* a page fault: it will run */
        return WAITS_NOT;
    switch (thread->call) {
    case WAIT_ACCEPT:
    case WAIT_RECV:
    case WAIT_SEND:
        return WAITS_UNTIMED;
    case WAIT_SELECT:
    case WAIT_POLL:
    case WAIT_EPOLL:
        return WAITS_NAMED;
    default:
        break;
    }
#ifdef SYS_pause
    if (thread->number == SYS_pause)
        return WAITS_UNTIMED;
#endif
    return thread->number == SYS_wait4 || thread->number == SYS_waitid ||
                   thread->number == SYS_rt_sigsuspend
               ? WAITS_UNTIMED
               : WAITS_OTHER;
}

static enum stillness stillness(struct probe *p)
{
    struct wait_info thread[THREADS];
    pid_t pids[CELL_PIDS];
    int count = cell_pids(&p->cell, pids, CELL_PIDS);
    enum stillness worst = WAITS_UNTIMED;
    bool living = false;

    for (int i = 0; i < count; i++) {
        int n = waits_look(pids[i], thread, THREADS);

        /* Who has ended and was not waited for looks like one who runs. */
        if (n <= 0 && cell_thread_ended(pids[i], pids[i]))
            continue;
        if (n == 0)
            return WAITS_NOT; /* it is ending */
        living = living || n < 0;
        if (n < 0 && worst < WAITS_OTHER)
            worst = WAITS_OTHER; /* may not look: only stillness counts */
        for (int t = 0; t < n && t < THREADS; t++) {
            enum stillness s = of_thread(&thread[t]);

            if (s == WAITS_NOT && cell_thread_ended(pids[i], thread[t].thread))
                continue;
            living = true;
            worst = s > worst ? s : worst;
        }
    }
    return living ? worst : WAITS_NOT;
}

bool rest_look(struct probe *p, struct rest_watch *watch, uint64_t progress)
{
    int64_t now = clock_now(), cpu, switches;
    double scale = p->isolation->scale;
    enum stillness still;
    uint64_t waiting;
    int ms;

    if (!p->started || p->cell.ended) {
        watch->rest = REST_ENDED;
        return true;
    }
    if (now >= p->deadline) {
        watch->backstop = true;
        watch->rest = REST_BLOCKED;
        return true;
    }
    if (p->stopped || now - watch->looked < LOOK_MS * CLOCK_MS)
        return false;
    watch->looked = now;
    cpu = cell_cpu_ns(&p->cell);
    switches = cell_switches(&p->cell);
    if (watch->cpu < 0) { /* the first look */
        watch->cpu = watch->cpu_start = cpu;
        watch->since = now;
    }
    waiting = probe_look(p) == 0 ? queued(p) : 0;
    if (progress != watch->progress || waiting != watch->queued) {
        watch->progress = progress;
        watch->queued = waiting;
        watch->cpu_start = cpu;
        watch->since = now;
    }
    if (cpu - watch->cpu_start > SPIN_MS * (int64_t)CLOCK_MS) {
        watch->rest = REST_SPINS;
        return true;
    }
    still = stillness(p);
    ms = still == WAITS_UNTIMED ? BLOCKED_MS : OTHER_MS;
    if (still == WAITS_NOT || cpu != watch->cpu || switches != watch->switches)
        watch->since = now;
    watch->cpu = cpu;
    watch->switches = switches;
    if (still != WAITS_NOT &&
        now - watch->since > (int64_t)((double)ms * scale) * CLOCK_MS) {
        watch->rest = REST_BLOCKED;
        return true;
    }
    return false;
}

/* Nothing to do and nothing doing, in looks that follow each other: two where
 * the calls say what it waits for, more where only its stillness does. */
bool probe_settled(struct probe *p)
{
    struct rest_watch watch;
    int64_t switches = -1;
    int same = 0;

    rest_begin(p, &watch);
    for (;;) {
        enum stillness still = stillness(p);
        int64_t now = cell_switches(&p->cell);

        same = still == WAITS_NOT || now != switches ? 0 : same + 1;
        switches = now;
        if (same >= (still <= WAITS_NAMED ? 2 : SETTLED_LOOKS) &&
            probe_look(p) == 0 && queued(p) == 0)
            return true;
        if (rest_look(p, &watch, 0))
            return watch.rest == REST_ENDED;
        probe_wait(p, -1, 0, clock_now() + CLOCK_MS);
        if (p->cell.ended)
            return true;
    }
}
