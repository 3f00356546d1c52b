/*
 * Why there is no private network, in words: what the machine says about
 * namespaces, and from that the one command that helps. Kept apart from
 * netns.c because words change more often than system calls.
 */
#include "common/netns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- facts ------------------------------------------------------------- */

static long read_number(const char *path)
{
    FILE *file = fopen(path, "re");
    long number = -1;

    if (file == NULL)
        return -1;
    if (fscanf(file, "%ld", &number) != 1)
        number = -1;
    fclose(file);
    return number;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* In a chroot no mount point is "/", unless the new root is a mount itself
 * (field 5 of each line of mountinfo, proc(5)). */
static bool root_is_changed(void)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[4096], point[8];
    bool changed = true;

    if (file == NULL)
        return false;
    while (changed && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%*s %*s %*s %*s %7s", point) == 1 &&
            strcmp(point, "/") == 0)
            changed = false;
    fclose(file);
    return changed;
}

static bool under_filter(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    int mode = 0;

    if (file == NULL)
        return false;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Seccomp: %d", &mode) == 1)
            break;
    fclose(file);
    return mode == 2;
}

static bool map_is_empty(void)
{
    FILE *file = fopen("/proc/self/uid_map", "re");
    bool empty;

    if (file == NULL)
        return false;
    empty = fgetc(file) == EOF;
    fclose(file);
    return empty;
}

void netns_facts_read(struct netns_facts *facts)
{
    *facts = (struct netns_facts){
        .max_user = read_number("/proc/sys/user/max_user_namespaces"),
        .max_net = read_number("/proc/sys/user/max_net_namespaces"),
        .unprivileged = read_number(
            "/proc/sys/kernel/unprivileged_userns_clone"),
        .apparmor = read_number(
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
        .root = geteuid() == 0,
        .unmapped = map_is_empty(),
        .changed_root = root_is_changed(),
        .filtered = under_filter(),
        .container = exists("/.dockerenv") || exists("/run/.containerenv") ||
                     exists("/run/systemd/container") ||
                     getenv("container") != NULL,
    };
}

/* --- words ------------------------------------------------------------- */

static void explain_limit(const struct netns_facts *facts, char *text,
                          size_t size)
{
    const char *name = "user.max_user_namespaces";
    long value = facts->max_user;

    if (facts->max_net != -1 && facts->max_net < facts->max_user) {
        name = "user.max_net_namespaces";
        value = facts->max_net;
    }
    snprintf(text, size,
             "This machine allows no further private network: the kernel's "
             "limit on\nnamespaces is reached (%s = %ld%s).\n"
             "Raise it until the next start of the machine with:\n"
             "  sudo sysctl -w user.max_user_namespaces=15000 "
             "user.max_net_namespaces=15000%s",
             name, value, value == 0 ? ", switched off" : "",
             value > 1000
                 ? "\nIf it is high already: a container around this one has a "
                   "limit of its own,\nor namespaces are nested here more than "
                   "32 deep (leave some shells: exit)."
                 : "");
}

static void explain_apparmor(char *text, size_t size)
{
    snprintf(text, size,
             "This system gives ordinary programs no rights in a private "
             "network\n"
             "(kernel.apparmor_restrict_unprivileged_userns = 1, as in Ubuntu "
             "24.04).\n"
             "Allow it for this project's two programs, viz and grade, and for "
             "nothing else:\n"
             "  sudo sh tools/apparmor.sh");
}

static void explain_container(const struct netns_facts *facts, char *text,
                              size_t size)
{
    snprintf(text, size,
             "%s refuses a private network here.\n"
             "If you start the container yourself, start it with:\n"
             "  docker run --security-opt seccomp=unconfined \\\n"
             "    --security-opt apparmor=unconfined "
             "--security-opt systempaths=unconfined ...",
             facts->filtered ? "A seccomp filter (a container's, mostly)"
                             : "This container");
}

static void explain_permission(const struct netns_facts *facts,
                               enum netns_step failed, int error, char *text,
                               size_t size)
{
    if (facts->unmapped)
        snprintf(text, size,
                 "You are nobody in the user namespace around this command, "
                 "and so can have no\nother inside it. Give yourself your own "
                 "name when you make that one:\n"
                 "  unshare --user --map-current-user ...");
    else if (facts->unprivileged == 0 && !facts->root)
        snprintf(text, size,
                 "This system keeps private networks for root\n"
                 "(kernel.unprivileged_userns_clone = 0).\n"
                 "Allow them until the next start of the machine with:\n"
                 "  sudo sysctl -w kernel.unprivileged_userns_clone=1");
    else if (facts->apparmor == 1 && !facts->root)
        explain_apparmor(text, size);
    else if (facts->changed_root)
        snprintf(text, size,
                 "You are inside a chroot, and there the kernel allows no "
                 "private network.\n"
                 "Leave the chroot, or enter it as a container instead:\n"
                 "  sudo systemd-nspawn -D THE-CHROOT-FOLDER");
    else if (facts->filtered || facts->container)
        explain_container(facts, text, size);
    else
        snprintf(text, size,
                 "This machine refused a private network: %s\n(%s).\n"
                 "Who runs it has forbidden user namespaces, by SELinux or "
                 "another rule.\n"
                 "See what it allows, line by line:\n"
                 "  make doctor",
                 failed == NETNS_UNSHARE ? "making namespaces"
                 : failed == NETNS_MAP   ? "keeping your name in them"
                                         : "bringing loopback up in them",
                 strerror(error));
}

char *netns_explain_facts(const struct netns_facts *facts,
                          enum netns_step failed, int error, char *text,
                          size_t size)
{
    switch (error) {
    case ENOSPC:
        explain_limit(facts, text, size);
        break;
    case EUSERS:
        snprintf(text, size,
                 "Namespaces are nested too deeply here: the kernel allows 32 "
                 "levels.\nLeave some of the containers or shells you are in "
                 "(type exit).");
        break;
    case EPERM:
    case EACCES:
        explain_permission(facts, failed, error, text, size);
        break;
    case EINVAL:
    case ENOSYS:
        snprintf(text, size,
                 "This kernel was built without user or network namespaces, or "
                 "an emulation\nof it (gVisor, WSL 1) lacks them.\n"
                 "On Windows, WSL 2 has them:\n"
                 "  wsl --set-version DISTRIBUTION 2");
        break;
    default:
        snprintf(text, size,
                 "This machine could not make a private network: %s\n(%s).\n"
                 "See what it allows, line by line:\n  make doctor",
                 failed == NETNS_LOOPBACK ? "bringing loopback up"
                                          : "making namespaces",
                 strerror(error));
    }
    return text;
}

char *netns_explain(enum netns_step failed, int error, char *text, size_t size)
{
    struct netns_facts facts;

    netns_facts_read(&facts);
    return netns_explain_facts(&facts, failed, error, text, size);
}
