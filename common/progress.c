/*
 * See progress.h. The file is read whole, and written whole beside the old one
 * with the new line in it. The one that is being written is the lock, too
 * (flock(2)), so that a lesson and a grade that end together both keep theirs.
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

/* The folder that `path` lies in, made when it is not there. */
static int make_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (!slash || slash == path)
        return 0;
    if (slash - path >= (int)sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    return mkdir(folder, 0777) < 0 && errno != EEXIST ? -1 : 0;
}

/* Whether the file that is open there still has this name: who held the lock
 * before us renamed or removed it. */
static bool still_named(int fd, const char *name)
{
    struct stat open_now, named_now;

    return fstat(fd, &open_now) == 0 && stat(name, &named_now) == 0 &&
           open_now.st_ino == named_now.st_ino &&
           open_now.st_dev == named_now.st_dev;
}

/* The new file, empty, ours alone until it is closed. NULL with errno. */
static FILE *open_part(const char *part)
{
    FILE *out;
    int fd;

    for (;;) {
        fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0)
            return NULL;
        while (flock(fd, LOCK_EX) < 0) {
            if (errno == EINTR)
                continue;
            close(fd);
            return NULL;
        }
        if (still_named(fd, part))
            break;
        close(fd);
    }
    out = ftruncate(fd, 0) == 0 ? fdopen(fd, "w") : NULL;
    if (!out)
        close(fd);
    return out;
}

/* What is to be written: lines, and which of them have been. */
struct change {
    const struct progress_line *lines;
    size_t count;
    bool written[PROGRESS_LINES];
};

/* All good lines of the old text with the new ones in their place, or at the
 * end. *broken: there was a line that is none. */
static void write_lines(FILE *out, const char *text, size_t length,
                        struct change *change, bool *broken)
{
    const char *at = text, *end = text + length;
    struct line line;

    if (length == 0)
        fputs(HEADER, out);
    while (at < end) {
        size_t n = 0;

        if (!line_next(&at, end, &line)) {
            *broken = true;
            continue;
        }
        while (n < change->count && !same_key(&line, change->lines[n].key))
            n++;
        if (n == change->count)
            fprintf(out, "%.*s\n", (int)line.length, line.start);
        else if (!change->written[n])
            fprintf(out, "%s %s\n", change->lines[n].key,
                    change->lines[n].value);
        if (n < change->count)
            change->written[n] = true;
    }
    for (size_t n = 0; n < change->count; n++) {
        if (!change->written[n])
            fprintf(out, "%s %s\n", change->lines[n].key,
                    change->lines[n].value);
    }
}

/* Write the new file into `out` and give it the name; `out` stays open. */
static int replace(const char *path, const char *part, FILE *out,
                   struct change *change, int *kept)
{
    bool broken = false;
    size_t length = 0;
    char *text = read_whole(path, &length);

    if (!text && errno != ENOENT && errno != EBADMSG)
        return -1;
    if (!text)
        broken = errno == EBADMSG;
    write_lines(out, text ? text : "", length, change, &broken);
    free(text);
    if (fflush(out) != 0 || ferror(out) || fsync(fileno(out)) != 0)
        return -1;
    if (broken && keep_aside(path) < 0)
        return -1;
    if (broken && kept)
        *kept = 1;
    return rename(part, path);
}

static bool lines_ok(const struct progress_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!key_ok(lines[i].key, strlen(lines[i].key)) ||
            !value_ok(lines[i].value, strlen(lines[i].value)))
            return false;
    }
    return count <= PROGRESS_LINES;
}

int progress_set_all(const char *path, const struct progress_line *lines,
                     size_t count, int *kept)
{
    struct change change = {.lines = lines, .count = count};
    char part[PATH_MAX];
    FILE *out;
    int done;

    if (kept)
        *kept = 0;
    if (!lines_ok(lines, count)) {
        errno = EINVAL;
        return -1;
    }
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (make_folder(path) < 0)
        return -1;
    out = open_part(part);
    if (!out)
        return -1;
    done = replace(path, part, out, &change, kept);
    if (done < 0) {
        int saved = errno;

        unlink(part);
        errno = saved;
    }
    fclose(out);
    return done;
}

int progress_set(const char *path, const char *key, const char *value,
                 int *kept)
{
    struct progress_line line;

    if (kept)
        *kept = 0;
    if (strlen(key) >= sizeof line.key || strlen(value) >= sizeof line.value) {
        errno = EINVAL;
        return -1;
    }
    snprintf(line.key, sizeof line.key, "%s", key);
    snprintf(line.value, sizeof line.value, "%s", value);
    return progress_set_all(path, &line, 1, kept);
}
