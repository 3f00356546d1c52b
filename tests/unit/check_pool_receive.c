/*
 * The pool's receives, on each mechanism: what comes, lines and exact sizes, cut
 * anywhere, glued, switched in mid-stream, limited in size and in time.
 */
#include "tests/unit/pooled.h"

#include <pthread.h>

static void on_some(struct pool_socket *stream, char *data, size_t length,
                    void *arg)
{
    (void)arg;
    say("some %.*s", (int)length, data);
    pool_recv_some(stream, 0, on_some, NULL);
}

static void on_line(struct pool_socket *stream, char *line, size_t length,
                    void *arg)
{
    ck_assert_uint_eq(strlen(line), length);
    say("line %s", line);
    pool_recv_line(stream, 20, 0, on_line, arg);
}

static void take_lines(struct pool_socket *listener, struct pool_socket *stream)
{
    (void)listener;
    ck_assert_int_eq(pool_recv_line(stream, 20, 0, on_line, NULL), 0);
}

static void on_ended(struct pool_socket *stream, char *data, size_t length)
{
    say("ended %.*s", (int)length, data);
    ck_assert_int_eq(pool_recv_some(stream, 0, on_some, NULL), -1);
    ck_assert_int_eq(errno, ENOTCONN);
    pool_close(stream);
}

static const struct pool_handler lines = {
    .accepted = take_lines, .ended = on_ended, .closed = log_closed};

/* --- lines ----------------------------------------------------------------- */

START_TEST(lines_glued_in_one_segment_are_single_lines)
{
    scene_begin(_i, &lines);
    int fd = client();

    sends(fd, "one\ntwo\r\n\n\r\nfive\nrest");
    shutdown(fd, SHUT_WR);
    run();
    ck_assert_str_eq(scene.log, "line one; line two; line ; line ; line five; "
                                "ended rest; closed host; ");
    ck_assert_str_eq(receives_all(fd), "");
    close(fd);
    scene_end();
}
END_TEST

static const char *drip;
static int drip_fd;

/* A byte, and the next one when the loop has been round. */
static void drip_one(void *arg)
{
    char byte = *drip;

    (void)arg;
    if (!byte) {
        close(drip_fd);
        return;
    }
    drip++;
    ck_assert_int_eq(send(drip_fd, &byte, 1, MSG_NOSIGNAL), 1);
    pool_timer_start(scene.pool, NULL, 1, 0, drip_one, NULL);
}

START_TEST(lines_may_come_a_byte_at_a_time)
{
    scene_begin(_i, &lines);
    drip = "one\r\ntwo\n\r\nfo\rur\n";
    drip_fd = client();
    pool_post(scene.pool, drip_one, NULL);
    run();
    ck_assert_str_eq(scene.log, "line one; line two; line ; line fo\rur; "
                                "ended ; closed host; ");
    scene_end();
}
END_TEST

START_TEST(a_line_of_the_limit_passes_and_one_more_is_emsgsize)
{
    scene_begin(_i, &lines);
    int fd = client();

    sends(fd, "12345678901234567890\r\n123456789012345678901\nnever\n");
    shutdown(fd, SHUT_WR);
    run();
    ck_assert_str_eq(scene.log,
                     "line 12345678901234567890; closed error EMSGSIZE; ");
    close(fd);
    scene_end();
}
END_TEST

START_TEST(a_line_without_end_is_cut_off_at_the_limit)
{
    static char long_line[100000];

    scene_begin(_i, &lines);
    int fd = client();
    memset(long_line, 'x', sizeof long_line - 1);
    sends(fd, long_line);
    shutdown(fd, SHUT_WR);
    run();
    ck_assert_str_eq(scene.log, "closed error EMSGSIZE; ");
    close(fd);
    scene_end();
}
END_TEST

static unsigned long_lines;

static void on_long_line(struct pool_socket *stream, char *line, size_t length,
                         void *arg)
{
    ck_assert_uint_eq(length, 300000);
    ck_assert_int_eq(line[0], 'a' + (int)long_lines);
    ck_assert_int_eq(line[length - 1], 'a' + (int)long_lines);
    long_lines++;
    pool_recv_line(stream, 300000, 0, on_long_line, arg);
}

static void take_long_lines(struct pool_socket *listener,
                            struct pool_socket *stream)
{
    (void)listener;
    pool_recv_line(stream, 300000, 0, on_long_line, NULL);
}

