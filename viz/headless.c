/*
 * One loop for all outputs: packets in, lines out, until the file ends, a
 * limit is reached, a signal comes or the reader of our output is gone. A live
 * run then takes what is still on the ring before it writes the end.
 */
#include "viz/headless.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "viz/output.h"
#include "viz/source.h"

enum {
    BATCH = 1024,  /* packets between two looks at everything else */
    ENDED_MS = 50, /* how often `ended` is asked */
    STATUS_CANNOT = 2
};

struct run {
    struct session *session;
    const struct options *options;
    const struct output *output;
    void *self; /* the output's */
    headless_ended_fn *ended;
    void *ended_self;
    bool live;
    bool output_gone;    /* nobody reads what we write */
    int64_t deadline_ns; /* monotonic, CLOCK_NEVER */
    struct capture_error error;
};

/* --- signals --------------------------------------------------------------- */

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

enum { STOP_SIGNALS = 3 };

/* What is to be put back afterwards. */
struct dispositions {
    struct sigaction stops[STOP_SIGNALS], pipe;
    sigset_t mask; /* also the one to wait with */
};

/* A live run blocks the stop signals but while it waits, so that none comes
 * between the question and the wait; reading a file is interrupted by them. */
static void catch_signals(struct dispositions *before, bool live)
{
    struct sigaction action = {.sa_handler = stop};
    sigset_t mask;

    stopped = 0;
    sigemptyset(&mask);
    for (int i = 0; i < STOP_SIGNALS; i++) {
        sigaction(stop_signals[i], &action, &before->stops[i]);
        if (before->stops[i].sa_handler == SIG_IGN) /* nohup viz ... */
            sigaction(stop_signals[i], &before->stops[i], NULL);
        if (live)
            sigaddset(&mask, stop_signals[i]);
    }
    sigprocmask(SIG_BLOCK, &mask, &before->mask);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, &before->pipe);
}

