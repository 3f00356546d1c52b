/*
 * What lab 1, `wcd`, is graded by: eleven conversations with the program, 100
 * points. Unless a check is about several clients, each conversation has a
 * program and a port of its own, and only ten-clients and churn insist on the
 * server's FIN: one wrong idea costs the points of its own checks, not of all.
 * The sizes, texts and cuts come from the seed; the answers from wordcount.h.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/checks/wcd.h"
#include "tests/checks/wordcount.h"

/* --- one client ------------------------------------------------------------*/

/* 1.5: reading 8 bytes at a time gives right answers. Only the length that
 * recv was asked for shows it: worth a word, not a point. */
static void remark_tiny_reads(struct probe *p)
{
    const struct calls_log *log = probe_calls(p);
    size_t tiny = 0, others = 0;

    for (size_t i = 0; log && i < log->count && i < CALLS_RECORDS; i++) {
        if (log->record[i].call != CALL_RECV)
            continue;
        if (log->record[i].length == (int64_t)sizeof(void *))
            tiny++;
        else
            others++;
    }
    if (tiny > 0 && others == 0)
        probe_remark(p,
                     "[sizeof-pointer-or-array] your program asks recv for %zu "
                     "bytes at a time, the size of an address: sizeof of a "
                     "pointer, where the size of the buffer was meant? The "
                     "answers are right, the work is done in crumbs.",
                     sizeof(void *));
}

/* stdio's own calls cannot be changed from outside: then what was to be tried
 * was not, and the report must not be silent about it. */
static void remark_untouched(struct probe *p, enum call_name call,
                             const char *what)
{
    const struct calls_log *log = probe_calls(p);

    if (log && log->injected[call] == 0)
        probe_remark(p,
                     "not injected: %s. Your program makes these calls inside "
                     "stdio, where the tester cannot change them.",
                     what);
}

static void ask_exactly(struct probe *p, const uint8_t *text, size_t length)
{
    struct speech speech = {.bytes = text, .length = length, .exact = true};
    struct peer *client = peer_connect(p);

    peer_send_last(client, text, length);
    wcd_expect(p, client, &speech);
    peer_close(client);
}

static void one_client(struct probe *p)
{
    uint8_t text[60];
    size_t length = 20 + probe_random(p, sizeof text - 20);

    wcd_text(p, text, length);
    wcd_start(p, BUILD_PLAIN, (struct calls_plan){0});
    ask_exactly(p, text, length);
    wcd_start_anew(p, BUILD_PLAIN, (struct calls_plan){0});
    ask_exactly(p, text, 0);
    probe_step(p, "from here on recv and send move half of what is asked");
    wcd_start_anew(p, BUILD_PLAIN, (struct calls_plan){.short_counts = true});
    ask_exactly(p, text, length);
    remark_untouched(p, CALL_SEND, "a send that takes only a part");
    remark_tiny_reads(p);
}

/* Whether 127.0.0.2, which is this machine too, leads to it. */
static bool answers_elsewhere(struct probe *p)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(probe_listening(p)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected;

    probe_step(p, "connect to 127.0.0.2:%u, where it should not be",
               probe_listening(p));
    connected = fd >= 0 &&
                connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return connected;
}

/* What does it ask bind for? 127.0.0.1 in this machine's byte order is 1.0.0.127
 * on the wire: nobody here, so bind fails and nothing is to be seen from
 * outside. And htonl() of a port leaves 0 in its 16 bits: any port. */
static void sign_asked_address(struct probe *p)
{
    const struct calls_log *log;

    probe_launch(p, &(struct probe_start){.calls = {.log = true}});
    probe_settled(p);
    log = probe_calls(p);
    for (size_t i = 0; log && i < log->count && i < CALLS_RECORDS; i++) {
        const struct call_record *record = &log->record[i];

        if (record->call != CALL_BIND)
            continue;
        if ((uint16_t)record->length == 0) {
            probe_step(p, "look at its calls: it asks bind for port 0");
            probe_sign(p, "port-zero");
        }
        if ((uint64_t)record->length >> 32 == 0x0100007f) {
            probe_step(p, "look at its calls: it asks bind for 1.0.0.127");
            probe_sign(p, "address-swapped");
        }
    }
    probe_kill(p);
}

