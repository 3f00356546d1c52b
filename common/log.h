/*
 * Lines for who runs a server: one write(2) a line, so that lines of several
 * threads and processes do not mix, and nothing that a peer sent can do more
 * than be read: every byte that does not print leaves as \xNN, a backslash as
 * \\. The rest of common never logs; a log is yours, and NULL is silent.
 *
 *     struct log log;
 *     log_init(&log, STDERR_FILENO, "echod", LOG_LEVEL_INFO, LOG_STAMP_WALL);
 *     log_info(&log, "%s: %s", net_address_text(&peer, text), line);
 *
 *     2026-11-20T17:04:05.678Z echod info: 127.0.0.1:40312: hel\x1b[2Jlo
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdint.h>

enum log_level {
    LOG_LEVEL_NONE, /* nothing at all */
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

enum log_stamp {
    LOG_STAMP_NONE,
    LOG_STAMP_MONOTONIC, /* seconds since log_init(), to a microsecond */
    LOG_STAMP_WALL,      /* UTC, RFC 3339, to a millisecond */
};

enum { LOG_LINE = 1024 }; /* longer ones end in "..." */

struct log {
    int fd;           /* stays yours */
    const char *name; /* of the program; NULL: none */
    enum log_level level;
    enum log_stamp stamp;
    int64_t begun;
};

void log_init(struct log *log, int fd, const char *name, enum log_level level,
              enum log_stamp stamp);

/* "none", "error", "warning", "info", "debug". 0, or -1 with EINVAL. */
int log_level_parse(enum log_level *level, const char *word);
const char *log_level_word(enum log_level level);

/* A line; the newline is added. Nothing below the log's level is even formatted.
 * errno is as before. A line that cannot be written whole (a full disk, a full
 * pipe that does not block) is lost: a server goes on. (A pipe whose reader is
 * gone raises SIGPIPE, as with write(2): ignore it.) From any thread. */
void log_error(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void log_warning(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void log_debug(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
