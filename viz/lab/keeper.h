/*
 * The private lab network and its keeper: a process forked before anything
 * else, which holds the user and network namespace and its rights, starts the
 * terminals of play mode, and obeys the fixed words below over a socketpair.
 * viz itself keeps no capability.
 */
#ifndef VIZ_LAB_KEEPER_H
#define VIZ_LAB_KEEPER_H

#include <sys/types.h>

#include "viz/events/event.h"
#include "viz/kernel/loss.h"
#include "viz/kernel/waits.h"

struct keeper;

struct keeper_options {
    const char *directory; /* where shells start: the lesson's built programs */
    const char *title;     /* "lesson 1", for the shell's greeting */
    const char *calls;     /* terminals tell their programs' calls into this
                              file, see call_feed.h; NULL: they do not */
    bool shells;           /* accept `make shell` at KEEPER_SOCKET */
    bool quiet; /* the command of keeper_run() has /dev/null as its stdio */
};

/* Relative to the project's root, where make runs; mode 0600. */
#define KEEPER_SOCKET ".lab/shell.sock"

enum keeper_network {
    KEEPER_PRIVATE,  /* a namespace of our own: the full lab */
    KEEPER_LOOPBACK, /* namespaces refused, capture allowed: the machine's lo */
    KEEPER_NONE      /* neither: only stored captures */
};

/* Why the network is not private, for a person: what refused, and the one
 * command that helps. At most 8 lines. */
struct keeper_refusal {
    char text[640];
};

/* Enter the private network (the caller too), bring lo up, fork the keeper.
 * *network says what was had; a refusal is no error. NULL with errno, and a
 * message for a person in refusal->text, only when nothing could be started
 * (EADDRINUSE: a lesson runs here already, and .shells was asked for). Call before any thread, capture or curses, then
 * open the capture and sockets, then keeper_drop_rights(). */
struct keeper *keeper_open(const struct keeper_options *options,
                           enum keeper_network *network,
                           struct keeper_refusal *refusal);
/* Ends every terminal of it, the keeper, and removes KEEPER_SOCKET. */
void keeper_close(struct keeper *keeper);

/* No capability, no_new_privs, only the calls that confine.h leaves; under
 * sudo, back to SUDO_UID. 0 or -1/errno. */
int keeper_drop_rights(void);

/* Play mode: start terminal 'A', 'B' or 'C' (bash at options.directory, inside
 * the network, as the student) on a pty. The master descriptor, the caller's
 * to close; -1 with errno. */
int keeper_terminal(struct keeper *keeper, char letter, int rows, int columns);

/* `--private -- CMD`: run a command inside, where the caller is and on the
 * caller's own stdio. Its
 * pid in *pid (a child of the keeper); keeper_ended() tells. 0 or -1/errno. */
int keeper_run(struct keeper *keeper, char *const argv[], pid_t *pid);
/* 1 and *status (as waitpid) once the command of keeper_run() ended, 0 before,
 * -1 with errno. Never blocks. */
int keeper_ended(struct keeper *keeper, int *status);

/* What the threads of `pid` wait for: as waits_look(). */
int keeper_waits(struct keeper *keeper, pid_t pid, struct wait_info *threads,
                 int most);

/* From now on so many packets of the private network are lost (kernel/loss.h),
 * and keeper_shells() tells of each by EVENT_LOST. 0; or -1 with errno, and why
 * for a person in `why` (at most two lines). */
int keeper_loss(struct keeper *keeper, const struct loss *loss, char *why,
                size_t size);

/* Live lessons: shells that the student opens with `make shell` connect here
 * and send what their terminal shows. poll(2) this descriptor, then call
 * keeper_shells(), which turns it into EVENT_OPENED, TYPED, PRINTED, EXITED;
 * and what was lost into EVENT_LOST. */
int keeper_shells_fd(const struct keeper *keeper); /* an epoll descriptor */
int keeper_shells(struct keeper *keeper, event_sink_fn *sink, void *self);

#endif
