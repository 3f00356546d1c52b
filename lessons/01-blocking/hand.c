/*
 * Sockets by hand: type a call, see what it returns. Each line becomes one
 * real system call on real descriptors, and waits as long as that call waits.
 * Type `help` for the calls. Usage: hand
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The names of errno, which strerror() does not give. */
static const struct {
    int number;
    const char *name;
} errors[] = {
    {EADDRNOTAVAIL, "EADDRNOTAVAIL"},
    {EHOSTUNREACH, "EHOSTUNREACH"},
    {EINTR, "EINTR"},
    {ENETUNREACH, "ENETUNREACH"},
    {EACCES, "EACCES"},
    {EADDRINUSE, "EADDRINUSE"},
    {EBADF, "EBADF"},
    {ECONNREFUSED, "ECONNREFUSED"},
    {ECONNRESET, "ECONNRESET"},
    {EDESTADDRREQ, "EDESTADDRREQ"},
    {EINVAL, "EINVAL"},
    {EISCONN, "EISCONN"},
    {EMFILE, "EMFILE"},
    {ENOTCONN, "ENOTCONN"},
    {ENOTSOCK, "ENOTSOCK"},
    {EOPNOTSUPP, "EOPNOTSUPP"},
    {EPIPE, "EPIPE"},
    {ETIMEDOUT, "ETIMEDOUT"},
};

/* Ends the line that the call began: " = 4", " = -1 EPIPE: Broken pipe". */
static void returned(ssize_t value)
{
    int error = errno;
    const char *name = "errno";

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].number == error)
            name = errors[i].name;
    if (value < 0)
        printf(" = -1 %s: %s\n", name, strerror(error));
    else
        printf(" = %zd\n", value);
}

/* "7010" is that port of this machine, "192.0.2.1:7010" of another. */
static struct sockaddr_in address(const char *text)
{
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const char *colon = strchr(text, ':');
    char host[32];

    if (colon) {
        snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
        inet_pton(AF_INET, host, &name.sin_addr);
        text = colon + 1;
    }
    name.sin_port = htons((in_port_t)atoi(text));
    return name;
}

static void call_socket(int fd, const char *text)
{
    (void)fd, (void)text;
    printf("socket(AF_INET, SOCK_STREAM, 0)");
    returned(socket(AF_INET, SOCK_STREAM, 0));
}

static void call_reuse(int fd, const char *text)
{
    int yes = 1;

    (void)text;
    printf("setsockopt(%d, SOL_SOCKET, SO_REUSEADDR, 1)", fd);
    returned(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
}

static void call_bind(int fd, const char *port)
{
    struct sockaddr_in here = address(port);

    printf("bind(%d, %s:%d)", fd, inet_ntoa(here.sin_addr),
           ntohs(here.sin_port));
    returned(bind(fd, (struct sockaddr *)&here, sizeof here));
}

static void call_listen(int fd, const char *backlog)
{
    printf("listen(%d, %d)", fd, atoi(backlog));
    returned(listen(fd, atoi(backlog)));
}

static void call_accept(int fd, const char *text)
{
    (void)text;
    printf("accept(%d)", fd);
    fflush(stdout); /* it may wait: show what waits */
    returned(accept(fd, NULL, NULL));
}

static void call_connect(int fd, const char *port)
{
    struct sockaddr_in there = address(port);

    printf("connect(%d, %s:%d)", fd, inet_ntoa(there.sin_addr),
           ntohs(there.sin_port));
    fflush(stdout);
    returned(connect(fd, (struct sockaddr *)&there, sizeof there));
}

static void call_send(int fd, const char *text)
{
    printf("send(%d, \"%s\", %zu)", fd, text, strlen(text));
    fflush(stdout);
    returned(send(fd, text, strlen(text), 0));
}

static void call_flood(int fd, const char *count)
{
    size_t size = (size_t)atoi(count);
    char *bytes = calloc(1, size);

    printf("send(%d, bytes, %zu)", fd, size);
    fflush(stdout);
    returned(bytes ? send(fd, bytes, size, 0) : -1);
    free(bytes);
}

static void call_recv(int fd, const char *most)
{
    char bytes[4096];
    size_t size = (size_t)atoi(most);
    ssize_t got;

    size = size < sizeof bytes ? size : sizeof bytes;
    printf("recv(%d, bytes, %zu)", fd, size);
    fflush(stdout);
    got = recv(fd, bytes, size, 0);
    if (got <= 0) {
        returned(got);
        return;
    }
    printf(" = %zd \"", got);
    for (ssize_t i = 0; i < got; i++)
        if (bytes[i] == '\n')
            printf("\\n");
        else
            putchar(isprint((unsigned char)bytes[i]) ? bytes[i] : '.');
    printf("\"\n");
}

/* Two of the connection's four values, then the other two. */
static void call_name(int fd, const char *text)
{
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    int result;

    (void)text;
    for (int peer = 0; peer < 2; peer++) {
        printf("get%sname(%d)", peer ? "peer" : "sock", fd);
        result = peer ? getpeername(fd, (struct sockaddr *)&name, &size)
                      : getsockname(fd, (struct sockaddr *)&name, &size);
        if (result < 0)
            returned(result);
        else
            printf(" = %s:%d\n", inet_ntoa(name.sin_addr),
                   ntohs(name.sin_port));
    }
}

static void call_linger(int fd, const char *text)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};

    (void)text;
    printf("setsockopt(%d, SOL_SOCKET, SO_LINGER, {1, 0})", fd);
    returned(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none));
}

