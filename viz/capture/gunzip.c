/* See gunzip.h. */
#include "viz/capture/gunzip.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool gunzip_wanted(FILE *stream)
{
    unsigned char magic[2];
    bool wanted;

    if (fseek(stream, 0, SEEK_CUR) != 0)
        return false;
    wanted = fread(magic, 1, sizeof(magic), stream) == sizeof(magic) &&
             magic[0] == 0x1f && magic[1] == 0x8b;
    rewind(stream);
    return wanted;
}

static int spawn(pid_t *child, int from, int to)
{
    char name[] = "gzip", option[] = "-dc";
    char *const argv[] = {name, option, NULL};
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);

    if (error != 0)
        return error;
    error = posix_spawn_file_actions_adddup2(&actions, from, STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO,
                                                 "/dev/null", O_WRONLY, 0);
    if (error == 0)
        error = posix_spawnp(child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int gunzip_open(struct gunzip *gunzip, FILE **stream)
{
    FILE *out = NULL;
    int ends[2], error;

    if (pipe(ends) < 0) {
        error = errno;
        fclose(*stream);
        errno = error;
        return -1;
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    /* rewind() has moved the descriptor too, not only the buffer */
    lseek(fileno(*stream), 0, SEEK_SET);
    error = spawn(&gunzip->child, fileno(*stream), ends[1]);
    close(ends[1]);
    fclose(*stream);
    if (error == 0) {
        out = fdopen(ends[0], "rb");
        error = errno;
    } else {
        gunzip->child = 0;
    }
    if (out == NULL) {
        close(ends[0]);
        errno = error;
        return -1;
    }
    *stream = out;
    return 0;
}

static void wait_for(struct gunzip *gunzip)
{
    int status;
    pid_t pid;

    if (gunzip->child == 0 || gunzip->ended)
        return;
    do
        pid = waitpid(gunzip->child, &status, 0);
    while (pid < 0 && errno == EINTR);
    gunzip->ended = true;
    gunzip->failed = pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 1;
}

bool gunzip_failed(struct gunzip *gunzip)
{
    wait_for(gunzip);
    return gunzip->failed;
}

void gunzip_close(struct gunzip *gunzip)
{
    if (gunzip->child != 0 && !gunzip->ended)
        kill(gunzip->child, SIGTERM);
    wait_for(gunzip);
}
