/*
 * See capture.h. Live captures keep 512 bytes of each packet in 16 MB of the
 * kernel's memory, which on loopback loses nothing at any rate, and run in
 * immediate mode, so that what has happened can be read at once and stopping
 * loses no tail.
 */
#include "viz/capture/capture.h"

#include <errno.h>
#include <net/if.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/if_packet.h>
#endif

#include "common/clock.h"
#include "viz/capture/advice.h"
#include "viz/capture/gunzip.h"
#include "viz/decode/decode.h"

enum { SNAPLEN = 512, BUFFER_BYTES = 16 << 20, MOST_SNAPLEN = 262144 };
enum { READ_BYTES = 256 << 10 }; /* of a file at once */
enum { NS_SECOND = 1000000000 };
enum { LOOK_MS = 100 }; /* between two looks at the interface, at least */

struct capture {
    pcap_t *pcap;
    char *name; /* interface or path, for messages */
    bool live;
    bool twice;    /* the kernel shows libpcap each packet twice */
    bool ended;    /* end of file, or an error that was told */
    bool down;     /* the interface was taken down, and may come back */
    bool unlooked; /* it was not looked at when nothing more came: too soon */
    int64_t next_look_ns; /* clock_now() */
    unsigned index;       /* of the interface; 0: all of them, or a file */
    uint64_t frames;
    struct gunzip gunzip; /* the gzip(1) that reads for us, if any */
    char *buffer;         /* the file's stream reads into it, or NULL */
    struct stat file;     /* what is read, so that -w does not overwrite it */
    pcap_t *keep_as;      /* capture_keep(): the format, */
    pcap_dumper_t *keep;  /* the file */
    char *keep_name;
    bool keep_chosen; /* only what capture_keep_this() is called for */
    const struct pcap_pkthdr *header; /* of the newest frame, */
    const unsigned char *bytes;       /* libpcap's until the next */
};

/* --- opening ------------------------------------------------------------- */

static struct capture *capture_new(const char *name,
                                   struct capture_error *error)
{
    struct capture *capture = calloc(1, sizeof(*capture));

    error->kind = CAPTURE_FINE;
    error->text[0] = '\0';
    if (capture != NULL)
        capture->name = strdup(name);
    if (capture == NULL || capture->name == NULL) {
        free(capture);
        advice_set(error, CAPTURE_SYSTEM, "Out of memory.");
        return NULL;
    }
    return capture;
}

/* Close, keeping errno. Always NULL, for return. */
static struct capture *give_up(struct capture *capture, int error)
{
    capture_close(capture);
    errno = error;
    return NULL;
}

static int check_link(const struct capture *capture,
                      struct capture_error *error)
{
    static const int known[] = {LINK_ETHERNET,  LINK_NULL,       LINK_LOOP,
                                LINK_RAW_BSD,   LINK_IPV4,       LINK_IPV6,
                                LINK_LINUX_SLL, LINK_LINUX_SLL2, LINK_PPP};
    char names[160] = "";
    int link = pcap_datalink(capture->pcap);
    const char *name = pcap_datalink_val_to_name(link);
    size_t used = 0;

    if (decode_link_known(link))
        return 0;
    for (size_t n = 0; n < sizeof(known) / sizeof(known[0]); n++) {
        const char *word = pcap_datalink_val_to_name(known[n]);

        if (word != NULL && used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
                                     used > 0 ? ", " : "", word);
    }
    advice_set(error, CAPTURE_BAD_FILE,
               "%s has packets of link type %d (%s), which viz does not read."
               "\nIt reads: %s.",
               capture->name, link, name != NULL ? name : "no name", names);
    return -1;
}

static int set_filter(struct capture *capture, const char *filter,
                      struct capture_error *error)
{
    struct bpf_program program;

    if (filter == NULL || filter[0] == '\0')
        return 0;
    if (pcap_compile(capture->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) <
        0) {
        advice_set(error, CAPTURE_BAD_FILTER,
                   "The filter \"%s\" cannot be understood: %s.\n"
                   "Filters are tcpdump's: tcp port 7001, udp, host 10.0.0.2 "
                   "and not port 22 (man 7 pcap-filter).",
                   filter, pcap_geterr(capture->pcap));
        return -1;
    }
    if (pcap_setfilter(capture->pcap, &program) < 0) {
        advice_set(error, CAPTURE_BAD_FILTER,
                   "The filter \"%s\" cannot be used on %s: %s.", filter,
                   capture->name, pcap_geterr(capture->pcap));
        pcap_freecode(&program);
        return -1;
    }
    pcap_freecode(&program);
    return 0;
}

