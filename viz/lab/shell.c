/*
 * See shell.h. The relay stays outside the lab network, with the student's own
 * rights; only bash goes in. Nothing the lesson does can hold the student up:
 * its copy of the output waits in a queue, and what that cannot take is lost.
 * It needs a terminal, and says so: in a pipe there is nothing to relay.
 */
#include "viz/lab/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "common/clock.h"
#include "viz/lab/bash.h"
#include "viz/lab/copy.h"
#include "viz/lab/door.h"
#include "viz/lab/plain.h"
#include "viz/lab/words.h"

enum { STATUS_CANNOT = 2, PIECE = 4096, PATIENCE_SECONDS = 2 };

struct shell {
    int lesson; /* the keeper's door, -1 once it is closed */
    int directory, user_fd, net_fd;
    struct welcome welcome;

    pid_t bash;
    int bash_fd; /* pidfd */
    int master;
    int signals;           /* signalfd */
    struct termios before; /* the student's terminal */
    char input[PIECE];     /* typed, and not yet taken by the pty */
    size_t input_length;
    struct copy copy; /* what the lesson has yet to see */
    bool strips;      /* the student's terminal would print our marks */
    struct plain plain;
    bool told_to_end;
};

static int cannot(const char *text)
{
    fprintf(stderr, "%s\n", text);
    return STATUS_CANNOT;
}

/* --- joining ------------------------------------------------------------- */

static int knock(struct shell *shell)
{
    shell->lesson = door_knock();
    if (shell->lesson != -1)
        return 0;
    if (errno == EACCES || errno == EPERM)
        return cannot("The lesson that is running here is another user's.\n"
                      "Type make lesson-1 in a copy of the project of your "
                      "own.");
    return cannot("No lesson is running.\n"
                  "Type make lesson-1 in another terminal, then make shell "
                  "here.");
}

static int be_welcomed(struct shell *shell)
{
    int fds[WORDS_FDS], count;
    ssize_t n = words_receive(shell->lesson, &shell->welcome,
                              sizeof shell->welcome, fds, &count);

    if (count > 0)
        shell->directory = fds[0];
    if (count == WORDS_FDS) {
        shell->user_fd = fds[1];
        shell->net_fd = fds[2];
    } else if (count == 2) {
        close(fds[1]);
    }
    if (n != sizeof shell->welcome)
        return cannot("The lesson ended just now: type make lesson-1 in "
                      "another terminal, then make shell here.");
    shell->welcome.title[sizeof shell->welcome.title - 1] = '\0';
    shell->welcome.calls[sizeof shell->welcome.calls - 1] = '\0';
    if (shell->welcome.kind == WELCOME_FULL)
        return cannot("Terminals A, B and C of this lesson are open already.\n"
                      "Go on in one of them, or leave one by typing exit in "
                      "it.");
    if (shell->welcome.kind == WELCOME_STRANGER)
        return cannot("The lesson that is running here is another user's.");
    if (shell->welcome.kind != WELCOME || count == 0)
        return cannot("The lesson runs another version of the program.\n"
                      "Quit it (key q), then type make lesson-1 again.");
    return 0;
}

static int start_bash(struct shell *shell)
{
    struct student student;
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    const char *calls = shell->welcome.calls;
    struct bash_options options = {.letter = shell->welcome.letter,
                                   .title = shell->welcome.title,
                                   .calls = calls[0] != '\0' ? calls : NULL,
                                   .private_network = shell->net_fd != -1,
                                   .directory = shell->directory,
                                   .user_fd = shell->user_fd,
                                   .net_fd = shell->net_fd,
                                   .student = &student};

    student_read(&student);
    ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
    options.rows = size.ws_row;
    options.columns = size.ws_col;
    shell->bash = bash_start(&options, &shell->master);
    if (shell->bash == -1 && errno == EPERM)
        return cannot("The lesson's network cannot be joined: the lesson was "
                      "started with sudo.\nType:  sudo make shell");
    if (shell->bash == -1 && errno == ENOENT)
        return cannot("There is no bash on this machine.\n"
                      "Type:  sudo apt-get install -y bash   (or your "
                      "system's like)");
    if (shell->bash == -1) {
        fprintf(stderr, "The terminal could not be started: %s.\n",
                strerror(errno));
        return STATUS_CANNOT;
    }
    shell->bash_fd = (int)syscall(SYS_pidfd_open, shell->bash, 0);
    return shell->bash_fd == -1 ? cannot("This Linux is older than 5.3, which "
                                         "the lab's terminals need.")
                                : 0;
}

