/*
 * common/lossy: a script is read or refused in a sentence; it decides the fate
 * of each datagram, the same each time; and the relay does just that, over IPv4
 * and IPv6, for several clients.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/lossy.h"

static struct lossy_script script_of(const char *words)
{
    struct lossy_script script;
    char why[160];

    ck_assert_msg(lossy_read(&script, words, why, sizeof why) == 0, "%s: %s",
                  words, why);
    return script;
}

/* The fates of the next `count` datagrams of one way, a letter each. */
static const char *fates(struct lossy_script *script, enum lossy_way way,
                         int count)
{
    static char text[2][600];
    static int turn;
    char *at = text[turn ^= 1];

    for (int i = 0; i < count; i++)
        at[i] = ".d2s"[lossy_next(script, way)];
    at[count] = '\0';
    return at;
}

/* --- scripts ------------------------------------------------------------- */

START_TEST(letters_are_fates_and_then_all_pass)
{
    struct lossy_script script = script_of("d..2s");

    ck_assert_str_eq(fates(&script, LOSSY_TO_SERVER, 8), "d..2s...");
    ck_assert_str_eq(fates(&script, LOSSY_BACK, 8), "........");
}
END_TEST

START_TEST(back_is_the_other_way)
{
    struct lossy_script script = script_of("d back .2");

    ck_assert_str_eq(fates(&script, LOSSY_BACK, 3), ".2.");
    ck_assert_str_eq(fates(&script, LOSSY_TO_SERVER, 3), "d..");
    script = script_of("");
    ck_assert_str_eq(fates(&script, LOSSY_TO_SERVER, 3), "...");
}
END_TEST

/* Written down: a later version must do the same to the same script. */
START_TEST(a_seed_is_a_promise)
{
    struct lossy_script script = script_of("drop 1/3 dup 1/10 swap 1/5 seed 7");

    ck_assert_str_eq(
        fates(&script, LOSSY_TO_SERVER, 60),
        "..ddsd...ddd.dd...ds.2...ddd.....d..s...dds.d..d.s.d..dds..d");
    script = script_of("drop 1/3 dup 1/10 swap 1/5 seed 8");
    ck_assert_str_eq(
        fates(&script, LOSSY_TO_SERVER, 60),
        "d...s.dsd....ddddsd.ds.s.d2...d...d.dsdd...ds.2..d..dds.ddsd");
}
END_TEST

START_TEST(the_ways_do_not_disturb_each_other)
{
    const char *words = "drop 1/3 seed 5 back drop 1/3";
    struct lossy_script alone = script_of(words), mixed = script_of(words);
    char one[201] = "", other[201] = "";

    for (int i = 0; i < 200; i++) {
        for (int n = i % 3; n > 0; n--)
            lossy_next(&mixed, LOSSY_BACK);
        one[i] = ".d2s"[lossy_next(&alone, LOSSY_TO_SERVER)];
        other[i] = ".d2s"[lossy_next(&mixed, LOSSY_TO_SERVER)];
    }
    ck_assert_str_eq(one, other);
    alone = script_of(words);
    ck_assert_str_ne(fates(&alone, LOSSY_TO_SERVER, 200),
                     fates(&alone, LOSSY_BACK, 200));
}
END_TEST

START_TEST(one_chance_changed_leaves_the_others)
{
    struct lossy_script few = script_of("drop 1/10 seed 3");
    struct lossy_script more = script_of("drop 1/10 swap 1/2 seed 3");

    for (int i = 0; i < 500; i++) {
        bool dropped = lossy_next(&few, LOSSY_TO_SERVER) == LOSSY_DROP;

        ck_assert_int_eq(dropped,
                         lossy_next(&more, LOSSY_TO_SERVER) == LOSSY_DROP);
    }
}
END_TEST

