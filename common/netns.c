/*
 * See netns.h. A child makes the namespaces and brings lo up in them; only
 * when all of it has worked does the caller move in, by setns(2). Some systems
 * let unshare(2) pass and refuse the rights later: so a refusal leaves the
 * caller exactly where it was.
 */
#include "common/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- entering ---------------------------------------------------------- */

static int bring_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = -1, error;

    if (fd == -1)
        return -1;
    if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
        request.ifr_flags |= IFF_UP;
        result = ioctl(fd, SIOCSIFFLAGS, &request);
    }
    error = errno;
    close(fd);
    errno = error;
    return result;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n;
    int error;

    if (fd == -1)
        return -1;
    n = write(fd, text, strlen(text));
    error = errno;
    close(fd);
    errno = error;
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* Loopback may let a delayed ACK, sent by a timer on one CPU, arrive after the
 * FIN that the program sent on another. The end in TIME_WAIT answers that old
 * ACK, the other end, gone by now, answers with a RST, and the RST ends
 * TIME_WAIT at once (RFC 1337: TIME-WAIT assassination): seen once in some 400
 * plays of lesson 1 on a busy machine. Here TIME_WAIT shall last. Where
 * /proc/sys is read-only, as in some containers, it is left as it is. */
static void make_time_wait_last(void)
{
    write_file("/proc/sys/net/ipv4/tcp_rfc1337", "1");
}

/* One number each way between maker and caller: 0, or an errno. */
static int say(int fd, int number)
{
    ssize_t n;

    do
        n = send(fd, &number, sizeof number, MSG_NOSIGNAL);
    while (n == -1 && errno == EINTR);
    return n == sizeof number ? 0 : -1;
}

static int hear(int fd)
{
    int number = 0;
    ssize_t n;

    do
        n = recv(fd, &number, sizeof number, 0);
    while (n == -1 && errno == EINTR);
    return n == sizeof number ? number : ECHILD;
}

/* The child: makes the namespaces, and keeps them until the caller is in. */
static void make_namespaces(int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1) {
        say(fd, errno);
        return;
    }
    /* New capabilities made this process "undumpable", and its files in /proc
     * root's; the caller must write our maps and open our namespaces. */
    prctl(PR_SET_DUMPABLE, 1);
    say(fd, 0);
    if (hear(fd) != 0) /* the maps are written */
        return;
    make_time_wait_last();
    say(fd, bring_loopback_up() == 0 ? 0 : errno);
    hear(fd);
}

/* Every id that exists here, mapped to itself: the lines of our own map are
 * "first-inside first-outside count". */
static int map_all(pid_t child, const char *which)
{
    char path[64], text[1024] = "", line[128];
    unsigned first, outside, count;
    size_t used = 0;
    FILE *own;

    snprintf(path, sizeof path, "/proc/self/%s", which);
    own = fopen(path, "re");
    if (own == NULL)
        return -1;
    while (fgets(line, sizeof line, own) != NULL && used + 40 < sizeof text)
        if (sscanf(line, "%u %u %u", &first, &outside, &count) == 3)
            used += (size_t)snprintf(text + used, sizeof text - used,
                                     "%u %u %u\n", first, first, count);
    fclose(own);
    snprintf(path, sizeof path, "/proc/%d/%s", (int)child, which);
    return write_file(path, text);
}

static int map_one(pid_t child, const char *which, unsigned id)
{
    char path[64], text[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)child, which);
    snprintf(text, sizeof text, "%u %u 1\n", id, id);
    return write_file(path, text);
}

static int write_maps(pid_t child)
{
    char path[64];

    if (geteuid() == 0 && map_all(child, "uid_map") == 0)
        return map_all(child, "gid_map");
    /* Without CAP_SETGID only who cannot drop groups may map one. */
    snprintf(path, sizeof path, "/proc/%d/setgroups", (int)child);
    if (write_file(path, "deny") == -1 && errno != ENOENT)
        return -1;
    if (map_one(child, "uid_map", geteuid()) == -1)
        return -1;
    return map_one(child, "gid_map", getegid());
}

static int open_namespace(pid_t process, const char *which)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)process, which);
    return open(path, O_RDONLY | O_CLOEXEC);
}

int netns_join(int user_fd, int net_fd)
{
    if (user_fd != -1 && setns(user_fd, CLONE_NEWUSER) == -1)
        return -1;
    return setns(net_fd, CLONE_NEWNET);
}

static int move_in(pid_t child)
{
    int user = open_namespace(child, "user");
    int net = user == -1 ? -1 : open_namespace(child, "net");
    int result = net == -1 ? -1 : netns_join(user, net);
    int error = errno;

    if (net != -1)
        close(net);
    if (user != -1)
        close(user);
    errno = error;
    return result;
}

/* The caller's half of make_namespaces(). */
static int follow(pid_t child, int fd, enum netns_step *failed)
{
    int error;

    *failed = NETNS_UNSHARE;
    error = hear(fd);
    if (error == 0) {
        *failed = NETNS_MAP;
        if (write_maps(child) == -1)
            error = errno;
    }
    if (error == 0) {
        *failed = NETNS_LOOPBACK;
        error = say(fd, 0) == 0 ? hear(fd) : errno;
    }
    if (error == 0) {
        *failed = NETNS_UNSHARE;
        if (move_in(child) == -1)
            error = errno;
    }
    if (error == 0)
        *failed = NETNS_DONE;
    errno = error;
    return error == 0 ? 0 : -1;
}

int netns_enter(enum netns_step *failed)
{
    int pair[2], result, error;
    pid_t child;

    *failed = NETNS_UNSHARE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
        return -1;
    child = fork();
    if (child == 0) {
        close(pair[0]);
        make_namespaces(pair[1]);
        _exit(0);
    }
    error = errno;
    close(pair[1]);
    result = -1;
    if (child != -1) {
        result = follow(child, pair[0], failed);
        error = errno;
    }
    close(pair[0]); /* lets the child go */
    if (child != -1)
        while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
            ;
    errno = error;
    return result;
}

/* --- leaving all rights ------------------------------------------------ */

static int clear_capabilities(void)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return (int)syscall(SYS_capset, &header, none);
}

static bool may_set_bounds(void)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3];

    return syscall(SYS_capget, &header, have) == 0 &&
           (have[0].effective & (1u << CAP_SETPCAP)) != 0;
}

int netns_drop(void)
{
    const unsigned long locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                                 SECBIT_NO_SETUID_FIXUP |
                                 SECBIT_NO_SETUID_FIXUP_LOCKED |
                                 SECBIT_KEEP_CAPS_LOCKED |
                                 SECBIT_NO_CAP_AMBIENT_RAISE |
                                 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 &&
        errno != EINVAL)
        return -1;
    if (may_set_bounds()) {
        if (prctl(PR_SET_SECUREBITS, locked, 0, 0, 0) == -1)
            return -1;
        for (unsigned long cap = 0; cap < 64; cap++)
            if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 &&
                prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
                return -1;
    }
    if (clear_capabilities() == -1)
        return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
