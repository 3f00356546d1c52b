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

__attribute__((constructor)) static void announce(void)
{
    const char *number = getenv(CALLS_VARIABLE);
    int fd;

    if (!number)
        return;
    fd = atoi(number);
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

bool inside_socket(int fd)
{
    int kept = errno;
    struct stat status;
    bool socket = calls_shared && fstat(fd, &status) == 0 &&
                  S_ISSOCK(status.st_mode);

    errno = kept;
    return socket;
}

static int planned_failure(enum call_name call, unsigned nth)
{
    for (int i = 0; i < CALLS_FAILURES; i++)
        if (plan.fail[i].call == call && plan.fail[i].nth == nth)
            return plan.fail[i].error;
    if (plan.eintr_every &&
        (call == CALL_ACCEPT || call == CALL_RECV || call == CALL_SEND) &&
        (atomic_fetch_add(&interruptible, 1) + 1) % plan.eintr_every == 0)
        return EINTR;
    return 0;
}

struct call_record *inside_begin(enum call_name call, int fd, int64_t length,
                                 int *error)
{
    struct call_record *record = &spare;
    unsigned nth, at;

    *error = 0;
    if (!calls_shared)
        return NULL;
    nth = atomic_fetch_add(&calls_shared->calls[call], 1) + 1;
    at = atomic_fetch_add(&calls_shared->count, 1);
    if (at < CALLS_RECORDS)
        record = &calls_shared->record[at];
    record->call = (uint8_t)call;
    record->fd = fd;
    record->length = length;
    *error = planned_failure(call, nth);
    if (*error)
        inside_changed(record);
    return record;
}

void inside_changed(struct call_record *record)
{
    if (!record || record->injected)
        return;
    record->injected = 1;
    atomic_fetch_add(&calls_shared->injected[record->call], 1);
}

int64_t inside_end(struct call_record *record, int64_t result, int error)
{
    if (!record)
        return result;
    record->result = result;
    record->error = result < 0 ? error : 0;
    record->seen = 1;
    errno = result < 0 || !plan.dirty_errno ? error : plan.dirty_errno;
    return result;
}

size_t inside_shorten(struct call_record *record, size_t length)
{
    if (!record || !plan.short_counts || length < 2)
        return length;
    inside_changed(record);
    return (length + 1) / 2;
}
