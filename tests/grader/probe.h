/*
 * What the verbs of probes.h share: the check that is running, in the driver's
 * process. Only the files behind probes.h include this.
 */
#ifndef TESTS_GRADER_PROBE_H
#define TESTS_GRADER_PROBE_H

#include "tests/grader/probes.h"
#include "tests/grader/verdict.h"
#include "tests/grader/wire.h"
#include "viz/kernel/sockets.h"
#include "viz/kernel/waits.h"

enum {
    PEERS = 128,     /* ends of the tester that are open at once */
    FIRST_STEPS = 8, /* of a long check's steps these and the last are told */
    LAST_STEPS = 16,
    SAMPLES = 512, /* sockets of the network, in one look */
    THREADS = 64,
    TEXTS = 8 << 10 /* of probe_text() */
};

struct peer {
    struct probe *probe;
    int fd; /* -1: closed, may be used again */
    uint16_t port;
    uint64_t sent, received; /* bytes */
    uint64_t streamed;       /* of them by peer_stream() */
    bool finished;           /* our FIN was sent */
    bool ended;              /* its FIN or RST was read */
    uint64_t opened;         /* order, to reuse the oldest closed one */
};

struct step {
    int64_t time_ns;
    size_t number; /* from 1 */
    char text[120];
};

/* What keeps the program from going on, as far as the kernel shows it. */
enum rest { REST_NONE, REST_BLOCKED, REST_SPINS, REST_ENDED };

struct probe {
    const struct lab *lab;
    const struct check *check;
    const struct isolation *isolation;
    const int *programs;   /* memfd by enum build, -1: not built */
    const char *own_names; /* the submission's files, " wcd.c count.c " */
    int report;            /* the pipe for the records */
    bool reported;
    uint64_t random;
    int64_t start_ns, deadline;

    struct cell cell;
    enum build build;
    bool started;   /* cell was started and not closed */
    bool stopped;   /* by probe_stop() */
    bool injects;   /* something was asked beyond a log */
    int processes;  /* that lived when its descriptors were first counted */
    uint64_t heard; /* bytes that this run of the program has sent us */
    uint16_t port, listening;
    const char *args[2];
    struct sockets *sockets;
    struct wire *wire; /* NULL: nothing is captured */
    char no_wire[200]; /* why */

    struct peer peer[PEERS];
    struct peer *subject; /* the peer that the evidence is about */
    uint64_t opened;

    struct step step[FIRST_STEPS + LAST_STEPS]; /* the rest is a ring */
    size_t steps;                               /* in all */
    char text[TEXTS];
    size_t text_used;
    struct result result;

    struct socket_sample sample[SAMPLES];
    size_t samples;
};

/* --- probe.c --- */
/* The clock starts, the provisional record is written. */
void probe_open(struct probe *p);
/* Serve everything until `fd` (-1: none) is ready for `events`, the program
 * ended, or `deadline`: 1 ready, 0 not. */
int probe_wait(struct probe *p, int fd, short events, int64_t deadline);
_Noreturn void probe_finish(struct probe *p, enum grade grade);
/* A failure whose expected and actual lines are filled: adds autopsy, wire,
 * signs, and ends the check. `stuck`: the program did not go on. */
_Noreturn void probe_failed(struct probe *p, bool stuck);
_Noreturn void probe_broken(struct probe *p, const char *why); /* error */
const char *probe_name(const struct probe *p);                 /* "wcd" */

/* --- program.c --- */
/* Skips the check when the run that ends here was to be injected and was not:
 * what was asked of it was not tried, so it is no pass. */
void probe_see_injected(struct probe *p);

/* --- rest.c --- */
struct rest_watch {
    enum rest rest;
    bool backstop;         /* decided by the check's deadline */
    int64_t since, looked; /* the program has not moved since */
    int64_t cpu, cpu_start, switches;
    uint64_t queued;
    uint64_t progress;
};
void rest_begin(struct probe *p, struct rest_watch *watch);
/* Look; true when the program cannot go on by itself (watch->rest says why).
 * `progress` is anything that grows while the exchange moves. */
bool rest_look(struct probe *p, struct rest_watch *watch, uint64_t progress);
/* All sockets of the network, now, into p->sample. 0 or -1 with errno. */
int probe_look(struct probe *p);
/* The other end of this peer among them; NULL when the kernel shows none. */
const struct socket_sample *probe_server_end(const struct probe *p,
                                             const struct peer *peer);

/* --- autopsy.c --- */
/* What each thread waits for, into result.autopsy, and signs. */
void autopsy(struct probe *p);

/* --- ending.c --- */
/* How the program ended, in words ("was killed by SIGPIPE"); and its signs,
 * and a sanitizer's report reduced to lines of the autopsy. */
void ending_describe(struct probe *p, char *text, size_t size);
void ending_examine(struct probe *p);
/* What the program wrote to one stream, row by row, printable, each with the
 * time it came: the first dozen lines and the last few, long ones folded. */
struct ending_words {
    const struct cell_stream *stream;
    size_t at, line;
    int row, rows;
    int64_t time_ns; /* of the row that was given last */
};
void ending_words_begin(const struct probe *p, const struct cell_stream *stream,
                        struct ending_words *words);
bool ending_words_next(struct ending_words *words, char *text, size_t size);
/* All of both streams, printable, on the heap; NULL when there are none. */
char *ending_log(struct probe *p);

#endif
