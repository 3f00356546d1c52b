/* See door.h. */
#include "viz/lab/door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "viz/lab/keeper.h"

#define FOLDER ".lab"
static const char socket_name[] = "shell.sock"; /* KEEPER_SOCKET, in FOLDER */

static const struct sockaddr_un address = {.sun_family = AF_UNIX,
                                           .sun_path = KEEPER_SOCKET};

static void tell(char *why, size_t size, const char *what)
{
    int error = errno;

    snprintf(why, size, "%s: %s.%s", what, strerror(error),
             error == EACCES || error == EPERM
                 ? "\nIf it belongs to another user, take it back with:\n"
                   "  sudo chown -R \"$(id -u)\" " FOLDER
                 : "");
    errno = error;
}

static int lock_folder(const struct student *student, char *why, size_t size)
{
    char here[256];
    int folder;

    if (mkdir(FOLDER, 0755) == 0 && student->behind_sudo &&
        chown(FOLDER, student->uid, student->gid) == -1) {
        tell(why, size, "Cannot give the folder " FOLDER " to you");
        return -1;
    }
    folder = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder == -1) {
        tell(why, size, "Cannot open the folder " FOLDER " here");
        return -1;
    }
    if (flock(folder, LOCK_EX | LOCK_NB) == 0)
        return folder;
    if (errno == EWOULDBLOCK) {
        if (getcwd(here, sizeof here) == NULL)
            here[0] = '\0';
        snprintf(why, size,
                 "A lesson is already running in %s.\n"
                 "Quit that one (key q), or join it: type make shell in "
                 "another terminal.",
                 here[0] != '\0' ? here : "this folder");
        errno = EADDRINUSE;
    } else {
        tell(why, size, "Cannot lock the folder " FOLDER);
    }
    close(folder);
    return -1;
}

static int listen_there(int folder, const struct student *student, char *why,
                        size_t size)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before;
    int bound;

    if (fd == -1) {
        tell(why, size, "Cannot make a Unix socket");
        return -1;
    }
    unlinkat(folder, socket_name, 0); /* a dead lesson's */
    before = umask(0177);             /* mode 0600 from its first moment */
    bound = bind(fd, (const struct sockaddr *)&address, sizeof address);
    umask(before);
    if (bound == 0 &&
        (!student->behind_sudo ||
         fchownat(folder, socket_name, student->uid, student->gid, 0) == 0) &&
        listen(fd, 8) == 0)
        return fd;
    tell(why, size, "Cannot open the socket " KEEPER_SOCKET " for your shells");
    close(fd);
    return -1;
}

int door_open(struct door *door, const struct student *student, char *why,
              size_t size)
{
    int error;

    door->listener = -1;
    door->folder = lock_folder(student, why, size);
    if (door->folder == -1)
        return -1;
    door->listener = listen_there(door->folder, student, why, size);
    if (door->listener != -1)
        return 0;
    error = errno;
    door_leave(door);
    errno = error;
    return -1;
}

void door_leave(struct door *door)
{
    if (door->listener != -1)
        close(door->listener);
    if (door->folder != -1)
        close(door->folder);
    door->listener = door->folder = -1;
}

void door_close(struct door *door)
{
    if (door->listener != -1 && door->folder != -1)
        unlinkat(door->folder, socket_name, 0);
    door_leave(door);
}

int door_accept(const struct door *door, uid_t *uid)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    int fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd == -1)
        return -1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == -1) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    *uid = peer.uid;
    return fd;
}

int door_knock(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), error;

    if (fd == -1)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}
