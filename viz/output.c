/* See output.h: what outputs share. */
#include "viz/output.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PIPE_COLUMNS = 80, LEAST_COLUMNS = 40, MOST_COLUMNS = 200 };

int output_columns(void)
{
    struct winsize size;

    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 ||
        size.ws_col == 0)
        return PIPE_COLUMNS;
    if (size.ws_col < LEAST_COLUMNS)
        return LEAST_COLUMNS;
    return size.ws_col > MOST_COLUMNS ? MOST_COLUMNS : size.ws_col;
}

bool output_ascii(const struct options *options)
{
    setlocale(LC_CTYPE, "");
    return options->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}
