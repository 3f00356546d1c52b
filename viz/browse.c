/*
 * One loop: packets in, keys in, at most thirty pictures a second out, none
 * when nothing changed. Capturing never waits for the reader: a paused or
 * scrolled view only looks elsewhere in the store.
 */
#include "viz/browse.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "viz/events/store.h"
#include "viz/kernel/owners.h"
#include "viz/screen/screen.h"
#include "viz/save.h"
#include "viz/score.h"
#include "viz/shot.h"
#include "viz/source.h"
#include "viz/views/tape.h"
#include "viz/views/view.h"

enum {
    FRAME_MS = 34,    /* 29 pictures a second */
    SETTLE_MS = 250,  /* after a packet, until the kernel's word counts */
    ENDED_MS = 50,    /* how often ended() is asked */
    OWNERS_MS = 2000, /* how long it is known who holds which socket */
    BATCH = 512       /* frames between two looks at the keys */
};

struct browse {
    struct session *session;
    const struct options *options;
    headless_ended_fn *ended;
    void *self;
    struct store *store;
    struct viewer viewer;
    struct screen *screen; /* NULL: --dump */
    struct canvas canvas;
    bool over;           /* nothing more will come */
    bool changed;        /* the picture is older than what the store knows */
    bool full;           /* the last pump took all it was allowed to */
    size_t wire;         /* how much is lost: turn_wire() */
    int64_t frame_ns;    /* when the next picture may be drawn */
    int64_t settle_ns;   /* when one is due without an event */
    int64_t deadline_ns; /* --duration */
    uint64_t look, last_look; /* sums of the kernel's last two looks */
    struct score score;       /* of predict mode, as it is kept */
    struct owners owners;
    int64_t owners_ns; /* when to look for them anew */
    struct capture_error error;
};

/* What is wrong with the capture, in whole lines. */
static void complain(const struct capture_error *error)
{
    size_t length = strlen(error->text);

    fprintf(stderr, "%s%s", error->text,
            length > 0 && error->text[length - 1] == '\n' ? "" : "\n");
}

/* --- what changed ---------------------------------------------------------- */

/* What of a socket is on the screen, mixed into a number; the order in which
 * the kernel lists sockets does not count, so the numbers are added up. */
static uint64_t socket_sum(const struct socket_sample *socket)
{
    uint64_t sum = socket->cookie * UINT64_C(0x9E3779B97F4A7C15);

    sum ^= (uint64_t)socket->state << 56 ^ (uint64_t)socket->timer << 48;
    sum ^= (uint64_t)socket->receive_queue << 20 ^ socket->send_queue;
    if (socket->timer != 0) /* a countdown shows seconds, soon their tenths */
        sum ^= (uint64_t)(socket->timer_ms /
                          (socket->timer_ms < 10000 ? 100 : 1000))
               << 32;
    sum += (uint64_t)socket->tcp.cwnd << 8 | socket->tcp.backoff;
    sum *= UINT64_C(0xBF58476D1CE4E5B9);
    return sum ^ sum >> 29;
}

static void notice(void *self, const struct event *event)
{
    struct browse *browse = self;

    switch (event->kind) {
    case EVENT_PACKET:
    case EVENT_LOST:
        browse->changed = true;
        break;
    case EVENT_SOCKET:
        browse->look += socket_sum(&event->socket);
        break;
    case EVENT_LOOKED:
        browse->changed |= browse->look != browse->last_look;
        browse->last_look = browse->look;
        browse->look = 0;
        break;
    default:
        break;
    }
}

/* Who holds a socket: a viewer_owner_fn. A walk through /proc costs some
 * milliseconds, so that it is made only while the sockets are on the screen. */
static bool owner_of(void *self, const struct socket_sample *socket, char *text,
                     size_t size)
{
    struct browse *browse = self;
    const struct owner *owner;

    if (clock_now() >= browse->owners_ns) {
        owners_look(&browse->owners);
        browse->owners_ns = clock_now() + OWNERS_MS * CLOCK_MS;
    }
    owner = owners_find(&browse->owners, socket->inode);
    if (!owner)
        return false;
    snprintf(text, size, "%s %d, uid %u", owner->name, (int)owner->pid,
             socket->uid);
    return true;
}