/* All that pcap_activate() wants to know beforehand. A value it does not like
 * is told by pcap_activate() itself. */
static void prepare(pcap_t *pcap, uint32_t snaplen)
{
    if (snaplen == 0)
        snaplen = SNAPLEN;
    if (snaplen > MOST_SNAPLEN)
        snaplen = MOST_SNAPLEN;
    pcap_set_snaplen(pcap, (int)snaplen);
    pcap_set_buffer_size(pcap, BUFFER_BYTES);
    pcap_set_immediate_mode(pcap, 1);
    pcap_set_promisc(pcap, 0); /* what is ours is enough */
    /* where there are no nanoseconds, libpcap gives microseconds */
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
}

static int activate(struct capture *capture, struct capture_error *error)
{
    char reason[PCAP_ERRBUF_SIZE];
    int status = pcap_activate(capture->pcap);

    if (status >= 0) /* above 0 is a warning: promiscuous mode, time stamps */
        return 0;
    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        advice_permission(error, capture->name);
        errno = EPERM;
        break;
    case PCAP_ERROR_NO_SUCH_DEVICE:
        advice_no_device(error, capture->name);
        errno = ENODEV;
        break;
    case PCAP_ERROR_IFACE_NOT_UP:
        advice_set(error, CAPTURE_NO_DEVICE,
                   "The interface %s is down. Type: sudo ip link set %s up",
                   capture->name, capture->name);
        errno = ENETDOWN;
        break;
    default:
        snprintf(reason, sizeof(reason), "%s", pcap_geterr(capture->pcap));
        advice_set(error, CAPTURE_SYSTEM, "Cannot capture on %s: %s.",
                   capture->name,
                   reason[0] != '\0' ? reason : pcap_statustostr(status));
        errno = EIO;
    }
    return -1;
}

/* On loopback the kernel offers each packet as sent and as received; libpcap
 * throws the first away. From Linux 4.20 on it can be asked not to offer it,
 * so that the ring holds twice as many. Whether it still does both. */
static bool is_offered_twice(pcap_t *pcap, const char *interface)
{
    if (strcmp(interface, "lo") != 0)
        return false;
#ifdef PACKET_IGNORE_OUTGOING
    if (setsockopt(pcap_fileno(pcap), SOL_PACKET, PACKET_IGNORE_OUTGOING,
                   &(int){1}, sizeof(int)) == 0)
        return false;
#endif
    return true;
}

struct capture *capture_open_live(const char *interface, uint32_t snaplen,
                                  const char *filter,
                                  struct capture_error *error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    struct capture *capture = capture_new(interface, error);

    if (capture == NULL)
        return NULL;
    capture->live = true;
    /* Without this a plain user is told of rights for a mistyped name. */
    capture->index = if_nametoindex(interface);
    if (strcmp(interface, "any") != 0 && capture->index == 0) {
        advice_no_device(error, interface);
        return give_up(capture, ENODEV);
    }
    capture->pcap = pcap_create(interface, reason);
    if (capture->pcap == NULL) {
        advice_set(error, CAPTURE_SYSTEM, "Cannot capture on %s: %s.",
                   interface, reason);
        return give_up(capture, EIO);
    }
    prepare(capture->pcap, snaplen);
    if (activate(capture, error) < 0)
        return give_up(capture, errno);
    capture->twice = is_offered_twice(capture->pcap, interface);
    if (check_link(capture, error) < 0 ||
        set_filter(capture, filter, error) < 0)
        return give_up(capture, EINVAL);
    if (pcap_setnonblock(capture->pcap, 1, reason) < 0) {
        advice_set(error, CAPTURE_SYSTEM, "Cannot capture on %s: %s.",
                   interface, reason);
        return give_up(capture, EIO);
    }
    return capture;
}

/* The file as a stream of capture records: NULL with *error. */
static FILE *open_stream(struct capture *capture, const char *path,
                         struct capture_error *error)
{
    FILE *stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");

    if (stream == NULL) {
        advice_set(error,
                   errno == ENOENT || errno == EACCES ? CAPTURE_BAD_FILE
                                                      : CAPTURE_SYSTEM,
                   "Cannot read %s: %s.", path, strerror(errno));
        return NULL;
    }
    if (fstat(fileno(stream), &capture->file) == 0 &&
        S_ISDIR(capture->file.st_mode)) {
        advice_set(error, CAPTURE_BAD_FILE,
                   "%s is a directory; viz -r takes a capture file.", path);
        errno = EISDIR;
        fclose(stream);
        return NULL;
    }
    if (stream != stdin) { /* that one outlives us */
        capture->buffer = malloc(READ_BYTES);
        if (capture->buffer != NULL) /* else it has one of 4 KB */
            setvbuf(stream, capture->buffer, _IOFBF, READ_BYTES);
    }
    if (!gunzip_wanted(stream))
        return stream;
    if (gunzip_open(&capture->gunzip, &stream) < 0) {
        advice_set(error, CAPTURE_SYSTEM,
                   "%s is compressed, and gzip cannot be started: %s.", path,
                   strerror(errno));
        return NULL;
    }
    return stream;
}

