/*
 * The live lesson on the screen: keys in, wishes granted, events taken, and a
 * picture at most 30 times a second, none when nothing changed. Or one picture
 * of its recording.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "viz/lesson/modes.h"
#include "viz/save.h"
#include "viz/screen/screen.h"
#include "viz/shot.h"
#include "viz/views/lesson.h"

enum { FRAME = CLOCK_SECOND / 30 };

struct live {
    struct lesson *lesson;
    struct screen *screen;
    struct lesson_view view;
    uint64_t drawn;   /* player->changes as of the last picture */
    char network[80]; /* which, and what its wire loses */
    char calls_lost[CALLED_TEXT];
    bool outside;          /* whether it warned of a server outside */
    int64_t next_frame_ns; /* not before this */
    bool dirty, quit;
};

/* "private network, loss 1/3: 2 lost" */
static void name_network(struct live *live)
{
    const struct feed *feed = live->lesson->feed;
    uint64_t lost = store_lost(feed->store);
    char text[LOSS_TEXT], count[32] = "";

    if (lost > 0)
        snprintf(count, sizeof count, ": %llu lost", (unsigned long long)lost);
    if (feed->loss.of > 0)
        snprintf(live->network, sizeof live->network, "%s, %s%s",
                 live->lesson->network, loss_text(&feed->loss, text), count);
    else
        snprintf(live->network, sizeof live->network, "%s",
                 live->lesson->network);
}

/* Why it does not lose packets, when it should. */
static void tell_wire(struct live *live)
{
    const struct feed *feed = live->lesson->feed;

    if (*feed->wire_why)
        snprintf(live->view.message, sizeof live->view.message, "%.*s",
                 (int)strcspn(feed->wire_why, "\n"), feed->wire_why);
}

/* A shot's, too. */
static void draw_on(void *self, struct canvas *canvas)
{
    struct live *live = self;
    const struct feed *feed = live->lesson->feed;

    live->view.store = feed->store;
    name_network(live);
    live->view.dropped = feed->session.capture
                             ? capture_dropped(feed->session.capture)
                             : 0;
    if (feed->session.called)
        called_lost(feed->session.called, live->calls_lost);
    lesson_view_draw(&live->view, canvas);
}

static void draw(struct live *live)
{
    struct canvas canvas;
    int rows, columns;

    screen_size(live->screen, &rows, &columns);
    if (canvas_init(&canvas, rows, columns) < 0)
        return; /* an absurd size: the next one may be better */
    canvas.ascii = live->lesson->ascii;
    draw_on(live, &canvas);
    screen_show(live->screen, &canvas);
    canvas_fini(&canvas);
    live->drawn = live->lesson->player->changes;
    live->dirty = false;
    live->next_frame_ns = clock_now() + FRAME;
}

static void save(struct live *live)
{
    char said[LESSON_SAID];

    if (*lesson_save(live->lesson, said))
        snprintf(live->view.message, sizeof live->view.message, "%s", said);
}

static void grant(struct live *live, enum lesson_wish wish)
{
    struct feed *feed = live->lesson->feed;

    switch (wish) {
    case LESSON_NEXT:
        if (feed_next(feed))
            live->view.ladder_up = 0;
        else
            snprintf(live->view.message, sizeof live->view.message,
                     "This is the last step. q leaves, \u2190 goes back.");
        break;
    case LESSON_BACK:
        feed_back(feed);
        break;
    case LESSON_AGAIN:
        feed_again(feed);
        break;
    case LESSON_QUIT:
        live->quit = true;
        break;
    case LESSON_NOTHING:
        return;
    }
    tell_wire(live);
    save(live);
}

static void take_key(struct live *live, int key)
{
    bool predicted = player_step(live->lesson->player)->predict != NULL;
    enum lesson_wish wish = lesson_view_key(&live->view, key);

    grant(live, wish);
    if (predicted && wish == LESSON_NOTHING)
        save(live);
    live->dirty = true;
}

static void take_keys(struct live *live)
{
    int key;

    while (!live->quit && (key = screen_key(live->screen)) != INPUT_NONE)
        take_key(live, key);
}

/* The warning goes when the server outside has gone. */
static bool outside_changed(struct live *live)
{
    const struct player *player = live->lesson->player;
    bool now = player->outside_ns != 0 &&
               store_now(live->lesson->feed->store) - player->outside_ns <
                   3 * CLOCK_SECOND;
    bool changed = now != live->outside;

    live->outside = now;
    return changed;
}

