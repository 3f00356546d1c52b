/*
 * common/pool: the misconceptions of the ladder's lessons 6 and 7 that show in
 * what a loop spends, in what arrives, and in what descriptors are. Each test
 * has its name; those about callbacks are in check_pool_promises.c.
 *
 * "Idle" is measured against the peer's own thread: while that computes for
 * 100 ms of its CPU time, the loop must have spent next to nothing.
 */
#include <time.h>

#include "tests/unit/pool_scene.h"

static pthread_t loop;

static int64_t nanoseconds(clockid_t clock)
{
    struct timespec at;

    ck_assert_int_eq(clock_gettime(clock, &at), 0);
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

/* In the peer, when the loop has nothing to do. */
static void loop_must_be_idle(void)
{
    int64_t begun = nanoseconds(CLOCK_THREAD_CPUTIME_ID), before, spent;
    clockid_t its;

    ck_assert_int_eq(pthread_getcpuclockid(loop, &its), 0);
    before = nanoseconds(its);
    while (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - begun < 100000000)
        ;
    spent = nanoseconds(its) - before;
    ck_assert_msg(spent < 20000000, "the loop spent %lld us of 100000",
                  (long long)spent / 1000);
}

static void note_end(struct pool_socket *s, enum closed_reason reason,
                     int error)
{
    if (s != scene.listener)
        say_closed(s, reason, error);
}

static void open_for(void (*accepted)(struct pool_socket *,
                                      struct pool_socket *),
                     void (*peer)(void))
{
    static struct pool_handler handler = {.closed = note_end};

    handler.accepted = accepted;
    loop = pthread_self();
    scene_open(NULL, &handler);
    scene_run(peer);
}

/* --- what an idle loop costs ------------------------------------------------ */

static void echo(struct pool_socket *s, char *data, size_t n, void *arg)
{
    ck_assert_int_eq(pool_send(s, data, n), 0);
    ck_assert_int_eq(pool_recv_some(s, 60000, echo, arg), 0);
}

static void echoes(struct pool_socket *listener, struct pool_socket *s)
{
    pool_idle(s, 60000);
    ck_assert_int_eq(pool_recv_some(s, 60000, echo, NULL), 0);
    (void)listener;
}

static void fifty_silent_peers(void)
{
    int fds[50];

    for (int i = 0; i < 50; i++) {
        fds[i] = peer_connect();
        peer_says(fds[i], "once");
        peer_hears(fds[i], "once");
    }
    loop_must_be_idle();
    for (int i = 0; i < 50; i++)
        close(fds[i]);
    wait_for(50, "closed peer");
}

START_TEST(pollout_always_on)
{
    open_for(echoes, fifty_silent_peers);
}
END_TEST

static char large[1 << 20];

static void fill_or_echo(struct pool_socket *s, char *data, size_t n, void *arg)
{
    if (data[0] == 'F') {
        while (pool_send(s, large, 65536) == 0)
            ;
        say("full");
    } else {
        ck_assert_int_eq(pool_send(s, data, n), 0);
    }
    ck_assert_int_eq(pool_recv_some(s, 0, fill_or_echo, arg), 0);
}

static void fills_or_echoes(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_some(s, 0, fill_or_echo, NULL), 0);
    (void)listener;
}

static void peer_who_does_not_read(void)
{
    int sleeper = peer_connect(), other = peer_connect();

    peer_says(sleeper, "F");
    wait_for(1, "full");
    loop_must_be_idle();
    peer_says(other, "you?");
    peer_hears(other, "you?");
    close(other);
    peer_resets(sleeper);
    wait_for(2, "closed");
}

START_TEST(eagain_spin)
{
    open_for(fills_or_echoes, peer_who_does_not_read);
}
END_TEST

static int watched_fd;

static void never_reads(struct pool_socket *listener, struct pool_socket *s)
{
    watched_fd = pool_fd(s);
    say("accepted");
    (void)listener;
}

/* One has bytes nobody asks for, then a FIN, then a reset. */
static void peer_unheard(void)
{
    int fd = peer_connect();

    wait_for(1, "accepted");
    peer_says(fd, "unread");
    arrived(watched_fd);
    loop_must_be_idle();
    shutdown(fd, SHUT_WR);
    loop_must_be_idle();
    peer_resets(fd);
    loop_must_be_idle();
}

