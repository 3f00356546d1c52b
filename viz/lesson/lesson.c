/*
 * See lesson.h. The order matters: the keeper first (it forks and enters the
 * network), then what needs its rights (capture, sockets), then no rights at
 * all, then files and the screen.
 */
#include "viz/lesson/lesson.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/progress.h"
#include "viz/lesson/modes.h"

enum { NAME = 64, PORT_BASE = 7000 };

/* All that a run opens, in the order in which it is opened. */
struct run {
    const struct options *options;
    char path[PATH_MAX];   /* of the document, as given */
    char folder[PATH_MAX]; /* that it lies in */
    char name[NAME];       /* of that folder: "01-blocking" */
    char built[PATH_MAX];  /* where its programs are */
    bool lab;
    int number; /* 1; 0 for a folder without one */
    struct document *document;
    struct keeper *keeper;
    struct capture *capture;
    struct sockets *sockets, *outside;
    struct call_feed *calls; /* of the student's programs; NULL: none */
    struct player player;
    struct feed feed;
    bool has_player, has_feed;
    enum keeper_network network;
    char refusal[2400];
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static int cannot(const char *text)
{
    fprintf(stderr, "%s\n", text);
    return 2;
}

/* --- names ------------------------------------------------------------- */

/* "lessons/01-blocking/README.md" into its parts. */
static int read_name(struct run *run)
{
    const char *path = run->options->lesson, *slash, *name;
    size_t length;

    if (snprintf(run->path, sizeof run->path, "%s", path) >=
        (int)sizeof run->path)
        return cannot("The name of the lesson is too long.");
    slash = strrchr(path, '/');
    snprintf(run->folder, sizeof run->folder, "%.*s",
             slash ? (int)(slash - path) : 1, slash ? path : ".");
    name = strrchr(run->folder, '/');
    name = name ? name + 1 : run->folder;
    length = strlen(name);
    if (length == 0 || length >= sizeof run->name ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789-_.") != length)
        snprintf(run->name, sizeof run->name, "lesson");
    else
        snprintf(run->name, sizeof run->name, "%s", name);
    run->number = atoi(run->name);
    run->lab = strncmp(path, "labs/", 5) == 0 || strstr(path, "/labs/");
    return 0;
}

/* Where the lesson's programs were built, beside this very viz:
 * build/bin/viz belongs to build/lessons/NAME. */
static void find_built(struct run *run)
{
    const char *kind = run->lab ? "labs" : "lessons";
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    struct stat st;

    if (n > 0) {
        char *slash;

        self[n] = '\0';
        slash = strrchr(self, '/');
        if (slash)
            *slash = '\0';
        snprintf(run->built, sizeof run->built, "%.*s/../%s/%s", PATH_MAX - 128,
                 self, kind, run->name);
        if (stat(run->built, &st) == 0 && S_ISDIR(st.st_mode))
            return;
    }
    snprintf(run->built, sizeof run->built, "build/%s/%s", kind, run->name);
    if (stat(run->built, &st) < 0 || !S_ISDIR(st.st_mode))
        snprintf(run->built, sizeof run->built, "%s", run->folder);
}

static void title(const struct run *run, char *text, size_t size)
{
    const char *kind = run->lab ? "lab" : "lesson";

    if (run->number > 0)
        snprintf(text, size, "%s %d", kind, run->number);
    else
        snprintf(text, size, "%s %s", kind, run->name);
}

static void add_refusal(struct run *run, const char *text)
{
    size_t used = strlen(run->refusal);

    snprintf(run->refusal + used, sizeof run->refusal - used, "%s%s",
             used ? "\n" : "", text);
    used = strlen(run->refusal);
    while (used > 0 && run->refusal[used - 1] == '\n')
        run->refusal[--used] = '\0';
}

/* --- what needs rights ------------------------------------------------- */

/* On the machine's own loopback only the lessons' traffic is looked at. */
static const char lesson_ports[] = "portrange 7000-7099 or icmp or icmp6";

/* The network and the wire. 0, also when a replay must do; else a status. */
static int open_live(struct run *run, bool shells)
{
    struct keeper_refusal refusal = {{0}};
    struct keeper_options options = {.directory = run->built, .shells = shells};
    struct capture_error error;
    char text[NAME + 8];

    title(run, text, sizeof text);
    options.title = text;
    run->calls = call_feed_open(TRACE_OWN); /* without it: no calls */
    options.calls = run->calls ? call_feed_path(run->calls) : NULL;
    run->outside = sockets_open(); /* before we move: the machine's own */
    run->keeper = keeper_open(&options, &run->network, &refusal);
    if (!run->keeper) {
        if (refusal.text[0])
            return cannot(refusal.text);
        fprintf(stderr, "The lab network cannot be started: %s\n",
                strerror(errno));
        return 2;
    }
    add_refusal(run, refusal.text);
    if (run->network == KEEPER_NONE)
        return 0;
    run->capture = capture_open_live(
        "lo", 0, run->network == KEEPER_PRIVATE ? NULL : lesson_ports, &error);
    if (!run->capture) {
        run->network = KEEPER_NONE;
        add_refusal(run, error.text);
        return 0;
    }
    run->sockets = sockets_open();
    if (run->network != KEEPER_PRIVATE && run->outside) {
        sockets_close(run->outside); /* it is not outside, then */
        run->outside = NULL;
    }
    return 0;
}

/* --- what does not ----------------------------------------------------- */

static int open_player(struct run *run, bool kernel)
{
    struct document *document = run->document;
    struct document_error fault;

    run->document = NULL; /* taken */
    if (player_init(&run->player, document, run->path, run->name, kernel,
                    &fault) < 0)
        return cannot(fault.text);
    run->has_player = true;
    return 0;
}

static int feed_from_replay(struct run *run, bool at_once)
{
    struct replay_error error;
    struct replay *replay = replay_open(run->folder, run->player.step_count,
                                        &error);

    if (!replay) {
        if (run->refusal[0])
            fprintf(stderr, "%s\n", run->refusal);
        fprintf(stderr, "There is no recording to show instead: %s\n",
                error.text);
        return 2;
    }
    if (feed_replay(&run->feed, &run->player, replay,
                    at_once ? FEED_AT_ONCE : FEED_FOR_EYES) < 0) {
        fprintf(stderr, "%s: %s\n", run->path, strerror(errno));
        return 2;
    }
    run->has_feed = true;
    return 0;
}

static int feed_from_wire(struct run *run)
{
    struct capture *capture = run->capture;
    struct sockets *sockets = run->sockets, *outside = run->outside;

    run->capture = NULL; /* taken, these three */
    run->sockets = run->outside = NULL;
    if (feed_live(&run->feed, &run->player, run->keeper, capture, sockets,
                  outside, (uint16_t)(PORT_BASE + run->number)) < 0) {
        fprintf(stderr, "%s: %s\n", run->path, strerror(errno));
        return 2;
    }
    run->has_feed = true;
    if (run->calls)
        feed_calls(&run->feed, run->calls);
    run->calls = NULL;
    return 0;
}

static int start_record(struct run *run)
{
    struct capture_error error;
    struct record *record;

    if (run->feed.replay)
        return cannot("Nothing live can be recorded here: see `make doctor`.");
    record = record_open(run->folder, run->player.step_count);
    if (!record) {
        fprintf(stderr, "%s: a recording cannot be written there: %s\n",
                run->folder, strerror(errno));
        return 2;
    }
    if (capture_keep(run->feed.session.capture, record_pcap(record), &error) <
        0) {
        record_close(record, false);
        return cannot(error.text);
    }
    run->feed.record = record;
    return 0;
}

/* The recording gets its names only when all was true. */
static int end_record(struct run *run, int status)
{
    struct record *record = run->feed.record;

    if (!record)
        return status;
    run->feed.record = NULL;
    feed_fini(&run->feed); /* closes the capture, which completes its file */
    run->has_feed = false;
    if (record_close(record, status == 0) < 0) {
        fprintf(stderr, "%s: the recording cannot be written: %s\n",
                run->folder, strerror(errno));
        return 2;
    }
    return status;
}

const char *lesson_save(const struct lesson *lesson, char said[LESSON_SAID])
{
    int kept;

    said[0] = '\0';
    if (!lesson->progress)
        return said;
    if (player_save(lesson->player, lesson->progress, &kept) < 0)
        snprintf(said, LESSON_SAID, "%s: your progress cannot be kept: %s",
                 lesson->progress, strerror(errno));
    else if (kept)
        snprintf(said, LESSON_SAID,
                 "%s was damaged: it is kept as %s.broken-N, and what could "
                 "be read of it was taken over.",
                 lesson->progress, lesson->progress);
    return said;
}

static bool is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") ||
                   strstr(value, "UTF8");
    }
    return false;
}

