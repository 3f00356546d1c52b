/*
 * How sockets of the pool end, on each mechanism: one `closed`, with the right
 * reason; the reply before the FIN and no reset over it; from any callback, of
 * any socket; and the whole pool.
 */
#include "tests/unit/pooled.h"

static void on_line(struct pool_socket *stream, char *line, size_t length,
                    void *arg);

static void again(struct pool_socket *stream)
{
    pool_recv_line(stream, 100, 0, on_line, NULL);
}

static struct pool_socket *other_than(struct pool_socket *stream)
{
    for (struct pool_socket *s = NULL; (s = pool_next(scene.pool, s));)
        if (s != stream && s != scene.listener)
            return s;
    return NULL;
}

/* A small language of clients. */
static void on_line(struct pool_socket *stream, char *line, size_t length,
                    void *arg)
{
    (void)length, (void)arg;
    say("%s", line);
    if (strcmp(line, "QUIT") == 0) {
        pool_send(stream, "bye\n", 4);
        pool_close(stream);
        ck_assert_int_eq(pool_send(stream, "late", 4), -1);
        ck_assert_int_eq(errno, ENOTCONN);
    } else if (strcmp(line, "ABORT") == 0) {
        pool_send(stream, "lost", 4);
        pool_abort(stream);
    } else if (strcmp(line, "KICK") == 0) {
        pool_close(other_than(stream));
        pool_close(stream);
    } else if (strcmp(line, "STOP") == 0) {
        pool_send(stream, "stopping\n", 9);
        pool_stop(scene.pool);
    }
    again(stream);
}

static void accepted(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    again(stream);
}

static const struct pool_handler talk = {.accepted = accepted,
                                         .closed = log_closed};

/* --- reasons --------------------------------------------------------------- */

START_TEST(a_fin_is_reason_peer)
{
    scene_begin(_i, &talk);
    int fd = client();
    sends(fd, "hello\n");
    close(fd);
    run();
    ck_assert_str_eq(scene.log, "hello; closed peer; ");
    scene_end();
}
END_TEST

START_TEST(a_reset_is_reason_error)
{
    scene_begin(_i, &talk);
    int fd = client();
    net_set_linger(fd, 0);
    close(fd);
    run();
    ck_assert_str_eq(scene.log, "closed error ECONNRESET; ");
    scene_end();
}
END_TEST

static void accept_only(struct pool_socket *listener, struct pool_socket *s)
{
    (void)listener, (void)s;
}

static void hear_once(struct pool_socket *stream, char *line, size_t length,
                      void *arg)
{
    (void)stream, (void)length, (void)arg;
    say("%s", line);
}

static void asks_once(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    pool_recv_line(stream, 100, 0, hear_once, NULL);
}

static void reset_by_a_peer(int mechanism, const struct pool_handler *handler,
                            const char *log)
{
    scene_begin(mechanism, handler);
    int fd = client();
    sends(fd, "one\n");
    net_set_linger(fd, 0);
    close(fd);
    run();
    ck_assert_str_eq(scene.log, log);
    scene_end();
}

START_TEST(a_reset_is_told_to_who_waits_for_nothing)
{
    static const struct pool_handler never = {.accepted = accept_only,
                                              .closed = log_closed};
    static const struct pool_handler once = {.accepted = asks_once,
                                             .closed = log_closed};

    reset_by_a_peer(_i, &never, "closed error ECONNRESET; ");
    reset_by_a_peer(_i, &once, "one; closed error ECONNRESET; ");
}
END_TEST

