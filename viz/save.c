/* See save.h. */
#include "viz/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viz/export.h"
#include "viz/session.h"

enum { NAMES = 100, BATCH = 1024 };

void save_name(uint32_t connection, char *path, size_t size)
{
    struct stat status;
    bool lab = stat(".lab", &status) == 0 && S_ISDIR(status.st_mode) &&
               access(".lab", W_OK) == 0;
    const char *folder = lab ? ".lab/" : "";

    snprintf(path, size, "%sconnection-%u.txt", folder, (unsigned)connection);
    for (int n = 2; n < NAMES && access(path, F_OK) == 0; n++)
        snprintf(path, size, "%sconnection-%u-%d.txt", folder,
                 (unsigned)connection, n);
}

/* A file that was not there before. NULL with errno. */
static FILE *new_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), error;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    if (fd >= 0 && !file) {
        error = errno;
        close(fd);
        errno = error;
    }
    return file;
}

/* What could not be finished is not left behind. */
static int take_back(const char *path)
{
    int error = errno;

    unlink(path);
    errno = error;
    return -1;
}

static void say_why_not(const char *path, char *said, size_t size)
{
    if (errno == EEXIST)
        snprintf(said, size, "%s is there already: another name?", path);
    else
        snprintf(said, size, "%s cannot be written: %s.", path,
                 strerror(errno));
}

static const struct flow *flow_of(const struct store *store, uint32_t id)
{
    for (size_t n = store_flows(store); n-- > 0;)
        if (store_flow(store, n)->id == id)
            return store_flow(store, n);
    return NULL;
}

/* --- drawn, from what the views have ---------------------------------------- */

static int draw(struct export_file *export, const struct store *store,
                const char *path)
{
    FILE *out = new_file(path);

    if (!out)
        return -1;
    if (export_to(export, out) < 0)
        return take_back(path);
    export_store(export, store);
    if (export_end(export, flow_of(store, export->connection)) < 0)
        return take_back(path);
    return 0;
}

/* --- as packets, read again ------------------------------------------------ */

struct second_reading {
    struct export_file *export;
    struct session session;
};

static void keep(void *self, const struct event *event)
{
    struct second_reading *reading = self;

    if (!export_wants(reading->export, event))
        return;
    capture_keep_this(reading->session.capture);
    export_event(reading->export, event);
}

/* The frames of one connection from `capture`, which it takes, into a file that
 * is there, and empty. */
static int copy_packets(struct export_file *export, struct capture *capture,
                        const char *path, struct capture_error *error)
{
    struct second_reading reading = {.export = export};
    int got = -1;

    if (capture_keep_chosen(capture, path, error) < 0) {
        capture_close(capture);
        return -1;
    }
    if (session_init(&reading.session, capture, NULL) == 0 &&
        session_add_sink(&reading.session, keep, &reading) == 0)
        while ((got = session_pump(&reading.session, BATCH, error)) > 0)
            ;
    session_fini(&reading.session);
    if (got < 0 && error->kind == CAPTURE_TRUNCATED) /* it is still written */
        got = 0;
    return got;
}

static void save_packets(const struct options *options,
                         struct export_file *export, const char *path,
                         char *said, size_t size)
{
    const char *source = options->read_path ? options->read_path
                                            : options->write_path;
    struct capture_error error = {.kind = CAPTURE_FINE};
    struct capture *capture;
    FILE *file;

    if (!source || strcmp(source, "-") == 0) {
        snprintf(said, size,
                 "Whole packets are kept by viz -w FILE only: here .txt, .md "
                 "and .svg.");
        return;
    }
    capture = capture_open_file(
        source, options->read_path ? options->filter : NULL, &error);
    file = capture ? new_file(path) : NULL;
    if (capture && !file) {
        say_why_not(path, said, size);
        capture_close(capture);
        return;
    }
    if (file)
        fclose(file);
    if (!capture || copy_packets(export, capture, path, &error) < 0) {
        snprintf(said, size, "%.*s", (int)strcspn(error.text, "\n"),
                 error.text);
        if (capture)
            take_back(path);
    }
}

/* --- both ------------------------------------------------------------------ */

int save_connection(const struct options *options, const struct store *store,
                    uint32_t connection, const char *path, char *said,
                    size_t size)
{
    const struct flow *flow = flow_of(store, connection);
    struct export_file export;
    enum export_form form;
    bool failed;

    said[0] = '\0';
    if (options_export_form(path, &form) < 0) {
        snprintf(said, size, "The name ends in .txt, .md, .svg or .pcap.");
        return -1;
    }
    if (export_init(&export, form, connection, options->ascii) < 0) {
        snprintf(said, size, "There is no memory left.");
        return -1;
    }
    if (form == EXPORT_PCAP)
        save_packets(options, &export, path, said, size);
    else if (draw(&export, store, path) < 0)
        say_why_not(path, said, size);
    failed = said[0] != '\0';
    if (!failed)
        snprintf(said, size, "Connection %u, %llu packet%s%s: %s",
                 (unsigned)connection, (unsigned long long)export.packets,
                 export.packets == 1 ? "" : "s",
                 flow && flow->packets > export.packets ? " (older ones are "
                                                          "forgotten)"
                                                        : "",
                 path);
    export_fini(&export);
    return failed ? -1 : 0;
}
