/* viz/capture: every kind of file gives the same frames, whatever is broken is
 * told and what is whole is given, and a live capture on a loopback of our own
 * loses nothing, not even its tail. */
#include "viz/capture/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/netns.h"
#include "tests/unit/frames.h"

static char folder[64];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/check_capture.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static const char *in_folder(const char *name)
{
    static char path[160];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* --- files made by hand -------------------------------------------------- */

struct bytes {
    uint8_t at[8192];
    size_t length;
    bool big_endian;
};

static void put(struct bytes *bytes, const void *from, size_t length)
{
    must(bytes->length + length <= sizeof bytes->at);
    memcpy(bytes->at + bytes->length, from, length);
    bytes->length += length;
}

static void put_number(struct bytes *bytes, uint64_t number, int size)
{
    for (int n = 0; n < size; n++) {
        int shift = 8 * (bytes->big_endian ? size - 1 - n : n);
        uint8_t byte = (uint8_t)(number >> shift);

        put(bytes, &byte, 1);
    }
}

static void put_32(struct bytes *bytes, uint32_t number)
{
    put_number(bytes, number, 4);
}

/* https://www.ietf.org/archive/id/draft-gharris-opsawg-pcap-01.html */
static void make_pcap(struct bytes *bytes, const struct frames *frames,
                      uint32_t link, bool big_endian, bool nanoseconds)
{
    *bytes = (struct bytes){.big_endian = big_endian};
    put_32(bytes, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
    put_number(bytes, 2, 2);
    put_number(bytes, 4, 2);
    put_number(bytes, 0, 8);
    put_32(bytes, 65535);
    put_32(bytes, link);
    for (size_t n = 0; n < frames->count; n++) {
        const struct frame *frame = &frames->at[n];
        int64_t rest = frame->time_ns % 1000000000;

        put_32(bytes, (uint32_t)(frame->time_ns / 1000000000));
        put_32(bytes, (uint32_t)(nanoseconds ? rest : rest / 1000));
        put_32(bytes, frame->captured);
        put_32(bytes, frame->length);
        put(bytes, frame->bytes, frame->captured);
    }
}

/* https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html */
static void make_pcapng(struct bytes *bytes, const struct frames *frames)
{
    *bytes = (struct bytes){.length = 0};
    put_32(bytes, 0x0a0d0d0a); /* section header */
    put_32(bytes, 28);
    put_32(bytes, 0x1a2b3c4d);
    put_number(bytes, 1, 4); /* version 1.0 */
    put_number(bytes, UINT64_MAX, 8);
    put_32(bytes, 28);
    put_32(bytes, 1); /* interface description */
    put_32(bytes, 32);
    put_32(bytes, LINK_ETHERNET);
    put_32(bytes, 65535);
    put_number(bytes, 9, 2); /* resolution of time: 10^-9 */
    put_number(bytes, 1, 2);
    put_32(bytes, 9);
    put_32(bytes, 0);
    put_32(bytes, 32);
    for (size_t n = 0; n < frames->count; n++) {
        const struct frame *frame = &frames->at[n];
        uint32_t padded = (frame->captured + 3) & ~3u;

        put_32(bytes, 6); /* packet */
        put_32(bytes, 32 + padded);
        put_32(bytes, 0);
        put_32(bytes, (uint32_t)((uint64_t)frame->time_ns >> 32));
        put_32(bytes, (uint32_t)frame->time_ns);
        put_32(bytes, frame->captured);
        put_32(bytes, frame->length);
        put(bytes, frame->bytes, frame->captured);
        put(bytes, "\0\0\0", padded - frame->captured);
        put_32(bytes, 32 + padded);
    }
}

static const char *save(const char *name, const uint8_t *bytes, size_t length)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "w");

    must(file != NULL);
    must(fwrite(bytes, 1, length, file) == length);
    must(fclose(file) == 0);
    return path;
}

/* --- reading ------------------------------------------------------------- */

