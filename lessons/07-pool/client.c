/* The client of the pool's lesson: what you type goes out, what comes back is
 * printed, and neither waits for the other. The keyboard can only be waited for
 * by somebody who stops: a worker. Usage: client [HOST] [PORT] */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/pool.h"

static struct pool *pool;
static struct pool_socket *server; /* NULL when it is closed */
static bool said_all;              /* the keyboard has ended: ^D */
static const char *why;            /* not: all is well */

static char typed[4096];
static ssize_t length; /* of it; 0: the end, -1: an error */

/* --- from the keyboard to the server ----------------------------------------- */

static void read_typed(void *arg) /* in a worker's thread */
{
    (void)arg;
    length = read(STDIN_FILENO, typed, sizeof typed);
}

static void send_typed(void *arg); /* on the loop, when that is done */

static void read_on(struct pool_socket *stream, void *arg)
{
    (void)stream;
    pool_work(pool, read_typed, send_typed, arg);
}

static void send_typed(void *arg)
{
    if (!server)
        return;
    if (length > 0) { /* no more is read before this has left */
        pool_send_then(server, typed, (size_t)length, read_on, arg);
        return;
    }
    said_all = true;
    pool_shutdown(server); /* our FIN: all said, still listening */
}

/* --- from the server to the screen --------------------------------------------- */

static void print(struct pool_socket *stream, char *data, size_t size,
                  void *arg)
{
    fwrite(data, 1, size, stdout);
    fflush(stdout);
    pool_recv_some(stream, 0, print, arg);
}

static void connected(struct pool_socket *stream)
{
    pool_recv_some(stream, 0, print, NULL);
    read_on(stream, NULL);
}

static void failed(struct pool_socket *stream, int error)
{
    (void)stream;
    why = net_error_text(error);
}

static void closed(struct pool_socket *stream, enum closed_reason reason,
                   int error)
{
    (void)stream;
    server = NULL;
    if (!why && reason == CLOSED_BY_ERROR)
        why = net_error_text(error);
    else if (!why && !said_all)
        why = "the server closed the connection";
    pool_stop(pool);
}

static const struct pool_handler handler = {
    .connected = connected, .failed = failed, .closed = closed};

int main(int argc, char **argv)
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "7007";

    if (argc > 3)
        errx(2, "usage: client [HOST] [PORT]");
    pool = pool_new(NULL);
    if (pool)
        server = pool_connect(pool, host, port, 0, &handler, NULL);
    if (!server || pool_run(pool) < 0)
        err(1, "%s port %s", host, port);
    if (why)
        errx(1, "%s port %s: %s", host, port, why);
    return 0; /* no pool_free(): the worker may be at the keyboard still */
}