static void port_asked(struct probe *p)
{
    sign_asked_address(p);
    probe_start(p, NULL);
    if (!answers_elsewhere(p))
        return;
    probe_sign(p, "any-address");
    probe_fail(
        p, "it listens on 127.0.0.1 only: 127.0.0.2 refuses",
        "127.0.0.2 connects: it listens on all addresses, 0.0.0.0, where "
        "every machine of the network reaches it");
}

static void ten_clients(struct probe *p)
{
    uint8_t text[200];
    uint64_t before = 0;

    wcd_start(p, BUILD_PLAIN, (struct calls_plan){0});
    for (int n = 1; n <= 10; n++) {
        struct speech speech = {
            .bytes = text, .to_the_end = true, .before = before};
        struct peer *client;

        speech.length = 1 + probe_random(p, sizeof text - 1);
        before += speech.length;
        wcd_text(p, text, speech.length);
        if (n > 1)
            probe_settled(p); /* what it does between two clients, it did */
        client = try_connect(p);
        if (!client) {
            probe_sign(p, n > 1 ? "second-client-refused" : "client-refused");
            probe_fail(
                p, probe_text(p, "client %d is accepted", n),
                probe_text(p, "client %d: connect: %s", n, strerror(errno)));
        }
        peer_send_last(client, text, speech.length);
        wcd_expect(p, client, &speech);
        peer_close(client);
    }
}

/* --- bytes -----------------------------------------------------------------*/

static void binary_bytes(struct probe *p)
{
    uint8_t bytes[3000];
    size_t pieces[2];
    struct speech speech = {
        .bytes = bytes, .length = sizeof bytes, .pieces = pieces};
    struct peer *client;

    /* All values, zeros among them, but not at once. */
    probe_bytes(p, bytes, sizeof bytes);
    for (size_t i = 0; i < 40; i++)
        bytes[i] |= 1;
    for (int i = 0; i < 8; i++)
        bytes[40 + probe_random(p, sizeof bytes - 40)] = 0;
    pieces[0] = sizeof bytes;
    speech.count = 1;
    wcd_start(p, BUILD_PLAIN, (struct calls_plan){.log = true});
    client = peer_connect(p);
    peer_send_last(client, bytes, sizeof bytes);
    wcd_expect(p, client, &speech);

    /* No zeros; a long piece, and when it was read, a short one. */
    pieces[0] = 400 + probe_random(p, 200);
    pieces[1] = 3 + probe_random(p, 20);
    speech.count = 2;
    speech.length = pieces[0] + pieces[1];
    wcd_text(p, bytes, speech.length);
    bytes[pieces[0] - 1] = ' '; /* not through a word: that is drip's */
    wcd_start_anew(p, BUILD_PLAIN, (struct calls_plan){.log = true});
    client = peer_connect(p);
    peer_split(client, bytes, speech.length, pieces[0]);
    peer_half_close(client);
    wcd_expect(p, client, &speech);
}

static void drip(struct probe *p)
{
    static uint8_t text[WCD_PIECES];
    static size_t pieces[WCD_PIECES];
    struct speech speech = {.bytes = text,
                            .length = WCD_PIECES,
                            .pieces = pieces,
                            .count = WCD_PIECES};
    struct peer *client;

    wcd_text(p, text, sizeof text);
    for (size_t i = 0; i < WCD_PIECES; i++)
        pieces[i] = 1;
    wcd_start(p, BUILD_PLAIN, (struct calls_plan){0});
    wcd_ask(p, text, sizeof text); /* in one: what differs is only the cut */
    wcd_start_anew(p, BUILD_PLAIN, (struct calls_plan){0});
    client = peer_connect(p);
    peer_drip(client, text, sizeof text);
    peer_half_close(client);
    wcd_expect(p, client, &speech);
}

/* The sanitizer has nothing to say. Whoever writes its report looks like one who
 * waits, so another client follows: it is served, refused or lost, any of
 * which is well here, but not before the report was written. */
