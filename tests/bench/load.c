/*
 * Loads echo servers in turn and tells what each of them spent.
 *
 *     load [options] NAME=PID:PORT[+IDLE] ...
 *
 * The first target is what the others are compared with. One line a target:
 * name, ratio of CPU a message (median, then the 10th and 90th percentile over
 * the rounds), CPU ns a message, ratio of the rates, rate, latency
 * percentiles in microseconds, system calls a message, epoll_ctl a message,
 * datagrams lost. `-M` instead tells bytes an idle connection of one target.
 */
#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TARGETS = 16, ROUNDS = 200 };

static void usage(void)
{
    fputs(
        "usage: load [-c connections] [-s bytes] [-p in-flight] [-m messages]\n"
        "            [-r rounds] [-u | -k] [-y] [-M] NAME=PID:PORT[+IDLE] ...\n"
        "  -u datagrams, -k connect-echo-close, -y count system calls,\n"
        "  -M memory an idle connection (from -c to ten times as many)\n",
        stderr);
    exit(2);
}

static unsigned number(const char *text, unsigned most)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (end == text || *end || n < 1 || n > most)
        errx(2, "%s: a number from 1 to %u is needed", text, most);
    return (unsigned)n;
}

static void target_parse(struct target *t, const char *text)
{
    unsigned pid, port;
    int used = 0;
    t->idle = 0;
    if (sscanf(text, "%31[^=]=%u:%u%n", t->name, &pid, &port, &used) != 3 ||
        port < 1 || port > 65535)
        errx(2, "%s: NAME=PID:PORT is needed", text);
    if (text[used] == '+')
        t->idle = number(text + used + 1, 100000);
    t->pid = (pid_t)pid;
    t->address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (clock_getcpuclockid(t->pid, &t->cpu_clock))
        errx(2, "%s: there is no process %u", t->name, pid);
}

static int slice_run(const struct load *load, struct target *t,
                     unsigned messages)
{
    if (load->kind == LOAD_CONNECTS)
        return connects_slice(load, t, messages);
    return stream_slice(load, t, messages);
}

/* A short unmeasured run first: the caches are the previous target's. */
static int slice_measure(const struct load *load, struct target *t,
                         struct slice *s)
{
    if (slice_run(load, t, load->slice / 20 + load->connections))
        return -1;
    int64_t cpu = probe_cpu_ns(t), begun = load_now();
    if (slice_run(load, t, load->slice))
        return -1;
    int64_t took = load_now() - begun;
    s->cpu_ns = (double)(probe_cpu_ns(t) - cpu) / load->slice;
    s->rate = load->slice * 1e9 / (double)took;
    return 0;
}

