/*
 * The seam between a stream of the pool and what lies under it, with a toy that
 * has all the ways of TLS: it codes the bytes, gives out less than it has
 * decoded, wants to read before it can send and to write before it can receive;
 * and it takes over in mid-stream, while no callback notices.
 */
#include "tests/unit/pooled.h"

#include "common/pool/inside.h"
#undef say /* here it writes into the log */

/* Every byte is turned around; the first to come through is a greeting. */
struct toy {
    bool greeted; /* the peer's '!' has been read */
    bool wrote;   /* and ours was written, when writing was possible */
    char decoded[512];
    size_t begin, end;
    bool *freed;
};

static char turned(char byte)
{
    return (char)(byte ^ 0x55);
}

static ssize_t greeting(int fd, struct toy *toy, unsigned *wants)
{
    char byte;

    if (!toy->greeted && recv(fd, &byte, 1, 0) != 1) {
        *wants = WATCH_READ;
        errno = EAGAIN;
        return -1;
    }
    toy->greeted = true;
    return 0;
}

static ssize_t toy_recv(int fd, void *state, void *data, size_t room,
                        unsigned *wants)
{
    struct toy *toy = state;
    size_t most = room < 3 ? room : 3; /* a little at a time */

    if (greeting(fd, toy, wants) < 0)
        return -1;
    if (!toy->wrote) {
        toy->wrote = true;
        *wants = WATCH_WRITE;
        errno = EAGAIN;
        return -1;
    }
    if (toy->begin == toy->end) {
        ssize_t got = recv(fd, toy->decoded, sizeof toy->decoded, 0);

        if (got <= 0)
            return got;
        toy->begin = 0;
        toy->end = (size_t)got;
    }
    if (most > toy->end - toy->begin)
        most = toy->end - toy->begin;
    for (size_t i = 0; i < most; i++)
        ((char *)data)[i] = turned(toy->decoded[toy->begin + i]);
    toy->begin += most;
    return (ssize_t)most;
}

