/* Which labs there are. A new one is its table in tests/checks/ and a line
 * here. */
#include <string.h>

#include "tests/grader/check.h"

extern const struct lab lab_01_blocking;

static const struct lab *const all_labs[] = {
    [1] = &lab_01_blocking,
};

const struct lab *lab_by_number(int number)
{
    if (number < 0 || (size_t)number >= sizeof all_labs / sizeof *all_labs)
        return NULL;
    return all_labs[number];
}

const struct check *lab_check(const struct lab *lab, const char *id)
{
    for (size_t i = 0; i < lab->check_count; i++)
        if (strcmp(lab->checks[i].id, id) == 0)
            return &lab->checks[i];
    return NULL;
}

int lab_points(const struct lab *lab)
{
    int sum = 0;

    for (size_t i = 0; i < lab->check_count; i++)
        sum += lab->checks[i].points;
    return sum;
}
