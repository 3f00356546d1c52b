/*
 * common/pool: what its header promises about callbacks. When they come, in
 * which order, how often, and what a socket's end is called. The misconceptions
 * of the ladder's lessons 6 and 7 that a pool can have are here by their names.
 */
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/pool_scene.h"

/* Peers that close only after they have seen `closed` would wait for it. */
static const struct pool_options little_grace = {.grace_ms = 50};

/* --- never inside the call ------------------------------------------------- */

static bool in_a_call;

static void not_inside(const char *what)
{
    if (in_a_call)
        say("%s inside the call", what);
}

static void note_data(struct pool_socket *s, char *data, size_t n, void *arg)
{
    not_inside("data");
    say("data %.*s", (int)n, data);
    (void)s;
    (void)arg;
}

static void note_sent(struct pool_socket *s, void *arg)
{
    not_inside("sent");
    say("sent %s", (const char *)arg);
    (void)s;
}

static void note_closed(struct pool_socket *s, enum closed_reason reason,
                        int error)
{
    not_inside("closed");
    say_closed(s, reason, error);
}

static void note_timer(void *arg)
{
    not_inside("timer");
    say("timer %s", (const char *)arg);
}

static char one[] = "1", no_time[] = "0 ms", posted[] = "posted";
static char of_a_socket[] = "of a closed socket", of_the_pool[] = "of the pool";

static void everything_at_once(struct pool_socket *s, char *data, size_t n,
                               void *arg)
{
    say("line %.*s", (int)n, data);
    in_a_call = true; /* the second line is in the pool's buffer already */
    ck_assert_int_eq(pool_recv_line(s, 100, 0, note_data, NULL), 0);
    ck_assert_int_eq(pool_send_then(s, "1", 1, note_sent, one), 0);
    ck_assert_ptr_nonnull(
        pool_timer_start(pool_of(s), s, 0, 0, note_timer, no_time));
    ck_assert_int_eq(pool_post(pool_of(s), note_timer, posted), 0);
    in_a_call = false;
    (void)arg;
}

static void first_line(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_line(s, 100, 0, everything_at_once, NULL), 0);
    (void)listener;
}

static void peer_of_two_lines(void)
{
    int fd = peer_connect();

    peer_says(fd, "one\ntwo\n");
    wait_for(1, "data two");
    wait_for(1, "sent 1");
    wait_for(1, "timer 0 ms");
    wait_for(1, "timer posted");
    close(fd);
}

START_TEST(no_callback_runs_inside_the_call_that_starts_it)
{
    static const struct pool_handler handler = {.accepted = first_line,
                                                .closed = note_closed};

    scene_open(NULL, &handler);
    scene_run(peer_of_two_lines);
    ck_assert_ptr_null(strstr(scene.said, "inside the call"));
}
END_TEST

static void closes_itself(struct pool_socket *s, char *data, size_t n,
                          void *arg)
{
    say("line %.*s", (int)n, data);
    in_a_call = true;
    pool_close(s);
    pool_close(s); /* as often as one likes */
    in_a_call = false;
    ck_assert_int_eq(pool_send(s, "x", 1), -1);
    ck_assert_int_eq(pool_recv_some(s, 0, note_data, NULL), -1);
    (void)arg;
}

static void line_then_close(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_line(s, 100, 0, closes_itself, NULL), 0);
    (void)listener;
}

static void peer_quits_and_pings(void)
{
    int fd = peer_connect();

    peer_says(fd, "QUIT\nPING\n");
    peer_hears_end(fd);
    close(fd);
    wait_for(1, "closed");
}

START_TEST(free_in_own_callback)
{
    static const struct pool_handler handler = {.accepted = line_then_close,
                                                .closed = note_closed};

    scene_open(NULL, &handler);
    scene_run(peer_quits_and_pings);
    scene_said("line QUIT\nclosed host\nclosed host\n");
}
END_TEST

/* --- two sockets ready in one turn ------------------------------------------ */

static struct pool_socket *pair[2];
static int pair_fds[2];
static void (*kick)(struct pool_socket *);

