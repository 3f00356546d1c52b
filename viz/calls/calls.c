/*
 * The library's life inside a student's program: before main() it maps the
 * shared log, takes its orders, and removes every trace of itself from the
 * environment and the descriptors. See calls.h.
 */
#include "viz/calls/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct calls_log
    *calls_shared;             /* NULL: nobody asked, pass all through */
static struct calls_plan plan; /* a copy: the program can write to the log */
static atomic_uint interruptible;
static struct call_record spare; /* when the log is full */

static void open_log(const char *number)
{
    int fd = atoi(number);

    calls_shared = mmap(NULL, sizeof *calls_shared, PROT_READ | PROT_WRITE,
                        MAP_SHARED, fd, 0);
    close(fd);
    unsetenv(CALLS_VARIABLE);
    unsetenv("LD_PRELOAD");
    if (calls_shared == MAP_FAILED) {
        calls_shared = NULL;
        return;
    }
    plan = calls_shared->plan;
    atomic_store(&calls_shared->announced, 1);
}

/* A program built with gcc's AddressSanitizer wants to be the first library, or
 * else ends at once. It may be second: its calls go on from ours to it. The
 * sanitizer asks this before it reads ASAN_OPTIONS, so those stay as they are. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "verify_asan_link_order=0";
}

__attribute__((constructor)) static void announce(void)
{
    const char *number = getenv(CALLS_VARIABLE);
    int kept = errno;

    if (number)
        open_log(number);
    trace_open();
    errno = kept;
}

bool inside_socket(int fd)
{
    int kept = errno;
    struct stat status;
    bool socket = (calls_shared || trace_wanted()) && fstat(fd, &status) == 0 &&
                  S_ISSOCK(status.st_mode);

    errno = kept;
    return socket;
}

bool inside_planned(void)
{
    return calls_shared != NULL;
}

/* Every k-th, and after four of them one later: who begins again with two calls
 * (a look with MSG_PEEK, then the recv) gets through as well. */
static bool interrupts(void)
{
    unsigned n = atomic_fetch_add(&interruptible, 1) + 1;

    n %= 4 * plan.eintr_every + 1;
    return n > 0 && n % plan.eintr_every == 0;
}

static int planned_failure(enum call_name call, unsigned nth)
{
    for (int i = 0; i < CALLS_FAILURES; i++)
        if (plan.fail[i].call == call && plan.fail[i].nth == nth)
            return plan.fail[i].error;
    if (plan.eintr_every &&
        (call == CALL_ACCEPT || call == CALL_RECV || call == CALL_SEND) &&
        interrupts())
        return EINTR;
    return 0;
}

static void changed(struct call_record *record)
{
    if (record->injected)
        return;
    record->injected = 1;
    atomic_fetch_add(&calls_shared->injected[record->call], 1);
}

/* The log's part of a beginning. */
static int begin_log(struct inside_call *call)
{
    struct call_record *record = &spare;
    unsigned nth = atomic_fetch_add(&calls_shared->calls[call->name], 1) + 1;
    unsigned at = atomic_fetch_add(&calls_shared->count, 1);
    int error;

    if (at < CALLS_RECORDS)
        record = &calls_shared->record[at];
    record->call = (uint8_t)call->name;
    record->fd = call->fd;
    record->length = call->length;
    call->record = record;
    error = planned_failure(call->name, nth);
    if (error)
        changed(record);
    return error;
}

int inside_begin(struct inside_call *call)
{
    if (trace_wanted())
        trace_begin(call);
    return calls_shared && call->name != CALL_NONE ? begin_log(call) : 0;
}

int64_t inside_end(struct inside_call *call, int64_t result, int error)
{
    struct call_record *record = call->record;

    if (call->began_ns)
        trace_end(call, result, error);
    errno = error;
    if (!record)
        return result;
    record->result = result;
    record->error = result < 0 ? error : 0;
    record->seen = 1;
    if (result >= 0 && plan.dirty_errno)
        errno = plan.dirty_errno;
    return result;
}

size_t inside_shorten(struct inside_call *call, size_t length)
{
    if (!call->record || !plan.short_counts || length < 2)
        return length;
    changed(call->record);
    return (length + 1) / 2;
}
