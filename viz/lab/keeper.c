/*
 * See keeper.h: viz's side. The forked side is keeper_process.c; between them
 * go the fixed words of words.h.
 */
#include "viz/lab/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/netns.h"
#include "viz/lab/confine.h"
#include "viz/lab/keeper_process.h"
#include "viz/lab/reaper.h"
#include "viz/lab/terminal.h"

/* What a `make shell` sends us of its terminal. */
struct stream {
    int fd; /* -1: free */
    struct terminal terminal;
};

struct keeper {
    pid_t process;
    int pidfd;
    int requests, news; /* news: -1 once the keeper is gone */
    int epoll;          /* of news and streams */
    int losses;         /* of loss_watch(); -1: none yet */
    struct stream streams[KEEPER_LETTERS]; /* by letter */
    bool ended;                            /* the command of keeper_run() */
    int status;
};

/* --- opening ------------------------------------------------------------- */

static bool capture_allowed(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd == -1)
        return false;
    close(fd);
    return true;
}

static enum keeper_network enter(struct keeper_refusal *refusal)
{
    enum netns_step failed;

    if (netns_enter(&failed) == 0)
        return KEEPER_PRIVATE;
    netns_explain(failed, errno, refusal->text, sizeof refusal->text);
    return capture_allowed() ? KEEPER_LOOPBACK : KEEPER_NONE;
}

/* What the forked side works with, open already. 0 or -1 with errno. */
static int prepare(struct keeper_process *process,
                   const struct keeper_options *options,
                   enum keeper_network network)
{
    const char *directory = options->directory != NULL ? options->directory
                                                       : ".";

    process->title = options->title != NULL ? options->title : "the lab";
    process->calls = options->calls;
    process->quiet = options->quiet;
    process->viz = getpid();
    process->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process->directory == -1)
        return -1;
    if (network != KEEPER_PRIVATE)
        return 0;
    process->user_fd = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
    process->net_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return process->user_fd == -1 || process->net_fd == -1 ? -1 : 0;
}

static void close_if_open(int fd)
{
    if (fd != -1)
        close(fd);
}

/* Drop what only the forked side needs; the socket file is its to remove. */
static void forget(struct keeper_process *process)
{
    close_if_open(process->directory);
    close_if_open(process->user_fd);
    close_if_open(process->net_fd);
    close_if_open(process->requests);
    close_if_open(process->news);
}

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Close everything but stdio and what the keeper works with. */
static void close_the_rest(const struct keeper_process *process)
{
    int kept[] = {process->requests,     process->news,   process->directory,
                  process->user_fd,      process->net_fd, process->door.folder,
                  process->door.listener};
    unsigned next = 3;

    qsort(kept, sizeof kept / sizeof *kept, sizeof *kept, compare_ints);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (kept[i] < (int)next)
            continue;
        if (kept[i] > (int)next)
            syscall(SYS_close_range, next, kept[i] - 1, 0);
        next = (unsigned)kept[i] + 1;
    }
    syscall(SYS_close_range, next, UINT_MAX, 0);
}

/* Both socket pairs and the fork. 0 or -1 with errno. */
static int start(struct keeper *keeper, struct keeper_process *process)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
        return -1;
    keeper->requests = pair[0];
    process->requests = pair[1];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
        return -1;
    keeper->news = pair[0];
    process->news = pair[1];
    keeper->process = fork();
    if (keeper->process == 0) {
        close_the_rest(process);
        keeper_process_run(process);
    }
    if (keeper->process == -1)
        return -1;
    keeper->pidfd = (int)syscall(SYS_pidfd_open, keeper->process, 0);
    return keeper->pidfd == -1 ? -1 : 0;
}

static int watch(struct keeper *keeper, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};

    return epoll_ctl(keeper->epoll, EPOLL_CTL_ADD, fd, &event);
}

static struct keeper *keeper_new(void)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);

    if (keeper == NULL)
        return NULL;
    keeper->process = -1;
    keeper->pidfd = keeper->requests = keeper->news = keeper->losses = -1;
    keeper->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < KEEPER_LETTERS; i++)
        keeper->streams[i].fd = -1;
    return keeper;
}

struct keeper *keeper_open(const struct keeper_options *options,
                           enum keeper_network *network,
                           struct keeper_refusal *refusal)
{
    struct keeper_process process = {.requests = -1,
                                     .news = -1,
                                     .door = {-1, -1},
                                     .directory = -1,
                                     .user_fd = -1,
                                     .net_fd = -1};
    struct keeper *keeper = NULL;
    int error;