static void expect_no_report(struct probe *p, const char *after)
{
    struct peer *next = try_connect(p);
    enum peer_end end;
    const char *said;
    size_t length;
    char got[200];

    if (next) {
        peer_half_close(next);
        try_read(next, got, sizeof got, &end);
    }
    probe_settled(p);
    said = probe_stderr(p, &length);
    if (!memmem(said, length, "Sanitizer", 9) &&
        !memmem(said, length, "runtime error", 13))
        return;
    for (int looks = 0; looks < 1000; looks++) {
        probe_expect_alive(p, after); /* ends the check once it has ended */
        probe_settled(p);
    }
    probe_fail(p, "no word from the sanitizer", "a report, and no end");
}

/* Each piece lies whole in the receive queue before the program looks, so a
 * recv with room for exactly as much is filled to its last byte. */
static void exact_sizes(struct probe *p)
{
    enum { SMALLEST = 6, LARGEST = 16 };
    static uint8_t bytes[2 << LARGEST];
    struct speech speech = {.bytes = bytes};
    struct peer *client;

    wcd_crumbs(p, bytes, sizeof bytes);
    wcd_start(p, BUILD_ADDRESS, (struct calls_plan){0});
    client = peer_connect(p);
    for (int k = SMALLEST; k <= LARGEST; k++) {
        probe_stop(p);
        peer_send(client, bytes + speech.length, (size_t)1 << k);
        speech.length += (size_t)1 << k;
        probe_continue(p);
        probe_settled(p);
    }
    peer_half_close(client);
    wcd_expect(p, client, &speech);

    /* And a recv that returns -1. */
    wcd_start_anew(p, BUILD_ADDRESS, (struct calls_plan){0});
    client = peer_connect(p);
    peer_send(client, bytes, 100);
    probe_settled(p);
    probe_sign(p, "reached-reset");
    peer_reset(client);
    expect_no_report(p, "a client that reset its connection");
}

static void half_close(struct probe *p)
{
    static const char what[] = "an answer before the client's FIN";
    uint8_t text[120];
    struct speech speech = {.bytes = text, .length = sizeof text};
    size_t cut = 20 + probe_random(p, 30);
    struct peer *client;

    wcd_text(p, text, sizeof text);
    text[cut - 1] = '\n'; /* no end either */
    wcd_start(p, BUILD_PLAIN, (struct calls_plan){.log = true});
    client = peer_connect(p);
    peer_expect_nothing(client, what);
    probe_sign(p, "reached-first-piece");
    peer_send(client, text, cut);
    peer_expect_nothing(client, what);
    peer_send(client, text + cut, sizeof text - cut);
    peer_expect_nothing(client, what);
    peer_half_close(client);
    wcd_expect(p, client, &speech);
}

/* --- clients that leave, calls that return early ---------------------------*/

/* A client whose every packet arrives while the program is stopped: recv will
 * give its bytes, then 0; what is sent to it then meets a dead connection. */
static void leave_while_stopped(struct probe *p, bool reset)
{
    uint8_t text[50];
    struct peer *client;

    wcd_text(p, text, sizeof text);
    probe_stop(p);
    client = peer_connect(p);
    peer_send(client, text, sizeof text);
    if (reset) {
        peer_half_close(client);
        peer_reset(client);
    } else {
        peer_close(client);
    }
    probe_continue(p);
    probe_settled(p);
    probe_expect_alive(p, reset ? "a client that sent, half-closed and reset"
                                : "a client that left before its answer");
    wcd_ask_something(p);
}

/* The signs "reached-..." tell the diagnosis how far it went well: the same
 * exchange, without what that part injects, has passed before it. */
static void lost_clients(struct probe *p)
{
    static const uint8_t text[] = "a client that will not be there";
    struct peer *client;

    wcd_start(p, BUILD_PLAIN, (struct calls_plan){0});
    wcd_ask_something(p);
    probe_sign(p, "reached-leaving");
    leave_while_stopped(p, false);
    leave_while_stopped(p, true);
    client = peer_connect(p);
    peer_send(client, text, sizeof text - 1);
    probe_settled(p);
    peer_reset(client);
    probe_settled(p);
    probe_expect_alive(p, "a client that reset its connection");
    wcd_ask_something(p);

    probe_step(p, "from here on every second call is interrupted (EINTR)");
    wcd_start_anew(p, BUILD_PLAIN, (struct calls_plan){.eintr_every = 2});
    probe_sign(p, "reached-eintr");
    for (int n = 0; n < 3; n++)
        wcd_ask_something(p);
    remark_untouched(p, CALL_RECV, "a recv that is interrupted");

    probe_sign(p, "reached-econnaborted");
    probe_step(p, "from here on some accepts say ECONNABORTED");
    wcd_start_anew(
        p, BUILD_PLAIN,
        (struct calls_plan){.fail = {{CALL_ACCEPT, 1, ECONNABORTED},
                                     {CALL_ACCEPT, 3, ECONNABORTED}}});
    for (int n = 0; n < 3; n++)
        wcd_ask_something(p);

    probe_sign(p, "reached-dirty-errno");
    probe_step(p, "from here on calls that succeed leave EINTR in errno");
    wcd_start_anew(p, BUILD_PLAIN, (struct calls_plan){.dirty_errno = EINTR});
    for (int n = 0; n < 3; n++)
        wcd_ask_something(p);
}

