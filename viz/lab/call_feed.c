/* See call_feed.h. Read with pread(2): a file that a program has cut short ends
 * early, where a mapping would end viz. */
#include "viz/lab/call_feed.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "viz/lab/student.h"

enum {
    PATIENCE_MS = 100, /* for a record whose writer may have died in it */
    BATCH = 128
};

struct call_feed {
    int fd;
    char path[CALL_FEED_PATH];
    int64_t start_ns;
    uint64_t taken;    /* number of the last record that was read or given up */
    int64_t waited_ns; /* since when the next one is not finished; 0 */
    uint64_t lost;
};

/* --- the decoder ----------------------------------------------------------- */

static const enum call_function functions[TRACE_FUNCTIONS] = {
    [TRACE_NONE] = CALLED_FUNCTIONS,
    [TRACE_SOCKET] = CALLED_SOCKET,
    [TRACE_BIND] = CALLED_BIND,
    [TRACE_LISTEN] = CALLED_LISTEN,
    [TRACE_ACCEPT] = CALLED_ACCEPT,
    [TRACE_CONNECT] = CALLED_CONNECT,
    [TRACE_RECV] = CALLED_RECV,
    [TRACE_RECVFROM] = CALLED_RECVFROM,
    [TRACE_RECVMSG] = CALLED_RECVMSG,
    [TRACE_READ] = CALLED_READ,
    [TRACE_READV] = CALLED_READV,
    [TRACE_SEND] = CALLED_SEND,
    [TRACE_SENDTO] = CALLED_SENDTO,
    [TRACE_SENDMSG] = CALLED_SENDMSG,
    [TRACE_WRITE] = CALLED_WRITE,
    [TRACE_WRITEV] = CALLED_WRITEV,
    [TRACE_SETSOCKOPT] = CALLED_SETSOCKOPT,
    [TRACE_SHUTDOWN] = CALLED_SHUTDOWN,
    [TRACE_CLOSE] = CALLED_CLOSE,
    [TRACE_POLL] = CALLED_POLL,
    [TRACE_SELECT] = CALLED_SELECT,
    [TRACE_EPOLL_WAIT] = CALLED_EPOLL_WAIT,
};

bool call_record_read(const struct trace_record *record, int64_t start_ns,
                      int64_t now_ns, struct program_call *call)
{
    if (record->function == TRACE_NONE || record->function >= TRACE_FUNCTIONS ||
        (record->protocol != PROTO_TCP && record->protocol != PROTO_UDP))
        return false;
    if (record->began_ns < start_ns || record->ended_ns < record->began_ns ||
        record->ended_ns > now_ns)
        return false;
    if (record->fd < -1 || record->pid <= 0 || record->tid <= 0 ||
        record->result < -1 || (record->result == -1) != (record->error > 0))
        return false;
    *call = (struct program_call){.function = functions[record->function],
                                  .protocol = record->protocol,
                                  .local_port = record->local_port,
                                  .remote_port = record->remote_port,
                                  .fd = record->fd,
                                  .pid = record->pid,
                                  .tid = record->tid,
                                  .error = record->error,
                                  .began_ns = record->began_ns,
                                  .ended_ns = record->ended_ns,
                                  .length = record->length,
                                  .result = record->result,
                                  .flow = -1};
    return true;
}

/* --- the file -------------------------------------------------------------- */

/* build/lib/calls.so, found from build/bin/viz. */
int call_feed_library(char *path, size_t size)
{
    static const char name[] = "/lib/calls.so";
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n <= 0)
        return -1;
    self[n] = '\0';
    if (snprintf(path, size, "%s%s", dirname(dirname(self)), name) >=
        (int)size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (strpbrk(path, " :")) { /* what LD_PRELOAD separates names by */
        errno = EINVAL;
        return -1;
    }
    return access(path, R_OK);
}

#define FILE_NAME "/two-terminals-calls-"

/* A viz that was killed could not remove its file; one that lives has it
 * locked, but for its first moment. Others' files cannot be opened. */
static void remove_stale(const char *folder)
{
    int64_t minute_ago = clock_wall() / CLOCK_SECOND - 60;
    char pattern[64];
    struct stat status;
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s" FILE_NAME "??????", folder);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int fd = open(found.gl_pathv[i],
                      O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

        if (fd < 0)
            continue;
        if (fstat(fd, &status) == 0 && status.st_mtime < minute_ago &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlink(found.gl_pathv[i]);
        close(fd);
    }
    globfree(&found);
}

/* All of it there from the start: a program must never find at a write that no
 * memory is left for it, for that is SIGBUS. */
static int fill_file(int fd, enum trace_whose whose)
{
    const uint64_t head[] = {TRACE_VERSION, whose};
    int error = posix_fallocate(fd, 0, sizeof(struct trace));

    if (error != 0) {
        errno = error;
        return -1;
    }
    return pwrite(fd, head, sizeof head, 0) == sizeof head ? 0 : -1;
}

