/*
 * common/netns: a private network, what is left of one's rights in it, and
 * what is said where the machine refuses. Each test is a process of its own
 * (Check forks), so that it may move and drop as it likes.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/netns.h"

static void enter(void)
{
    enum netns_step failed;
    char why[640];

    if (netns_enter(&failed) == 0)
        return;
    ck_abort_msg("%s", netns_explain(failed, errno, why, sizeof why));
}

static ino_t network(void)
{
    struct stat at;

    ck_assert_int_eq(stat("/proc/self/ns/net", &at), 0);
    return at.st_ino;
}

/* The value of a line of /proc/self/status, as hex. */
static unsigned long long status_of(const char *key)
{
    FILE *file = fopen("/proc/self/status", "re");
    unsigned long long value = ~0ull;
    char line[256];

    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            sscanf(line + strlen(key), ": %llx", &value);
    fclose(file);
    return value;
}

START_TEST(loopback_is_up_and_nothing_else_is_there)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in far = {.sin_family = AF_INET,
                              .sin_port = htons(9),
                              .sin_addr.s_addr = htonl(0x0a000001)};
    socklen_t length = sizeof at;
    int listener, client;

    enter();
    listener = socket(AF_INET, SOCK_STREAM, 0);
    client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &length), 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&at, sizeof at), 0);
    close(client);
    client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&far, sizeof far), -1);
    ck_assert_int_eq(errno, ENETUNREACH);
}
END_TEST

/* The server closes first, then the client: the server's end of the two ports
 * is left in TIME_WAIT. */
static void leave_time_wait(struct sockaddr_in *server,
                            struct sockaddr_in *client)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int caller = socket(AF_INET, SOCK_STREAM, 0), called;
    socklen_t length = sizeof *server;
    char byte;

    ck_assert_int_eq(bind(listener, (struct sockaddr *)server, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)server, &length),
                     0);
    ck_assert_int_eq(connect(caller, (struct sockaddr *)server, length), 0);
    ck_assert_int_eq(getsockname(caller, (struct sockaddr *)client, &length),
                     0);
    called = accept(listener, NULL, NULL);
    ck_assert_int_ge(called, 0);
    close(listener);
    close(called);
    ck_assert_int_eq(recv(caller, &byte, 1, 0), 0);
    close(caller);
}

/* An old ACK comes late: TIME_WAIT answers it, and as nobody is left at the
 * client's port, the kernel says RST for that. Returns when the RST is on the
 * wire. */
static void send_old_ack(const struct sockaddr_in *server,
                         const struct sockaddr_in *client)
{
    struct tcphdr old = {.source = client->sin_port,
                         .dest = server->sin_port,
                         .doff = 5,
                         .ack = 1};
    int wire = socket(AF_PACKET, SOCK_DGRAM, htons(0x0800));
    int raw = socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
    uint16_t words[sizeof old / 2];
    uint32_t sum = 2 * (0x7f00 + 0x0001) + IPPROTO_TCP + sizeof old;
    struct {
        uint8_t ip[20];
        struct tcphdr tcp;
    } seen;

    memset(&seen, 0, sizeof seen);
    memcpy(words, &old, sizeof old);
    ck_assert_int_ge(wire, 0);
    ck_assert_int_ge(raw, 0);
    for (size_t i = 0; i < sizeof old / 2; i++)
        sum += ntohs(words[i]);
    sum = (sum >> 16) + (sum & 0xffff);
    old.check = htons((uint16_t) ~(sum + (sum >> 16)));
    ck_assert_int_eq(sendto(raw, &old, sizeof old, 0,
                            (const struct sockaddr *)server, sizeof *server),
                     sizeof old);
    while (!seen.tcp.rst || seen.tcp.dest != server->sin_port)
        ck_assert_int_gt(recv(wire, &seen, sizeof seen, 0), 0);
}

START_TEST(a_reset_does_not_end_time_wait)
{
    struct sockaddr_in server = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in client = server;

    enter();
    leave_time_wait(&server, &client);
    send_old_ack(&server, &client);
    ck_assert_int_eq(bind(socket(AF_INET, SOCK_STREAM, 0),
                          (struct sockaddr *)&server, sizeof server),
                     -1);
    ck_assert_int_eq(errno, EADDRINUSE);
}
END_TEST