/* Into a file, for the key x. */
static bool save(void *self, uint32_t connection, const char *path, char *said,
                 size_t size)
{
    struct browse *browse = self;
    struct options options = *browse->options;

    options.ascii |= browse->canvas.ascii;
    return save_connection(&options, browse->store, connection, path, said,
                           size) == 0;
}

/* --- drawing --------------------------------------------------------------- */

static int fit_canvas(struct browse *browse)
{
    int rows, columns;
    bool ascii = browse->canvas.ascii;

    screen_size(browse->screen, &rows, &columns);
    if (rows == browse->canvas.rows && columns == browse->canvas.columns)
        return 0;
    canvas_fini(&browse->canvas);
    if (canvas_init(&browse->canvas, rows, columns) < 0)
        return -1;
    browse->canvas.ascii = ascii;
    return 0;
}

static int show(struct browse *browse)
{
    if (fit_canvas(browse) < 0)
        return -1;
    if (browse->session->capture)
        browse->viewer.dropped = capture_dropped(browse->session->capture);
    viewer_draw(&browse->viewer, &browse->canvas);
    screen_show(browse->screen, &browse->canvas);
    browse->changed = false;
    return 0;
}

static void show_progress(struct browse *browse)
{
    struct area area;

    if (fit_canvas(browse) < 0)
        return;
    canvas_clear(&browse->canvas);
    area = canvas_area(&browse->canvas);
    area_printf(area, area.rows / 2, 2, STYLE_PLAIN,
                "Reading %s: %llu packets so far. q stops here.",
                browse->viewer.source,
                (unsigned long long)browse->session->packets);
    screen_show(browse->screen, &browse->canvas);
}

/* --- taking packets -------------------------------------------------------- */

/* Nothing more comes; what was seen stays, and the kernel's last word. */
static void stop(struct browse *browse, const char *why)
{
    if (browse->over)
        return;
    session_look(browse->session);
    browse->over = true;
    browse->changed = true;
    browse->viewer.live = false;
    snprintf(browse->viewer.message, sizeof browse->viewer.message,
             "%.*s Press q to quit.", (int)strcspn(why, "\n"), why);
}

/* At most BATCH frames. How many there were, -1 after an error. */
static int take(struct browse *browse)
{
    uint64_t most = BATCH, before = browse->session->packets;
    uint64_t count = browse->options->count;
    int taken;

    if (browse->over)
        return 0;
    if (count > 0 && count - before < most)
        most = count - before;
    taken = session_pump(browse->session, (int)most, &browse->error);
    browse->full = taken == (int)most;
    if (browse->session->packets > before)
        browse->settle_ns = clock_now() + SETTLE_MS * CLOCK_MS;
    if (taken < 0)
        stop(browse, browse->error.text);
    else if (count > 0 && browse->session->packets >= count)
        stop(browse, "All packets asked for by --count are here.");
    return taken;
}

/* What ends a live capture besides its count. */
static void look_for_end(struct browse *browse)
{
    const char *why = NULL;

    if (browse->over)
        return;
    if (browse->ended && browse->ended(browse->self))
        why = "The command has ended.";
    else if (clock_now() >= browse->deadline_ns)
        why = "The time of --duration is over.";
    if (!why)
        return;
    session_drain(browse->session, clock_wall(), &browse->error);
    stop(browse, why);
}

/* The whole file; 0, or -1 when the reader quit. A file that is broken in the
 * middle leaves browse->error behind. */
static int read_file(struct browse *browse)
{
    int64_t next = clock_now() + 4 * FRAME_MS * CLOCK_MS;

    while (take(browse) > 0 && !browse->over) {
        int key;

        if (!browse->screen || clock_now() < next)
            continue;
        show_progress(browse);
        next = clock_now() + 4 * FRAME_MS * CLOCK_MS;
        while ((key = screen_key(browse->screen)) != INPUT_NONE) {
            if (key == 'q' || key == 3 || key == INPUT_HUNG_UP)
                return -1;
        }
    }
    if (!browse->over)
        browse->over = true; /* a file's end needs no message */
    return 0;
}