static int wait_for_more(struct live *live)
{
    struct feed *feed = live->lesson->feed;
    struct pollfd fds[FEED_FDS + 1];
    int count = feed_fds(feed, fds), wait = feed_timeout(feed);

    fds[count] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    if (wait < 0 || wait > SCREEN_PATIENCE_MS)
        wait = SCREEN_PATIENCE_MS;
    if (live->dirty && clock_poll_ms(live->next_frame_ns) < wait)
        wait = clock_poll_ms(live->next_frame_ns);
    if (poll(fds, (nfds_t)count + 1, wait) < 0 && errno != EINTR)
        return -1;
    return 0;
}

static int run(struct live *live, struct capture_error *error)
{
    error->text[0] = '\0';
    while (!live->quit && !*live->lesson->stop) {
        if (live->dirty && clock_now() >= live->next_frame_ns)
            draw(live);
        if (wait_for_more(live) < 0) {
            snprintf(error->text, sizeof error->text, "poll: %s",
                     strerror(errno));
            return -1;
        }
        take_keys(live);
        if (feed_pump(live->lesson->feed, error) < 0)
            return -1;
        live->dirty |= live->drawn != live->lesson->player->changes ||
                       outside_changed(live);
    }
    return 0;
}

/* What was refused must be read before the screen covers it. */
static void tell_refusal(const struct lesson *lesson)
{
    char line[8];

    if (!*lesson->refusal)
        return;
    printf("%s\n\n%s\nEnter goes on. ", lesson->refusal,
           lesson->feed->replay
               ? "Until then you see a recording of this lesson, headed REPLAY."
               : "The lesson runs on this machine's own loopback.");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        clearerr(stdin);
}

/* Into a file, for the key x. */
static bool export(void *self, uint32_t connection, const char *path,
                   char *said, size_t size)
{
    const struct live *live = self;
    const struct lesson *lesson = live->lesson;
    const struct options options = {.ascii = lesson->ascii,
                                    .read_path = lesson->recording};

    return save_connection(&options, lesson->feed->store, connection, path,
                           said, size) == 0;
}

static void begin(struct live *live)
{
    const struct lesson *lesson = live->lesson;

    lesson_view_init(&live->view, lesson->player, lesson->feed->store);
    live->view.network = live->network;
    live->view.calls_lost = live->calls_lost;
    live->view.replay = lesson->feed->replay != NULL;
    live->view.saving = (struct saving){
        .name = save_name, .write = export, .self = live};
    tell_wire(live);
}

int live_run(struct lesson *lesson)
{
    struct live live = {.lesson = lesson, .dirty = true};
    struct capture_error error;
    char said[LESSON_SAID];
    int status;

    tell_refusal(lesson);
    live.screen = screen_open();
    if (!live.screen) {
        fprintf(stderr, "%s\nType the same with TEXT=1: it needs no screen.\n",
                errno == ENXIO
                    ? "This terminal's kind (TERM) is not known here."
                    : "There is no terminal to draw on.");
        return 2;
    }
    begin(&live);
    if (lesson->resumed && !live.view.replay &&
        !player_finished(lesson->player))
        snprintf(live.view.message, sizeof live.view.message,
                 "You left off here. The terminals were closed: type make "
                 "shell in each, and start again what should run.");
    status = run(&live, &error);
    screen_close(live.screen);
    if (*lesson_save(lesson, said))
        fprintf(stderr, "%s\n", said);
    if (status < 0)
        fprintf(stderr, "%s\n", error.text);
    return status < 0 ? 2 : 0;
}

/* --- one picture --------------------------------------------------------- */

/* All that the recording has for the step that is open now. */
static bool press(void *self, int key)
{
    struct live *live = self;
    struct capture_error error;

    take_key(live, key);
    feed_pump(live->lesson->feed, &error);
    return !live->quit;
}

int shot_run(struct lesson *lesson, const struct options *options)
{
    struct live live = {.lesson = lesson};
    char title[160];
    const struct shot shot = {.draw = draw_on,
                              .press = press,
                              .self = &live,
                              .title = title,
                              .ascii = lesson->ascii};
    struct capture_error error;

    snprintf(title, sizeof title, "Two Terminals. %s",
             lesson->player->document->title);
    begin(&live);
    feed_pump(lesson->feed, &error);
    return shot_take(&shot, options);
}
