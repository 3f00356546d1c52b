/*
 * viz --export FILE: one connection by itself, in the form that FILE's name
 * ends in: a ladder as text (.txt), with its facts as Markdown (.md), as a
 * picture (.svg), or its packets (.pcap).
 */
#include "viz/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/export.h"

enum { STATUS_CANNOT = 2 };

struct exported {
    const char *path;
    struct export_file export; /* its file is opened at the first packet */
    struct capture *capture;   /* borrowed */
    bool failed;
};

static void export_close(void *self)
{
    struct exported *exported = self;

    export_fini(&exported->export);
    free(exported);
}

static void *export_open(const struct options *options,
                         const struct session *session)
{
    struct exported *exported = calloc(1, sizeof *exported);
    struct capture_error error;

    if (!exported || export_init(&exported->export, options->export_form,
                                 options->connection, options->ascii) < 0) {
        fputs("viz: there is no memory left\n", stderr);
        free(exported);
        return NULL;
    }
    exported->path = options->export_path;
    exported->capture = session->capture;
    if (options->export_form == EXPORT_PCAP &&
        capture_keep_chosen(exported->capture, exported->path, &error) < 0) {
        fprintf(stderr, "viz: %s", error.text);
        export_close(exported);
        return NULL;
    }
    return exported;
}

static int cannot_write(const struct exported *exported)
{
    fprintf(stderr, "viz: %s cannot be written: %s\n", exported->path,
            strerror(errno));
    return STATUS_CANNOT;
}

static void begin(struct exported *exported)
{
    FILE *out = fopen(exported->path, "we");

    if (out && export_to(&exported->export, out) == 0)
        return;
    cannot_write(exported);
    exported->failed = true;
}

static void take_event(void *self, const struct event *event)
{
    struct exported *exported = self;
    struct export_file *export = &exported->export;

    if (export_wants(export, event)) {
        if (export->form == EXPORT_PCAP)
            capture_keep_this(exported->capture);
        else if (export->packets == 0)
            begin(exported);
    }
    export_event(export, event);
}

static const struct flow *flow_of(const struct exported *exported,
                                  struct session *session)
{
    const struct flow *flow;
    size_t at = 0;

    while ((flow = track_next(session->track, &at)) != NULL)
        if (flow->id == exported->export.connection)
            return flow;
    return NULL;
}

static int export_last(void *self, struct session *session)
{
    struct exported *exported = self;
    struct export_file *export = &exported->export;

    if (export->packets == 0) {
        fprintf(stderr,
                "viz: there is no connection %u in what was seen; viz "
                "--summary numbers them\n",
                (unsigned)export->connection);
        return STATUS_CANNOT;
    }
    if (exported->failed)
        return STATUS_CANNOT;
    if (export_end(export, flow_of(exported, session)) < 0)
        return cannot_write(exported);
    printf("connection %u, %llu packets: %s\n", (unsigned)export->connection,
           (unsigned long long)export->packets, exported->path);
    return 0;
}

const struct output output_export = {.open = export_open,
                                     .event = take_event,
                                     .end = export_last,
                                     .close = export_close};
