/* See score.h. */
#include "viz/score.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/progress.h"

static const char total_key[] = "predict.total";

/* "predict.s01.pcap": what a key cannot have becomes an underscore. */
static void key_of(const char *source, char *key, size_t size)
{
    int n = snprintf(key, size, "predict.%.100s", source);

    for (char *c = key; n > 0 && *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr(".-_", *c))
            *c = '_';
}

/* "3/5"; nothing that can be read is 0 of 0. */
static void read_total(unsigned *right, unsigned *asked)
{
    char value[204], *end = value;
    unsigned long a, b;

    *right = *asked = 0;
    if (progress_get(PROGRESS_FILE, total_key, value, sizeof value) < 0)
        return;
    a = strtoul(value, &end, 10);
    if (end == value || *end != '/')
        return;
    b = strtoul(end + 1, &end, 10);
    if (*end || a > b || b > 1000000000)
        return;
    *right = (unsigned)a;
    *asked = (unsigned)b;
}

int score_keep(struct score *kept, const char *source, unsigned right,
               unsigned asked)
{
    struct progress_line lines[2];
    struct stat status;
    unsigned all_right, all_asked;

    if (asked == kept->asked)
        return 0;
    if (asked < kept->asked)
        *kept = (struct score){0, 0};
    if (stat(".lab", &status) < 0 || !S_ISDIR(status.st_mode))
        return 0;
    read_total(&all_right, &all_asked);
    key_of(source, lines[0].key, sizeof lines[0].key);
    snprintf(lines[0].value, sizeof lines[0].value, "%u/%u", right, asked);
    snprintf(lines[1].key, sizeof lines[1].key, "%s", total_key);
    snprintf(lines[1].value, sizeof lines[1].value, "%u/%u",
             all_right + right - kept->right, all_asked + asked - kept->asked);
    if (progress_set_all(PROGRESS_FILE, lines, 2, NULL) < 0)
        return -1;
    *kept = (struct score){right, asked};
    return 0;
}
