/* See build.h. The compiler's page is reduced in diagnostics.c. */
#include "tests/grader/build.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/grader/diagnostics.h"
#include "tests/grader/launch.h"

enum {
    SECONDS = 20,            /* of wall time, on an idle machine */
    MOST_PROGRAM = 64 << 20, /* bytes */
    MOST_MEMORY = 1024,      /* MiB, of each process of the compiler */
    MOST_WORDS = 256 << 10,  /* of what the compiler says */
    ARGUMENTS = SUBMISSION_FILES + 24
};

static const char *const flags[BUILDS][6] = {
    [BUILD_PLAIN] = {NULL},
    [BUILD_ADDRESS] = {"-fsanitize=address,undefined",
                       "-fno-sanitize-recover=undefined",
                       "-fno-omit-frame-pointer", NULL},
    [BUILD_THREAD] = {"-fsanitize=thread", "-fno-omit-frame-pointer", NULL},
};

const char *build_name(enum build build)
{
    static const char *const name[] = {"plain", "address", "thread"};

    return name[build];
}

void build_result_fini(struct build_result *result)
{
    if (result->program >= 0)
        close(result->program);
    lines_fini(&result->errors);
    lines_fini(&result->warnings);
    free(result->refused);
    *result = (struct build_result){.program = -1};
}

/* Bytes from a pipe until its end, at most `most`; the rest is read and lost. */
struct sink {
    int fd;
    char *bytes;
    size_t used, room, most;
    bool over;
};

static void drain(struct sink *sink)
{
    char bytes[64 << 10];
    ssize_t n = read(sink->fd, bytes, sizeof bytes);

    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            close(sink->fd);
            sink->fd = -1;
        }
        return;
    }
    if (sink->used + (size_t)n > sink->most) {
        sink->over = true;
        return;
    }
    if (sink->used + (size_t)n + 1 > sink->room) {
        size_t room = 2 * (sink->used + (size_t)n + 1);
        char *bigger = realloc(sink->bytes, room);

        if (!bigger) {
            sink->over = true;
            return;
        }
        sink->bytes = bigger;
        sink->room = room;
    }
    memcpy(sink->bytes + sink->used, bytes, (size_t)n);
    sink->used += (size_t)n;
    sink->bytes[sink->used] = '\0';
}

static void sink_fini(struct sink *sink)
{
    if (sink->fd >= 0)
        close(sink->fd);
    free(sink->bytes);
}

/* sh finds the compiler, runs it, and then copies the program to standard
 * output, since a linker wants a file it can seek in. */
#define COMPILE                                                         \
    "$(command -v cc || command -v gcc || command -v clang || echo cc)" \
    " \"$@\" -o .program && exec cat .program"

static size_t command(const struct submission *submission, enum build build,
                      const char **argv)
{
    static const char *const first[] = {
        "sh",       "-c",
        COMPILE,    "sh",
        "-std=c11", "-D_GNU_SOURCE",
        "-pthread", "-g",
        "-O1",      "-Wall",
        "-Wextra",  "-fdiagnostics-color=never",
        "-I.",      "-U_FORTIFY_SOURCE", /* Ubuntu's gcc would add checks */
    };
    size_t n = 0;

    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        argv[n++] = first[i];
    for (const char *const *flag = flags[build]; *flag; flag++)
        argv[n++] = *flag;
    for (size_t i = 0; i < submission->count; i++) {
        const char *name = submission->file[i].name;

        if (name[strlen(name) - 1] == 'c')
            argv[n++] = name;
    }
    argv[n] = NULL;
    return n;
}

static void describe(struct launch *launch, const struct submission *submission,
                     const struct isolation *isolation)
{
    launch->isolation = isolation;
    launch->shim.cpu_seconds = SECONDS;
    launch->shim.processes = 64;
    launch->shim.descriptors = 256;
    launch->shim.file_mb = MOST_PROGRAM >> 20;
    launch->shim.address_mb = MOST_MEMORY;
    launch->box_mb = 2 * (MOST_PROGRAM >> 20);
    launch->path = "/bin/sh";
    for (size_t i = 0; i < submission->count; i++)
        launch->file[launch->files++] = (struct launch_file){
            .name = submission->file[i].name,
            .bytes = submission->file[i].bytes,
            .length = submission->file[i].length,
            .fd = -1};
    launch->environment[launch->environments][0] = "PATH";
    launch->environment[launch->environments++][1] = "/usr/bin:/bin";
    launch->environment[launch->environments][0] = "LC_ALL";
    launch->environment[launch->environments++][1] = "C.UTF-8";
    launch->environment[launch->environments][0] = "TMPDIR";
    launch->environment[launch->environments++][1] = ".";
}

