/*
 * See doctor.h. Each line is an attempt in a child of its own, so that one
 * refusal says nothing about the next and nothing is left behind.
 */
#include "viz/lab/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/netns.h"
#include "viz/capture/capture.h"
#include "viz/kernel/loss.h"
#include "viz/kernel/sockets.h"

enum { WORDS = 1600 };

/* Tries something and says why not in `why`: what refused and what to type.
 * Runs in a child that ends afterwards: it may change anything of itself. */
typedef bool attempt_fn(char *why, size_t size);

static bool try_private(char *why, size_t size)
{
    enum netns_step failed;

    if (netns_enter(&failed) == 0)
        return true;
    netns_explain(failed, errno, why, size);
    return false;
}

static bool try_loss(char *why, size_t size)
{
    const struct loss loss = {1, 2};
    enum netns_step failed;
    int watch;

    if (netns_enter(&failed) < 0) {
        snprintf(why, size, "It needs the private network.");
        return false;
    }
    if (loss_set(&loss) == 0 && (watch = loss_watch()) >= 0) {
        close(watch);
        return true;
    }
    snprintf(why, size,
             "The kernel's nf_tables: %s. To have it:\n"
             "  sudo modprobe -a nf_tables nft_numgen nft_log nfnetlink_log",
             strerror(errno));
    return false;
}

static bool try_capture(char *why, size_t size)
{
    struct capture_error error;
    struct capture *capture;
    enum netns_step failed;
    bool private_network = netns_enter(&failed) == 0;

    capture = capture_open_live("lo", 0, NULL, &error);
    if (capture != NULL) {
        capture_close(capture);
        return true;
    }
    if (private_network)
        snprintf(why, size, "%s", error.text);
    else
        snprintf(why, size,
                 "Without a private network the wire needs root or "
                 "CAP_NET_RAW:\nmend the line above first, and this one "
                 "comes with it.");
    return false;
}

static bool try_sockets(char *why, size_t size)
{
    struct sockets *sockets = sockets_open();

    if (sockets != NULL) {
        sockets_close(sockets);
        return true;
    }
    snprintf(why, size,
             "The kernel refused a NETLINK_SOCK_DIAG socket (%s).\n"
             "See whether ss works here:\n  ss -tan",
             strerror(errno));
    return false;
}

/* bubblewrap makes the cell of a submission; never run by uid 0. */
static bool try_bubblewrap(char *why, size_t size)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        int null = open("/dev/null", O_RDWR);

        if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
            _exit(1);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execlp("bwrap", "bwrap", "--unshare-user", "--unshare-all", "--ro-bind",
               "/", "/", "--dev", "/dev", "--proc", "/proc", "true",
               (char *)NULL);
        _exit(127);
    }
    if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
        WEXITSTATUS(status) == 0)
        return true;
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
        snprintf(why, size,
                 "bubblewrap is not installed; make grade-1 offers to do it.");
    else
        snprintf(why, size,
                 "bubblewrap cannot make its namespaces here. Grade your own "
                 "programs only:\nthey run with reduced isolation, and the "
                 "report says so.");
    return false;
}

static bool try_terminal(char *why, size_t size)
{
    struct winsize window;

    if (!isatty(STDIN_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0)
        snprintf(why, size,
                 "This is not a terminal: the lesson will play by itself. For "
                 "the live one,\ntype it in a terminal; TEXT=1 needs no full "
                 "screen:\n  make lesson-1 TEXT=1");
    else if (window.ws_col < 60 || window.ws_row < 15)
        snprintf(why, size,
                 "%d columns by %d rows is too small (60 by 15 at least, 80 by "
                 "24 to be well).\nMake the window larger, or:\n"
                 "  make lesson-1 TEXT=1",
                 window.ws_col, window.ws_row);
    else
        return true;
    return false;
}

static bool try_utf8(char *why, size_t size)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
        return true;
    snprintf(why, size,
             "Arrows and ticks will be drawn in ASCII. To have them:\n"
             "  export LC_ALL=C.UTF-8");
    return false;
}

static const struct {
    const char *name, *use;
    attempt_fn *attempt;
} attempts[] = {
    {"private network", "each lesson in a network of its own, without root",
     try_private},
    {"live wire", "every packet, as it happens", try_capture},
    {"lossy wire", "packets lost on purpose, in lessons 3 and on", try_loss},
    {"kernel's sockets", "the kernel's own states beside ours", try_sockets},
    {"cells", "the autograder runs your program in one", try_bubblewrap},
    {"terminal", "the lesson as a full screen", try_terminal},
    {"UTF-8", "arrows and ticks", try_utf8},
};

/* Run one attempt in a child; its words come back through a pipe. -1: the
 * child could not be made. */
static int run_attempt(attempt_fn *attempt, char *why, size_t size)
{
    int ends[2], status = 0;
    ssize_t got;
    size_t length = 0;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    child = fork();
    if (child == 0) {
        bool works;

        why[0] = '\0';
        works = attempt(why, size);
        if (write(ends[1], why, strlen(why)) < 0)
            works = false;
        _exit(works ? 0 : 1);
    }
    close(ends[1]);
    while (child > 0 && length + 1 < size &&
           (got = read(ends[0], why + length, size - 1 - length)) != 0) {
        if (got < 0 && errno != EINTR)
            break;
        length += got > 0 ? (size_t)got : 0;
    }
    why[length] = '\0';
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void print_indented(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        printf("         %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

int doctor_run(void)
{
    char why[WORDS];

    printf("What this machine allows (tried just now):\n");
    fflush(stdout);
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        int works = run_attempt(attempts[i].attempt, why, sizeof why);

        if (works < 0) {
            fprintf(stderr, "viz: cannot start a process to try it: %s\n",
                    strerror(errno));
            return 2;
        }
        printf("  %s  %-18s %s\n", works ? "yes" : "NO ", attempts[i].name,
               attempts[i].use);
        print_indented(why);
        fflush(stdout);
    }
    return 0;
}