static void kicks_the_other(struct pool_socket *s, char *data, size_t n,
                            void *arg)
{
    struct pool_socket *other = pair[s == pair[0]];

    say("data of one");
    kick(other);
    (void)data;
    (void)n;
    (void)arg;
}

static void one_of_a_pair(struct pool_socket *listener, struct pool_socket *s)
{
    int i = pair[0] ? 1 : 0;

    pair[i] = s;
    pair_fds[i] = pool_fd(s);
    ck_assert_int_eq(pool_recv_some(s, 0, kicks_the_other, NULL), 0);
    say("accepted");
    (void)listener;
}

static void peers_ready_at_once(void)
{
    int a = peer_connect(), b = peer_connect();

    wait_for(2, "accepted");
    scene_hold();
    peer_says(a, "x");
    peer_says(b, "x");
    arrived(pair_fds[0]);
    arrived(pair_fds[1]);
    scene_go();
    wait_for(1, "closed host");
    close(a);
    close(b);
}

START_TEST(stale_event_after_close)
{
    static const struct pool_handler handler = {.accepted = one_of_a_pair,
                                                .closed = note_closed};

    kick = _i ? pool_abort : pool_close;
    scene_open(&little_grace, &handler);
    scene_run(peers_ready_at_once);
    ck_assert_int_eq(lines_of("data of one"), 1);
    ck_assert_int_eq(lines_of("closed"), 3); /* both, and the listener */
}
END_TEST

static void stops_the_pool(struct pool_socket *s, char *data, size_t n,
                           void *arg)
{
    say("data of one");
    pool_stop(pool_of(s));
    pool_stop(pool_of(s));
    (void)data;
    (void)n;
    (void)arg;
}

static void one_that_stops(struct pool_socket *listener, struct pool_socket *s)
{
    one_of_a_pair(listener, s);
    pool_recv_stop(s);
    ck_assert_int_eq(pool_recv_some(s, 0, stops_the_pool, NULL), 0);
}

START_TEST(the_pool_may_be_stopped_from_any_callback)
{
    static const struct pool_handler handler = {.accepted = one_that_stops,
                                                .closed = note_closed};

    scene_open(NULL, &handler);
    scene_run(peers_ready_at_once);
    ck_assert_int_eq(lines_of("data of one"), 1);
    ck_assert_int_eq(lines_of("closed host\n"), 3);
}
END_TEST

/* --- how a socket ends ----------------------------------------------------- */

static void hold_a_line(struct pool_socket *listener, struct pool_socket *s)
{
    say("accepted");
    pool_idle(s, (unsigned)(uintptr_t)pool_user(listener));
    ck_assert_int_eq(pool_recv_line(s, 10, 0, note_data, NULL), 0);
}

static void peer_ends(void)
{
    int fd = peer_connect();

    wait_for(1, "accepted");
    peer_says(fd, "hal");
    close(fd);
    wait_for(1, "closed");
}

static void peer_breaks(void)
{
    int fd = peer_connect();

    wait_for(1, "accepted");
    peer_resets(fd);
    wait_for(1, "closed");
}

static void peer_is_silent(void)
{
    int fd = peer_connect();

    peer_hears_end(fd);
    wait_for(1, "closed");
    close(fd);
}

static void peer_says_too_much(void)
{
    int fd = peer_connect();

    peer_says(fd, "0123456789a");
    wait_for(1, "closed");
    close(fd);
}

static void peer_waits(void)
{
    int fd = peer_connect();

    wait_for(1, "accepted");
    pool_stop(scene.pool);
    wait_for(1, "closed");
    close(fd);
}

static const struct ending {
    void (*peer)(void);
    unsigned idle_ms;
    const char *said;
} endings[] = {
    {peer_ends, 0, "accepted\nclosed peer\nclosed host\n"},
    {peer_breaks, 0, "accepted\nclosed error ECONNRESET\nclosed host\n"},
    {peer_is_silent, 20, "accepted\nclosed timeout\nclosed host\n"},
    {peer_says_too_much, 0, "accepted\nclosed error EMSGSIZE\nclosed host\n"},
    {peer_waits, 0, "accepted\nclosed host\nclosed host\n"},
};

