/*
 * What viz is told of each call on an Internet socket. One fstat(2) a call says
 * which socket a descriptor is now, whoever closed and opened it meanwhile;
 * what its ports are is asked once and remembered. No lock, no memory from the
 * heap, no descriptor kept: it may run in a signal handler and after fork().
 */
#include "viz/calls/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct trace *trace; /* NULL: nobody asked */
static int32_t pid;         /* ours; anew in the child of a fork() */
static __thread int32_t tid __attribute__((tls_model("initial-exec")));

/* What is known of the socket that a descriptor is, in one word so that
 * threads need no lock: 24 bits of its inode, a byte of enum what, both ports.
 * A place is shared by descriptors that are PLACES apart. */
enum what { WHAT_OTHER = 1, WHAT_TCP, WHAT_UDP };
enum { PLACES = 1024 };
static atomic_uint_least64_t known[PLACES];

static uint64_t word_of(uint64_t inode, enum what what, unsigned local,
                        unsigned remote)
{
    return inode << 40 | (uint64_t)what << 32 | (uint64_t)local << 16 | remote;
}

static enum what what_of(uint64_t word)
{
    return (enum what)(word >> 32 & 0xFF);
}

static unsigned local_of(uint64_t word)
{
    return word >> 16 & 0xFFFF;
}

static unsigned remote_of(uint64_t word)
{
    return word & 0xFFFF;
}

static void forked(void)
{
    pid = getpid();
    tid = 0;
}

/* Whether this program came with the system. Where /proc tells nothing, it did
 * not. */
static bool is_the_systems(void)
{
    static const char *const folders[] = {
        "/usr/bin/",        "/usr/sbin/",     "/usr/lib",    "/usr/local/bin/",
        "/usr/local/sbin/", "/usr/local/lib", "/usr/games/", "/bin/",
        "/sbin/",           "/lib/",          "/lib64/",     "/snap/",
        "/nix/store/",      "/gnu/store/"};
    char path[64];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (n <= 0)
        return false;
    path[n] = '\0';
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0)
            return true;
    return false;
}

/* The first bytes of a small file of /proc, as a string. */
static bool read_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

    if (fd >= 0)
        close(fd);
    if (n < 0)
        return false;
    text[n] = '\0';
    return true;
}

/* strace(1) shows each system call: what we ask the kernel beside would stand
 * between the program's own. */
static bool is_straced(void)
{
    static const char word[] = "TracerPid:";
    char text[1024], path[40];
    const char *at;

    if (!read_file("/proc/self/status", text, sizeof text) ||
        !(at = strstr(text, word)) || atoi(at + sizeof word - 1) == 0)
        return false;
    snprintf(path, sizeof path, "/proc/%d/comm", atoi(at + sizeof word - 1));
    return read_file(path, text, sizeof text) &&
           strncmp(text, "strace", 6) == 0;
}

void trace_open(void)
{
    const char *path = getenv(TRACE_VARIABLE);
    struct trace *shared = MAP_FAILED;
    struct stat status;
    int fd;

    if (!path || is_straced())
        return;
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size >= (off_t)sizeof *shared)
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED,
                      fd, 0);
    close(fd);
    if (shared == MAP_FAILED)
        return;
    if (shared->version != TRACE_VERSION ||
        (shared->whose == TRACE_OWN && is_the_systems())) {
        munmap(shared, sizeof *shared);
        return;
    }
    trace = shared;
    forked();
    pthread_atfork(NULL, NULL, forked);
}

bool trace_wanted(void)
{
    return trace != NULL;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* 0 for what is no Internet address. */
static unsigned port_of(const struct sockaddr *address, socklen_t length)
{
    struct sockaddr_in in; /* sockaddr_in6 has its port at the same place */

    if (!address || length < sizeof in)
        return 0;
    memcpy(&in, address, sizeof in);
    if (in.sin_family != AF_INET && in.sin_family != AF_INET6)
        return 0;
    return ntohs(in.sin_port);
}

static unsigned asked_port(int fd,
                           int (*ask)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    if (ask(fd, (struct sockaddr *)&address, &length) < 0)
        return 0;
    return port_of((struct sockaddr *)&address, length);
}

static enum what asked_what(int fd)
{
    int domain = 0, protocol = 0;
    socklen_t length = sizeof domain;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 ||
        (domain != AF_INET && domain != AF_INET6))
        return WHAT_OTHER;
    length = sizeof protocol;
    if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) < 0)
        return WHAT_OTHER;
    return protocol == IPPROTO_TCP   ? WHAT_TCP
           : protocol == IPPROTO_UDP ? WHAT_UDP
                                     : WHAT_OTHER;
}