static void put_signals_back(const struct dispositions *before)
{
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigaction(stop_signals[i], &before->stops[i], NULL);
    sigaction(SIGPIPE, &before->pipe, NULL);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* --- output ---------------------------------------------------------------- */

static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

/* 0; or STATUS_CANNOT after a message when the output could not be written. A
 * reader that has seen enough (| head) is no error. */
static int finish_output(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    if (errno == EPIPE || reader_is_gone())
        return 0;
    fprintf(stderr, "viz: the output could not be written: %s\n",
            strerror(errno ? errno : EIO));
    return STATUS_CANNOT;
}

/* --- the loop -------------------------------------------------------------- */

static int shorter(int a, int b)
{
    if (a < 0 || (b >= 0 && b < a))
        return b;
    return a;
}

static void wait_for_packets(struct run *run, const sigset_t *mask)
{
    struct pollfd ready[2] = {
        {.fd = capture_fd(run->session->capture), .events = POLLIN},
        {.fd = STDOUT_FILENO}};
    int ms = shorter(session_timeout(run->session),
                     clock_poll_ms(run->deadline_ns));
    struct timespec limit;

    /* `within Ns` and the end of a command have no descriptor. */
    if (run->ended || run->output->settled)
        ms = shorter(ms, ENDED_MS);
    limit = (struct timespec){.tv_sec = ms / 1000,
                              .tv_nsec = ms % 1000 * (long)CLOCK_MS};
    if (ppoll(ready, 2, ms < 0 ? NULL : &limit, mask) > 0 &&
        (ready[1].revents & (POLLERR | POLLHUP)))
        run->output_gone = true;
}

/* How many packets may still be taken now. */
static int allowance(const struct run *run)
{
    uint64_t left;

    if (run->options->count == 0)
        return BATCH;
    left = run->options->count - run->session->packets;
    return left < BATCH ? (int)left : BATCH;
}

/* Whether the run is over, after a round that took `got` packets. */
static bool is_over(struct run *run, int got)
{
    if (run->output_gone || stopped || allowance(run) == 0 ||
        (got == 0 && !run->live) || clock_poll_ms(run->deadline_ns) == 0)
        return true;
    if (run->ended) /* a command is not cut short because all was seen */
        return run->ended(run->ended_self);
    return run->output->settled && run->output->settled(run->self);
}

/* Until something ends the run. 0, or -1 with run->error. */
static int pump(struct run *run, const sigset_t *mask)
{
    for (;;) {
        int got = session_pump(run->session, allowance(run), &run->error);

        if (got < 0)
            return stopped ? 0 : -1; /* stopped: the read was cut short */
        if ((run->live && fflush(stdout) != 0) || ferror(stdout))
            run->output_gone = true;
        if (is_over(run, got))
            return 0;
        if (got == 0)
            wait_for_packets(run, mask);
    }
}

/* What came before the end and is still on the ring; the kernel's last word. */
static int drain(struct run *run)
{
    if (!run->live || run->output_gone)
        return 0;
    if (allowance(run) > 0 &&
        session_drain(run->session, clock_wall(), &run->error) < 0)
        return -1;
    session_look(run->session);
    return 0;
}

static void complain(const struct capture_error *error)
{
    size_t length = strlen(error->text);

    fprintf(stderr, "viz: %s%s", error->text,
            length > 0 && error->text[length - 1] == '\n' ? "" : "\n");
}

static void warn_of_losses(const struct session *session)
{
    uint64_t dropped = capture_dropped(session->capture);
    uint64_t forgotten = track_forgotten(session->track);

    if (dropped > 0)
        fprintf(stderr,
                "viz: %llu packets came faster than they could be taken and "
                "are missing; a filter (-f) helps\n",
                (unsigned long long)dropped);
    if (forgotten > 0)
        fprintf(stderr,
                "viz: %llu old connections were forgotten, there were too "
                "many at once\n",
                (unsigned long long)forgotten);
}

static int run_to_end(struct run *run, const sigset_t *mask)
{
    int failed = pump(run, mask), status = 0, written;

    if (failed == 0)
        failed = drain(run);
    if (!run->output_gone)
        status = run->output->end(run->self, run->session);
    written = finish_output();
    if (failed < 0)
        complain(&run->error);
    if (!run->output_gone)
        warn_of_losses(run->session);
    return failed < 0 || written != 0 ? STATUS_CANNOT : status;
}

static const struct output *output_of(enum mode mode)
{
    switch (mode) {
    case MODE_JSON:
        return &output_json;
    case MODE_SUMMARY:
        return &output_summary;
    case MODE_EXPECT:
        return &output_expect;
    case MODE_EXPORT:
        return &output_export;
    case MODE_PREDICT:
        return &output_predict;
    case MODE_STREAM:
        return &output_stream;
    default:
        return &output_text;
    }
}

int headless_run_session(struct session *session, const struct options *options,
                         headless_ended_fn *ended, void *self)
{
    struct run run = {.session = session,
                      .options = options,
                      .output = output_of(options->mode),
                      .ended = ended,
                      .ended_self = self,
                      .live = capture_fd(session->capture) >= 0,
                      .deadline_ns = CLOCK_NEVER};
    struct dispositions before;
    int status;

    run.self = run.output->open(options, session);
    if (!run.self)
        return STATUS_CANNOT;
    if (session_add_sink(session, run.output->event, run.self) < 0) {
        fputs("viz: too many parts of it want the packets\n", stderr);
        run.output->close(run.self);
        return STATUS_CANNOT;
    }
    if (options->duration_ns > 0)
        run.deadline_ns = clock_now() + options->duration_ns;
    catch_signals(&before, run.live);
    status = run_to_end(&run, &before.mask);
    put_signals_back(&before);
    session_remove_sink(session, run.self);
    run.output->close(run.self);
    return status;
}

/* What is written from a file at once, for nobody who watches it come: in
 * larger pieces than stdio's. */
static void write_in_pieces(void)
{
    static char buffer[1 << 16];

    if (!isatty(STDOUT_FILENO))
        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
}

/* Whether the kernel is asked: where both ends of all that is seen are here, so
 * that what it does not know is not there. */
static bool asks_kernel(const struct options *options)
{
    return (options->mode == MODE_EXPECT || options->mode == MODE_JSON) &&
           (strcmp(options->interface, "lo") == 0 ||
            strcmp(options->interface, "lo0") == 0);
}

int headless_run(const struct options *options)
{
    struct session session;
    struct capture_error error = {.kind = CAPTURE_FINE};
    int status;

    if (source_open(&session, options, asks_kernel(options), &error) < 0) {
        complain(&error);
        return STATUS_CANNOT;
    }
    if (options->read_path && strcmp(options->read_path, "-") != 0)
        write_in_pieces();
    if (!options->read_path)
        fprintf(stderr, "viz: watching %s; ^C ends it\n", options->interface);
    status = headless_run_session(&session, options, NULL, NULL);
    session_fini(&session);
    return status;
}
