/*
 * common/net: names, with a getaddrinfo() of our own that says what the test wants;
 * here, on a worker, and left behind while it still looks.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/resource.h>

#include "common/workers.h"
#include "tests/unit/net.h"

/* --- a getaddrinfo() that does as it is told ------------------------------- */

static int gai_says; /* for "told.test" */
static struct net_address gai_list[3];
static unsigned gai_count; /* for "several.test" */
static pthread_mutex_t gai_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gai_change = PTHREAD_COND_INITIALIZER;
static bool gai_asked, gai_go, gai_ended; /* for "slow.test" */

static struct addrinfo *listed(struct addrinfo *list)
{
    for (unsigned i = 0; i < gai_count; i++) {
        list[i].ai_family = gai_list[i].any.sa_family;
        list[i].ai_addr = &gai_list[i].any;
        list[i].ai_addrlen = gai_list[i].length;
        list[i].ai_next = i + 1 < gai_count ? &list[i + 1] : NULL;
    }
    return list;
}

static struct addrinfo told_list[3];

static void be_slow(void)
{
    pthread_mutex_lock(&gai_lock);
    gai_asked = true;
    pthread_cond_broadcast(&gai_change);
    while (!gai_go)
        pthread_cond_wait(&gai_change, &gai_lock);
    gai_ended = true;
    pthread_cond_broadcast(&gai_change);
    pthread_mutex_unlock(&gai_lock);
}

static void wait_asked(void)
{
    pthread_mutex_lock(&gai_lock);
    while (!gai_asked)
        pthread_cond_wait(&gai_change, &gai_lock);
    pthread_mutex_unlock(&gai_lock);
}

static bool was_asked(void)
{
    bool asked;

    pthread_mutex_lock(&gai_lock);
    asked = gai_asked;
    pthread_mutex_unlock(&gai_lock);
    return asked;
}

static void let_slow_end(void)
{
    pthread_mutex_lock(&gai_lock);
    gai_go = true;
    pthread_cond_broadcast(&gai_change);
    while (!gai_ended)
        pthread_cond_wait(&gai_change, &gai_lock);
    pthread_mutex_unlock(&gai_lock);
}

int getaddrinfo(const char *host, const char *service,
                const struct addrinfo *hints, struct addrinfo **found)
{
    int (*real)(const char *, const char *, const struct addrinfo *,
                struct addrinfo **);

    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (host && strstr(host, ".test") && (hints->ai_flags & AI_NUMERICHOST))
        return EAI_NONAME;
    if (host && strcmp(host, "told.test") == 0) {
        errno = EMFILE; /* for EAI_SYSTEM */
        return gai_says;
    }
    if (host && strcmp(host, "several.test") == 0) {
        *found = listed(told_list);
        return 0;
    }
    if (host && strcmp(host, "slow.test") == 0) {
        be_slow();
        return real("127.0.0.1", service, hints, found);
    }
    return real(host, service, hints, found);
}

void freeaddrinfo(struct addrinfo *list)
{
    void (*real)(struct addrinfo *);

    *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
    if (list && list != told_list)
        real(list);
}

/* --- names ----------------------------------------------------------------- */

static int resolve_one(const char *host, const char *service, char *text)
{
    struct net_address list[NET_ADDRESSES];
    int count = net_resolve(host, service, SOCK_STREAM, list, NET_ADDRESSES,
                            CLOCK_NEVER);

    if (count > 0)
        net_address_text(&list[0], text);
    return count;
}

START_TEST(numbers_need_nobody_to_be_asked)
{
    char text[NET_ADDRESS_TEXT];

    ck_assert_int_eq(resolve_one("127.0.0.1", "80", text), 1);
    ck_assert_str_eq(text, "127.0.0.1:80");
    ck_assert_int_eq(resolve_one("::1", "80", text), 1);
    ck_assert_str_eq(text, "[::1]:80");
    ck_assert_int_eq(resolve_one("[::1]", "80", text), 1);
    ck_assert_str_eq(text, "[::1]:80");
    fails(resolve_one("[localhost]", "80", text), ENXIO);
    ck_assert_int_eq(resolve_one("unix:/tmp/x", NULL, text), 1);
    ck_assert_str_eq(text, "unix:/tmp/x");
    ck_assert_int_ge(resolve_one(NULL, "80", text), 1);
    ck_assert(strcmp(text, "127.0.0.1:80") == 0 ||
              strcmp(text, "[::1]:80") == 0);
    ck_assert_int_ge(resolve_one("localhost", "65535", text), 1);
}
END_TEST

