/* See submission.h. */
#include "tests/grader/submission.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/grader/evidence.h"

/* Why it was refused, with the file's name made safe to print. */
__attribute__((format(printf, 5, 6))) static int refuse(char *why, size_t size,
                                                        int error,
                                                        const char *name,
                                                        const char *format, ...)
{
    char clean[3 * SUBMISSION_NAME];
    va_list arguments;
    size_t used;

    evidence_clean(name, strlen(name), clean, sizeof clean, 0);
    used = (size_t)snprintf(why, size, "%s ", clean);
    va_start(arguments, format);
    if (used < size)
        vsnprintf(why + used, size - used, format, arguments);
    va_end(arguments);
    errno = error;
    return -1;
}

static bool is_source(const char *name)
{
    size_t n = strlen(name);

    return name[0] != '.' && n > 2 && name[n - 2] == '.' &&
           (name[n - 1] == 'c' || name[n - 1] == 'h');
}

/* To the end, or one byte past the limit; the length, or -1. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t n = read(fd, bytes + used, size - used);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        used += (size_t)n;
    }
    return (ssize_t)used;
}

static int read_one(struct submission *submission, int folder, const char *name,
                    char *why, size_t size)
{
    struct submission_file *file = &submission->file[submission->count];
    struct stat status;
    ssize_t length;
    int fd;

    if (submission->count == SUBMISSION_FILES)
        return refuse(why, size, E2BIG, name,
                      "is one too many: at most %d .c "
                      "and .h files are graded.",
                      SUBMISSION_FILES);
    if (strlen(name) >= sizeof file->name)
        return refuse(why, size, ENAMETOOLONG, name,
                      "has too long a name: at most %d letters.",
                      SUBMISSION_NAME - 1);
    fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return refuse(why, size, errno, name,
                      errno == ELOOP
                          ? "is a symbolic link: put the file itself there."
                          : "cannot be read: %s.",
                      strerror(errno));
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return refuse(why, size, EINVAL, name,
                      "is no regular file: only those are graded.");
    }
    file->bytes = malloc(SUBMISSION_FILE_BYTES + 1);
    length = file->bytes ? read_all(fd, file->bytes, SUBMISSION_FILE_BYTES + 1)
                         : -1;
    close(fd);
    if (length < 0 || length > SUBMISSION_FILE_BYTES ||
        submission->bytes + (size_t)length > SUBMISSION_BYTES) {
        free(file->bytes);
        file->bytes = NULL;
        if (length < 0)
            return refuse(why, size, errno, name, "cannot be read: %s.",
                          strerror(errno));
        return refuse(why, size, EFBIG, name,
                      "is too large: at most 1 MiB a file, 8 MiB together.");
    }
    snprintf(file->name, sizeof file->name, "%s", name);
    file->length = (size_t)length;
    submission->bytes += (size_t)length;
    submission->count++;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct submission_file *left = a, *right = b;

    return strcmp(left->name, right->name);
}

static const struct submission_file *find(const struct submission *submission,
                                          const char *name)
{
    for (size_t i = 0; i < submission->count; i++)
        if (strcmp(submission->file[i].name, name) == 0)
            return &submission->file[i];
    return NULL;
}

int submission_read(struct submission *submission, const char *folder,
                    const char *const *needed, char *why, size_t size)
{
    struct dirent *entry;
    DIR *list;
    int fd, bad = 0;

    *submission = (struct submission){0};
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    list = fd < 0 ? NULL : fdopendir(fd);
    if (!list) {
        int error = errno;

        if (fd >= 0)
            close(fd);
        return refuse(why, size, error, folder, "cannot be opened: %s.",
                      error == ENOENT ? "there is no such folder"
                                      : strerror(error));
    }
    while (!bad && (entry = readdir(list)))
        if (is_source(entry->d_name))
            bad = read_one(submission, dirfd(list), entry->d_name, why, size);
    closedir(list);
    for (; !bad && *needed; needed++)
        if (!find(submission, *needed))
            bad = refuse(why, size, ENOENT, *needed, "is not in %s.", folder);
    if (bad) {
        int error = errno;

        submission_fini(submission);
        errno = error;
        return -1;
    }
    qsort(submission->file, submission->count, sizeof *submission->file,
          by_name);
    return 0;
}

void submission_fini(struct submission *submission)
{
    for (size_t i = 0; i < submission->count; i++)
        free(submission->file[i].bytes);
    *submission = (struct submission){0};
}
