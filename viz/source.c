/* See source.h. */
#include "viz/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "viz/lab/keeper.h"

/* Writing would empty the file before it is read. */
static bool same_file(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 &&
           S_ISREG(first.st_mode) && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static int fail(struct capture_error *error, const char *what)
{
    error->kind = CAPTURE_SYSTEM;
    snprintf(error->text, sizeof error->text, "viz cannot %s: %s.\n", what,
             strerror(errno));
    return -1;
}

static struct capture *open_capture(const struct options *options,
                                    struct capture_error *error)
{
    if (options->read_path)
        return capture_open_file(options->read_path, options->filter, error);
    return capture_open_live(options->interface, options->snaplen,
                             options->filter, error);
}

void source_beside(struct session *session, const struct options *options)
{
    bool drawn = options->mode == MODE_SCREEN || options->mode == MODE_DUMP ||
                 options->mode == MODE_EXPORT;
    struct replay_error error;

    if (options->write_path && session->sockets &&
        session_record(session, options->write_path) < 0)
        fprintf(
            stderr, "viz: what the kernel says is not kept beside %s: %s.\n",
            options->write_path,
            errno == EEXIST ? "its FILE.events is another's" : strerror(errno));
    if (!options->read_path || !drawn)
        return;
    session->recorded = recorded_open(options->read_path, &error);
    if (error.text[0])
        fprintf(stderr, "viz: the packets alone are shown: %s\n", error.text);
}

int source_open(struct session *session, const struct options *options,
                bool kernel, struct capture_error *error)
{
    struct capture *capture;
    struct sockets *sockets = NULL;

    if (options->read_path && options->write_path &&
        same_file(options->read_path, options->write_path)) {
        error->kind = CAPTURE_BAD_FILE;
        snprintf(error->text, sizeof error->text,
                 "-r and -w name the same file, %s: it would be emptied "
                 "before it is read. Write to another name.\n",
                 options->write_path);
        return -1;
    }
    capture = open_capture(options, error);
    if (!capture)
        return -1;
    if (kernel && !options->read_path)
        sockets = sockets_open(); /* without it the wire alone decides */
    if (session_init(session, capture, sockets) < 0)
        return fail(error, "start");
    if (keeper_drop_rights() < 0) {
        fail(error, "give up its rights");
        session_fini(session);
        return -1;
    }
    if (options->write_path &&
        capture_keep(capture, options->write_path, error) < 0) {
        session_fini(session);
        return -1;
    }
    source_beside(session, options);
    return 0;
}