static int run_mode(struct run *run, bool play)
{
    static const char *const networks[] = {
        [KEEPER_PRIVATE] = "private network",
        [KEEPER_LOOPBACK] = "loopback of this machine",
        [KEEPER_NONE] = "no network"};
    struct lesson lesson = {.player = &run->player,
                            .feed = &run->feed,
                            .path = run->path,
                            .network = networks[run->network],
                            .refusal = run->refusal,
                            .ascii = run->options->ascii || !is_utf8(),
                            .stop = &stop};
    char recording[PATH_MAX + 16];

    if (run->feed.replay) {
        snprintf(recording, sizeof recording, "%s/replay.pcap", run->folder);
        lesson.recording = recording;
        lesson.network = "REPLAY";
    }
    if (run->options->dump_columns > 0) /* keeps no progress */
        return shot_run(&lesson, run->options);
    if (play)
        return play_run(&lesson);
    lesson.progress = PROGRESS_FILE;
    run->player.eager = !run->feed.replay;
    lesson.resumed = player_load(&run->player, PROGRESS_FILE);
    feed_resume(&run->feed);
    return run->options->text ? textmode_run(&lesson) : live_run(&lesson);
}

static void tell_calls_lost(const struct run *run)
{
    char text[CALLED_TEXT];

    if (run->has_feed && run->feed.session.called &&
        *called_lost(run->feed.session.called, text))
        fprintf(stderr, "%s: %s\n", run->path, text);
}