/* --- restart ---------------------------------------------------------------*/

/* Was SO_REUSEADDR set, on which socket, before or after bind? */
static void sign_reuseaddr(struct probe *p)
{
    const struct calls_log *log = probe_calls(p);
    int listener = -1;
    bool elsewhere = false, late = false;

    for (size_t i = 0; log && i < log->count && i < CALLS_RECORDS; i++) {
        const struct call_record *record = &log->record[i];
        bool option = record->call == CALL_SETSOCKOPT &&
                      record->length ==
                          ((int64_t)SOL_SOCKET << 32 | SO_REUSEADDR);

        if (record->call == CALL_BIND && listener < 0)
            listener = record->fd;
        else if (option && listener < 0)
            return; /* in time */
        else if (option && record->fd == listener)
            late = true;
        else if (option)
            elsewhere = true;
    }
    probe_step(p, "look at its calls: SO_REUSEADDR was %s",
               late        ? "set after bind"
               : elsewhere ? "set on the client's socket"
                           : "never set");
    probe_sign(p, late        ? "reuseaddr-late"
                  : elsewhere ? "reuseaddr-on-client"
                              : "reuseaddr-absent");
}

/* Until the program has its first client, which has said nothing: a connection
 * that still waits in the queue would be reset with the listener. */
static void wait_accepted(struct probe *p)
{
    const struct calls_log *log = probe_calls(p);

    for (int looks = 0; looks < 1000; looks++) {
        probe_settled(p);
        for (size_t i = 0; log && i < log->count && i < CALLS_RECORDS; i++)
            if (log->record[i].call == CALL_ACCEPT && log->record[i].seen &&
                log->record[i].result >= 0)
                return;
    }
}

static void restart(struct probe *p)
{
    struct peer *client;

    wcd_start(p, BUILD_PLAIN, (struct calls_plan){.log = true});
    client = peer_connect(p);
    wait_accepted(p);
    sign_reuseaddr(p);
    probe_kill(p);
    peer_expect_eof(client); /* the server's FIN is the first, so: TIME_WAIT */
    peer_close(client);
    probe_sign(p, "reached-restart");
    wcd_start(p, BUILD_PLAIN, (struct calls_plan){0});
    wcd_ask_something(p);
}

/* --- many ------------------------------------------------------------------*/

static void churn(struct probe *p)
{
    enum { CLIENTS = 300 };
    int before;

    wcd_start(p, BUILD_PLAIN, (struct calls_plan){0});
    wcd_ask_something(p);
    probe_settled(p);
    before = probe_descriptors(p);
    for (int n = 1; n <= CLIENTS; n++) {
        if (n % 10 == 0) {
            struct peer *client = peer_connect(p);

            peer_send(client, "lost", 4);
            peer_reset(client);
        }
        wcd_ask_something(p);
        if (n == 5 || n % 20 == 0)
            probe_expect_descriptors(p, before);
    }
    probe_expect_idle(p);
}

/* --- the contract ----------------------------------------------------------*/

/* A stream that is made on the way, and counted as it goes. */
struct stream {
    uint8_t block[65522]; /* repeated; even, so that the crumbs go on */
    struct wordcount count;
};

static void fill_stream(void *self, uint8_t *buffer, size_t n, uint64_t offset)
{
    struct stream *stream = self;
    uint64_t known = stream->count.bytes;

    for (size_t done = 0; done < n;) {
        size_t at = (offset + done) % sizeof stream->block;
        size_t part = sizeof stream->block - at;

        if (part > n - done)
            part = n - done;
        memcpy(buffer + done, stream->block + at, part);
        done += part;
    }
    if (known >= offset && known < offset + n)
        wordcount_add(&stream->count, buffer + (known - offset),
                      n - (size_t)(known - offset));
}

