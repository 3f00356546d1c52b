/*
 * One run of a student's program, contained: bubblewrap inside the driver's
 * own network, limits, seccomp, capped pipes, a memory watchdog. The driver
 * sees it only from outside: through the kernel's tables and the pipes.
 * Nothing in here blocks but cell_poll(), which serves all of it.
 */
#ifndef TESTS_GRADER_CELL_H
#define TESTS_GRADER_CELL_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/grader/isolation.h"
#include "viz/calls/calls.h"

enum {
    CELL_OUTPUT = 64 << 10, /* kept of each stream: its head and its tail */
    CELL_PIDS = 128
};

/* What a check may change; 0 means the default in brackets. */
struct cell_limits {
    int processes;   /* [64] */
    int descriptors; /* [256] */
    int file_mb;     /* [32] largest file it may write */
    int cpu_seconds; /* [20] */
    int memory_mb;   /* [256] resident, all its processes; sanitized: x4 */
};

struct cell_plan {
    int program;             /* memfd of the program, borrowed */
    const char *name;        /* argv[0] */
    const char *const *args; /* after the name; ends with NULL */
    const void *input;       /* standard input; NULL: /dev/null */
    size_t input_length;
    bool sanitized;
    struct cell_limits limits;
    const struct calls_plan *calls; /* NULL: nothing is injected */
};

/* One stream of the program: its first and last bytes. */
struct cell_stream {
    int fd;
    char head[CELL_OUTPUT / 2], tail[CELL_OUTPUT / 2];
    uint64_t bytes; /* in all; the tail wraps */
    struct {
        int64_t time_ns; /* when byte `offset` came */
        uint64_t offset;
    } mark[64];
    size_t marks;
};

enum cell_killer {
    CELL_NOT_KILLED,
    CELL_KILLED_BY_US,
    CELL_KILLED_FOR_MEMORY,
    CELL_KILLED_FOR_PROCESSES /* a fork bomb would starve us, not only itself */
};

struct cell {
    pid_t bwrap;     /* our child */
    int bwrap_fd;    /* its pidfd */
    pid_t init;      /* pid 1 of the cell as we see it; 0 before it is known */
    pid_t main;      /* the program itself; 0 before it is known */
    int main_fd;     /* its pidfd, -1 */
    int input_fd;    /* standard input's other end, -1 */
    bool reduced;    /* no namespaces: `bwrap` is the program itself */
    bool ended;      /* the program has ended and all its processes are gone */
    int exit_status; /* of exit(2), when signal is 0 */
    int signal;      /* that ended it, 0 */
    enum cell_killer killer;
    int unwaited; /* of its processes, when it was killed for having too many:
                     ended, and nobody had asked how */
    struct cell_stream out, err;
    struct calls_log *calls; /* shared with the program; NULL: not asked */
    uint64_t peak_kb;        /* highest resident memory the watchdog saw */
    int64_t started_ns, watched_ns;
    struct cell_plan plan;
    const void *input;
    size_t input_left;
    char folder[64]; /* reduced isolation: removed by cell_close() */
    int folder_lock; /* held until then */
};

/* Start. 0; -1 with errno and a sentence in `why`. The cell must not move. */
int cell_start(struct cell *cell, const struct isolation *isolation,
               const struct cell_plan *plan, char *why, size_t size);

/* Wait until one of `fds` is ready, the program ended or the deadline passed,
 * while the cell's streams are read and its memory is watched. As poll(2):
 * how many are ready, 0 at the deadline or when the program's end was newly
 * seen, -1 with errno. `fds` may be NULL with count 0. */
int cell_poll(struct cell *cell, struct pollfd *fds, nfds_t count,
              int64_t deadline);

/* SIGKILL, and wait until nothing of it is left. */
void cell_kill(struct cell *cell);
void cell_close(struct cell *cell); /* kill, and release everything */

/* A signal to the program itself, by pidfd. 0 or -1 with errno (ESRCH). */
int cell_signal(struct cell *cell, int signal);

/* --- what the kernel says of it; each reads /proc anew --- */

/* Learn cell->init and cell->main once the kernel shows them. */
void cell_find_main(struct cell *cell);
/* The program's state letter of proc(5): R S D T t Z; X when it is gone. */
char cell_state(const struct cell *cell);
/* All processes of the cell but its init: how many, at most `most`. */
int cell_pids(const struct cell *cell, pid_t *pids, int most);
/* How many of them have not ended: a child that nobody has waited for is still
 * a process, but opens and does nothing. */
int cell_living(const struct cell *cell);
bool cell_thread_ended(pid_t pid, pid_t thread);
/* Open descriptors of all of them; -1 when it cannot be read. */
int cell_descriptors(const struct cell *cell);
int64_t cell_cpu_ns(const struct cell *cell);   /* user and system */
int64_t cell_switches(const struct cell *cell); /* context switches */
long cell_resident_kb(const struct cell *cell);
long cell_peak_kb(const struct cell *cell); /* VmHWM of the program */
/* Whether one of its processes holds the socket with this inode. */
bool cell_holds(const struct cell *cell, uint32_t inode);
/* The inode behind a descriptor of `pid` if it is a socket, else 0. */
uint32_t cell_socket_inode(pid_t pid, int fd);

#endif
