/*
 * common/pool and peers that mean harm, or do it without meaning to: they drip,
 * never finish a line, reset at every moment, come and are gone before they are
 * accepted, or are too many. Each costs what was agreed, and never a byte of
 * another connection.
 */
#include <netinet/in.h>

#include "tests/unit/pool_scene.h"

static void note_line(struct pool_socket *s, char *data, size_t n, void *arg)
{
    say("line %.*s", (int)n, data);
    ck_assert_int_eq(pool_recv_line(s, 100, 0, note_line, arg), 0);
}

static const char *word_of(enum closed_reason reason, int error)
{
    return error ? strerrorname_np(error) : closed_reason_word(reason);
}

static void note_end(struct pool_socket *s, enum closed_reason reason,
                     int error)
{
    if (s != scene.listener)
        say("closed %s", word_of(reason, error));
}

static const struct pool_handler nothing;

/* --- a good peer, who must not notice ------------------------------------------ */

static void good_begins(int *good)
{
    *good = peer_connect();
    peer_says(*good, "good\n");
    wait_for(1, "line good");
}

static void good_ends(int good)
{
    peer_says(good, "still\n");
    close(good);
    wait_for(1, "line still");
    wait_for(1, "closed peer");
}

/* --- a line of a gigabyte, a byte at a time --------------------------------------- */

static void wants_lines(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_line(s, 100, 0, note_line, NULL), 0);
    (void)listener;
}

static void peer_without_end_of_line(void)
{
    static char block[1 << 16];
    size_t sent = 0;
    ssize_t n;
    int good, fd;

    good_begins(&good);
    fd = peer_connect();
    memset(block, 'x', sizeof block);
    while ((n = send(fd, block, sizeof block, MSG_NOSIGNAL)) > 0)
        sent += (size_t)n; /* until the pool has closed */
    ck_assert_uint_lt(sent, 1 << 30);
    wait_for(1, "closed EMSGSIZE");
    close(fd);
    good_ends(good);
}

START_TEST(a_line_without_end_costs_its_limit)
{
    static const struct pool_handler handler = {.accepted = wants_lines,
                                                .closed = note_end};

    scene_open(NULL, &handler);
    scene_run(peer_without_end_of_line);
}
END_TEST

static void wants_a_line_soon(struct pool_socket *listener,
                              struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_line(s, 1 << 20, 100, note_line, NULL), 0);
    (void)listener;
}

/* Each byte comes before the deadline; the line's own deadline does not move. */
static void peer_drips(void)
{
    int fd = peer_connect();

    while (send(fd, "x", 1, MSG_NOSIGNAL) == 1) {
        scene_hold();
        scene_go();
    }
    wait_for(1, "closed timeout");
    close(fd);
}

START_TEST(a_dripped_line_does_not_outlive_its_deadline)
{
    static const struct pool_handler handler = {.accepted = wants_a_line_soon,
                                                .closed = note_end};

    scene_open(NULL, &handler);
    scene_run(peer_drips);
}
END_TEST

/* --- resets at every moment --------------------------------------------------------- */

static char reply[1 << 20];

static void reply_much(struct pool_socket *s, char *data, size_t n, void *arg)
{
    if (strncmp(data, "good", 4) == 0 || strncmp(data, "still", 5) == 0) {
        note_line(s, data, n, arg);
        return;
    }
    pool_send(s, reply, sizeof reply); /* the peer may be gone by now */
    pool_recv_line(s, 100, 0, reply_much, arg);
}

static void replies_much(struct pool_socket *listener, struct pool_socket *s)
{
    say("accepted");
    ck_assert_int_eq(pool_recv_line(s, 100, 0, reply_much, NULL), 0);
    (void)listener;
}

/* The conversation has so many moments; it is broken off at each of them. */
enum { MOMENTS = 7 };

static void break_off(int moment, int before)
{
    char some[1000];
    int fd = peer_connect();

    if (moment > 0)
        wait_for(before + 1, "accepted");
    if (moment > 1)
        peer_says(fd, "hal");
    if (moment > 2)
        peer_says(fd, "f\n");
    if (moment > 3)
        ck_assert_int_gt(recv(fd, some, sizeof some, 0), 0);
    if (moment > 4)
        peer_says(fd, "more");
    if (moment > 5)
        shutdown(fd, SHUT_WR);
    peer_resets(fd);
}

