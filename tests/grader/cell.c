/* See cell.h: start, serve, end. What /proc says of a cell is in look.c. */
#include "tests/grader/cell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/grader/launch.h"

enum {
    WATCH_MS = 20, /* how often memory is looked at */
    WAIT_FDS = 64, /* of the caller, at once */
    SANITIZED = 4  /* times the memory that a sanitizer's shadow needs */
};

static int pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void cell_defaults(struct cell_limits *limits)
{
    if (!limits->processes)
        limits->processes = 64;
    if (!limits->descriptors)
        limits->descriptors = 256;
    if (!limits->file_mb)
        limits->file_mb = 32;
    if (!limits->cpu_seconds)
        limits->cpu_seconds = 20;
    if (!limits->memory_mb)
        limits->memory_mb = 256;
}

/* The log that the preload library shares with us. */
static int open_calls(struct cell *cell)
{
    const size_t size = sizeof *cell->calls;
    int fd = memfd_create("calls", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
        return -1;
    cell->calls = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (cell->calls == MAP_FAILED) {
        cell->calls = NULL;
        close(fd);
        return -1;
    }
    cell->calls->plan = *cell->plan.calls;
    return fd;
}

static void describe(struct launch *launch, const struct cell *cell,
                     const char **argv, size_t room, char *path, size_t size)
{
    const struct cell_plan *plan = &cell->plan;
    size_t n = 0;

    launch->shim.cpu_seconds = plan->limits.cpu_seconds;
    launch->shim.processes = plan->limits.processes;
    launch->shim.descriptors = plan->limits.descriptors;
    launch->shim.file_mb = plan->limits.file_mb;
    launch->box_mb = 32;
    launch->file[launch->files++] = (struct launch_file){.name = plan->name,
                                                         .fd = plan->program};
    snprintf(path, size, "./%s", plan->name);
    launch->path = path;
    argv[n++] = plan->name;
    for (const char *const *arg = plan->args; arg && *arg && n + 1 < room;)
        argv[n++] = *arg++;
    argv[n] = NULL;
    launch->argv = argv;
    launch->environment[launch->environments][0] = "PATH";
    launch->environment[launch->environments++][1] = "/usr/bin:/bin";
    launch->environment[launch->environments][0] = "LC_ALL";
    launch->environment[launch->environments++][1] = "C.UTF-8";
    if (plan->sanitized) {
        launch->environment[launch->environments][0] = "ASAN_OPTIONS";
        launch->environment[launch->environments++][1] =
            "exitcode=99:handle_segv=1:allocator_may_return_null=1";
        launch->environment[launch->environments][0] = "UBSAN_OPTIONS";
        launch->environment[launch->environments++][1] = "print_stacktrace=1";
        launch->environment[launch->environments][0] = "TSAN_OPTIONS";
        launch->environment[launch->environments++][1] = "exitcode=99";
    }
}

/* The ends that the child gets; ours are in the cell. */
struct ends {
    int in, out, err, log;
};

static void close_ends(struct ends *ends)
{
    int *all[] = {&ends->in, &ends->out, &ends->err, &ends->log};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

static int one_pipe(int *ours, int *theirs, bool we_write)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    *ours = ends[we_write];
    *theirs = ends[!we_write];
    return fcntl(*ours, F_SETFL, O_NONBLOCK);
}

static int open_ends(struct cell *cell, struct ends *ends)
{
    *ends = (struct ends){-1, -1, -1, -1};
    if (one_pipe(&cell->out.fd, &ends->out, false) < 0 ||
        one_pipe(&cell->err.fd, &ends->err, false) < 0)
        return -1;
    if (cell->plan.input) {
        if (one_pipe(&cell->input_fd, &ends->in, true) < 0)
            return -1;
    } else {
        ends->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (ends->in < 0)
            return -1;
    }
    if (cell->plan.calls) {
        ends->log = open_calls(cell);
        if (ends->log < 0)
            return -1;
    }
    return 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int start(struct cell *cell, const struct isolation *isolation)
{
    struct launch *launching = calloc(1, sizeof *launching);
    const char *argv[34];
    char path[64], number[16], preload[64];
    struct ends ends;

    if (!launching)
        return -1;
    launching->isolation = isolation;
    describe(launching, cell, argv, 34, path, sizeof path);
    if (open_ends(cell, &ends) == 0) {
        launching->in = ends.in;
        launching->out = ends.out;
        launching->err = ends.err;
        if (ends.log >= 0) {
            launching->file[launching->files++] = (struct launch_file){
                .name = ".calls.so", .fd = isolation->calls};
            snprintf(number, sizeof number, "%d", ends.log);
            snprintf(preload, sizeof preload, "./.calls.so");
            launching->shim.keep = ends.log;
            launching->shim.calls = number;
            launching->shim.preload = preload;
        }
        cell->bwrap = launch(launching);
        memcpy(cell->folder, launching->folder, sizeof cell->folder);
        cell->folder_lock = launching->lock;
    }
    close_ends(&ends);
    free(launching);
    if (cell->bwrap <= 0)
        return -1;
    cell->bwrap_fd = pidfd(cell->bwrap);
    if (isolation->level != ISOLATION_FULL) {
        cell->reduced = true;
        cell->main = cell->bwrap; /* the shim, and then the program itself */
        cell->main_fd = pidfd(cell->main);
    }
    return cell->bwrap_fd < 0 ? -1 : 0;
}

int cell_start(struct cell *cell, const struct isolation *isolation,
               const struct cell_plan *plan, char *why, size_t size)
{
    *cell = (struct cell){.bwrap_fd = -1,
                          .main_fd = -1,
                          .folder_lock = -1,
                          .input_fd = -1,
                          .exit_status = -1};
    cell->out.fd = cell->err.fd = -1;
    cell->plan = *plan;
    cell_defaults(&cell->plan.limits);
    cell->input = plan->input;
    cell->input_left = plan->input_length;
    cell->started_ns = cell->watched_ns = clock_now();
    if (plan->calls && isolation->calls < 0) {
        snprintf(
            why, size,
            "build/lib/calls.so is missing; type: make build/lib/calls.so");
        errno = ENOENT;
        return -1;
    }
    if (start(cell, isolation) < 0) {
        snprintf(why, size, "a cell could not be started: %s", strerror(errno));
        cell_close(cell);
        return -1;
    }
    return 0;
}

/* --- serving ---------------------------------------------------------------*/

static void keep(struct cell_stream *stream, const char *bytes, size_t n)
{
    const size_t half = CELL_OUTPUT / 2;
    const size_t most = sizeof stream->mark / sizeof *stream->mark;

    if (n > 0 && stream->marks < most) {
        stream->mark[stream->marks].time_ns = clock_now();
        stream->mark[stream->marks++].offset = stream->bytes;
    }
    for (size_t i = 0; i < n; i++, stream->bytes++) {
        if (stream->bytes < half)
            stream->head[stream->bytes] = bytes[i];
        else
            stream->tail[stream->bytes % half] = bytes[i];
    }
}

static void drain(struct cell_stream *stream)
{
    char bytes[16 << 10];

    /* Bounded: a program that floods must not keep us here. */
    for (int i = 0; i < 16 && stream->fd >= 0; i++) {
        ssize_t n = read(stream->fd, bytes, sizeof bytes);

        if (n > 0)
            keep(stream, bytes, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            close_fd(&stream->fd);
        else
            break;
    }
}

static void feed_input(struct cell *cell)
{
    while (cell->input_fd >= 0 && cell->input_left > 0) {
        ssize_t n = write(cell->input_fd, cell->input, cell->input_left);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0)
            break;
        cell->input = (const char *)cell->input + n;
        cell->input_left -= (size_t)n;
    }
    close_fd(&cell->input_fd);
}

static void stop_for(struct cell *cell, enum cell_killer killer)
{
    if (cell->killer == CELL_NOT_KILLED)
        cell->killer = killer;
    kill(cell->bwrap, SIGKILL);
}

static void watch(struct cell *cell)
{
    uint64_t limit = (uint64_t)cell->plan.limits.memory_mb << 10;
    int64_t now = clock_now();
    pid_t pids[CELL_PIDS];
    int count;
    long kb;

    cell_find_main(cell);
    if (now - cell->watched_ns < WATCH_MS * CLOCK_MS)
        return;
    cell->watched_ns = now;
    kb = cell_resident_kb(cell);
    if (kb > 0 && (uint64_t)kb > cell->peak_kb)
        cell->peak_kb = (uint64_t)kb;
    if (cell->plan.sanitized)
        limit *= SANITIZED;
    if (kb > 0 && (uint64_t)kb > limit)
        stop_for(cell, CELL_KILLED_FOR_MEMORY);
    /* The kernel counts bubblewrap's own two as well. */
    count = cell_pids(cell, pids, CELL_PIDS);
    if (count >= cell->plan.limits.processes - 4) {
        cell->unwaited = count - cell_living(cell);
        stop_for(cell, CELL_KILLED_FOR_PROCESSES);
    }
}

/* Reduced isolation: what the program left behind was handed to us, since we
 * are a subreaper. */
static void end_descendants(struct cell *cell)
{
    pid_t pids[CELL_PIDS], pid;
    int n;

    while ((n = cell_pids(cell, pids, CELL_PIDS)) > 0) {
        for (int i = 0; i < n; i++)
            kill(pids[i], SIGKILL);
        while ((pid = waitpid(-1, NULL, 0)) > 0 || errno == EINTR)
            ;
    }
}

/* bubblewrap has ended, or was killed: so has the program, and the kernel has
 * seen to the rest (launch.h). */
static void finish(struct cell *cell)
{
    int status = 0, code;

    while (waitpid(cell->bwrap, &status, 0) < 0 && errno == EINTR)
        ;
    if (cell->reduced) {
        cell->main = 0;
        end_descendants(cell);
    }
    drain(&cell->out);
    drain(&cell->err);
    close_fd(&cell->input_fd);
    cell->ended = true;
    if (WIFSIGNALED(status)) {
        cell->signal = WTERMSIG(status);
        return;
    }
    /* As a shell says it: 128 and the signal's number. */
    code = WEXITSTATUS(status);
    if (code > 128 && code < 128 + NSIG)
        cell->signal = code - 128;
    else
        cell->exit_status = code;
}

enum { OWN_FDS = 4 };

static nfds_t own_fds(const struct cell *cell, struct pollfd *fd)
{
    nfds_t n = 0;

    fd[n++] = (struct pollfd){.fd = cell->bwrap_fd, .events = POLLIN};
    fd[n++] = (struct pollfd){.fd = cell->out.fd, .events = POLLIN};
    fd[n++] = (struct pollfd){.fd = cell->err.fd, .events = POLLIN};
    fd[n++] = (struct pollfd){.fd = cell->input_fd, .events = POLLOUT};
    return n;
}

/* One wait of at most WATCH_MS; 1 when the caller should look. */
static int serve(struct cell *cell, struct pollfd *all, nfds_t count, int ms)
{
    int ready = poll(all, count, ms);

    if (ready < 0)
        return errno == EINTR ? 0 : -1;
    if (all[1].revents)
        drain(&cell->out);
    if (all[2].revents)
        drain(&cell->err);
    if (all[3].revents)
        feed_input(cell);
    if (all[0].revents) {
        finish(cell);
        return 1;
    }
    watch(cell);
    return 0;
}

int cell_poll(struct cell *cell, struct pollfd *fds, nfds_t count,
              int64_t deadline)
{
    struct pollfd all[OWN_FDS + WAIT_FDS];

    if (count > WAIT_FDS) {
        errno = EINVAL;
        return -1;
    }
    for (;;) {
        int ms = clock_poll_ms(deadline), ready = 0, told = 0;

        if (cell->ended || cell->bwrap <= 0) /* nothing but the caller's */
            return poll(fds, count, ms);
        own_fds(cell, all);
        if (count)
            memcpy(all + OWN_FDS, fds, count * sizeof *fds);
        told = serve(cell, all, OWN_FDS + count,
                     ms < 0 || ms > WATCH_MS ? WATCH_MS : ms);
        if (told < 0)
            return -1;
        for (nfds_t i = 0; i < count; i++) {
            fds[i].revents = all[OWN_FDS + i].revents;
            ready += fds[i].revents != 0;
        }
        if (ready || told || ms == 0)
            return ready;
    }
}

/* --- ending ----------------------------------------------------------------*/

void cell_kill(struct cell *cell)
{
    if (cell->bwrap <= 0 || cell->ended)
        return;
    if (cell->killer == CELL_NOT_KILLED)
        cell->killer = CELL_KILLED_BY_US;
    kill(cell->bwrap, SIGKILL);
    finish(cell);
}

void cell_close(struct cell *cell)
{
    struct launch folder = {.lock = cell->folder_lock};

    cell_kill(cell);
    memcpy(folder.folder, cell->folder, sizeof folder.folder);
    launch_clean(&folder);
    cell->folder[0] = '\0';
    cell->folder_lock = -1;
    close_fd(&cell->bwrap_fd);
    close_fd(&cell->main_fd);
    close_fd(&cell->input_fd);
    close_fd(&cell->out.fd);
    close_fd(&cell->err.fd);
    if (cell->calls)
        munmap(cell->calls, sizeof *cell->calls);
    cell->calls = NULL;
    cell->bwrap = 0;
}

int cell_signal(struct cell *cell, int signal)
{
    cell_find_main(cell);
    if (cell->ended || cell->main_fd < 0) {
        errno = ESRCH;
        return -1;
    }
    return (int)syscall(SYS_pidfd_send_signal, cell->main_fd, signal, NULL, 0);
}
