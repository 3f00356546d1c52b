/*
 * common/io: whole sends and receives with a deadline, on descriptors that block
 * and that do not; end of stream, time-out and reset told apart; a reader that
 * finds lines and sizes however the bytes come.
 */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/io.h"
#include "tests/unit/net.h"

/* Two ends of a TCP connection; both block. */
struct ends {
    int here, there;
};

static struct ends connect_ends(void)
{
    struct net_address where;
    int listener = listener_at("127.0.0.1:0", &where);
    struct ends ends;

    ends.here = net_connect_to(&where, soon());
    ends.there = net_accept(listener, NULL, soon());
    ck_assert_int_ge(ends.here, 0);
    ck_assert_int_ge(ends.there, 0);
    net_listen_close(listener);
    return ends;
}

static void both_ways(void (*test)(struct ends ends))
{
    for (int nonblock = 0; nonblock <= 1; nonblock++) {
        struct ends ends = connect_ends();

        net_set_nonblock(ends.here, nonblock);
        test(ends);
        close(ends.here);
        close(ends.there);
    }
}

static void say(int fd, const char *text)
{
    ck_assert_int_eq(io_send_all(fd, text, strlen(text), soon()), 0);
}

/* --- bytes --------------------------------------------------------------------- */

static void comes(struct ends ends)
{
    char data[10];

    say(ends.there, "hello");
    ck_assert_int_eq(io_recv(ends.here, data, sizeof data, soon()), 5);
    ck_assert_mem_eq(data, "hello", 5);
}

START_TEST(what_has_come_is_received)
{
    both_ways(comes);
}
END_TEST

static void times_out(struct ends ends)
{
    int64_t deadline = in_ms(30);
    char data[10];

    fails(io_recv(ends.here, data, sizeof data, deadline), ETIMEDOUT);
    ck_assert(clock_now() >= deadline);
    fails(io_recv(ends.here, data, sizeof data, 0), ETIMEDOUT);
    fails(io_recv_exact(ends.here, data, sizeof data, in_ms(5)), ETIMEDOUT);
    say(ends.there, "abc");
    ck_assert_int_eq(net_wait(ends.here, POLLIN, soon()), 0);
    fails(io_recv_exact(ends.here, data, sizeof data, in_ms(5)), ETIMEDOUT);
}

START_TEST(a_deadline_ends_the_wait)
{
    both_ways(times_out);
}
END_TEST

static void deadline_over(struct ends ends)
{
    char data[10];

    say(ends.there, "abc");
    ck_assert_int_eq(net_wait(ends.here, POLLIN, soon()), 0);
    ck_assert_int_eq(io_recv(ends.here, data, 1, in_ms(-1)), 1);
    ck_assert_int_eq(io_recv_exact(ends.here, data, 2, in_ms(-1)), 1);
    ck_assert_int_eq(io_send_all(ends.here, data, 2, in_ms(-1)), 0);
}

START_TEST(a_deadline_that_has_passed_takes_what_is_there)
{
    both_ways(deadline_over);
}
END_TEST

static void the_end(struct ends ends)
{
    char data[10];

    say(ends.there, "abc");
    shutdown(ends.there, SHUT_WR);
    ck_assert_int_eq(io_recv_exact(ends.here, data, 2, soon()), 1);
    fails(io_recv_exact(ends.here, data, 2, soon()), EBADMSG);
    ck_assert_int_eq(io_recv_exact(ends.here, data, 2, soon()), 0);
    ck_assert_int_eq(io_recv(ends.here, data, sizeof data, soon()), 0);
    say(ends.here, "still heard"); /* half-close */
    ck_assert_int_eq(io_recv(ends.there, data, sizeof data, soon()), 10);
}

START_TEST(the_end_of_the_stream_is_0)
{
    both_ways(the_end);
}
END_TEST

static void reset(struct ends ends)
{
    char data[10];

    net_set_linger(ends.there, 0);
    close(ends.there);
    fails(io_recv(ends.here, data, sizeof data, soon()), ECONNRESET);
}

START_TEST(a_reset_is_said)
{
    for (int nonblock = 0; nonblock <= 1; nonblock++) {
        struct ends ends = connect_ends();

        net_set_nonblock(ends.here, nonblock);
        reset(ends);
        close(ends.here);
    }
}
END_TEST