START_TEST(the_caller_keeps_their_name)
{
    uid_t uid = getuid();
    gid_t gid = getgid();

    enter();
    ck_assert_uint_eq(getuid(), uid);
    ck_assert_uint_eq(geteuid(), uid);
    ck_assert_uint_eq(getgid(), gid);
}
END_TEST

START_TEST(who_has_the_descriptors_can_join)
{
    int begin[2], status, user, net;
    ino_t inside;
    pid_t child;
    char path[2][64];

    ck_assert_int_eq(pipe(begin), 0);
    child = fork(); /* stays in the first network, until it joins ours */
    if (child == 0) {
        if (read(begin[0], path, sizeof path) != sizeof path)
            _exit(1);
        user = open(path[0], O_RDONLY);
        net = open(path[1], O_RDONLY);
        if (user == -1 || net == -1 || netns_join(user, net) == -1)
            _exit(2);
        _exit(write(begin[1], &(ino_t){network()}, sizeof inside) == -1);
    }
    enter();
    prctl(PR_SET_DUMPABLE, 1); /* so that a plain user's child may open them */
    snprintf(path[0], sizeof path[0], "/proc/%d/ns/user", getpid());
    snprintf(path[1], sizeof path[1], "/proc/%d/ns/net", getpid());
    ck_assert_int_eq(write(begin[1], path, sizeof path), sizeof path);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(read(begin[0], &inside, sizeof inside), sizeof inside);
    ck_assert_uint_eq(inside, network());
}
END_TEST

START_TEST(all_rights_are_given_up_for_good)
{
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd",
                                       "CapAmb"};
    int status;

    enter();
    ck_assert_uint_ne(status_of("CapEff"), 0);
    ck_assert_int_eq(netns_drop(), 0);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        ck_assert_uint_eq(status_of(sets[i]), 0);
    ck_assert_uint_eq(status_of("NoNewPrivs"), 1);
    /* Not by exec either, also for uid 0. */
    status = system("grep -q '^CapEff:.0000000000000000$' /proc/self/status");
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(socket(AF_PACKET, SOCK_RAW, 0), -1);
    ck_assert_int_eq(unshare(CLONE_NEWNET), -1);
    ck_assert_int_eq(netns_drop(), 0); /* again is no error */
}
END_TEST

START_TEST(a_refusal_leaves_the_caller_as_it_was)
{
    unsigned long long rights = status_of("CapEff");
    enum netns_step failed;
    char why[640];
    FILE *limit;
    ino_t before;

    enter(); /* a user namespace with a limit of its own, for us to lower */
    rights = status_of("CapEff");
    before = network();
    limit = fopen("/proc/sys/user/max_net_namespaces", "we");
    if (limit == NULL)
        return; /* /proc/sys is read-only, as in some containers */
    fputs("0", limit);
    ck_assert_int_eq(fclose(limit), 0);
    ck_assert_int_eq(netns_enter(&failed), -1);
    ck_assert_int_eq(errno, ENOSPC);
    ck_assert_int_eq(failed, NETNS_UNSHARE);
    ck_assert_uint_eq(network(), before);
    ck_assert_uint_eq(status_of("CapEff"), rights);
    netns_explain(failed, ENOSPC, why, sizeof why);
    ck_assert_ptr_nonnull(strstr(why, "max_net_namespaces = 0"));
    ck_assert_ptr_nonnull(strstr(why, "sudo sysctl -w"));
}
END_TEST

START_TEST(a_seccomp_filter_is_named)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    enum netns_step failed;
    char why[640];

    ck_assert_int_eq(
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 0),
        0);
    ck_assert_int_eq(seccomp_load(filter), 0);
    seccomp_release(filter);
    ck_assert_int_eq(netns_enter(&failed), -1);
    ck_assert_int_eq(errno, EPERM);
    netns_explain(failed, EPERM, why, sizeof why);
    ck_assert_msg(strstr(why, "seccomp") != NULL, "%s", why);
    ck_assert_ptr_nonnull(strstr(why, "docker run"));
}
END_TEST

