/* A program that does what may upset a preload library: closes every
 * descriptor, forks, and the child becomes this program anew. Parent and child
 * each ask for a connection that nobody takes, and say how many descriptors
 * they have. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = -3; /* ".", "..", and the folder's own */

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void ask(const char *who)
{
    const struct sockaddr_in nobody = {.sin_family = AF_INET,
                                       .sin_port = htons(9),
                                       .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (const struct sockaddr *)&nobody, sizeof nobody) == 0)
        return;
    fprintf(stderr, "%s: %s on %d, of %d descriptors\n", who, strerror(errno),
            fd, descriptors());
}

int main(int argc, char *argv[])
{
    int status;

    if (argc > 1) {
        ask("child");
        return 7;
    }
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    if (fork() == 0) {
        execl(argv[0], argv[0], "child", (char *)NULL);
        return 1;
    }
    wait(&status);
    fprintf(stderr, "the child ended with %d\n", WEXITSTATUS(status));
    ask("parent");
    return 3;
}