START_TEST(chances_come_near_to_what_they_say)
{
    struct lossy_script script = script_of("drop 1/4 seed 11");
    int dropped = 0;

    for (int i = 0; i < 100000; i++)
        dropped += lossy_next(&script, LOSSY_TO_SERVER) == LOSSY_DROP;
    ck_assert_int_gt(dropped, 24500);
    ck_assert_int_lt(dropped, 25500);
    script = script_of("drop 1/1");
    ck_assert_str_eq(fates(&script, LOSSY_TO_SERVER, 5), "ddddd");
    script = script_of("..d drop 1/1");
    ck_assert_str_eq(fates(&script, LOSSY_TO_SERVER, 5), "..ddd");
    script = script_of("drop 0/3");
    ck_assert_str_eq(fates(&script, LOSSY_TO_SERVER, 5), ".....");
}
END_TEST

START_TEST(what_is_no_script_is_refused_in_a_sentence)
{
    static const char *const bad[][2] = {
        {"x", "no word of a script"},
        {"d.. ..d", "no word"},
        {"drop", "drop 1/3"},
        {"drop 3", "drop 1/3"},
        {"drop 4/3", "drop 1/3"},
        {"drop 1/0", "drop 1/3"},
        {"drop -1/3", "drop 1/3"},
        {"dup 1/3/4", "drop 1/3"},
        {"swap 1/99999999999", "drop 1/3"},
        {"seed", "a number"},
        {"seed 18446744073709551616", "a number"},
        {"back d back d", "\"back\""},
        {"Drop 1/3", "\"Drop\""},
    };
    struct lossy_script script;
    char why[160], letters[400];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(lossy_read(&script, bad[i][0], why, sizeof why) == -1,
                      "\"%s\"", bad[i][0]);
        ck_assert_msg(strstr(why, bad[i][1]) != NULL, "\"%s\": %s", bad[i][0],
                      why);
    }
    memset(letters, 'd', sizeof letters);
    letters[LOSSY_LETTERS] = '\0';
    ck_assert_int_eq(lossy_read(&script, letters, why, sizeof why), 0);
    letters[LOSSY_LETTERS] = 'd';
    letters[LOSSY_LETTERS + 1] = '\0';
    ck_assert_int_eq(lossy_read(&script, letters, why, sizeof why), -1);
}
END_TEST

/* --- the relay ----------------------------------------------------------- */

/* An address on the loopback of a family; its length. */
static socklen_t loopback(int family, uint16_t port,
                          struct sockaddr_storage *at)
{
    memset(at, 0, sizeof *at);
    at->ss_family = (sa_family_t)family;
    if (family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)at;

        in6->sin6_port = htons(port);
        in6->sin6_addr = in6addr_loopback;
        return sizeof *in6;
    }
    ((struct sockaddr_in *)at)->sin_port = htons(port);
    ((struct sockaddr_in *)at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof(struct sockaddr_in);
}

/* A UDP socket at a port of the kernel's choice. */
static int bound(int family, uint16_t *port)
{
    struct sockaddr_storage at;
    socklen_t length = loopback(family, 0, &at);
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, length), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    *port = ntohs(family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                     : ((struct sockaddr_in *)&at)->sin_port);
    return fd;
}

static int connected(int family, uint16_t port)
{
    struct sockaddr_storage to;
    socklen_t length = loopback(family, port, &to);
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, length), 0);
    return fd;
}

/* A server, the relay before it and a client. */
struct trio {
    int family, server, client;
    struct lossy *lossy;
    char told[600];
};

static void tell(void *self, enum lossy_way way, uint64_t number,
                 enum lossy_fate fate, size_t length)
{
    struct trio *trio = self;
    size_t used = strlen(trio->told);

    snprintf(trio->told + used, sizeof trio->told - used, "%s%d%c%zu ",
             way == LOSSY_BACK ? "<" : ">", (int)number, ".d2s"[fate], length);
}

static void trio_open(struct trio *trio, int family, const char *words)
{
    struct lossy_script script = script_of(words);
    struct sockaddr_storage at, server;
    uint16_t port;
    socklen_t length = loopback(family, 0, &at);

    memset(trio, 0, sizeof *trio);
    trio->family = family;
    trio->server = bound(family, &port);
    loopback(family, port, &server);
    trio->lossy = lossy_open((struct sockaddr *)&at, (struct sockaddr *)&server,
                             length, &script, tell, trio);
    ck_assert_ptr_nonnull(trio->lossy);
    trio->client = connected(family, lossy_port(trio->lossy));
}

