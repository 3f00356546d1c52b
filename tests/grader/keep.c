/* See keep.h. */
#include "tests/grader/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/progress.h"

#define RUNS ".lab/runs"

static int copy_out(const char *path, int from)
{
    char bytes[64 << 10];
    off_t at = 0;
    ssize_t n;
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                  0644);

    if (to < 0)
        return -1;
    while ((n = pread(from, bytes, sizeof bytes, at)) > 0) {
        if (write(to, bytes, (size_t)n) != n) {
            n = -1;
            break;
        }
        at += n;
    }
    return close(to) < 0 || n < 0 ? -1 : 0;
}

static int write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    if (!out)
        return -1;
    fprintf(out, "%s\n", text);
    return fclose(out) == 0 ? 0 : -1;
}

void keep_runs(const struct report *report, const int *captures)
{
    char path[PATH_MAX];

    mkdir(".lab", 0755);
    if (mkdir(RUNS, 0755) < 0 && errno != EEXIST) {
        fprintf(stderr, "%s: %s: captures are not kept\n", RUNS,
                strerror(errno));
        return;
    }
    for (size_t i = 0; i < report->lab->check_count; i++) {
        const struct result *result = &report->result[i];
        const char *id = report->lab->checks[i].id;

        if (!report->which[i])
            continue;
        snprintf(path, sizeof path, RUNS "/%02d-%s.pcap", report->number, id);
        if (result->captured && captures[i] >= 0 &&
            copy_out(path, captures[i]) < 0)
            fprintf(stderr, "%s: %s\n", path, strerror(errno));
        snprintf(path, sizeof path, RUNS "/%02d-%s.txt", report->number, id);
        if (!result->log)
            unlink(path);
        else if (write_text(path, result->log) < 0)
            fprintf(stderr, "%s: %s\n", path, strerror(errno));
    }
}

void keep_score(const struct report *report)
{
    struct score score = report_score(report);
    char key[100], value[40];
    int kept = 0;

    snprintf(key, sizeof key, "lab.%s.score", report->lab->name);
    snprintf(value, sizeof value, "%d/%d", score.points, score.max);
    if (progress_set(PROGRESS_FILE, key, value, &kept) < 0)
        fprintf(stderr, "%s: %s: the score is not kept\n", PROGRESS_FILE,
                strerror(errno));
    else if (kept)
        fprintf(stderr,
                "%s was damaged; it is kept beside as .broken, and a "
                "new one begun.\n",
                PROGRESS_FILE);
}

int keep_report(const char *path,
                int (*write)(FILE *out, const struct report *report),
                const struct report *report)
{
    char part[PATH_MAX];
    FILE *out;
    int error;

    if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    out = fopen(part, "w");
    if (!out)
        return -1;
    if (write(out, report) == 0 && fclose(out) == 0 && rename(part, path) == 0)
        return 0;
    error = errno;
    unlink(part);
    errno = error;
    return -1;
}

static bool same_file(const struct submission_file *file, const char *lab)
{
    char path[PATH_MAX], *bytes;
    struct stat status;
    bool same = false;
    int fd;

    snprintf(path, sizeof path, "labs/%s/%s", lab, file->name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bytes = malloc(file->length + 1);
    if (bytes && fstat(fd, &status) == 0 &&
        status.st_size == (off_t)file->length)
        same = read(fd, bytes, file->length) == (ssize_t)file->length &&
               memcmp(bytes, file->bytes, file->length) == 0;
    free(bytes);
    close(fd);
    return same;
}

bool keep_untouched(const char *lab, const struct submission *submission)
{
    for (size_t i = 0; i < submission->count; i++)
        if (!same_file(&submission->file[i], lab))
            return false;
    return submission->count > 0;
}