static void calls_measure(const struct load *load, struct target *t)
{
    struct call_counter counter;
    uint64_t all, ctl;
    if (calls_begin(&counter, t->pid))
        return;
    int status = slice_run(load, t, load->slice);
    calls_end(&counter, &all, &ctl);
    if (status)
        return;
    t->calls = (double)all / load->slice;
    t->epoll_ctls = (double)ctl / load->slice;
    t->calls_known = true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double at(double *values, unsigned n, double share)
{
    qsort(values, n, sizeof *values, by_value);
    double place = share * (n - 1);
    unsigned low = (unsigned)place;
    unsigned high = low + 1 < n ? low + 1 : low;
    return values[low] + (place - low) * (values[high] - values[low]);
}

static void report(const struct load *load, struct target *t,
                   const struct target *base)
{
    unsigned n = load->rounds;
    double cpu[ROUNDS], cpu_ratio[ROUNDS], rate[ROUNDS], rate_ratio[ROUNDS];
    for (unsigned i = 0; i < n; i++) {
        cpu[i] = t->slices[i].cpu_ns;
        rate[i] = t->slices[i].rate;
        cpu_ratio[i] = cpu[i] / base->slices[i].cpu_ns;
        rate_ratio[i] = rate[i] / base->slices[i].rate;
    }
    printf("%s %.4f %.4f %.4f %.0f %.3f %.0f", t->name, at(cpu_ratio, n, 0.5),
           at(cpu_ratio, n, 0.1), at(cpu_ratio, n, 0.9), at(cpu, n, 0.5),
           at(rate_ratio, n, 0.5), at(rate, n, 0.5));
    static const double shares[] = {0.5, 0.9, 0.99, 0.999};
    for (unsigned i = 0; i < 4; i++)
        printf(" %.1f", (double)histogram_at(&t->latency, shares[i]) / 1000);
    if (t->calls_known)
        printf(" %.3f %.4f", t->calls, t->epoll_ctls);
    else
        printf(" - -");
    printf(" %llu\n", (unsigned long long)t->lost);
}

/* From `few` idle connections to ten times as many: bytes for each. Every one
 * has spoken once, as a real one has. */
static int memory_measure(struct target *t, unsigned few)
{
    if (idle_open(t, few))
        return -1;
    long before = probe_memory(t->pid);
    if (idle_open(t, 9 * few))
        return -1;
    printf("%s %.1f\n", t->name,
           (double)(probe_memory(t->pid) - before) / (9.0 * few));
    return 0;
}

static int measure(const struct load *load, struct target *targets,
                   unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct target *t = &targets[i];
        t->slices = calloc(load->rounds, sizeof *t->slices);
        if (!t->slices || stream_open(load, t) || idle_open(t, t->idle))
            return -1;
    }
    /* Who begins changes from round to round. */
    for (unsigned round = 0; round < load->rounds; round++)
        for (unsigned i = 0; i < count; i++) {
            struct target *t = &targets[(i + round) % count];
            if (slice_measure(load, t, &t->slices[round]))
                return -1;
        }
    for (unsigned i = 0; i < count && load->count_calls; i++)
        calls_measure(load, &targets[i]);
    for (unsigned i = 0; i < count; i++)
        report(load, &targets[i], &targets[0]);
    return 0;
}

/* The servers on the first CPU we may use, the load on the last. */
static void pin(const struct target *targets, unsigned count)
{
    cpu_set_t allowed;
    int first = -1, last = -1;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed)) {
            first = first < 0 ? cpu : first;
            last = cpu;
        }
    if (first == last)
        return;
    probe_pin(0, last);
    for (unsigned i = 0; i < count; i++)
        probe_pin(targets[i].pid, first);
}

static void parse(int argc, char **argv, struct load *load)
{
    int c;
    while ((c = getopt(argc, argv, "c:s:p:m:r:ukyM")) != -1) {
        if (c == 'c')
            load->connections = number(optarg, 100000);
        else if (c == 's')
            load->size = number(optarg, 1 << 20);
        else if (c == 'p')
            load->in_flight = number(optarg, 1024);
        else if (c == 'm')
            load->slice = number(optarg, 1000000000);
        else if (c == 'r')
            load->rounds = number(optarg, ROUNDS);
        else if (c == 'u')
            load->kind = LOAD_DATAGRAM;
        else if (c == 'k')
            load->kind = LOAD_CONNECTS;
        else if (c == 'y')
            load->count_calls = true;
        else if (c == 'M')
            load->memory = true;
        else
            usage();
    }
}

int main(int argc, char **argv)
{
    struct load load = {.connections = 100,
                        .in_flight = 1,
                        .size = 64,
                        .slice = 20000,
                        .rounds = 9};
    static struct target targets[TARGETS];
    struct rlimit files;
    parse(argc, argv, &load);
    unsigned count = (unsigned)(argc - optind);
    if (count < 1 || count > TARGETS)
        usage();
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    for (unsigned i = 0; i < count; i++)
        target_parse(&targets[i], argv[optind + (int)i]);
    pin(targets, count);
    if (load.memory)
        return memory_measure(&targets[0], load.connections) ? 1 : 0;
    return measure(&load, targets, count) ? 1 : 0;
}