START_TEST(closed_callback_exactly_once_with_the_reason)
{
    static const struct pool_handler handler = {.accepted = hold_a_line,
                                                .closed = note_closed};

    scene_open(&little_grace, &handler);
    pool_set_user(scene.listener, (void *)(uintptr_t)endings[_i].idle_ms);
    scene_run(endings[_i].peer);
    scene_said(endings[_i].said);
}
END_TEST

static void note_connected(struct pool_socket *s)
{
    not_inside("connected");
    say("connected");
    (void)s;
}

static void note_failed(struct pool_socket *s, int error)
{
    not_inside("failed");
    say("failed %s", strerrorname_np(error));
    (void)s;
}

static const struct pool_handler caller = {
    .connected = note_connected, .failed = note_failed, .closed = note_closed};

/* An address of this machine at which nobody listens. */
static struct net_address nobody(void)
{
    struct net_address at = {.length = sizeof at.in};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(net_address_parse(&at, "127.0.0.1:0"), 0);
    ck_assert_int_eq(bind(fd, &at.any, at.length), 0);
    ck_assert_int_eq(net_local(fd, &at), 0);
    return at; /* bound and not listening, to the end of the test */
}

START_TEST(a_refused_connect_fails_once_and_closes_once)
{
    struct net_address at = nobody();

    ck_assert_ptr_nonnull(scene.pool = pool_new(NULL));
    in_a_call = true;
    ck_assert_ptr_nonnull(pool_connect_to(scene.pool, &at, 0, &caller, NULL));
    in_a_call = false;
    ck_assert_int_eq(pool_run(scene.pool), 0); /* ends: nothing is left */
    pool_free(scene.pool);
    scene_said("failed ECONNREFUSED\nclosed error ECONNREFUSED\n");
}
END_TEST

/* A listener whose queue is full: Linux drops the next SYN, so that connect
 * hears nothing until its deadline. */
START_TEST(a_connect_without_answer_ends_at_its_deadline)
{
    struct net_address at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(net_address_parse(&at, "127.0.0.1:0"), 0);
    ck_assert_int_eq(bind(listener, &at.any, at.length), 0);
    ck_assert_int_eq(listen(listener, 0), 0);
    ck_assert_int_eq(net_local(listener, &at), 0);
    for (int i = 0; i < 4; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

        connect(fd, &at.any, at.length);
    }
    ck_assert_ptr_nonnull(scene.pool = pool_new(NULL));
    ck_assert_ptr_nonnull(pool_connect_to(scene.pool, &at, 50, &caller, NULL));
    ck_assert_int_eq(pool_run(scene.pool), 0);
    pool_free(scene.pool);
    scene_said("failed ETIMEDOUT\nclosed timeout\n");
}
END_TEST

/* --- numbers -------------------------------------------------------------- */

static uint64_t ids[3000];
static int given;

static void keep_the_number(struct pool_socket *listener, struct pool_socket *s)
{
    ids[given++] = pool_id(s);
    ck_assert_ptr_eq(pool_find(pool_of(s), pool_id(s)), s);
    pool_close(s);
    (void)listener;
}

static void gone(struct pool_socket *s, enum closed_reason reason, int error)
{
    if (s != scene.listener)
        say("closed");
    (void)reason;
    (void)error;
}

