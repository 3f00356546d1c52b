/*
 * viz/kernel/waits: children that go and wait in a known call. Each test forks
 * one and looks until it is there: Check's own time limit is the only clock.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "viz/kernel/waits.h"

static int listening(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&at, sizeof at) == -1 ||
        listen(fd, 1) == -1)
        _exit(1);
    return fd;
}

/* Descriptor 3 is a socket whose other end, 4, says nothing; 5 and 6 a pipe. */
static void have_pair(void)
{
    int pair[2], pipe_fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 || pipe(pipe_fds) == -1)
        _exit(1);
    dup2(pair[0], 103);
    dup2(pair[1], 104);
    dup2(pipe_fds[0], 105);
    dup2(pipe_fds[1], 106);
}

/* The child's part; returning ends it. */
typedef void wait_fn(void);

static void in_accept(void)
{
    accept(dup2(listening(), 103), NULL, NULL);
}
static void in_accept4(void)
{
    accept4(dup2(listening(), 103), NULL, NULL, SOCK_CLOEXEC);
}
static void in_recv(void)
{
    recv(103, &(char){0}, 1, 0);
}
static void in_recvmsg(void)
{
    struct iovec part = {&(char){0}, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    recvmsg(103, &message, 0);
}
static void in_read_of_a_socket(void)
{
    if (read(103, &(char){0}, 1) == -1)
        _exit(1);
}
static void in_read_of_a_pipe(void)
{
    if (read(105, &(char){0}, 1) == -1)
        _exit(1);
}
static void in_send(void)
{
    static char bytes[65536];

    while (send(103, bytes, sizeof bytes, 0) != -1)
        ;
}
static void in_write_of_a_socket(void)
{
    static char bytes[65536];

    while (write(103, bytes, sizeof bytes) != -1)
        ;
}
static void in_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(103, &set);
    select(104, &set, NULL, NULL, NULL);
}
static void in_poll(void)
{
    poll(&(struct pollfd){103, POLLIN, 0}, 1, -1);
}
static void in_poll_with_a_timeout(void)
{
    poll(&(struct pollfd){103, POLLIN, 0}, 1, 1000000);
}
static void in_epoll(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int fd = dup2(epoll_create1(0), 107);

    epoll_ctl(fd, EPOLL_CTL_ADD, 103, &event);
    epoll_wait(fd, &event, 1, -1);
}
static void in_pause(void)
{
    pause();
}

static pid_t start(wait_fn *wait)
{
    pid_t child = fork();

    ck_assert_int_ne(child, -1);
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    have_pair();
    wait();
    _exit(0);
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* Its only thread, once it is inside this call on this descriptor. */
static void is_in(pid_t child, enum wait_call call, int fd)
{
    struct wait_info info;

    do {
        ck_assert_int_eq(waits_look(child, &info, 1), 1);
        sched_yield();
    } while (info.running || info.call != call || info.fd != fd);
    ck_assert_int_eq(info.thread, child);
    ck_assert_int_ge(info.number, 0);
}

static const struct {
    wait_fn *wait;
    enum wait_call call;
    int fd;
} cases[] = {
    {in_accept, WAIT_ACCEPT, 103},
    {in_accept4, WAIT_ACCEPT, 103},
    {in_recv, WAIT_RECV, 103},
    {in_recvmsg, WAIT_RECV, 103},
    {in_read_of_a_socket, WAIT_RECV, 103},
    {in_read_of_a_pipe, WAIT_OTHER, 105},
    {in_send, WAIT_SEND, 103},
    {in_write_of_a_socket, WAIT_SEND, 103},
    {in_select, WAIT_SELECT, -1},
    {in_poll, WAIT_POLL, -1},
    {in_epoll, WAIT_EPOLL, 107},
};

START_TEST(a_blocked_call_has_its_name_and_descriptor)
{
    pid_t child = start(cases[_i].wait);

    is_in(child, cases[_i].call, cases[_i].fd);
    end(child);
}
END_TEST

START_TEST(a_poll_that_was_stopped_and_went_on_is_still_a_poll)
{
    pid_t child = start(in_poll_with_a_timeout);

    is_in(child, WAIT_POLL, -1);
    kill(child, SIGSTOP);
    ck_assert_int_eq(waitpid(child, NULL, WUNTRACED), child);
    kill(child, SIGCONT);
    ck_assert_int_eq(waitpid(child, NULL, WCONTINUED), child);
    is_in(child, WAIT_POLL, -1);
    end(child);
}
END_TEST

START_TEST(a_call_without_a_name_here_is_other)
{
    pid_t child = start(in_pause);
    struct wait_info info;

    do
        ck_assert_int_eq(waits_look(child, &info, 1), 1);
    while (info.running || info.number == -1);
    ck_assert_int_eq(info.call, WAIT_OTHER);
    end(child);
}
END_TEST

START_TEST(a_busy_thread_is_running)
{
    struct wait_info info;
    pid_t child = fork();

    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (volatile bool spin = true; spin;)
            ;
    }
    do
        ck_assert_int_eq(waits_look(child, &info, 1), 1);
    while (!info.running);
    ck_assert_int_eq(info.number, -1);
    end(child);
}
END_TEST

static void *receive(void *self)
{
    in_recv();
    return self;
}

static void two_threads(void)
{
    pthread_t other;

    pthread_create(&other, NULL, receive, NULL);
    accept(dup2(listening(), 108), NULL, NULL);
}

START_TEST(every_thread_is_told)
{
    struct wait_info info[4];
    pid_t child = start(two_threads);
    bool accepts, receives;
    int count;

    do {
        accepts = receives = false;
        count = waits_look(child, info, 4);
        ck_assert_int_ge(count, 1);
        for (int i = 0; i < count; i++) {
            accepts |= info[i].call == WAIT_ACCEPT;
            receives |= info[i].call == WAIT_RECV;
        }
    } while (count < 2 || !accepts || !receives);
    ck_assert_int_eq(waits_look(child, info, 1), 1);
    end(child);
}
END_TEST

START_TEST(a_process_that_is_gone_is_an_error)
{
    struct wait_info info;
    pid_t child = start(in_pause);

    end(child);
    ck_assert_int_eq(waits_look(child, &info, 1), -1);
    ck_assert_int_eq(errno, ESRCH);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("waits");
    TCase *tcase = tcase_create("waits");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_blocked_call_has_its_name_and_descriptor, 0,
                        sizeof cases / sizeof *cases);
    tcase_add_test(tcase, a_poll_that_was_stopped_and_went_on_is_still_a_poll);
    tcase_add_test(tcase, a_call_without_a_name_here_is_other);
    tcase_add_test(tcase, a_busy_thread_is_running);
    tcase_add_test(tcase, every_thread_is_told);
    tcase_add_test(tcase, a_process_that_is_gone_is_an_error);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
