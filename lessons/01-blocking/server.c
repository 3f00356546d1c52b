/* A blocking echo server: one client at a time, the next one waits its turn.
 * Usage: server [PORT]. Prints one line once it listens; ^C ends it. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One turn: read what has come, send it all back; false: the peer is done. */
static bool echo(int fd)
{
    char bytes[4096];
    ssize_t got, sent, n;

    do
        got = recv(fd, bytes, sizeof bytes, 0);
    while (got < 0 && errno == EINTR);
    for (sent = 0; sent < got; sent += n) {
        n = send(fd, bytes + sent, (size_t)(got - sent), 0);
        if (n < 0 && errno == EINTR)
            n = 0;
        if (n < 0)
            return false;
    }
    return got > 0; /* 0: it said goodbye; -1: it was cut off */
}

static int listen_on(in_port_t port)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_port = htons(port),
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof here;

    if (listener < 0)
        err(1, "socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, size) < 0 ||
        listen(listener, 16) < 0)
        err(1, "cannot have port %d (who has it? type: ss -tanp)", port);
    getsockname(listener, (struct sockaddr *)&here, &size);
    printf("listening on 127.0.0.1:%d\n", ntohs(here.sin_port));
    fflush(stdout);
    return listener;
}

static void leave(int signal_number)
{
    (void)signal_number;
    _exit(0); /* the kernel closes every socket that we hold */
}

int main(int argc, char **argv)
{
    const char *text = argc > 1 ? argv[1] : "7001";
    char *end;
    long port = strtol(text, &end, 10);

    if (argc > 2 || end == text || *end || port < 0 || port > 65535)
        errx(2, "usage: server [PORT]");
    signal(SIGINT, leave);
    signal(SIGTERM, leave);
    signal(SIGPIPE, SIG_IGN); /* else a send to one who left would kill us */

    int listener = listen_on((in_port_t)port);
    for (;;) { /* while one is served, all others wait */
        int client = accept(listener, NULL, NULL); /* who is next? */
        if (client < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue; /* that one left again; the listener is well */
        if (client < 0)
            err(1, "accept");
        while (echo(client))
            ;
        close(client);
    }
}