static void *send_long_lines(void *arg)
{
    int fd = *(int *)arg;
    static char line[300001];

    for (int i = 0; i < 5; i++) {
        size_t sent = 0;

        memset(line, 'a' + i, sizeof line - 1);
        line[sizeof line - 1] = '\n';
        while (sent < sizeof line)
            sent += (size_t)send(fd, line + sent, sizeof line - sent, 0);
    }
    close(fd);
    return NULL;
}

START_TEST(a_line_may_be_longer_than_any_buffer)
{
    static const struct pool_handler long_ones = {.accepted = take_long_lines,
                                                  .closed = log_closed};
    pthread_t thread;

    scene_begin(_i, &long_ones);
    long_lines = 0;
    int fd = client();
    pthread_create(&thread, NULL, send_long_lines, &fd);
    run();
    pthread_join(thread, NULL);
    ck_assert_uint_eq(long_lines, 5);
    ck_assert_str_eq(scene.log, "closed peer; ");
    scene_end();
}
END_TEST

/* --- sizes, and switches between them ------------------------------------------ */

static void on_command(struct pool_socket *stream, char *line, size_t length,
                       void *arg);

static void on_body(struct pool_socket *stream, char *data, size_t length,
                    void *arg)
{
    say("body %.*s", (int)length, data);
    pool_recv_line(stream, 100, 0, on_command, arg);
}

/* "PUT N" is followed by N bytes. */
static void on_command(struct pool_socket *stream, char *line, size_t length,
                       void *arg)
{
    (void)length;
    say("%s", line);
    if (strncmp(line, "PUT ", 4) == 0)
        pool_recv_exact(stream, strtoul(line + 4, NULL, 10), 0, on_body, arg);
    else
        pool_recv_line(stream, 100, 0, on_command, arg);
}

static void take_commands(struct pool_socket *listener,
                          struct pool_socket *stream)
{
    (void)listener;
    pool_recv_line(stream, 100, 0, on_command, NULL);
}

static const struct pool_handler commands = {.accepted = take_commands,
                                             .closed = log_closed};

START_TEST(from_line_to_size_and_back_no_byte_is_lost)
{
    scene_begin(_i, &commands);
    int fd = client();

    sends(fd, "PUT 5\nhelloGET k\nPUT 3\r\n\r\n\nPUT 1\n\nend\n");
    close(fd);
    run();
    ck_assert_str_eq(scene.log, "PUT 5; body hello; GET k; PUT 3; body \r\n\n; "
                                "PUT 1; body \n; end; closed peer; ");
    scene_end();
}
END_TEST

START_TEST(from_line_to_size_and_back_in_any_cut)
{
    scene_begin(_i, &commands);
    drip = "PUT 5\nhelloGET k\nPUT 3\r\nabcend\n";
    drip_fd = client();
    pool_post(scene.pool, drip_one, NULL);
    run();
    ck_assert_str_eq(scene.log, "PUT 5; body hello; GET k; PUT 3; body abc; "
                                "end; closed peer; ");
    scene_end();
}
END_TEST

/* A callback that arms nothing, and a later one that does. */
static struct pool_socket *paused;

static void resume(void *arg)
{
    (void)arg;
    say("resumed");
    ck_assert_int_eq(pool_recv_line(paused, 20, 0, on_line, NULL), 0);
}

static void on_first(struct pool_socket *stream, char *line, size_t length,
                     void *arg)
{
    (void)arg, (void)length;
    say("first %s", line);
    paused = stream;
    pool_timer_start(scene.pool, stream, 5, 0, resume, NULL);
}

static void take_one_line(struct pool_socket *listener,
                          struct pool_socket *stream)
{
    (void)listener;
    ck_assert_int_eq(pool_recv_line(stream, 20, 0, on_first, NULL), 0);
    ck_assert_int_eq(pool_recv_line(stream, 20, 0, on_first, NULL), -1);
    ck_assert_int_eq(errno, EBUSY);
}

START_TEST(bytes_already_here_serve_a_receive_armed_later)
{
    static const struct pool_handler one = {.accepted = take_one_line,
                                            .closed = log_closed};

    scene_begin(_i, &one);
    int fd = client();
    sends(fd, "a\nb\nc\n");
    close(fd);
    run();
    ck_assert_str_eq(scene.log,
                     "first a; resumed; line b; line c; closed peer; ");
    scene_end();
}
END_TEST

/* --- deadlines ------------------------------------------------------------------- */

static int64_t armed;

static void take_within(struct pool_socket *listener, struct pool_socket *s)
{
    (void)listener;
    armed = clock_now();
    pool_recv_line(s, 20, 60, on_line, NULL);
}