START_TEST(pollhup_pollerr_ignored)
{
    open_for(never_reads, peer_unheard);
}
END_TEST

/* A copy of the descriptor keeps the socket open when the pool has closed it:
 * epoll would go on telling of it. */
static int copy;

static void abort_it(struct pool_socket *s, char *data, size_t n, void *arg)
{
    copy = dup(pool_fd(s));
    ck_assert_int_ne(copy, -1);
    pool_abort(s);
    (void)data;
    (void)n;
    (void)arg;
}

static void copied(struct pool_socket *listener, struct pool_socket *s)
{
    if (lines_of("closed") == 0)
        ck_assert_int_eq(pool_recv_some(s, 0, abort_it, NULL), 0);
    else
        echoes(listener, s);
}

static void peer_of_a_copy(void)
{
    int fd = peer_connect(), next;

    peer_says(fd, "x");
    wait_for(1, "closed host");
    next = peer_connect(); /* has the number that was closed */
    peer_says(next, "new");
    peer_hears(next, "new");
    send(fd, "late", 4, MSG_NOSIGNAL);
    loop_must_be_idle();
    peer_says(next, "still");
    peer_hears(next, "still");
    close(copy);
    close(next);
    close(fd);
}

START_TEST(close_does_not_unregister)
{
    open_for(copied, peer_of_a_copy);
}
END_TEST

/* --- what arrives -------------------------------------------------------------- */

static size_t counted;

static void count_bytes(struct pool_socket *s, char *data, size_t n, void *arg)
{
    counted += n;
    if (counted == 65537 || counted == 100000)
        say("all");
    ck_assert_int_eq(pool_recv_some(s, 0, count_bytes, arg), 0);
    (void)data;
}

static void counts(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_some(s, 0, count_bytes, NULL), 0);
    (void)listener;
}

/* One byte more than the pool reads at once, and nothing after it. */
static void peer_of_one_byte_more(void)
{
    int fd = peer_connect();

    peer_send(fd, large, 65537);
    wait_for(1, "all");
    close(fd);
    wait_for(1, "closed peer");
}

START_TEST(et_without_drain)
{
    open_for(counts, peer_of_one_byte_more);
}
END_TEST

static void peer_sends_and_is_gone(void)
{
    int fd = peer_connect();

    scene_hold(); /* the bytes and the FIN are there together */
    peer_send(fd, large, 100000);
    close(fd);
    scene_go();
    wait_for(1, "closed peer");
    ck_assert_uint_eq(counted, 100000);
}

START_TEST(data_before_hup_lost)
{
    open_for(counts, peer_sends_and_is_gone);
}
END_TEST

static int three_fds[3], three;

static void one_of_three(struct pool_socket *listener, struct pool_socket *s)
{
    three_fds[three++] = pool_fd(s);
    echoes(listener, s);
    say("accepted");
}

/* The middle one leaves in the turn in which the last one speaks. */
static void three_peers(void)
{
    int fds[3];

    for (int i = 0; i < 3; i++) {
        fds[i] = peer_connect();
        wait_for(i + 1, "accepted");
    }
    scene_hold();
    close(fds[1]);
    peer_says(fds[2], "last");
    peer_says(fds[0], "first");
    for (int i = 0; i < 3; i++)
        arrived(three_fds[i]);
    scene_go();
    peer_hears(fds[2], "last");
    peer_hears(fds[0], "first");
    close(fds[0]);
    close(fds[2]);
    wait_for(3, "closed peer");
}

START_TEST(pollfd_array_compaction)
{
    open_for(one_of_three, three_peers);
}
END_TEST

/* Byte number `at` of what the client with this letter asked for. */
static char pattern(char letter, size_t at)
{
    return (char)(letter + (at * 2654435761U >> 28));
}

enum { REPLY = 3 << 20, PIECE = 50000 };

struct reply {
    char letter;
    size_t at;
};

static void reply_on(struct pool_socket *s)
{
    struct reply *reply = pool_user(s);
    char piece[PIECE];

    for (;;) {
        size_t n = REPLY - reply->at < PIECE ? REPLY - reply->at : PIECE;

        if (n == 0) {
            pool_close(s);
            return;
        }
        for (size_t i = 0; i < n; i++)
            piece[i] = pattern(reply->letter, reply->at + i);
        if (pool_send(s, piece, n) == -1)
            return; /* full, `drained` comes back here; or gone */
        reply->at += n;
    }
}

