/* An echo server on the managed pool: you say what to do with what has come;
 * the pool waits, for everybody at once. Usage: server [PORT] [--threads N] */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/pool.h"

enum { PATIENCE = 60000 }; /* milliseconds without a byte from a client */

/* What has come goes back, then we ask for more. */
static void echo(struct pool_socket *client, char *data, size_t length,
                 void *arg)
{
    pool_send(client, data, length);
    pool_recv_some(client, PATIENCE, echo, arg);
}

static void accepted(struct pool_socket *listener, struct pool_socket *client)
{
    (void)listener;
    pool_recv_some(client, PATIENCE, echo, NULL);
}

static const struct pool_handler server = {.accepted = accepted};

static void leave(struct pool *pool, int signal, void *arg)
{
    (void)signal, (void)arg;
    pool_stop(pool); /* replies on their way still leave */
}

/* For each loop, one after the other: they share the port, and the kernel deals
 * the clients out to them. */
static int set_up(struct pool *pool, void *user)
{
    static bool told;
    struct net_address *here = user;
    struct pool_socket *listener = pool_listen(pool, here, NULL, &server, NULL);
    char text[NET_ADDRESS_TEXT];

    if (!listener || pool_signal(pool, SIGINT, leave, NULL) < 0 ||
        pool_signal(pool, SIGTERM, leave, NULL) < 0 ||
        pool_local(listener, here) < 0)
        return -1;
    if (!told) {
        printf("listening on %s\n", net_address_text(here, text));
        fflush(stdout);
    }
    told = true;
    return 0;
}

/* A whole number from 0 to `most`, or -1. */
static long number(const char *text, long most)
{
    char *end;
    long n = strtol(text, &end, 10);

    return end == text || *end || n < 0 || n > most ? -1 : n;
}

int main(int argc, char **argv)
{
    long port = 7007, threads = 1;

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            threads = number(argv[++i], 256);
        else
            port = i == 1 ? number(argv[i], 65535) : -1;
    if (port < 0 || threads < 1)
        errx(2, "usage: server [PORT] [--threads N]");

    struct net_address here;
    char text[NET_ADDRESS_TEXT];

    snprintf(text, sizeof text, ":%ld", port); /* on 127.0.0.1 */
    if (net_address_parse(&here, text) < 0 ||
        pool_run_loops((unsigned)threads, NULL, set_up, &here) < 0)
        err(1, "cannot have port %ld (who has it? type: ss -tanp)", port);
    return 0;
}