/* The file gives these frames; `unit` is its unit of time in nanoseconds. */
static void expect_frames(const char *path, const struct frames *frames,
                          int64_t unit)
{
    struct capture_error error;
    struct capture *capture = capture_open_file(path, NULL, &error);
    struct frame frame;

    ck_assert_msg(capture != NULL, "%s", error.text);
    ck_assert_int_eq(capture_link(capture), LINK_ETHERNET);
    ck_assert_int_eq(capture_fd(capture), -1);
    for (size_t n = 0; n < frames->count; n++) {
        const struct frame *expected = &frames->at[n];

        ck_assert_int_eq(capture_next(capture, &frame, &error), 1);
        ck_assert_int_eq(frame.time_ns, expected->time_ns / unit * unit);
        ck_assert_uint_eq(frame.length, expected->length);
        ck_assert_uint_eq(frame.captured, expected->captured);
        ck_assert_mem_eq(frame.bytes, expected->bytes, frame.captured);
    }
    ck_assert_int_eq(capture_next(capture, &frame, &error), 0);
    ck_assert_int_eq(capture_next(capture, &frame, &error), 0);
    ck_assert_uint_eq(capture_dropped(capture), 0);
    capture_close(capture);
}

START_TEST(all_kinds_of_files_give_the_same_frames)
{
    struct frames frames;
    struct bytes bytes;
    char command[256];

    frames_load(&frames, "s01_client_close");
    for (int kind = 0; kind < 4; kind++) {
        make_pcap(&bytes, &frames, LINK_ETHERNET, kind & 1, kind & 2);
        expect_frames(save("file", bytes.at, bytes.length), &frames,
                      kind & 2 ? 1 : 1000);
    }
    make_pcapng(&bytes, &frames);
    expect_frames(save("file", bytes.at, bytes.length), &frames, 1);
    snprintf(command, sizeof command, "gzip %s", in_folder("file"));
    ck_assert_int_eq(system(command), 0);
    expect_frames(in_folder("file.gz"), &frames, 1);
    frames_free(&frames);
}
END_TEST

START_TEST(standard_input_may_be_a_file_or_a_pipe)
{
    struct frames frames;
    struct bytes bytes;
    int ends[2];

    frames_load(&frames, "s01_client_close");
    make_pcap(&bytes, &frames, LINK_ETHERNET, false, true);
    if (_i == 0) {
        ends[0] = open(save("file", bytes.at, bytes.length), O_RDONLY);
    } else {
        ck_assert_int_eq(pipe(ends), 0); /* its buffer holds the file */
        ck_assert_int_eq(write(ends[1], bytes.at, bytes.length), bytes.length);
        close(ends[1]);
    }
    ck_assert_int_eq(dup2(ends[0], 0), 0);
    close(ends[0]);
    expect_frames("-", &frames, 1);
    frames_free(&frames);
}
END_TEST

/* How many frames come, and how it ends: *kind is CAPTURE_FINE at an end. */
static size_t read_all(const char *path, int *kind)
{
    struct capture_error error;
    struct capture *capture = capture_open_file(path, NULL, &error);
    struct frame frame;
    size_t frames = 0;
    volatile uint8_t byte = 0;
    int got;

    *kind = error.kind;
    if (capture == NULL) {
        must(error.kind != CAPTURE_FINE && error.text[0] != '\0');
        return 0;
    }
    while ((got = capture_next(capture, &frame, &error)) == 1) {
        frames++;
        must(frame.length >= frame.captured);
        for (uint32_t n = 0; n < frame.captured; n++)
            byte = frame.bytes[n]; /* all of it can be read */
    }
    must(got == 0 || (error.kind != CAPTURE_FINE && error.text[0] != '\0'));
    *kind = got == 0 ? CAPTURE_FINE : (int)error.kind;
    must(capture_next(capture, &frame, &error) == 0);
    capture_close(capture);
    (void)byte;
    return frames;
}

START_TEST(a_file_cut_anywhere_gives_its_whole_packets)
{
    struct frames frames;
    struct bytes bytes;
    size_t whole = 0, next = 24;
    int kind;

    frames_load(&frames, "s01_client_close");
    make_pcap(&bytes, &frames, LINK_ETHERNET, false, true);
    for (size_t cut = 0; cut <= bytes.length; cut++) {
        size_t got = read_all(save("file", bytes.at, cut), &kind);

        if (cut < 24) {
            must(kind == CAPTURE_BAD_FILE);
            continue;
        }
        if (whole < frames.count &&
            cut == next + 16 + frames.at[whole].captured) {
            next = cut;
            whole++;
        }
        must(got == whole);
        must(kind == (cut == next ? CAPTURE_FINE : CAPTURE_TRUNCATED));
    }
    ck_assert_uint_eq(whole, frames.count);
    frames_free(&frames);
}
END_TEST

