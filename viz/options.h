/*
 * The command line of viz, read into one struct. The table in options.c is the
 * only list of options: parsing, the usage text and its order come from it.
 * Nothing here opens, prints or exits.
 */
#ifndef VIZ_OPTIONS_H
#define VIZ_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What viz is asked to be. At most one of them may be given. */
enum mode {
    MODE_SCREEN, /* the default */
    MODE_TEXT,   /* the ladder, a line a packet */
    MODE_JSON,
    MODE_SUMMARY,
    MODE_EXPECT,
    MODE_EXPORT,  /* one connection, into a file */
    MODE_STREAM,  /* what was said on one connection */
    MODE_PREDICT, /* questions about what comes next, and their score */
    MODE_DUMP,    /* the screen as text, after options.keys */
    MODE_LESSON,
    MODE_DOCTOR,
    MODE_SHELL,
    MODE_HELP
};

enum export_form { EXPORT_TEXT, EXPORT_MARKDOWN, EXPORT_SVG, EXPORT_PCAP };

/* Strings are borrowed from argv. */
struct options {
    enum mode mode;
    const char *interface; /* "lo" when nothing else was asked for */
    const char *read_path; /* NULL: live */
    const char *join;      /* pid or program whose network is watched; NULL */
    const char *write_path;
    const char *filter;
    uint32_t snaplen;    /* bytes of a frame to keep, 0: capture's default */
    uint64_t count;      /* packets, 0: no limit */
    int64_t duration_ns; /* 0: no limit */
    bool wireshark;      /* with json: tshark's own flags beside ours */
    bool ascii;          /* no character beyond ASCII */
    bool calls;          /* MODE_TEXT, private: the program's calls too */

    const char **terms; /* MODE_EXPECT: one line of the language each; owned */
    size_t term_count;

    const char *export_path; /* MODE_EXPORT; its ending gives the form */
    enum export_form export_form;
    const char *predict; /* MODE_PREDICT: the answers' letters */
    uint32_t connection; /* of MODE_EXPORT: as --summary numbers them */

    const char *lesson; /* MODE_LESSON: the Markdown file */
    bool play;          /* it drives its terminals by itself */
    bool text;          /* line by line, without curses */
    bool record;        /* with play: store the capture for later replays */
    bool replay;        /* from the stored capture, also where live works */

    int dump_columns, dump_rows; /* MODE_DUMP; a lesson's picture, else 0 */
    const char *keys;            /* "" when none: see viewer_key_from_text() */
    const char *svg_path; /* with these: as SVG into this file, "-" stdout */

    /* --private -- CMD, beside the screen, text, json, summary or expect. */
    bool private_network;
    char **command;         /* ends with NULL; of argv */
    unsigned lost, lost_of; /* --loss N/M there; 0: nothing is lost */
    unsigned mtu;           /* --mtu there, bytes; 0: as loopback has it */
};

/* What argv did not say rightly: one or two lines for stderr. */
struct options_error {
    char text[512];
};

/* 0; or -1 with errno (EINVAL, or ENOMEM) and *error filled. *options is set
 * in both cases and wants options_fini(). */
int options_read(struct options *options, int argc, char *argv[],
                 struct options_error *error);
void options_fini(struct options *options);

/* The form that a file's name ends in; -1: in none of them. */
int options_export_form(const char *path, enum export_form *form);

/* The whole usage text, made from the table. */
void options_usage(FILE *out);

#endif