/* What the descriptor is now; 0 when it is no socket. `anew`: its ports may
 * have changed. */
static uint64_t socket_of(int fd, bool anew)
{
    atomic_uint_least64_t *place = &known[(unsigned)fd % PLACES];
    uint64_t word = atomic_load_explicit(place, memory_order_relaxed);
    struct stat status;
    enum what what;

    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISSOCK(status.st_mode))
        return 0;
    if (!anew && word >> 40 == (status.st_ino & 0xFFFFFF) && what_of(word))
        return word;
    what = asked_what(fd);
    word = word_of(status.st_ino, what, 0, 0);
    if (what != WHAT_OTHER)
        word = word_of(status.st_ino, what, asked_port(fd, getsockname),
                       asked_port(fd, getpeername));
    /* An Internet socket without a port may get one by any call. */
    atomic_store_explicit(place,
                          what == WHAT_OTHER || local_of(word) ? word : 0,
                          memory_order_relaxed);
    return word;
}

void trace_begin(struct inside_call *call)
{
    int kept = errno;

    if (call->function == TRACE_CLOSE) /* afterwards nobody can tell */
        call->socket = socket_of(call->fd, false);
    call->began_ns = now_ns();
    errno = kept;
}

/* The socket that this call was about, with the ports it has by now. */
static uint64_t socket_after(const struct inside_call *call, int64_t result,
                             int error)
{
    uint64_t word;
    unsigned named = 0;

    switch (call->function) {
    case TRACE_CLOSE:
        return call->socket;
    case TRACE_SOCKET:
    case TRACE_ACCEPT:
        word = result >= 0 ? socket_of((int)result, true)
                           : socket_of(call->fd, false);
        break;
    case TRACE_BIND:
    case TRACE_CONNECT:
        word = socket_of(call->fd, true);
        break;
    default:
        word = socket_of(call->fd, false);
        break;
    }
    if (error != EFAULT || result >= 0)
        named = port_of(call->to, call->to_length);
    if (named && call->function == TRACE_BIND && !local_of(word))
        word |= (uint64_t)named << 16;
    else if (named && call->function != TRACE_BIND && !remote_of(word))
        word |= named;
    if (call->function == TRACE_CONNECT && local_of(word)) /* under way, too */
        atomic_store_explicit(&known[(unsigned)call->fd % PLACES], word,
                              memory_order_relaxed);
    return word;
}

/* Take the next slot. Should another writer, a whole ring later, be in it too,
 * the reader finds a number that it does not expect. */
static void put(const struct inside_call *call, uint64_t socket, int64_t result,
                int error, int64_t ended_ns)
{
    uint64_t number = atomic_fetch_add(&trace->newest, 1) + 1;
    struct trace_record *record = &trace->record[(number - 1) % TRACE_RECORDS];

    atomic_store_explicit(&record->number, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    if (tid == 0)
        tid = gettid();
    record->began_ns = call->began_ns;
    record->ended_ns = ended_ns;
    record->length = call->length;
    record->result = result;
    record->error = result < 0 ? error : 0;
    record->fd = call->fd;
    record->pid = pid;
    record->tid = tid;
    record->local_port = (uint16_t)local_of(socket);
    record->remote_port = (uint16_t)remote_of(socket);
    record->function = (uint8_t)call->function;
    record->protocol = what_of(socket) == WHAT_UDP ? IPPROTO_UDP : IPPROTO_TCP;
    atomic_store_explicit(&record->number, number, memory_order_release);
}

void trace_end(const struct inside_call *call, int64_t result, int error)
{
    int64_t ended_ns = now_ns();
    bool any = call->function == TRACE_EPOLL_WAIT;
    int kept = errno;
    uint64_t socket = any ? word_of(0, WHAT_TCP, 0, 0)
                          : socket_after(call, result, error);

    if (what_of(socket) > WHAT_OTHER)
        put(call, socket, result, error, ended_ns);
    errno = kept;
}
