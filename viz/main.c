/* viz: reads the command line and hands on to the mode that was asked for. */
#include <stdio.h>

#include "viz/browse.h"
#include "viz/headless.h"
#include "viz/lab/doctor.h"
#include "viz/lab/join.h"
#include "viz/lab/private.h"
#include "viz/lab/shell.h"
#include "viz/lesson/lesson.h"
#include "viz/options.h"

enum { STATUS_CANNOT = 2 };

static int usage(void)
{
    options_usage(stdout);
    return fflush(stdout) == 0 ? 0 : STATUS_CANNOT;
}

static int join(const char *who)
{
    char why[512];

    if (join_network(who, why, sizeof why) == 0)
        return 0;
    fprintf(stderr, "viz: %s\n", why);
    return -1;
}

static int run(const struct options *options)
{
    if (options->private_network)
        return private_run(options);
    if (options->join && join(options->join) == -1)
        return STATUS_CANNOT;
    switch (options->mode) {
    case MODE_HELP:
        return usage();
    case MODE_LESSON:
        return lesson_run(options);
    case MODE_DOCTOR:
        return doctor_run();
    case MODE_SHELL:
        return shell_run();
    case MODE_SCREEN:
    case MODE_DUMP:
        return browse_run(options);
    case MODE_TEXT:
    case MODE_JSON:
    case MODE_SUMMARY:
    case MODE_EXPECT:
    case MODE_EXPORT:
    case MODE_PREDICT:
    case MODE_STREAM:
        break;
    }
    return headless_run(options);
}

int main(int argc, char *argv[])
{
    struct options options;
    struct options_error error;
    int status = STATUS_CANNOT;

    if (options_read(&options, argc, argv, &error) < 0)
        fprintf(stderr, "viz: %s\n", error.text);
    else
        status = run(&options);
    options_fini(&options);
    return status;
}
