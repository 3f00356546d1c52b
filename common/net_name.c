/*
 * See net.h: names. One getaddrinfo(3) behind three calls: here and now, on a
 * worker, or on a worker with somebody waiting for it. A look-up can be left
 * behind while it runs, so it is counted who still needs it: the one who asked,
 * and the thread.
 */
#include "common/net.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/workers.h"

/* getaddrinfo(3)'s own numbers as errno. */
static const struct {
    int gai, error;
} gai_errors[] = {
    {EAI_NONAME, ENXIO},
#ifdef EAI_NODATA
    {EAI_NODATA, ENXIO},
#endif
#ifdef EAI_ADDRFAMILY
    {EAI_ADDRFAMILY, ENXIO},
#endif
    {EAI_AGAIN, EHOSTDOWN},
    {EAI_FAIL, EPROTO},
    {EAI_SERVICE, EPROTONOSUPPORT},
    {EAI_FAMILY, EAFNOSUPPORT},
    {EAI_SOCKTYPE, EINVAL},
    {EAI_BADFLAGS, EINVAL},
    {EAI_MEMORY, ENOMEM},
#ifdef EAI_OVERFLOW
    {EAI_OVERFLOW, ENAMETOOLONG},
#endif
};

static const struct {
    int error;
    const char *text;
} error_texts[] = {
    {ENXIO, "no such name"},
    {EHOSTDOWN, "the name servers do not answer"},
    {EPROTO, "the name servers refuse to say"},
    {EPROTONOSUPPORT, "no such service"},
    {ETIMEDOUT, "no answer in time"},
    {ECONNREFUSED, "nobody listens there"},
    {ECONNRESET, "the other end reset the connection"},
    {EPIPE, "the connection takes no more bytes"},
    {EADDRINUSE, "the address is in use"},
    {EADDRNOTAVAIL, "this machine has no such address"},
    {ENETUNREACH, "there is no way to that network"},
    {EHOSTUNREACH, "there is no way to that host"},
    {EMSGSIZE, "longer than the limit"},
    {EBADMSG, "it ended in the middle of a message"},
    {ENOBUFS, "the buffer is full"},
    {EMFILE, "this process has no descriptor left"},
    {ENFILE, "this machine has no descriptor left"},
    {ENAMETOOLONG, "the name is too long"},
    {ECANCELED, "it was called off"},
};

const char *net_error_text(int error)
{
    for (size_t i = 0; i < sizeof error_texts / sizeof *error_texts; i++) {
        if (error_texts[i].error == error)
            return error_texts[i].text;
    }
    return strerror(error);
}

static int gai_errno(int gai)
{
    if (gai == EAI_SYSTEM)
        return errno ? errno : EIO;
    for (size_t i = 0; i < sizeof gai_errors / sizeof *gai_errors; i++) {
        if (gai_errors[i].gai == gai)
            return gai_errors[i].error;
    }
    return EIO;
}

/* --- here and now ------------------------------------------------------------ */

static bool is_unix(const char *host)
{
    return host && strncmp(host, "unix:", 5) == 0;
}

/* A port that getaddrinfo(3) would cut to 16 bits. */
static bool port_too_big(const char *service)
{
    size_t digits = strspn(service, "0123456789");

    return digits > 0 && service[digits] == '\0' &&
           (digits > 9 || strtol(service, NULL, 10) > 65535);
}

/* EINVAL before anything is asked; `service` NULL only with a path. */
static int check(const char *host, const char *service, int type)
{
    if ((type != SOCK_STREAM && type != SOCK_DGRAM) ||
        (!is_unix(host) && (!service || !*service || port_too_big(service)))) {
        errno = EINVAL;
        return -1;
    }
    return 0;
}

static unsigned copy(const struct addrinfo *from, struct net_address *addresses,
                     unsigned room)
{
    unsigned count = 0, i;

    for (; from && count < room; from = from->ai_next) {
        struct net_address *to = &addresses[count];

        if (from->ai_family != AF_INET && from->ai_family != AF_INET6)
            continue;
        memset(to, 0, sizeof *to);
        to->length = from->ai_addrlen;
        memcpy(&to->any, from->ai_addr, from->ai_addrlen);
        for (i = 0; i < count && !net_address_equal(&addresses[i], to); i++)
            ;
        if (i == count)
            count++;
    }
    return count;
}

/* `flags` AI_NUMERICHOST: without asking anybody, ENXIO if it is no number. */
static int ask(const char *host, const char *service, int type, int flags,
               struct net_address *addresses, unsigned room)
{
    struct addrinfo hints = {.ai_socktype = type, .ai_flags = flags};
    struct addrinfo *found = NULL;
    char bare[NI_MAXHOST];
    unsigned count;
    int gai;

    if (host && strlen(host) >= sizeof bare) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (host && *host == '[' && host[strlen(host) - 1] == ']') {
        memcpy(bare, host + 1, strlen(host) - 2);
        bare[strlen(host) - 2] = '\0';
        host = bare;
        hints.ai_flags |= AI_NUMERICHOST;
    }
    errno = 0;
    gai = getaddrinfo(host, service, &hints, &found);
    if (gai != 0) {
        errno = gai_errno(gai);
        return -1;
    }
    count = copy(found, addresses, room);
    freeaddrinfo(found);
    if (count == 0)
        errno = ENXIO;
    return count ? (int)count : -1;
}

