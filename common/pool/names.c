/* What a function of this program is called: its file's symbol table says it,
 * also of a static one, unless the file was stripped. Only a warning of debug
 * mode asks. elf(5); on other systems nobody knows. */
#include <stdio.h>

#include "common/pool/inside.h"

#ifdef __linux__
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image { /* the program's file */
    const char *bytes;
    size_t size;
};

/* `count` pieces of `size` at `at`, or NULL: the file is shorter. */
static const void *part(const struct image *image, uint64_t at, uint64_t count,
                        size_t size)
{
    return at <= image->size && count <= (image->size - at) / size
               ? image->bytes + at
               : NULL;
}

static bool find_name(const struct image *image, uintptr_t address, char *name,
                      size_t room)
{
    const ElfW(Ehdr) *head = part(image, 0, 1, sizeof *head);
    const ElfW(Shdr) *sections = head ? part(image, head->e_shoff,
                                             head->e_shnum, sizeof *sections)
                                      : NULL;

    for (unsigned i = 0; sections && i < head->e_shnum; i++) {
        const ElfW(Shdr) *table = &sections[i], *texts;
        const ElfW(Sym) * symbols;
        const char *text;

        if (table->sh_type != SHT_SYMTAB || table->sh_link >= head->e_shnum)
            continue;
        texts = &sections[table->sh_link];
        symbols = part(image, table->sh_offset,
                       table->sh_size / sizeof *symbols, sizeof *symbols);
        text = part(image, texts->sh_offset, texts->sh_size, 1);
        for (size_t k = 0;
             symbols && text && k < table->sh_size / sizeof *symbols; k++)
            if (symbols[k].st_value == address &&
                (symbols[k].st_info & 0xf) == STT_FUNC &&
                symbols[k].st_name < texts->sh_size) {
                snprintf(name, room, "%.*s",
                         (int)strnlen(text + symbols[k].st_name,
                                      texts->sh_size - symbols[k].st_name),
                         text + symbols[k].st_name);
                return true;
            }
    }
    return false;
}

/* How far from where its file says the program itself was loaded. */
static int load_bias(struct dl_phdr_info *info, size_t size, void *bias)
{
    (void)size;
    *(uintptr_t *)bias = info->dlpi_addr;
    return 1; /* the program comes first; the libraries are not asked */
}

bool name_of_function(callback_fn *function, char *name, size_t room)
{
    struct image image = {0};
    struct stat status;
    uintptr_t bias = 0;
    bool found = false;
    void *bytes = MAP_FAILED;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    if (fstat(fd, &status) == 0)
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd,
                     0);
    close(fd);
    if (bytes == MAP_FAILED)
        return false;
    image = (struct image){bytes, (size_t)status.st_size};
    dl_iterate_phdr(load_bias, &bias);
    found = find_name(&image, (uintptr_t)function - bias, name, room);
    munmap(bytes, image.size);
    return found;
}
#else
bool name_of_function(callback_fn *function, char *name, size_t room)
{
    (void)function, (void)name, (void)room;
    return false;
}
#endif
