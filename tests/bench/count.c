/*
 * Counts the system calls of an echo server, exactly and at no speed at all:
 * the server is stopped (ptrace(2)) whenever it is about to wait, all clients
 * speak, and it goes on until all of them are answered. Prints
 *
 *     calls A epoll_ctl B
 *
 * a message, without those of starting, accepting and a first message each.
 *
 *     count CONNECTIONS BURSTS PROGRAM [ARGUMENT...]
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS = 1000, MESSAGE = 64, PATIENCE_S = 20 };

static pid_t server;
static bool about_to_wait; /* it is stopped where its wait begins */
static int said;           /* its standard output */
static unsigned port;      /* it listens on; 0: not yet */
static unsigned long calls, epoll_ctls;
static struct pollfd clients[CLIENTS];
static unsigned client_count, answered[CLIENTS]; /* bytes of this burst */

static bool is_wait(unsigned long long number)
{
    switch (number) {
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
#endif
#ifdef SYS_poll
    case SYS_poll:
#endif
#ifdef SYS_select
    case SYS_select:
#endif
#ifdef SYS_epoll_pwait2
    case SYS_epoll_pwait2:
#endif
    case SYS_epoll_pwait:
    case SYS_ppoll:
    case SYS_pselect6:
        return true;
    default:
        return false;
    }
}

/* The server runs to the next beginning or end of a call. */
static void go_on(int signal)
{
    if (ptrace(PTRACE_SYSCALL, server, NULL, (long)signal))
        err(1, "the server cannot be traced");
    about_to_wait = false;
}

/* What the server's stop means; it is set going again unless it is about to
 * wait. */
static void look(int status)
{
    struct __ptrace_syscall_info info;
    if (!WIFSTOPPED(status))
        errx(1, "the server has ended");
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
        go_on(WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status));
        return;
    }
    if (ptrace(PTRACE_GET_SYSCALL_INFO, server, sizeof info, &info) <= 0)
        err(2, "no PTRACE_GET_SYSCALL_INFO (Linux 5.3)");
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        calls++;
        if (info.entry.nr == SYS_epoll_ctl)
            epoll_ctls++;
        about_to_wait = is_wait(info.entry.nr);
    }
    if (!about_to_wait)
        go_on(0);
}

static void woken(int signal)
{
    (void)signal;
}

/* Lets the server run until done(). A stop of the server is a SIGCHLD, which
 * nothing but this wait lets in. */
static void run_until(bool (*done)(void))
{
    static const struct timespec patience = {PATIENCE_S, 0};
    sigset_t none;
    sigemptyset(&none);
    while (!done()) {
        int status;
        pid_t pid;
        if (about_to_wait)
            go_on(0);
        pid = waitpid(server, &status, WNOHANG);
        if (pid < 0)
            err(1, "waitpid");
        if (pid > 0)
            look(status);
        else if (ppoll(clients, client_count, &patience, &none) == 0)
            errx(1, "the server does not answer");
    }
}

static bool is_listening(void)
{
    char line[128];
    ssize_t n = read(said, line, sizeof line - 1);
    if (n <= 0)
        return false;
    line[n] = '\0';
    char *colon = strrchr(line, ':');
    port = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
    return port != 0;
}

static bool is_answered(unsigned i)
{
    char bytes[MESSAGE];
    while (answered[i] < MESSAGE) {
        ssize_t n = recv(clients[i].fd, bytes, MESSAGE - answered[i],
                         MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            errx(1, "the server closed a connection");
        if (n < 0)
            return false;
        answered[i] += (unsigned)n;
    }
    return true;
}

static bool all_are_answered(void)
{
    bool all = true;
    for (unsigned i = 0; i < client_count; i++)
        all = is_answered(i) && all;
    return all;
}

static void start(char **argv)
{
    int ends[2];
    if (pipe(ends))
        err(1, "pipe");
    server = fork();
    if (server < 0)
        err(1, "fork");
    if (server == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            err(2, "this process may not be traced");
        execv(argv[0], argv);
        err(127, "%s", argv[0]);
    }
    int status;
    if (waitpid(server, &status, 0) < 0 || !WIFSTOPPED(status))
        errx(2, "%s cannot be run and traced", argv[0]);
    if (ptrace(PTRACE_SETOPTIONS, server, NULL,
               (long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)))
        err(2, "ptrace");
    close(ends[1]);
    said = ends[0];
    fcntl(said, F_SETFL, O_NONBLOCK);
    go_on(0);
}

static void join(unsigned count)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((in_port_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (unsigned i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to))
            err(1, "client %u", i);
        clients[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    client_count = count;
}

/* Everybody speaks while the server stands still: it runs on only in
 * run_until(). */
static void burst(void)
{
    char message[MESSAGE];
    memset(message, 'm', sizeof message);
    message[MESSAGE - 1] = '\n';
    for (unsigned i = 0; i < client_count; i++) {
        answered[i] = 0;
        if (send(clients[i].fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
            err(1, "send");
    }
    run_until(all_are_answered);
}

int main(int argc, char **argv)
{
    unsigned count = argc > 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    unsigned bursts = argc > 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    sigset_t child;
    if (count < 1 || count > CLIENTS || bursts < 1) {
        fputs("usage: count CONNECTIONS BURSTS PROGRAM [ARGUMENT...]\n",
              stderr);
        return 2;
    }
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = woken}, NULL);
    start(argv + 3);
    run_until(is_listening);
    join(count);
    burst(); /* accepts them */
    burst();
    calls = epoll_ctls = 0;
    for (unsigned i = 0; i < bursts; i++)
        burst();
    double messages = (double)count * bursts;
    printf("calls %.3f epoll_ctl %.4f\n", (double)calls / messages,
           (double)epoll_ctls / messages);
    return 0; /* the server ends with us */
}
