/* See launch.h. All that a cell may see is listed in bubblewrap(). */
#include "tests/grader/launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/netns.h"

enum { WORDS = 640, TEXT = 32 << 10 };

/* An argv under construction; words that are made live in `text`. */
struct command {
    const char *word[WORDS];
    size_t count;
    char text[TEXT];
    size_t used;
    bool full;
};

static void word(struct command *command, const char *text)
{
    if (command->count + 1 < WORDS)
        command->word[command->count++] = text;
    else
        command->full = true;
    command->word[command->count] = NULL;
}

static void words(struct command *command, const char *const *list)
{
    for (; *list; list++)
        word(command, *list);
}

__attribute__((format(printf, 2, 3))) static void made(struct command *command,
                                                       const char *format, ...)
{
    size_t room = TEXT - command->used;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(command->text + command->used, room, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= room) {
        command->full = true;
        return;
    }
    word(command, command->text + command->used);
    command->used += (size_t)n + 1;
}

/* A descriptor from which `bytes` can be read once: a pipe would block on a
 * long file, memory does not. */
int launch_memory(const char *name, const void *bytes, size_t length)
{
    const char *from = bytes;
    int fd = memfd_create(name, MFD_CLOEXEC | 0x10U /* MFD_EXEC */);

    if (fd < 0 && errno == EINVAL) /* a kernel before 6.3 */
        fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    while (length > 0) {
        ssize_t n = write(fd, from, length);

        if (n < 0) {
            close(fd);
            return -1;
        }
        from += n;
        length -= (size_t)n;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* A file offset of its own, so that two cells can read the same program. */
static int reopened(int fd)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY);
}

static int inheritable(int fd)
{
    return fd < 0 ? -1 : fcntl(fd, F_SETFD, 0);
}

static const char *find_bwrap(void)
{
    static const char *const place[] = {"/usr/bin/bwrap",
                                        "/usr/local/bin/bwrap", "/bin/bwrap"};

    for (size_t i = 0; i < sizeof place / sizeof *place; i++)
        if (access(place[i], X_OK) == 0)
            return place[i];
    errno = ENOENT;
    return NULL;
}

static void etc(struct command *command, const char *path, const char *text)
{
    int fd = launch_memory("etc", text, strlen(text));

    inheritable(fd);
    word(command, "--ro-bind-data");
    made(command, "%d", fd);
    word(command, path);
}

