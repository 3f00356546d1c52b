/*
 * A UDP relay that drops, doubles and reorders datagrams by a script, so that
 * the same trouble can be had again: what happens to the n-th datagram of one
 * way hangs on the script and on n alone, never on time. One client may be
 * told from another by its address; they share the script.
 *
 *     client ──► relay ──► server       "d..2s"
 *     client ◄── relay ◄── server       "back drop 1/3 seed 7"
 */
#ifndef COMMON_LOSSY_H
#define COMMON_LOSSY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum lossy_fate {
    LOSSY_PASS,
    LOSSY_DROP,
    LOSSY_TWICE,
    LOSSY_SWAP /* it goes after the next one of its way */
};

enum lossy_way { LOSSY_TO_SERVER, LOSSY_BACK, LOSSY_WAYS };

enum { LOSSY_LETTERS = 256 };

/* What happens on one way. */
struct lossy_rules {
    char letters[LOSSY_LETTERS + 1]; /* one a datagram; then the chances */
    unsigned chance[4][2];           /* by lossy_fate: N of M; 0 of 0: never */
    uint64_t count;                  /* datagrams so far */
};

struct lossy_script {
    struct lossy_rules way[LOSSY_WAYS];
    uint64_t seed;
};

/*
 * A script is words:
 *   d..2s        letters, one a datagram: . passes, d is dropped, 2 goes twice,
 *                s is swapped with the next; when they are used up, by chance:
 *   drop 1/3     of three datagrams one is dropped, by a seeded generator
 *   dup 1/10     ... goes twice
 *   swap 1/5     ... goes after the next one
 *   seed 7       of the generator; 1 when there is none
 *   back         what follows is for the way back from the server; what stands
 *                before it is for the way there
 * One that is chosen for two things is dropped rather than doubled, doubled
 * rather than swapped. "" passes everything. 0; or -1 with errno EINVAL and in
 * `why` a sentence.
 */
int lossy_read(struct lossy_script *script, const char *words, char *why,
               size_t size);

/* What happens to the next datagram of that way. */
enum lossy_fate lossy_next(struct lossy_script *script, enum lossy_way way);
/* "passed", "dropped", "sent twice", "sent after the next". */
const char *lossy_fate_text(enum lossy_fate fate);

struct lossy;

/* Called for each datagram: the way it goes, its number there from 1, its
 * fate, its bytes. */
typedef void lossy_tell_fn(void *self, enum lossy_way way, uint64_t number,
                           enum lossy_fate fate, size_t length);

/* Relay what comes to `at` (port 0: the kernel chooses) to `server`; both IPv4
 * or both IPv6. `tell` may be NULL. NULL with errno. */
struct lossy *lossy_open(const struct sockaddr *at,
                         const struct sockaddr *server, socklen_t length,
                         const struct lossy_script *script, lossy_tell_fn *tell,
                         void *self);
void lossy_close(struct lossy *lossy);

/* In host order. */
uint16_t lossy_port(const struct lossy *lossy);

/* Wait at most `ms` milliseconds (-1: as long as it takes) for something, and
 * relay all that is there. 0, also when a signal came; -1 with errno. What is
 * swapped and has no next one goes after LOSSY_HOLD_MS. */
int lossy_turn(struct lossy *lossy, int ms);

enum {
    LOSSY_HOLD_MS = 200,
    LOSSY_CLIENTS = 64 /* the one silent for longest gives way to a new one */
};

#endif
