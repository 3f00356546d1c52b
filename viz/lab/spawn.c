/* See spawn.h. */
#include "viz/lab/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HIGH_FD = 20 }; /* above what a child puts its own descriptors on */

static _Noreturn void be_the_child(spawn_fn *become, void *self, int told)
{
    int high = fcntl(told, F_DUPFD_CLOEXEC, HIGH_FD), error;

    become(self);
    error = errno;
    if (write(high, &error, sizeof error) == -1)
        _exit(126);
    _exit(127);
}

pid_t spawn(spawn_fn *become, void *self)
{
    int pipe_fds[2], error = 0;
    pid_t child;

    if (pipe2(pipe_fds, O_CLOEXEC) == -1)
        return -1;
    child = fork();
    if (child == 0)
        be_the_child(become, self, pipe_fds[1]);
    if (child == -1)
        error = errno;
    close(pipe_fds[1]);
    if (child != -1)
        while (read(pipe_fds[0], &error, sizeof error) == -1 && errno == EINTR)
            ;
    close(pipe_fds[0]);
    if (child != -1 && error != 0)
        waitpid(child, NULL, 0);
    errno = error;
    return error == 0 ? child : -1;
}
