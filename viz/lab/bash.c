/*
 * See bash.h. bash reads its start-up file from a memfd on descriptor 9, which
 * that file closes first: so the student's programs find 3 as the first free
 * descriptor, as the lessons say, and no file is left behind.
 */
#include "viz/lab/bash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "common/netns.h"
#include "viz/lab/call_feed.h"
#include "viz/lab/spawn.h"

enum { RC_FD = 9, HIGH_FD = 20 };

/* Names the preload library to the start-up file, which sets LD_PRELOAD for
 * what is started then: bash itself goes without. */
#define LIBRARY "TWO_TERMINALS_LIBRARY"

/* The prompt's marks are OSC 133 ("semantic prompts"): A and B around the
 * prompt, C with the command line when it starts, D with its status when it
 * has ended. PS0 is shown between reading a command and running it. */
static const char start_up[] =
    "exec 9<&-\n"
    "unset PROMPT_COMMAND PS0 HISTFILE MAILCHECK CDPATH\n"
    "shopt -s checkwinsize promptvars\n"
    "set -o history; HISTSIZE=1000 HISTCONTROL= HISTIGNORE= HISTTIMEFORMAT=\n"
    "__lab_typed() {\n"
    "    local typed; typed=$(HISTTIMEFORMAT= builtin history 1)\n"
    "    [[ $typed =~ ^[[:space:]]*[0-9]+\\*?[[:space:]]+(.*)$ ]] &&\n"
    "        typed=${BASH_REMATCH[1]}\n"
    "    printf '\\033]133;C;cmdline=%s\\007' \"${typed//[[:cntrl:]]/ }\"\n"
    "}\n"
    "__lab_ended() { printf '\\033]133;D;%d\\007' \"$?\"; }\n"
    "PROMPT_COMMAND=__lab_ended\n"
    "PS0='$(__lab_typed)'\n"
    "case $" BASH_LETTER
    " in A) __lab=36 ;; B) __lab=35 ;; *) __lab=33 ;; esac\n"
    "if [[ ${TERM:-dumb} == dumb || -n ${NO_COLOR-} ]]; then\n"
    "    __lab=\"$" BASH_LETTER "\"\n"
    "else\n"
    "    __lab=\"\\[\\e[1;${__lab}m\\]$" BASH_LETTER "\\[\\e[0m\\]\"\n"
    "fi\n"
    "PS1=\"\\[\\e]133;A\\a\\]$__lab $ \\[\\e]133;B\\a\\]\"\n"
    "__lab=\n"
    "for __lab_file in ./*; do\n"
    "    [[ -f $__lab_file && -x $__lab_file ]] && __lab+=\" $__lab_file\"\n"
    "done\n"
    "printf 'Terminal %s of %s. To leave it, type: exit\\n' "
    "\"$" BASH_LETTER "\" \"$TWO_TERMINALS_TITLE\"\n"
    "printf 'Here:%s\\n' \"${__lab:- nothing yet}\"\n"
    "unset __lab __lab_file TWO_TERMINALS_TITLE\n"
    "if [[ -n ${" LIBRARY "-} ]]; then\n"
    "    export LD_PRELOAD=$" LIBRARY "${LD_PRELOAD:+:$LD_PRELOAD}\n"
    "    unset " LIBRARY "\n"
    "fi\n";

/* What a make around us, or a shell outside, would change inside. */
static const char *const not_inherited[] = {
    "MAKEFLAGS",    "MFLAGS",   "MAKELEVEL",      "MAKEOVERRIDES", "BASH_ENV",
    "ENV",          "HISTFILE", "PROMPT_COMMAND", "PS0",           "PS1",
    "SHELLOPTS",    "BASHOPTS", "LINES",          "COLUMNS",       LIBRARY,
    TRACE_VARIABLE, NULL};

static void set_environment(const struct bash_options *options)
{
    const char letter[] = {options->letter, '\0'};
    char title[128], library[PATH_MAX];

    for (const char *const *name = not_inherited; *name != NULL; name++)
        unsetenv(*name);
    setenv(BASH_LETTER, letter, 1);
    snprintf(title, sizeof title, "%s, %s", options->title,
             options->private_network ? "in its private network"
                                      : "on this machine's loopback");
    setenv("TWO_TERMINALS_TITLE", title, 1);
    if (options->calls != NULL &&
        call_feed_library(library, sizeof library) == 0) {
        setenv(TRACE_VARIABLE, options->calls, 1);
        setenv(LIBRARY, library, 1);
    }
    if (options->play) {
        setenv("TERM", "xterm-256color", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        setenv("INPUTRC", "/dev/null", 1);
    }
}

static int make_start_up(void)
{
    int fd = memfd_create("lab-bashrc", MFD_CLOEXEC), high;

    if (fd == -1)
        return -1;
    if (write(fd, start_up, sizeof start_up - 1) !=
        (ssize_t)(sizeof start_up - 1)) {
        close(fd);
        errno = EIO;
        return -1;
    }
    high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    close(fd);
    return high;
}

/* Everything above 2 closes at exec, also what a parent left open to us. */
static void close_at_exec(void)
{
    if (syscall(SYS_close_range, 3, UINT_MAX, 4 /* CLOSE_RANGE_CLOEXEC */) == 0)
        return;
    for (int fd = 3; fd < 1024; fd++) /* before Linux 5.11 */
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void default_signals(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int take_terminal(int master)
{
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);

    if (slave == -1 || setsid() == -1 || ioctl(slave, TIOCSCTTY, 0) == -1)
        return -1;
    for (int fd = 0; fd < 3; fd++)
        if (dup2(slave, fd) == -1)
            return -1;
    return slave > 2 ? close(slave) : 0;
}

/* What the child is made of. */
struct becoming {
    const struct bash_options *options;
    int master, start_up_fd;
};

/* A spawn_fn. */
static void become_bash(void *self)
{
    const struct becoming *becoming = self;
    const struct bash_options *options = becoming->options;
    char path[40];

    if (take_terminal(becoming->master) == -1 ||
        fchdir(options->directory) == -1)
        return;
    if (options->student->behind_sudo &&
        fchown(0, options->student->uid, (gid_t)-1) == -1)
        return;
    if (options->net_fd != -1 &&
        netns_join(options->user_fd, options->net_fd) == -1)
        return;
    if (student_become(options->student) == -1)
        return;
    prctl(PR_SET_PDEATHSIG, SIGHUP);
    set_environment(options);
    default_signals();
    close_at_exec();
    if (dup2(becoming->start_up_fd, RC_FD) == -1)
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", RC_FD);
    execlp("bash", "bash", "--rcfile", path, "-i", (char *)NULL);
}

static int open_pty(const struct bash_options *options)
{
    struct winsize size = {.ws_row = (unsigned short)options->rows,
                           .ws_col = (unsigned short)options->columns};
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), error;

    if (master == -1)
        return -1;
    if (grantpt(master) == 0 && unlockpt(master) == 0 &&
        ioctl(master, TIOCSWINSZ, &size) == 0)
        return master;
    error = errno;
    close(master);
    errno = error;
    return -1;
}

pid_t bash_start(const struct bash_options *options, int *master)
{
    struct becoming becoming = {options, -1, make_start_up()};
    pid_t child = -1;
    int error;

    if (becoming.start_up_fd == -1)
        return -1;
    becoming.master = *master = open_pty(options);
    if (*master != -1)
        child = spawn(become_bash, &becoming);
    error = errno;
    close(becoming.start_up_fd);
    if (child == -1 && *master != -1) {
        close(*master);
        *master = -1;
    }
    errno = error;
    return child;
}
