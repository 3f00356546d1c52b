/*
 * What the pool sends, on each mechanism: joined, kept when the kernel says no,
 * bounded; who sent too much is told when there is room; `sent` comes later and
 * never nests; and receives wait for those who do not read.
 */
#include "tests/unit/pooled.h"

static char block[100000];

static void close_after(struct pool_socket *stream, void *arg)
{
    (void)arg;
    pool_close(stream);
}

static void log_sent(struct pool_socket *stream, void *arg)
{
    (void)stream;
    say("sent %s", (const char *)arg);
}

/* --- order ----------------------------------------------------------------- */

static void greet(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    ck_assert_int_eq(pool_send_then(stream, "one ", 4, log_sent, (char *)"one"),
                     0);
    ck_assert_int_eq(pool_send(stream, "two ", 4), 0);
    ck_assert_int_eq(pool_send(stream, "", 0), 0);
    ck_assert_int_eq(
        pool_send_then(stream, "three ", 6, log_sent, (char *)"three"), 0);
    ck_assert_int_eq(pool_send_then(stream, NULL, 0, close_after, NULL), 0);
    say("returned");
}

static const struct pool_handler greeting = {.accepted = greet,
                                             .closed = log_closed};

START_TEST(all_leaves_in_order_and_sent_is_told_later)
{
    scene_begin(_i, &greeting);
    int fd = client();
    shutdown(fd, SHUT_WR);
    run();
    ck_assert_str_eq(receives_all(fd), "one two three ");
    ck_assert_str_eq(scene.log,
                     "returned; sent one; sent three; closed host; ");
    close(fd);
    scene_end();
}
END_TEST

/* --- a reader who takes his time ---------------------------------------------- */

static int reader;
static size_t reader_has;
static bool reader_in_order;

static void reader_closes(void)
{
    if (reader >= 0)
        close(reader);
    reader = -1;
}

static void read_some(void *arg)
{
    static unsigned char bytes[65536];
    ssize_t n = recv(reader, bytes, sizeof bytes, MSG_DONTWAIT);

    for (ssize_t i = 0; i < n; i++)
        if (bytes[i] != (unsigned char)((reader_has + (size_t)i) % 251))
            reader_in_order = false;
    if (n > 0)
        reader_has += (size_t)n;
    if (n > 0 || (n < 0 && errno == EAGAIN))
        pool_timer_start(scene.pool, NULL, 0, 0, read_some, arg);
    else
        reader_closes();
}

static void reader_begins(void)
{
    reader = client();
    reader_has = 0;
    reader_in_order = true;
    pool_post(scene.pool, read_some, NULL);
}

/* What the kernel still had for us when the pool was through. */
static void reader_ends(size_t all)
{
    while (reader_has < all)
        read_some(NULL);
    ck_assert(reader_in_order);
    reader_closes();
}

/* The bytes from `from` on of a sequence that shows what is lost or doubled. */
static const char *sequence(size_t from)
{
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)((from + i) % 251);
    return block;
}

static size_t total_sent;
static unsigned refused, told;
enum { ENOUGH = 20000000 };

static void pour(struct pool_socket *stream)
{
    while (total_sent < ENOUGH) {
        if (pool_send(stream, sequence(total_sent), sizeof block) < 0) {
            ck_assert_int_eq(errno, EAGAIN);
            ck_assert_uint_le(pool_unsent(stream), 1024 * 1024);
            refused++;
            return;
        }
        total_sent += sizeof block;
    }
    pool_close(stream);
}

static void pour_on(struct pool_socket *stream)
{
    told++;
    pour(stream);
}

static void begin_to_pour(struct pool_socket *listener,
                          struct pool_socket *stream)
{
    (void)listener;
    pour(stream);
}

START_TEST(a_full_output_says_eagain_and_drained_follows)
{
    static const struct pool_handler pouring = {
        .accepted = begin_to_pour, .drained = pour_on, .closed = log_closed};

    scene_begin(_i, &pouring);
    total_sent = refused = told = 0;
    reader_begins();
    run();
    ck_assert_uint_gt(refused, 0);
    ck_assert_uint_eq(refused, told);
    reader_ends(total_sent);
    ck_assert_str_eq(scene.log, "closed host; ");
    scene_end();
}
END_TEST

static void send_wrongly(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_output_limit(s, 0), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_output_limit(s, 1000), 0);
    ck_assert_int_eq(pool_send(s, block, 1001), -1);
    ck_assert_int_eq(errno, EMSGSIZE);
    ck_assert_int_eq(pool_send(s, NULL, 1), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_send(listener, "x", 1), -1);
    ck_assert_int_eq(errno, EINVAL);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(pool_send(s, "0123456789", 10), 0);
    pool_close(s);
}

