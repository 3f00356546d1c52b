/*
 * viz_live rate|stall|scan|latency|stream|sockets N M  VIZ [ARGUMENT...]
 * viz_live idle|idle-lesson|keys N  VIZ [ARGUMENT...]
 * runs viz on a pty, in a network namespace of its own (but for a lesson, which
 * makes its own), and measures it from outside: what its screen says, what the
 * kernel counted, what its process took. Prints NAME=VALUE.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/capability.h>

#include "common/clock.h"
#include "common/netns.h"
#include "tests/bench/viz_flood.h"
#include "tests/bench/viz_terminal.h"

enum { PATIENCE_S = 20, STILL_S = 10, SAMPLES_MOST = 10000, PICTURES = 29 };

struct watched {
    pid_t pid;
    int pty;
    struct terminal terminal;
    int64_t begun_ns;
};

static void die(const char *what)
{
    fprintf(stderr, "viz_live: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* --- viz on a pty -------------------------------------------------------- */

/* A plain user has all rights in the namespace, and would lose them by exec. */
static void keep_capture_right(void)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, sets) < 0)
        return;
    sets[0].inheritable |= sets[0].permitted & 1u << CAP_NET_RAW;
    if (syscall(SYS_capset, &header, sets) == 0)
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0);
}

static void start(struct watched *viz, char *argv[])
{
    struct winsize size = {.ws_row = ROWS, .ws_col = COLUMNS};

    terminal_init(&viz->terminal);
    viz->begun_ns = clock_now();
    viz->pid = forkpty(&viz->pty, NULL, NULL, &size);
    if (viz->pid < 0)
        die("a pseudoterminal");
    if (viz->pid > 0)
        return;
    setenv("TERM", "xterm", 1);
    keep_capture_right();
    execv(argv[0], argv);
    die(argv[0]);
}

/* Take what the screen gets within `ms`. False once viz is gone. */
static bool look(struct watched *viz, int ms)
{
    struct pollfd fd = {.fd = viz->pty, .events = POLLIN};
    uint8_t bytes[65536];
    ssize_t got;

    if (poll(&fd, 1, ms) <= 0)
        return true;
    got = read(viz->pty, bytes, sizeof bytes);
    if (got <= 0)
        return false;
    terminal_take(&viz->terminal, bytes, (size_t)got);
    return true;
}

static void look_until(struct watched *viz, int64_t when)
{
    while (clock_now() < when && look(viz, clock_poll_ms(when)))
        ;
}

static int64_t patience(void)
{
    return clock_now() + PATIENCE_S * CLOCK_SECOND;
}

static void give_up(struct watched *viz, const char *what)
{
    fprintf(stderr, "viz_live: %s; the screen:\n", what);
    for (int row = 0; row < ROWS; row++)
        if (viz->terminal.cells[row][strspn(viz->terminal.cells[row], " ")])
            fprintf(stderr, "  %s\n", viz->terminal.cells[row]);
    kill(viz->pid, SIGKILL);
    exit(1);
}

static void await(struct watched *viz, const char *text)
{
    int64_t end = patience();

    while (!terminal_shows(&viz->terminal, text)) {
        if (clock_now() < end && look(viz, 100))
            continue;
        fprintf(stderr, "viz_live: waited for \"%s\"\n", text);
        give_up(viz, "it never came");
    }
}

static void press(struct watched *viz, const char *key)
{
    if (write(viz->pty, key, strlen(key)) < 0)
        die("the pseudoterminal");
}

