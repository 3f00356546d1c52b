/* Which mechanisms there are here, the best first. */
#include <string.h>

#include "common/pool/mechanism.h"

extern const struct mechanism mechanism_epoll, mechanism_poll, mechanism_select;

static const struct mechanism *const all[] = {
#ifdef __linux__
    &mechanism_epoll,
#endif
    &mechanism_poll,
    &mechanism_select,
};

const struct mechanism *mechanism_find(const char *name)
{
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        if (!name || strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}