    refusal->text[0] = '\0';
    *network = KEEPER_NONE;
    student_read(&process.student);
    if (options->shells && door_open(&process.door, &process.student,
                                     refusal->text, sizeof refusal->text) == -1)
        return NULL;
    *network = enter(refusal);
    keeper = keeper_new();
    if (keeper == NULL || keeper->epoll == -1 ||
        prepare(&process, options, *network) == -1 ||
        start(keeper, &process) == -1 || watch(keeper, keeper->news) == -1) {
        error = errno;
        snprintf(refusal->text, sizeof refusal->text,
                 "The lab could not be started (at %s): %s.",
                 options->directory != NULL ? options->directory : ".",
                 strerror(error));
        forget(&process);
        door_close(&process.door);
        keeper_close(keeper);
        errno = error;
        return NULL;
    }
    forget(&process);
    door_leave(&process.door);
    return keeper;
}

int keeper_drop_rights(void)
{
    struct student student;

    student_read(&student);
    return student_become(&student) == -1 ? -1 : confine();
}

/* --- closing ------------------------------------------------------------- */

static void wait_for_end(const struct keeper *keeper)
{
    struct pollfd end = {keeper->pidfd, POLLIN, 0};
    int64_t deadline = clock_now() + (2 * REAPER_SECONDS + 2) * CLOCK_SECOND;

    while (poll(&end, 1, clock_poll_ms(deadline)) == -1 && errno == EINTR)
        ;
    if (end.revents == 0 && kill(keeper->process, SIGKILL) == -1)
        return; /* it ends by itself: its socket is closed */
    while (waitpid(keeper->process, NULL, 0) == -1 && errno == EINTR)
        ;
}

void keeper_close(struct keeper *keeper)
{
    const struct request end = {.word = WORD_END};
    int error = errno;

    if (keeper == NULL)
        return;
    for (int i = 0; i < KEEPER_LETTERS; i++)
        close_if_open(keeper->streams[i].fd);
    if (keeper->requests != -1) {
        words_send(keeper->requests, &end, sizeof end, NULL, 0);
        close(keeper->requests);
    }
    close_if_open(keeper->news);
    close_if_open(keeper->losses);
    if (keeper->process != -1)
        wait_for_end(keeper);
    close_if_open(keeper->pidfd);
    close_if_open(keeper->epoll);
    free(keeper);
    errno = error;
}

/* --- asking -------------------------------------------------------------- */

/* Send a request of `length` bytes, get the reply, and *fd beside it if fd is
 * not NULL. 0; or -1 with the keeper's errno (EPIPE: there is no keeper). */
static int ask(struct keeper *keeper, const void *request, size_t length,
               struct reply *reply, int *fd)
{
    int fds[WORDS_FDS], count = 0;
    ssize_t n;

    if (fd != NULL)
        *fd = -1;
    if (words_send(keeper->requests, request, length, NULL, 0) == -1)
        return -1;
    n = words_receive(keeper->requests, reply, sizeof *reply, fds, &count);
    if (fd != NULL)
        *fd = count > 0 ? fds[--count] : -1;
    while (count > 0)
        close(fds[--count]);
    if (n == sizeof *reply) {
        errno = reply->error;
        return reply->error == 0 ? 0 : -1;
    }
    if (n >= 0)
        errno = EPIPE;
    return -1;
}

int keeper_terminal(struct keeper *keeper, char letter, int rows, int columns)
{
    const struct request request = {.word = WORD_TERMINAL,
                                    .letter = letter,
                                    .rows = (uint16_t)rows,
                                    .columns = (uint16_t)columns};
    struct reply reply;
    int master;

    if (ask(keeper, &request, sizeof request, &reply, &master) == -1)
        return -1;
    return master;
}

int keeper_run(struct keeper *keeper, char *const argv[], pid_t *pid)
{
    struct {
        struct request request;
        char bytes[WORDS_ARGUMENTS];
    } *packet = calloc(1, sizeof *packet);
    struct reply reply;
    size_t used = 0;
    int result = -1, error;

    if (packet == NULL)
        return -1;
    packet->request.word = WORD_RUN;
    for (; argv[packet->request.arguments] != NULL;
         packet->request.arguments++) {
        const char *argument = argv[packet->request.arguments];
        size_t size = strlen(argument) + 1;

        if (size > sizeof packet->bytes - used)
            break;
        memcpy(packet->bytes + used, argument, size);
        used += size;
    }
    keeper->ended = false;
    errno = E2BIG;
    if (argv[packet->request.arguments] == NULL)
        result = ask(keeper, packet, sizeof packet->request + used, &reply,
                     NULL);
    if (result == 0)
        *pid = reply.process;
    error = errno;
    free(packet);
    errno = error;
    return result;
}

int keeper_waits(struct keeper *keeper, pid_t pid, struct wait_info *threads,
                 int most)
{
    const struct request request = {.word = WORD_WAITS, .process = pid};
    struct reply reply;
    int count;

    if (ask(keeper, &request, sizeof request, &reply, NULL) == -1)
        return -1;
    count = reply.threads < most ? reply.threads : most;
    if (count > 0)
        memcpy(threads, reply.waits, (size_t)count * sizeof *threads);
    return count;
}