/* End it, and say what it took. */
static void finish(struct watched *viz)
{
    struct rusage usage;
    int64_t lived = clock_now() - viz->begun_ns, end = patience();
    int status;

    kill(viz->pid, SIGTERM);
    while (look(viz, 100))
        if (clock_now() > end)
            give_up(viz, "SIGTERM does not end it");
    if (wait4(viz->pid, &status, 0, &usage) < 0)
        die("waiting");
    printf("pictures=%" PRIu64 "\nlived=%.3f\nuser=%.3f\nsystem=%.3f\n"
           "rss_kb=%ld\nstatus=%d\n",
           viz->terminal.pictures, (double)lived / 1e9,
           (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6,
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6,
           usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

/* --- what the kernel counts ---------------------------------------------- */

/* Packets that lo has received: each that was sent there. */
static uint64_t loopback_packets(void)
{
    FILE *in = fopen("/proc/self/net/dev", "re");
    uint64_t bytes, packets = 0;
    char line[512];

    while (in && fgets(line, sizeof line, in))
        if (sscanf(line, " lo: %" SCNu64 " %" SCNu64, &bytes, &packets) == 2)
            break;
    if (in)
        fclose(in);
    return packets;
}

/* Nanoseconds on a CPU: exact from schedstat, else in ticks from stat. */
static int64_t cpu_of(pid_t pid)
{
    char path[64], line[1024], *at;
    unsigned long long ns = 0, user = 0, system = 0;
    FILE *in;

    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    in = fopen(path, "re");
    if (in && fgets(line, sizeof line, in))
        ns = strtoull(line, NULL, 10);
    if (in)
        fclose(in);
    if (ns > 0)
        return (int64_t)ns;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    in = fopen(path, "re");
    if (in && fgets(line, sizeof line, in) && (at = strrchr(line, ')')) != NULL)
        sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
               &user, &system);
    if (in)
        fclose(in);
    return (int64_t)(user + system) * (CLOCK_SECOND / sysconf(_SC_CLK_TCK));
}

/* Of the process and what it has started. */
static int64_t cpu_of_family(pid_t pid)
{
    char path[64];
    int64_t sum = cpu_of(pid);
    FILE *in;
    int child;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid,
             (int)pid);
    in = fopen(path, "re");
    while (in && fscanf(in, "%d", &child) == 1)
        sum += cpu_of_family(child);
    if (in)
        fclose(in);
    return sum;
}

/* --- what is measured ---------------------------------------------------- */

/* Until viz has accounted for every packet that lo had, seen or missed, or
 * the screen stands still. */
static void settle(struct watched *viz, uint64_t packets)
{
    uint64_t last = UINT64_MAX, now;
    int64_t still = clock_now();

    while (clock_now() - still < STILL_S * CLOCK_SECOND) {
        now = terminal_number(&viz->terminal, " packet") +
              terminal_number(&viz->terminal, " NOT CAPTURED");
        if (now >= packets)
            return;
        if (now != last)
            still = clock_now();
        last = now;
        if (!look(viz, 100))
            return;
    }
}

static void under_flood(struct watched *viz, struct flood *flood,
                        uint64_t before)
{
    struct flood_result result;
    uint64_t packets;

    while (!flood_ended(flood, &result))
        look(viz, 5);
    kill(viz->pid, SIGCONT);
    packets = loopback_packets() - before;
    settle(viz, packets);
    printf("sent=%" PRIu64 "\nseconds=%.3f\nkernel=%" PRIu64 "\nseen=%" PRIu64
           "\nmissed=%" PRIu64 "\nforgotten=%" PRIu64 "\n",
           result.sent, (double)result.took_ns / 1e9, packets,
           terminal_number(&viz->terminal, " packet"),
           terminal_number(&viz->terminal, " NOT CAPTURED"),
           terminal_number(&viz->terminal, " forgotten"));
}

/* `stall`: viz is stopped while all is sent, so that the ring must run over. */
static int measure_rate(struct watched *viz, uint64_t count, uint64_t rate,
                        const char *what)
{
    bool scan = strcmp(what, "scan") == 0, stall = strcmp(what, "stall") == 0;
    bool stream = strcmp(what, "stream") == 0;

    struct flood flood;
    uint64_t before;

    await(viz, "LIVE");
    before = loopback_packets();
    if (stall)
        kill(viz->pid, SIGSTOP);
    if ((stream ? flood_stream(&flood, count * 1000000)
         : scan ? flood_syns(&flood, count, rate)
                : flood_datagrams(&flood, count, rate)) < 0)
        die("the sender");
    under_flood(viz, &flood, before);
    finish(viz);
    return 0;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void say_times(double *took_ms, int samples, const char *of)
{
    qsort(took_ms, (size_t)samples, sizeof *took_ms, by_size);
    printf("%smedian_ms=%.2f\n%sp99_ms=%.2f\n%smax_ms=%.2f\n", of,
           took_ms[samples / 2], of, took_ms[samples * 99 / 100], of,
           took_ms[samples - 1]);
}

/* A word of ten letters, none twice in a row, so that no terminal sequence
 * can shorten it. */
static void make_word(char *word, unsigned *random)
{
    for (int i = 0; i < 10; i++) {
        do {
            *random = *random * 1664525 + 1013904223;
            word[i] = (char)('a' + (*random >> 16) % 26);
        } while (i > 0 && word[i] == word[i - 1]);
    }
    word[10] = '\0';
}

/* From the send call to the bytes that show the datagram's text: at rest; or
 * at `rate` packets a second, those of a picture's time sent at once right
 * after a picture, the worst moment. Then it is the count of packets that must
 * have come so far, for rows scroll away. */
static int measure_latency(struct watched *viz, int samples, uint64_t rate)
{
    static double took_ms[SAMPLES_MOST];
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(7002),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), lost = 0;
    unsigned random = 7;

    if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("a socket");
    if (samples > SAMPLES_MOST)
        samples = SAMPLES_MOST;
    await(viz, "LIVE");
    press(viz, "2");
    await(viz, "ladder");
    for (int n = 0; n < samples; n++) {
        char word[16];
        int64_t sent, end;
        uint64_t before = terminal_number(&viz->terminal, " packet"), more;

        make_word(word, &random);
        more = rate > PICTURES ? rate / PICTURES : 1;
        sent = clock_now();
        end = patience();
        for (uint64_t i = 0; i < more; i++)
            sendto(fd, word, strlen(word), 0, (struct sockaddr *)&to,
                   sizeof to);
        while (rate == 0
                   ? !terminal_shows(&viz->terminal, word)
                   : terminal_number(&viz->terminal, " packet") < before + more)
            if (clock_now() > end || !look(viz, 1))
                break;
        took_ms[n] = (double)(clock_now() - sent) / 1e6;
        lost += clock_now() > end;
        if (rate == 0)
            look_until(viz,
                       clock_now() + (int64_t)(20 + random % 80) * CLOCK_MS);
    }
    say_times(took_ms, samples, "");
    printf("samples=%d\nnever=%d\n", samples, lost);
    finish(viz);
    return 0;
}

/* From a key to the picture that answers it, in a list of connections. */
static int measure_keys(struct watched *viz, int samples)
{
    static const char *const keys[] = {"G", "k", "\x15", "s"};
    static const char *const names[] = {"end_", "scroll_", "page_", "sort_"};
    static double took_ms[SAMPLES_MOST];
    enum { KEYS = sizeof keys / sizeof *keys };

    if (samples > SAMPLES_MOST)
        samples = SAMPLES_MOST;
    await(viz, "closed");
    for (int key = 0; key < KEYS; key++) {
        int count = key == 0 ? 1 : samples;

        for (int n = 0; n < count; n++) {
            uint64_t before = viz->terminal.pictures;
            int64_t pressed = clock_now(), end = patience();

            press(viz, keys[key]);
            while (viz->terminal.pictures == before)
                if (clock_now() > end || !look(viz, 100))
                    give_up(viz, "a key is not answered");
            took_ms[n] = (double)(clock_now() - pressed) / 1e6;
            look_until(viz, clock_now() + (n * 7 % 60) * CLOCK_MS);
        }
        say_times(took_ms, count, names[key]);
    }
    finish(viz);
    return 0;
}

static int measure_idle(struct watched *viz, int seconds, const char *ready)
{
    int64_t before, begun;
    uint64_t pictures;

    await(viz, ready);
    look_until(viz, clock_now() + (seconds < 2 ? 1 : 2) * CLOCK_SECOND);
    before = cpu_of_family(viz->pid);
    begun = clock_now();
    pictures = viz->terminal.pictures;
    look_until(viz, begun + seconds * CLOCK_SECOND);
    printf("percent=%.3f\nidle_pictures=%" PRIu64 "\n",
           (double)(cpu_of_family(viz->pid) - before) * 100 /
               (double)(clock_now() - begun),
           viz->terminal.pictures - pictures);
    finish(viz);
    return 0;
}

/* So many connections, both ends ours, that say nothing more. */
static void connect_many(uint64_t count)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(FLOOD_PORT),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct rlimit most = {.rlim_cur = 2 * count + 64,
                          .rlim_max = 2 * count + 64};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setrlimit(RLIMIT_NOFILE, &most);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(listener, 16) < 0)
        die("a listener");
    for (uint64_t n = 0; n < count; n++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
            accept(listener, NULL, NULL) < 0)
            die("a connection");
    }
}