static int run_lesson(struct run *run)
{
    const struct options *options = run->options;
    bool shot = options->dump_columns > 0;
    bool play = shot || options->play ||
                (!options->text &&
                 (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)));
    struct document_error fault;
    int status;

    run->document = document_read(run->path, &fault);
    if (!run->document)
        return cannot(fault.text);
    find_built(run);
    run->network = KEEPER_NONE;
    if (!options->replay && (status = open_live(run, !play)) != 0)
        return status;
    if (keeper_drop_rights() < 0) {
        fprintf(stderr, "Rights cannot be given up: %s\n", strerror(errno));
        return 2;
    }
    if ((status = open_player(run, options->replay || run->sockets ||
                                       run->network == KEEPER_NONE)) != 0)
        return status;
    status = run->network == KEEPER_NONE ? feed_from_replay(run, play)
                                         : feed_from_wire(run);
    if (status == 0 && options->record)
        status = start_record(run);
    if (status != 0)
        return status;
    status = run_mode(run, play);
    tell_calls_lost(run);
    return end_record(run, status);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* poll(2) ends */

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

int lesson_run(const struct options *options)
{
    struct run *run = calloc(1, sizeof *run);
    int status;

    if (!run)
        return cannot("Out of memory.");
    run->options = options;
    catch_signals();
    status = read_name(run);
    if (status == 0)
        status = run_lesson(run);
    if (run->has_feed)
        feed_fini(&run->feed);
    if (run->has_player)
        player_fini(&run->player);
    if (run->capture)
        capture_close(run->capture);
    if (run->sockets)
        sockets_close(run->sockets);
    if (run->outside)
        sockets_close(run->outside);
    call_feed_close(run->calls);
    if (run->keeper)
        keeper_close(run->keeper);
    document_free(run->document);
    free(run);
    return status;
}
