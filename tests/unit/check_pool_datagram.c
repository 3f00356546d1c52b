/*
 * Datagrams of the pool, on each mechanism: with their boundaries and senders,
 * in batches, empty ones too; what cannot be sent is told and harms no other.
 */
#include "tests/unit/pooled.h"

static struct pool_socket *socket_of_ours;
static unsigned got, expected;
static size_t got_bytes;

static void echo(struct pool_socket *socket, char *data, size_t length,
                 const struct net_address *from)
{
    say("%zu", length);
    ck_assert_int_eq(pool_send_to(socket, data, length, from), 0);
    if (++got == expected)
        pool_stop(scene.pool);
}

static void log_unsent(struct pool_socket *socket, int error,
                       const struct net_address *to)
{
    (void)socket;
    say("unsent %s%s", strerrorname_np(error), to ? " to" : "");
    if (++got == expected)
        pool_stop(scene.pool);
}

static const struct pool_handler echoing = {.datagram = echo,
                                            .unsent = log_unsent};

static int peer(void)
{
    int fd = net_datagram(NULL, AF_INET, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, &scene.address.any, scene.address.length), 0);
    net_set_nonblock(fd, false);
    return fd;
}

static void begin(int mechanism, const struct pool_datagram_options *options,
                  const struct pool_handler *handler)
{
    scene_begin(mechanism, NULL);
    got = 0;
    socket_of_ours = pool_datagram(scene.pool, &scene.address, options, handler,
                                   NULL);
    ck_assert_ptr_nonnull(socket_of_ours);
    ck_assert_int_eq(pool_local(socket_of_ours, &scene.address), 0);
}

START_TEST(each_keeps_its_size_and_goes_back_to_its_sender)
{
    static char bytes[65507];
    static const size_t sizes[] = {5, 0, 65507, 1};

    begin(_i, NULL, &echoing);
    int fd = peer();
    expected = 4;
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(send(fd, bytes, sizes[i], 0), (ssize_t)sizes[i]);
    run();
    ck_assert_str_eq(scene.log, "5; 0; 65507; 1; ");
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(recv(fd, bytes, sizeof bytes, 0), (ssize_t)sizes[i]);
    close(fd);
    scene_end();
}
END_TEST

static void count_one(struct pool_socket *socket, char *data, size_t length,
                      const struct net_address *from)
{
    (void)socket, (void)from;
    ck_assert_uint_eq(length, 4);
    ck_assert_int_eq(memcmp(data, &got, 4), 0); /* none lost, in order */
    if (++got == expected)
        pool_stop(scene.pool);
}

START_TEST(a_hundred_at_once_in_order)
{
    static const struct pool_handler counting = {.datagram = count_one};

    begin(_i, NULL, &counting);
    int fd = peer();
    expected = 100;
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(send(fd, &i, 4, 0), 4);
    run();
    ck_assert_uint_eq(got, 100);
    close(fd);
    scene_end();
}
END_TEST

START_TEST(one_that_cannot_be_sent_harms_no_other)
{
    static char bytes[65535];
    struct net_address nowhere = {.length = sizeof nowhere.in,
                                  .in = {.sin_family = AF_INET,
                                         .sin_port = htons(9),
                                         .sin_addr = {0xffffffff}}};

    begin(_i, NULL, &echoing);
    int fd = peer();
    struct net_address there;
    net_local(fd, &there);
    expected = 2;
    ck_assert_int_eq(pool_send_to(socket_of_ours, "a", 1, &there), 0);
    ck_assert_int_eq(pool_send_to(socket_of_ours, bytes, 65535, &there), 0);
    ck_assert_int_eq(pool_send_to(socket_of_ours, "b", 1, &nowhere), 0);
    ck_assert_int_eq(pool_send_to(socket_of_ours, "c", 1, &there), 0);
    ck_assert_str_eq(scene.log, "");
    run();
    ck_assert_str_eq(scene.log, "unsent EMSGSIZE to; unsent EACCES to; ");
    ck_assert_int_eq(recv(fd, bytes, sizeof bytes, 0), 1);
    ck_assert_int_eq(bytes[0], 'a');
    ck_assert_int_eq(recv(fd, bytes, sizeof bytes, 0), 1);
    ck_assert_int_eq(bytes[0], 'c');
    close(fd);
    scene_end();
}
END_TEST