START_TEST(a_cut_gzip_file_gives_what_could_be_read)
{
    struct frames frames;
    struct bytes bytes;
    char command[256];
    int kind;

    frames_load(&frames, "s01_client_close");
    make_pcap(&bytes, &frames, LINK_ETHERNET, false, true);
    save("file", bytes.at, bytes.length);
    snprintf(command, sizeof command,
             "cd %s && gzip file && head -c -20 file.gz > cut.gz", folder);
    ck_assert_int_eq(system(command), 0);
    ck_assert_uint_le(read_all(in_folder("cut.gz"), &kind), frames.count);
    ck_assert_int_eq(kind, CAPTURE_TRUNCATED);
    frames_free(&frames);
}
END_TEST

START_TEST(a_compressed_file_may_be_closed_before_its_end)
{
    struct capture_error error;
    struct capture *capture;
    struct frame frame;
    char command[256];

    snprintf(command, sizeof command,
             "gzip -c tests/captures/s10_lossy_sender.pcap > %s",
             in_folder("big.gz"));
    ck_assert_int_eq(system(command), 0);
    capture = capture_open_file(in_folder("big.gz"), NULL, &error);
    ck_assert_int_eq(capture_next(capture, &frame, &error), 1);
    capture_close(capture); /* the child ends; the test's deadline sees to it */
}
END_TEST

START_TEST(garbled_files_are_survived)
{
    struct frames frames;
    struct bytes bytes;
    uint64_t random = (uint64_t)_i;
    int kind;

    frames_load(&frames, "s01_client_close");
    for (int n = 0; n < 1000; n++) {
        if (n % 2)
            make_pcapng(&bytes, &frames);
        else
            make_pcap(&bytes, &frames, LINK_ETHERNET, n & 4, n & 8);
        for (uint32_t flips = 1 + next_random(&random) % 4; flips > 0; flips--)
            bytes.at[next_random(&random) % (n % 3 ? bytes.length : 80)] =
                (uint8_t)next_random(&random);
        must(read_all(save("file", bytes.at, bytes.length), &kind) <= 100);
    }
    frames_free(&frames);
}
END_TEST

START_TEST(an_impossible_time_is_made_possible)
{
    struct capture_error error;
    struct capture *capture;
    struct frames frames;
    struct frame frame;
    struct bytes bytes;
    int64_t first;

    frames_load(&frames, "s01_client_close");
    make_pcap(&bytes, &frames, LINK_ETHERNET, false, true);
    memset(bytes.at + 28, 0xff, 4); /* nanoseconds of the first packet */
    capture = capture_open_file(save("file", bytes.at, bytes.length), NULL,
                                &error);
    ck_assert_int_eq(capture_next(capture, &frame, &error), 1);
    ck_assert_int_eq(frame.time_ns,
                     frames.at[0].time_ns / 1000000000 * 1000000000);
    capture_close(capture);
    make_pcapng(&bytes, &frames);
    memset(bytes.at + 72, 0x80, 8); /* as far back as there is a number, */
    memset(bytes.at + 72 + 32 + ((frames.at[0].captured + 3) & ~3u), 0x7f, 8);
    bytes.at[48] = 0; /* and as far ahead, in units of a second */
    capture = capture_open_file(save("file", bytes.at, bytes.length), NULL,
                                &error);
    ck_assert_int_eq(capture_next(capture, &frame, &error), 1);
    first = frame.time_ns;
    ck_assert_int_eq(capture_next(capture, &frame, &error), 1);
    ck_assert(first < 0 && frame.time_ns > 0);
    ck_assert(frame.time_ns <= INT64_MAX + first); /* their difference fits */
    capture_close(capture);
    frames_free(&frames);
}
END_TEST