/* No handler, no SIG_IGN: the signal would kill this test. */
START_TEST(no_sigpipe)
{
    struct ends ends = connect_ends();

    shutdown(ends.here, SHUT_WR);
    fails(io_send(ends.here, "x", 1, soon()), EPIPE);
    fails(io_send_all(ends.here, "x", 1, soon()), EPIPE);
    ck_assert_int_eq(io_send_all(ends.here, "", 0, soon()), 0);
}
END_TEST

enum { SOME = 1 << 20, MUCH = 16 << 20 };

static void *read_all(void *arg)
{
    int fd = *(int *)arg;
    static char data[65536];
    unsigned char expected = 0;
    long total = 0;
    ssize_t n;

    while ((n = io_recv(fd, data, sizeof data, soon())) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if ((unsigned char)data[i] != expected++)
                return NULL;
        }
        total += n;
    }
    return (void *)total;
}

static void all_of_it(struct ends ends)
{
    unsigned char *some = malloc(SOME);
    pthread_t reader;
    void *total;

    for (int i = 0; i < SOME; i++)
        some[i] = (unsigned char)i;
    net_set_buffers(ends.here, 0, 16384);
    pthread_create(&reader, NULL, read_all, &ends.there);
    ck_assert_int_eq(io_send_all(ends.here, some, SOME, soon()), 0);
    shutdown(ends.here, SHUT_WR);
    pthread_join(reader, &total);
    ck_assert_int_eq((int)(intptr_t)total, SOME);
    free(some);
}

START_TEST(all_of_it_is_sent)
{
    both_ways(all_of_it);
}
END_TEST

static void nobody_reads(struct ends ends)
{
    char *much = calloc(1, MUCH);

    net_set_buffers(ends.here, 0, 4096);
    fails(io_send_all(ends.here, much, MUCH, in_ms(50)), ETIMEDOUT);
    free(much);
}

START_TEST(who_does_not_read_stops_the_sender_at_its_deadline)
{
    both_ways(nobody_reads);
}
END_TEST

/* Somebody who sends a little all the time does not hold us for ever. */
static void *drip(void *arg)
{
    int fd = *(int *)arg;

    while (io_send(fd, "x", 1, soon()) == 1)
        ;
    return NULL;
}

START_TEST(a_stream_that_never_pauses_does_not_outlive_the_deadline)
{
    struct ends ends = connect_ends();
    enum { FAR = 1 << 30 };
    char *memory = malloc(FAR), *data;
    struct io_reader reader;
    pthread_t dripping;
    size_t length;

    pthread_create(&dripping, NULL, drip, &ends.there);
    fails(io_recv_exact(ends.here, memory, FAR, in_ms(40)), ETIMEDOUT);
    io_reader_init(&reader, ends.here, memory, FAR);
    fails(io_reader_line(&reader, &data, &length, in_ms(40)), ETIMEDOUT);
    fails(io_reader_exact(&reader, FAR, &data, &length, in_ms(40)), ETIMEDOUT);
    net_set_linger(ends.here, 0);
    close(ends.here);
    pthread_join(dripping, NULL);
    free(memory);
}
END_TEST

static void on_alarm(int signal)
{
    (void)signal;
}

START_TEST(signals_do_not_show)
{
    struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART */
    struct itimerval often = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    both_ways(all_of_it);
    both_ways(times_out);
    setitimer(ITIMER_REAL, &none, NULL);
}
END_TEST

START_TEST(bad_arguments_of_io)
{
    struct ends ends = connect_ends();
    int fds[2];
    char data[4] = "abc";

    fails(io_recv(ends.here, data, 0, soon()), EINVAL);
    fails(io_recv_exact(ends.here, data, 0, soon()), EINVAL);
    fails(io_recv(-1, data, 1, soon()), EBADF);
    fails(io_send(-1, data, 1, soon()), EBADF);
    fails(io_send_all(-1, data, 1, soon()), EBADF);
    ck_assert_int_eq(pipe(fds), 0);
    fails(io_recv(fds[0], data, 1, soon()), ENOTSOCK);
    fails(io_send(fds[1], data, 1, soon()), ENOTSOCK);
}
END_TEST

/* --- a reader ------------------------------------------------------------------- */

