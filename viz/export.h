/*
 * One connection by itself, drawn into a file as its packets come: a ladder as
 * text, with its facts as Markdown, or as a picture. The same packets, the same
 * bytes. As packets (pcap) it is the capture that writes; here they are only
 * counted.
 */
#ifndef VIZ_EXPORT_H
#define VIZ_EXPORT_H

#include <stdio.h>

#include "viz/events/store.h"
#include "viz/options.h"
#include "viz/screen/canvas.h"

struct export_file {
    enum export_form form;
    uint32_t connection;
    struct store *store;  /* of this connection: its two newest packets */
    struct canvas canvas; /* the rows to come; of a picture: all of them */
    int rows;             /* of a picture, so far */
    uint64_t packets, left_out;
    FILE *out; /* owned once export_to() has it */
};

/* -1 with errno ENOMEM. */
int export_init(struct export_file *export, enum export_form form,
                uint32_t connection, bool ascii);
void export_fini(struct export_file *export); /* closes the file */
/* Whether the event is a packet of the connection. */
bool export_wants(const struct export_file *export, const struct event *event);
/* Before the first packet: where it goes. Takes the file. */
void export_to(struct export_file *export, FILE *out);
/* `lost`: the wire is known to have lost it. */
void export_packet(struct export_file *export, const struct event *event,
                   bool lost);
/* What comes last, with the connection as it is now (or NULL), and the file is
 * closed. 0; -1 with errno when not all of it was written. */
int export_end(struct export_file *export, const struct flow *flow);

#endif