static int make_file(char path[CALL_FEED_PATH], enum trace_whose whose)
{
    static const char *const folders[] = {"/dev/shm", "/tmp"};
    int fd = -1, error;

    for (size_t i = 0; i < 2 && fd < 0; i++) {
        remove_stale(folders[i]);
        snprintf(path, CALL_FEED_PATH, "%s" FILE_NAME "XXXXXX", folders[i]);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd < 0 || fill_file(fd, whose) == 0)
            continue;
        error = errno;
        unlink(path);
        close(fd);
        errno = error;
        fd = -1;
    }
    if (fd >= 0)
        flock(fd, LOCK_EX | LOCK_NB);
    return fd;
}

struct call_feed *call_feed_open(enum trace_whose whose)
{
    struct call_feed *feed = calloc(1, sizeof *feed);
    char library[PATH_MAX];
    struct student student;
    int error;

    if (!feed)
        return NULL;
    feed->fd = -1;
    feed->start_ns = clock_wall();
    student_read(&student);
    if (call_feed_library(library, sizeof library) == 0)
        feed->fd = make_file(feed->path, whose);
    if (feed->fd >= 0 && (!student.behind_sudo ||
                          fchown(feed->fd, student.uid, student.gid) == 0))
        return feed;
    error = errno;
    call_feed_close(feed);
    errno = error;
    return NULL;
}

void call_feed_close(struct call_feed *feed)
{
    if (!feed)
        return;
    if (feed->fd >= 0) {
        unlink(feed->path);
        close(feed->fd);
    }
    free(feed);
}

const char *call_feed_path(const struct call_feed *feed)
{
    return feed->path;
}

int call_feed_offer(const char *path)
{
    char library[PATH_MAX];

    if (call_feed_library(library, sizeof library) < 0 ||
        setenv(TRACE_VARIABLE, path, 1) < 0)
        return -1;
    return setenv("LD_PRELOAD", library, 1);
}

void call_feed_withdraw(void)
{
    unsetenv(TRACE_VARIABLE);
    unsetenv("LD_PRELOAD");
}

/* --- reading --------------------------------------------------------------- */

static uint64_t newest(const struct call_feed *feed)
{
    uint64_t number;

    if (pread(feed->fd, &number, sizeof number,
              offsetof(struct trace, newest)) != sizeof number)
        return 0;
    return number;
}

/* The records after the last one taken, as far as they lie in one piece. */
static size_t fetch(const struct call_feed *feed, struct trace_record *records,
                    uint64_t most)
{
    size_t at = feed->taken % TRACE_RECORDS;
    size_t count = most < BATCH ? (size_t)most : BATCH;
    ssize_t n;

    if (count > TRACE_RECORDS - at)
        count = TRACE_RECORDS - at;
    n = pread(feed->fd, records, count * sizeof *records,
              (off_t)(offsetof(struct trace, record) + at * sizeof *records));
    return n > 0 ? (size_t)n / sizeof *records : 0;
}

/* Whether to go on behind a record that is not there yet. */
static bool give_up(struct call_feed *feed)
{
    int64_t now = clock_now();

    if (feed->waited_ns == 0)
        feed->waited_ns = now;
    return now - feed->waited_ns > (int64_t)PATIENCE_MS * CLOCK_MS;
}

/* One fetched record. false: it must be waited for. */
static bool take(struct call_feed *feed, const struct trace_record *record,
                 uint64_t end, struct event *event)
{
    uint64_t number = record->number;
    bool overtaken = end - feed->taken > TRACE_RECORDS;

    event->kind = EVENT_LOOKED; /* stands for nothing */
    if (number != feed->taken + 1 && !overtaken && !give_up(feed))
        return false;
    feed->waited_ns = 0;
    feed->taken++;
    if (number == feed->taken && !overtaken &&
        call_record_read(record, feed->start_ns, clock_wall(), &event->made))
        event->kind = EVENT_CALL;
    else
        feed->lost++;
    return true;
}

int call_feed_read(struct call_feed *feed, event_sink_fn *sink, void *self)
{
    struct trace_record records[BATCH];
    uint64_t end = newest(feed);
    int handed = 0;

    if (end < feed->taken) /* nonsense, or cut */
        return 0;
    if (end - feed->taken > TRACE_RECORDS) {
        feed->lost += end - feed->taken - TRACE_RECORDS;
        feed->taken = end - TRACE_RECORDS;
    }
    while (feed->taken < end) {
        size_t count = fetch(feed, records, end - feed->taken);
        uint64_t now = newest(feed);

        for (size_t i = 0; i < count; i++) {
            struct event event;

            if (!take(feed, &records[i], now, &event))
                return handed;
            if (event.kind != EVENT_CALL)
                continue;
            event.time_ns = event.made.ended_ns;
            sink(self, &event);
            handed++;
        }
        if (count == 0)
            return handed;
    }
    return handed;
}

uint64_t call_feed_lost(const struct call_feed *feed)
{
    return feed->lost;
}