static void peer_comes_and_goes(void)
{
    for (int i = 0; i < 1000; i++) {
        int fd = peer_connect();

        peer_hears_end(fd);
        close(fd);
        wait_for(i + 1, "closed");
    }
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

START_TEST(a_number_is_never_given_twice)
{
    static const struct pool_handler handler = {.accepted = keep_the_number,
                                                .closed = gone};

    scene_open(NULL, &handler);
    scene_run(peer_comes_and_goes);
    ck_assert_int_eq(given, 1000);
    qsort(ids, (size_t)given, sizeof *ids, by_size);
    for (int i = 1; i < given; i++)
        ck_assert_uint_ne(ids[i - 1], ids[i]);
}
END_TEST

/* --- timers ----------------------------------------------------------------- */

static void owner_has_a_timer(struct pool_socket *listener,
                              struct pool_socket *s)
{
    say("accepted");
    ck_assert_ptr_nonnull(
        pool_timer_start(pool_of(s), s, 30, 0, note_timer, of_a_socket));
    ck_assert_ptr_nonnull(
        pool_timer_start(pool_of(s), NULL, 60, 0, note_timer, of_the_pool));
    pool_abort(s);
    (void)listener;
}

static void peer_until_the_timer(void)
{
    int fd = peer_connect();

    wait_for(1, "timer of the pool");
    close(fd);
}

START_TEST(timer_outlives_connection)
{
    static const struct pool_handler handler = {.accepted = owner_has_a_timer};

    scene_open(NULL, &handler);
    scene_run(peer_until_the_timer);
    scene_said("accepted\ntimer of the pool\n");
}
END_TEST

static struct drift {
    struct timespec begun;
    int ticks;
} drift;

static int64_t since(const struct timespec *begun)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - begun->tv_sec) * 1000 +
           (now.tv_nsec - begun->tv_nsec) / 1000000;
}

/* A handler that takes 3 of each 10 ms. Tick n must not be counted from the
 * end of the one before: its deadline is n * 10. A slow machine may be late for
 * one, and then has the next at once. */
static void slow_tick(void *arg)
{
    struct timespec begun;

    drift.ticks++;
    ck_assert_int_ge(since(&drift.begun), drift.ticks * 10 - 1); /* not early */
    clock_gettime(CLOCK_MONOTONIC, &begun);
    while (since(&begun) < 3)
        ;
    if (drift.ticks == 50)
        pool_stop(scene.pool);
    (void)arg;
}

/* One timer that is armed anew from each of its own calls is the measure: both
 * run beside the same load, and it drifts by what its handler takes. */
static void drifting(void *arg)
{
    int *count = arg;

    ++*count;
    ck_assert_ptr_nonnull(
        pool_timer_start(scene.pool, NULL, 13, 0, drifting, count));
}

START_TEST(timer_drift)
{
    int relative = 0;

    ck_assert_ptr_nonnull(scene.pool = pool_new(NULL));
    clock_gettime(CLOCK_MONOTONIC, &drift.begun);
    ck_assert_ptr_nonnull(
        pool_timer_start(scene.pool, NULL, 10, 10, slow_tick, NULL));
    ck_assert_ptr_nonnull(
        pool_timer_start(scene.pool, NULL, 13, 0, drifting, &relative));
    ck_assert_int_eq(pool_run(scene.pool), 0);
    pool_free(scene.pool);
    ck_assert_int_le(relative, 42); /* 50 ticks of 10 ms are 38 of 13 */
}
END_TEST

/* --- lines and sizes ---------------------------------------------------------- */

static void body(struct pool_socket *s, char *data, size_t n, void *arg);

static void command(struct pool_socket *s, char *data, size_t n, void *arg)
{
    say("line [%.*s]", (int)n, data);
    ck_assert_int_eq(data[n], '\0');
    if (strncmp(data, "PUT", 3) == 0)
        pool_recv_exact(s, 5, 0, body, NULL);
    else
        pool_recv_line(s, 20, 0, command, NULL);
    (void)arg;
}

static void body(struct pool_socket *s, char *data, size_t n, void *arg)
{
    say("body [%.*s]", (int)n, data);
    pool_recv_line(s, 20, 0, command, NULL);
    (void)arg;
}

static void tail(struct pool_socket *s, char *data, size_t n)
{
    say("tail [%.*s]", (int)n, data);
    pool_close(s);
}

static void commands(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_line(s, 20, 0, command, NULL), 0);
    (void)listener;
}

static const char spoken[] = "PUT\r\nhelloGET k\nPUT\n\r\n\r\n\nGET\r\r\nend";
static const char understood[] = "line [PUT]\nbody [hello]\nline [GET k]\n"
                                 "line [PUT]\nbody [\r\n\r\n\n]\n"
                                 "line [GET\r]\ntail [end]\n"
                                 "closed host\nclosed host\n";

