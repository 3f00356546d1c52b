/* See join.h. A process's network is a file, /proc/PID/ns/net: two processes
 * are in the same one when it is the same inode (namespaces(7)). */
#include "viz/lab/join.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/netns.h"

enum { PID_DIGITS = 10, NAME_SIZE = 64 };

static int fail(int error, char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int fail(int error, char *why, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, size, format, arguments);
    va_end(arguments);
    errno = error;
    return -1;
}

static bool is_pid(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits <= PID_DIGITS && text[digits] == '\0';
}

/* Its network's inode; 0 when it may not be known, with errno. */
static uint64_t network_of(const char *pid)
{
    char path[64];
    struct stat file;

    snprintf(path, sizeof path, "/proc/%.16s/ns/net", pid);
    return stat(path, &file) == -1 ? 0 : (uint64_t)file.st_ino;
}

static bool has_name(const char *pid, const char *name)
{
    char path[64], comm[NAME_SIZE] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/%.16s/comm", pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    if (!fgets(comm, sizeof comm, file))
        comm[0] = '\0';
    fclose(file);
    comm[strcspn(comm, "\n")] = '\0';
    return strcmp(comm, name) == 0;
}

/* What a look through /proc for a name has found. */
struct found {
    char pid[PID_DIGITS + 1]; /* "" none in another network */
    uint64_t network;
    bool here;                    /* one is in our own network */
    bool several;                 /* in more than one other */
    char refused[PID_DIGITS + 1]; /* one that may not be looked at */
};

static void find(const char *name, struct found *found)
{
    uint64_t ours = network_of("self");
    DIR *processes = opendir("/proc");
    const struct dirent *entry;

    while (processes && (entry = readdir(processes))) {
        const char *pid = entry->d_name;
        uint64_t network;

        if (!is_pid(pid) || !has_name(pid, name))
            continue;
        network = network_of(pid);
        if (network == 0)
            memcpy(found->refused, pid, strlen(pid) + 1);
        else if (network == ours)
            found->here = true;
        else if (found->pid[0] == '\0') {
            memcpy(found->pid, pid, strlen(pid) + 1);
            found->network = network;
        } else if (network != found->network)
            found->several = true;
    }
    if (processes)
        closedir(processes);
}

static int refused(const char *pid, int error, char *why, size_t size)
{
    char path[64];
    struct stat file;
    const struct passwd *owner = NULL;

    snprintf(path, sizeof path, "/proc/%.16s", pid);
    if (error == ENOENT || stat(path, &file) == -1)
        return fail(ESRCH, why, size,
                    "There is no process %s. `ps` shows those that run.", pid);
    if (geteuid() == 0 || geteuid() == file.st_uid)
        return fail(EPERM, why, size,
                    "The network of process %s cannot be entered: %s.", pid,
                    strerror(error));
    owner = getpwuid(file.st_uid);
    return fail(EPERM, why, size,
                "Process %s belongs to %.40s, and so does its network: only "
                "they and root can\nlook into it. Ask them to start viz "
                "there.",
                pid, owner ? owner->pw_name : "another user");
}

/* A name's process into `pid`. */
static int choose(const char *name, char *pid, char *why, size_t size)
{
    struct found found = {.here = false};

    find(name, &found);
    if (found.several)
        return fail(ENOTUNIQ, why, size,
                    "%.40s runs in several networks: give the pid of one, as "
                    "`ps -e` shows it.",
                    name);
    if (found.pid[0] != '\0') {
        memcpy(pid, found.pid, sizeof found.pid);
        return 0;
    }
    if (found.here)
        return fail(EINVAL, why, size,
                    "%.40s runs in this network already: leave --join away.",
                    name);
    if (found.refused[0] != '\0')
        return refused(found.refused, EACCES, why, size);
    return fail(ESRCH, why, size,
                "No program of the name %.40s runs. --join takes the name of a "
                "program in\nthat network, or its pid: `ps -e` shows both.",
                name);
}

/* Root needs no right of that network's own; whoever made it has them once
 * they are in its user namespace. */
static int enter(const char *pid)
{
    char path[64];
    int net, user, result, error;

    snprintf(path, sizeof path, "/proc/%.16s/ns/net", pid);
    net = open(path, O_RDONLY | O_CLOEXEC);
    if (net == -1)
        return -1;
    snprintf(path, sizeof path, "/proc/%.16s/ns/user", pid);
    user = open(path, O_RDONLY | O_CLOEXEC);
    result = netns_join(-1, net);
    if (result == -1 && user != -1)
        result = netns_join(user, net);
    error = errno;
    if (user != -1)
        close(user);
    close(net);
    errno = error;
    return result;
}

int join_network(const char *who, char *why, size_t size)
{
    char pid[PID_DIGITS + 1];
    uint64_t network;

    if (!is_pid(who)) {
        if (choose(who, pid, why, size) == -1)
            return -1;
    } else {
        memcpy(pid, who, strlen(who) + 1);
    }
    network = network_of(pid);
    if (network == 0)
        return refused(pid, errno, why, size);
    if (network == network_of("self"))
        return fail(EINVAL, why, size,
                    "Process %s is in this network already: leave --join away.",
                    pid);
    return enter(pid) == -1 ? refused(pid, errno, why, size) : 0;
}
