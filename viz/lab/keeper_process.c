/*
 * See keeper_process.h. It keeps of its rights only those that the words need,
 * and no descriptor that it does not: whatever it starts is the student's.
 */
#include "viz/lab/keeper_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "viz/kernel/loss.h"
#include "viz/lab/bash.h"
#include "viz/lab/reaper.h"
#include "viz/lab/spawn.h"

static struct place *place_of(struct keeper_process *keeper, char letter)
{
    if (letter < 'A' || letter >= 'A' + KEEPER_LETTERS)
        return NULL;
    return &keeper->places[letter - 'A'];
}

static bool is_free(const struct place *place)
{
    return place->shell == -1 && place->child == 0;
}

/* --- the words of viz ---------------------------------------------------- */

static void start_terminal(struct keeper_process *keeper,
                           const struct request *request)
{
    struct place *place = place_of(keeper, request->letter);
    struct reply reply = {.error = EINVAL};
    struct bash_options options = {.letter = request->letter,
                                   .title = keeper->title,
                                   .calls = keeper->calls,
                                   .private_network = keeper->net_fd != -1,
                                   .directory = keeper->directory,
                                   .user_fd = -1,
                                   .net_fd = -1,
                                   .play = true,
                                   .rows = request->rows,
                                   .columns = request->columns,
                                   .student = &keeper->student};
    int master = -1;

    if (place != NULL && !is_free(place)) {
        reply.error = EBUSY;
    } else if (place != NULL) {
        place->child = bash_start(&options, &master);
        reply.error = place->child == -1 ? errno : 0;
        if (place->child == -1)
            place->child = 0;
        reply.process = place->child;
    }
    words_send(keeper->requests, &reply, sizeof reply, &master, master != -1);
    if (master != -1)
        close(master);
}

static int give_no_stdio(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int to = 0; to < 3; to++)
        if (fd == -1 || dup2(fd, to) == -1)
            return -1;
    return 0;
}

struct command {
    const struct keeper_process *keeper;
    char **argv;
};

/* The command of --private: on the stdio that viz was started with, in its
 * process group, so that ^C reaches it. A spawn_fn. */
static void become_command(void *self)
{
    const struct command *command = self;
    const struct keeper_process *keeper = command->keeper;
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (keeper->quiet && give_no_stdio() == -1)
        return;
    if (student_become(&keeper->student) == -1)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(command->argv[0], command->argv);
}

/* `bytes` are `count` strings, each with its NUL, and nothing more. NULL with
 * errno when they are not. */
static char **read_arguments(char *bytes, size_t length, uint32_t count)
{
    char **argv;
    size_t at = 0;

    if (count == 0 || count > length || bytes[length - 1] != '\0') {
        errno = EINVAL;
        return NULL;
    }
    argv = calloc(count + 1, sizeof *argv);
    if (argv == NULL)
        return NULL;
    for (uint32_t i = 0; i < count && at < length; i++) {
        argv[i] = bytes + at;
        at += strlen(bytes + at) + 1;
    }
    if (at == length && argv[count - 1] != NULL)
        return argv;
    free(argv);
    errno = EINVAL;
    return NULL;
}

static void start_command(struct keeper_process *keeper,
                          const struct request *request, char *bytes,
                          size_t length)
{
    struct reply reply = {.error = EBUSY};
    struct command command = {.keeper = keeper};

    if (keeper->command == 0) {
        command.argv = read_arguments(bytes, length, request->arguments);
        keeper->command = command.argv == NULL
                              ? -1
                              : spawn(become_command, &command);
        reply.error = keeper->command == -1 ? errno : 0;
        if (keeper->command == -1)
            keeper->command = 0;
        reply.process = keeper->command;
        free(command.argv);
    }
    words_send(keeper->requests, &reply, sizeof reply, NULL, 0);
}

/* Only the student's processes in our own network: not a way to look into
 * others. */
static bool may_look(const struct keeper_process *keeper, pid_t process)
{
    char path[40];
    struct stat owner;

    snprintf(path, sizeof path, "/proc/%d", (int)process);
    if (process <= 0 || stat(path, &owner) == -1)
        return false;
    if (owner.st_uid != keeper->student.uid)
        return false;
    return keeper->net_fd == -1 || reaper_in_network(process, keeper->net_fd);
}