static void log_timeout(struct pool_socket *socket, enum closed_reason reason,
                        int error)
{
    if (socket != scene.listener && clock_now() - armed < 60 * CLOCK_MS)
        say("early");
    log_closed(socket, reason, error);
}

START_TEST(half_a_line_does_not_extend_its_deadline)
{
    static const struct pool_handler within = {.accepted = take_within,
                                               .closed = log_timeout};

    scene_begin(_i, &within);
    int fd = client();
    sends(fd, "half");
    run();
    ck_assert_str_eq(scene.log, "closed timeout; ");
    ck_assert_str_eq(receives_all(fd), "");
    close(fd);
    scene_end();
}
END_TEST

static void take_idle(struct pool_socket *listener, struct pool_socket *s)
{
    (void)listener;
    armed = clock_now();
    pool_idle(s, 60);
}

START_TEST(who_is_idle_for_too_long_is_closed)
{
    static const struct pool_handler idle = {.accepted = take_idle,
                                             .closed = log_timeout};

    scene_begin(_i, &idle);
    int fd = client();
    run();
    ck_assert_str_eq(scene.log, "closed timeout; ");
    close(fd);
    scene_end();
}
END_TEST

/* A handler that keeps the loop until the deadline of the other has passed. */
static void keep_the_loop(struct pool_socket *stream, char *data, size_t length,
                          void *arg)
{
    int64_t until = clock_now() + 100 * CLOCK_MS;

    (void)data, (void)length, (void)arg;
    while (clock_now() < until)
        ;
    say("slow");
    pool_close(stream);
}

static void take_slowly(struct pool_socket *listener, struct pool_socket *s)
{
    (void)listener;
    if (pool_count(scene.pool) == 2)
        pool_recv_some(s, 50, keep_the_loop, NULL);
    else
        pool_recv_line(s, 20, 50, on_line, NULL);
}

START_TEST(what_came_in_time_is_served_though_the_loop_was_late)
{
    static const struct pool_handler slow = {.accepted = take_slowly,
                                             .closed = log_closed};

    scene_begin(_i, &slow);
    int first = client(), second = client();
    sends(first, "x");
    sends(second, "in time\n");
    shutdown(first, SHUT_WR);
    shutdown(second, SHUT_WR);
    run();
    ck_assert_ptr_nonnull(strstr(scene.log, "line in time; "));
    ck_assert_ptr_null(strstr(scene.log, "timeout"));
    close(first);
    close(second);
    scene_end();
}
END_TEST

/* --- arguments --------------------------------------------------------------------- */

static void ask_wrongly(struct pool_socket *listener, struct pool_socket *s)
{
    ck_assert_int_eq(pool_recv_line(s, 0, 0, on_line, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_recv_exact(s, 0, 0, on_line, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_recv_exact(s, ((size_t)1 << 30) + 1, 0, on_line, 0),
                     -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_recv_some(s, 0, NULL, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_recv_some(listener, 0, on_some, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_recv_some(s, 0, on_some, NULL), 0);
    pool_recv_stop(s);
    ck_assert_int_eq(pool_recv_line(s, 20, 0, on_line, NULL), 0);
}

START_TEST(wrong_arguments_change_nothing)
{
    static const struct pool_handler wrong = {.accepted = ask_wrongly,
                                              .closed = log_closed};

    scene_begin(_i, &wrong);
    int fd = client();
    sends(fd, "right\n");
    close(fd);
    run();
    ck_assert_str_eq(scene.log, "line right; closed peer; ");
    scene_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_receive");
    TCase *tests = tcase_create("pool_receive");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, lines_glued_in_one_segment_are_single_lines, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, lines_may_come_a_byte_at_a_time, 0, MECHANISMS);
    tcase_add_loop_test(tests,
                        a_line_of_the_limit_passes_and_one_more_is_emsgsize, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_line_without_end_is_cut_off_at_the_limit, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_line_may_be_longer_than_any_buffer, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, from_line_to_size_and_back_no_byte_is_lost, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, from_line_to_size_and_back_in_any_cut, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, bytes_already_here_serve_a_receive_armed_later,
                        0, MECHANISMS);
    tcase_add_loop_test(tests, half_a_line_does_not_extend_its_deadline, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, who_is_idle_for_too_long_is_closed, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests,
                        what_came_in_time_is_served_though_the_loop_was_late, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, wrong_arguments_change_nothing, 0, MECHANISMS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
