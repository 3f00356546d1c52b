/* See lossy.h. One socket faces the clients; each client has a connected one
 * of its own towards the server, by which the answers find their way back. */
#include "common/lossy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

enum { LONGEST = 65535, MOST_CHANCE = 1000000, BATCH = 64 };

/* --- scripts ------------------------------------------------------------- */

static int fail(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(char *why, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, size, format, arguments);
    va_end(arguments);
    errno = EINVAL;
    return -1;
}

/* The next word into `word`, cut at its size; false at the end. */
static bool take_word(const char **words, char *word, size_t size)
{
    size_t length;

    *words += strspn(*words, " \t\n");
    length = strcspn(*words, " \t\n");
    snprintf(word, size, "%.*s", (int)(length < size ? length : size - 1),
             *words);
    if (length >= size)
        word[0] = '?'; /* too long for anything that is known */
    *words += length;
    return length > 0;
}

static bool number_at(const char **text, uint64_t most, uint64_t *number)
{
    if (**text < '0' || **text > '9')
        return false;
    for (*number = 0; **text >= '0' && **text <= '9'; ++*text) {
        uint64_t digit = (uint64_t)(**text - '0');

        if (*number > (most - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return true;
}

static bool read_chance(const char *text, unsigned chance[2])
{
    uint64_t n, of;

    if (!number_at(&text, MOST_CHANCE, &n) || *text++ != '/' ||
        !number_at(&text, MOST_CHANCE, &of) || *text != '\0' || of == 0 ||
        n > of)
        return false;
    chance[0] = (unsigned)n;
    chance[1] = (unsigned)of;
    return true;
}

static bool read_seed(const char *text, uint64_t *seed)
{
    return number_at(&text, UINT64_MAX, seed) && *text == '\0';
}

static enum lossy_fate fate_of_word(const char *word)
{
    if (strcmp(word, "drop") == 0)
        return LOSSY_DROP;
    if (strcmp(word, "dup") == 0)
        return LOSSY_TWICE;
    return strcmp(word, "swap") == 0 ? LOSSY_SWAP : LOSSY_PASS;
}

int lossy_read(struct lossy_script *script, const char *words, char *why,
               size_t size)
{
    char word[LOSSY_LETTERS + 1];
    enum lossy_way way = LOSSY_TO_SERVER;

    *script = (struct lossy_script){.seed = 1};
    while (take_word(&words, word, sizeof word)) {
        struct lossy_rules *rules = &script->way[way];
        enum lossy_fate fate = fate_of_word(word);

        if (fate != LOSSY_PASS) {
            if (!take_word(&words, word, sizeof word) ||
                !read_chance(word, rules->chance[fate]))
                return fail(why, size,
                            "after drop, dup or swap stands N/M, as in drop "
                            "1/3, not \"%.40s\"",
                            word);
        } else if (strcmp(word, "seed") == 0) {
            if (!take_word(&words, word, sizeof word) ||
                !read_seed(word, &script->seed))
                return fail(why, size, "after seed stands a number");
        } else if (strcmp(word, "back") == 0 && way == LOSSY_TO_SERVER) {
            way = LOSSY_BACK;
        } else if (strspn(word, ".d2s") == strlen(word) && !rules->letters[0]) {
            memcpy(rules->letters, word, strlen(word) + 1);
        } else {
            return fail(why, size,
                        "\"%.40s\" is no word of a script: letters such as "
                        "d..2s once a way, drop N/M, dup N/M, swap N/M, seed "
                        "N, back",
                        word);
        }
    }
    return 0;
}

/* --- fates --------------------------------------------------------------- */

/* splitmix64 (Steele, Lea and Flood, 2014): a number that hangs on its place
 * alone. */
static uint64_t mixed(uint64_t place)
{
    place = (place ^ place >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    place = (place ^ place >> 27) * UINT64_C(0x94d049bb133111eb);
    return place ^ place >> 31;
}

/* Whether the n-th datagram of a way is chosen for this fate: each fate draws
 * for itself, so that one chance changed does not change the others. */
static bool chosen(const struct lossy_script *script, enum lossy_way way,
                   enum lossy_fate fate)
{
    const struct lossy_rules *rules = &script->way[way];
    const unsigned *chance = rules->chance[fate];
    uint64_t stream = mixed(script->seed * 8 + (uint64_t)way * 4 +
                            (uint64_t)fate);

    return chance[1] > 0 &&
           mixed(stream + rules->count * UINT64_C(0x9e3779b97f4a7c15)) %
                   chance[1] <
               chance[0];
}

enum lossy_fate lossy_next(struct lossy_script *script, enum lossy_way way)
{
    static const enum lossy_fate order[] = {LOSSY_DROP, LOSSY_TWICE,
                                            LOSSY_SWAP};
    struct lossy_rules *rules = &script->way[way];
    uint64_t n = rules->count;
    enum lossy_fate fate = LOSSY_PASS;

    if (n < strlen(rules->letters)) {
        fate = rules->letters[n] == 'd'   ? LOSSY_DROP
               : rules->letters[n] == '2' ? LOSSY_TWICE
               : rules->letters[n] == 's' ? LOSSY_SWAP
                                          : LOSSY_PASS;
    } else {
        for (size_t i = 0; i < 3 && fate == LOSSY_PASS; i++)
            if (chosen(script, way, order[i]))
                fate = order[i];
    }
    rules->count++;
    return fate;
}

const char *lossy_fate_text(enum lossy_fate fate)
{
    static const char *const texts[] = {"passed", "dropped", "sent twice",
                                        "sent after the next"};

    return texts[fate];
}

/* --- the relay ----------------------------------------------------------- */

struct client {
    int fd; /* towards the server; -1: free */
    struct sockaddr_storage from;
    socklen_t length;
    uint64_t used; /* when, counted in datagrams */
};

/* A datagram that lets the next one go first. */
struct held {
    bool holds;
    int64_t until_ns;
    int fd;
    struct sockaddr_storage to;
    socklen_t to_length; /* 0: fd is connected */
    size_t length;
    uint8_t bytes[LONGEST];
};

struct lossy {
    int fd; /* towards the clients */
    struct sockaddr_storage server;
    socklen_t server_length;
    struct lossy_script script;
    lossy_tell_fn *tell;
    void *self;
    uint64_t datagrams;
    struct client clients[LOSSY_CLIENTS];
    struct held held[LOSSY_WAYS];
    uint8_t bytes[LONGEST];
};

struct lossy *lossy_open(const struct sockaddr *at,
                         const struct sockaddr *server, socklen_t length,
                         const struct lossy_script *script, lossy_tell_fn *tell,
                         void *self)
{
    struct lossy *lossy;
    int error;

    if (length > sizeof lossy->server || at->sa_family != server->sa_family) {
        errno = EINVAL;
        return NULL;
    }
    lossy = calloc(1, sizeof *lossy);
    if (lossy == NULL)
        return NULL;
    for (int i = 0; i < LOSSY_CLIENTS; i++)
        lossy->clients[i].fd = -1;
    memcpy(&lossy->server, server, length);
    lossy->server_length = length;
    lossy->script = *script;
    lossy->tell = tell;
    lossy->self = self;
    lossy->fd = socket(at->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                       0);
    if (lossy->fd != -1 && bind(lossy->fd, at, length) == 0)
        return lossy;
    error = errno;
    lossy_close(lossy);
    errno = error;
    return NULL;
}

static void forget(struct lossy *lossy, struct client *client)
{
    for (int way = 0; way < LOSSY_WAYS; way++)
        if (lossy->held[way].fd == client->fd)
            lossy->held[way].holds = false;
    close(client->fd);
    client->fd = -1;
}

void lossy_close(struct lossy *lossy)
{
    if (lossy == NULL)
        return;
    for (int i = 0; i < LOSSY_CLIENTS; i++)
        if (lossy->clients[i].fd != -1)
            forget(lossy, &lossy->clients[i]);
    if (lossy->fd != -1)
        close(lossy->fd);
    free(lossy);
}

uint16_t lossy_port(const struct lossy *lossy)
{
    struct sockaddr_storage at;
    socklen_t length = sizeof at;

    if (getsockname(lossy->fd, (struct sockaddr *)&at, &length) == -1)
        return 0;
    return ntohs(at.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *)&at)->sin6_port
                     : ((struct sockaddr_in *)&at)->sin_port);
}

/* The client with this address, or a new one; NULL when none can be had. */
static struct client *client_of(struct lossy *lossy,
                                const struct sockaddr_storage *from,
                                socklen_t length)
{
    struct client *place = &lossy->clients[0];

    for (int i = 0; i < LOSSY_CLIENTS; i++) {
        struct client *client = &lossy->clients[i];

        if (client->fd != -1 && client->length == length &&
            memcmp(&client->from, from, length) == 0)
            return client;
        if (place->fd != -1 && (client->fd == -1 || client->used < place->used))
            place = client;
    }
    if (place->fd != -1)
        forget(lossy, place);
    place->fd = socket(lossy->server.ss_family,
                       SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (place->fd == -1)
        return NULL;
    if (connect(place->fd, (struct sockaddr *)&lossy->server,
                lossy->server_length) == -1) {
        forget(lossy, place);
        return NULL;
    }
    place->from = *from;
    place->length = length;
    return place;
}

/* What cannot be sent (nobody listens there, no room) is lost: this is UDP. */
static void put(int fd, const void *bytes, size_t length,
                const struct sockaddr_storage *to, socklen_t to_length)
{
    const struct sockaddr *address = to_length > 0 ? (const struct sockaddr *)to
                                                   : NULL;

    while (sendto(fd, bytes, length, MSG_NOSIGNAL, address, to_length) == -1 &&
           errno == EINTR)
        ;
}

static void release(struct held *held)
{
    if (held->holds)
        put(held->fd, held->bytes, held->length, &held->to, held->to_length);
    held->holds = false;
}

static void hold(struct held *held, int fd, const void *bytes, size_t length,
                 const struct sockaddr_storage *to, socklen_t to_length)
{
    held->holds = true;
    held->until_ns = clock_now() + LOSSY_HOLD_MS * CLOCK_MS;
    held->fd = fd;
    held->to_length = to_length;
    if (to_length > 0)
        held->to = *to;
    held->length = length;
    memcpy(held->bytes, bytes, length);
}

/* The datagram in lossy->bytes goes its way, or not. */
static void pass_on(struct lossy *lossy, enum lossy_way way, int fd,
                    size_t length, const struct sockaddr_storage *to,
                    socklen_t to_length)
{
    struct held *held = &lossy->held[way];
    enum lossy_fate fate = lossy_next(&lossy->script, way);

    if (fate == LOSSY_SWAP && held->holds) /* it is itself the next one */
        fate = LOSSY_PASS;
    if (lossy->tell != NULL)
        lossy->tell(lossy->self, way, lossy->script.way[way].count, fate,
                    length);
    if (fate == LOSSY_SWAP) {
        hold(held, fd, lossy->bytes, length, to, to_length);
        return;
    }
    for (int n = fate == LOSSY_TWICE  ? 2
                 : fate == LOSSY_DROP ? 0
                                      : 1;
         n > 0; n--)
        put(fd, lossy->bytes, length, to, to_length);
    release(held);
}

static void take_from_clients(struct lossy *lossy)
{
    for (int n = 0; n < BATCH; n++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t length = sizeof from;
        struct client *client;
        ssize_t got = recvfrom(lossy->fd, lossy->bytes, sizeof lossy->bytes, 0,
                               (struct sockaddr *)&from, &length);

        if (got == -1 && (errno == EINTR || errno == ECONNREFUSED))
            continue;
        if (got == -1)
            return;
        client = client_of(lossy, &from, length);
        if (client == NULL)
            continue;
        client->used = ++lossy->datagrams;
        pass_on(lossy, LOSSY_TO_SERVER, client->fd, (size_t)got, NULL, 0);
    }
}

static void take_from_server(struct lossy *lossy, struct client *client)
{
    for (int n = 0; n < BATCH; n++) {
        ssize_t got = recv(client->fd, lossy->bytes, sizeof lossy->bytes, 0);

        if (got == -1 && (errno == EINTR || errno == ECONNREFUSED))
            continue; /* nobody listens there: the client hears nothing */
        if (got == -1)
            return;
        client->used = ++lossy->datagrams;
        pass_on(lossy, LOSSY_BACK, lossy->fd, (size_t)got, &client->from,
                client->length);
    }
}

/* Milliseconds until something held must go; `ms` when that is sooner. */
static int patience(const struct lossy *lossy, int ms)
{
    for (int way = 0; way < LOSSY_WAYS; way++) {
        int left = clock_poll_ms(lossy->held[way].until_ns);

        if (lossy->held[way].holds && (ms < 0 || left < ms))
            ms = left;
    }
    return ms;
}

int lossy_turn(struct lossy *lossy, int ms)
{
    struct pollfd fds[1 + LOSSY_CLIENTS];

    fds[0] = (struct pollfd){lossy->fd, POLLIN, 0};
    for (int i = 0; i < LOSSY_CLIENTS; i++) /* -1 is passed over */
        fds[1 + i] = (struct pollfd){lossy->clients[i].fd, POLLIN, 0};
    if (poll(fds, 1 + LOSSY_CLIENTS, patience(lossy, ms)) == -1)
        return errno == EINTR ? 0 : -1;
    /* Answers first: a client that is forgotten below may have some. */
    for (int i = 0; i < LOSSY_CLIENTS; i++)
        if (fds[1 + i].revents != 0)
            take_from_server(lossy, &lossy->clients[i]);
    if (fds[0].revents != 0)
        take_from_clients(lossy);
    for (int way = 0; way < LOSSY_WAYS; way++)
        if (clock_now() >= lossy->held[way].until_ns)
            release(&lossy->held[way]);
    return 0;
}