static void call_shutdown(int fd, const char *text)
{
    (void)text;
    printf("shutdown(%d, SHUT_WR)", fd);
    returned(shutdown(fd, SHUT_WR));
}

static void call_close(int fd, const char *text)
{
    (void)text;
    printf("close(%d)", fd);
    returned(close(fd));
}

static void call_ignore(int fd, const char *text)
{
    (void)fd, (void)text;
    signal(SIGPIPE, SIG_IGN);
    printf("signal(SIGPIPE, SIG_IGN)\n");
}

static bool alarmed; /* the next call gets a signal when it waits a second */

static void rung(int signal_number)
{
    (void)signal_number; /* having been called is enough: EINTR */
}

static void call_alarm(int fd, const char *text)
{
    struct sigaction action = {.sa_handler = rung}; /* without SA_RESTART */

    (void)fd, (void)text;
    sigaction(SIGALRM, &action, NULL);
    alarmed = true;
    printf("alarm(1) before the next call\n");
}

static const struct call {
    const char *name, *arguments, *what;
    void (*make)(int fd, const char *text);
} calls[] = {
    {"socket", "", "a new socket, connected to nothing", call_socket},
    {"bind", "FD PORT", "give it an address of this machine", call_bind},
    {"listen", "FD BACKLOG", "make it a door; so many may queue", call_listen},
    {"accept", "FD", "wait for a client: a second socket", call_accept},
    {"connect", "FD PORT", "knock, and wait for the answer", call_connect},
    {"send", "FD TEXT", "hand bytes to the kernel", call_send},
    {"flood", "FD COUNT", "send so many zero bytes, in one call", call_flood},
    {"recv", "FD MOST", "wait for bytes, take at most so many", call_recv},
    {"shutdown", "FD", "say goodbye (FIN), but still listen", call_shutdown},
    {"close", "FD", "give the descriptor back", call_close},
    {"name", "FD", "the addresses of both ends", call_name},
    {"reuse", "FD", "SO_REUSEADDR: before bind", call_reuse},
    {"linger", "FD", "SO_LINGER, 0 seconds: close will reset", call_linger},
    {"ignore", "", "SIGPIPE shall not kill us", call_ignore},
    {"alarm", "", "a signal, when the next call waits 1 s", call_alarm},
};
enum { CALLS = sizeof calls / sizeof *calls };

static void help(void)
{
    for (int i = 0; i < CALLS; i++)
        printf("%-8s %-10s %s\n", calls[i].name, calls[i].arguments,
               calls[i].what);
    printf("^D ends it; ^C does so also while a call waits.\n");
}

static void make(const char *line)
{
    char name[16] = "", *text;
    int length = 0;

    sscanf(line, "%15s%n", name, &length);
    for (int i = 0; i < CALLS; i++) {
        if (strcmp(name, calls[i].name) != 0)
            continue;
        int fd = (int)strtol(line + length, &text, 10);
        alarm(alarmed ? 1 : 0);
        alarmed = false;
        calls[i].make(fd, text + (*text == ' '));
        alarm(0);
        return;
    }
    if (*name)
        help();
}

int main(int argc, char **argv)
{
    char line[512];

    (void)argv;
    if (argc > 1) {
        fprintf(stderr, "usage: hand\n");
        return 2;
    }
    for (int fd = 3; fd < 256; fd++)
        close(fd); /* so that the first socket is 3 in every terminal */
    signal(SIGPIPE, SIG_DFL); /* whatever our parent thinks of it */
    printf("One call a line; `help` lists them.\n");
    for (;;) {
        if (isatty(STDIN_FILENO))
            printf("> ");
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin))
            return 0;
        line[strcspn(line, "\n")] = '\0';
        make(line);
    }
}