/* Serve both pipes until they end. False when the time was up. */
static bool collect(pid_t child, struct sink *program, struct sink *words,
                    int64_t deadline)
{
    bool late = false;

    while (program->fd >= 0 || words->fd >= 0) {
        struct pollfd fds[] = {{.fd = program->fd, .events = POLLIN},
                               {.fd = words->fd, .events = POLLIN}};

        if (poll(fds, 2, clock_poll_ms(deadline)) < 0 && errno != EINTR)
            break;
        if (fds[0].revents)
            drain(program);
        if (fds[1].revents)
            drain(words);
        if (!late && clock_now() >= deadline) {
            late = true;
            deadline = CLOCK_NEVER; /* killed: the pipes end now */
            kill(child, SIGKILL);
        }
    }
    return !late;
}

static int run(struct launch *launching, struct sink *program,
               struct sink *words, bool *in_time, int *status)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    pid_t child = -1;

    launching->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0) {
        launching->out = out[1];
        launching->err = err[1];
        child = launch_alone(launching);
    }
    close(launching->in);
    if (out[1] >= 0)
        close(out[1]);
    if (err[1] >= 0)
        close(err[1]);
    program->fd = out[0];
    words->fd = err[0];
    if (child < 0)
        return -1;
    *in_time = collect(child, program, words,
                       clock_now() +
                           (int64_t)(SECONDS * launching->isolation->scale) *
                               CLOCK_SECOND);
    while (waitpid(child, status, 0) < 0 && errno == EINTR)
        ;
    launch_clean(launching);
    return 0;
}

static int refuse(struct build_result *result, const char *why)
{
    result->refused = strdup(why);
    return -1;
}

/* The compiler ran, named no line, and failed: it met one of the cell's limits,
 * and says so in one of these ways. */
static void over_limits(struct build_result *result, const char *said,
                        bool in_time, bool over)
{
    if (strstr(said, "out of memory") || strstr(said, "memory exhausted") ||
        strstr(said, "annot allocate memory"))
        lines_add(&result->errors,
                  "compile limits: the compiler needs more than %d MiB of "
                  "memory. Does a macro grow without end, or an #include name "
                  "what is no source file?",
                  MOST_MEMORY);
    else if (over || strstr(said, "File size limit") ||
             strstr(said, "No space left"))
        lines_add(&result->errors,
                  "compile limits: the program would be larger than %d MiB. "
                  "Is there a huge array with initial values?",
                  MOST_PROGRAM >> 20);
    else if (!in_time || strstr(said, "CPU time limit") ||
             strstr(said, "Killed"))
        lines_add(&result->errors,
                  "compile limits: the compiler took more than %d s. Does a "
                  "file include itself, or a macro grow without end?",
                  SECONDS);
    else
        lines_add(&result->errors,
                  "the compiler failed and named no line: %.*s",
                  (int)strcspn(said, "\n"), said);
}

/* What came of it, in the order of what is most likely wrong. */
static int judge(struct build_result *result, const struct sink *program,
                 const struct sink *words, bool in_time, int status,
                 const char *shown)
{
    const char *said = words->bytes ? words->bytes : "";

    if (WIFEXITED(status) && WEXITSTATUS(status) == SHIM_REFUSED)
        return refuse(result, said);
    if (WIFEXITED(status) &&
        (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127))
        return refuse(result, said); /* sh: cc: not found */
    if (in_time && !program->over)
        diagnostics_reduce(said, shown, result);
    if ((status != 0 || !in_time || program->over) && result->errors.count == 0)
        over_limits(result, said + strspn(said, "\n"), in_time, program->over);
    if (result->errors.count)
        return 0;
    if (status == 0 && program->used > 0) {
        result->program = launch_memory("program", program->bytes,
                                        program->used);
        if (result->program < 0)
            return refuse(result, "no memory for the program");
    }
    return 0;
}

int build_program(const struct submission *submission, enum build build,
                  const struct isolation *isolation, const char *shown,
                  struct build_result *result)
{
    struct launch *launching = calloc(1, sizeof *launching);
    struct sink program = {.fd = -1, .most = MOST_PROGRAM};
    struct sink words = {.fd = -1, .most = MOST_WORDS};
    const char *argv[ARGUMENTS];
    bool in_time = true;
    int status = 0, done;

    *result = (struct build_result){.program = -1};
    if (!launching)
        return refuse(result, "out of memory");
    command(submission, build, argv);
    describe(launching, submission, isolation);
    launching->argv = argv;
    if (run(launching, &program, &words, &in_time, &status) < 0)
        done = refuse(result, "the compiler could not be started");
    else
        done = judge(result, &program, &words, in_time, status, shown);
    sink_fini(&program);
    sink_fini(&words);
    free(launching);
    return done;
}