/* --- the student's own terminal ------------------------------------------ */

static void set_raw(const struct shell *shell)
{
    struct termios raw = shell->before;

    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void set_as_before(const struct shell *shell)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &shell->before);
}

static void pass_size_on(const struct shell *shell)
{
    struct winsize size;

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        ioctl(shell->master, TIOCSWINSZ, &size);
}

/* false when the terminal is gone. */
static bool show(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(STDOUT_FILENO, bytes, length);

        if (n == -1 && errno == EAGAIN) {
            struct pollfd ready = {STDOUT_FILENO, POLLOUT, 0};

            poll(&ready, 1, -1);
            continue;
        }
        if (n == -1 && errno != EINTR)
            return false;
        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
        }
    }
    return true;
}

static void tell_bash_to_end(struct shell *shell)
{
    if (!shell->told_to_end)
        syscall(SYS_pidfd_send_signal, shell->bash_fd, SIGHUP, NULL, 0);
    shell->told_to_end = true;
}

/* --- the relay ----------------------------------------------------------- */

/* While the pty echoes whole lines, the lesson must know what was typed, to
 * tell it from what the program prints. Passwords are not echoed, nor sent. */
static bool pty_echoes(int master)
{
    struct termios now;

    return tcgetattr(master, &now) == 0 && (now.c_lflag & ICANON) != 0 &&
           (now.c_lflag & ECHO) != 0;
}