START_TEST(each_failure_of_a_name_has_its_errno)
{
    static const struct {
        int says, error;
    } cases[] = {
        {EAI_NONAME, ENXIO},
        {EAI_AGAIN, EHOSTDOWN},
        {EAI_FAIL, EPROTO},
        {EAI_SERVICE, EPROTONOSUPPORT},
        {EAI_MEMORY, ENOMEM},
        {EAI_SYSTEM, EMFILE},
        {EAI_NODATA, ENXIO},
        {EAI_ADDRFAMILY, ENXIO},
        {EAI_FAMILY, EAFNOSUPPORT},
        {EAI_SOCKTYPE, EINVAL},
        {EAI_BADFLAGS, EINVAL},
        {EAI_OVERFLOW, ENAMETOOLONG},
        {-9999, EIO},
    };
    char text[NET_ADDRESS_TEXT], long_name[2000];
    struct net_address list[2];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gai_says = cases[i].says;
        fails(resolve_one("told.test", "80", text), cases[i].error);
        fails(net_resolve("told.test", "80", SOCK_STREAM, list, 2, soon()),
              cases[i].error);
        fails(net_connect("told.test", "80", soon()), cases[i].error);
    }
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    fails(resolve_one(long_name, "80", text), ENAMETOOLONG);
    fails(resolve_one("127.0.0.1", "no-such-service", text), EPROTONOSUPPORT);
    fails(resolve_one("unix:", "80", text), EINVAL);
}
END_TEST

