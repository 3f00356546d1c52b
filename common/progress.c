/*
 * See progress.h. The file is read whole, changed in memory and written whole
 * beside the old one; the folder is locked meanwhile (flock(2)), so that a
 * lesson and a grade that end together both keep their line.
 */
#include "common/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MOST = 256 * 1024, KEY_MOST = 120, VALUE_MOST = 200 };

#define HEADER                                                                 \
    "# Two Terminals: your progress. One `key value` a line; docs/progress.md" \
    " has the keys.\n"

static bool key_ok(const char *key, size_t length)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-_";

    return length > 0 && length <= KEY_MOST && strspn(key, letters) >= length;
}

static bool value_ok(const char *value, size_t length)
{
    if (length == 0 || length > VALUE_MOST)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < ' ' || value[i] > '~')
            return false;
    }
    return true;
}

/* One line of the file, cut into its parts; `key` NULL for a comment or an
 * empty line. false: it does not belong into a progress file. */
struct line {
    const char *start, *key, *value;
    size_t length, key_length, value_length; /* length without the newline */
};

static bool line_next(const char **at, const char *end, struct line *line)
{
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    const char *space;

    memset(line, 0, sizeof *line);
    line->start = *at;
    line->length = (size_t)((newline ? newline : end) - *at);
    *at = newline ? newline + 1 : end;
    if (!newline)
        return false; /* the end was cut off: who knows what it said */
    if (line->length == 0 || line->start[0] == '#')
        return !memchr(line->start, '\0', line->length);
    space = memchr(line->start, ' ', line->length);
    if (!space)
        return false;
    line->key_length = (size_t)(space - line->start);
    line->value = space + 1;
    line->value_length = line->length - line->key_length - 1;
    if (!key_ok(line->start, line->key_length) ||
        !value_ok(line->value, line->value_length))
        return false;
    line->key = line->start;
    return true;
}

/* The whole file, the caller's to free. NULL with errno: ENOENT, EBADMSG when
 * it is absurdly long or no plain file. */
static char *read_whole(const char *path, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    char *text = NULL;
    ssize_t n;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) < 0)
        goto out;
    if (!S_ISREG(st.st_mode) || st.st_size > FILE_MOST) {
        errno = EBADMSG;
        goto out;
    }
    text = malloc(FILE_MOST + 1);
    *length = 0;
    while (text && *length < FILE_MOST) {
        n = read(fd, text + *length, FILE_MOST - *length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(text);
            text = NULL;
        }
        if (n <= 0)
            break;
        *length += (size_t)n;
    }
    if (text)
        text[*length] = '\0';
out:
    close(fd);
    return text;
}

static bool same_key(const struct line *line, const char *key)
{
    return line->key && line->key_length == strlen(key) &&
           memcmp(line->key, key, line->key_length) == 0;
}

int progress_get(const char *path, const char *key, char *value, size_t size)
{
    size_t length;
    char *text = read_whole(path, &length);
    const char *at = text, *end;
    struct line line;
    int found = -1;

    if (!text)
        return -1;
    end = text + length;
    errno = ENOENT;
    while (at < end) {
        if (!line_next(&at, end, &line)) {
            found = -1;
            errno = EBADMSG;
            break;
        }
        if (same_key(&line, key) && size > 0) {
            snprintf(value, size, "%.*s", (int)line.value_length, line.value);
            found = 0;
        }
    }
    free(text);
    return found;
}

/* Move a file that is none of ours aside, where nobody overwrites it. */
static int keep_aside(const char *path)
{
    char aside[PATH_MAX];

    for (int n = 1; n < 1000; n++) {
        if (snprintf(aside, sizeof aside, "%s.broken-%d", path, n) >=
            (int)sizeof aside) {
            errno = ENAMETOOLONG;
            return -1;
        }
        if (link(path, aside) == 0)
            return unlink(path);
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

/* Opened and locked: the folder that `path` lies in, made when it is not
 * there. close(2) unlocks. */
static int lock_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int fd, length = slash ? (int)(slash - path) : 0;

    if (length >= (int)sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(folder, sizeof folder, "%.*s", slash ? length : 1,
             slash ? path : ".");
    if (folder[0] == '\0')
        snprintf(folder, sizeof folder, "/");
    if (mkdir(folder, 0777) < 0 && errno != EEXIST)
        return -1;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && flock(fd, LOCK_EX) < 0) {
        if (errno == EINTR)
            continue;
        close(fd);
        return -1;
    }
    return fd;
}

/* All good lines of the old text with the new one in its place, or at the
 * end. *broken: there was a line that is none. */
static void write_lines(FILE *out, const char *text, size_t length,
                        const char *key, const char *value, bool *broken)
{
    const char *at = text, *end = text + length;
    struct line line;
    bool written = false;

    if (length == 0)
        fputs(HEADER, out);
    while (at < end) {
        if (!line_next(&at, end, &line)) {
            *broken = true;
        } else if (!same_key(&line, key)) {
            fprintf(out, "%.*s\n", (int)line.length, line.start);
        } else if (!written) {
            fprintf(out, "%s %s\n", key, value);
            written = true;
        }
    }
    if (!written)
        fprintf(out, "%s %s\n", key, value);
}

static int write_beside(const char *part, const char *text, size_t length,
                        const char *key, const char *value, bool *broken)
{
    FILE *out = fopen(part, "we");
    int failed;

    if (!out)
        return -1;
    write_lines(out, text, length, key, value, broken);
    failed = fflush(out) != 0 || fsync(fileno(out)) != 0;
    failed |= ferror(out) != 0;
    failed |= fclose(out) != 0;
    if (failed)
        unlink(part);
    return failed ? -1 : 0;
}

int progress_set(const char *path, const char *key, const char *value,
                 int *kept)
{
    char part[PATH_MAX];
    bool broken = false;
    size_t length = 0;
    char *text = NULL;
    int folder = -1, done = -1;

    if (kept)
        *kept = 0;
    if (!key_ok(key, strlen(key)) || !value_ok(value, strlen(value))) {
        errno = EINVAL;
        return -1;
    }
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    folder = lock_folder(path);
    if (folder < 0)
        return -1;
    text = read_whole(path, &length);
    if (!text && errno != ENOENT && errno != EBADMSG)
        goto out;
    if (!text)
        broken = errno == EBADMSG;
    if (write_beside(part, text ? text : "", length, key, value, &broken) < 0)
        goto out;
    if (broken && keep_aside(path) < 0) {
        unlink(part);
        goto out;
    }
    if (broken && kept)
        *kept = 1;
    done = rename(part, path);
out:
    free(text);
    close(folder);
    return done;
}