static void peer_breaks_off(void)
{
    int good, closed = 0;

    good_begins(&good);
    for (int round = 0; round < 50; round++)
        for (int moment = 1; moment < MOMENTS; moment++) {
            int before = lines_of("accepted");

            break_off(moment, before);
            wait_for(++closed, "closed");
        }
    for (int i = 0; i < 50; i++)
        break_off(0, 0); /* may be gone before it is accepted: then no word */
    good_ends(good);
}

START_TEST(resets_at_every_moment_end_one_socket_each)
{
    static const struct pool_handler handler = {.accepted = replies_much,
                                                .closed = note_end};

    scene_open(NULL, &handler);
    scene_run(peer_breaks_off);
    ck_assert_int_eq(lines_of("closed"), lines_of("accepted"));
}
END_TEST

/* --- too many --------------------------------------------------------------------------- */

static int live, most;

static void counts_live(struct pool_socket *listener, struct pool_socket *s)
{
    if (++live > most)
        most = live;
    say("accepted");
    ck_assert_int_eq(pool_recv_line(s, 100, 0, note_line, NULL), 0);
    (void)listener;
}

static void counts_gone(struct pool_socket *s, enum closed_reason reason,
                        int error)
{
    live--;
    note_end(s, reason, error);
}

static void peers_come_in_crowds(void)
{
    int fds[20];

    for (int i = 0; i < 20; i++) {
        fds[i] = peer_connect(); /* the kernel's queue has room for all */
        peer_says(fds[i], "x\n");
    }
    for (int i = 0; i < 20; i++) {
        wait_for(i < 16 ? i + 5 : 20, "line x");
        close(fds[i]);
        wait_for(i + 1, "closed peer");
    }
}

START_TEST(more_than_max_clients_wait_their_turn)
{
    static const struct pool_handler handler = {.accepted = counts_live,
                                                .closed = counts_gone};
    static const struct pool_listen_options five = {.max_clients = 5};
    struct net_address any;

    scene_open(NULL, &nothing);
    pool_close(scene.listener);
    ck_assert_int_eq(net_address_parse(&any, "127.0.0.1:0"), 0);
    scene.listener = pool_listen(scene.pool, &any, &five, &handler, NULL);
    ck_assert_ptr_nonnull(scene.listener);
    ck_assert_int_eq(pool_local(scene.listener, &scene.at), 0);
    scene_run(peers_come_in_crowds);
    ck_assert_int_eq(most, 5);
    ck_assert_int_eq(lines_of("line x"), 20);
}
END_TEST

/* --- datagrams of every size ---------------------------------------------------------------- */

static size_t sizes, got;

static void note_datagram(struct pool_socket *s, char *data, size_t n,
                          const struct net_address *from)
{
    sizes += n;
    got++;
    say("datagram %zu", n);
    ck_assert_int_eq(pool_send_to(s, data, n, from), 0);
}

static void peer_of_datagrams(void)
{
    static const size_t lengths[] = {0, 1, 1472, 9000, 65507};
    static char back[65536];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(connect(fd, &scene.at.any, scene.at.length), 0);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ck_assert_int_eq(send(fd, reply, lengths[i], 0), (ssize_t)lengths[i]);
        ck_assert_int_eq(recv(fd, back, sizeof back, 0), (ssize_t)lengths[i]);
    }
    close(fd);
}

START_TEST(an_empty_datagram_and_the_largest_come_whole)
{
    static const struct pool_handler handler = {.datagram = note_datagram};
    struct pool_socket *s;
    struct net_address any;

    scene_open(NULL, &nothing);
    ck_assert_int_eq(net_address_parse(&any, "127.0.0.1:0"), 0);
    s = pool_datagram(scene.pool, &any, NULL, &handler, NULL);
    ck_assert_ptr_nonnull(s);
    ck_assert_int_eq(pool_local(s, &scene.at), 0);
    scene_run(peer_of_datagrams);
    ck_assert_uint_eq(got, 5);
    ck_assert_uint_eq(sizes, 1 + 1472 + 9000 + 65507);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_line_without_end_costs_its_limit);
    tcase_add_test(tests, a_dripped_line_does_not_outlive_its_deadline);
    tcase_add_test(tests, resets_at_every_moment_end_one_socket_each);
    tcase_add_test(tests, more_than_max_clients_wait_their_turn);
    tcase_add_test(tests, an_empty_datagram_and_the_largest_come_whole);
}

int main(void)
{
    return on_each_mechanism("hostile", add);
}