START_TEST(a_port_that_is_gone_is_told_and_the_socket_stays)
{
    struct net_address gone;

    scene_begin(_i, NULL);
    ck_assert_int_eq(net_address_parse(&gone, ":0"), 0);
    int fd = net_datagram(&gone, AF_INET, 0);
    net_local(fd, &gone);
    close(fd);
    got = 0;
    expected = 1;
    struct pool_datagram_options options = {.peer = &gone};
    socket_of_ours = pool_datagram(scene.pool, NULL, &options, &echoing, NULL);
    ck_assert_int_eq(pool_send_to(socket_of_ours, "a", 1, NULL), 0);
    run();
    ck_assert_str_eq(scene.log, "unsent ECONNREFUSED; ");
    scene_end();
}
END_TEST

START_TEST(the_queue_is_bounded_and_drained_follows)
{
    static char bytes[60000];
    unsigned queued = 0;

    begin(_i, NULL, &echoing);
    while (pool_send_to(socket_of_ours, bytes, sizeof bytes, &scene.address) ==
           0)
        queued++;
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_uint_eq(queued, 1024 * 1024 / sizeof bytes);
    ck_assert_uint_eq(pool_unsent(socket_of_ours), queued * sizeof bytes);
    pool_stop(scene.pool);
    run();
    scene_end();
}
END_TEST

START_TEST(empty_ones_are_bounded_too)
{
    struct net_address to;
    size_t queued = 0;

    begin(_i, NULL, &echoing);
    to = scene.address;
    while (queued <= 1024 * 1024 &&
           pool_send_to(socket_of_ours, NULL, 0, &to) == 0)
        queued++;
    ck_assert_uint_lt(queued, 1024 * 1024 / sizeof to);
    ck_assert_int_eq(errno, EAGAIN);
    pool_stop(scene.pool);
    run();
    scene_end();
}
END_TEST

static void log_closed_only(struct pool_socket *socket,
                            enum closed_reason reason, int error)
{
    (void)socket, (void)error;
    say("closed %s", closed_reason_word(reason));
}

START_TEST(after_our_close_no_other_callback_comes)
{
    static const struct pool_handler closing = {.unsent = log_unsent,
                                                .closed = log_closed_only};
    struct net_address nowhere;

    begin(_i, NULL, &closing);
    ck_assert_int_eq(net_address_parse(&nowhere, "255.255.255.255:9"), 0);
    ck_assert_int_eq(pool_send_to(socket_of_ours, "a", 1, &nowhere), 0);
    pool_close(socket_of_ours);
    run();
    ck_assert_str_eq(scene.log, "closed host; ");
    scene_end();
}
END_TEST

static void hear(struct pool_socket *socket, char *data, size_t length,
                 const struct net_address *from)
{
    (void)socket, (void)from;
    say("%.*s", (int)length, data);
    pool_stop(scene.pool);
}

static const struct pool_handler hearing = {.datagram = hear,
                                            .unsent = log_unsent};

