/*
 * Our pool, as the benchmark runs it: with its buffers and callbacks, and an
 * idle timeout armed on every connection. POOL_BACKEND chooses the mechanism.
 */
#include "common/pool.h"
#include "tests/bench/peer.h"

enum { IDLE_MS = 60000, LINE_LIMIT = 64 * 1024 };

static enum peer_mode mode;

static void bytes(struct pool_socket *s, char *data, size_t length, void *arg)
{
    pool_send(s, data, length);
    pool_recv_some(s, 0, bytes, arg);
}

/* The LF is put where the pool left the NUL. */
static void line(struct pool_socket *s, char *data, size_t length, void *arg)
{
    data[length] = '\n';
    pool_send(s, data, length + 1);
    pool_recv_line(s, LINE_LIMIT, 0, line, arg);
}

static void accepted(struct pool_socket *listener, struct pool_socket *s)
{
    (void)listener;
    pool_idle(s, IDLE_MS);
    if (mode == PEER_LINES)
        pool_recv_line(s, LINE_LIMIT, 0, line, NULL);
    else
        pool_recv_some(s, 0, bytes, NULL);
}

static void datagram(struct pool_socket *s, char *data, size_t length,
                     const struct net_address *from)
{
    pool_send_to(s, data, length, from);
}

static const struct pool_handler server = {
    .accepted = accepted,
    .datagram = datagram,
};

static struct pool_socket *sockets[PEER_TIMER_COUNT];

static void reset(unsigned i)
{
    pool_idle(sockets[i], IDLE_MS);
}

/* Each timer is the idle timeout of a stream; the other end is not needed. */
static void timers(struct pool *pool)
{
    for (unsigned i = 0; i < PEER_TIMER_COUNT; i++) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends))
            err(1, "socketpair");
        close(ends[1]);
        sockets[i] = pool_adopt(pool, ends[0], &server, NULL);
        if (!sockets[i])
            err(1, "pool_adopt");
    }
    peer_timers(reset);
}

int main(int argc, char **argv)
{
    mode = peer_mode(argc, argv);
    struct net_address address;
    struct pool *pool = pool_new(NULL);
    if (!pool)
        err(1, "pool_new");
    if (mode == PEER_TIMERS) {
        timers(pool);
        return 0;
    }
    net_address_parse(&address, "127.0.0.1:0");
    struct pool_socket *s =
        mode == PEER_UDP ? pool_datagram(pool, &address, NULL, &server, NULL)
                         : pool_listen(pool, &address, NULL, &server, NULL);
    if (!s || pool_local(s, &address))
        err(1, "a socket to serve");
    printf("listening on 127.0.0.1:%u\n", net_address_port(&address));
    fflush(stdout);
    return pool_run(pool) ? 1 : 0;
}