static void from_student(struct shell *shell)
{
    ssize_t n = read(STDIN_FILENO, shell->input, sizeof shell->input);

    if (n > 0) {
        shell->input_length = (size_t)n;
        if (pty_echoes(shell->master))
            copy_add(&shell->copy, SHELL_TYPED, shell->input, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        tell_bash_to_end(shell); /* the student's terminal is gone */
    }
}

static void to_bash(struct shell *shell)
{
    ssize_t n = write(shell->master, shell->input, shell->input_length);

    if (n == -1)
        return;
    shell->input_length -= (size_t)n;
    memmove(shell->input, shell->input + n, shell->input_length);
}

/* false when nothing can come any more, or `all` that is there has come. */
static bool from_bash(struct shell *shell)
{
    char bytes[PIECE], shown[PIECE + 1];
    ssize_t n = read(shell->master, bytes, sizeof bytes);
    bool alive;

    if (n <= 0)
        return n == -1 && errno == EINTR;
    copy_add(&shell->copy, SHELL_SHOWN, bytes, (size_t)n);
    if (shell->strips)
        alive = show(shown,
                     plain_strip(&shell->plain, bytes, (size_t)n, shown));
    else
        alive = show(bytes, (size_t)n);
    if (!alive)
        tell_bash_to_end(shell);
    return true;
}

static void lesson_ends(struct shell *shell)
{
    static const char farewell[] =
        "\r\nThe lesson has ended, and this terminal with it.\r\n";

    close(shell->lesson);
    shell->lesson = -1;
    if (shell->told_to_end)
        return;
    show(farewell, sizeof farewell - 1);
    tell_bash_to_end(shell);
}

static void take_signals(struct shell *shell)
{
    struct signalfd_siginfo info;

    while (read(shell->signals, &info, sizeof info) == sizeof info)
        switch (info.ssi_signo) {
        case SIGWINCH:
            pass_size_on(shell);
            break;
        case SIGCONT: /* whoever stopped us gave the terminal another mode */
            set_raw(shell);
            pass_size_on(shell);
            break;
        default: /* SIGHUP, SIGTERM */
            tell_bash_to_end(shell);
        }
}

/* Until bash has ended. Told to end, it has some time, then it is killed. */
static void relay(struct shell *shell)
{
    enum { STUDENT, PTY, LESSON, SIGNALS, BASH, ALL };
    struct pollfd wait[ALL];
    int64_t deadline = CLOCK_NEVER;
    bool pty_open = true;

    for (;;) {
        bool typed = shell->input_length > 0;

        wait[STUDENT] = (struct pollfd){
            typed || shell->told_to_end ? -1 : STDIN_FILENO, POLLIN, 0};
        wait[PTY] = (struct pollfd){pty_open ? shell->master : -1,
                                    (short)(POLLIN | (typed ? POLLOUT : 0)), 0};
        wait[LESSON] = (struct pollfd){
            shell->lesson,
            (short)(POLLIN | (copy_waits(&shell->copy) ? POLLOUT : 0)), 0};
        wait[SIGNALS] = (struct pollfd){shell->signals, POLLIN, 0};
        wait[BASH] = (struct pollfd){shell->bash_fd, POLLIN, 0};
        if (shell->told_to_end && deadline == CLOCK_NEVER)
            deadline = clock_now() + PATIENCE_SECONDS * CLOCK_SECOND;
        if (poll(wait, ALL, clock_poll_ms(deadline)) == 0)
            syscall(SYS_pidfd_send_signal, shell->bash_fd, SIGKILL, NULL, 0);
        if (wait[SIGNALS].revents != 0)
            take_signals(shell);
        if (wait[STUDENT].revents != 0)
            from_student(shell);
        if (wait[PTY].revents & POLLOUT)
            to_bash(shell);
        if (wait[PTY].revents & (POLLIN | POLLHUP))
            pty_open = from_bash(shell) || errno == EAGAIN;
        if (wait[LESSON].revents & (POLLIN | POLLHUP | POLLERR))
            lesson_ends(shell);
        else if (shell->lesson != -1)
            copy_send(&shell->copy, shell->lesson);
        if (wait[BASH].revents != 0)
            return;
    }
}

/* Its last words. With which status it ended is its own affair: make would call
 * it an error that the student's last command failed. */
static void see_bash_off(struct shell *shell)
{
    while (from_bash(shell))
        ;
    if (shell->lesson != -1)
        copy_send(&shell->copy, shell->lesson);
    while (waitpid(shell->bash, NULL, 0) == -1 && errno == EINTR)
        ;
}

static int take_over(struct shell *shell)
{
    static const int taken[] = {SIGWINCH, SIGCONT, SIGHUP, SIGTERM};
    static const int ignored[] = {SIGPIPE, SIGTSTP, SIGTTIN,
                                  SIGTTOU, SIGINT,  SIGQUIT};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaddset(&set, taken[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    shell->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (shell->signals == -1 ||
        fcntl(shell->master, F_SETFL, O_RDWR | O_NONBLOCK) == -1 ||
        fcntl(shell->lesson, F_SETFL, O_RDWR | O_NONBLOCK) == -1)
        return cannot("The terminal could not be set up.");
    set_raw(shell);
    relay(shell);
    see_bash_off(shell);
    set_as_before(shell);
    return 0;
}

/* --- its life ------------------------------------------------------------ */

static void close_all(const struct shell *shell)
{
    const int fds[] = {shell->lesson, shell->directory, shell->user_fd,
                       shell->net_fd, shell->master,    shell->bash_fd,
                       shell->signals};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] != -1)
            close(fds[i]);
}

static int run(struct shell *shell)
{
    const char *letter = getenv(BASH_LETTER);
    int status;

    if (letter != NULL) {
        fprintf(stderr,
                "This is terminal %.1s of the lesson already: nothing more is "
                "needed here.\nFor another one, open a new terminal window and "
                "type make shell in it.\n",
                letter);
        return STATUS_CANNOT;
    }
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
        tcgetattr(STDIN_FILENO, &shell->before) == -1)
        return cannot("make shell needs a terminal to type into.\n"
                      "To run a lesson without one:  make lesson-1 PLAY=1");
    status = knock(shell);
    if (status == 0)
        status = be_welcomed(shell);
    if (status == 0)
        status = start_bash(shell);
    if (status == 0)
        status = take_over(shell);
    return status;
}

int shell_run(void)
{
    struct shell shell = {.lesson = -1,
                          .directory = -1,
                          .user_fd = -1,
                          .net_fd = -1,
                          .master = -1,
                          .bash_fd = -1,
                          .signals = -1,
                          .strips = plain_needed(getenv("TERM"))};
    int status = run(&shell);

    close_all(&shell);
    copy_fini(&shell.copy);
    return status;
}