START_TEST(interfaces_that_differ_are_told_with_what_makes_them_one)
{
    struct capture_error error;
    struct capture *capture;
    struct frames frames;
    struct frame frame;
    struct bytes bytes;

    frames_load(&frames, "s01_client_close");
    make_pcapng(&bytes, &frames);
    put(&bytes, bytes.at + 28, 32);           /* one more interface, */
    bytes.at[bytes.length - 32 + 12] ^= 0xff; /* which keeps less */
    capture = capture_open_file(save("file", bytes.at, bytes.length), NULL,
                                &error);
    for (size_t n = 0; n < frames.count; n++)
        ck_assert_int_eq(capture_next(capture, &frame, &error), 1);
    ck_assert_int_eq(capture_next(capture, &frame, &error), -1);
    ck_assert_int_eq(error.kind, CAPTURE_BAD_FILE);
    ck_assert_ptr_nonnull(strstr(error.text, "editcap -F pcap "));
    capture_close(capture);
    frames_free(&frames);
}
END_TEST

/* --- refusals ------------------------------------------------------------ */

static void expect_refusal(const char *path, const char *filter, int kind,
                           const char *text)
{
    struct capture_error error;

    ck_assert_ptr_null(capture_open_file(path, filter, &error));
    ck_assert_int_eq(error.kind, kind);
    ck_assert_msg(strstr(error.text, text) != NULL, "\"%s\" not in: %s", text,
                  error.text);
}

START_TEST(what_is_no_capture_is_refused_by_name)
{
    static const char *const stored = "tests/captures/s01_client_close.pcap";
    struct frames none = {.count = 0};
    struct bytes bytes;

    expect_refusal(in_folder("none"), NULL, CAPTURE_BAD_FILE, "No such file");
    expect_refusal(folder, NULL, CAPTURE_BAD_FILE, "is a directory");
    expect_refusal("/dev/null", NULL, CAPTURE_BAD_FILE, "no capture file");
    expect_refusal("Makefile", NULL, CAPTURE_BAD_FILE, "no capture file");
    expect_refusal("no\x1b[31mfile", NULL, CAPTURE_BAD_FILE, "no?[31mfile");
    expect_refusal(stored, "tcp porrt 1", CAPTURE_BAD_FILTER, "tcp porrt 1");
    make_pcap(&bytes, &none, 105, false, false);
    save("wifi", bytes.at, bytes.length);
    expect_refusal(in_folder("wifi"), NULL, CAPTURE_BAD_FILE, "IEEE802_11");
    expect_refusal(in_folder("wifi"), NULL, CAPTURE_BAD_FILE, "EN10MB");
}
END_TEST

START_TEST(a_filter_chooses)
{
    struct capture_error error;
    struct capture *capture = capture_open_file(
        "tests/captures/s08_backlog_full.pcap", "port 50032", &error);
    struct frame frame;
    int frames = 0;

    while (capture_next(capture, &frame, &error) == 1)
        frames++;
    ck_assert_int_eq(frames, 6);
    capture_close(capture);
}
END_TEST

START_TEST(a_missing_interface_is_told_with_those_there_are)
{
    struct capture_error error;

    ck_assert_ptr_null(capture_open_live("nosuch0", 0, NULL, &error));
    ck_assert_int_eq(error.kind, CAPTURE_NO_DEVICE);
    ck_assert_ptr_nonnull(strstr(error.text, "nosuch0"));
    ck_assert_ptr_nonnull(strstr(error.text, "lo, "));
}
END_TEST

START_TEST(without_rights_three_ways_are_shown)
{
    struct capture_error error;
    char path[256], setcap[320];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    int lines = 1;

    ck_assert_int_gt(length, 0);
    path[length] = '\0';
    ck_assert_int_eq(netns_drop(), 0);
    ck_assert_ptr_null(capture_open_live("lo", 0, NULL, &error));
    ck_assert_int_eq(error.kind, CAPTURE_NO_PERMISSION);
    for (const char *c = error.text; *c != '\0'; c++)
        lines += *c == '\n';
    ck_assert_int_le(lines, 8);
    snprintf(setcap, sizeof setcap, "sudo setcap cap_net_raw=ep %s\n", path);
    ck_assert_ptr_nonnull(strstr(error.text, setcap));
    ck_assert(strstr(error.text, "--private") < strstr(error.text, setcap));
    ck_assert_ptr_nonnull(strstr(error.text, "make shell"));
    ck_assert_ptr_nonnull(strstr(error.text, "viz -r FILE"));
}
END_TEST

