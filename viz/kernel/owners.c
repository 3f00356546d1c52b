/* See owners.h. */
#include "viz/kernel/owners.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 65536 }; /* sockets; the rest have no owner shown */

void owners_fini(struct owners *owners)
{
    free(owners->items);
    *owners = (struct owners){0};
}

static int add(struct owners *owners, const struct owner *owner)
{
    if (owners->count == MOST)
        return 0;
    if (owners->count == owners->room) {
        size_t room = owners->room > 0 ? owners->room * 2 : 64;
        struct owner *larger = realloc(owners->items, room * sizeof *larger);

        if (larger == NULL)
            return -1;
        owners->items = larger;
        owners->room = room;
    }
    owners->items[owners->count++] = *owner;
    return 0;
}

/* "server", without its newline; "" when it has gone meanwhile. */
static void read_name(int process, char name[OWNER_NAME])
{
    int fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, name, OWNER_NAME - 1);

    name[n > 0 ? n : 0] = '\0';
    name[strcspn(name, "\n")] = '\0';
    if (fd >= 0)
        close(fd);
}

/* All sockets of one process. What may not be read is passed over. */
static int add_process(struct owners *owners, DIR *folder, struct owner *owner)
{
    struct dirent *entry;
    bool named = false;
    char link[64];
    int status = 0;

    while (status == 0 && (entry = readdir(folder)) != NULL) {
        ssize_t n = readlinkat(dirfd(folder), entry->d_name, link,
                               sizeof link - 1);
        unsigned inode;

        if (n <= 0)
            continue;
        link[n] = '\0';
        if (sscanf(link, "socket:[%u]", &inode) != 1)
            continue;
        if (!named) {
            int process = openat(dirfd(folder), "..", O_PATH | O_CLOEXEC);

            read_name(process, owner->name);
            if (process >= 0)
                close(process);
            named = true;
        }
        owner->inode = inode;
        status = add(owners, owner);
    }
    return status;
}

static int by_inode(const void *a, const void *b)
{
    const struct owner *x = a, *y = b;

    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int owners_look(struct owners *owners)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    int status = 0;

    owners->count = 0;
    if (folder == NULL)
        return -1;
    while (status == 0 && (entry = readdir(folder)) != NULL) {
        struct owner owner = {.pid = (pid_t)strtol(entry->d_name, NULL, 10)};
        char path[300];
        DIR *files;

        if (owner.pid <= 0)
            continue;
        snprintf(path, sizeof path, "/proc/%s/fd", entry->d_name);
        files = opendir(path);
        if (files == NULL)
            continue;
        status = add_process(owners, files, &owner);
        closedir(files);
    }
    closedir(folder);
    if (status == -1)
        owners->count = 0;
    if (owners->count > 0)
        qsort(owners->items, owners->count, sizeof *owners->items, by_inode);
    return status;
}

const struct owner *owners_find(const struct owners *owners, uint32_t inode)
{
    size_t low = 0, high = owners->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (owners->items[middle].inode < inode)
            low = middle + 1;
        else
            high = middle;
    }
    return inode != 0 && low < owners->count &&
                   owners->items[low].inode == inode
               ? &owners->items[low]
               : NULL;
}

/* --- one question -------------------------------------------------------- */

static bool holds(const char *process, const char *target)
{
    char path[300], link[64];
    struct dirent *entry;
    bool found = false;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%s/fd", process);
    folder = opendir(path);
    if (folder == NULL)
        return false;
    while (!found && (entry = readdir(folder)) != NULL) {
        ssize_t n = readlinkat(dirfd(folder), entry->d_name, link,
                               sizeof link - 1);

        if (n > 0) {
            link[n] = '\0';
            found = strcmp(link, target) == 0;
        }
    }
    closedir(folder);
    return found;
}

pid_t owners_ask(uint32_t inode)
{
    struct dirent *entry;
    char target[32];
    pid_t owner = 0;
    DIR *folder;

    if (inode == 0)
        return 0;
    snprintf(target, sizeof target, "socket:[%u]", inode);
    folder = opendir("/proc");
    if (folder == NULL)
        return 0;
    while (owner == 0 && (entry = readdir(folder)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            holds(entry->d_name, target))
            owner = (pid_t)strtol(entry->d_name, NULL, 10);
    closedir(folder);
    return owner;
}