static void trio_close(struct trio *trio)
{
    lossy_close(trio->lossy);
    close(trio->server);
    close(trio->client);
}

/* Until the relay has nothing to do at once. Loopback delivers within send():
 * what was sent is there. */
static void turn(struct trio *trio)
{
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(lossy_turn(trio->lossy, 0), 0);
}

static void say(struct trio *trio, const char *letters)
{
    for (; *letters; letters++)
        ck_assert_int_eq(send(trio->client, letters, 1, 0), 1);
    turn(trio);
}

/* What has come to a socket, a letter a datagram, "-" for an empty one; and
 * who sent the last. */
static const char *come(int fd, struct sockaddr_storage *from)
{
    static char text[128];
    size_t used = 0;
    char bytes[8];
    ssize_t n;
    struct sockaddr_storage ignored;
    socklen_t length = sizeof ignored;

    while ((n = recvfrom(fd, bytes, sizeof bytes, 0,
                         (struct sockaddr *)(from ? from : &ignored),
                         &length)) >= 0) {
        text[used++] = n == 0 ? '-' : bytes[0];
        length = sizeof ignored;
        ck_assert_uint_lt(used, sizeof text);
    }
    text[used] = '\0';
    return text;
}

static const int families[] = {AF_INET, AF_INET6};

START_TEST(the_relay_does_what_the_letters_say)
{
    struct trio trio;

    trio_open(&trio, families[_i], "d..2s");
    say(&trio, "abcdefg");
    ck_assert_str_eq(come(trio.server, NULL), "bcddfeg");
    ck_assert_str_eq(trio.told, ">1d1 >2.1 >3.1 >421 >5s1 >6.1 >7.1 ");
    trio_close(&trio);
}
END_TEST

START_TEST(answers_find_their_way_back_by_their_own_letters)
{
    struct sockaddr_storage from;
    struct trio trio;

    trio_open(&trio, families[_i], "back .d2");
    say(&trio, "a");
    ck_assert_str_eq(come(trio.server, &from), "a");
    for (const char *letter = "ABCD"; *letter; letter++)
        ck_assert_int_eq(
            sendto(trio.server, letter, 1, 0, (struct sockaddr *)&from,
                   families[_i] == AF_INET6 ? sizeof(struct sockaddr_in6)
                                            : sizeof(struct sockaddr_in)),
            1);
    turn(&trio);
    ck_assert_str_eq(come(trio.client, NULL), "ACCD");
    trio_close(&trio);
}
END_TEST

START_TEST(an_empty_datagram_is_a_datagram)
{
    struct trio trio;

    trio_open(&trio, families[_i], ".2");
    ck_assert_int_eq(send(trio.client, "", 0, 0), 0);
    ck_assert_int_eq(send(trio.client, "", 0, 0), 0);
    turn(&trio);
    ck_assert_str_eq(come(trio.server, NULL), "---");
    trio_close(&trio);
}
END_TEST

START_TEST(two_runs_with_one_seed_are_alike_to_the_byte)
{
    char first[128], told[600];
    struct trio trio;

    for (int run = 0; run < 2; run++) {
        trio_open(&trio, families[_i],
                  "drop 1/3 dup 1/10 swap 1/5 seed 7 back drop 1/2");
        say(&trio, "abcdefghijklmnopqrstuvwxyz");
        if (run == 0) {
            snprintf(first, sizeof first, "%s", come(trio.server, NULL));
            memcpy(told, trio.told, sizeof told);
        } else {
            ck_assert_str_eq(come(trio.server, NULL), first);
            ck_assert_str_eq(trio.told, told);
        }
        trio_close(&trio);
    }
    ck_assert_uint_gt(strlen(first), 5);
    ck_assert_str_ne(first, "abcdefghijklmnopqrstuvwxyz");
}
END_TEST

/* What waits for a next one that never comes is late, not lost. */
START_TEST(the_last_one_swapped_still_arrives)
{
    struct pollfd ready;
    struct trio trio;

    trio_open(&trio, families[_i], "s");
    ready = (struct pollfd){trio.server, POLLIN, 0};
    say(&trio, "a");
    ck_assert_int_eq(poll(&ready, 1, 0), 0);
    while (poll(&ready, 1, 0) == 0)
        ck_assert_int_eq(lossy_turn(trio.lossy, -1), 0);
    ck_assert_str_eq(come(trio.server, NULL), "a");
    trio_close(&trio);
}
END_TEST