/* --- keeping ------------------------------------------------------------- */

START_TEST(what_is_kept_is_what_was_read)
{
    struct capture_error error;
    struct capture *capture;
    struct frames frames;
    struct frame frame;
    char path[128];

    frames_load(&frames, stored_captures[_i]);
    snprintf(path, sizeof path, "tests/captures/%s.pcap", stored_captures[_i]);
    capture = capture_open_file(path, NULL, &error);
    ck_assert_int_eq(capture_keep(capture, in_folder("kept"), &error), 0);
    while (capture_next(capture, &frame, &error) == 1)
        ;
    capture_close(capture);
    if (frames.link == LINK_ETHERNET)
        expect_frames(in_folder("kept"), &frames, 1);
    frames_free(&frames);
}
END_TEST

START_TEST(a_capture_is_not_kept_over_itself)
{
    struct capture_error error;
    struct frames frames;
    struct bytes bytes;
    struct capture *capture;

    frames_load(&frames, "s01_client_close");
    make_pcap(&bytes, &frames, LINK_ETHERNET, false, true);
    capture = capture_open_file(save("file", bytes.at, bytes.length), NULL,
                                &error);
    ck_assert_int_eq(capture_keep(capture, in_folder("file"), &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "the file being read"));
    ck_assert_int_eq(capture_keep(capture, "/nowhere/file", &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "/nowhere/file"));
    capture_close(capture);
    expect_frames(in_folder("file"), &frames, 1);
    frames_free(&frames);
}
END_TEST

START_TEST(a_full_disk_is_told_once_and_reading_goes_on)
{
    struct capture_error error;
    struct capture *capture = capture_open_file(
        "tests/captures/s01_client_close.pcap", NULL, &error);
    struct frame frame;
    int frames = 0, errors = 0, got;

    ck_assert_int_eq(capture_keep(capture, "/dev/full", &error), 0);
    while ((got = capture_next(capture, &frame, &error)) != 0) {
        frames += got == 1;
        errors += got == -1;
    }
    ck_assert_int_eq(frames, 11);
    ck_assert_int_eq(errors, 1);
    ck_assert_ptr_nonnull(strstr(error.text, "No space left"));
    capture_close(capture);
}
END_TEST

/* --- live ---------------------------------------------------------------- */

struct live {
    struct capture *capture;
    int fd; /* a UDP socket that sends to itself */
    struct sockaddr_in self;
};

/* On a loopback of our own, else the machine's; false, with a word, where the
 * machine allows neither. */
static bool live_open(struct live *live)
{
    struct capture_error error;
    enum netns_step failed;
    socklen_t length = sizeof live->self;
    char filter[64];

    netns_enter(&failed);
    live->fd = socket(AF_INET, SOCK_DGRAM, 0);
    live->self = (struct sockaddr_in){.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(0x7f000001)};
    ck_assert_int_eq(
        bind(live->fd, (struct sockaddr *)&live->self, sizeof live->self), 0);
    getsockname(live->fd, (struct sockaddr *)&live->self, &length);
    snprintf(filter, sizeof filter, "udp port %u", ntohs(live->self.sin_port));
    live->capture = capture_open_live("lo", 0, filter, &error);
    if (live->capture != NULL)
        return true;
    ck_assert_msg(error.kind == CAPTURE_NO_PERMISSION, "%s", error.text);
    fprintf(stderr, "check_capture: no rights here, live capture not tried\n");
    close(live->fd);
    return false;
}

static void live_close(struct live *live)
{
    capture_close(live->capture);
    close(live->fd);
}

static void live_send(struct live *live, uint32_t number, size_t length)
{
    static char bytes[60000];
    ssize_t sent;

    memcpy(bytes, &number, sizeof number);
    sent = sendto(live->fd, bytes, length, 0, (struct sockaddr *)&live->self,
                  sizeof live->self);
    must(sent == (ssize_t)length);
}

