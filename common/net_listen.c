/*
 * See net.h: who waits for others. A Unix-domain path outlives its server, so a
 * path in use is tried: where a connect is refused nobody lives, and the path
 * may be taken. Two servers that start at once would both find it dead, and one
 * unlink the other's; so binding and listening, and removing, are done under a
 * lock of the path's folder (flock(2)). Without the lock nothing is unlinked.
 */
#include "common/net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"

enum { LOCK_TRIES = 100, LOCK_PAUSE_MS = 10 };
/* Clients that left before they were accepted, passed over in one call. */
enum { GONE_MOST = 64 };

static void close_quietly(int fd)
{
    int error = errno;

    if (fd >= 0)
        close(fd);
    errno = error;
}

/* --- Unix-domain paths ------------------------------------------------------- */

static bool has_path(const struct net_address *address)
{
    return address->any.sa_family == AF_UNIX &&
           address->length > offsetof(struct sockaddr_un, sun_path) &&
           address->un.sun_path[0] != '\0';
}

/* As a string, whatever bind(2) was given. */
struct path {
    char text[sizeof((struct sockaddr_un *)NULL)->sun_path + 1];
};

static struct path path_of(const struct net_address *address)
{
    struct path path = {{0}};
    size_t length = address->length - offsetof(struct sockaddr_un, sun_path);

    if (length > sizeof path.text - 1)
        length = sizeof path.text - 1;
    memcpy(path.text, address->un.sun_path, length);
    return path;
}

/* A descriptor that holds the lock; -1: it cannot be had. Another starting
 * server has it for an instant only. */
static int lock_folder(struct path path)
{
    char *slash = strrchr(path.text, '/');
    int fd;

    if (slash)
        slash[slash == path.text] = '\0'; /* "/x" is in "/" */
    fd = open(slash ? path.text : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        poll(NULL, 0, LOCK_PAUSE_MS);
    }
    close_quietly(fd);
    return -1;
}

/* A socket file that nobody has bound any more. */
static bool is_dead(const struct net_address *address, int type)
{
    struct path path = path_of(address);
    struct stat file;
    bool dead = false;
    int fd;

    if (lstat(path.text, &file) != 0 || !S_ISSOCK(file.st_mode))
        return false;
    fd = net_socket(AF_UNIX, type);
    if (fd < 0)
        return false;
    if (net_set_nonblock(fd, true) == 0)
        dead = connect(fd, &address->any, address->length) != 0 &&
               errno == ECONNREFUSED;
    close(fd);
    return dead;
}

static int bind_path(int fd, const struct net_address *address, int type,
                     int backlog)
{
    struct path path = path_of(address);
    int lock = lock_folder(path);
    int status = bind(fd, &address->any, address->length);

    if (status != 0 && errno == EADDRINUSE && lock >= 0) {
        if (is_dead(address, type) && unlink(path.text) == 0)
            status = bind(fd, &address->any, address->length);
        else
            errno = EADDRINUSE;
    }
    if (status == 0 && type == SOCK_STREAM)
        status = listen(fd, backlog);
    close_quietly(lock);
    return status;
}

