/*
 * The fixed words between viz, its keeper and the shells: one struct a packet
 * on SOCK_SEQPACKET sockets, descriptors beside them by SCM_RIGHTS (unix(7)).
 * A packet of any other size or kind is refused. Nothing here is kept on disk,
 * so the structs may change with any build.
 */
#ifndef VIZ_LAB_WORDS_H
#define VIZ_LAB_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "viz/kernel/waits.h"

/* --- viz asks its keeper, and gets one struct reply each time ------------ */

enum word {
    WORD_TERMINAL = 1, /* start a terminal of play mode */
    WORD_RUN,          /* run the command of --private; its strings follow */
    WORD_WAITS,        /* what the threads of a process wait for */
    WORD_LOSS,         /* lose packets, or stop; beside the first reply the
                           descriptor of loss_watch() */
    WORD_END           /* end everything; no reply: the keeper ends */
};

enum { WORDS_ARGUMENTS = 65536, WORDS_THREADS = 256 };

struct request {
    uint32_t word;
    char letter; /* WORD_TERMINAL */
    uint16_t rows, columns;
    uint16_t lost, of;  /* WORD_LOSS: struct loss */
    int32_t process;    /* WORD_WAITS */
    uint32_t arguments; /* WORD_RUN: how many strings, each with its NUL */
};

struct reply {
    int32_t error;   /* 0, or why not, as errno */
    int32_t process; /* WORD_RUN: its pid */
    int32_t threads; /* WORD_WAITS: how many of the array are filled */
    struct wait_info waits[WORDS_THREADS];
};

/* --- the keeper tells viz, unasked --------------------------------------- */

enum news_kind {
    NEWS_SHELL = 1, /* a shell came in; its socket is beside this */
    NEWS_ENDED      /* the command of WORD_RUN ended */
};

struct news {
    uint32_t kind;
    char letter;
    int32_t status; /* NEWS_ENDED: as waitpid(2) has it */
};

/* --- the keeper welcomes a shell ----------------------------------------- */

enum welcome_kind {
    WELCOME = 1,     /* beside it: the folder, then user and net namespace,
                         unless the lesson has no network of its own */
    WELCOME_FULL,    /* A, B and C are in use */
    WELCOME_STRANGER /* the lesson is another user's */
};

/* The shell then sends packets: one of these bytes, then what its terminal
 * shows, or what was typed into it while it echoes. */
enum { SHELL_SHOWN = 'o', SHELL_TYPED = 'i' };

struct welcome {
    uint32_t kind;
    char letter;
    char title[47]; /* "lesson 1", ends with NUL */
    char calls[64]; /* where its programs tell their calls, "": nowhere */
};

enum { WORDS_FDS = 3, WORDS_SHELL_BYTES = 4096 };

/* Send `length` bytes as one packet, with `fd_count` descriptors. 0 or -1 with
 * errno; EAGAIN only on a socket that does not block. Never SIGPIPE. */
int words_send(int fd, const void *bytes, size_t length, const int *fds,
               int fd_count);

/* Receive one packet of at most `size` bytes. Its length; 0 at the end; -1
 * with errno (EMSGSIZE: it was longer, and is lost). Descriptors that came
 * (close-on-exec, the caller's to close) are put into fds[WORDS_FDS] and
 * *fd_count; with fds NULL they are closed. */
ssize_t words_receive(int fd, void *bytes, size_t size, int *fds,
                      int *fd_count);

#endif