/* --- the loop -------------------------------------------------------------- */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Sleep until a packet, a key, or the next thing that time brings. */
static void wait_for_something(const struct browse *browse)
{
    struct pollfd fds[] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = -1, .events = POLLIN},
    };
    int64_t wake = clock_now() + SCREEN_PATIENCE_MS * CLOCK_MS;
    int timeout, pump;

    if (browse->changed)
        wake = sooner(wake, browse->frame_ns);
    wake = sooner(wake, browse->settle_ns);
    wake = sooner(wake, tape_wake(&browse->viewer));
    if (!browse->over) {
        wake = sooner(wake, browse->deadline_ns);
        if (browse->ended)
            wake = sooner(wake, clock_now() + ENDED_MS * CLOCK_MS);
        if (browse->session->capture)
            fds[1].fd = capture_fd(browse->session->capture);
    }
    timeout = clock_poll_ms(wake);
    pump = browse->over ? -1 : session_timeout(browse->session);
    if (browse->full)
        timeout = 0;
    else if (pump >= 0 && pump < timeout)
        timeout = pump;
    poll(fds, 2, timeout);
}

static void show_wire(struct browse *browse, const struct loss *loss)
{
    char text[LOSS_TEXT];

    snprintf(browse->viewer.wire, sizeof browse->viewer.wire, "%s",
             loss->of > 0 ? loss_text(loss, text) : "");
}

/* The next amount of loss, round and round. */
static void turn_wire(struct browse *browse)
{
    static const struct loss amounts[] = {{0, 0}, {1, 10}, {1, 3}, {1, 2}};
    size_t count = sizeof amounts / sizeof *amounts;
    size_t next = (browse->wire + 1) % count;
    struct session *session = browse->session;
    char *message = browse->viewer.message;
    size_t size = sizeof browse->viewer.message;

    browse->viewer.wire_wanted = false;
    if (!session->lose) {
        snprintf(message, size,
                 "Packets are lost in a private network only: viz --private "
                 "-- COMMAND.");
        return;
    }
    if (session->lose(session->lose_self, &amounts[next], message, size) < 0) {
        message[strcspn(message, "\n")] = '\0';
        return;
    }
    browse->wire = next;
    show_wire(browse, &amounts[next]);
}

static void keep_score(struct browse *browse)
{
    struct viewer *viewer = &browse->viewer;

    if (viewer->predict.on &&
        score_keep(&browse->score, viewer->source, viewer->predict.right,
                   viewer->predict.asked) < 0)
        snprintf(viewer->message, sizeof viewer->message,
                 "Your score cannot be kept in .lab/progress: %s.",
                 strerror(errno));
}

static void read_keys(struct browse *browse)
{
    int key;

    while ((key = screen_key(browse->screen)) != INPUT_NONE) {
        viewer_key(&browse->viewer, key);
        if (browse->viewer.wire_wanted)
            turn_wire(browse);
        keep_score(browse);
        browse->changed = true;
        if (key == INPUT_HUNG_UP)
            return;
    }
}

/* Until the reader quits. 0, or -1 with errno. */
static int run_loop(struct browse *browse)
{
    while (!browse->viewer.quit) {
        int64_t now;

        take(browse);
        look_for_end(browse);
        read_keys(browse);
        now = clock_now();
        browse->changed |= tape_tick(&browse->viewer, now);
        if (now >= browse->settle_ns) {
            browse->settle_ns = CLOCK_NEVER;
            browse->changed = true;
        }
        if (browse->changed && now >= browse->frame_ns) {
            if (show(browse) < 0)
                return -1;
            browse->frame_ns = now + FRAME_MS * CLOCK_MS;
        }
        wait_for_something(browse);
    }
    if (!browse->over) /* so that -w has all that was captured */
        session_drain(browse->session, clock_wall(), &browse->error);
    return 0;
}

/* --- as text --------------------------------------------------------------- */

/* A live run until --count, --duration or the command's end. */
static void watch(struct browse *browse)
{
    while (!browse->over) {
        struct pollfd fd = {.fd = -1, .events = POLLIN};
        int64_t wake = sooner(browse->deadline_ns,
                              clock_now() + ENDED_MS * CLOCK_MS);

        take(browse);
        look_for_end(browse);
        if (browse->full || browse->over)
            continue;
        if (browse->session->capture)
            fd.fd = capture_fd(browse->session->capture);
        poll(&fd, 1, clock_poll_ms(wake));
    }
    browse->viewer.message[0] = '\0';
}

static void draw_shot(void *self, struct canvas *canvas)
{
    struct browse *browse = self;

    viewer_draw(&browse->viewer, canvas);
}

static bool press(void *self, int key)
{
    struct browse *browse = self;

    viewer_key(&browse->viewer, key);
    return !browse->viewer.quit;
}

