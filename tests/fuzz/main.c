/*
 * A fuzz target without libFuzzer: each file and each file of each folder that
 * is named is given to it once (`decode tests/fuzz/corpus/decode`). Built by
 * afl-clang-fast it is AFL++'s persistent mode instead.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_MOST = 1 << 20 };

static uint8_t bytes[INPUT_MOST];

#ifdef __AFL_FUZZ_TESTCASE_LEN
__AFL_FUZZ_INIT();

static int persistent(void)
{
    const uint8_t *shared;

    __AFL_INIT();
    shared = __AFL_FUZZ_TESTCASE_BUF;
    while (__AFL_LOOP(100000)) {
        size_t size = (size_t)__AFL_FUZZ_TESTCASE_LEN;

        if (size <= sizeof bytes) {
            memcpy(bytes, shared, size);
            LLVMFuzzerTestOneInput(bytes, size);
        }
    }
    return 0;
}
#endif

/* A copy of exactly its size, so that the address sanitizer sees a byte too
 * many. */
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    uint8_t *copy;
    size_t size;

    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        return -1;
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 1;
}

/* How many inputs there were, -1 after a message. */
static int replay(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char name[4096];
    int count = 0;

    if (folder == NULL)
        return replay_file(path);
    while (count >= 0 && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (replay_file(name) < 0)
            count = -1;
        else
            count++;
    }
    closedir(folder);
    return count;
}

int main(int argc, char *argv[])
{
    int total = 0;

#ifdef __AFL_FUZZ_TESTCASE_LEN
    if (argc == 1)
        return persistent();
#endif
    for (int i = 1; i < argc; i++) {
        int count = replay(argv[i]);

        if (count < 0)
            return 2;
        total += count;
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 2;
}