static void ask(struct pool_socket *s, char *data, size_t n, void *arg)
{
    struct reply *reply = pool_user(s);

    reply->letter = data[0];
    reply_on(s);
    (void)n;
    (void)arg;
}

static void replies(struct pool_socket *listener, struct pool_socket *s)
{
    struct reply *reply = calloc(1, sizeof *reply);

    ck_assert_ptr_nonnull(reply);
    pool_set_user(s, reply);
    ck_assert_int_eq(pool_output_limit(s, 2 * PIECE), 0);
    ck_assert_int_eq(pool_recv_some(s, 0, ask, NULL), 0);
    (void)listener;
}

static void reply_ends(struct pool_socket *s, enum closed_reason reason,
                       int error)
{
    if (s == scene.listener)
        return;
    free(pool_user(s));
    say_closed(s, reason, error);
}

/* How many bytes came as they should, until the end or `most`. */
static size_t read_pattern(int fd, char letter, size_t most)
{
    static char buffer[1 << 16];
    size_t at = 0;

    while (at < most) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);

        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            if (buffer[i] != pattern(letter, at++))
                ck_abort_msg("byte %zu of %c is wrong", at - 1, letter);
    }
    return at;
}

/* Some break off in the middle of what the pool still has to send; who comes
 * next, and who reads slowly beside them, gets its own bytes and all of them. */
static void peers_with_patterns(void)
{
    int slow = peer_connect();

    peer_says(slow, "a");
    for (int round = 0; round < 12; round++) {
        int breaks = peer_connect(), next = peer_connect();

        peer_says(breaks, "m");
        peer_says(next, "x");
        read_pattern(breaks, 'm', 1);
        peer_resets(breaks);
        ck_assert_uint_eq(read_pattern(next, 'x', REPLY), REPLY);
        peer_hears_end(next);
        close(next);
    }
    ck_assert_uint_eq(read_pattern(slow, 'a', REPLY), REPLY);
    peer_hears_end(slow);
    close(slow);
    wait_for(25, "closed");
}

START_TEST(buffer_slot_leak_or_alias_and_partial_send_lost)
{
    static const struct pool_handler handler = {
        .accepted = replies, .drained = reply_on, .closed = reply_ends};

    loop = pthread_self();
    scene_open(NULL, &handler);
    scene_run(peers_with_patterns);
    ck_assert_int_ge(lines_of("closed host"), 13); /* all but who broke off */
}
END_TEST

/* --- what descriptors are ---------------------------------------------------- */

static void check_flags(struct pool_socket *s)
{
    int fd = pool_fd(s);

    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    say("flags");
}

static void flags_of_accepted(struct pool_socket *listener,
                              struct pool_socket *s)
{
    check_flags(listener);
    check_flags(s);
    pool_close(s);
}

static void peer_for_flags(void)
{
    int fd = peer_connect();

    peer_hears_end(fd);
    close(fd);
    wait_for(3, "flags"); /* the third is of the one that was adopted */
}

START_TEST(et_with_blocking_fd_and_nonblock_inherited)
{
    static const struct pool_handler handler = {.accepted = flags_of_accepted};
    static const struct pool_handler none;
    struct pool_socket *s;
    int pair[2];

    scene_open(NULL, &handler);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
                     0);
    s = pool_adopt(scene.pool, pair[0], &none, NULL);
    ck_assert_ptr_nonnull(s);
    check_flags(s);
    scene_run(peer_for_flags);
    close(pair[1]);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, pollout_always_on);
    tcase_add_test(tests, eagain_spin);
    tcase_add_test(tests, pollhup_pollerr_ignored);
    tcase_add_test(tests, close_does_not_unregister);
    tcase_add_test(tests, et_without_drain);
    tcase_add_test(tests, data_before_hup_lost);
    tcase_add_test(tests, pollfd_array_compaction);
    tcase_add_test(tests, buffer_slot_leak_or_alias_and_partial_send_lost);
    tcase_add_test(tests, et_with_blocking_fd_and_nonblock_inherited);
}

int main(void)
{
    return on_each_mechanism("ladder", add);
}