START_TEST(each_client_gets_its_own_answers)
{
    struct sockaddr_storage first, second;
    socklen_t length;
    struct trio trio;
    int other;

    trio_open(&trio, families[_i], "");
    length = loopback(trio.family, 0, &first);
    other = connected(trio.family, lossy_port(trio.lossy));
    say(&trio, "a");
    ck_assert_str_eq(come(trio.server, &first), "a");
    ck_assert_int_eq(send(other, "b", 1, 0), 1);
    turn(&trio);
    ck_assert_str_eq(come(trio.server, &second), "b");
    ck_assert_int_eq(
        sendto(trio.server, "B", 1, 0, (struct sockaddr *)&second, length), 1);
    ck_assert_int_eq(
        sendto(trio.server, "A", 1, 0, (struct sockaddr *)&first, length), 1);
    turn(&trio);
    ck_assert_str_eq(come(trio.client, NULL), "A");
    ck_assert_str_eq(come(other, NULL), "B");
    close(other);
    trio_close(&trio);
}
END_TEST

START_TEST(more_clients_than_places_are_still_served)
{
    struct trio trio;

    trio_open(&trio, families[_i], "");
    for (int i = 0; i < 3 * LOSSY_CLIENTS; i++) {
        int fd = connected(trio.family, lossy_port(trio.lossy));

        ck_assert_int_eq(send(fd, "x", 1, 0), 1);
        ck_assert_int_eq(lossy_turn(trio.lossy, 0), 0);
        ck_assert_str_eq(come(trio.server, NULL), "x");
        close(fd);
    }
    trio_close(&trio);
}
END_TEST

/* Nobody at the server's port: an ICMP error, which is not the relay's end. */
START_TEST(a_server_that_is_not_there_ends_nothing)
{
    struct trio trio;

    trio_open(&trio, families[_i], "");
    close(trio.server);
    trio.server = -1;
    say(&trio, "abc");
    ck_assert_str_eq(come(trio.client, NULL), "");
    trio_close(&trio);
}
END_TEST

START_TEST(a_mixed_pair_of_families_is_refused)
{
    struct lossy_script script = script_of("");
    struct sockaddr_storage at, server;
    socklen_t length = loopback(AF_INET6, 0, &at);

    loopback(AF_INET, 7003, &server);
    ck_assert_ptr_null(lossy_open((struct sockaddr *)&at,
                                  (struct sockaddr *)&server, length, &script,
                                  NULL, NULL));
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lossy");
    TCase *tests = tcase_create("lossy");
    SRunner *runner;
    int failed;

    tcase_add_test(tests, letters_are_fates_and_then_all_pass);
    tcase_add_test(tests, back_is_the_other_way);
    tcase_add_test(tests, a_seed_is_a_promise);
    tcase_add_test(tests, the_ways_do_not_disturb_each_other);
    tcase_add_test(tests, one_chance_changed_leaves_the_others);
    tcase_add_test(tests, chances_come_near_to_what_they_say);
    tcase_add_test(tests, what_is_no_script_is_refused_in_a_sentence);
    tcase_add_loop_test(tests, the_relay_does_what_the_letters_say, 0, 2);
    tcase_add_loop_test(tests, answers_find_their_way_back_by_their_own_letters,
                        0, 2);
    tcase_add_loop_test(tests, an_empty_datagram_is_a_datagram, 0, 2);
    tcase_add_loop_test(tests, two_runs_with_one_seed_are_alike_to_the_byte, 0,
                        2);
    tcase_add_loop_test(tests, the_last_one_swapped_still_arrives, 0, 2);
    tcase_add_loop_test(tests, each_client_gets_its_own_answers, 0, 2);
    tcase_add_loop_test(tests, more_clients_than_places_are_still_served, 0, 2);
    tcase_add_loop_test(tests, a_server_that_is_not_there_ends_nothing, 0, 2);
    tcase_add_test(tests, a_mixed_pair_of_families_is_refused);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