void net_listen_close(int listener)
{
    struct net_address address = {0};
    int type = 0, error = errno, lock;
    socklen_t size = sizeof type;

    if (net_local(listener, &address) != 0 ||
        getsockopt(listener, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
        address.length = 0;
    if (listener >= 0)
        close(listener);
    if (has_path(&address)) {
        struct path path = path_of(&address);

        lock = lock_folder(path);
        if (lock >= 0 && is_dead(&address, type))
            unlink(path.text);
        if (lock >= 0)
            close(lock);
    }
    errno = error;
}

/* --- making them ------------------------------------------------------------- */

static int set_up(int fd, int family, int type, unsigned flags)
{
    int on = 1;

    if (net_set_nonblock(fd, true) != 0)
        return -1;
    if (family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        return -1;
    if (type == SOCK_STREAM && family != AF_UNIX && !(flags & NET_NO_REUSE) &&
        net_set_reuse(fd, true) != 0)
        return -1;
    if ((flags & NET_REUSE_PORT) && net_set_reuse_port(fd, true) != 0)
        return -1;
    if ((flags & NET_BROADCAST) && net_set_broadcast(fd, true) != 0)
        return -1;
    return 0;
}

int net_listen(const struct net_address *address, int backlog, unsigned flags)
{
    const unsigned known = NET_NO_REUSE | NET_REUSE_PORT;
    int fd, status;

    if (!address || address->length == 0 || backlog < 0 || (flags & ~known)) {
        errno = EINVAL;
        return -1;
    }
    if (backlog == 0)
        backlog = NET_BACKLOG;
    fd = net_socket(address->any.sa_family, SOCK_STREAM);
    if (fd < 0)
        return -1;
    status = set_up(fd, address->any.sa_family, SOCK_STREAM, flags);
    if (status == 0 && has_path(address)) {
        status = bind_path(fd, address, SOCK_STREAM, backlog);
    } else if (status == 0) {
        status = bind(fd, &address->any, address->length);
        if (status == 0)
            status = listen(fd, backlog);
    }
    if (status == 0)
        return fd;
    close_quietly(fd);
    return -1;
}

int net_datagram(const struct net_address *local, int family, unsigned flags)
{
    const unsigned known = NET_REUSE_PORT | NET_BROADCAST;
    int fd, status;

    if ((local && local->length == 0) || (flags & ~known)) {
        errno = EINVAL;
        return -1;
    }
    if (local)
        family = local->any.sa_family;
    fd = net_socket(family, SOCK_DGRAM);
    if (fd < 0)
        return -1;
    status = set_up(fd, family, SOCK_DGRAM, flags);
    if (status == 0 && local && has_path(local))
        status = bind_path(fd, local, SOCK_DGRAM, 0);
    else if (status == 0 && local)
        status = bind(fd, &local->any, local->length);
    if (status == 0)
        return fd;
    close_quietly(fd);
    return -1;
}

/* --- accepting --------------------------------------------------------------- */

static int accept_one(int listener, struct net_address *peer, bool nonblock)
{
    struct sockaddr *any = peer ? &peer->any : NULL;
    socklen_t *length = peer ? &peer->length : NULL;
    int fd;

    if (peer)
        *length = sizeof *peer - offsetof(struct net_address, any);
#if defined SOCK_NONBLOCK && !defined NET_PLAIN
    fd = accept4(listener, any, length,
                 SOCK_CLOEXEC | (nonblock ? SOCK_NONBLOCK : 0));
#else
    fd = accept(listener, any, length);
    if (fd >= 0 && (net_set_cloexec(fd, true) != 0 ||
                    net_set_nonblock(fd, nonblock) != 0)) {
        close_quietly(fd);
        return -1;
    }
#endif
#ifdef SO_NOSIGPIPE
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int));
#endif
    return fd;
}

/* accept(2), Error handling: what had already happened to that one client. */
static bool client_gone(int error)
{
    switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
        return true;
    default:
        return error == EINTR;
    }
}

static int accept_next(int listener, struct net_address *peer, bool nonblock)
{
    for (int i = 0; i < GONE_MOST; i++) {
        int fd = accept_one(listener, peer, nonblock);

        if (fd >= 0 || !client_gone(errno))
            return fd;
    }
    errno = EAGAIN; /* the listener stays ready, and is asked again */
    return -1;
}

int net_accept_now(int listener, struct net_address *peer)
{
    return accept_next(listener, peer, true);
}

int net_accept(int listener, struct net_address *peer, int64_t deadline)
{
    for (;;) {
        int fd;

        if (net_wait(listener, POLLIN, deadline) != 0)
            return -1;
        fd = accept_next(listener, peer, false);
        if (fd >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
            return fd;
    }
}
