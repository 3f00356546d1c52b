/* See stage.h. */
#include "viz/lesson/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"

enum {
    ROWS = 24,
    COLUMNS = 200, /* so that netstat's and ss' lines stay whole */
    TURN_MS = 10,  /* how often a waiting program is looked at */
    THREADS_MOST = 64,
    STEADY = 3 /* looks that find the same unknown call: it stays in it */
};

void stage_init(struct stage *stage, struct feed *feed)
{
    double load = 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    memset(stage, 0, sizeof *stage);
    stage->feed = feed;
    for (int i = 0; i < STAGE_TERMINALS; i++) {
        stage->terminals[i].fd = -1;
        terminal_init(&stage->terminals[i].parser, (char)('A' + i));
    }
    stage->slowness = 1;
    if (getloadavg(&load, 1) == 1 && cores > 0)
        stage->slowness += load / (double)cores;
    if (stage->slowness > 6)
        stage->slowness = 6;
}

void stage_fini(struct stage *stage)
{
    for (int i = 0; i < STAGE_TERMINALS; i++) {
        if (stage->terminals[i].fd >= 0)
            close(stage->terminals[i].fd);
        stage->terminals[i].fd = -1;
    }
}

int64_t stage_deadline(const struct stage *stage, double seconds)
{
    return clock_now() +
           (int64_t)(seconds * stage->slowness * (double)CLOCK_SECOND);
}

/* --- what the terminals show ------------------------------------------- */

static void stage_event(void *self, const struct event *event)
{
    struct stage *stage = self;
    struct stage_terminal *terminal = &stage->terminals[event->terminal - 'A'];
    char *line = terminal->shown[terminal->shown_count % STAGE_SHOWN];

    if (event->kind == EVENT_TYPED)
        terminal->commands++;
    if (event->kind == EVENT_TYPED || event->kind == EVENT_PRINTED) {
        snprintf(line, STAGE_SHOWN_LINE, "%s%s",
                 event->kind == EVENT_TYPED ? "$ " : "", event->text);
        terminal->shown_count++;
    }
    feed_event(stage->feed, event);
}

const char *stage_shown(const struct stage *stage, char letter, unsigned n)
{
    const struct stage_terminal *terminal = &stage->terminals[letter - 'A'];
    unsigned first = terminal->shown_count > STAGE_SHOWN
                         ? terminal->shown_count - STAGE_SHOWN
                         : 0;

    if (first + n >= terminal->shown_count)
        return NULL;
    return terminal->shown[(first + n) % STAGE_SHOWN];
}