struct reading {
    struct ends ends;
    struct io_reader reader;
    char memory[16];
    char *data;
    size_t length;
};

static void start_reading(struct reading *reading)
{
    reading->ends = connect_ends();
    io_reader_init(&reading->reader, reading->ends.here, reading->memory,
                   sizeof reading->memory);
}

static void ck_line(struct reading *reading, const char *line)
{
    ck_assert_int_eq(io_reader_line(&reading->reader, &reading->data,
                                    &reading->length, soon()),
                     1);
    ck_assert_str_eq(reading->data, line);
    ck_assert_uint_eq(reading->length, strlen(line));
}

static int next_line(struct reading *reading, int64_t deadline)
{
    return io_reader_line(&reading->reader, &reading->data, &reading->length,
                          deadline);
}

START_TEST(lines_glued_and_cut)
{
    struct reading reading;

    start_reading(&reading);
    say(reading.ends.there, "one\ntwo\r\n\n\r\nthr");
    ck_line(&reading, "one");
    ck_line(&reading, "two");
    ck_line(&reading, "");
    ck_line(&reading, "");
    say(reading.ends.there, "ee\r");
    fails(next_line(&reading, in_ms(20)), ETIMEDOUT); /* nothing is lost */
    say(reading.ends.there, "\nfour\n");
    ck_line(&reading, "three");
    ck_line(&reading, "four");
    shutdown(reading.ends.there, SHUT_WR);
    ck_assert_int_eq(next_line(&reading, soon()), 0);
    ck_assert_int_eq(next_line(&reading, soon()), 0);
}
END_TEST

START_TEST(every_line_a_byte_at_a_time)
{
    static const char text[] = "a\nbc\r\n\n0123456789abcde\nlast\n";
    struct reading reading;

    start_reading(&reading);
    net_set_nodelay(reading.ends.there, true);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        ck_assert_int_eq(io_send_all(reading.ends.there, text + i, 1, soon()),
                         0);
        if (text[i] != '\n')
            fails(next_line(&reading, in_ms(1)), ETIMEDOUT);
        else if (i < 2)
            ck_line(&reading, "a");
        else if (i < 6)
            ck_line(&reading, "bc");
        else if (i < 7)
            ck_line(&reading, "");
        else
            ck_line(&reading, i < 23 ? "0123456789abcde" : "last");
    }
}
END_TEST

START_TEST(a_line_longer_than_the_room)
{
    struct reading reading;

    start_reading(&reading);
    say(reading.ends.there, "ok\n0123456789abcdef\n");
    ck_line(&reading, "ok");
    fails(next_line(&reading, soon()), EMSGSIZE);
    fails(next_line(&reading, soon()), EMSGSIZE);
    /* What came is still there, for who wants it. */
    ck_assert_int_eq(
        io_reader_some(&reading.reader, &reading.data, &reading.length, soon()),
        1);
    ck_assert_uint_eq(reading.length, 16);
    ck_assert_mem_eq(reading.data, "0123456789abcdef", 16);
    ck_line(&reading, "");
}
END_TEST

START_TEST(an_end_in_the_middle_of_a_line)
{
    struct reading reading;

    start_reading(&reading);
    say(reading.ends.there, "one\ntw");
    shutdown(reading.ends.there, SHUT_WR);
    ck_line(&reading, "one");
    fails(next_line(&reading, soon()), EBADMSG);
    ck_assert_uint_eq(reading.length, 2);
    ck_assert_mem_eq(reading.data, "tw", 2);
    ck_assert_int_eq(next_line(&reading, soon()), 0);
}
END_TEST