struct capture *capture_open_file(const char *path, const char *filter,
                                  struct capture_error *error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    struct capture *capture = capture_new(path, error);
    FILE *stream;

    if (capture == NULL)
        return NULL;
    stream = open_stream(capture, path, error);
    if (stream == NULL)
        return give_up(capture, errno);
    capture->pcap = pcap_fopen_offline_with_tstamp_precision(
        stream, PCAP_TSTAMP_PRECISION_NANO, reason);
    if (capture->pcap == NULL) {
        if (stream != stdin)
            fclose(stream);
        advice_set(error, CAPTURE_BAD_FILE,
                   "%s is no capture file that can be read: %s.\n"
                   "viz -r takes pcap and pcapng, as viz -w, tcpdump -w and "
                   "Wireshark write them.",
                   strcmp(path, "-") == 0 ? "Standard input" : path, reason);
        return give_up(capture, EBADMSG);
    }
    if (check_link(capture, error) < 0 ||
        set_filter(capture, filter, error) < 0)
        return give_up(capture, EINVAL);
    return capture;
}

void capture_close(struct capture *capture)
{
    if (capture == NULL)
        return;
    if (capture->keep != NULL)
        pcap_dump_close(capture->keep);
    if (capture->keep_as != NULL)
        pcap_close(capture->keep_as);
    if (capture->pcap != NULL)
        pcap_close(capture->pcap);
    gunzip_close(&capture->gunzip);
    free(capture->buffer);
    free(capture->keep_name);
    free(capture->name);
    free(capture);
}

int capture_link(const struct capture *capture)
{
    return pcap_datalink(capture->pcap);
}

int capture_fd(const struct capture *capture)
{
    return capture->live ? pcap_get_selectable_fd(capture->pcap) : -1;
}

bool capture_wants_look(const struct capture *capture)
{
    return capture->down || capture->unlooked;
}

/* --- reading ------------------------------------------------------------- */

/* An interface that is being removed is taken down first; libpcap may look in
 * between, takes it for one that may come back, and the kernel tells no second
 * time. So a live interface from which nothing comes is looked at: netdevice(7),
 * by its index, which no other will have. */
static int look_at_interface(struct capture *capture,
                             struct capture_error *error)
{
    struct ifreq interface = {.ifr_ifindex = (int)capture->index};
    int fd = pcap_get_selectable_fd(capture->pcap);
    int64_t now = clock_now();

    if (!capture->live || capture->index == 0)
        return 0;
    capture->unlooked = now < capture->next_look_ns;
    if (capture->unlooked)
        return 0;
    capture->next_look_ns = now + (int64_t)LOOK_MS * CLOCK_MS;
#ifdef __linux__
    if (ioctl(fd, SIOCGIFNAME, &interface) == 0 &&
        ioctl(fd, SIOCGIFFLAGS, &interface) == 0) {
        capture->down = !(interface.ifr_flags & IFF_UP);
        return 0;
    }
    if (errno != ENODEV && errno != ENXIO)
        return 0;
    capture->ended = true;
    advice_set(error, CAPTURE_SYSTEM,
               "The capture on %s has ended: The interface disappeared.",
               capture->name);
    return -1;
#else
    (void)fd, (void)interface, (void)error;
    return 0;
#endif
}

/* A file may hold any 64 bits as its seconds: between the years 1824 and 2116
 * they are true, and what lies between two of them fits too. */
static int64_t nanoseconds(const struct timeval *time)
{
    const int64_t most = INT64_MAX / NS_SECOND / 2 - 1;
    int64_t seconds = time->tv_sec, rest = time->tv_usec;

    if (seconds > most || seconds < -most)
        seconds = seconds > 0 ? most : -most;
    if (rest < 0 || rest >= NS_SECOND)
        rest = 0;
    return seconds * NS_SECOND + rest;
}

/* No more frames for now: what is kept goes to the disk, and a full disk is
 * told. */
static int run_dry(struct capture *capture, struct capture_error *error)
{
    if (capture->keep == NULL || pcap_dump_flush(capture->keep) == 0)
        return 0;
    advice_set(error, CAPTURE_SYSTEM, "Cannot write %s: %s.",
               capture->keep_name, strerror(errno));
    pcap_dump_close(capture->keep);
    capture->keep = NULL;
    return -1;
}