/* _i is where it is cut; 0: not at all; the last: everywhere. Each piece has
 * been taken by the pool before the next is sent. */
static int cut_at;

static void peer_in_pieces(void)
{
    size_t length = sizeof spoken - 1, at = 0;
    int fd = peer_connect();

    while (at < length) {
        size_t piece = length - at;
        struct pollfd empty;
        int waiting = 1;

        if (cut_at == (int)length)
            piece = 1;
        else if (cut_at && at == 0)
            piece = (size_t)cut_at;
        peer_send(fd, spoken + at, piece);
        at += piece;
        while (waiting) { /* until the pool has read it */
            struct pool_socket *s = NULL;

            scene_hold();
            while ((s = pool_next(scene.pool, s)) == scene.listener)
                ;
            empty = (struct pollfd){.fd = s ? pool_fd(s) : -1,
                                    .events = POLLIN};
            waiting = s ? poll(&empty, 1, 0) : 1;
            scene_go();
        }
    }
    shutdown(fd, SHUT_WR);
    peer_hears_end(fd);
    close(fd);
    wait_for(1, "closed");
}

START_TEST(line_to_size_mode_switch_loses_no_byte)
{
    static const struct pool_handler handler = {
        .accepted = commands, .ended = tail, .closed = note_closed};

    cut_at = _i;
    scene_open(NULL, &handler);
    scene_run(peer_in_pieces);
    scene_said(understood);
}
END_TEST

static void glued(struct pool_socket *s, char *data, size_t n, void *arg)
{
    int *count = arg;

    ++*count;
    ck_assert_int_eq(pool_recv_line(s, 20, 0, glued, arg), 0);
    (void)data;
    (void)n;
}

static int glued_lines;

static void many_lines(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_line(s, 20, 0, glued, &glued_lines), 0);
    (void)listener;
}

/* One send: a hundred thousand callbacks, none inside another. */
static void peer_of_a_hundred_thousand_lines(void)
{
    static char text[300000];
    int fd = peer_connect();

    for (size_t i = 0; i < sizeof text; i += 3)
        memcpy(text + i, "ab\n", 3);
    peer_send(fd, text, sizeof text);
    close(fd);
    wait_for(1, "closed peer");
}

START_TEST(a_hundred_thousand_lines_at_once)
{
    static const struct pool_handler handler = {.accepted = many_lines,
                                                .closed = note_closed};

    scene_open(NULL, &handler);
    scene_run(peer_of_a_hundred_thousand_lines);
    ck_assert_int_eq(glued_lines, 100000);
}
END_TEST

static int chain;

static void next_of_the_chain(struct pool_socket *s, void *arg)
{
    if (++chain == 100000)
        pool_close(s);
    else
        ck_assert_int_eq(pool_send_then(s, "x", 1, next_of_the_chain, arg), 0);
}

static void begin_the_chain(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_send_then(s, "x", 1, next_of_the_chain, NULL), 0);
    (void)listener;
}

static void peer_counts_the_chain(void)
{
    size_t total = 0;
    int fd = peer_connect();

    ck_assert_int_eq(peer_drains(fd, &total), 0);
    ck_assert_uint_eq(total, 100000);
    close(fd);
    wait_for(1, "closed");
}

START_TEST(callback_reentrancy)
{
    static const struct pool_handler handler = {.accepted = begin_the_chain,
                                                .closed = note_closed};

    scene_open(NULL, &handler);
    scene_run(peer_counts_the_chain);
}
END_TEST

/* --- ending in halves ------------------------------------------------------------- */

static char megabyte[1 << 20];

static void late_reply(struct pool_socket *s, char *data, size_t n)
{
    say("ended [%.*s]", (int)n, data);
    ck_assert_int_eq(pool_send(s, megabyte, sizeof megabyte), 0);
    ck_assert_int_eq(pool_shutdown(s), 0);
    ck_assert_int_eq(pool_send(s, "x", 1), -1);
    ck_assert_int_eq(errno, EPIPE);
}

