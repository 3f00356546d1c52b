/*
 * viz/kernel/loss: which packets are lost, that the kernel names each of them,
 * and that they are those and no others each time. Each test is a process of
 * its own, in a network of its own.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/netns.h"
#include "viz/kernel/loss.h"

static void enter(void)
{
    enum netns_step failed;

    ck_assert_msg(netns_enter(&failed) == 0, "no private network: %s",
                  strerror(errno));
}

static void lose(const char *words)
{
    struct loss loss;

    ck_assert_int_eq(loss_read(&loss, words), 0);
    ck_assert_msg(loss_set(&loss) == 0, "%s: %s", words, strerror(errno));
}

/* --- datagrams ----------------------------------------------------------- */

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int bound(uint16_t port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void send_letters(int fd, uint16_t to, const char *letters)
{
    struct sockaddr_in at = loopback(to);

    for (; *letters; letters++)
        ck_assert_int_eq(
            sendto(fd, letters, 1, 0, (struct sockaddr *)&at, sizeof at), 1);
}

/* Over loopback a datagram is in the receiver's queue when sendto() returns. */
static char *received(int fd, char text[64])
{
    size_t length = 0;

    while (length < 63 && recv(fd, text + length, 1, 0) == 1)
        length++;
    text[length] = '\0';
    return text;
}

START_TEST(every_third_datagram_is_lost)
{
    int server, client;
    char text[64];

    enter();
    server = bound(7003);
    client = bound(50000);
    lose("loss 1/3");
    send_letters(client, 7003, "abcdefghij");
    ck_assert_str_eq(received(server, text), "abdeghj");
}
END_TEST

START_TEST(the_last_n_of_m_are_lost)
{
    int server, client;
    char text[64];

    enter();
    server = bound(7003);
    client = bound(50000);
    lose("loss 2/5");
    send_letters(client, 7003, "abcdefghij");
    ck_assert_str_eq(received(server, text), "abcfgh");
    lose("loss 3/3");
    send_letters(client, 7003, "abcdef");
    ck_assert_str_eq(received(server, text), "");
}
END_TEST

START_TEST(each_way_has_its_own_count)
{
    int server, client;
    char text[64];

    enter();
    server = bound(7003);
    client = bound(50000);
    lose("loss 1/2");
    send_letters(client, 7003, "a");
    send_letters(server, 50000, "A");
    send_letters(client, 7003, "b");
    send_letters(server, 50000, "B");
    send_letters(client, 7003, "c");
    send_letters(server, 50000, "C");
    ck_assert_str_eq(received(server, text), "ac");
    ck_assert_str_eq(received(client, text), "AC");
}
END_TEST

START_TEST(the_count_begins_anew_and_clean_ends_it)
{
    int server, client;
    char text[64];

    enter();
    server = bound(7003);
    client = bound(50000);
    lose("loss 1/3");
    send_letters(client, 7003, "ab");
    lose("loss 1/3");
    send_letters(client, 7003, "cde");
    ck_assert_str_eq(received(server, text), "abcd");
    lose("clean");
    send_letters(client, 7003, "fghijk");
    ck_assert_str_eq(received(server, text), "fghijk");
    lose("clean"); /* also where nothing was lost */
}
END_TEST

/* --- what the kernel tells ----------------------------------------------- */

struct told {
    struct lost_packet lost[16];
    int count;
};

static void tell(void *self, const struct event *event)
{
    struct told *told = self;

    ck_assert_int_eq(event->kind, EVENT_LOST);
    ck_assert_int_gt(event->time_ns, 0);
    ck_assert_int_lt(told->count, 16);
    told->lost[told->count++] = event->lost;
}

START_TEST(each_lost_packet_is_named)
{
    struct told told = {.count = 0};
    int watch, client;

    enter();
    bound(7003);
    client = bound(50000);
    watch = loss_watch();
    ck_assert_int_ge(watch, 0);
    lose("loss 1/3");
    send_letters(client, 7003, "abcdefg");
    loss_take(watch, tell, &told);
    ck_assert_int_eq(told.count, 2);
    for (int i = 0; i < told.count; i++) {
        ck_assert_int_eq(told.lost[i].protocol, PROTO_UDP);
        ck_assert_int_eq(told.lost[i].source.port, 50000);
        ck_assert_int_eq(told.lost[i].destination.port, 7003);
        ck_assert_int_eq(told.lost[i].destination.family, 4);
        ck_assert_uint_eq(told.lost[i].length, 1);
    }
    loss_take(watch, tell, &told); /* and does not wait for more */
    ck_assert_int_eq(told.count, 2);
}
END_TEST

START_TEST(who_has_given_up_all_rights_still_hears_of_it)
{
    struct told told = {.count = 0};
    struct loss loss = {1, 1};
    int watch, client;

    enter();
    bound(7003);
    client = bound(50000);
    watch = loss_watch();
    lose("loss 1/1");
    ck_assert_int_eq(netns_drop(), 0);
    send_letters(client, 7003, "ab");
    loss_take(watch, tell, &told);
    ck_assert_int_eq(told.count, 2);
    ck_assert_int_eq(loss_set(&loss), -1); /* but cannot change it */
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(loss_watch(), -1);
}
END_TEST

/* A connection whose SYN is the one packet towards the server that gets
 * through: what follows is lost, and named by its sequence number. */
START_TEST(tcp_is_counted_apart_from_udp)
{
    struct sockaddr_in at = loopback(7001);
    struct told told = {.count = 0};
    int watch, listener, udp, client;
    char text[64];

    enter();
    udp = bound(7001);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(listener, 4), 0);
    watch = loss_watch();
    lose("loss 1/2");
    send_letters(bound(50000), 7001, "a");
    client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_str_eq(received(udp, text), "a");
    loss_take(watch, tell, &told);
    ck_assert_int_eq(told.count, 1); /* the handshake's last ACK */
    ck_assert_int_eq(told.lost[0].protocol, PROTO_TCP);
    ck_assert_uint_ne(told.lost[0].seq, 0);
    ck_assert_uint_eq(told.lost[0].length, 0);
}
END_TEST

/* --- words --------------------------------------------------------------- */

START_TEST(words_are_read_and_written)
{
    static const char *const good[] = {"clean", "loss 1/3", "loss 1000/1000"};
    static const char *const bad[] = {
        "",          "loss",
        "loss 0/3",  "loss 4/3",
        "loss 1/0",  "loss 1/-3",
        "loss 1/3 ", "loss 1/1001",
        "loss +1/3", "loss 1 /3",
        "cleaned",   "loss  1/3",
        "1/3/4",     "loss 99999999999999999999/3",
    };
    char text[LOSS_TEXT];
    struct loss loss;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_int_eq(loss_read(&loss, good[i]), 0);
        ck_assert_str_eq(loss_text(&loss, text), good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(loss_read(&loss, bad[i]) == -1, "\"%s\"", bad[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loss");
    TCase *tests = tcase_create("loss");
    SRunner *runner;
    int failed;

    tcase_add_test(tests, every_third_datagram_is_lost);
    tcase_add_test(tests, the_last_n_of_m_are_lost);
    tcase_add_test(tests, each_way_has_its_own_count);
    tcase_add_test(tests, the_count_begins_anew_and_clean_ends_it);
    tcase_add_test(tests, each_lost_packet_is_named);
    tcase_add_test(tests, who_has_given_up_all_rights_still_hears_of_it);
    tcase_add_test(tests, tcp_is_counted_apart_from_udp);
    tcase_add_test(tests, words_are_read_and_written);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
