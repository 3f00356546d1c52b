/* A client: your lines to the server, what comes back to your screen.
 * Two things to wait for, and a blocking call waits for one: so a second
 * thread (lesson 4) waits for the keyboard. Usage: client [HOST] [PORT] */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_bool said_all; /* the keyboard has ended: ^D */

/* Copy until `from` ends; false when one of the two broke. */
static bool copy(int from, int to)
{
    char bytes[4096];
    ssize_t got, done, n;

    while ((got = read(from, bytes, sizeof bytes)) > 0) {
        for (done = 0; done < got; done += n) {
            n = write(to, bytes + done, (size_t)(got - done));
            if (n < 0)
                return false;
        }
    }
    return got == 0;
}

static void *speak(void *server)
{
    said_all = copy(STDIN_FILENO, *(int *)server);
    shutdown(*(int *)server, SHUT_WR); /* our FIN: all said, still listening */
    return NULL;
}

int main(int argc, char **argv)
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *text = argc > 2 ? argv[2] : "7001";
    char *end;
    long port = strtol(text, &end, 10);
    struct sockaddr_in there = {.sin_family = AF_INET,
                                .sin_port = htons((in_port_t)port)};
    pthread_t speaker;

    if (argc > 3 || end == text || *end || port < 1 || port > 65535 ||
        inet_pton(AF_INET, host, &there.sin_addr) != 1)
        errx(2, "usage: client [ADDRESS, such as 127.0.0.1] [PORT]");
    signal(SIGPIPE, SIG_IGN); /* a write to one who left says EPIPE instead */

    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(server, (struct sockaddr *)&there, sizeof there) < 0)
        err(1, "connect %s port %ld (does a server listen? type: ss -ltn)",
            host, port);
    if ((errno = pthread_create(&speaker, NULL, speak, &server)) != 0)
        err(1, "pthread_create");
    pthread_detach(speaker);

    if (!copy(server, STDOUT_FILENO))
        err(1, "%s port %ld", host, port);
    if (!said_all)
        errx(1, "the server closed the connection");
    return 0;
}
