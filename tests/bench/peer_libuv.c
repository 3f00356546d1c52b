/*
 * libuv: uv_read_start into one buffer for all, uv_try_write, and uv_write for
 * what that does not take.
 */
#include "tests/bench/peer.h"

#include <uv.h>

static uv_loop_t *loop;

static void lend(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    (void)handle, (void)hint;
    *buf = uv_buf_init(peer_room, sizeof peer_room);
}

static void gone(uv_handle_t *handle)
{
    free(handle);
}

struct rest {
    uv_write_t request;
    char bytes[];
};

static void readable(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void written(uv_write_t *request, int status)
{
    if (!status)
        uv_read_start(request->handle, lend, readable);
    free(request);
}

static void readable(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    if (n == 0)
        return;
    if (n < 0) {
        uv_close((uv_handle_t *)stream, gone);
        return;
    }
    uv_buf_t out = uv_buf_init(buf->base, (unsigned)n);
    int sent = uv_try_write(stream, &out, 1);
    if (sent == n)
        return;
    size_t at = sent > 0 ? (size_t)sent : 0, length = (size_t)n - at;
    struct rest *rest = malloc(sizeof *rest + length);
    if (!rest)
        err(1, "rest");
    memcpy(rest->bytes, buf->base + at, length);
    out = uv_buf_init(rest->bytes, (unsigned)length);
    uv_read_stop(stream);
    uv_write(&rest->request, stream, &out, 1, written);
}

static void welcome(uv_stream_t *listener, int status)
{
    uv_tcp_t *client = malloc(sizeof *client);
    if (status || !client || uv_tcp_init(loop, client) ||
        uv_accept(listener, (uv_stream_t *)client))
        errx(1, "connection");
    uv_read_start((uv_stream_t *)client, lend, readable);
}

static void datagram(uv_udp_t *socket, ssize_t n, const uv_buf_t *buf,
                     const struct sockaddr *from, unsigned flags)
{
    (void)flags;
    uv_buf_t out = uv_buf_init(buf->base, (unsigned)n);
    if (from && n >= 0)
        uv_udp_try_send(socket, &out, 1, from);
}

static uv_timer_t timers[PEER_TIMER_COUNT];

static void expired(uv_timer_t *timer)
{
    (void)timer;
}

static void reset(unsigned i)
{
    uv_timer_again(&timers[i]);
}

int main(int argc, char **argv)
{
    enum peer_mode mode = peer_mode(argc, argv);
    uv_tcp_t listener;
    uv_udp_t socket;
    loop = uv_default_loop();
    if (mode == PEER_LINES)
        return 3;
    if (mode == PEER_TIMERS) {
        for (unsigned i = 0; i < PEER_TIMER_COUNT; i++) {
            uv_timer_init(loop, &timers[i]);
            uv_timer_start(&timers[i], expired, 60000, 60000);
        }
        peer_timers(reset);
        return 0;
    }
    if (mode == PEER_UDP) {
        uv_udp_init(loop, &socket);
        uv_udp_open(&socket, peer_socket(SOCK_DGRAM));
        uv_udp_recv_start(&socket, lend, datagram);
    } else {
        uv_tcp_init(loop, &listener);
        uv_tcp_open(&listener, peer_socket(SOCK_STREAM));
        uv_listen((uv_stream_t *)&listener, 1024, welcome);
    }
    return uv_run(loop, UV_RUN_DEFAULT);
}
