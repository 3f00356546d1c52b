/* measure COMMAND...: runs it with its output thrown away, and prints what it
 * took: seconds by the clock, seconds on a CPU, most memory in KB, status. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char *argv[])
{
    struct rusage usage;
    int status, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int64_t begun = clock_now();
    pid_t pid;

    if (argc < 2 || null < 0) {
        fputs("usage: measure COMMAND...\n", stderr);
        return 2;
    }
    pid = fork();
    if (pid == 0) {
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
        fprintf(stderr, "measure: %s: %s\n", argv[1], strerror(errno));
        return 2;
    }
    printf("%.4f %.4f %ld %d\n", (double)(clock_now() - begun) / 1e9,
           seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128);
    return 0;
}