/* /usr, and the old top folders as this system has them. */
static void system_folders(struct command *command)
{
    static const char *const top[] = {"/bin",   "/sbin",  "/lib",
                                      "/lib64", "/lib32", "/libx32"};
    char target[128];

    words(command, (const char *const[]){"--ro-bind", "/usr", "/usr", NULL});
    for (size_t i = 0; i < sizeof top / sizeof *top; i++) {
        ssize_t n = readlink(top[i], target, sizeof target - 1);

        if (n > 0) {
            target[n] = '\0';
            word(command, "--symlink");
            made(command, "%s", target);
            word(command, top[i]);
        } else if (errno == EINVAL) { /* a real folder */
            words(command,
                  (const char *const[]){"--ro-bind", top[i], top[i], NULL});
        }
    }
    words(command,
          (const char *const[]){"--ro-bind-try", "/etc/alternatives",
                                "/etc/alternatives", "--ro-bind-try",
                                "/etc/ld.so.cache", "/etc/ld.so.cache", NULL});
    etc(command, "/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
    etc(command, "/etc/nsswitch.conf", "passwd: files\nhosts: files\n");
}

static void box(struct command *command, const struct launch *launch)
{
    word(command, "--size");
    made(command, "%ld", (long)launch->box_mb << 20);
    words(command, (const char *const[]){"--tmpfs", "/box", NULL});
    for (size_t i = 0; i < launch->files; i++) {
        const struct launch_file *file = &launch->file[i];
        int fd = file->bytes ? launch_memory("file", file->bytes, file->length)
                             : reopened(file->fd);

        inheritable(fd);
        words(command,
              (const char *const[]){"--perms", "0755", "--file", NULL});
        made(command, "%d", fd);
        made(command, "/box/%s", file->name);
    }
}

static void bubblewrap(struct command *command, const struct launch *launch)
{
    word(command, "bwrap");
    words(command,
          (const char *const[]){
              "--unshare-user", "--unshare-pid", "--unshare-ipc",
              "--unshare-uts", "--unshare-cgroup-try", "--disable-userns",
              "--cap-drop", "ALL", "--new-session", "--die-with-parent",
              "--hostname", "lab", "--clearenv", NULL});
    for (size_t i = 0; i < launch->environments; i++)
        words(command,
              (const char *const[]){"--setenv", launch->environment[i][0],
                                    launch->environment[i][1], NULL});
    system_folders(command);
    words(command,
          (const char *const[]){"--proc", "/proc", "--dev", "/dev", "--size",
                                "1048576", "--tmpfs", "/dev/shm", "--size",
                                "8388608", "--tmpfs", "/tmp", NULL});
    box(command, launch);
    words(command,
          (const char *const[]){"--remount-ro", "/", "--chdir", "/box", NULL});
    word(command, "--");
}

/* Reduced isolation: the files into a folder of our own, then into it. */
static int fill_folder(const struct launch *launch)
{
    if (chdir(launch->folder) < 0)
        return -1;
    for (size_t i = 0; i < launch->files; i++) {
        const struct launch_file *file = &launch->file[i];
        int to = open(file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                      0755);
        int from = file->bytes ? -1 : reopened(file->fd);
        char buffer[64 << 10];
        ssize_t n = 0;

        if (to < 0 || (!file->bytes && from < 0))
            return -1;
        if (file->bytes &&
            write(to, file->bytes, file->length) != (ssize_t)file->length)
            return -1;
        while (from >= 0 && (n = read(from, buffer, sizeof buffer)) > 0)
            if (write(to, buffer, (size_t)n) != n)
                return -1;
        close(to);
        if (from >= 0)
            close(from);
        if (n < 0)
            return -1;
    }
    return 0;
}

/* SIGKILL when the parent dies; or now, when it has died already. (In a pid
 * namespace of our own getppid() would not tell.) */
static void die_with(int parent)
{
    struct pollfd gone = {.fd = parent, .events = POLLIN};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (poll(&gone, 1, 0) != 0)
        _exit(SHIM_REFUSED);
}

/* In the child: never returns. */
_Noreturn static void become(struct launch *launch, struct command *command,
                             int parent)
{
    const struct isolation *isolation = launch->isolation;
    bool full = isolation->level == ISOLATION_FULL;
    const char *shim[SHIM_ARGUMENTS];
    char text[SHIM_TEXT], self[32];
    sigset_t none;
    size_t n;

    if (geteuid() == 0 && isolation_drop(isolation) < 0)
        _exit(SHIM_REFUSED);
    die_with(parent); /* after the change of uid, which would undo it */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* nohup or a script may have had others */
    if (dup2(launch->in, 0) < 0 || dup2(launch->out, 1) < 0 ||
        dup2(launch->err, 2) < 0 || close_range(3, ~0U, 4) < 0)
        _exit(SHIM_REFUSED);
    launch->shim.private_pids = full;
    launch->shim.landlock = isolation->landlock >= 6 || !full;
    launch->shim.folder = full ? NULL : launch->folder;
    inheritable(isolation->self);
    if (launch->shim.keep > 2)
        inheritable(launch->shim.keep);
    if (full)
        bubblewrap(command, launch);
    else if (fill_folder(launch) < 0)
        dprintf(2, "cell: its folder: %s\n", strerror(errno));
    snprintf(self, sizeof self, "/proc/self/fd/%d", isolation->self);
    word(command, self);
    n = shim_arguments(&launch->shim, text, sizeof text, shim);
    for (size_t i = 0; i < n; i++)
        word(command, shim[i]);
    if (launch->path) {
        word(command, launch->path);
        words(command, launch->argv);
    }
    if (command->full) {
        dprintf(2, "cell: too many files\n");
    } else if (full) {
        char *const empty[] = {NULL}; /* its /proc/1/environ is in the cell */

        execve(find_bwrap(), (char *const *)(uintptr_t)command->word, empty);
    } else {
        clearenv();
        for (size_t i = 0; i < launch->environments; i++)
            setenv(launch->environment[i][0], launch->environment[i][1], 1);
        execv(self, (char *const *)(uintptr_t)command->word);
    }
    _exit(SHIM_REFUSED);
}

#define FOLDERS "/tmp"
#define FOLDER  "two-terminals-"

static int open_folder(int at, const char *path)
{
    return openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A new folder, locked for as long as we live: see launch_clean_stale(). */
static int lock_folder(struct launch *launch)
{
    struct stat held, named;

    snprintf(launch->folder, sizeof launch->folder,
             FOLDERS "/" FOLDER "XXXXXX");
    if (!mkdtemp(launch->folder)) {
        launch->folder[0] = '\0';
        return -1;
    }
    launch->lock = open_folder(AT_FDCWD, launch->folder);
    if (launch->lock >= 0 && flock(launch->lock, LOCK_EX) == 0 &&
        fstat(launch->lock, &held) == 0 && lstat(launch->folder, &named) == 0 &&
        held.st_ino == named.st_ino)
        return 1;
    launch_clean(launch); /* another grader took it for a stale one */
    return 0;
}

/* Reduced isolation: a folder of the program's own, which its uid may use. */
static int make_folder(struct launch *launch)
{
    const struct isolation *isolation = launch->isolation;
    int made = 0;

    for (int i = 0; i < 10 && made == 0; i++)
        made = lock_folder(launch);
    if (made <= 0)
        return -1;
    if (geteuid() == 0 && isolation->drop)
        return chown(launch->folder, isolation->uid, isolation->gid);
    return 0;
}

/* fork(2), and in the child pid 1 of a new pid namespace. (unshare(2) would
 * allow it only once a process.) */
static pid_t fork_first(void)
{
    struct clone_args how = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};
    long child = syscall(SYS_clone3, &how, sizeof how);

    if (child < 0 && errno == ENOSYS) /* a container's filter */
        child = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    return (pid_t)child;
}

pid_t launch(struct launch *launch)
{
    bool full = launch->isolation->level == ISOLATION_FULL;
    struct command *command;
    int parent, error;
    pid_t child = -1;

    launch->folder[0] = '\0';
    launch->lock = -1;
    if (full && !find_bwrap())
        return -1;
    if (!full && make_folder(launch) < 0)
        return -1;
    command = calloc(1, sizeof *command);
    parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
    /* bubblewrap becomes pid 1 of a namespace around its own: once it is dead,
     * by whatever hand and at whatever moment, the kernel leaves nothing of
     * it. Its own --die-with-parent has a gap while it starts. */
    if (command && parent >= 0)
        child = full ? fork_first() : fork();
    if (child == 0)
        become(launch, command, parent);
    error = errno;
    if (parent >= 0)
        close(parent);
    free(command);
    errno = error;
    return child;
}

/* In a child: a network of our own, the cell in it, and its status as ours. */
_Noreturn static void stand_around(struct launch *inner, int parent)
{
    enum netns_step failed;
    int status;
    pid_t child;

    if (isolation_drop(inner->isolation) < 0 || netns_enter(&failed) < 0)
        _exit(SHIM_REFUSED);
    die_with(parent);
    child = launch(inner);
    if (child < 0)
        _exit(SHIM_REFUSED);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

pid_t launch_alone(struct launch *inner)
{
    int parent;
    pid_t child;

    if (inner->isolation->level != ISOLATION_FULL)
        return launch(inner);
    inner->folder[0] = '\0';
    inner->lock = -1;
    parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (parent < 0)
        return -1;
    child = fork();
    if (child == 0)
        stand_around(inner, parent);
    close(parent);
    return child;
}

/* Everything in a folder that a student's program wrote to; links are removed,
 * never followed. */
static void remove_all(int folder, int depth)
{
    DIR *list = fdopendir(folder);
    struct dirent *entry;

    if (!list) {
        close(folder);
        return;
    }
    while ((entry = readdir(list))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(list), entry->d_name, 0) < 0 && depth < 64) {
            int inner = openat(dirfd(list), entry->d_name,
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

            if (inner >= 0)
                remove_all(inner, depth + 1);
            unlinkat(dirfd(list), entry->d_name, AT_REMOVEDIR);
        }
    }
    closedir(list);
}

void launch_clean(struct launch *launch)
{
    int folder;

    if (!launch->folder[0])
        return;
    folder = open_folder(AT_FDCWD, launch->folder);
    if (folder >= 0)
        remove_all(folder, 0);
    rmdir(launch->folder);
    launch->folder[0] = '\0';
    if (launch->lock >= 0)
        close(launch->lock);
    launch->lock = -1;
}

void launch_clean_stale(void)
{
    DIR *list = opendir(FOLDERS);
    struct dirent *entry;

    while (list && (entry = readdir(list))) {
        struct stat status;
        int folder;

        if (strncmp(entry->d_name, FOLDER, strlen(FOLDER)) != 0)
            continue;
        folder = open_folder(dirfd(list), entry->d_name);
        if (folder < 0)
            continue;
        if (fstat(folder, &status) == 0 &&
            (status.st_uid == geteuid() || geteuid() == 0) &&
            flock(folder, LOCK_EX | LOCK_NB) == 0) {
            int inside = fcntl(folder, F_DUPFD_CLOEXEC, 3);

            if (inside >= 0)
                remove_all(inside, 0);
            unlinkat(dirfd(list), entry->d_name, AT_REMOVEDIR);
        }
        close(folder);
    }
    if (list)
        closedir(list);
}