static void peer_listens_on(void)
{
    size_t total = 0;
    int fd = peer_connect();

    peer_says(fd, "question");
    shutdown(fd, SHUT_WR);
    ck_assert_int_eq(peer_drains(fd, &total), 0);
    ck_assert_uint_eq(total, sizeof megabyte);
    close(fd);
    wait_for(1, "closed");
}

START_TEST(half_close_kills_no_other_direction)
{
    static const struct pool_handler handler = {
        .accepted = commands, .ended = late_reply, .closed = note_closed};

    scene_open(NULL, &handler);
    scene_run(peer_listens_on);
    scene_said("ended [question]\nclosed peer\nclosed host\n");
}
END_TEST

static void reply_and_close(struct pool_socket *s, char *data, size_t n,
                            void *arg)
{
    ck_assert_int_eq(pool_send(s, megabyte, sizeof megabyte), 0);
    pool_close(s);
    (void)data;
    (void)n;
    (void)arg;
}

static void replies_and_closes(struct pool_socket *listener,
                               struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_line(s, 100, 0, reply_and_close, NULL), 0);
    (void)listener;
}

/* 200 kB behind the request that nobody asks for: closing with them unread
 * would be a reset that takes the reply with it. */
static void peer_with_more_to_say(void)
{
    static char unread[200000];
    size_t total = 0;
    int fd = peer_connect(), small = 65536;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    peer_says(fd, "GET\n");
    peer_send(fd, unread, sizeof unread);
    ck_assert_int_eq(peer_drains(fd, &total), 0);
    ck_assert_uint_eq(total, sizeof megabyte);
    close(fd);
    wait_for(1, "closed");
}

START_TEST(close_loses_no_reply)
{
    static const struct pool_handler handler = {.accepted = replies_and_closes,
                                                .closed = note_closed};

    scene_open(NULL, &handler);
    scene_run(peer_with_more_to_say);
    scene_said("closed host\nclosed host\n");
}
END_TEST

/* --- back-pressure ----------------------------------------------------------------- */

static _Atomic size_t echoed;

static void echo_all(struct pool_socket *s, char *data, size_t n, void *arg)
{
    echoed += n;
    ck_assert_int_eq(pool_send(s, data, n), 0); /* never "full" */
    ck_assert_int_eq(pool_recv_some(s, 0, echo_all, arg), 0);
    ck_assert_uint_le(pool_unsent(s), 1 << 20);
}

static void echoes(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_some(s, 0, echo_all, NULL), 0);
    (void)listener;
}

/* Writes and never reads, until the way there is full as well: the pool has
 * stopped reading. Then reads all of it back. */
static void peer_that_does_not_read(void)
{
    static char block[1 << 16];
    size_t sent = 0, total = 0;
    int fd = peer_connect();
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    long written, before = -1;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    for (;;) { /* full: no room, and the loop has had its turn and took none */
        while ((written = send(fd, block, sizeof block, MSG_NOSIGNAL)) > 0)
            sent += (size_t)written;
        scene_hold();
        scene_go();
        scene_hold();
        scene_go();
        if (poll(&room, 1, 0) == 0 && before == (long)echoed)
            break;
        before = (long)echoed;
    }
    ck_assert_uint_lt(echoed, sent);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    shutdown(fd, SHUT_WR);
    ck_assert_int_eq(peer_drains(fd, &total), 0);
    ck_assert_uint_eq(total, sent);
    close(fd);
    wait_for(1, "closed");
}

START_TEST(reads_while_full)
{
    static const struct pool_handler handler = {.accepted = echoes,
                                                .closed = note_closed};

    scene_open(NULL, &handler);
    scene_run(peer_that_does_not_read);
    ck_assert_int_eq(lines_of("closed peer"), 1);
}
END_TEST

static size_t pumped;

static void pump(struct pool_socket *s)
{
    while (pool_send(s, megabyte, 100000) == 0)
        pumped += 100000;
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_uint_le(pool_unsent(s), 300000);
    say("full");
    if (pumped >= 64 << 20)
        pool_close(s);
}