static void tell_waits(struct keeper_process *keeper,
                       const struct request *request)
{
    struct reply reply = {.error = 0};

    if (may_look(keeper, request->process))
        reply.threads = waits_look(request->process, reply.waits,
                                   WORDS_THREADS);
    else
        reply.error = EACCES;
    if (reply.threads == -1) {
        reply.error = errno;
        reply.threads = 0;
    }
    words_send(keeper->requests, &reply, sizeof reply, NULL, 0);
}

/* Only in a network of our own, never in the machine's. What is lost is told
 * to who asked first. */
static void lose_packets(struct keeper_process *keeper,
                         const struct request *request)
{
    const struct loss loss = {request->lost, request->of};
    struct reply reply = {.error = 0};
    int watch = -1;

    if (keeper->net_fd == -1)
        reply.error = ENETDOWN;
    else if (loss.lost > loss.of || loss.of > LOSS_MOST)
        reply.error = EINVAL;
    else if (!keeper->loss_watched && (watch = loss_watch()) != -1)
        keeper->loss_watched = true;
    if (reply.error == 0 && loss_set(&loss) == -1)
        reply.error = errno;
    words_send(keeper->requests, &reply, sizeof reply, &watch, watch != -1);
    if (watch != -1)
        close(watch);
}

/* false when viz is gone, or wants us to end. */
static bool obey(struct keeper_process *keeper)
{
    static union {
        struct request request;
        char bytes[sizeof(struct request) + WORDS_ARGUMENTS];
    } packet;
    const struct request *request = &packet.request;
    const struct reply refusal = {.error = EPROTO};
    ssize_t n = words_receive(keeper->requests, &packet, sizeof packet, NULL,
                              NULL);

    if (n == 0 || (n == -1 && errno != EMSGSIZE))
        return false;
    if (n < (ssize_t)sizeof *request ||
        (n > (ssize_t)sizeof *request && request->word != WORD_RUN)) {
        words_send(keeper->requests, &refusal, sizeof refusal, NULL, 0);
        return true;
    }
    switch (request->word) {
    case WORD_TERMINAL:
        start_terminal(keeper, request);
        return true;
    case WORD_RUN:
        start_command(keeper, request, packet.bytes + sizeof *request,
                      (size_t)n - sizeof *request);
        return true;
    case WORD_LOSS:
        lose_packets(keeper, request);
        return true;
    case WORD_WAITS:
        tell_waits(keeper, request);
        return true;
    case WORD_END:
        return false;
    default:
        words_send(keeper->requests, &refusal, sizeof refusal, NULL, 0);
        return true;
    }
}

/* --- shells at the door -------------------------------------------------- */

static void refuse_shell(int shell, enum welcome_kind kind)
{
    struct welcome welcome = {.kind = kind};

    words_send(shell, &welcome, sizeof welcome, NULL, 0);
    close(shell);
}

static void welcome_shell(struct keeper_process *keeper, int shell)
{
    struct welcome welcome = {.kind = WELCOME};
    struct news news = {.kind = NEWS_SHELL};
    int fds[WORDS_FDS] = {keeper->directory, keeper->user_fd, keeper->net_fd};
    int at = 0;

    while (at < KEEPER_LETTERS && !is_free(&keeper->places[at]))
        at++;
    if (at == KEEPER_LETTERS) {
        refuse_shell(shell, WELCOME_FULL);
        return;
    }
    welcome.letter = news.letter = (char)('A' + at);
    snprintf(welcome.title, sizeof welcome.title, "%s", keeper->title);
    if (keeper->calls != NULL)
        snprintf(welcome.calls, sizeof welcome.calls, "%s", keeper->calls);
    /* viz first: it must know the letter before the shell can print. */
    if (words_send(keeper->news, &news, sizeof news, &shell, 1) == -1 ||
        words_send(shell, &welcome, sizeof welcome, fds,
                   keeper->net_fd == -1 ? 1 : WORDS_FDS) == -1) {
        close(shell);
        return;
    }
    keeper->places[at].shell = shell;
}

static void open_door(struct keeper_process *keeper)
{
    uid_t uid;
    int shell = door_accept(&keeper->door, &uid);

    if (shell == -1)
        return;
    if (uid != keeper->student.uid && uid != 0) /* root may, as everywhere */
        refuse_shell(shell, WELCOME_STRANGER);
    else
        welcome_shell(keeper, shell);
}

/* --- children ------------------------------------------------------------ */