static void read_terminal(struct stage *stage, struct stage_terminal *terminal)
{
    char bytes[4096];
    ssize_t n = read(terminal->fd, bytes, sizeof bytes);

    if (n > 0) {
        terminal_feed(&terminal->parser, bytes, (size_t)n, clock_wall(),
                      stage_event, stage);
        return;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    close(terminal->fd); /* bash has ended: EIO on a pty's master */
    terminal->fd = -1;
    terminal_init(&terminal->parser, terminal->parser.letter);
}

int stage_turn(struct stage *stage, int ms)
{
    struct pollfd fds[FEED_FDS + STAGE_TERMINALS];
    struct stage_terminal *who[FEED_FDS + STAGE_TERMINALS];
    int first = feed_fds(stage->feed, fds), count = first;
    int wait = feed_timeout(stage->feed);
    struct capture_error error;

    for (int i = 0; i < STAGE_TERMINALS; i++) {
        if (stage->terminals[i].fd < 0)
            continue;
        who[count] = &stage->terminals[i];
        fds[count++] = (struct pollfd){.fd = stage->terminals[i].fd,
                                       .events = POLLIN};
    }
    if (wait < 0 || wait > ms)
        wait = ms;
    if (poll(fds, (nfds_t)count, wait) < 0 && errno != EINTR)
        return -1;
    if (feed_pump(stage->feed, &error) < 0) {
        snprintf(stage->why, sizeof stage->why, "%.300s", error.text);
        errno = EIO;
        return -1;
    }
    for (int i = first; i < count; i++) {
        if (fds[i].revents)
            read_terminal(stage, who[i]);
    }
    return 0;
}

/* --- when may be typed ------------------------------------------------- */

/* What was typed before has been read. The kernel hands what is written to a
 * pty's master to the line discipline later, by a worker; but poll(2) on the
 * slave waits for that worker before it says that there is nothing to read, and
 * a program that has been woken to read no longer counts as waiting. So a line
 * that is still on its way, even a ^D, can never be taken for a line read. */
bool stage_input_taken(int master)
{
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct pollfd input = {.fd = slave, .events = POLLIN};
    bool taken;

    if (slave < 0)
        return true; /* an old kernel: then the wait below must do */
    taken = poll(&input, 1, 0) == 0;
    close(slave);
    return taken;
}

static bool is_select(enum wait_call call)
{
    return call == WAIT_SELECT || call == WAIT_POLL || call == WAIT_EPOLL;
}

/* What is waited for, as a function of one look. */
struct look {
    struct wait_info threads[THREADS_MOST];
    int count;   /* -1: nobody may look */
    long number; /* of the first thread's call, to see whether it stays */
    int same;
    const char *found; /* what stood in the way, or NULL */
};

/* The program in the foreground, looked at; false when there is none yet. */
static bool look_at_program(struct stage *stage,
                            struct stage_terminal *terminal, struct look *look)
{
    pid_t program = tcgetpgrp(terminal->fd);
    long before = look->number;

    look->found = "no program runs in front";
    if (!terminal->parser.in_command || program <= 0 ||
        program == terminal->shell)
        return false;
    look->found = "what was typed before has not been read";
    if (!stage_input_taken(terminal->fd))
        return false;
    look->count = keeper_waits(stage->feed->keeper, program, look->threads,
                               THREADS_MOST);
    if (look->count > THREADS_MOST)
        look->count = THREADS_MOST;
    look->number = look->count > 0 && !look->threads[0].running
                       ? look->threads[0].number
                       : -1;
    look->same = look->number >= 0 && look->number == before ? look->same + 1
                                                             : 0;
    return true;
}

/* Some thread waits for standard input, or for several things at once. */
static bool reads(struct stage *stage, struct stage_terminal *terminal,
                  struct look *look)
{
    if (!look_at_program(stage, terminal, look))
        return false;
    look->found = "it does not read its terminal";
    if (look->count < 0)
        return true; /* the tty keeps the line until it is read */
    for (int i = 0; i < look->count; i++) {
        const struct wait_info *thread = &look->threads[i];

        if (!thread->running &&
            ((thread->number == SYS_read && thread->fd == 0) ||
             is_select(thread->call)))
            return true;
    }
    return false;
}

/* Every thread is inside a call that waits. */
static bool is_in_a_call(struct stage *stage, struct stage_terminal *terminal,
                         struct look *look)
{
    bool known = true;

    if (!look_at_program(stage, terminal, look))
        return false;
    for (int i = 0; i < look->count; i++) {
        const struct wait_info *thread = &look->threads[i];

        look->found = "it runs";
        if (thread->running)
            return false;
        look->found = "it is in a call that is not known to wait";
        known &= thread->call != WAIT_OTHER ||
                 (thread->number == SYS_read && thread->fd == 0);
    }
    return known || look->same >= STEADY;
}

static bool has_prompt(struct stage *stage, struct stage_terminal *terminal,
                       struct look *look)
{
    (void)stage;
    (void)look;
    if (terminal->parser.at_prompt)
        terminal->shell = tcgetpgrp(terminal->fd);
    return terminal->parser.at_prompt;
}

typedef bool ready_fn(struct stage *stage, struct stage_terminal *terminal,
                      struct look *look);

static int wait_for(struct stage *stage, struct stage_terminal *terminal,
                    ready_fn *ready, const char *what)
{
    int64_t deadline = stage_deadline(stage, STAGE_PATIENCE);
    struct look look = {.number = -1};
    char letter = terminal->parser.letter;

    while (terminal->fd >= 0 && !ready(stage, terminal, &look)) {
        if (clock_now() > deadline) {
            snprintf(stage->why, sizeof stage->why,
                     "terminal %c: waited %.0f s until %s%s%s", letter,
                     STAGE_PATIENCE * stage->slowness, what,
                     look.found ? ": " : "", look.found ? look.found : "");
            return -1;
        }
        if (stage_turn(stage, TURN_MS) < 0) {
            if (errno != EIO)
                snprintf(stage->why, sizeof stage->why, "poll: %s",
                         strerror(errno));
            return -1;
        }
    }
    if (terminal->fd >= 0)
        return 0;
    snprintf(stage->why, sizeof stage->why,
             "terminal %c: its shell ended while waiting until %s", letter,
             what);
    return -1;
}

/* --- typing ------------------------------------------------------------ */

static int put(struct stage *stage, struct stage_terminal *terminal,
               const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(terminal->fd, text, length);

        if (n > 0) {
            text += n;
            length -= (size_t)n;
        } else if (errno == EAGAIN) {
            if (stage_turn(stage, TURN_MS) < 0)
                return -1;
        } else if (errno != EINTR) {
            snprintf(stage->why, sizeof stage->why,
                     "terminal %c cannot be typed into: %s",
                     terminal->parser.letter, strerror(errno));
            return -1;
        }
    }
    return 0;
}