static void pumps(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_output_limit(s, 300000), 0);
    ck_assert_int_eq(pool_send(s, megabyte, 300001), -1);
    ck_assert_int_eq(errno, EMSGSIZE);
    pump(s);
    (void)listener;
}

static void peer_drinks(void)
{
    size_t total = 0;
    int fd = peer_connect();

    wait_for(1, "full");
    ck_assert_int_eq(peer_drains(fd, &total), 0);
    ck_assert_uint_eq(total, pumped);
    close(fd);
    wait_for(1, "closed");
}

START_TEST(unbounded_output_buffer)
{
    static const struct pool_handler handler = {
        .accepted = pumps, .drained = pump, .closed = note_closed};

    scene_open(NULL, &handler);
    scene_run(peer_drinks);
}
END_TEST

/* --- fairness --------------------------------------------------------------------- */

enum { TURN = 16384 };
static size_t flooded;

static void flood_or_quiet(struct pool_socket *s, char *data, size_t n,
                           void *arg)
{
    if (n == 1)
        say("quiet");
    else if (lines_of("quiet") == 0)
        flooded += n;
    pool_recv_some(s, 0, flood_or_quiet, arg);
    (void)data;
}

static void fair(struct pool_socket *listener, struct pool_socket *s)
{
    int i = pair[0] ? 1 : 0;

    pair[i] = s;
    pair_fds[i] = pool_fd(s);
    ck_assert_int_eq(pool_recv_some(s, 0, flood_or_quiet, NULL), 0);
    say("accepted");
    (void)listener;
}

static void peer_floods(void)
{
    int flooder = peer_connect(), quiet;
    ssize_t n;

    wait_for(1, "accepted");
    quiet = peer_connect();
    wait_for(2, "accepted");
    scene_hold();
    fcntl(flooder, F_SETFL, fcntl(flooder, F_GETFL) | O_NONBLOCK);
    do
        n = send(flooder, megabyte, sizeof megabyte, MSG_NOSIGNAL);
    while (n > 0);
    arrived(pair_fds[0]);
    peer_says(quiet, "q");
    arrived(pair_fds[1]);
    scene_go();
    wait_for(1, "quiet");
    close(flooder);
    close(quiet);
}

START_TEST(et_drain_starvation)
{
    static const struct pool_handler handler = {.accepted = fair};
    static const struct pool_options options = {.turn_bytes = TURN};

    scene_open(&options, &handler);
    scene_run(peer_floods);
    ck_assert_uint_le(flooded, TURN);
}
END_TEST

/* --- no descriptor left -------------------------------------------------------------- */

static void stay(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_some(s, 0, echo_all, NULL), 0);
    say("accepted");
    (void)listener;
}

/* Connections that wait for a descriptor are served when one is free, and the
 * loop waits for that without a turn of its own. */
static void peer_of_too_many(void)
{
    struct rlimit limit, low;
    int fds[40], open = 0;
    struct rusage before, after;
    long turns;

    for (int i = 0; i < 40; i++)
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)fds[39] + 11; /* ten more, and no other */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    for (int i = 0; i < 40; i++)
        ck_assert_int_eq(connect(fds[i], &scene.at.any, scene.at.length), 0);
    for (int i = 0; i < 40; i++)
        peer_says(fds[i], "x");
    wait_for(8, "accepted");
    getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < 200; i++) { /* time for it to spin, were it to */
        scene_hold();
        scene_go();
    }
    getrusage(RUSAGE_SELF, &after);
    turns = after.ru_nvcsw - before.ru_nvcsw;
    ck_assert_int_lt(turns, 4000);
    for (; open < 40; open++) { /* each that leaves lets one in */
        peer_hears(fds[open], "x");
        close(fds[open]);
    }
    setrlimit(RLIMIT_NOFILE, &limit);
    wait_for(40, "closed peer");
}

START_TEST(accept_emfile_spin)
{
    static const struct pool_handler handler = {.accepted = stay,
                                                .closed = note_closed};

    scene_open(NULL, &handler);
    scene_run(peer_of_too_many);
    ck_assert_int_eq(lines_of("accepted"), 40);
    ck_assert_int_eq(lines_of("closed host"), 1);
}
END_TEST

