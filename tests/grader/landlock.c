/*
 * Landlock (landlock(7)): a second wall in a full cell, and the main one where
 * namespaces are refused. The header of an older system lacks the newer
 * constants, so the structures stand here as the kernel defines them.
 */
#include "tests/grader/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

struct ruleset {
    uint64_t files, network, scoped;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

enum {
    VERSION = 1, /* flag: tell the ABI */
    RULE_PATH = 1,
    FILES_READ = 1 | 4 | 8,    /* execute, read a file, read a directory */
    FILES_ALL = (1 << 13) - 1, /* all of ABI 1 */
    FILE_WRITE = 2 | 4,
    SCOPES = 1 | 2 /* abstract Unix sockets, signals (ABI 6) */
};

int shim_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION);

    return abi < 0 ? 0 : (int)abi;
}

static int allow(int rules, const char *path, uint64_t what)
{
    struct path_rule rule = {.allowed = what};
    long done;

    rule.parent = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent < 0)
        return errno == ENOENT ? 0 : -1;
    done = syscall(SYS_landlock_add_rule, rules, RULE_PATH, &rule, 0);
    close(rule.parent);
    return done < 0 ? -1 : 0;
}

int shim_landlock(const char *folder)
{
    static const char *const readable[] = {"/usr", "/lib",  "/lib64",
                                           "/bin", "/sbin", "/proc"};
    static const char *const files[] = {"/etc/ld.so.cache", "/etc/hosts",
                                        "/etc/nsswitch.conf", "/dev/urandom",
                                        "/dev/random"};
    int abi = shim_landlock_abi();
    struct ruleset wanted = {.files = folder ? FILES_ALL : 0,
                             .scoped = abi >= 6 ? SCOPES : 0};
    size_t size = abi >= 6 ? sizeof wanted : abi >= 4 ? 16 : 8;
    int rules, bad = 0;

    if (abi == 0 || (!wanted.files && !wanted.scoped))
        return 0;
    rules = (int)syscall(SYS_landlock_create_ruleset, &wanted, size, 0);
    if (rules < 0)
        return -1;
    if (folder) {
        for (size_t i = 0; i < sizeof readable / sizeof *readable; i++)
            bad |= allow(rules, readable[i], FILES_READ);
        for (size_t i = 0; i < sizeof files / sizeof *files; i++)
            bad |= allow(rules, files[i], 4);
        bad |= allow(rules, "/dev/null", FILE_WRITE);
        bad |= allow(rules, folder, FILES_ALL);
    }
    if (!bad)
        bad = (int)syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
    return bad ? -1 : 0;
}
