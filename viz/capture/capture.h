/*
 * Where bytes come from and may be kept: a live interface or a capture file,
 * through libpcap, which no other file includes. Gives raw frames; decode and
 * track come after. Contract of errors: -1 or NULL, errno, and one sentence
 * for a person in the caller's struct capture_error.
 */
#ifndef VIZ_CAPTURE_CAPTURE_H
#define VIZ_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

struct capture;

/* Why a source could not be opened or read on; `text` is one or more whole
 * lines and says what to type next where something helps. */
struct capture_error {
    enum {
        CAPTURE_FINE,
        CAPTURE_NO_PERMISSION, /* the kernel refused a packet socket */
        CAPTURE_NO_DEVICE,     /* no interface of that name */
        CAPTURE_BAD_FILTER,
        CAPTURE_BAD_FILE,  /* not a capture, unknown link type, or broken */
        CAPTURE_TRUNCATED, /* the whole records before the cut were given */
        CAPTURE_SYSTEM     /* anything else: errno is in `text` */
    } kind;
    char text[1536];
};

/* A frame, borrowed until the next call on the same capture. */
struct frame {
    int64_t time_ns;
    uint32_t length;   /* on the wire */
    uint32_t captured; /* bytes at `bytes` */
    const uint8_t *bytes;
};

/* Live on `interface` ("lo", "any", ...). snaplen 0 means the default of 512:
 * headers and the first bytes of payload, which loses nothing on loopback. */
struct capture *capture_open_live(const char *interface, uint32_t snaplen,
                                  const char *filter,
                                  struct capture_error *error);
/* A pcap or pcapng file, "-" for standard input; .gz through gzip(1). */
struct capture *capture_open_file(const char *path, const char *filter,
                                  struct capture_error *error);
void capture_close(struct capture *capture);

int capture_link(const struct capture *capture); /* an enum link_type */
int capture_fd(const struct capture *capture);   /* to poll(2); -1 for a file */
/* capture_next() wants to be called again within a moment, though nothing may
 * come: no descriptor says whether its interface is up again, or gone. */
bool capture_wants_look(const struct capture *capture);

/* The next frame: 1 and *frame; 0 when none is there now (live) or the file
 * is at its end; -1 with *error filled. Never blocks on a live capture. */
int capture_next(struct capture *capture, struct frame *frame,
                 struct capture_error *error);

/* Packets the kernel could not hand over, since the start; the double count
 * that libpcap makes on loopback is put right. */
uint64_t capture_dropped(struct capture *capture);

/* Keep every frame that capture_next() gives in a pcap file with nanoseconds.
 * The file is complete after each capture_close(). */
int capture_keep(struct capture *capture, const char *path,
                 struct capture_error *error);
/* The same, but only the frames for which capture_keep_this() is called, at
 * once after capture_next() gave them. */
int capture_keep_chosen(struct capture *capture, const char *path,
                        struct capture_error *error);
void capture_keep_this(struct capture *capture);

#endif