static int end_of_file(struct capture *capture, struct capture_error *error)
{
    capture->ended = true;
    if (!gunzip_failed(&capture->gunzip))
        return run_dry(capture, error);
    advice_set(error, CAPTURE_TRUNCATED,
               "%s is a broken gzip file; the %llu packets before that are "
               "whole.",
               capture->name, (unsigned long long)capture->frames);
    return -1;
}

static int broken(struct capture *capture, struct capture_error *error)
{
    const char *reason = pcap_geterr(capture->pcap);
    unsigned long long whole = capture->frames;

    capture->ended = true;
    run_dry(capture, error);
    if (capture->live)
        advice_set(error, CAPTURE_SYSTEM, "The capture on %s has ended: %s.",
                   capture->name, reason);
    else if (strstr(reason, "truncated") != NULL ||
             gunzip_failed(&capture->gunzip))
        advice_set(error, CAPTURE_TRUNCATED,
                   "%s was cut off in the middle of a packet; the %llu before "
                   "it are whole.",
                   capture->name, whole);
    else if (strstr(reason, "different from the") != NULL)
        advice_set(error, CAPTURE_BAD_FILE,
                   "%s holds several interfaces that are not read together: "
                   "%s.\nPackets read before that: %llu. Where all have one "
                   "link type this makes one of them:\n"
                   "  editcap -F pcap %s ONE.pcap",
                   capture->name, reason, whole, capture->name);
    else
        advice_set(error, CAPTURE_BAD_FILE,
                   "%s is broken after packet %llu: %s.", capture->name, whole,
                   reason);
    return -1;
}

int capture_next(struct capture *capture, struct frame *frame,
                 struct capture_error *error)
{
    struct pcap_pkthdr *header;
    const unsigned char *bytes;

    if (capture->ended)
        return 0;
    switch (pcap_next_ex(capture->pcap, &header, &bytes)) {
    case 1:
        break;
    case 0:
        if (run_dry(capture, error) < 0)
            return -1;
        return look_at_interface(capture, error);
    case PCAP_ERROR_BREAK:
        return end_of_file(capture, error);
    default:
        return broken(capture, error);
    }
    capture->frames++;
    frame->time_ns = nanoseconds(&header->ts);
    frame->captured = header->caplen;
    frame->length = header->len < header->caplen ? header->caplen : header->len;
    frame->bytes = bytes;
    capture->header = header;
    capture->bytes = bytes;
    if (!capture->keep_chosen)
        capture_keep_this(capture);
    return 1;
}

uint64_t capture_dropped(struct capture *capture)
{
    struct pcap_stat stat;

    if (!capture->live || pcap_stats(capture->pcap, &stat) < 0)
        return 0;
    return capture->twice ? (stat.ps_drop + UINT64_C(1)) / 2 : stat.ps_drop;
}

/* --- keeping ------------------------------------------------------------- */

static bool is_same_file(const struct stat *a, const char *path)
{
    struct stat b;

    return S_ISREG(a->st_mode) && stat(path, &b) == 0 &&
           a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

int capture_keep(struct capture *capture, const char *path,
                 struct capture_error *error)
{
    if (is_same_file(&capture->file, path)) {
        advice_set(error, CAPTURE_SYSTEM,
                   "%s is the file being read; -w needs another name.", path);
        errno = EINVAL;
        return -1;
    }
    capture->keep_name = strdup(path);
    capture->keep_as = pcap_open_dead_with_tstamp_precision(
        pcap_datalink(capture->pcap), pcap_snapshot(capture->pcap),
        PCAP_TSTAMP_PRECISION_NANO);
    if (capture->keep_name == NULL || capture->keep_as == NULL) {
        advice_set(error, CAPTURE_SYSTEM, "Out of memory.");
        errno = ENOMEM;
        return -1;
    }
    capture->keep = pcap_dump_open(capture->keep_as, path);
    if (capture->keep == NULL) {
        advice_set(error, CAPTURE_SYSTEM, "Cannot write the capture: %s.",
                   pcap_geterr(capture->keep_as));
        errno = EIO;
        return -1;
    }
    return 0;
}

int capture_keep_chosen(struct capture *capture, const char *path,
                        struct capture_error *error)
{
    capture->keep_chosen = true;
    return capture_keep(capture, path, error);
}

void capture_keep_this(struct capture *capture)
{
    if (capture->keep != NULL && capture->header != NULL)
        pcap_dump((unsigned char *)capture->keep, capture->header,
                  capture->bytes);
}
