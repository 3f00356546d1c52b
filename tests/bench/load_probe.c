/*
 * What the kernel knows of a server: its CPU clock (clock_getcpuclockid(3)),
 * its anonymous memory (/proc/PID/status), and how many system calls it makes
 * (a counter on the tracepoint raw_syscalls:sys_enter, perf_event_open(2);
 * root, or perf_event_paranoid below 0). Nothing of it slows the server but the
 * last, which is why calls are counted in a slice of their own.
 */
#include "tests/bench/load.h"

#include <dirent.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int64_t probe_cpu_ns(const struct target *t)
{
    struct timespec now;
    if (clock_gettime(t->cpu_clock, &now))
        return 0;
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

long probe_memory(pid_t pid)
{
    char path[64], line[256];
    long kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kilobytes = strtol(line + 8, NULL, 10);
    fclose(file);
    return kilobytes * 1024;
}

void probe_pin(pid_t pid, int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(pid, sizeof set, &set);
}

static long tracepoint(const char *name)
{
    static const char *const roots[] = {"/sys/kernel/tracing",
                                        "/sys/kernel/debug/tracing"};
    for (unsigned i = 0; i < 2; i++) {
        char path[128], text[32];
        snprintf(path, sizeof path, "%s/events/%s/id", roots[i], name);
        FILE *file = fopen(path, "r");
        if (!file)
            continue;
        long id = fgets(text, sizeof text, file) ? strtol(text, NULL, 10) : -1;
        fclose(file);
        return id;
    }
    return -1;
}

static int counter_open(long id, pid_t thread)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_TRACEPOINT,
        .size = sizeof attr,
        .config = (uint64_t)id,
    };
    return (int)syscall(SYS_perf_event_open, &attr, thread, -1, -1,
                        PERF_FLAG_FD_CLOEXEC);
}

int calls_begin(struct call_counter *c, pid_t pid)
{
    char path[64];
    long all = tracepoint("raw_syscalls/sys_enter");
    long ctl = tracepoint("syscalls/sys_enter_epoll_ctl");
    c->count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = all < 0 || ctl < 0 ? NULL : opendir(path);
    if (!threads)
        return -1;
    struct dirent *entry;
    while ((entry = readdir(threads)) && c->count < 16) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread <= 0)
            continue;
        c->all[c->count] = counter_open(all, thread);
        c->ctl[c->count] = counter_open(ctl, thread);
        c->count++;
    }
    closedir(threads);
    if (c->count > 0 && c->all[0] >= 0 && c->ctl[0] >= 0)
        return 0;
    uint64_t ignored;
    calls_end(c, &ignored, &ignored);
    return -1;
}

static uint64_t counter_take(int fd)
{
    uint64_t value = 0;
    if (fd < 0)
        return 0;
    if (read(fd, &value, sizeof value) != sizeof value)
        value = 0;
    close(fd);
    return value;
}

void calls_end(struct call_counter *c, uint64_t *all, uint64_t *epoll_ctl)
{
    *all = *epoll_ctl = 0;
    for (int i = 0; i < c->count; i++) {
        *all += counter_take(c->all[i]);
        *epoll_ctl += counter_take(c->ctl[i]);
    }
}

static unsigned slot_of(int64_t ns)
{
    uint64_t value = ns > 0 ? (uint64_t)ns : 0;
    if (value < 32)
        return (unsigned)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value);
    unsigned slot = 32 * (power - 4) + (unsigned)(value >> (power - 5)) % 32;
    return slot < HISTOGRAM_SLOTS ? slot : HISTOGRAM_SLOTS - 1;
}

static int64_t slot_value(unsigned slot)
{
    if (slot < 32)
        return slot;
    unsigned power = slot / 32 + 4;
    return (int64_t)(32 + slot % 32) << (power - 5);
}

void histogram_add(struct histogram *h, int64_t ns)
{
    h->slots[slot_of(ns)]++;
    h->total++;
}

int64_t histogram_at(const struct histogram *h, double share)
{
    uint64_t until = (uint64_t)((double)h->total * share), seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_SLOTS; i++) {
        seen += h->slots[i];
        if (seen > until)
            return slot_value(i);
    }
    return 0;
}