static int dump(struct browse *browse)
{
    char title[128];
    const struct shot shot = {.draw = draw_shot,
                              .press = press,
                              .self = browse,
                              .title = title,
                              .ascii = browse->canvas.ascii};

    snprintf(title, sizeof title, "viz: %s", browse->viewer.source);
    if (browse->options->read_path)
        read_file(browse);
    else
        watch(browse);
    return shot_take(&shot, browse->options);
}

/* --- from the command line ------------------------------------------------- */

static int refuse_terminal(void)
{
    const char *term = getenv("TERM");

    if (errno == ENXIO)
        fprintf(stderr,
                "viz: TERM=%s: this terminal is not known here, or cannot "
                "move its cursor.\n"
                "     Try TERM=xterm, or viz --text, which needs no screen.\n",
                term ? term : "");
    else if (errno == ENOTTY)
        fprintf(stderr,
                "viz: the screen needs a terminal, and standard input or "
                "output is none.\n"
                "     Without one: viz --text, --json, --summary or --dump "
                "80x24.\n");
    else
        fprintf(stderr, "viz: the screen: %s\n", strerror(errno));
    return 2;
}

static int on_screen(struct browse *browse)
{
    int failed;

    browse->screen = screen_open();
    if (!browse->screen)
        return refuse_terminal();
    screen_mouse(browse->screen);
    failed = browse->options->read_path && read_file(browse) < 0
                 ? 0
                 : run_loop(browse);
    screen_close(browse->screen);
    if (failed) {
        fprintf(stderr, "viz: the screen: %s\n", strerror(errno));
        return 2;
    }
    return 0;
}

static const char *source_name(const struct options *options)
{
    const char *slash;

    if (!options->read_path)
        return options->private_network ? "private network"
                                        : options->interface;
    slash = strrchr(options->read_path, '/');
    return slash && slash[1] ? slash + 1 : options->read_path;
}

static void start_viewer(struct browse *browse)
{
    struct viewer *viewer = &browse->viewer;

    viewer_init(viewer, browse->store);
    viewer->source = source_name(browse->options);
    viewer->live = !browse->options->read_path;
    viewer->follow = viewer->live;
    viewer->owner = viewer->live ? owner_of : NULL;
    viewer->owner_self = browse;
    viewer->saving = (struct saving){
        .name = save_name, .write = save, .self = browse};
    if (browse->options->lost_of > 0)
        show_wire(browse, &(struct loss){browse->options->lost,
                                         browse->options->lost_of});
    browse->canvas.ascii = browse->options->ascii || screen_ascii();
}

int browse_run_session(struct session *session, const struct options *options,
                       headless_ended_fn *ended, void *self)
{
    struct browse browse = {
        .session = session,
        .options = options,
        .ended = ended,
        .self = self,
        .changed = true,
        .settle_ns = CLOCK_NEVER,
        .deadline_ns = options->duration_ns > 0
                           ? clock_now() + options->duration_ns
                           : CLOCK_NEVER,
    };
    int status;

    browse.store = store_new(0);
    if (!browse.store ||
        session_add_sink(session, store_event, browse.store) < 0 ||
        session_add_sink(session, notice, &browse) < 0) {
        fprintf(stderr, "viz: the screen: %s\n", strerror(errno));
        status = 2;
        goto out;
    }
    start_viewer(&browse);
    status = options->mode == MODE_DUMP ? dump(&browse) : on_screen(&browse);
    if (browse.error.kind != CAPTURE_FINE) { /* also when it was on screen */
        complain(&browse.error);
        status = 2;
    }
    viewer_fini(&browse.viewer);
    canvas_fini(&browse.canvas);
    owners_fini(&browse.owners);
out:
    session_remove_sink(session, browse.store);
    session_remove_sink(session, &browse);
    store_free(browse.store);
    return status;
}

int browse_run(const struct options *options)
{
    struct session session;
    struct capture_error error = {0};
    int status;

    /* Said before anything is opened: it may be refused. */
    if (options->mode == MODE_DUMP && !options->read_path &&
        options->count == 0 && options->duration_ns == 0) {
        fprintf(stderr, "viz: --dump of a live wire needs an end: --count N, "
                        "--duration T, or -r FILE.\n");
        return 2;
    }
    if (source_open(&session, options, true, &error) < 0) {
        complain(&error);
        return 2;
    }
    status = browse_run_session(&session, options, NULL, NULL);
    session_fini(&session);
    return status;
}
