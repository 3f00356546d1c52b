/*
 * One connection by itself, drawn into a file as its packets come: a ladder as
 * text, with its facts as Markdown, or as a picture. The same packets, the same
 * bytes. As packets (pcap) it is the capture that writes; here they are only
 * counted.
 */
#ifndef VIZ_EXPORT_H
#define VIZ_EXPORT_H

#include <stdio.h>

#include "viz/options.h"
#include "viz/views/roll.h"

struct export_file {
    enum export_form form;
    uint32_t connection;
    bool ascii;
    uint64_t packets; /* of the connection, so far */
    struct roll roll;
    struct store *store; /* of its newest packets, and all calls: a row waits
                            for what is told of it later */
    uint64_t drawn;      /* packets of that store */
    FILE *out;           /* owned once export_to() has it */
};

/* -1 with errno ENOMEM. */
int export_init(struct export_file *export, enum export_form form,
                uint32_t connection, bool ascii);
void export_fini(struct export_file *export); /* closes the file */
/* Whether the event is a packet of the connection. */
bool export_wants(const struct export_file *export, const struct event *event);
/* Before what is to stand in it: where it goes, but for a pcap. Takes the file,
 * also on failure: -1 with errno ENOMEM. */
int export_to(struct export_file *export, FILE *out);
/* What came: every event of a run, in its order; or all that a store has of
 * the connection. */
void export_event(struct export_file *export, const struct event *event);
void export_store(struct export_file *export, const struct store *store);
/* What comes last, with the connection as it is now (or NULL), and the file is
 * closed. 0; -1 with errno when not all of it was written. */
int export_end(struct export_file *export, const struct flow *flow);

#endif