static void explain_loss(const struct loss *loss, char *why, size_t size)
{
    char words[LOSS_TEXT];

    if (errno == ENETDOWN)
        snprintf(why, size,
                 "%s needs the lab's own network; this is the machine's.\n"
                 "Type make doctor: it says what would allow one.",
                 loss_text(loss, words));
    else if (errno == EOPNOTSUPP)
        snprintf(why, size,
                 "%s needs nf_tables in the kernel. Type:\n"
                 "sudo modprobe -a nf_tables nft_numgen nft_log nfnetlink_log",
                 loss_text(loss, words));
    else
        snprintf(why, size, "%s was refused: %s", loss_text(loss, words),
                 strerror(errno));
}

int keeper_loss(struct keeper *keeper, const struct loss *loss, char *why,
                size_t size)
{
    const struct request request = {.word = WORD_LOSS,
                                    .lost = (uint16_t)loss->lost,
                                    .of = (uint16_t)loss->of};
    struct reply reply;
    int result, losses = -1, error;

    result = ask(keeper, &request, sizeof request, &reply, &losses);
    error = errno;
    if (losses != -1 && (keeper->losses != -1 || watch(keeper, losses) == -1))
        close(losses);
    else if (losses != -1)
        keeper->losses = losses;
    errno = error;
    if (result == -1)
        explain_loss(loss, why, size);
    errno = error;
    return result;
}

/* --- what comes unasked -------------------------------------------------- */

/* What a shell's terminal has shown so far, to the sink; at its end the stream
 * is closed. */
static void drain(struct stream *stream, event_sink_fn *sink, void *self)
{
    char packet[1 + WORDS_SHELL_BYTES];
    ssize_t n;

    while ((n = words_receive(stream->fd, packet, sizeof packet, NULL, NULL)) >
           0) {
        if (packet[0] == SHELL_SHOWN)
            terminal_feed(&stream->terminal, packet + 1, (size_t)n - 1,
                          clock_wall(), sink, self);
        else if (packet[0] == SHELL_TYPED)
            terminal_typed(&stream->terminal, packet + 1, (size_t)n - 1);
    }
    if (n == -1 && (errno == EAGAIN || errno == EMSGSIZE))
        return;
    close(stream->fd); /* takes it out of the epoll set too */
    stream->fd = -1;
}

static void shell_came(struct keeper *keeper, char letter, int fd,
                       event_sink_fn *sink, void *self)
{
    struct stream *stream = &keeper->streams[letter - 'A'];

    if (stream->fd != -1) { /* the one before has left: hear it out first */
        drain(stream, sink, self);
        close_if_open(stream->fd);
    }
    stream->fd = fd;
    terminal_init(&stream->terminal, letter);
    if (watch(keeper, fd) == -1) {
        close(fd);
        stream->fd = -1;
    }
}

static void ignore_event(void *self, const struct event *event)
{
    (void)self;
    (void)event;
}

/* All news that are there. 0; -1 with errno EPIPE once the keeper is gone. */
static int take_news(struct keeper *keeper, event_sink_fn *sink, void *self)
{
    struct pollfd ready = {keeper->news, POLLIN, 0};
    struct news news;
    int fds[WORDS_FDS], count;

    while (keeper->news != -1 && poll(&ready, 1, 0) == 1) {
        ssize_t n = words_receive(keeper->news, &news, sizeof news, fds,
                                  &count);

        if (n == sizeof news && news.kind == NEWS_SHELL && count == 1 &&
            news.letter >= 'A' && news.letter < 'A' + KEEPER_LETTERS) {
            shell_came(keeper, news.letter, fds[--count], sink, self);
        } else if (n == sizeof news && news.kind == NEWS_ENDED) {
            keeper->ended = true;
            keeper->status = news.status;
        } else if (n <= 0) {
            close(keeper->news);
            keeper->news = -1;
        }
        while (count > 0)
            close(fds[--count]);
    }
    if (keeper->news != -1)
        return 0;
    errno = EPIPE;
    return -1;
}

int keeper_ended(struct keeper *keeper, int *status)
{
    int result = take_news(keeper, ignore_event, NULL);

    if (!keeper->ended)
        return result;
    *status = keeper->status;
    return 1;
}

int keeper_shells_fd(const struct keeper *keeper)
{
    return keeper->epoll;
}

int keeper_shells(struct keeper *keeper, event_sink_fn *sink, void *self)
{
    int result = take_news(keeper, sink, self);

    for (int i = 0; i < KEEPER_LETTERS; i++)
        if (keeper->streams[i].fd != -1)
            drain(&keeper->streams[i], sink, self);
    if (keeper->losses != -1)
        loss_take(keeper->losses, sink, self);
    return result;
}