/* --- bad arguments -------------------------------------------------------------------- */

START_TEST(the_pool_waits_as_it_was_told)
{
    ck_assert_ptr_nonnull(scene.pool = pool_new(NULL));
    ck_assert_str_eq(pool_mechanism(scene.pool), getenv("POOL_BACKEND"));
    pool_free(scene.pool);
}
END_TEST

START_TEST(bad_arguments_change_nothing)
{
    static const struct pool_options nothing = {.mechanism = "carrier-pigeon"};
    struct net_address none = {.length = 0}, any;

    ck_assert_ptr_null(pool_new(&nothing));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(net_address_parse(&any, "127.0.0.1:0"), 0);
    ck_assert_ptr_nonnull(scene.pool = pool_new(NULL));
    ck_assert_ptr_null(pool_listen(scene.pool, &none, NULL, NULL, NULL));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_ptr_null(pool_connect_to(scene.pool, &none, 0, NULL, NULL));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_ptr_null(pool_adopt(scene.pool, -1, NULL, NULL));
    ck_assert_int_eq(errno, EBADF);
    ck_assert_ptr_null(pool_timer_start(scene.pool, NULL, 1, 0, NULL, NULL));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_post(scene.pool, NULL, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_uint_eq(pool_count(scene.pool), 0);
    ck_assert_int_eq(pool_run(scene.pool), 0); /* nothing to do */
    pool_free(scene.pool);
}
END_TEST

static void wrong_receives(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_exact(s, 0, 0, note_data, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_recv_line(s, 0, 0, note_data, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_recv_some(s, 0, NULL, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_recv_some(listener, 0, note_data, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_send(listener, "x", 1), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_recv_some(s, 0, note_data, NULL), 0);
    ck_assert_int_eq(pool_recv_some(s, 0, note_data, NULL), -1);
    ck_assert_int_eq(errno, EBUSY);
    say("accepted");
}

static void peer_after_wrong_ones(void)
{
    int fd = peer_connect();

    wait_for(1, "accepted");
    peer_says(fd, "still");
    wait_for(1, "data still");
    close(fd);
}

START_TEST(a_refused_receive_leaves_the_socket_as_it_was)
{
    static const struct pool_handler handler = {.accepted = wrong_receives};

    scene_open(NULL, &handler);
    scene_run(peer_after_wrong_ones);
    ck_assert_int_eq(lines_of("data still"), 1);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, no_callback_runs_inside_the_call_that_starts_it);
    tcase_add_test(tests, free_in_own_callback);
    tcase_add_loop_test(tests, stale_event_after_close, 0, 2);
    tcase_add_test(tests, the_pool_may_be_stopped_from_any_callback);
    tcase_add_loop_test(tests, closed_callback_exactly_once_with_the_reason, 0,
                        sizeof endings / sizeof *endings);
    tcase_add_test(tests, a_refused_connect_fails_once_and_closes_once);
    tcase_add_test(tests, a_connect_without_answer_ends_at_its_deadline);
    tcase_add_test(tests, a_number_is_never_given_twice);
    tcase_add_test(tests, timer_outlives_connection);
    tcase_add_test(tests, timer_drift);
    tcase_add_loop_test(tests, line_to_size_mode_switch_loses_no_byte, 0,
                        sizeof spoken);
    tcase_add_test(tests, a_hundred_thousand_lines_at_once);
    tcase_add_test(tests, callback_reentrancy);
    tcase_add_test(tests, half_close_kills_no_other_direction);
    tcase_add_test(tests, close_loses_no_reply);
    tcase_add_test(tests, reads_while_full);
    tcase_add_test(tests, unbounded_output_buffer);
    tcase_add_test(tests, et_drain_starvation);
    tcase_add_test(tests, accept_emfile_spin);
    tcase_add_test(tests, the_pool_waits_as_it_was_told);
    tcase_add_test(tests, bad_arguments_change_nothing);
    tcase_add_test(tests, a_refused_receive_leaves_the_socket_as_it_was);
}

int main(void)
{
    return on_each_mechanism("promises", add);
}
