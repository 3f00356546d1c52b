/*
 * The calls that no lab needs and an attack does, denied by name: a list and
 * not its opposite, so that a libc we never saw still works in it. Everything
 * else is bounded by namespaces and limits.
 */
#include "tests/grader/shim.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const char *const denied[] = {
    /* the kernel itself */
    "acct",
    "bpf",
    "create_module",
    "delete_module",
    "finit_module",
    "init_module",
    "get_kernel_syms",
    "query_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "syslog",
    "_sysctl",
    "sysfs",
    "uselib",
    "ustat",
    "vhangup",
    "swapon",
    "swapoff",
    "quotactl",
    "quotactl_fd",
    "nfsservctl",
    "lookup_dcookie",
    "ioperm",
    "iopl",
    "vm86",
    "vm86old",
    /* time */
    "adjtimex",
    "clock_adjtime",
    "clock_settime",
    "settimeofday",
    "stime",
    /* file systems and namespaces */
    "mount",
    "umount",
    "umount2",
    "pivot_root",
    "chroot",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "open_tree",
    "move_mount",
    "mount_setattr",
    "name_to_handle_at",
    "open_by_handle_at",
    "fanotify_init",
    "setns",
    "unshare",
    "sethostname",
    "setdomainname",
    /* keys, tracing, other processes' memory */
    "add_key",
    "request_key",
    "keyctl",
    "perf_event_open",
    "process_vm_readv",
    "process_vm_writev",
    "kcmp",
    "pidfd_getfd",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "mbind",
    "migrate_pages",
    "move_pages",
    "memfd_secret",
};

static int deny(scmp_filter_ctx filter, const char *name)
{
    int call = seccomp_syscall_resolve_name(name);

    if (call == __NR_SCMP_ERROR)
        return 0; /* not on this machine */
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
}

/* Deny `call` when its argument compares so. Arguments that the kernel takes
 * as 32 bits are compared as such (SCMP_CMP_MASKED_EQ) or so that dirt above
 * them is denied too. */
static int deny_when(scmp_filter_ctx filter, int error, int call, unsigned arg,
                     enum scmp_compare op, uint64_t a, uint64_t b)
{
    const struct scmp_arg_cmp when = {
        .arg = arg, .op = op, .datum_a = a, .datum_b = b};

    return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((unsigned)error), call,
                                  1, &when);
}

static const uint64_t low_32 = 0xffffffff;

/* Internet and Unix sockets, streams and datagrams: no raw, packet, netlink,
 * vsock or crypto sockets. */
static int deny_sockets(scmp_filter_ctx filter)
{
    const int call = SCMP_SYS(socket);
    int bad = 0;

    bad |= deny_when(filter, EAFNOSUPPORT, call, 0, SCMP_CMP_GT, AF_INET6, 0);
    for (unsigned family = AF_INET + 1; family < AF_INET6; family++)
        bad |= deny_when(filter, EAFNOSUPPORT, call, 0, SCMP_CMP_EQ, family, 0);
    bad |= deny_when(filter, EPERM, call, 1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW);
    bad |= deny_when(filter, EAFNOSUPPORT, SCMP_SYS(socketpair), 0, SCMP_CMP_NE,
                     AF_UNIX, 0);
    return bad;
}

/* New namespaces by clone(2) flags; clone3(2) hides its flags in memory, so it
 * "does not exist" and libc falls back. Typing into the terminal. */
static int deny_arguments(scmp_filter_ctx filter)
{
    static const unsigned long spaces[] = {
        CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
        CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET,
    };
    int bad = 0;

    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        bad |= deny_when(filter, EPERM, SCMP_SYS(clone), 0, SCMP_CMP_MASKED_EQ,
                         spaces[i], spaces[i]);
    bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
                            0);
    bad |= deny_when(filter, EPERM, SCMP_SYS(ioctl), 1, SCMP_CMP_MASKED_EQ,
                     low_32, TIOCSTI);
    return bad;
}

int shim_seccomp(bool allow_ptrace)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int bad = 0, error;

    if (!filter) {
        errno = ENOMEM;
        return -1;
    }
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
        bad |= deny(filter, denied[i]);
    /* LeakSanitizer traces its own process: allowed where nobody else's can
     * be seen. */
    if (!allow_ptrace)
        bad |= deny(filter, "ptrace");
    bad |= deny_sockets(filter);
    bad |= deny_arguments(filter);
    error = bad ? EINVAL : -seccomp_load(filter);
    seccomp_release(filter);
    errno = error;
    return error ? -1 : 0;
}