START_TEST(inside_a_chroot_the_kernel_refuses)
{
    enum netns_step failed;
    int status;

    enter(); /* so that a plain user may chroot too */
    if (fork() == 0)
        _exit(chroot("/usr") == 0 && netns_enter(&failed) == -1 &&
                      errno == EPERM && failed == NETNS_UNSHARE
                  ? 0
                  : 1);
    ck_assert_int_ne(wait(&status), -1);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* --- words for machines that this one is not ----------------------------- */

static const struct netns_facts usual = {
    .max_user = 15000, .max_net = 15000, .unprivileged = -1, .apparmor = -1};

static void says(struct netns_facts facts, enum netns_step failed, int error,
                 const char *words)
{
    char text[640];
    int lines = 1;
    size_t width = 0;

    netns_explain_facts(&facts, failed, error, text, sizeof text);
    ck_assert_msg(strstr(text, words) != NULL, "no \"%s\" in:\n%s", words,
                  text);
    for (const char *at = text; *at != '\0'; at++) {
        width = *at == '\n' ? 0 : width + 1;
        lines += *at == '\n';
        ck_assert_msg(width <= 80, "a line is too long in:\n%s", text);
    }
    ck_assert_int_le(lines, 8);
    ck_assert_uint_lt(strlen(text), sizeof text - 1);
    ck_assert_int_ne(text[strlen(text) - 1], '\n');
}

START_TEST(each_refusal_has_its_one_command)
{
    struct netns_facts facts = usual;

    facts.max_user = 0;
    says(facts, NETNS_UNSHARE, ENOSPC, "max_user_namespaces = 0, switched off");
    says(usual, NETNS_UNSHARE, ENOSPC,
         "a container around this one has a limit");
    facts = usual;
    facts.unprivileged = 0;
    says(facts, NETNS_UNSHARE, EPERM,
         "sudo sysctl -w kernel.unprivileged_userns_clone=1");
    facts = usual;
    facts.apparmor = 1;
    says(facts, NETNS_LOOPBACK, EPERM, "sudo sh tools/apparmor.sh");
    says(facts, NETNS_MAP, EACCES, "sudo sh tools/apparmor.sh");
    facts = usual;
    facts.changed_root = true;
    says(facts, NETNS_UNSHARE, EPERM, "sudo systemd-nspawn");
    facts = usual;
    facts.container = facts.filtered = facts.root = true;
    says(facts, NETNS_UNSHARE, EPERM, "docker run --security-opt");
    facts = usual;
    facts.unmapped = true;
    says(facts, NETNS_UNSHARE, EPERM, "unshare --user --map-current-user");
    says(usual, NETNS_UNSHARE, EPERM, "make doctor");
    says(usual, NETNS_UNSHARE, EUSERS, "32");
    says(usual, NETNS_UNSHARE, EINVAL, "wsl --set-version");
    says(usual, NETNS_LOOPBACK, ENOMEM, "Cannot allocate memory");
}
END_TEST

START_TEST(a_restriction_of_plain_users_is_not_blamed_for_roots_refusal)
{
    struct netns_facts facts = usual;
    char text[640];

    facts.root = facts.container = true;
    facts.apparmor = 1;
    facts.unprivileged = 0;
    netns_explain_facts(&facts, NETNS_UNSHARE, EPERM, text, sizeof text);
    ck_assert_ptr_null(strstr(text, "apparmor.sh"));
    ck_assert_ptr_null(strstr(text, "unprivileged_userns_clone"));
    ck_assert_ptr_nonnull(strstr(text, "container"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("netns");
    TCase *tcase = tcase_create("netns");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, loopback_is_up_and_nothing_else_is_there);
    tcase_add_test(tcase, a_reset_does_not_end_time_wait);
    tcase_add_test(tcase, the_caller_keeps_their_name);
    tcase_add_test(tcase, who_has_the_descriptors_can_join);
    tcase_add_test(tcase, all_rights_are_given_up_for_good);
    tcase_add_test(tcase, a_refusal_leaves_the_caller_as_it_was);
    tcase_add_test(tcase, a_seccomp_filter_is_named);
    tcase_add_test(tcase, inside_a_chroot_the_kernel_refuses);
    tcase_add_test(tcase, each_refusal_has_its_one_command);
    tcase_add_test(
        tcase, a_restriction_of_plain_users_is_not_blamed_for_roots_refusal);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
