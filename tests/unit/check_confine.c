/* viz/lab/confine: what is left after it, and what is refused. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/netns.h"
#include "tests/unit/frames.h"
#include "viz/lab/confine.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifndef INSTRUMENTED
#define INSTRUMENTED 0
#endif

/* Each test is a process of its own: what it gives up it never gets back. */
static void be_confined(void)
{
    ck_assert_int_eq(netns_drop(), 0);
    ck_assert_int_eq(confine(), 0);
}

static void field(const char *name, char *value, size_t size)
{
    FILE *file = fopen("/proc/self/status", "re");
    size_t length = strlen(name);
    char line[256];

    ck_assert_ptr_nonnull(file);
    value[0] = '\0';
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            snprintf(value, size, "%s", line + length + 2);
    fclose(file);
}

START_TEST(the_kernel_says_so)
{
    char value[64];

    be_confined();
    field("Seccomp", value, sizeof value);
    ck_assert_str_eq(value, "2\n");
    field("NoNewPrivs", value, sizeof value);
    ck_assert_str_eq(value, "1\n");
    field("CapEff", value, sizeof value);
    ck_assert_str_eq(value, "0000000000000000\n");
    field("CapPrm", value, sizeof value);
    ck_assert_str_eq(value, "0000000000000000\n");
}
END_TEST

START_TEST(no_socket_of_any_kind_can_be_made)
{
    static const int families[] = {AF_PACKET, AF_INET, AF_INET6, AF_UNIX,
                                   AF_NETLINK};

    be_confined();
    for (size_t n = 0; n < sizeof families / sizeof *families; n++) {
        ck_assert_int_eq(socket(families[n], SOCK_RAW, 0), -1);
        ck_assert_int_eq(errno, EPERM);
        ck_assert_int_eq(socket(families[n], SOCK_STREAM, 0), -1);
        ck_assert_int_eq(errno, EPERM);
    }
}
END_TEST

START_TEST(an_open_socket_goes_on_but_connects_nowhere)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int pair[2], fd = socket(AF_INET, SOCK_STREAM, 0);
    char byte = 'x';

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    be_confined();
    ck_assert_int_eq(send(pair[0], &byte, 1, 0), 1);
    ck_assert_int_eq(recv(pair[1], &byte, 1, 0), 1);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), -1);
    ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(no_program_can_be_started)
{
    char *const argv[] = {(char *)"true", NULL};

    if (INSTRUMENTED) /* they need to */
        return;
    be_confined();
    ck_assert_int_eq(execv("/bin/true", argv), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(fork(), -1);
    ck_assert_int_eq(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL), -1);
    ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(no_namespace_can_be_entered_or_made)
{
    int fd = open("/proc/self/ns/net", O_RDONLY);

    be_confined();
    ck_assert_int_eq(unshare(CLONE_NEWUSER), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(setns(fd, 0), -1);
    ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(nothing_can_be_typed_into_a_terminal)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
    struct winsize size;

    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(slave, 0);
    be_confined();
    ck_assert_int_eq(ioctl(slave, TIOCSTI, "x"), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(ioctl(slave, TIOCGWINSZ, &size), 0);
}
END_TEST

START_TEST(files_can_still_be_kept)
{
    char name[] = "/tmp/check_confine-XXXXXX", to[64];
    int fd = mkstemp(name);

    ck_assert_int_ge(fd, 0);
    be_confined();
    ck_assert_int_eq(write(fd, "x", 1), 1);
    ck_assert_int_eq(fsync(fd), 0);
    snprintf(to, sizeof to, "%s.kept", name);
    ck_assert_int_eq(rename(name, to), 0);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_eq(unlink(to), 0);
}
END_TEST

START_TEST(an_unknown_call_is_not_there)
{
    be_confined();
    ck_assert_int_eq((int)syscall(4000), -1);
    ck_assert_int_eq(errno, ENOSYS);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("confine");

    tcase_add_test(tests, the_kernel_says_so);
    tcase_add_test(tests, no_socket_of_any_kind_can_be_made);
    tcase_add_test(tests, an_open_socket_goes_on_but_connects_nowhere);
    tcase_add_test(tests, no_program_can_be_started);
    tcase_add_test(tests, no_namespace_can_be_entered_or_made);
    tcase_add_test(tests, nothing_can_be_typed_into_a_terminal);
    tcase_add_test(tests, files_can_still_be_kept);
    tcase_add_test(tests, an_unknown_call_is_not_there);
    return run_suite("confine", tests);
}