START_TEST(a_reset_is_told_to_who_was_adopted_and_waits_for_nothing)
{
    static const struct pool_handler adopted = {.closed = log_closed};
    int pair[2];

    scene_begin(_i, NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    sends(pair[0], "unread"); /* who closes before reading it resets */
    ck_assert_ptr_nonnull(pool_adopt(scene.pool, pair[0], &adopted, NULL));
    close(pair[1]);
    run();
    ck_assert_str_eq(scene.log, "closed error ECONNRESET; ");
    scene_end();
}
END_TEST

START_TEST(our_close_is_reason_host_and_the_reply_arrives)
{
    scene_begin(_i, &talk);
    int fd = client();
    sends(fd, "QUIT\nPING\n");
    shutdown(fd, SHUT_WR);
    run();
    ck_assert_str_eq(scene.log, "QUIT; closed host; ");
    ck_assert_str_eq(receives_all(fd), "bye\n");
    close(fd);
    scene_end();
}
END_TEST

START_TEST(an_abort_is_a_reset)
{
    scene_begin(_i, &talk);
    int fd = client();
    sends(fd, "ABORT\n");
    run();
    ck_assert_str_eq(scene.log, "ABORT; closed host; ");
    ck_assert_str_eq(receives_all(fd), "RESET");
    close(fd);
    scene_end();
}
END_TEST

/* --- no reset over the reply -------------------------------------------------- */

static char reply[200000];

static void reply_and_close(struct pool_socket *stream, char *data,
                            size_t length, void *arg)
{
    (void)data, (void)length, (void)arg;
    ck_assert_int_eq(pool_send(stream, reply, sizeof reply), 0);
    pool_close(stream);
}

static void accept_nine(struct pool_socket *listener, struct pool_socket *s)
{
    (void)listener;
    pool_recv_exact(s, 9, 0, reply_and_close, NULL);
}

static int reader;
static size_t reader_has;

static void reader_closes(void)
{
    if (reader >= 0)
        close(reader);
    reader = -1;
}

static void read_on(void *arg)
{
    char bytes[4096];
    ssize_t n = recv(reader, bytes, sizeof bytes, MSG_DONTWAIT);

    (void)arg;
    if (n > 0)
        reader_has += (size_t)n;
    if (n > 0 || (n < 0 && errno == EAGAIN))
        pool_timer_start(scene.pool, NULL, 0, 0, read_on, NULL);
    else if (n == 0)
        reader_closes();
    else
        say("reader: %s", strerrorname_np(errno));
}

START_TEST(unread_input_does_not_reset_the_reply)
{
    static const struct pool_handler nine = {.accepted = accept_nine,
                                             .closed = log_closed};
    static const char request[200000] = "more than is read";

    scene_begin(_i, &nine);
    reader = client();
    reader_has = 0;
    net_set_buffers(reader, 32768, 0);
    ck_assert_int_gt(send(reader, request, sizeof request, 0), 9);
    pool_post(scene.pool, read_on, NULL);
    run();
    ck_assert_str_eq(scene.log, "closed host; ");
    while (reader_has < sizeof reply) /* what the kernel still has for us */
        read_on(NULL);
    ck_assert_str_eq(scene.log, "closed host; ");
    reader_closes();
    scene_end();
}
END_TEST

START_TEST(a_peer_who_never_ends_is_given_the_grace)
{
    scene_with(_i, (struct pool_options){.grace_ms = 50}, NULL, &talk);
    int fd = client();
    sends(fd, "QUIT\n");
    run();
    ck_assert_str_eq(scene.log, "QUIT; closed host; ");
    close(fd);
    scene_end();
}
END_TEST

static void flood(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    while (pool_send(stream, reply, sizeof reply) == 0)
        ;
    pool_close(stream);
}

START_TEST(a_peer_who_never_reads_is_given_the_grace_and_then_a_reset)
{
    static const struct pool_handler flooding = {.accepted = flood,
                                                 .closed = log_closed};
    char byte[65536];
    ssize_t n;

    scene_with(_i, (struct pool_options){.grace_ms = 50}, NULL, &flooding);
    int fd = client();
    run();
    ck_assert_str_eq(scene.log, "closed host; ");
    while ((n = recv(fd, byte, sizeof byte, 0)) > 0)
        ;
    ck_assert_int_eq(n, -1); /* a FIN would say that this was all */
    ck_assert_int_eq(errno, ECONNRESET);
    close(fd);
    scene_end();
}
END_TEST

/* --- in the same batch -------------------------------------------------------------- */

START_TEST(who_is_closed_by_another_hears_nothing_more)
{
    scene_with(_i, (struct pool_options){.grace_ms = 50}, NULL, &talk);
    int first = client(), second = client();
    sends(first, "KICK\n");
    sends(second, "KICK\n");
    run();
    ck_assert_str_eq(scene.log, "KICK; closed host; closed host; ");
    close(first);
    close(second);
    scene_end();
}
END_TEST

static uint64_t ids[3];
static unsigned id_count;

static void note_id(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    for (unsigned i = 0; i < id_count; i++)
        ck_assert_uint_ne(pool_id(stream), ids[i]);
    ids[id_count++] = pool_id(stream);
    ck_assert_ptr_eq(pool_find(scene.pool, pool_id(stream)), stream);
    again(stream);
}

static void next_client(struct pool_socket *socket, enum closed_reason reason,
                        int error)
{
    (void)reason, (void)error;
    ck_assert_ptr_eq(pool_find(scene.pool, pool_id(socket)), socket);
    if (socket != scene.listener && id_count < 3)
        close(client());
    else if (socket != scene.listener)
        pool_stop(scene.pool);
}

START_TEST(a_number_is_never_given_twice)
{
    static const struct pool_handler numbers = {.accepted = note_id,
                                                .closed = next_client};
    scene_begin(_i, &numbers);
    id_count = 0;
    close(client());
    run();
    ck_assert_uint_eq(id_count, 3);
    ck_assert_uint_eq((uint32_t)ids[0], (uint32_t)ids[2]); /* the same slot */
    for (unsigned i = 0; i < id_count; i++)
        ck_assert_ptr_null(pool_find(scene.pool, ids[i]));
    scene_end();
}
END_TEST

/* --- half a connection ------------------------------------------------------------------ */

static void shut_first(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    pool_send(stream, "that is all\n", 12);
    pool_shutdown(stream);
    ck_assert_int_eq(pool_send(stream, "more", 4), -1);
    ck_assert_int_eq(errno, EPIPE);
    again(stream);
}

static void end_politely(struct pool_socket *stream, char *data, size_t length)
{
    say("ended %.*s", (int)length, data);
    pool_send(stream, "goodbye\n", 8);
    pool_close(stream);
}

START_TEST(receiving_goes_on_after_our_fin)
{
    static const struct pool_handler half = {.accepted = shut_first,
                                             .closed = log_closed};
    char text[64] = "";

    scene_begin(_i, &half);
    int fd = client();
    sends(fd, "one\ntwo\n");
    shutdown(fd, SHUT_WR);
    run();
    ck_assert_str_eq(scene.log, "one; two; closed peer; ");
    ck_assert_int_eq(recv(fd, text, sizeof text, MSG_WAITALL), 12);
    close(fd);
    scene_end();
}
END_TEST

START_TEST(sending_goes_on_after_their_fin)
{
    static const struct pool_handler half = {
        .accepted = accepted, .ended = end_politely, .closed = log_closed};
    scene_begin(_i, &half);
    int fd = client();
    sends(fd, "one\nhalf");
    shutdown(fd, SHUT_WR);
    run();
    ck_assert_str_eq(scene.log, "one; ended half; closed host; ");
    ck_assert_str_eq(receives_all(fd), "goodbye\n");
    close(fd);
    scene_end();
}
END_TEST

static void shut_too(struct pool_socket *stream, char *data, size_t length)
{
    say("ended %.*s", (int)length, data);
    pool_send(stream, "goodbye\n", 8);
    pool_shutdown(stream);
}

START_TEST(once_both_have_finished_it_is_closed)
{
    static const struct pool_handler both = {
        .accepted = accepted, .ended = shut_too, .closed = log_closed};
    scene_begin(_i, &both);
    int fd = client();
    sends(fd, "one\n");
    shutdown(fd, SHUT_WR);
    run();
    ck_assert_str_eq(scene.log, "one; ended ; closed peer; ");
    ck_assert_str_eq(receives_all(fd), "goodbye\n");
    close(fd);
    scene_end();
}
END_TEST

/* --- the whole pool ------------------------------------------------------------------------- */

static void count_closed(struct pool_socket *socket, enum closed_reason reason,
                         int error)
{
    say("%s %s", socket == scene.listener ? "listener" : "client",
        closed_reason_word(reason));
    ck_assert_int_eq(error, 0);
}

START_TEST(stop_closes_all_and_lets_replies_leave)
{
    static const struct pool_handler all = {.accepted = accepted,
                                            .closed = count_closed};
    int64_t began = clock_now();

    scene_with(_i, (struct pool_options){.grace_ms = 60000}, NULL, &all);
    int idle = client(), fd = client();
    sends(fd, "STOP\n");
    run();
    ck_assert_str_eq(scene.log,
                     "STOP; listener host; client host; client host; ");
    ck_assert_uint_eq(pool_count(scene.pool), 0);
    ck_assert_str_eq(receives_all(fd), "stopping\n");
    ck_assert_str_eq(receives_all(idle), "");
    ck_assert_int_lt(clock_now() - began, 30 * CLOCK_SECOND);
    close(fd);
    close(idle);
    scene_end();
}
END_TEST

START_TEST(after_stop_nobody_hears_more)
{
    scene_begin(_i, &talk);
    int first = client(), second = client();
    sends(first, "STOP\nmore\n");
    sends(second, "STOP\nmore\n");
    run();
    ck_assert_str_eq(scene.log, "STOP; closed host; closed host; ");
    close(first);
    close(second);
    scene_end();
}
END_TEST

START_TEST(free_closes_what_is_left)
{
    static const struct pool_handler all = {.accepted = accept_only,
                                            .closed = count_closed};
    scene_begin(_i, &all);
    scene_end();
    ck_assert_str_eq(scene.log, "listener host; ");
}
END_TEST

START_TEST(a_pool_with_nothing_to_wait_for_returns)
{
    scene_begin(_i, NULL);
    run();
    scene_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_close");
    TCase *tests = tcase_create("pool_close");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, a_fin_is_reason_peer, 0, MECHANISMS);
    tcase_add_loop_test(tests, a_reset_is_reason_error, 0, MECHANISMS);
    tcase_add_loop_test(tests, a_reset_is_told_to_who_waits_for_nothing, 0,
                        MECHANISMS);
    tcase_add_loop_test(
        tests, a_reset_is_told_to_who_was_adopted_and_waits_for_nothing, 0,
        MECHANISMS);
    tcase_add_loop_test(tests, our_close_is_reason_host_and_the_reply_arrives,
                        0, MECHANISMS);
    tcase_add_loop_test(tests, an_abort_is_a_reset, 0, MECHANISMS);
    tcase_add_loop_test(tests, unread_input_does_not_reset_the_reply, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_peer_who_never_ends_is_given_the_grace, 0,
                        MECHANISMS);
    tcase_add_loop_test(
        tests, a_peer_who_never_reads_is_given_the_grace_and_then_a_reset, 0,
        MECHANISMS);
    tcase_add_loop_test(tests, who_is_closed_by_another_hears_nothing_more, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_number_is_never_given_twice, 0, MECHANISMS);
    tcase_add_loop_test(tests, receiving_goes_on_after_our_fin, 0, MECHANISMS);
    tcase_add_loop_test(tests, sending_goes_on_after_their_fin, 0, MECHANISMS);
    tcase_add_loop_test(tests, once_both_have_finished_it_is_closed, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, stop_closes_all_and_lets_replies_leave, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, after_stop_nobody_hears_more, 0, MECHANISMS);
    tcase_add_loop_test(tests, free_closes_what_is_left, 0, MECHANISMS);
    tcase_add_loop_test(tests, a_pool_with_nothing_to_wait_for_returns, 0,
                        MECHANISMS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