/* ladder 7.12: header and body in one segment, lines and sizes in turn. */
START_TEST(no_byte_is_lost_between_lines_and_sizes)
{
    struct reading reading;
    struct io_reader *reader = &reading.reader;

    start_reading(&reading);
    say(reading.ends.there, "PUT 5\nhelloGET\n--mark--xy");
    ck_line(&reading, "PUT 5");
    ck_assert_int_eq(
        io_reader_exact(reader, 5, &reading.data, &reading.length, soon()), 1);
    ck_assert_mem_eq(reading.data, "hello", 5);
    ck_line(&reading, "GET");
    ck_assert_int_eq(io_reader_until(reader, "mark", 4, &reading.data,
                                     &reading.length, soon()),
                     1);
    ck_assert_uint_eq(reading.length, 2);
    ck_assert_mem_eq(reading.data, "--", 2);
    fails(io_reader_exact(reader, 5, &reading.data, &reading.length, in_ms(5)),
          ETIMEDOUT);
    fails(io_reader_until(reader, "no", 2, &reading.data, &reading.length,
                          in_ms(5)),
          ETIMEDOUT);
    say(reading.ends.there, "z");
    ck_assert_int_eq(
        io_reader_exact(reader, 5, &reading.data, &reading.length, soon()), 1);
    ck_assert_mem_eq(reading.data, "--xyz", 5);
    shutdown(reading.ends.there, SHUT_WR);
    ck_assert_int_eq(
        io_reader_some(reader, &reading.data, &reading.length, soon()), 0);
    ck_assert_int_eq(
        io_reader_exact(reader, 1, &reading.data, &reading.length, soon()), 0);
}
END_TEST

/* "aab" in "aaab": the search begins again inside what it had looked at. */
START_TEST(a_mark_that_comes_in_pieces)
{
    static const char text[] = "xaaaab";
    struct reading reading;

    start_reading(&reading);
    net_set_nodelay(reading.ends.there, true);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        ck_assert_int_eq(io_send_all(reading.ends.there, text + i, 1, soon()),
                         0);
        if (i < sizeof text - 2)
            fails(io_reader_until(&reading.reader, "aab", 3, &reading.data,
                                  &reading.length, in_ms(1)),
                  ETIMEDOUT);
    }
    ck_assert_int_eq(io_reader_until(&reading.reader, "aab", 3, &reading.data,
                                     &reading.length, soon()),
                     1);
    ck_assert_uint_eq(reading.length, 3);
    ck_assert_mem_eq(reading.data, "xaa", 3);
}
END_TEST

START_TEST(a_reset_reaches_the_reader)
{
    struct reading reading;

    start_reading(&reading);
    net_set_linger(reading.ends.there, 0);
    close(reading.ends.there);
    fails(next_line(&reading, soon()), ECONNRESET);
}
END_TEST

START_TEST(bad_arguments_of_a_reader)
{
    struct reading reading;
    struct io_reader *reader = &reading.reader;

    start_reading(&reading);
    fails(
        io_reader_until(reader, "", 0, &reading.data, &reading.length, soon()),
        EINVAL);
    fails(io_reader_until(reader, NULL, 1, &reading.data, &reading.length,
                          soon()),
          EINVAL);
    fails(io_reader_exact(reader, 0, &reading.data, &reading.length, soon()),
          EINVAL);
    fails(io_reader_exact(reader, 17, &reading.data, &reading.length, soon()),
          EMSGSIZE);
    io_reader_init(reader, reading.ends.here, NULL, 0);
    fails(next_line(&reading, soon()), EMSGSIZE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io");
    TCase *tcase = tcase_create("io");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, what_has_come_is_received);
    tcase_add_test(tcase, a_deadline_ends_the_wait);
    tcase_add_test(tcase, a_deadline_that_has_passed_takes_what_is_there);
    tcase_add_test(tcase, the_end_of_the_stream_is_0);
    tcase_add_test(tcase, a_reset_is_said);
    tcase_add_test(tcase, no_sigpipe);
    tcase_add_test(tcase, all_of_it_is_sent);
    tcase_add_test(tcase, who_does_not_read_stops_the_sender_at_its_deadline);
    tcase_add_test(tcase,
                   a_stream_that_never_pauses_does_not_outlive_the_deadline);
    tcase_add_test(tcase, signals_do_not_show);
    tcase_add_test(tcase, bad_arguments_of_io);
    tcase_add_test(tcase, lines_glued_and_cut);
    tcase_add_test(tcase, every_line_a_byte_at_a_time);
    tcase_add_test(tcase, a_line_longer_than_the_room);
    tcase_add_test(tcase, an_end_in_the_middle_of_a_line);
    tcase_add_test(tcase, no_byte_is_lost_between_lines_and_sizes);
    tcase_add_test(tcase, a_mark_that_comes_in_pieces);
    tcase_add_test(tcase, a_reset_reaches_the_reader);
    tcase_add_test(tcase, bad_arguments_of_a_reader);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