START_TEST(wrong_arguments_change_nothing)
{
    static const struct pool_handler wrong = {.accepted = send_wrongly,
                                              .closed = log_closed};
    scene_begin(_i, &wrong);
    int fd = client();
    shutdown(fd, SHUT_WR);
    run();
    ck_assert_uint_eq(strlen(receives_all(fd)), 100);
    close(fd);
    scene_end();
}
END_TEST

/* --- chains --------------------------------------------------------------------- */

enum { LINKS = 100000 };
static unsigned links;
static bool inside;

static void next_link(struct pool_socket *stream, void *arg)
{
    ck_assert(!inside);
    inside = true;
    if (++links < LINKS)
        ck_assert_int_eq(pool_send_then(stream, "x", 1, next_link, arg), 0);
    else
        pool_close(stream);
    inside = false;
}

static void first_link(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    pool_send_then(stream, "x", 1, next_link, NULL);
}

static void take_all(void *arg)
{
    char bytes[65536];

    (void)arg;
    ssize_t n = recv(reader, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n == 0)
        reader_closes();
    else
        pool_timer_start(scene.pool, NULL, 0, 0, take_all, arg);
}

START_TEST(a_hundred_thousand_sent_in_a_chain_do_not_nest)
{
    static const struct pool_handler chain = {.accepted = first_link,
                                              .closed = log_closed};
    scene_begin(_i, &chain);
    links = 0;
    reader = client();
    pool_post(scene.pool, take_all, NULL);
    run();
    ck_assert_uint_eq(links, LINKS);
    reader_closes();
    scene_end();
}
END_TEST

/* --- who does not read is not heard ------------------------------------------------- */

static size_t echoed;
static unsigned failures;

static void echo(struct pool_socket *stream, char *data, size_t length,
                 void *arg)
{
    if (pool_send(stream, data, length) < 0)
        failures++;
    echoed += length;
    ck_assert_uint_le(pool_unsent(stream), 4096);
    pool_recv_some(stream, 0, echo, arg);
}

static void echo_a_little(struct pool_socket *listener, struct pool_socket *s)
{
    (void)listener;
    pool_output_limit(s, 4096);
    pool_recv_some(s, 0, echo, NULL);
}

static size_t written;

/* Writes without reading until nothing goes out any more; then reads all. */
static void write_then_read(void *arg)
{
    static int idle;
    ssize_t n = send(reader, sequence(written), sizeof block, MSG_DONTWAIT);

    if (n > 0) {
        written += (size_t)n;
        idle = 0;
    }
    if (idle++ < 20) {
        pool_timer_start(scene.pool, NULL, 1, 0, write_then_read, arg);
        return;
    }
    shutdown(reader, SHUT_WR);
    read_some(NULL);
}

START_TEST(an_echo_of_who_does_not_read_stays_bounded_and_loses_nothing)
{
    static const struct pool_handler echoing = {.accepted = echo_a_little,
                                                .closed = log_closed};
    scene_begin(_i, &echoing);
    echoed = failures = written = 0;
    reader = client();
    reader_has = 0;
    reader_in_order = true;
    pool_post(scene.pool, write_then_read, NULL);
    run();
    ck_assert_uint_eq(failures, 0);
    ck_assert_uint_gt(written, 0);
    reader_ends(written);
    ck_assert_str_eq(scene.log, "closed peer; ");
    scene_end();
}
END_TEST

/* --- to others ------------------------------------------------------------------------ */

static void broadcast(struct pool_socket *stream, char *data, size_t length,
                      void *arg)
{
    (void)stream, (void)arg;
    for (struct pool_socket *s = NULL; (s = pool_next(scene.pool, s));)
        if (s != scene.listener) {
            pool_send(s, data, length);
            pool_send(s, "!", 1);
            pool_close(s);
        }
}

static void hear_all(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    pool_recv_some(stream, 0, broadcast, NULL);
}

START_TEST(what_one_sends_reaches_the_others)
{
    static const struct pool_handler room = {.accepted = hear_all,
                                             .closed = log_closed};
    scene_begin(_i, &room);
    int a = client(), b = client(), c = client();
    sends(b, "hello");
    shutdown(a, SHUT_WR);
    shutdown(c, SHUT_WR);
    shutdown(b, SHUT_WR);
    run();
    ck_assert_str_eq(receives_all(b), "hello!");
    close(a);
    close(b);
    close(c);
    scene_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_send");
    TCase *tests = tcase_create("pool_send");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, all_leaves_in_order_and_sent_is_told_later, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_full_output_says_eagain_and_drained_follows, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, wrong_arguments_change_nothing, 0, MECHANISMS);
    tcase_add_loop_test(tests, a_hundred_thousand_sent_in_a_chain_do_not_nest,
                        0, MECHANISMS);
    tcase_add_loop_test(
        tests, an_echo_of_who_does_not_read_stays_bounded_and_loses_nothing, 0,
        MECHANISMS);
    tcase_add_loop_test(tests, what_one_sends_reaches_the_others, 0,
                        MECHANISMS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