static ssize_t toy_send(int fd, void *state, const struct iovec *parts,
                        int count, unsigned *wants)
{
    ssize_t total = 0;

    if (greeting(fd, state, wants) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        for (size_t j = 0; j < parts[i].iov_len; j++, total++) {
            char byte = turned(((char *)parts[i].iov_base)[j]);

            if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
                return total ? total : -1;
        }
    return total;
}

static int toy_shutdown(int fd, void *state)
{
    (void)state;
    return shutdown(fd, SHUT_WR);
}

static size_t toy_pending(void *state)
{
    struct toy *toy = state;

    return toy->end - toy->begin;
}

static void toy_free(void *state)
{
    *((struct toy *)state)->freed = true;
}

static const struct transport toy_transport = {.name = "toy",
                                               .recv = toy_recv,
                                               .send = toy_send,
                                               .shutdown = toy_shutdown,
                                               .pending = toy_pending,
                                               .free = toy_free};

/* --- a stream that changes over ------------------------------------------------- */

static struct toy toy;
static bool freed;

/* What a client of the toy has to say, each piece once that before was heard. */
static int caller;
static const char *second_piece;

static void say_second(void *arg)
{
    char coded[64];
    size_t length = strlen(second_piece);

    (void)arg;
    coded[0] = '!';
    for (size_t i = 0; i < length; i++)
        coded[i + 1] = turned(second_piece[i]);
    ck_assert_int_eq(send(caller, coded, length + 1, MSG_NOSIGNAL),
                     (ssize_t)length + 1);
    shutdown(caller, SHUT_WR);
}

static void say_go(void *arg)
{
    (void)arg;
    sends(caller, "GO\n");
}

static void on_line(struct pool_socket *stream, char *line, size_t length,
                    void *arg)
{
    (void)length;
    say("%s", line);
    if (strcmp(line, "START") == 0) {
        ck_assert(!pool_is_tls(stream));
        pool_send(stream, "now\n", 4);
        ck_assert_int_eq(stream_set_transport(stream, &toy_transport, &toy),
                         -1);
        ck_assert_int_eq(errno, EBUSY);
        pool_timer_start(scene.pool, NULL, 0, 0, say_go, NULL);
    } else if (strcmp(line, "GO") == 0) {
        ck_assert_int_eq(stream_set_transport(stream, &toy_transport, &toy), 0);
        ck_assert(pool_is_tls(stream));
        ck_assert_int_eq(pool_send(stream, "first\n", 6), 0);
        pool_timer_start(scene.pool, NULL, 0, 0, say_second, NULL);
    } else {
        pool_send(stream, line, strlen(line));
        pool_send(stream, "\n", 1);
    }
    pool_recv_line(stream, 100, 5000, on_line, arg);
}

static void accepted(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    pool_recv_line(stream, 100, 5000, on_line, NULL);
}

static const struct pool_handler changing = {.accepted = accepted,
                                             .closed = log_closed};

START_TEST(it_takes_over_in_mid_stream)
{
    char expected[64] = "now\n";

    scene_begin(_i, &changing);
    freed = false;
    toy = (struct toy){.freed = &freed};
    caller = client();
    second_piece = "one two three\nfour\n";
    sends(caller, "START\n");
    run();
    ck_assert_str_eq(scene.log,
                     "START; GO; one two three; four; closed peer; ");
    for (const char *c = "first\none two three\nfour\n"; *c; c++)
        expected[strlen(expected)] = turned(*c);
    ck_assert_str_eq(receives_all(caller), expected);
    ck_assert(freed);
    close(caller);
    scene_end();
}
END_TEST

/* --- beside plain streams ---------------------------------------------------------- */

static struct pool_socket *plain[2];
static int far_ends[2];
static pool_data_fn trick;

enum { FILLED = 'f', LAST = 'l' };

static void stop(void *arg)
{
    pool_stop(arg);
}

/* The other one is ready in the same batch, and then has nothing. */
static void nothing_to_receive(struct pool_socket *stream, char *data,
                               size_t length, void *arg)
{
    char byte;

    (void)data, (void)length, (void)arg;
    ck_assert_int_eq(
        recv(pool_fd(plain[stream == plain[0]]), &byte, 1, MSG_DONTWAIT), 1);
    scene.pool->wants = WATCH_WRITE; /* as a transport before may have */
    pool_timer_start(scene.pool, NULL, 1, 0, stop, scene.pool);
}

static void drain_far_end(void *arg)
{
    char block[4096];
    ssize_t n;

    (void)arg;
    while ((n = recv(far_ends[0], block, sizeof block, MSG_DONTWAIT)) > 0)
        if (block[n - 1] == LAST)
            pool_stop(scene.pool);
}

static void no_room_to_send(struct pool_socket *stream, char *data,
                            size_t length, void *arg)
{
    char block[4096];

    (void)data, (void)length, (void)arg;
    if (stream != plain[0])
        return;
    memset(block, FILLED, sizeof block);
    for (size_t size = sizeof block; size; size /= 2)
        while (send(pool_fd(stream), block, size, MSG_NOSIGNAL) > 0)
            ;
    ck_assert_int_eq(pool_send(stream, &(char){LAST}, 1), 0);
    scene.pool->wants = WATCH_READ;
    pool_timer_start(scene.pool, NULL, 1, 1, drain_far_end, NULL);
}

static void ask_both(void *arg)
{
    (void)arg;
    sends(far_ends[0], "x");
    sends(far_ends[1], "x");
}

/* From here on all is usual with this stream. */
static void warm(struct pool_socket *stream, char *data, size_t length,
                 void *arg)
{
    (void)data, (void)length;
    ck_assert_int_eq(pool_recv_some(stream, 0, trick, arg), 0);
    if (stream == plain[1])
        pool_timer_start(scene.pool, NULL, 1, 0, ask_both, NULL);
}

static void two_plain(int mechanism, pool_data_fn fn)
{
    static const struct pool_handler none;

    scene_begin(mechanism, NULL);
    trick = fn;
    for (int i = 0; i < 2; i++) {
        int pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        far_ends[i] = pair[1];
        plain[i] = pool_adopt(scene.pool, pair[0], &none, NULL);
        ck_assert_ptr_nonnull(plain[i]);
        ck_assert_int_eq(pool_recv_some(plain[i], 0, warm, NULL), 0);
        sends(pair[1], "w");
    }
    run();
    ck_assert(!plain[0]->reads_late && !plain[1]->reads_late);
    close(far_ends[0]);
    close(far_ends[1]);
    scene_end();
}

START_TEST(a_plain_stream_never_waits_for_the_other_direction)
{
    two_plain(_i, nothing_to_receive);
    two_plain(_i, no_room_to_send);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_transport");
    TCase *tests = tcase_create("pool_transport");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, it_takes_over_in_mid_stream, 0, MECHANISMS);
    tcase_add_loop_test(tests,
                        a_plain_stream_never_waits_for_the_other_direction, 0,
                        MECHANISMS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