/* One socket of the pool hears what another one sends to everybody. */
START_TEST(broadcast_reaches_who_listens_when_it_is_meant)
{
    struct net_address all, any;

    scene_begin(_i, NULL);
    ck_assert_int_eq(net_address_parse(&any, "*:0"), 0);
    socket_of_ours = pool_datagram(scene.pool, &any, NULL, &hearing, NULL);
    ck_assert_ptr_nonnull(socket_of_ours);
    ck_assert_int_eq(pool_local(socket_of_ours, &any), 0);
    ck_assert_int_eq(net_address_parse(&all, "127.255.255.255:0"), 0);
    all.in.sin_port = any.in.sin_port;
    struct pool_socket *quiet = pool_datagram(scene.pool, &scene.address, NULL,
                                              &hearing, NULL);
    struct pool_socket *loud = pool_datagram(
        scene.pool, &scene.address,
        &(struct pool_datagram_options){.broadcast = true}, &hearing, NULL);
    got = 0;
    expected = 2;
    ck_assert_int_eq(pool_send_to(quiet, "no", 2, &all), 0);
    ck_assert_int_eq(pool_send_to(loud, "to all", 6, &all), 0);
    run();
    ck_assert_ptr_nonnull(strstr(scene.log, "unsent EACCES to; "));
    ck_assert_ptr_nonnull(strstr(scene.log, "to all; "));
    ck_assert_ptr_null(strstr(scene.log, "no; "));
    scene_end();
}
END_TEST

/* The same calls, over a path and over IPv6. */
static void heard_over(int mechanism, const char *address)
{
    struct net_address here;

    scene_begin(mechanism, NULL);
    ck_assert_int_eq(net_address_parse(&here, address), 0);
    socket_of_ours = pool_datagram(scene.pool, &here, NULL, &hearing, NULL);
    if (!socket_of_ours && here.any.sa_family == AF_INET6) {
        scene_end(); /* a machine without IPv6 */
        return;
    }
    ck_assert_ptr_nonnull(socket_of_ours);
    ck_assert_int_eq(pool_local(socket_of_ours, &here), 0);
    struct pool_socket *other = pool_datagram(
        scene.pool, NULL, &(struct pool_datagram_options){.peer = &here},
        &hearing, NULL);
    ck_assert_ptr_nonnull(other);
    ck_assert_int_eq(pool_send_to(other, "hello", 5, NULL), 0);
    run();
    ck_assert_str_eq(scene.log, "hello; ");
    scene_end();
}

START_TEST(ipv6_and_paths_are_addresses_like_any)
{
    heard_over(_i, "[::1]:0");
    heard_over(_i, "unix:check_pool_datagram.sock");
    ck_assert_int_eq(access("check_pool_datagram.sock", F_OK), -1);
}
END_TEST

START_TEST(wrong_arguments_change_nothing)
{
    static char bytes[65536];

    begin(_i, NULL, &echoing);
    ck_assert_int_eq(pool_send_to(socket_of_ours, "a", 1, NULL), -1);
    ck_assert_int_eq(errno, EDESTADDRREQ);
    ck_assert_int_eq(pool_send_to(socket_of_ours, bytes, 65536, &scene.address),
                     -1);
    ck_assert_int_eq(errno, EMSGSIZE);
    ck_assert_int_eq(pool_send(socket_of_ours, "a", 1), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pool_shutdown(socket_of_ours), -1);
    ck_assert_int_eq(errno, EINVAL);
    got_bytes = pool_unsent(socket_of_ours);
    ck_assert_uint_eq(got_bytes, 0);
    scene_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_datagram");
    TCase *tests = tcase_create("pool_datagram");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, each_keeps_its_size_and_goes_back_to_its_sender,
                        0, MECHANISMS);
    tcase_add_loop_test(tests, a_hundred_at_once_in_order, 0, MECHANISMS);
    tcase_add_loop_test(tests, one_that_cannot_be_sent_harms_no_other, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, a_port_that_is_gone_is_told_and_the_socket_stays,
                        0, MECHANISMS);
    tcase_add_loop_test(tests, the_queue_is_bounded_and_drained_follows, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, empty_ones_are_bounded_too, 0, MECHANISMS);
    tcase_add_loop_test(tests, after_our_close_no_other_callback_comes, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, broadcast_reaches_who_listens_when_it_is_meant,
                        0, MECHANISMS);
    tcase_add_loop_test(tests, ipv6_and_paths_are_addresses_like_any, 0,
                        MECHANISMS);
    tcase_add_loop_test(tests, wrong_arguments_change_nothing, 0, MECHANISMS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
