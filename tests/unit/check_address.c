/*
 * common/net: addresses from text and as text; hostile bytes do no harm.
 */
#include <arpa/inet.h>
#include <limits.h>

#include "tests/unit/net.h"

/* --- addresses ------------------------------------------------------------- */

START_TEST(addresses_read_and_written)
{
    static const char *const texts[][2] = {
        {"127.0.0.1:7001", NULL},
        {"0.0.0.0:0", NULL},
        {"255.255.255.255:65535", NULL},
        {"*:7001", "0.0.0.0:7001"},
        {":7001", "127.0.0.1:7001"},
        {"1.2.3.4:007", "1.2.3.4:7"},
        {"[::1]:7001", NULL},
        {"[::]:0", NULL},
        {"[0:0::0:1]:80", "[::1]:80"},
        {"[::ffff:1.2.3.4]:80", NULL},
        {"[fe80::1%lo]:80", NULL},
        {"[fe80::1%1]:80", "[fe80::1%lo]:80"},
        {"[fe80::1%4000000000]:80", NULL},
        {"unix:/tmp/x", NULL},
        {"unix:x", NULL},
        {"unix:x:7001", NULL},
        {"unix:./@x", NULL},
    };
    char text[NET_ADDRESS_TEXT];

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct net_address address = address_of(texts[i][0]), again;

        ck_assert_ptr_eq(net_address_text(&address, text), text);
        ck_assert_str_eq(text, texts[i][texts[i][1] ? 1 : 0]);
        again = address_of(text);
        ck_assert(net_address_equal(&address, &again));
    }
}
END_TEST

START_TEST(what_is_no_address_changes_nothing)
{
    static const char *const texts[] = {
        "",
        "7001",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:70000",
        "127.0.0.1:65536",
        "127.0.0.1:000001",
        "127.0.0.1:+1",
        "127.0.0.1:-1",
        "127.0.0.1: 1",
        "127.0.0.1:1 ",
        "127.0.0.1:1a",
        "127.0.0.1:0x1",
        "127.0.0:1",
        "127.0.0.1.1:1",
        "256.0.0.1:1",
        " 127.0.0.1:1",
        "localhost:1",
        "::1:7001",
        "[::1]",
        "[::1]7001",
        "[::1:7001",
        "[]:7001",
        "[:7001",
        "]:7001",
        "[127.0.0.1]:7001",
        "[::1%]:7001",
        "[::1%no-such-interface]:7001",
        "[::1%4294967297]:7001",
        "[::1%18446744073709551617]:7001",
        "**:7001",
        "unix:",
        "unix:@abstract",
        "unix",
        "1111111111111111111111111111111111111111111111111111111111111111:1",
    };
    struct net_address address = address_of("1.2.3.4:5"), before = address;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        errno = 0;
        ck_assert_msg(net_address_parse(&address, texts[i]) == -1, "%s",
                      texts[i]);
        ck_assert_int_eq(errno, EINVAL);
    }
    fails(net_address_parse(&address, NULL), EINVAL);
    ck_assert_mem_eq(&address, &before, sizeof before);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_said)
{
    char text[200] = "unix:";
    struct net_address address;

    memset(text + 5, 'x', sizeof text - 6);
    text[5 + 107] = '\0'; /* sun_path holds 108 with its NUL (unix(7)) */
    ck_assert_int_eq(net_address_parse(&address, text), 0);
    text[5 + 107] = 'x';
    text[5 + 108] = '\0';
    fails(net_address_parse(&address, text), ENAMETOOLONG);
}
END_TEST

START_TEST(what_a_peer_calls_itself_is_shown_without_harm)
{
    struct net_address address = {0};
    char text[NET_ADDRESS_TEXT];

    ck_assert_str_eq(net_address_text(&address, text), "none");
    ck_assert_uint_eq(net_address_port(&address), 0);
    address.un.sun_family = AF_UNIX;
    address.length = sizeof address.un.sun_family;
    ck_assert_str_eq(net_address_text(&address, text), "unix:");
    memcpy(address.un.sun_path, "\0a\033[2J\n\377b", 9);
    address.length = offsetof(struct sockaddr_un, sun_path) + 9;
    ck_assert_str_eq(net_address_text(&address, text), "unix:@a?[2J??b");
    memset(address.un.sun_path, 'y', sizeof address.un.sun_path); /* no NUL */
    address.length = sizeof address.un;
    ck_assert_uint_eq(strlen(net_address_text(&address, text)), 5 + 108);
    address.length = UINT_MAX; /* a lie */
    ck_assert_uint_eq(strlen(net_address_text(&address, text)), 5 + 108);
    address.any.sa_family = AF_INET6;
    address.length = 8; /* too little of it */
    ck_assert_str_eq(net_address_text(&address, text), "none");
}
END_TEST

START_TEST(equal_is_family_address_port_and_scope)
{
    static const char *const texts[] = {
        "1.2.3.4:5",     "1.2.3.4:6",      "1.2.3.5:5",
        "[::1]:5",       "[::1]:6",        "[::2]:5",
        "[fe80::1%1]:5", "[fe80::1%99]:5", "[::ffff:1.2.3.4]:5",
        "unix:/tmp/a",   "unix:/tmp/ab",   "unix:/tmp/b",
    };
    enum { COUNT = sizeof texts / sizeof *texts };

    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            struct net_address a = address_of(texts[i]),
                               b = address_of(texts[j]);

            ck_assert_msg(net_address_equal(&a, &b) == (i == j), "%s %s",
                          texts[i], texts[j]);
        }
    }
    ck_assert_uint_eq(net_address_port(&(struct net_address){0}), 0);
    ck_assert_uint_eq(
        net_address_port(&(struct net_address){
            .length = sizeof(struct sockaddr_in6),
            .in6 = {.sin6_family = AF_INET6, .sin6_port = htons(99)}}),
        99);
}
END_TEST

static TCase *addresses(void)
{
    TCase *tcase = tcase_create("addresses");

    tcase_add_test(tcase, addresses_read_and_written);
    tcase_add_test(tcase, what_is_no_address_changes_nothing);
    tcase_add_test(tcase, a_path_that_is_too_long_is_said);
    tcase_add_test(tcase, what_a_peer_calls_itself_is_shown_without_harm);
    tcase_add_test(tcase, equal_is_family_address_port_and_scope);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("address");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, addresses());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
