/* See viz_flood.h. Who is late by more than LATE does not catch up: after a
 * pause there is no burst that no network card would make. */
#include "tests/bench/viz_flood.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

enum { BATCH = 32, SIZE = 64, LATE = 5 * CLOCK_MS };

struct batch {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_in to[BATCH];
    uint8_t bytes[BATCH][SIZE];
};

typedef void fill_fn(struct batch *batch, int n, uint64_t number);

static uint16_t ones_complement(const uint8_t *bytes, size_t length,
                                uint32_t sum)
{
    for (size_t i = 0; i < length; i += 2)
        sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static void fill_datagram(struct batch *batch, int n, uint64_t number)
{
    memset(batch->bytes[n], '.', SIZE);
    memcpy(batch->bytes[n], &number, sizeof number);
    batch->parts[n].iov_len = SIZE;
    batch->to[n].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    batch->to[n].sin_port = htons(FLOOD_PORT);
}

/* IPv4 and TCP by hand; the kernel fills in the IP checksum (raw(7)). */
static void fill_syn(struct batch *batch, int n, uint64_t number)
{
    uint8_t *ip = batch->bytes[n], *tcp = ip + 20;
    uint32_t from = 0x7f000001, to = 0x7f010001 + (uint32_t)(number / 60000);
    uint32_t sum = 6 + 20 + (from >> 16) + (from & 0xffff) + (to >> 16) +
                   (to & 0xffff);

    memset(ip, 0, 40);
    ip[0] = 0x45;
    put16(ip + 2, 40);
    ip[8] = 64;
    ip[9] = IPPROTO_TCP;
    put32(ip + 12, from);
    put32(ip + 16, to);
    put16(tcp, 40000);
    put16(tcp + 2, (uint32_t)(1 + number % 60000));
    put32(tcp + 4, 77);
    put16(tcp + 12, 5 << 12 | 2); /* 20 bytes; SYN */
    put16(tcp + 14, 1024);
    put16(tcp + 16, ones_complement(tcp, 20, sum));
    batch->parts[n].iov_len = 40;
    batch->to[n].sin_addr.s_addr = htonl(to);
    batch->to[n].sin_port = 0;
}

static void wait_until(int64_t when)
{
    int64_t left = when - clock_now();
    struct timespec limit = {left / CLOCK_SECOND, (long)(left % CLOCK_SECOND)};

    if (left > 0)
        ppoll(NULL, 0, &limit, NULL);
}

/* 0, or -1 with errno. */
static int send_batch(int fd, struct batch *batch, int count)
{
    for (int sent = 0, n; sent < count; sent += n) {
        n = sendmmsg(fd, batch->messages + sent, (unsigned)(count - sent), 0);
        if (n < 0 && (errno == ENOBUFS || errno == EAGAIN || errno == EINTR))
            n = 0;
        if (n < 0)
            return -1;
    }
    return 0;
}

static int send_all(int fd, fill_fn *fill, uint64_t count, uint64_t rate,
                    struct flood_result *result)
{
    static struct batch batch;
    int64_t begun = clock_now(), due = begun;

    for (int n = 0; n < BATCH; n++) {
        batch.to[n].sin_family = AF_INET;
        batch.parts[n].iov_base = batch.bytes[n];
        batch.messages[n].msg_hdr = (struct msghdr){
            .msg_name = &batch.to[n],
            .msg_namelen = sizeof batch.to[n],
            .msg_iov = &batch.parts[n],
            .msg_iovlen = 1};
    }
    while (result->sent < count) {
        uint64_t left = count - result->sent;
        int n = left < BATCH ? (int)left : BATCH;

        for (int i = 0; i < n; i++)
            fill(&batch, i, result->sent + (uint64_t)i);
        wait_until(due);
        if (send_batch(fd, &batch, n) < 0)
            return -1;
        result->sent += (uint64_t)n;
        due += n * CLOCK_SECOND / (int64_t)rate;
        if (clock_now() - due > LATE)
            due = clock_now();
    }
    result->took_ns = clock_now() - begun;
    return 0;
}

/* A bound socket that nobody reads: no ICMP answers the datagrams. */
static int hold_port(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(FLOOD_PORT),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof at);
}

/* A process for the sender, which tells its result. 1 in it, 0 in who asked,
 * -1 with errno. */
static int begin(struct flood *flood, int *report)
{
    int ends[2];

    if (pipe(ends) < 0)
        return -1;
    flood->report = ends[0];
    *report = ends[1];
    flood->pid = fork();
    if (flood->pid == 0)
        return 1;
    close(ends[1]);
    return flood->pid < 0 ? -1 : 0;
}

static void end(int report, const struct flood_result *result)
{
    _exit(write(report, result, sizeof *result) != sizeof *result);
}

static int start(struct flood *flood, int type, int protocol, fill_fn *fill,
                 uint64_t count, uint64_t rate)
{
    struct flood_result result = {0};
    int report, fd, begun = begin(flood, &report);

    if (begun != 1)
        return begun;
    fd = socket(AF_INET, type | SOCK_CLOEXEC, protocol);
    if (fd < 0 || (type == SOCK_DGRAM && hold_port() < 0) ||
        send_all(fd, fill, count, rate, &result) < 0)
        _exit(1);
    end(report, &result);
    return 0;
}

static void read_stream(int listener)
{
    static char bytes[1 << 16];
    int fd = accept(listener, NULL, NULL);

    while (read(fd, bytes, sizeof bytes) > 0)
        ;
    _exit(0);
}

int flood_stream(struct flood *flood, uint64_t bytes)
{
    static const char zeros[1 << 16];
    struct flood_result result = {0};
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(FLOOD_PORT),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *address = (struct sockaddr *)&at;
    int report, fd, listener, begun = begin(flood, &report);
    int64_t since;

    if (begun != 1)
        return begun;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || fd < 0 || bind(listener, address, sizeof at) < 0 ||
        listen(listener, 1) < 0)
        _exit(1);
    if (fork() == 0) {
        close(fd);
        read_stream(listener);
    }
    since = clock_now();
    if (connect(fd, address, sizeof at) < 0)
        _exit(1);
    while (result.sent < bytes) {
        ssize_t sent = write(fd, zeros, sizeof zeros);

        if (sent <= 0)
            _exit(1);
        result.sent += (uint64_t)sent;
    }
    close(fd);
    wait(NULL);
    result.took_ns = clock_now() - since;
    end(report, &result);
    return 0;
}

int flood_datagrams(struct flood *flood, uint64_t count, uint64_t rate)
{
    return start(flood, SOCK_DGRAM, 0, fill_datagram, count, rate);
}

int flood_syns(struct flood *flood, uint64_t count, uint64_t rate)
{
    return start(flood, SOCK_RAW, IPPROTO_RAW, fill_syn, count, rate);
}

int flood_ended(struct flood *flood, struct flood_result *result)
{
    struct pollfd fd = {.fd = flood->report, .events = POLLIN};

    if (poll(&fd, 1, 0) <= 0)
        return 0;
    if (read(flood->report, result, sizeof *result) != sizeof *result)
        *result = (struct flood_result){0};
    close(flood->report);
    waitpid(flood->pid, NULL, 0);
    return 1;
}