static void expect_small_memory(struct probe *p)
{
    static struct stream stream;
    struct peer *client = peer_connect(p);
    char want[WORDCOUNT_TEXT];
    long before;

    wcd_crumbs(p, stream.block, sizeof stream.block);
    peer_stream(client, 256 << 10, fill_stream, &stream);
    probe_settled(p); /* all that it touches for any client, it has touched */
    before = probe_peak_kb(p);
    peer_stream(client, 64 << 20, fill_stream, &stream);
    probe_expect_memory(p, before, 4096);
    peer_half_close(client);
    peer_expect(client, want, wordcount_answer(&stream.count, want));
    peer_close(client);
}

static void expect_backlog(struct probe *p)
{
    enum { LEAST = 16 };
    int backlog = probe_backlog(p);

    probe_step(p, "see how many clients may wait: %d", backlog);
    if (backlog < LEAST)
        probe_fail(p, probe_text(p, "%d clients or more may wait", LEAST),
                   probe_text(p, "listen was given %d", backlog));
}

/* A listener of our own on a port, so that nobody else gets it. */
static int occupy(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
                    listen(fd, 1) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void expect_bind_failure(struct probe *p)
{
    uint16_t port = probe_new_port(p);
    int taken = occupy(port);
    /* A port in the wrong byte order is port-asked's. */
    int swapped = occupy((uint16_t)(port >> 8 | port << 8));

    if (taken < 0 || swapped < 0)
        probe_skip(p, "the tester could not take a port for itself");
    probe_step(p, "the tester itself listens on port %u", port);
    probe_launch(p, NULL);
    probe_expect_exit(p, 2);
    probe_expect_stderr(p, "wcd: bind: Address already in use\n");
    probe_expect_stdout(p, "");
    close(taken);
    close(swapped);
}

static void expect_usage(struct probe *p, const char *const *args)
{
    const char *text;
    size_t length;

    probe_launch(p, &(struct probe_start){.args = args});
    probe_expect_exit(p, 2);
    probe_expect_stdout(p, "");
    text = probe_stderr(p, &length);
    if (length < 2 || memchr(text, '\n', length) != text + length - 1)
        probe_differ(p, "usage: wcd PORT\n", 16, text, length,
                     "on stderr (any one line of usage will do)");
    probe_kill(p);
}

static void contract(struct probe *p)
{
    /* The last two: atoi would read a port that one may have. */
    static const char *const wrong[][3] = {{NULL},    {"http"},  {"0"},
                                           {"65536"}, {"85536"}, {"20080x"}};
    struct peer *client;

    wcd_start(p, BUILD_PLAIN, (struct calls_plan){0});
    probe_expect_stdout(p, probe_text(p, "ready %u\n", probe_port(p)));
    expect_backlog(p);
    probe_terminate(p);
    probe_expect_exit(p, 0);

    wcd_start_anew(p, BUILD_PLAIN, (struct calls_plan){0});
    expect_small_memory(p);

    wcd_start_anew(p, BUILD_PLAIN, (struct calls_plan){0});
    client = peer_connect(p);
    peer_send(client, "still here", 10);
    probe_settled(p);
    probe_terminate(p);
    probe_expect_exit(p, 0);
    probe_expect_stdout(p, probe_text(p, "ready %u\n", probe_port(p)));
    probe_kill(p);

    expect_bind_failure(p);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        probe_kill(p);
        expect_usage(p, wrong[i]);
    }
}

/* --- the table -------------------------------------------------------------*/

static const char *const files[] = {"wcd.c", NULL};