static int resolve(const char *host, const char *service, int type,
                   struct net_address *addresses, unsigned room)
{
    if (is_unix(host))
        return net_address_parse(addresses, host) == 0 ? 1 : -1;
    return ask(host, service, type, 0, addresses, room);
}

/* --- on a worker ------------------------------------------------------------- */

struct net_lookup {
    atomic_int holders; /* who asked, and the worker */
    int type;
    net_lookup_fn *done; /* NULL: cancelled */
    void *arg;
    int count, error; /* written by the worker */
    struct net_address addresses[NET_ADDRESSES];
    const char *host, *service; /* in text, or NULL */
    char text[];
};

static void let_go(struct net_lookup *lookup, int holds)
{
    if (atomic_fetch_sub(&lookup->holders, holds) == holds)
        free(lookup);
}

static void lookup_run(void *arg)
{
    struct net_lookup *lookup = arg;

    lookup->count = resolve(lookup->host, lookup->service, lookup->type,
                            lookup->addresses, NET_ADDRESSES);
    lookup->error = lookup->count < 0 ? errno : 0;
    let_go(lookup, 1);
}

static void lookup_done(void *arg, int error)
{
    struct net_lookup *lookup = arg;
    net_lookup_fn *done = lookup->done;

    if (done && error)
        done(lookup->arg, ECANCELED, NULL, 0);
    else if (done && lookup->error)
        done(lookup->arg, lookup->error, NULL, 0);
    else if (done)
        done(lookup->arg, 0, lookup->addresses, (unsigned)lookup->count);
    let_go(lookup, error == ECANCELED ? 2 : 1); /* then it never ran */
}

static struct net_lookup *lookup_new(const char *host, const char *service)
{
    size_t host_size = host ? strlen(host) + 1 : 0;
    size_t service_size = service ? strlen(service) + 1 : 0;
    struct net_lookup *lookup = malloc(sizeof *lookup + host_size +
                                       service_size);

    if (!lookup)
        return NULL;
    memset(lookup, 0, sizeof *lookup);
    atomic_init(&lookup->holders, 2);
    if (host)
        lookup->host = memcpy(lookup->text, host, host_size);
    if (service)
        lookup->service = memcpy(lookup->text + host_size, service,
                                 service_size);
    return lookup;
}

struct net_lookup *net_lookup_start(struct workers *workers, const char *host,
                                    const char *service, int type,
                                    net_lookup_fn *done, void *arg)
{
    struct net_lookup *lookup;
    struct workers_job job = {
        .run = lookup_run, .done = lookup_done, .abandon = true};

    if (check(host, service, type) != 0)
        return NULL;
    if (!workers || !done) {
        errno = EINVAL;
        return NULL;
    }
    lookup = lookup_new(host, service);
    if (!lookup)
        return NULL;
    lookup->type = type;
    lookup->done = done;
    lookup->arg = arg;
    job.arg = lookup;
    if (workers_add(workers, &job) == 0)
        return lookup;
    free(lookup);
    return NULL;
}

void net_lookup_cancel(struct net_lookup *lookup)
{
    if (lookup)
        lookup->done = NULL;
}

/* --- on a worker, and somebody waits ----------------------------------------- */

struct waiting {
    struct net_address *addresses;
    unsigned room, count;
    int error; /* -1: not yet */
};

static void ring(void *arg)
{
    const int *bell = arg;

    /* One byte into an empty pipe: there is room. */
    while (write(bell[1], "!", 1) < 0 && errno == EINTR)
        ;
}

static void store(void *arg, int error, const struct net_address *addresses,
                  unsigned count)
{
    struct waiting *waiting = arg;

    waiting->error = error;
    waiting->count = count < waiting->room ? count : waiting->room;
    if (waiting->count)
        memcpy(waiting->addresses, addresses,
               waiting->count * sizeof *addresses);
}

static int resolve_until(const char *host, const char *service, int type,
                         struct waiting *waiting, int64_t deadline)
{
    struct workers *workers;
    struct net_lookup *lookup = NULL;
    int bell[2], error = 0;

    if (pipe(bell) != 0)
        return -1;
    net_set_cloexec(bell[0], true);
    net_set_cloexec(bell[1], true);
    workers = workers_new(1, 1, ring, bell);
    if (workers)
        lookup = net_lookup_start(workers, host, service, type, store, waiting);
    if (!lookup || net_wait(bell[0], POLLIN, deadline) != 0) {
        error = errno;
        net_lookup_cancel(lookup);
    } else {
        workers_collect(workers);
        error = waiting->error;
    }
    workers_free(workers); /* whoever rings is joined before the bell goes */
    close(bell[0]);
    close(bell[1]);
    errno = error;
    return error ? -1 : (int)waiting->count;
}

int net_resolve(const char *host, const char *service, int type,
                struct net_address *addresses, unsigned room, int64_t deadline)
{
    struct waiting waiting = {addresses, room, 0, -1};
    int count;

    if (!addresses || room == 0) {
        errno = EINVAL;
        return -1;
    }
    if (check(host, service, type) != 0)
        return -1;
    if (deadline == CLOCK_NEVER || is_unix(host))
        return resolve(host, service, type, addresses, room);
    count = ask(host, service, type, AI_NUMERICHOST, addresses, room);
    if (count > 0 || errno != ENXIO)
        return count;
    if (clock_now() >= deadline) {
        errno = ETIMEDOUT;
        return -1;
    }
    return resolve_until(host, service, type, &waiting, deadline);
}