static void child_ended(struct keeper_process *keeper, pid_t child, int status)
{
    struct news news = {.kind = NEWS_ENDED, .status = status};

    if (child == keeper->command) {
        keeper->command = 0;
        words_send(keeper->news, &news, sizeof news, NULL, 0);
    }
    for (int i = 0; i < KEEPER_LETTERS; i++)
        if (keeper->places[i].child == child)
            keeper->places[i].child = 0;
}

/* false when a signal asked us to end. */
static bool take_signals(struct keeper_process *keeper)
{
    struct signalfd_siginfo info;
    bool go_on = true;
    pid_t child;
    int status;

    while (read(keeper->signals, &info, sizeof info) == sizeof info)
        if (info.ssi_signo == SIGTERM)
            go_on = false;
    while ((child = waitpid(-1, &status, WNOHANG)) > 0)
        child_ended(keeper, child, status);
    return go_on;
}

/* --- its life ------------------------------------------------------------ */

/* Of all rights in our network keep: to manage it, to see what a thread waits
 * for, to end what is there, and to make children the student. */
static void keep_few_rights(void)
{
    static const int kept[] = {CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_KILL,
                               CAP_SETUID,    CAP_SETGID,     CAP_SETPCAP};
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, data) == -1)
        return;
    for (int word = 0; word < _LINUX_CAPABILITY_U32S_3; word++) {
        uint32_t mask = 0;

        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
            if (kept[i] / 32 == word)
                mask |= 1u << (kept[i] % 32);
        data[word].permitted &= mask;
        data[word].effective = data[word].permitted;
        data[word].inheritable = 0;
    }
    syscall(SYS_capset, &header, data);
}

/* The keys of viz' terminal are not for us: ^C ends the student's command, and
 * we end when viz does. */
static int settle(struct keeper_process *keeper)
{
    static const int ignored[] = {SIGINT,  SIGQUIT, SIGHUP, SIGTSTP,
                                  SIGTTIN, SIGTTOU, SIGPIPE};
    sigset_t taken;

    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    sigemptyset(&taken);
    sigaddset(&taken, SIGCHLD);
    sigaddset(&taken, SIGTERM);
    sigprocmask(SIG_SETMASK, &taken, NULL);
    keeper->signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    prctl(PR_SET_NAME, "lab-keeper");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    keep_few_rights();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    return keeper->signals == -1 || getppid() != keeper->viz ? -1 : 0;
}

static void serve(struct keeper_process *keeper)
{
    enum { REQUESTS, SIGNALS, DOOR, SHELLS, ALL = SHELLS + KEEPER_LETTERS };
    struct pollfd wait[ALL];
    bool go_on = true;

    while (go_on) {
        wait[REQUESTS] = (struct pollfd){keeper->requests, POLLIN, 0};
        wait[SIGNALS] = (struct pollfd){keeper->signals, POLLIN, 0};
        wait[DOOR] = (struct pollfd){keeper->door.listener, POLLIN, 0};
        /* What shells say is for viz; we only see them leave. */
        for (int i = 0; i < KEEPER_LETTERS; i++)
            wait[SHELLS + i] = (struct pollfd){keeper->places[i].shell,
                                               POLLRDHUP, 0};
        if (poll(wait, ALL, -1) == -1)
            continue; /* EINTR: all signals are blocked or ignored */
        for (int i = 0; i < KEEPER_LETTERS; i++)
            if (wait[SHELLS + i].revents != 0) {
                close(keeper->places[i].shell);
                keeper->places[i].shell = -1;
            }
        if (wait[SIGNALS].revents != 0)
            go_on = take_signals(keeper);
        if (wait[DOOR].revents != 0)
            open_door(keeper);
        if (go_on && wait[REQUESTS].revents != 0)
            go_on = obey(keeper);
    }
}

_Noreturn void keeper_process_run(struct keeper_process *keeper)
{
    for (int i = 0; i < KEEPER_LETTERS; i++)
        keeper->places[i] = (struct place){.shell = -1};
    keeper->command = 0;
    if (settle(keeper) == 0)
        serve(keeper);
    for (int i = 0; i < KEEPER_LETTERS; i++)
        if (keeper->places[i].shell != -1)
            close(keeper->places[i].shell);
    reaper_end_children();
    if (keeper->net_fd != -1)
        reaper_end_network(keeper->net_fd, keeper->viz);
    door_close(&keeper->door);
    _exit(0);
}
