/*
 * See confine.h. The filter is written out in BPF, for it is one list: no
 * library is asked, so a lesson needs none. The kernel remembers which calls
 * are always allowed, so that the list costs nothing at each call.
 */
#include "viz/lab/confine.h"

#ifdef __linux__

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

/* The sanitizers' own threads and reports want more. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#endif

#ifdef ARCHITECTURE

/* What viz goes on doing. Names that an architecture lacks are left out: it
 * has the newer ones. */
static const unsigned allowed[] = {
    /* the loop: packets, keys, the kernel's tables, the keeper */
    SYS_ppoll,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_sendto,
    SYS_sendmsg,
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_lseek,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_pselect6,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_getsockname,
    SYS_shutdown,
    SYS_close,
    SYS_close_range,
    SYS_dup,
    SYS_dup3,
    SYS_fcntl,
    SYS_pipe2,
    SYS_eventfd2,
    SYS_epoll_create1,
#ifdef SYS_poll
    SYS_poll,
    SYS_select,
    SYS_epoll_wait,
    SYS_pipe,
    SYS_dup2,
#endif
    /* its files: -w, progress, recordings, /proc */
    SYS_openat,
    SYS_newfstatat,
    SYS_fstat,
    SYS_statx,
    SYS_faccessat,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_getcwd,
    SYS_mkdirat,
    SYS_unlinkat,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_flock,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_chdir,
    SYS_umask,
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef SYS_renameat2
    SYS_renameat2,
#endif
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_open
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_mkdir,
    SYS_rename,
    SYS_unlink,
    SYS_rmdir,
    SYS_chmod,
#endif
    /* memory */
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_brk,
    /* time, chance, who am I */
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_getrandom,
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getpgid,
    SYS_getsid,
    SYS_uname,
    SYS_sysinfo,
    SYS_getrusage,
    SYS_prlimit64,
    SYS_times,
    SYS_sched_yield,
    SYS_sched_getaffinity,
#ifdef SYS_getpgrp
    SYS_getpgrp,
    SYS_time,
    SYS_getrlimit,
    SYS_alarm,
#endif
    /* signals, its children's ends (keeper, gzip), its own */
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigpending,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_setitimer,
    SYS_kill,
    SYS_tgkill,
    SYS_wait4,
    SYS_waitid,
    SYS_futex,
    SYS_set_robust_list,
    SYS_exit,
    SYS_exit_group,
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef INSTRUMENTED
    SYS_clone,
    SYS_ptrace,
    SYS_execve,
    SYS_prctl,
    SYS_process_vm_readv,
    SYS_membarrier,
    SYS_socketpair,
#ifdef SYS_clone3
    SYS_clone3,
#endif
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
    SYS_arch_prctl,
    SYS_getdents,
#endif
#endif
};

/* What a conqueror would ask for first: told that it may not, for libraries
 * take ENOSYS as "try another way". */
static const unsigned refused[] = {
    SYS_socket,   SYS_connect, SYS_bind,   SYS_listen, SYS_accept4,
#ifndef INSTRUMENTED
    SYS_clone,    SYS_ptrace,  SYS_execve,
#ifdef SYS_fork
    SYS_fork,     SYS_vfork,
#endif
#endif
    SYS_execveat, SYS_unshare, SYS_setns,  SYS_mount,  SYS_bpf,
};

enum { ALLOWED = sizeof allowed / sizeof *allowed };
enum { REFUSED = sizeof refused / sizeof *refused };
enum { WORD = 4, HALF = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : WORD };

struct program {
    struct sock_filter code[2 * (ALLOWED + REFUSED) + 16];
    unsigned short length;
};

static void add(struct program *program, uint16_t code, uint32_t k,
                uint8_t if_true, uint8_t if_false)
{
    program->code[program->length++] = (struct sock_filter){code, if_true,
                                                            if_false, k};
}

static void load(struct program *program, size_t offset)
{
    add(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* What is loaded equals `value`: that is the answer. */
static void answer_if(struct program *program, uint32_t value, uint32_t answer)
{
    add(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    add(program, BPF_RET | BPF_K, answer, 0, 0);
}

/* ioctl(2), but not what types into a terminal as if a person had. */
static void write_ioctl(struct program *program)
{
    enum { LINUX = 0x541C, LENGTH = 6 }; /* TIOCLINUX: pastes, on a console */

    add(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, LENGTH);
    load(program, offsetof(struct seccomp_data, args[1]) + HALF);
    answer_if(program, TIOCSTI, SECCOMP_RET_ERRNO | EPERM);
    answer_if(program, LINUX, SECCOMP_RET_ERRNO | EPERM);
    add(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void write_program(struct program *program)
{
    load(program, offsetof(struct seccomp_data, arch));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    add(program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    load(program, offsetof(struct seccomp_data, nr));
    for (int n = 0; n < ALLOWED; n++)
        answer_if(program, allowed[n], SECCOMP_RET_ALLOW);
    for (int n = 0; n < REFUSED; n++)
        answer_if(program, refused[n], SECCOMP_RET_ERRNO | EPERM);
    write_ioctl(program);
    add(program, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
}

int confine(void)
{
    struct program program = {.length = 0};
    struct sock_fprog filter = {.filter = program.code};

    write_program(&program);
    filter.len = program.length;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0 ||
        errno == EINVAL || errno == ENOSYS) /* a kernel without it */
        return 0;
    return -1;
}

#else

int confine(void)
{
    return 0; /* an architecture whose numbers nobody has tried */
}

#endif
#else

int confine(void)
{
    return 0;
}

#endif