static int open_terminal(struct stage *stage, struct stage_terminal *terminal)
{
    char letter = terminal->parser.letter;

    if (terminal->fd >= 0)
        return 0;
    terminal->fd = keeper_terminal(stage->feed->keeper, letter, ROWS, COLUMNS);
    if (terminal->fd < 0) {
        snprintf(stage->why, sizeof stage->why,
                 "terminal %c cannot be opened: %s", letter, strerror(errno));
        return -1;
    }
    fcntl(terminal->fd, F_SETFL, fcntl(terminal->fd, F_GETFL) | O_NONBLOCK);
    return wait_for(stage, terminal, has_prompt, "its shell shows a prompt");
}

static bool has_started(struct stage *stage, struct stage_terminal *terminal,
                        struct look *look)
{
    (void)stage;
    (void)look;
    return terminal->commands != terminal->commands_before;
}

static int type_command(struct stage *stage, struct stage_terminal *terminal,
                        const char *text)
{
    char line[DOCUMENT_LINE + 2];
    int length = snprintf(line, sizeof line, "%s\n", text);

    if (open_terminal(stage, terminal) < 0)
        return -1;
    if (strcmp(text, "make shell") == 0)
        return 0;
    if (wait_for(stage, terminal, has_prompt,
                 "the command before this one has ended") < 0)
        return -1;
    terminal->commands_before = terminal->commands;
    if (put(stage, terminal, line, (size_t)length) < 0)
        return -1;
    return wait_for(stage, terminal, has_started, "the command starts");
}

/* Input: once the program reads. */
static int type_input(struct stage *stage, struct stage_terminal *terminal,
                      const char *text)
{
    char line[DOCUMENT_LINE + 2];
    int length = snprintf(line, sizeof line, "%s\n", text);

    if (wait_for(stage, terminal, reads, "its program reads the next line") < 0)
        return -1;
    terminal_typed(&terminal->parser, line, (size_t)length);
    return put(stage, terminal, line, (size_t)length);
}

int stage_type(struct stage *stage, char letter, const struct typed *typed)
{
    struct stage_terminal *terminal = &stage->terminals[letter - 'A'];
    char key;

    if (typed->kind == TYPED_COMMAND)
        return type_command(stage, terminal, typed->text);
    if (terminal->fd < 0) {
        snprintf(stage->why, sizeof stage->why,
                 "terminal %c is not open: no command was typed there", letter);
        return -1;
    }
    if (typed->kind == TYPED_INPUT)
        return type_input(stage, terminal, typed->text);
    key = (char)(typed->text[0] - 'A' + 1);
    if (wait_for(stage, terminal, key == 4 ? reads : is_in_a_call,
                 key == 4 ? "its program reads, to type Ctrl-D"
                          : "its program waits, to type that key") < 0)
        return -1;
    if (key != 4)
        terminal_typed(&terminal->parser, &key, 1);
    return put(stage, terminal, &key, 1);
}