static const struct check checks[] = {
    {.id = "one-client",
     .title = "answers one client with exactly its line",
     .points = 10,
     .required =
         "the answer is one line, LINES WORDS BYTES CRC32, complete and "
         "nothing more, also when send takes only a part of it "
         "(send(2), RETURN VALUE)",
     .run = one_client,
     .hint = "a wrong number: how does the assignment count and write it? "
             "Bytes missing or too many: what is the length that you give to "
             "send, and what does send return?"},
    {.id = "port-asked",
     .title = "listens on 127.0.0.1, at the port that was asked for",
     .points = 5,
     .required = "wcd PORT listens on 127.0.0.1 at PORT, both in network byte "
                 "order (ip(7), htons(3))",
     .run = port_asked,
     .hint = "ss -ltn shows where your program really listens"},
    {.id = "ten-clients",
     .title = "serves ten clients, one after the other, each to its end",
     .points = 10,
     .required = "every client gets its answer and then the end of the stream: "
                 "accept gives a socket for each, close ends it (accept(2), "
                 "close(2))",
     .run = ten_clients,
     .hint = "a wrong answer: which of its four numbers, and how does the "
             "assignment write it? None: which of your two sockets do you "
             "close after a client, and what do you do next?"},
    {.id = "binary-bytes",
     .title = "counts any bytes: zeros, and a short piece after a long one",
     .points = 15,
     .required = "a piece is as long as recv said, whatever its bytes are "
                 "(recv(2), RETURN VALUE)",
     .run = binary_bytes,
     .hint = "which bytes end a word is in the assignment, as six numbers; all "
             "others belong to one"},
    {.id = "drip",
     .title = "counts a text that comes byte by byte",
     .points = 10,
     .required = "a stream has no pieces: the count is the same however it is "
                 "cut on its way (tcp(7); RFC 9293, 3.8)",
     .run = drip,
     .hint = "what must be remembered from one recv to the next?"},
    {.id = "exact-sizes",
     .title = "receives pieces of exactly 64, 128, ... 65536 bytes, and resets",
     .points = 10,
     .required = "no byte outside its own variables is touched, also when a "
                 "piece fills the buffer exactly, or recv returns -1 (recv(2))",
     .run = exact_sizes,
     .builds = 1u << BUILD_ADDRESS,
     .seconds = 15,
     .hint = "the full report of the sanitizer names the line"},
    {.id = "half-close",
     .title = "waits for the client's FIN, and answers after it",
     .points = 10,
     .required = "no answer before the end of the client's stream, which recv "
                 "tells by 0; the answer after it (recv(2), shutdown(2))",
     .run = half_close,
     .hint = "how do you know that a client has said everything?"},
    {.id = "lost-clients",
     .title = "goes on after clients that vanish and calls that return early",
     .points = 10,
     .required = "a client that is gone, or an interrupted call, costs at most "
                 "that client; the next one is served (send(2), EPIPE; "
                 "signal(7), EINTR; errno(3))",
     .run = lost_clients,
     .hint = "after a call that returned -1: what does errno say, and is it "
             "the end of the program, of this client, or of nothing?"},
    {.id = "restart",
     .title = "starts again at once on the port that it had",
     .points = 5,
     .required = "stopped with a client connected, it can be started again on "
                 "the same port while the old connection is in TIME_WAIT "
                 "(socket(7), SO_REUSEADDR; RFC 9293, 3.6)",
     .run = restart,
     .hint = "which option did you set, on which socket, and before which "
             "call?"},
    {.id = "churn",
     .title = "keeps nothing of three hundred clients, and rests after them",
     .points = 10,
     .required = "after the last client it has as many descriptors as after "
                 "the first, and waits without using the processor (close(2))",
     .run = churn,
     .seconds = 15,
     .hint = "a wrong answer: which of its four numbers? Descriptors left: is "
             "the connection closed on every way out of your function?"},
    {.id = "contract",
     .title = "keeps the rest of its contract: ready, SIGTERM, errors, memory",
     .points = 5,
     .required = "ready PORT on stdout; 16 may wait; SIGTERM ends it with "
                 "status 0; a port in use or a bad argument with status 2; "
                 "memory stays small (listen(2), sigaction(2), bind(2))",
     .run = contract,
     .seconds = 30,
     .hint = "the last step says which rule it is. The ready line must be "
             "flushed (fflush(3)); SIGTERM must end an accept or recv that "
             "waits (sigaction(2), no SA_RESTART); what was counted need not "
             "be kept. All rules: the assignment, under What it does"},
};

const struct lab lab_01_blocking = {
    .name = "01-blocking",
    .program = "wcd",
    .files = files,
    .checks = checks,
    .check_count = sizeof checks / sizeof *checks,
};