START_TEST(bad_arguments_of_a_name)
{
    struct net_address list[2];
    struct workers *none = NULL;

    fails(net_resolve("localhost", NULL, SOCK_STREAM, list, 2, CLOCK_NEVER),
          EINVAL);
    fails(net_resolve("localhost", "", SOCK_STREAM, list, 2, CLOCK_NEVER),
          EINVAL);
    fails(net_resolve("localhost", "65536", SOCK_STREAM, list, 2, CLOCK_NEVER),
          EINVAL);
    fails(net_resolve("localhost", "99999999999999999999", SOCK_STREAM, list, 2,
                      CLOCK_NEVER),
          EINVAL);
    fails(net_resolve("localhost", "80", SOCK_RAW, list, 2, CLOCK_NEVER),
          EINVAL);
    fails(net_resolve("localhost", "80", SOCK_STREAM, list, 0, CLOCK_NEVER),
          EINVAL);
    fails(net_resolve("localhost", "80", SOCK_STREAM, NULL, 2, CLOCK_NEVER),
          EINVAL);
    ck_assert_ptr_null(
        net_lookup_start(none, "localhost", "80", SOCK_STREAM, NULL, NULL));
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(doubles_are_given_once_and_no_more_than_there_is_room)
{
    struct net_address list[NET_ADDRESSES];

    gai_list[0] = gai_list[1] = address_of("1.2.3.4:80");
    gai_list[2] = address_of("[::2]:80");
    gai_count = 3;
    ck_assert_int_eq(net_resolve("several.test", "80", SOCK_STREAM, list,
                                 NET_ADDRESSES, CLOCK_NEVER),
                     2);
    ck_assert(net_address_equal(&list[1], &gai_list[2]));
    ck_assert_int_eq(
        net_resolve("several.test", "80", SOCK_STREAM, list, 1, CLOCK_NEVER),
        1);
    ck_assert_int_eq(
        net_resolve("several.test", "80", SOCK_STREAM, list, 2, soon()), 2);
}
END_TEST

/* Who asks is told so while the look-up still runs, and is left behind; after
 * the deadline nobody is asked at all. */
START_TEST(a_name_that_takes_too_long)
{
    struct net_address list[1];

    fails(net_resolve("slow.test", "80", SOCK_STREAM, list, 1, in_ms(-1)),
          ETIMEDOUT);
    ck_assert(!was_asked());
    do /* a slow machine may not have begun it by then */
        fails(net_connect("slow.test", "80", in_ms(50)), ETIMEDOUT);
    while (!was_asked());
    let_slow_end();
}
END_TEST

START_TEST(no_descriptor_left_to_wait_for_a_name)
{
    struct rlimit limit, before;
    struct net_address list[1];

    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    limit.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &limit);
    fails(net_resolve("slow.test", "80", SOCK_STREAM, list, 1, soon()), EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
}
END_TEST

START_TEST(what_an_errno_means_is_said_in_words)
{
    ck_assert_str_eq(net_error_text(ENXIO), "no such name");
    ck_assert_str_eq(net_error_text(ECONNREFUSED), "nobody listens there");
    ck_assert_str_eq(net_error_text(ETIMEDOUT), "no answer in time");
    ck_assert_str_eq(net_error_text(EACCES), strerror(EACCES));
}
END_TEST

START_TEST(every_address_of_a_name_is_tried)
{
    struct net_address where, peer;
    int listener = listener_at("127.0.0.1:0", &where), fd;

    gai_list[0] = refusing();
    gai_list[1] = address_of("[fe80::1%1]:9"); /* no way there over lo */
    gai_list[2] = where;
    gai_count = 3;
    fd = net_connect("several.test", "80", soon());
    ck_assert_int_ge(fd, 0);
    net_peer(fd, &peer);
    ck_assert(net_address_equal(&peer, &where));
    gai_list[2] = gai_list[0];
    fails(net_connect("several.test", "80", soon()), ECONNREFUSED);
    net_listen_close(listener);
}
END_TEST

/* --- names on workers ------------------------------------------------------ */

static int bell[2];

static void ring(void *arg)
{
    (void)arg;
    ck_assert_int_eq(write(bell[1], "!", 1), 1);
}

static int looked_up, lookup_error, lookup_count;

static void found(void *arg, int error, const struct net_address *addresses,
                  unsigned count)
{
    char text[NET_ADDRESS_TEXT];

    ck_assert_ptr_eq(arg, &looked_up);
    looked_up++;
    lookup_error = error;
    lookup_count = (int)count;
    if (error == 0)
        ck_assert_str_eq(net_address_text(addresses, text), "127.0.0.1:80");
    else
        ck_assert_ptr_null(addresses);
}

static struct workers *new_workers(void)
{
    ck_assert_int_eq(pipe(bell), 0);
    return workers_new(1, 4, ring, NULL);
}

static void collect(struct workers *workers)
{
    char byte;

    ck_assert_int_eq(read(bell[0], &byte, 1), 1);
    workers_collect(workers);
}

START_TEST(a_worker_looks_a_name_up)
{
    struct workers *workers = new_workers();
    char host[] = "127.0.0.1", service[] = "80";

    ck_assert_ptr_nonnull(net_lookup_start(workers, host, service, SOCK_STREAM,
                                           found, &looked_up));
    memset(host, 'x', sizeof host - 1); /* they were copied */
    memset(service, 'x', sizeof service - 1);
    ck_assert_int_eq(looked_up, 0);
    collect(workers);
    ck_assert_int_eq(looked_up, 1);
    ck_assert_int_eq(lookup_error, 0);
    ck_assert_int_eq(lookup_count, 1);
    gai_says = EAI_AGAIN;
    ck_assert_ptr_nonnull(net_lookup_start(workers, "told.test", "80",
                                           SOCK_STREAM, found, &looked_up));
    collect(workers);
    ck_assert_int_eq(looked_up, 2);
    ck_assert_int_eq(lookup_error, EHOSTDOWN);
    workers_free(workers);
}
END_TEST

START_TEST(a_cancelled_look_up_says_nothing)
{
    struct workers *workers = new_workers();
    struct net_lookup *lookup;

    lookup = net_lookup_start(workers, "slow.test", "80", SOCK_STREAM, found,
                              &looked_up);
    ck_assert_ptr_nonnull(lookup);
    wait_asked();
    net_lookup_cancel(lookup);
    net_lookup_cancel(NULL);
    let_slow_end();
    collect(workers);
    ck_assert_int_eq(looked_up, 0);
    workers_free(workers);
}
END_TEST

/* The workers go while one look-up runs and one waits: nobody waits for the
 * name, both are told, and the address build sees nothing lost. */
START_TEST(the_workers_may_go_before_a_look_up_ends)
{
    struct workers *workers = new_workers();

    ck_assert_ptr_nonnull(net_lookup_start(workers, "slow.test", "80",
                                           SOCK_STREAM, found, &looked_up));
    wait_asked();
    ck_assert_ptr_nonnull(net_lookup_start(workers, "127.0.0.1", "80",
                                           SOCK_STREAM, found, &looked_up));
    workers_free(workers);
    ck_assert_int_eq(looked_up, 2);
    ck_assert_int_eq(lookup_error, ECANCELED);
    let_slow_end();
}
END_TEST

START_TEST(a_full_queue_of_look_ups_is_said)
{
    struct workers *workers = new_workers();

    for (int i = 0; i < 5; i++)
        ck_assert_ptr_nonnull(net_lookup_start(workers, "slow.test", "80",
                                               SOCK_STREAM, found, &looked_up));
    errno = 0;
    ck_assert_ptr_null(net_lookup_start(workers, "slow.test", "80", SOCK_STREAM,
                                        found, &looked_up));
    ck_assert_int_eq(errno, EAGAIN);
    let_slow_end();
    while (workers_count(workers) > 0)
        collect(workers);
    ck_assert_int_eq(looked_up, 5);
    workers_free(workers);
}
END_TEST

static TCase *names(void)
{
    TCase *tcase = tcase_create("names");

    tcase_add_test(tcase, numbers_need_nobody_to_be_asked);
    tcase_add_test(tcase, each_failure_of_a_name_has_its_errno);
    tcase_add_test(tcase, bad_arguments_of_a_name);
    tcase_add_test(tcase,
                   doubles_are_given_once_and_no_more_than_there_is_room);
    tcase_add_test(tcase, a_name_that_takes_too_long);
    tcase_add_test(tcase, no_descriptor_left_to_wait_for_a_name);
    tcase_add_test(tcase, what_an_errno_means_is_said_in_words);
    tcase_add_test(tcase, every_address_of_a_name_is_tried);
    return tcase;
}

static TCase *workers_names(void)
{
    TCase *tcase = tcase_create("names on workers");

    tcase_add_test(tcase, a_worker_looks_a_name_up);
    tcase_add_test(tcase, a_cancelled_look_up_says_nothing);
    tcase_add_test(tcase, the_workers_may_go_before_a_look_up_ends);
    tcase_add_test(tcase, a_full_queue_of_look_ups_is_said);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("names");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, names());
    suite_add_tcase(suite, workers_names());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