/* What looking into the kernel's tables takes: with so many connections, and
 * a datagram every 20 ms, so that viz never rests. */
static int measure_sockets(struct watched *viz, uint64_t count, int64_t seconds)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(FLOOD_PORT),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int64_t before, begun;

    await(viz, "LIVE");
    press(viz, " "); /* paused: what is drawn is measured elsewhere */
    connect_many(count);
    look_until(viz, clock_now() + (seconds < 2 ? 1 : 2) * CLOCK_SECOND);
    before = cpu_of(viz->pid);
    begun = clock_now();
    for (int n = 0; n < seconds * 50; n++) {
        sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
        look_until(viz, begun + (n + 1) * 20 * (int64_t)CLOCK_MS);
    }
    printf("percent=%.3f\n", (double)(cpu_of(viz->pid) - before) * 100 /
                                 (double)(clock_now() - begun));
    finish(viz);
    return 0;
}

/* --- from the command line ----------------------------------------------- */

static void enter_network(void)
{
    enum netns_step failed;
    char why[1024];

    if (netns_enter(&failed) == 0)
        return;
    fprintf(stderr, "%s\n", netns_explain(failed, errno, why, sizeof why));
    exit(77); /* this machine does not allow it */
}

int main(int argc, char *argv[])
{
    struct watched viz;
    const char *what = argc > 1 ? argv[1] : "";
    bool lesson = strcmp(what, "idle-lesson") == 0;
    bool idle = lesson || strcmp(what, "idle") == 0;
    bool keys = strcmp(what, "keys") == 0;
    int first = idle || keys ? 3 : 4;
    uint64_t count, rate;

    if (argc <= first) {
        fputs("usage: viz_live rate COUNT RATE | stall COUNT RATE |\n"
              "       scan PORTS RATE | latency SAMPLES RATE | stream MB 0 |\n"
              "       sockets CONNECTIONS SECONDS | idle SECONDS |\n"
              "       idle-lesson SECONDS | keys SAMPLES\n"
              "       VIZ [ARGUMENT...]\n",
              stderr);
        return 2;
    }
    count = strtoull(argv[2], NULL, 10);
    rate = strtoull(argv[3], NULL, 10);
    if (!lesson)
        enter_network();
    start(&viz, argv + first);
    if (idle)
        return measure_idle(&viz, (int)count, lesson ? "ticks" : "LIVE");
    if (keys)
        return measure_keys(&viz, (int)count);
    if (strcmp(what, "sockets") == 0)
        return measure_sockets(&viz, count, (int64_t)rate);
    if (strcmp(what, "latency") == 0)
        return measure_latency(&viz, (int)count, rate);
    return measure_rate(&viz, count, rate, what);
}
