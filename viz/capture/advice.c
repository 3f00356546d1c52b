/* See advice.h. */
#include "viz/capture/advice.h"

#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void advice_set(struct capture_error *error, int kind, const char *format, ...)
{
    va_list arguments;

    error->kind = kind;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    for (char *c = error->text; *c != '\0'; c++)
        if (((unsigned char)*c < ' ' && *c != '\n') || *c == 0x7f)
            *c = '?';
}

/* The path of this program as a shell takes it; "viz" where /proc does not
 * say, or where it is longer than fits. */
static void own_path(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789/._-+@%:,=";

    if (length > 0)
        path[length] = '\0';
    if (length <= 0 || (size_t)length == size - 1)
        snprintf(path, size, "viz");
    else if (strspn(path, plain) != (size_t)length &&
             strchr(path, '\'') == NULL && (size_t)length + 3 <= size) {
        memmove(path + 1, path, (size_t)length);
        path[0] = path[length + 1] = '\'';
        path[length + 2] = '\0';
    }
}

void advice_permission(struct capture_error *error, const char *interface)
{
    char path[320];

    own_path(path, sizeof(path));
    advice_set(error, CAPTURE_NO_PERMISSION,
               "Cannot capture on %s: the kernel refused a packet socket.\n"
               "It asks for the right CAP_NET_RAW. One of these helps, the "
               "first without any right:\n"
               "  %s --private -- COMMAND   (in a lesson: make shell)\n"
               "  sudo setcap cap_net_raw=ep %s\n"
               "  sudo %s -i %s\n"
               "A stored capture needs no right either: viz -r FILE",
               interface, path, path, path, interface);
}

void advice_no_device(struct capture_error *error, const char *interface)
{
    char names[200] = "";
    struct if_nameindex *all = if_nameindex();
    size_t used = 0;

    for (struct if_nameindex *i = all; i != NULL && i->if_index != 0; i++)
        if (used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s, ",
                                     i->if_name);
    if (all != NULL)
        if_freenameindex(all);
    advice_set(error, CAPTURE_NO_DEVICE,
               "There is no interface %s here. There are: %sand any, which is "
               "all of them.",
               interface, names);
}
