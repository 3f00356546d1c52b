/*
 * common/pool with many: connections that come, echo and go, after which no
 * descriptor and no memory has been gained; and connections that all live at
 * once in one process. CYCLES and LIVE say how many (`make soak`: 100,000 and
 * 15,000). The peers are a second process, so that each has its descriptors.
 */
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/net.h"
#include "tests/unit/pool_scene.h"

static size_t number(const char *name, size_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : otherwise;
}

static int descriptors(void)
{
    DIR *all = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(all);
    while (readdir(all))
        count++;
    closedir(all);
    return count;
}

/* The address sanitizer asks: else it would keep what was freed. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=0:thread_local_quarantine_size_kb=0";
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* As many descriptors as the machine allows; how many that is. */
static size_t allow_descriptors(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_cur > 1 << 20 ? 1 << 20 : (size_t)limit.rlim_cur;
}

/* --- the server ------------------------------------------------------------- */

static struct count {
    size_t accepted, closed, wrong, bytes;
    size_t live, most;
    size_t steady; /* after so many the memory is looked at */
    long kib;
    int fds;
    bool peers_gone; /* their last FINs may still be on the way */
} count;

static void echo(struct pool_socket *s, char *data, size_t n, void *arg)
{
    count.bytes += n;
    if (pool_send(s, data, n) == -1 ||
        pool_recv_some(s, 60000, echo, arg) == -1)
        count.wrong++;
}

static void welcome(struct pool_socket *listener, struct pool_socket *s)
{
    count.accepted++;
    if (++count.live > count.most)
        count.most = count.live;
    pool_idle(s, 60000);
    if (pool_recv_some(s, 60000, echo, NULL) == -1)
        count.wrong++;
    (void)listener;
}

static void look(void)
{
    count.kib = resident_kib();
    count.fds = descriptors();
}

static void farewell(struct pool_socket *s, enum closed_reason reason,
                     int error)
{
    if (s == scene.listener)
        return;
    count.live--;
    count.wrong += reason != CLOSED_BY_PEER || error != 0;
    if (++count.closed == count.steady)
        look();
    if (count.peers_gone && count.live == 0)
        pool_stop(pool_of(s));
}

static const struct pool_handler server = {.accepted = welcome,
                                           .closed = farewell};

/* --- the peers, in a process of their own --------------------------------------- */

/* From 127.0.0.1, .2, ...: one address has 28,000 ports to call from. */
static int call_from(unsigned which)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + which / 10000);
    if (fd == -1 ||
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) ==
            -1 ||
        bind(fd, (struct sockaddr *)&from, sizeof from) == -1 ||
        connect(fd, &scene.at.any, scene.at.length) == -1)
        return -1;
    return fd;
}

static int echoes(int fd, unsigned which)
{
    unsigned back = ~which;

    return send(fd, &which, sizeof which, MSG_NOSIGNAL) == sizeof which &&
           recv(fd, &back, sizeof back, MSG_WAITALL) == sizeof back &&
           back == which;
}

/* The first FIN is the peer's, so TIME_WAIT is too: it resets after the echo
 * has come back, else a hundred thousand ports would wait. */
static int come_and_go(size_t cycles)
{
    char byte;

    for (unsigned i = 0; i < cycles; i++) {
        int fd = call_from(0);

        if (fd == -1 || !echoes(fd, i) || shutdown(fd, SHUT_WR) == -1 ||
            recv(fd, &byte, 1, 0) != 0)
            return 1;
        peer_resets(fd);
    }
    return 0;
}

static int all_at_once(size_t live)
{
    int *fds = calloc(live, sizeof *fds);

    if (!fds)
        return 2;
    for (unsigned i = 0; i < live; i++)
        if ((fds[i] = call_from(i)) == -1)
            return 3;
    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < live; i++)
            if (!echoes(fds[i], i))
                return 4;
    for (unsigned i = 0; i < live; i++)
        close(fds[i]);
    free(fds);
    return 0;
}

static pid_t peers;

static void peers_gone(struct pool *pool, int signo, void *arg)
{
    int status;

    if (waitpid(peers, &status, WNOHANG) == peers) {
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                      "the peers ended with %#x", (unsigned)status);
        count.peers_gone = true;
        if (count.live == 0)
            pool_stop(pool);
    }
    (void)signo;
    (void)arg;
}

static void beside(int (*act)(size_t), size_t many)
{
    scene_open(NULL, &server);
    ck_assert_int_eq(pool_signal(scene.pool, SIGCHLD, peers_gone, NULL), 0);
    peers = fork();
    ck_assert_int_ne(peers, -1);
    if (peers == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(act(many));
    }
    ck_assert_int_eq(pool_run(scene.pool), 0);
}

START_TEST(connections_that_come_and_go_leave_nothing)
{
    size_t cycles = number("CYCLES", 3000);

    count.steady = cycles / 2; /* allocators have their stock by then */
    beside(come_and_go, cycles);
    ck_assert_uint_eq(count.accepted, cycles);
    ck_assert_uint_eq(count.closed, cycles);
    ck_assert_uint_eq(count.wrong, 0);
    ck_assert_uint_eq(count.bytes, cycles * sizeof(unsigned));
    ck_assert_int_le(descriptors(), count.fds);
    ck_assert_int_lt(resident_kib() - count.kib, 1024);
    pool_free(scene.pool);
}
END_TEST

START_TEST(all_live_at_once)
{
    size_t live = number("LIVE", 2000);
    bool room = allow_descriptors() > live + 64;

    if (!room && getenv("LIVE"))
        ck_abort_msg("%zu connections want as many descriptors: ulimit -n",
                     live);
    if (!room)
        return; /* the machine's hard limit is lower than 2064 */
    beside(all_at_once, live);
    ck_assert_uint_eq(count.most, live);
    ck_assert_uint_eq(count.closed, live);
    ck_assert_uint_eq(count.wrong, 0);
    ck_assert_uint_eq(count.bytes, 2 * live * sizeof(unsigned));
    pool_free(scene.pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_many");
    TCase *tests = tcase_create("many");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, connections_that_come_and_go_leave_nothing);
    tcase_add_test(tests, all_live_at_once);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