/* The next packet, which must be there without waiting. */
static struct packet live_next(struct live *live)
{
    struct capture_error error;
    struct frame frame;
    struct packet packet = {.number = 1};

    if (capture_next(live->capture, &frame, &error) != 1)
        ck_abort_msg("a packet is missing");
    packet.length = frame.length;
    packet.time_ns = frame.time_ns;
    decode_packet(capture_link(live->capture), frame.bytes, frame.captured,
                  &packet);
    must(packet.status == DECODE_OK && packet.protocol == PROTO_UDP);
    return packet;
}

START_TEST(the_tail_is_there_as_soon_as_it_was_sent)
{
    struct capture_error error;
    struct frame frame;
    struct live live;
    uint32_t number;

    if (!live_open(&live))
        return;
    for (uint32_t round = 0; round < 100; round++) {
        for (uint32_t n = 0; n < 11; n++)
            live_send(&live, round * 11 + n, 100);
        for (uint32_t n = 0; n < 11; n++) {
            struct packet packet = live_next(&live);

            memcpy(&number, packet.payload, sizeof number);
            must(number == round * 11 + n);
        }
        must(capture_next(live.capture, &frame, &error) == 0);
    }
    ck_assert_uint_eq(capture_dropped(live.capture), 0);
    live_close(&live);
}
END_TEST

START_TEST(a_long_packet_is_cut_but_its_length_is_known)
{
    struct pollfd ready = {.events = POLLIN};
    struct packet packet;
    struct live live;

    if (!live_open(&live))
        return;
    ready.fd = capture_fd(live.capture);
    ck_assert_int_eq(poll(&ready, 1, 0), 0);
    live_send(&live, 1, 60000);
    ck_assert_int_eq(poll(&ready, 1, 5000), 1);
    packet = live_next(&live);
    ck_assert_uint_eq(packet.payload_length, 60000);
    ck_assert_uint_eq(packet.captured, 512);
    ck_assert_int_gt(packet.time_ns, INT64_C(1500000000) * 1000000000);
    live_close(&live);
}
END_TEST

START_TEST(what_was_seen_live_can_be_kept)
{
    struct capture_error error;
    struct live live;
    int kind;

    if (!live_open(&live))
        return;
    ck_assert_int_eq(capture_keep(live.capture, in_folder("kept"), &error), 0);
    for (uint32_t n = 0; n < 20; n++)
        live_send(&live, n, 4);
    for (uint32_t n = 0; n < 20; n++)
        live_next(&live);
    live_close(&live);
    ck_assert_uint_eq(read_all(in_folder("kept"), &kind), 20);
    ck_assert_int_eq(kind, CAPTURE_FINE);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("capture");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, all_kinds_of_files_give_the_same_frames);
    tcase_add_loop_test(tests, standard_input_may_be_a_file_or_a_pipe, 0, 2);
    tcase_add_test(tests, a_file_cut_anywhere_gives_its_whole_packets);
    tcase_add_test(tests, a_cut_gzip_file_gives_what_could_be_read);
    tcase_add_test(tests, a_compressed_file_may_be_closed_before_its_end);
    tcase_add_loop_test(tests, garbled_files_are_survived, 0, 4);
    tcase_add_test(tests, an_impossible_time_is_made_possible);
    tcase_add_test(tests,
                   interfaces_that_differ_are_told_with_what_makes_them_one);
    tcase_add_test(tests, what_is_no_capture_is_refused_by_name);
    tcase_add_test(tests, a_filter_chooses);
    tcase_add_test(tests, a_missing_interface_is_told_with_those_there_are);
    tcase_add_test(tests, without_rights_three_ways_are_shown);
    tcase_add_loop_test(tests, what_is_kept_is_what_was_read, 0,
                        STORED_CAPTURES);
    tcase_add_test(tests, a_capture_is_not_kept_over_itself);
    tcase_add_test(tests, a_full_disk_is_told_once_and_reading_goes_on);
    tcase_add_test(tests, the_tail_is_there_as_soon_as_it_was_sent);
    tcase_add_test(tests, a_long_packet_is_cut_but_its_length_is_known);
    tcase_add_test(tests, what_was_seen_live_can_be_kept);
    return run_suite("capture", tests);
}
